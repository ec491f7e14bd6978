"""The files that must be unchanged for a cached answer to be reused.

Only for a command that had nothing to do. Everything that such a command reads must be
listed here; otherwise its answer has no basis and is not cached.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.project.pyproject import PROJECT_FILE
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.environment.installed import InstalledDistribution
    from polylock.project.settings import Settings

__all__ = [
    "Basis",
    "Written",
    "environment_basis",
    "hardware_basis",
    "project_basis",
]

_BOOT_ID = "proc/sys/kernel/random/boot_id"
_SIGNS_OF_GPU = (
    "dev/accel",
    "dev/accel0",
    "dev/davinci_manager",
    "dev/dri",
    "dev/dxg",
    "dev/kfd",
    "dev/nvgpu",
    "dev/nvhost-ctrl",
    "dev/nvidia0",
    "dev/nvidiactl",
    "dev/nvmap",
    "dev/vfio",
    "opt/rocm",
    "proc/driver/nvidia",
    "usr/lib/wsl",
    "usr/local/Ascend",
)
"""Paths that exist on Linux only with an accelerator or its driver.

The list is broad: with an integrated GPU too, the hardware is detected each time.
"""


class Written(Value, frozen=True, kw_only=True):
    """Files that a command wrote itself and then examined, as any other would.

    ``since`` is the time before it examined them, in nanoseconds since 1970.
    ``digests`` are those of contents at that time, by path: a time of change says
    nothing about a file that has just been written. ``states`` are paths that were not
    changed shortly before ``since``.
    """

    since: int
    digests: tuple[tuple[str, str], ...] = ()
    states: tuple[str, ...] = ()


class Basis(Value, frozen=True, kw_only=True):
    """Absolute paths of files compared by content, and of those compared by state.

    The state is inode, size and both times, or that the file is absent. These must not
    have changed since the command began; ``written`` are the files that it changed.
    """

    contents: tuple[Path, ...]
    states: tuple[str, ...] = ()
    written: Written | None = None


def project_basis(
    settings: Settings,
    project: Path,
    lock_file: Path,
    further: tuple[tuple[Path, ...], ...] | None = ((), ()),
) -> Basis | None:
    """Return the basis of the choice of project and lock file.

    That is both files, the paths where another or a workspace would be found first, and
    ``further`` files and directories that decide the project; None if ``further`` is.
    """
    if further is None:
        return None
    files, directories = further
    searched: list[Path] = []
    if settings.project is None:
        here = Path.cwd()
        for directory in (here, *here.parents):
            if directory == project.parent:
                break
            searched.append(directory / PROJECT_FILE)
        searched += (above / PROJECT_FILE for above in project.parent.parents)
        if settings.lock_file is None and here != lock_file.parent:
            searched.append(here / "pylock.toml")
    there = [path for path in files if path.is_file()]
    states = [*searched, *directories, *(path for path in files if path not in there)]
    return Basis(contents=(project, lock_file, *there), states=tuple(map(str, states)))


def environment_basis(
    basis: Basis,
    place: Path,
    directories: Sequence[Path],
    installed: Sequence[InstalledDistribution],
    *,
    written: Written | None = None,
) -> Basis:
    """Add the files of an environment that a sync reads.

    ``directories`` are its site-packages: each changes when a distribution is added or
    removed, and a ``.dist-info`` when a file in it is. Those in ``written`` are left to
    it.
    """
    # 8 ms, not needed by check and lock.
    from polylock.environment.discovery import environment_python  # noqa: PLC0415
    from polylock.environment.interpreter import PROBE_FILE  # noqa: PLC0415
    from polylock.environment.venv import STATE_FILE  # noqa: PLC0415

    found = (place / "pyvenv.cfg", place / STATE_FILE, environment_python(place))
    states = [
        *map(str, (*found, PROBE_FILE, *directories)),
        *(path for each in installed for path in _read_files(each)),
    ]
    if written is not None:
        own = {*(path for path, _ in written.digests), *written.states}
        states = [path for path in states if path not in own]
    return replace(basis, states=(*basis.states, *states), written=written)


def hardware_basis(basis: Basis, root: Path) -> Basis | None:
    """Add the hardware of the machine with this root; None if it may change unnoticed.

    Processors do not change before the next boot, and Linux has an id for each boot. A
    GPU driver can be loaded or replaced at any time, so with a sign of a GPU the
    hardware must be detected again.
    """
    signs = tuple(root / sign for sign in _SIGNS_OF_GPU)
    boot_id = root / _BOOT_ID
    if not boot_id.is_file() or any(sign.exists() for sign in signs):
        return None
    return replace(
        basis,
        contents=(*basis.contents, boot_id),
        states=(*basis.states, *map(str, signs)),
    )


def _read_files(installed: InstalledDistribution) -> Iterator[str]:
    """Yield the paths that ``read_installed`` reads, the directory first."""
    from polylock.environment.installed import (  # noqa: PLC0415 - as above
        ORIGIN_FILE,
        Form,
    )

    if installed.form is not Form.DIST_INFO:
        return  # only its name is read
    directory = str(installed.path)
    yield directory
    yield f"{directory}{os.sep}{ORIGIN_FILE}"
    if installed.origin is None:
        yield f"{directory}{os.sep}INSTALLER"
        yield f"{directory}{os.sep}WHEEL"
    if installed.direct_url is not None:
        yield f"{directory}{os.sep}direct_url.json"
