"""A lock of uv, imported, gives the same versions, whatever the universe."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.wheels import build_wheel
from fakes.workspace import Project
from polylock.foreign.pins import pins_for
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.operations.chosen import Chosen
from polylock.operations.inspect.check import check
from polylock.operations.inspect.selection import selections
from polylock.operations.lock.imported_pins import read_pins
from polylock.operations.lock.request import LockRequest
from polylock.operations.workspace import open_workspace

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

UV = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
UNIVERSES = 60
NAMES = ("a", "b", "c", "d", "e", "f")
VERSIONS = ("1.0", "1.1", "2.0", "2.1", "3.0")
MARKERS = (
    *("", "", "", ""),
    "; sys_platform == 'win32'",
    "; sys_platform != 'win32'",
    "; python_version >= '3.12'",
    "; python_version < '3.12'",
    "; platform_machine == 'aarch64' and sys_platform == 'linux'",
)
TARGETS = """
[tool.polylock.targets]
linux = { platform = "linux-x86_64", python = "3.12" }
old = { platform = "linux-x86_64", python = "3.11" }
arm = { platform = "linux-aarch64", python = "3.13" }
windows = { platform = "windows-x86_64", python = "3.13" }
mac = { platform = "macos-arm64", python = "3.12" }
"""

pytestmark = [pytest.mark.property, pytest.mark.skipif(UV is None, reason="no uv")]


def _requirement(chance: random.Random, names: tuple[str, ...]) -> str:
    specifier = chance.choice(["", "", ">=2", "<3", "<2", "!=2.1", ">=1.1,<3"])
    return f"{chance.choice(names)}{specifier}{chance.choice(MARKERS)}"


def _universe(chance: random.Random, directory: Path) -> list[str]:
    """Build some projects, and return what a project requires of them."""
    for position, name in enumerate(NAMES):
        later = NAMES[position + 1 :]
        for version in chance.sample(VERSIONS, chance.randint(2, len(VERSIONS))):
            count = chance.randint(0, 2) if later else 0
            build_wheel(
                directory,
                name,
                version,
                requires=[_requirement(chance, later) for _ in range(count)],
                requires_python=chance.choice([None, None, None, ">=3.12"]),
            )
    return [_requirement(chance, NAMES[:3]) for _ in range(chance.randint(1, 4))]


def _uv_lock(project: Project, cache: Path) -> bool:
    """Lock by uv, a resolution that is not the highest; say whether there is one."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("UV_", "PIP_"))
    }
    command = (
        *(str(UV), "lock", "--quiet", "--no-config", "--python", sys.executable),
        *("--default-index", str(project.index_url), "--cache-dir", str(cache)),
        *("--resolution", "lowest"),
    )
    done = subprocess.run(
        command,
        cwd=project.directory,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 or "No solution" in done.stderr, done.stderr
    return done.returncode == 0


def _locked(project: Project) -> dict[str, dict[NormalizedName, str | None]]:
    found = selections(
        project.pylock,
        project.lock_path,
        target=None,
        chosen=Chosen(),
    )
    return {
        each.target.name: {s.package.name: s.package.version for s in each.selected}
        for each in found
    }


def test_same_versions_as_uv(tmp_path: Path) -> None:
    """Every version that uv locked for a target's environment is locked for it."""
    tried = forked = 0
    for seed in range(UNIVERSES):
        chance = random.Random(seed)
        directory = tmp_path / str(seed)
        requires = _universe(chance, directory / "wheels")
        build_index(directory / "wheels", directory / "site")
        with IndexServer(directory / "site") as server:
            project = Project(directory=directory / "project", index_url=server.url)
            project.write(
                '[project]\nname = "demo"\nversion = "1"\n'
                f'requires-python = ">=3.11"\ndependencies = {requires}\n{TARGETS}'
            )
            if not _uv_lock(project, tmp_path / "uv-cache"):
                continue
            path = project.directory / "uv.lock"
            outcome = project.lock(LockRequest(pins_from=(path,)))
        (lock,) = read_pins([path]).locks
        assert not outcome.imports[0].dropped, seed
        locked = _locked(project)
        for target in open_workspace(project.with_settings()).targets:
            pins = pins_for(lock, target)
            for name, version in locked[target.name].items():
                assert pins[name].version == version, (seed, target.name, name)
        assert not check(project.with_settings()).differences
        names = [pin.name for pin in lock.pins]
        tried += 1
        forked += len(names) > len(set(names))
    assert tried > UNIVERSES / 2
    assert forked > 3
