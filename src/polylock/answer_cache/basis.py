"""What an answer depends on, so that it can be given again while none of it changes.

Only for a command that found nothing to do. Whatever such an answer looked at has to
be here, or the answer has no basis and is never remembered.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from polylock.project.pyproject import PROJECT_FILE
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.environment.installed import InstalledDistribution
    from polylock.project.settings import Settings

__all__ = ["Basis", "environment_basis", "hardware_basis", "project_basis"]

_START_OF_SYSTEM = "proc/sys/kernel/random/boot_id"
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
"""What there is on Linux only with a driver for an accelerator, or the like.

More than need be: with an integrated GPU the hardware is looked at each time.
"""


class Basis(Value, frozen=True, kw_only=True):
    """Absolute paths: of files whose content counts, and of those whose state does.

    The state is time of change, size and inode, or that there is no such file.
    """

    contents: tuple[Path, ...]
    states: tuple[Path, ...] = ()


def project_basis(settings: Settings, project: Path, lock_file: Path) -> Basis:
    """Return what it depends on that these are the project and the lock file.

    Those are the two, and the places where another would be found before them.
    """
    passed_over: list[Path] = []
    if settings.project is None:
        here = Path.cwd()
        for directory in (here, *here.parents):
            if directory == project.parent:
                break
            passed_over.append(directory / PROJECT_FILE)
        if settings.lock_file is None and here != lock_file.parent:
            passed_over.append(here / "pylock.toml")
    return Basis(contents=(project, lock_file), states=tuple(passed_over))


def environment_basis(
    basis: Basis,
    place: Path,
    directories: Sequence[Path],
    installed: Sequence[InstalledDistribution],
) -> Basis:
    """Add an environment, as exactly as a sync looks at what is in it.

    ``directories`` are its site-packages; each changes when a distribution comes or
    goes, and a ``.dist-info`` when a file in it does.
    """
    # 8 ms, which check and lock do not pay.
    from polylock.environment.discovery import environment_python  # noqa: PLC0415
    from polylock.environment.interpreter import PROBE_FILE  # noqa: PLC0415
    from polylock.environment.venv import STATE_FILE  # noqa: PLC0415

    states = [
        place / "pyvenv.cfg",
        place / STATE_FILE,
        environment_python(place),
        PROBE_FILE,
        *directories,
        *(path for each in installed for path in _read_files(each)),
    ]
    return replace(basis, states=(*basis.states, *states))


def hardware_basis(basis: Basis, root: Path) -> Basis | None:
    """Add the hardware of the machine with this root; None where it may change unseen.

    Processors stay while the system runs, and Linux has a number for each start of
    it. A driver for a GPU may be loaded or exchanged at any time, so where there is
    a sign of one the hardware has to be looked at.
    """
    signs = tuple(root / sign for sign in _SIGNS_OF_GPU)
    start = root / _START_OF_SYSTEM
    if not start.is_file() or any(sign.exists() for sign in signs):
        return None
    return Basis(contents=(*basis.contents, start), states=(*basis.states, *signs))


def _read_files(installed: InstalledDistribution) -> Iterator[Path]:
    """Yield what ``read_installed`` reads of a distribution, the directory first."""
    from polylock.environment.installed import (  # noqa: PLC0415 - as above
        ORIGIN_FILE,
        Form,
    )

    if installed.form is not Form.DIST_INFO:
        return  # its name says all
    yield installed.path
    if installed.origin is not None:
        yield installed.path / ORIGIN_FILE
    else:
        yield from (
            installed.path / name for name in (ORIGIN_FILE, "INSTALLER", "WHEEL")
        )
    if installed.direct_url is not None:
        yield installed.path / "direct_url.json"
