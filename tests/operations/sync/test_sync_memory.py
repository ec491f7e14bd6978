"""Peak memory of a sync does not grow with the size of a wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from fakes.command_line import clean_variables
from fakes.synced import base_python
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = (
    "import sys; from polylock.cli.main import run; code = run(sys.argv[1:]);"
    "status = open('/proc/self/status').read().split();"
    "print(status[status.index('VmHWM:') + 1]); sys.exit(code)"
)
_MEGABYTE = 1 << 20


def huge_wheel(directory: Path, size: int) -> None:
    """Write a wheel that is as large as its one file, which RECORD does not hash twice.

    RECORD.jws is named by no RECORD (PEP 427), so that a wheel can be made larger
    without reading it again.
    """
    wheel = build_wheel(directory, "huge", "1.0")
    with (
        zipfile.ZipFile(wheel, "a", zipfile.ZIP_STORED) as archive,
        archive.open(
            zipfile.ZipInfo("huge-1.0.dist-info/RECORD.jws"), "w", force_zip64=True
        ) as member,
    ):
        block = bytes(_MEGABYTE)
        for _ in range(size // _MEGABYTE):
            member.write(block)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")
def test_a_wheel_of_900_megabytes_needs_little_memory(tmp_path: Path) -> None:
    """Downloaded, verified, unpacked and linked within 150 MB of memory."""
    huge_wheel(tmp_path / "wheels", 900 * _MEGABYTE)
    build_index(tmp_path / "wheels", tmp_path / "index")
    for wheel in (tmp_path / "wheels").iterdir():
        wheel.unlink()
    with IndexServer(tmp_path / "index") as server:
        project = Project(
            directory=tmp_path / "project",
            index_url=server.url,
            settings={"python": base_python()},
        )
        project.write(
            '[project]\nname = "a"\nversion = "1"\ndependencies = ["huge"]\n'
            f"{this_target()}"
        )
        project.lock()
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, "sync", "--python", base_python()],
            cwd=project.directory,
            env=clean_variables(tmp_path) | {"POLYLOCK_INDEX_URL": server.url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    (installed,) = project.directory.rglob("RECORD.jws")
    assert installed.stat().st_size == 900 * _MEGABYTE
    assert int(done.stdout) * 1024 < 150e6, done.stdout
    assert "downloading huge-1.0" in done.stderr  # a line an event: no terminal
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.stat().st_size > _MEGABYTE:
            path.unlink()
