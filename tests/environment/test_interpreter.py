"""A Python is asked once, and its answer kept while it stays the same."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from typing import TYPE_CHECKING

import msgspec
import packaging.markers
import pytest

from fakes.installations import make_interpreter
from fakes.pythons import real_python
from polylock.cache.store import Bucket, Store
from polylock.environment.interpreter import Interpreter, probe
from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a shell script as Python")


def fake_python(path: Path, script: str) -> Path:
    """Write a shell script that stands for a Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def answering(path: Path, root: Path, **changes: str) -> Path:
    """Write a Python that counts its starts and answers for an environment."""
    interpreter = msgspec.structs.replace(make_interpreter(root), **changes)
    answer = msgspec.json.encode(interpreter).decode()
    return fake_python(
        path,
        f"echo start >> '{path}.log'\necho noise\necho 'polylock-probe:{answer}'",
    )


def starts(python: Path) -> int:
    """Return how often a fake Python was started."""
    return len(python.with_name(python.name + ".log").read_text().splitlines())


def test_probe_of_this_python() -> None:
    """The answer agrees with what this Python knows of itself."""
    interpreter = probe(real_python("this"))
    assert interpreter.version.startswith(
        f"{sys.version_info.major}.{sys.version_info.minor}."
    )
    assert interpreter.release == sys.version_info[:2]
    assert interpreter.implementation == sys.implementation.name
    assert interpreter.prefix == sys.prefix
    assert interpreter.is_virtual is (sys.prefix != sys.base_prefix)
    assert interpreter.scheme.purelib == sysconfig.get_path("purelib")
    assert interpreter.scheme.scripts == sysconfig.get_path("scripts")
    assert interpreter.platform == sysconfig.get_platform()
    theirs = packaging.markers.default_environment()  # noqa: TID251 - the oracle
    expected = {k: v for k, v in theirs.items() if k != "extra"}
    assert interpreter.marker_environment == expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux")
def test_probe_knows_the_c_library() -> None:
    """On Linux family and version of the C library are known."""
    interpreter = probe(real_python("this"))
    assert interpreter.libc in {"glibc", "musl"}
    assert interpreter.libc_version is not None
    assert interpreter.libc_version.count(".") == 1
    assert interpreter.macos_version is None


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_probe_of_other_pythons(version: str) -> None:
    """Every Python from 3.8 on can be asked."""
    interpreter = probe(real_python(version))
    assert ".".join(map(str, interpreter.release)) == version
    assert interpreter.marker_environment["python_version"] == version
    assert version in interpreter.venv_scheme.purelib or os.name == "nt"
    assert interpreter.site_directories


@POSIX
def test_probe_is_kept(tmp_path: Path) -> None:
    """A second probe does not start the Python, and noise on stdout is no matter."""
    store = Store(tmp_path / "cache")
    python = answering(tmp_path / "env" / "bin" / "py", tmp_path / "fake")
    first = probe(python, store=store)
    assert probe(python, store=store) == first
    assert first.version == "3.12.7"
    assert starts(python) == 1


@POSIX
def test_probe_is_made_anew_when_the_python_changed(tmp_path: Path) -> None:
    """Another executable or another pyvenv.cfg makes the kept answer void."""
    store = Store(tmp_path / "cache")
    python = answering(tmp_path / "env" / "bin" / "py", tmp_path / "one")
    probe(python, store=store)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    probe(python, store=store)
    assert starts(python) == 2
    answering(python, tmp_path / "two", version="3.12.8")
    os.utime(python, ns=(1, 1))
    assert probe(python, store=store).version == "3.12.8"


@POSIX
def test_probe_when_the_kept_answer_is_of_another_layout(tmp_path: Path) -> None:
    """An answer that cannot be read is asked for again."""
    store = Store(tmp_path / "cache")
    python = answering(tmp_path / "env" / "bin" / "py", tmp_path / "one")
    probe(python, store=store)
    for path in (tmp_path / "cache" / Bucket.INTERPRETERS.directory).rglob("*"):
        if path.is_file():
            path.write_bytes(b"nonsense")
    assert probe(python, store=store).version == "3.12.7"
    assert starts(python) == 2


def test_probe_when_there_is_no_such_python(tmp_path: Path) -> None:
    """A path that leads nowhere is an error with advice."""
    with pytest.raises(EnvironmentBroken, match="no such Python") as caught:
        probe(tmp_path / "python")
    assert "--python" in str(caught.value.hint())


@POSIX
@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo 'no such version' >&2; exit 127", "exit code 127: no such version"),
        ("exit 3", "exit code 3"),
        ("echo polylock-probe:nonsense", "invalid answer"),
        ("echo 'polylock-probe:{}'", "invalid answer"),
    ],
)
def test_probe_when_the_python_fails(tmp_path: Path, script: str, problem: str) -> None:
    """What the Python said last is told."""
    python = fake_python(tmp_path / "python", script)
    with pytest.raises(EnvironmentBroken, match=problem):
        probe(python)


@POSIX
def test_probe_when_the_file_is_no_program(tmp_path: Path) -> None:
    """A file that cannot be run is an error, not a traceback."""
    python = tmp_path / "python"
    python.write_text("text")
    with pytest.raises(EnvironmentBroken, match="cannot be run"):
        probe(python)


def test_site_directories_are_named_once(tmp_path: Path) -> None:
    """Purelib and platlib are one directory for most Pythons."""
    assert len(make_interpreter(tmp_path).site_directories) == 1


def test_interpreter_survives_a_round_trip(tmp_path: Path) -> None:
    """The cache's form holds every field."""
    interpreter = make_interpreter(tmp_path)
    data = msgspec.json.encode(interpreter)
    assert msgspec.json.decode(data, type=Interpreter) == interpreter
    assert "libc_version" in json.loads(data)
