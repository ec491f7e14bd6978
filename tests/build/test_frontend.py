"""The hooks of a backend, called in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from polylock.build.backend import BuildSystem
from polylock.build.frontend import Frontend, HookFailed, build_variables


def frontend(tmp_path: Path, backend: str, *, module: str = "backend") -> Frontend:
    """Return the frontend of a tree with this backend, run by this Python."""
    tree = tmp_path / "tree"
    (tree / "tools").mkdir(parents=True)
    (tree / "tools" / "backend.py").write_text(backend, "utf-8")
    return Frontend(
        tree=tree,
        system=BuildSystem(requires=(), backend=module, backend_path=("tools",)),
        python=Path(sys.executable),
        variables=build_variables(os.environ, Path(sys.executable).parent),
        log=tmp_path / "output.txt",
    )


def out(tmp_path: Path) -> Path:
    """Return an empty directory."""
    directory = tmp_path / "out"
    directory.mkdir()
    return directory


def test_optional_hooks_may_be_missing(tmp_path: Path) -> None:
    """Nothing more is required, and there is no metadata without a wheel."""
    made = frontend(tmp_path, "def build_wheel(*_): ...")
    assert made.requires() == ()
    assert made.metadata(out(tmp_path)) is None


def test_metadata_and_wheel_are_where_the_hooks_say(tmp_path: Path) -> None:
    """File names that hooks return are looked up in the given directory."""
    made = frontend(
        tmp_path,
        "import os\n"
        "def prepare_metadata_for_build_wheel(directory, config_settings=None):\n"
        "    os.mkdir(os.path.join(directory, 'a-1.dist-info'))\n"
        "    path = os.path.join(directory, 'a-1.dist-info', 'METADATA')\n"
        "    open(path, 'w').write('Name: a')\n"
        "    return 'a-1.dist-info'\n"
        "def build_wheel(directory, config_settings=None, metadata_directory=None):\n"
        "    open(os.path.join(directory, 'a.whl'), 'w').close()\n"
        "    return 'a.whl'\n",
    )
    directory = out(tmp_path)
    assert made.metadata(directory) == b"Name: a"
    assert made.wheel(directory) == directory / "a.whl"


@pytest.mark.parametrize(
    "answer",
    ["None", "1", "''", "'../a.whl'", "'/a.whl'", "'..'", "'a/b.whl'", "'a\\\\b.whl'"],
)
def test_an_answer_that_is_no_name_is_refused(tmp_path: Path, answer: str) -> None:
    """A hook cannot lead to a file elsewhere."""
    made = frontend(tmp_path, f"def build_wheel(*_): return {answer}")
    with pytest.raises(HookFailed, match="instead of a file name"):
        made.wheel(out(tmp_path))


def test_a_wheel_that_was_not_written_is_told(tmp_path: Path) -> None:
    """The name alone is not enough."""
    made = frontend(tmp_path, "def build_wheel(*_): return 'a.whl'")
    with pytest.raises(HookFailed, match=r"wrote no file a\.whl"):
        made.wheel(out(tmp_path))


def test_a_metadata_directory_without_metadata_is_told(tmp_path: Path) -> None:
    """As for a wheel."""
    hook = "def prepare_metadata_for_build_wheel(*_): return 'a.dist-info'"
    with pytest.raises(HookFailed, match="wrote no METADATA"):
        frontend(tmp_path, hook).metadata(out(tmp_path))


@pytest.mark.parametrize("answer", ["'setuptools'", "[1]", "['!']", "{}"])
def test_requirements_of_another_kind_are_refused(tmp_path: Path, answer: str) -> None:
    """The reason names the hook."""
    made = frontend(tmp_path, f"def get_requires_for_build_wheel(*_): return {answer}")
    with pytest.raises(HookFailed, match="get_requires_for_build_wheel"):
        made.requires()


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("raise ValueError('no compiler')", "ValueError: no compiler"),
        ("print('last words'); raise SystemExit(3)", "last words"),
        ("import os; os.write(1, b'bare'); os._exit(4)", "bare"),
        ("import sys; sys.stderr.write('to stderr'); raise SystemExit(1)", "to stderr"),
        ("import os; os.write(1, b'\\x1b[31mred'); os._exit(1)", "?[31mred"),
    ],
)
def test_a_failing_hook_is_told_with_its_output(
    tmp_path: Path, body: str, line: str
) -> None:
    """Both streams, the last lines, without what a terminal would obey."""
    made = frontend(tmp_path, f"def build_wheel(*_):\n    {body}\n")
    with pytest.raises(HookFailed, match="build_wheel exited with status") as caught:
        made.wheel(out(tmp_path))
    assert line in caught.value.output


def test_only_the_last_lines_are_told(tmp_path: Path) -> None:
    """However much a build prints."""
    body = "[print(n) for n in range(100_000)]; raise SystemExit(1)"
    made = frontend(tmp_path, f"def build_wheel(*_):\n    {body}\n")
    with pytest.raises(HookFailed) as caught:
        made.wheel(out(tmp_path))
    assert caught.value.output[-1] == "99999"
    assert len(caught.value.output) == 30


def test_why_a_backend_raised_goes_before_where(tmp_path: Path) -> None:
    """The exception comes first, with all its lines, then its traceback."""
    body = "print('looking')\n    raise ValueError('no such folder\\nname another')"
    made = frontend(tmp_path, f"def build_wheel(*_):\n    {body}\n")
    with pytest.raises(HookFailed) as caught:
        made.wheel(out(tmp_path))
    first, second, third, *before = caught.value.output
    assert first == "ValueError: no such folder"
    assert (second, third) == ("name another", "before that:")
    assert any("raise ValueError" in line for line in before)
    assert len(before) <= 8


def test_a_hook_that_ends_quietly_without_an_answer_is_told(tmp_path: Path) -> None:
    """Exit status 0 without a result is a failure."""
    made = frontend(tmp_path, "import os\ndef build_wheel(*_): os._exit(0)\n")
    with pytest.raises(HookFailed, match="build_wheel"):
        made.wheel(out(tmp_path))


def test_a_backend_that_cannot_be_imported_is_told(tmp_path: Path) -> None:
    """The output is the traceback of the import."""
    made = frontend(tmp_path, "import nowhere_to_be_found")
    with pytest.raises(HookFailed, match="backend cannot be imported") as caught:
        made.wheel(out(tmp_path))
    assert any("nowhere_to_be_found" in line for line in caught.value.output)


@pytest.mark.parametrize("path", ["../tools", "/tools"])
def test_a_backend_outside_of_the_tree_is_refused(tmp_path: Path, path: str) -> None:
    """``backend-path`` stays in the tree (PEP 517)."""
    made = Frontend(
        tree=tmp_path,
        system=BuildSystem(requires=(), backend="backend", backend_path=(path,)),
        python=Path(sys.executable),
        variables={},
        log=tmp_path / "output.txt",
    )
    with pytest.raises(HookFailed, match=r"build-system\.backend-path"):
        made.wheel(out(tmp_path))


def test_a_python_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    """The reason is the system's."""
    made = Frontend(
        tree=tmp_path,
        system=BuildSystem(),
        python=tmp_path / "nowhere",
        variables={},
        log=tmp_path / "output.txt",
    )
    with pytest.raises(HookFailed, match="could not be run"):
        made.wheel(out(tmp_path))


def test_variables_of_a_build() -> None:
    """Compilers stay; other Pythons, installers and credentials go."""
    given = {
        "PATH": "/usr/bin",
        "CC": "clang",
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "PYTHONPATH": "/elsewhere",
        "PYTHONHOME": "/elsewhere",
        "PIP_INDEX_URL": "https://example.com",
        "UV_INDEX": "https://example.com",
        "POLYLOCK_INDEX_A_PASSWORD": "secret",
        "VIRTUAL_ENV": "/elsewhere",
        "NETRC": "/elsewhere",
    }
    found = build_variables(given, Path("/build/bin"))
    assert found == {
        "PATH": f"{Path('/build/bin')}{os.pathsep}/usr/bin",
        "CC": "clang",
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "PIP_CONFIG_FILE": os.devnull,
        "PYTHONIOENCODING": "utf-8",
    }
    assert build_variables({}, Path("/build/bin"))["PATH"] == str(Path("/build/bin"))
