"""The Python that is asked for is found, and what is not it is passed over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest

from fakes.installations import make_interpreter
from fakes.pythons import fake_python
from polylock.environment.discovery import (
    PythonRequest,
    environment_python,
    find_python,
    managed_path,
    pinned_python,
)
from polylock.errors import EnvironmentBroken, UsageError

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts as Pythons")


class Machine:
    """A search path with Pythons on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.template = make_interpreter(root / "template")
        self.directories: list[Path] = []

    def add(self, file: str, version: str | None, **changes: str | bool) -> Path:
        """Put a Python into a directory of the search path; None: one that fails."""
        path = self.root / file
        if path.parent not in self.directories:
            self.directories.append(path.parent)
        if version is None:
            return fake_python(path, None)
        interpreter = msgspec.structs.replace(
            self.template, executable=str(path), version=version, **changes
        )
        return fake_python(path, interpreter)

    def find(self, request: str) -> str:
        """Return the executable that is found."""
        path = os.pathsep.join(map(str, self.directories))
        return find_python(request, search_path=path, windows=False).executable


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine without Pythons."""
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", PythonRequest(major=3)),
        ("3.12", PythonRequest(major=3, minor=12)),
        ("3.12.7", PythonRequest(major=3, minor=12, patch=7)),
        ("3.13t", PythonRequest(major=3, minor=13, free_threaded=True)),
        ("cpython3.12", PythonRequest(major=3, minor=12)),
        ("cpython-3.12", PythonRequest(major=3, minor=12)),
        ("python3.12", PythonRequest(major=3, minor=12)),
        ("pypy3.11", PythonRequest(implementation="pypy", major=3, minor=11)),
        ("python", None),
        ("./3.12", None),
        ("3.x", None),
    ],
)
def test_parse_a_request(text: str, expected: PythonRequest | None) -> None:
    """A version is told from a path or a name."""
    assert PythonRequest.parse(text) == expected


def test_names_on_the_search_path() -> None:
    """The most telling name is looked for first."""
    request = PythonRequest.parse("3.13t")
    assert request is not None
    assert request.names == ("python3.13t", "python3t", "pythont", "python3", "python")
    assert str(request) == "3.13t"


@POSIX
def test_a_versioned_name_is_taken_first(machine: Machine) -> None:
    """python3.12 counts before python in an earlier directory."""
    machine.add("one/python", "3.12.1")
    wanted = machine.add("two/python3.12", "3.12.7")
    assert machine.find("3.12") == str(wanted)


@POSIX
def test_another_version_under_a_general_name_is_passed_over(machine: Machine) -> None:
    """What is called python is asked what it is."""
    machine.add("one/python3", "3.11.2")
    wanted = machine.add("two/python3", "3.12.7")
    assert machine.find("3.12") == str(wanted)
    assert machine.find("3.12.7") == str(wanted)
    assert machine.find("3") == str(machine.root / "one" / "python3")


@POSIX
def test_a_shim_that_fails_is_passed_over(machine: Machine) -> None:
    """A version manager's shim for a version that is not selected is no Python."""
    machine.add("shims/python3.12", None)
    wanted = machine.add("bin/python3.12", "3.12.7")
    assert machine.find("3.12") == str(wanted)


@POSIX
def test_versions_behind_shims_are_found(machine: Machine) -> None:
    """Where only the shims are on the path, the newest version beside them is taken."""
    machine.add("manager/shims/python3.12", None)
    for version in ("3.12.9", "3.12.10", "3.11.4"):
        directory = machine.root / "manager" / "versions" / version / "bin"
        minor = version.rpartition(".")[0]
        fake_python(
            directory / f"python{minor}",
            msgspec.structs.replace(
                machine.template, version=version, executable=version
            ),
        )
    assert machine.find("3.12") == "3.12.10"


@POSIX
def test_a_request_that_finds_nothing_lists_every_python(machine: Machine) -> None:
    """Those behind shims count: they are found for another request."""
    machine.add("bin/python3.13", "3.13.0")
    machine.add("manager/shims/python3.12", None)
    for version in ("3.12.1", "3.11.7"):
        place = machine.root / "manager" / "versions" / version / "bin"
        name = f"python{version.rpartition('.')[0]}"
        python = msgspec.structs.replace(machine.template, version=version)
        fake_python(place / name, python)
    with pytest.raises(EnvironmentBroken) as caught:
        machine.find("3.14")
    listed = "(found cpython 3.13.0, cpython 3.12.1, cpython 3.11.7)"
    assert listed in str(caught.value)


@POSIX
def test_free_threading_and_implementation_must_agree(machine: Machine) -> None:
    """3.13 is not 3.13t, and CPython is not PyPy."""
    machine.add("bin/python3.13t", "3.13.0", free_threaded=True)
    machine.add("bin/python3.13", "3.13.0", implementation="pypy")
    assert machine.find("3.13t") == str(machine.root / "bin" / "python3.13t")
    with pytest.raises(
        EnvironmentBroken, match=r"found pypy 3\.13\.0, cpython 3\.13\.0t"
    ):
        machine.find("3.13")


@POSIX
def test_a_file_that_is_not_executable_is_passed_over(machine: Machine) -> None:
    """A text called python3.12 is not run."""
    machine.add("one/python3.12", "3.12.1").chmod(0o644)
    wanted = machine.add("two/python3.12", "3.12.7")
    assert machine.find("3.12") == str(wanted)


@POSIX
def test_a_path_and_a_name_are_taken_as_they_are(machine: Machine) -> None:
    """A path, an environment's directory, and a name that is no version."""
    wanted = machine.add("env/bin/python", "3.12.7")
    assert machine.find(str(wanted)) == str(wanted)
    assert machine.find(str(machine.root / "env")) == str(wanted)
    other = machine.add("bin/my-python", "3.10.1")
    assert machine.find("my-python") == str(other)


@pytest.mark.parametrize("request_", ["3.12", "no-such-python", "missing/python"])
def test_nothing_is_found(machine: Machine, request_: str) -> None:
    """The error names what was asked for and says what to do."""
    with pytest.raises(EnvironmentBroken, match=r"3\.12|no-such|missing") as caught:
        machine.find(request_)
    assert caught.value.hint()


def test_a_directory_that_is_no_environment(machine: Machine, tmp_path: Path) -> None:
    """A directory without a Python is told apart from a missing one."""
    with pytest.raises(EnvironmentBroken, match="is not a virtual environment"):
        machine.find(str(tmp_path))


def test_an_empty_request() -> None:
    """An empty request is a usage error."""
    with pytest.raises(UsageError):
        find_python("", search_path="")


def test_environment_python() -> None:
    """The Python's place depends on the system."""
    assert environment_python(Path("e"), windows=False) == Path("e/bin/python")
    assert environment_python(Path("e"), windows=True) == Path("e/Scripts/python.exe")


@POSIX
def test_the_launcher_of_windows(machine: Machine) -> None:
    """Where PATH has none, the launcher names the installed Pythons."""
    python = machine.add("elsewhere/Python 3.12/python.exe", "3.12.7")
    machine.directories.clear()
    launcher = machine.root / "bin" / "py.exe"
    launcher.parent.mkdir()
    launcher.write_text(
        "#!/bin/sh\n"
        "echo ' -V:3.13 *        C:\\\\Gone\\\\python.exe'\n"
        f"echo ' -V:3.12          {python}'\n"
    )
    launcher.chmod(0o755)
    found = find_python("3.12", search_path=str(launcher.parent), windows=True)
    assert found.executable == str(python)


def _tree(root: Path, *files: str) -> None:
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_pythons_of_uv_conda_and_homebrew(tmp_path: Path) -> None:
    """The newest of uv and Homebrew first; what is no Python is left out."""
    home = tmp_path / "home"
    uv = home / ".local/share/uv/python"
    _tree(
        tmp_path,
        "home/.local/share/uv/python/cpython-3.9.1-linux/bin/python3.9",
        "home/.local/share/uv/python/cpython-3.12.4-linux/bin/python3.12",
        "home/.local/share/uv/python/.lock",
        "home/miniconda3/conda-meta/history",
        "home/miniconda3/bin/python",
        "home/anaconda3/bin/python",  # left over: conda does not know it
        "env/conda-meta/history",
        "opt/homebrew/opt/python@3.9/bin/python3.9",
        "opt/homebrew/opt/python@3.12/bin/python3.12",
        "opt/homebrew/opt/openssl/bin/openssl",
    )
    (uv / "cpython-3.12-linux").symlink_to(uv / "cpython-3.12.4-linux")
    _tree(home, ".conda/environments.txt")
    (home / ".conda/environments.txt").write_text(f"{tmp_path / 'env'}\n/gone\n")
    found = managed_path({"PATH": "/usr/bin"}, home=home, root=tmp_path)
    assert found.split(os.pathsep) == [
        str(uv / "cpython-3.12.4-linux/bin"),
        str(uv / "cpython-3.9.1-linux/bin"),
        str(home / "miniconda3/bin"),
        str(tmp_path / "env"),
        str(tmp_path / "opt/homebrew/opt/python@3.12/bin"),
        str(tmp_path / "opt/homebrew/opt/python@3.9/bin"),
    ]


def test_variables_say_where_uv_and_conda_are(tmp_path: Path) -> None:
    """As they do for these tools themselves."""
    _tree(
        tmp_path,
        "own/cpython-3.13.0-linux/bin/python3.13",
        "base/conda-meta/history",
        "base/bin/python",
    )
    variables = {
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "own"),
        "CONDA_PREFIX": str(tmp_path / "base"),
    }
    found = managed_path(variables, home=tmp_path / "home", root=tmp_path / "root")
    assert found.split(os.pathsep) == [
        str(tmp_path / "own/cpython-3.13.0-linux/bin"),
        str(tmp_path / "base/bin"),
    ]


def test_a_machine_without_any_of_them(tmp_path: Path) -> None:
    """There is no further place."""
    assert managed_path({"PATH": "/a"}, home=tmp_path, root=tmp_path) == ""


def test_managed_pythons_come_after_path(machine: Machine) -> None:
    """They are looked for only if no Python on PATH matches."""
    machine.add("managed/python3.12", "3.12.4")
    managed = str(machine.directories.pop())
    machine.add("bin/python3.11", "3.11.9")
    asked = []

    def places() -> str:
        asked.append(managed)
        return managed

    def find(request: str) -> str:
        path = os.pathsep.join(map(str, machine.directories))
        return find_python(request, search_path=path, managed=places).version

    assert (find("3.11"), asked) == ("3.11.9", [])
    assert (find("3.12"), asked) == ("3.12.4", [managed])
    with pytest.raises(EnvironmentBroken, match=r"3\.12\.4.*3\.11\.9"):
        find("3.13")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"3.12\n", "3.12"),
        (b"# for us\n\n 3.13.1 3.12.1\n", "3.13.1"),
        (b"cpython@3.12 # comment\n", "cpython@3.12"),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_the_first_version_of_a_version_file(
    tmp_path: Path, content: bytes, expected: str | None
) -> None:
    """Comments and further versions do not count, a missing file is none."""
    assert pinned_python(tmp_path / ".python-version") is None
    (tmp_path / ".python-version").write_bytes(content)
    assert pinned_python(tmp_path / ".python-version") == expected


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device")
def test_a_version_file_that_never_ends_is_none(tmp_path: Path) -> None:
    """A repository may have a link to a device."""
    (tmp_path / ".python-version").symlink_to("/dev/zero")
    assert pinned_python(tmp_path / ".python-version") is None
