"""Launchers for every system, and scripts that start the right Python."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from polylock.errors import EnvironmentBroken
from polylock.installation.archive import EntryPoint
from polylock.installation.scripts import (
    launcher_kind,
    make_launcher,
    rewrite_shebang,
)

if TYPE_CHECKING:
    from pathlib import Path

RUN = EntryPoint("run", "json.tool", "main", is_gui=False)


@pytest.mark.parametrize(
    ("platform", "kind"),
    [
        ("linux-x86_64", "posix"),
        ("macosx-14.0-arm64", "posix"),
        ("win-amd64", "win-amd64"),
        ("win-arm64", "win-arm64"),
        ("win32", "win-ia32"),
    ],
)
def test_launcher_kind(platform: str, kind: str) -> None:
    """The kind follows from the platform of the Python, not of polylock."""
    assert launcher_kind(platform) == kind


def test_launcher_kind_when_windows_is_unknown() -> None:
    """A Windows without a launcher is an error that names it."""
    with pytest.raises(EnvironmentBroken, match="win-riscv"):
        launcher_kind("win-riscv")


def test_make_launcher_on_posix() -> None:
    """The launcher imports the module, calls the object and has the shebang."""
    launcher = make_launcher(RUN, "/env/bin/python", "posix")
    assert launcher.filename == "run"
    text = launcher.content.decode()
    assert text.startswith("#!/env/bin/python\n")
    assert "from json.tool import main" in text
    compile(text, "run", "exec")


@pytest.mark.skipif(sys.platform == "win32", reason="a script for POSIX")
@pytest.mark.parametrize("attribute", ["main", "Tool.main"])
def test_a_launcher_runs_its_entry_point(tmp_path: Path, attribute: str) -> None:
    """What the entry point returns is the exit code, and its arguments are its own."""
    (tmp_path / "tool.py").write_text(
        "import sys\n"
        "def main(): return len(sys.argv) + 1 if sys.argv[0].endswith('run') else 9\n"
        "class Tool: main = staticmethod(main)\n"
    )
    entry_point = EntryPoint("run", "tool", attribute, is_gui=False)
    launcher = make_launcher(entry_point, sys.executable, "posix")
    script = tmp_path / launcher.filename
    script.write_bytes(launcher.content)
    script.chmod(0o755)
    done = subprocess.run([script, "a", "b"], cwd=tmp_path, check=False)
    assert done.returncode == 4


@pytest.mark.parametrize(
    ("is_gui", "python"), [(False, b"python.exe"), (True, b"pythonw.exe")]
)
def test_make_launcher_on_windows(*, is_gui: bool, python: bytes) -> None:
    """An .exe holds the program, the path of the Python and the script as a zip."""
    entry_point = EntryPoint("run", "json.tool", "main", is_gui=is_gui)
    launcher = make_launcher(entry_point, "C:/env/Scripts/python.exe", "win-amd64")
    assert launcher.filename == "run.exe"
    assert launcher.content.startswith(b"MZ")
    assert b"#!C:/env/Scripts/" + python in launcher.content
    with zipfile.ZipFile(io.BytesIO(launcher.content)) as archive:
        assert b"from json.tool import main" in archive.read("__main__.py")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"#!python\nx\n", b"#!/env/bin/python\nx\n"),
        (b"#!python -u\r\nx\n", b"#!/env/bin/python\nx\n"),
        (b"#!pythonw\nx", b"#!/env/bin/python\nx"),
        (b"#!python", b"#!/env/bin/python\n"),
        (b"#!/bin/sh\nx\n", b"#!/bin/sh\nx\n"),
        (b" #!python\n", b" #!python\n"),
        (b"\x7fELF", b"\x7fELF"),
        (b"", b""),
    ],
)
def test_rewrite_shebang(content: bytes, expected: bytes) -> None:
    """Exactly the scripts that start with ``#!python`` are changed."""
    assert rewrite_shebang(content, "/env/bin/python") == expected


def test_rewrite_shebang_on_windows() -> None:
    """``#!pythonw`` is the Python without a console, spaces need no care."""
    python = "C:\\my env\\Scripts\\python.exe"
    assert rewrite_shebang(b"#!python\nx", python) == b"#!" + python.encode() + b"\nx"
    assert rewrite_shebang(b"#!pythonw\nx", python).startswith(
        b"#!C:\\my env\\Scripts\\pythonw.exe\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="shebangs are POSIX's")
@pytest.mark.parametrize("name", ["a b", "it's", "x" * 150])
def test_rewrite_shebang_when_the_path_is_awkward(tmp_path: Path, name: str) -> None:
    """A script runs by a Python whose path has spaces, quotes or is very long."""
    directory = tmp_path / name
    directory.mkdir()
    python = directory / "python"
    python.symlink_to(sys.executable)
    script = tmp_path / "script"
    content = b"#!python\nimport sys\nprint(sys.argv[1:], __doc__)\n"
    script.write_bytes(rewrite_shebang(content, str(python)))
    script.chmod(0o755)
    answer = subprocess.run(
        [script, "one", "two words"], capture_output=True, check=True, text=True
    )
    assert answer.stdout.startswith("['one', 'two words']")
