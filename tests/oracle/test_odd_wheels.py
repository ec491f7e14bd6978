"""Wheels with faults are unpacked to what the pip beside this Python installs."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from fakes.odd_wheels import (
    CLASHES,
    HOSTILE,
    PIP_INSTALLS,
    REPAIRED,
    TAKEN,
    UV_INSTALLS,
    Forge,
)
from polylock.installation.unpack import unpack

if TYPE_CHECKING:
    from pathlib import Path

_OF_PIP = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"}


def files_of(root: Path) -> dict[str, bytes]:
    """Return the files of wheels, without those that an installer adds."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
        and path.name not in _OF_PIP
        and path.relative_to(root).parts[0] != "bin"
    }


NOT_UTF_8 = ["METADATA in latin-1", "entry points in UTF-16"]


@pytest.mark.parametrize("kind", NOT_UTF_8)
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_what_others_do_with_text_that_is_not_utf_8(
    tmp_path: Path, kind: str, tool: str
) -> None:
    """The table on the page on safety has what the tools beside this Python do."""
    if find_spec(tool) is None:
        pytest.skip(f"this Python has no {tool}")
    forge = Forge()
    HOSTILE[kind][0](forge)
    wheel = forge.write(tmp_path)
    command = [sys.executable, "-m", tool]
    command += ["--isolated", "install"] if tool == "pip" else ["pip", "install"]
    command += ["--no-deps", "--no-index", "--quiet", "--target"]
    command += [str(tmp_path / "there"), str(wheel)]
    if tool == "uv":
        command += ["--no-cache", "--no-config", "--python", sys.executable]
    else:
        command += ["--no-cache-dir", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    installs = PIP_INSTALLS if tool == "pip" else UV_INSTALLS
    assert (done.returncode == 0) == (kind in installs), done.stderr


@pytest.mark.skipif(find_spec("pip") is None, reason="this Python has no pip")
def test_what_is_repaired_or_taken_is_what_pip_installs(tmp_path: Path) -> None:
    """All of the wheels at once, each of a project of its own, file by file."""
    wheels, ours = [], tmp_path / "ours"
    cases = {name: spoil for name, (spoil, _) in REPAIRED.items()} | TAKEN
    for number, (name, spoil) in enumerate(cases.items()):
        if name in CLASHES:
            continue  # as the file system does
        forge = Forge(f"odd{number}")
        spoil(forge)
        wheel = forge.write(tmp_path)
        wheels.append(str(wheel))
        archive = ours / str(number)
        archive.mkdir(parents=True)
        unpack(wheel, archive, filename=wheel.name)
    theirs = tmp_path / "theirs"
    command = [sys.executable, "-m", "pip", "--isolated", "install", "--quiet"]
    command += ["--no-deps", "--no-index", "--no-compile", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--target", str(theirs), *wheels]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, bytes] = {}
    for archive in ours.iterdir():
        found |= files_of(archive / "tree")
    assert files_of(theirs) == found
