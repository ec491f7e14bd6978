"""Files are compared with the hashes of RECORD, byte for byte."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from fakes.installations import WheelDirectory, make_interpreter
from fakes.wheels import build_wheel
from polylock.environment.installed import read_installed
from polylock.installation.archive import read_manifest
from polylock.installation.hash_check import changed_in_archive, changed_in_environment
from polylock.installation.link import Linker, LinkMode
from polylock.installation.own_files import OwnFiles
from polylock.installation.place import Placement

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "demo/__init__.py"
TOOL = "demo-1.0.data/scripts/tool"


@pytest.fixture
def placed(tmp_path: Path) -> Placement:
    """Return a wheel that is unpacked and installed by copies."""
    wheels = WheelDirectory(tmp_path)
    files = {MODULE: "x = 1\n", TOOL: "#!python\n"}
    wanted = wheels.want(build_wheel(tmp_path, "demo", "1.0", files=files))
    archive = wheels.archive(wanted)
    interpreter = make_interpreter(tmp_path / "env")
    found = Placement(
        wanted=wanted,
        archive=archive,
        manifest=read_manifest(archive, filename="", sha256=""),
        interpreter=interpreter,
        own=OwnFiles(interpreter),
    )
    found.put(Linker(LinkMode.COPY))
    return found


def edit(path: Path) -> None:
    """Change one byte and neither size nor times."""
    before = path.stat()
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", [MODULE, TOOL, "demo-1.0.dist-info/METADATA"])
def test_an_archive_that_was_edited(placed: Placement, name: str) -> None:
    """The file is named, whatever its size and its times say."""
    assert changed_in_archive(placed.archive, placed.manifest) is None
    edit(placed.archive / "tree" / name)
    assert changed_in_archive(placed.archive, placed.manifest) == name
    (placed.archive / "tree" / name).unlink()
    assert changed_in_archive(placed.archive, placed.manifest) == name


@pytest.mark.parametrize("name", ["demo/__init__.py", "demo-1.0.dist-info/INSTALLER"])
def test_an_environment_that_was_edited(placed: Placement, name: str) -> None:
    """Each file that is not what RECORD says is named."""
    (installed,) = read_installed([placed.site])
    assert list(changed_in_environment(installed)) == []
    edit(placed.site / name)
    assert list(changed_in_environment(installed)) == [str(placed.site / name)]
    (placed.site / name).unlink()
    assert list(changed_in_environment(installed)) == [str(placed.site / name)]
