"""Wheels with faults are unpacked to what the pip beside this Python installs."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from fakes.odd_wheels import CLASHES, REPAIRED, TAKEN, Forge
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
