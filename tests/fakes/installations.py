"""Environments without a Python, wheels from a directory, and snapshots."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from polylock.environment.interpreter import Interpreter, Scheme, VenvScheme
from polylock.installation.archive import TreeFiles
from polylock.installation.plan import WantedDistribution
from polylock.installation.unpack import unpack
from polylock.model.filenames import WheelFilename
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from polylock.environment.direct_url import DirectUrl

__all__ = [
    "LoggingReporter",
    "WheelDirectory",
    "first_of",
    "make_interpreter",
    "snapshot",
    "tree_files",
]


def make_interpreter(root: Path, *, platform: str = "linux-x86_64") -> Interpreter:
    """Return the interpreter of an environment at ``root``, and create its directories.

    ``bin/python`` is an empty file: nothing is run.
    """
    site = root / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True)
    (root / "bin").mkdir()
    (root / "bin" / "python").touch()
    (root / "pyvenv.cfg").write_text("home = /opt/python/bin\n", encoding="utf-8")
    return Interpreter(
        executable=str(root / "bin" / "python"),
        prefix=str(root),
        base_prefix="/opt/python",
        base_executable="/opt/python/bin/python3.12",
        implementation="cpython",
        version="3.12.7",
        abi_flags="",
        free_threaded=False,
        debug=False,
        platform=platform,
        pointer_bits=64,
        libc="glibc",
        libc_version="2.34",
        macos_version=None,
        marker_environment={"python_version": "3.12"},
        scheme=Scheme(
            purelib=str(site),
            platlib=str(site),
            scripts=str(root / "bin"),
            data=str(root),
            headers=str(root / "include" / "site" / "python3.12"),
            include="/opt/python/include/python3.12",
            stdlib="/opt/python/lib/python3.12",
        ),
        venv_scheme=VenvScheme(
            purelib="lib/python3.12/site-packages",
            platlib="lib/python3.12/site-packages",
            scripts="bin",
            data=".",
        ),
        externally_managed=False,
    )


class WheelDirectory:
    """Unpacks wheels into ``{root}/archives``; a FetchArchives.

    ``fetched`` has the names of each call.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fetched: list[list[str]] = []
        self._wheels: dict[str, Path] = {}

    def want(
        self,
        wheel: Path,
        *,
        requested: bool = False,
        direct_url: DirectUrl | None = None,
    ) -> WantedDistribution:
        """Return the wanted distribution that a wheel is, and offer the wheel."""
        parsed = WheelFilename.parse(wheel.name)
        sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
        self._wheels[sha256] = wheel
        return WantedDistribution(
            name=parsed.name,
            version=parsed.version,
            filename=wheel.name,
            sha256=sha256,
            variant_label=parsed.variant_label,
            requested=requested,
            direct_url=direct_url,
        )

    def __call__(self, wanted: Sequence[WantedDistribution]) -> list[Path]:
        """Unpack them."""
        self.fetched.append([each.name for each in wanted])
        return [self.archive(each) for each in wanted]

    def archive(self, wanted: WantedDistribution) -> Path:
        """Return the archive directory of a distribution."""
        directory = self.root / "archives" / wanted.sha256
        if not directory.exists():
            directory.mkdir(parents=True)
            unpack(self._wheels[wanted.sha256], directory, filename=wanted.filename)
        return directory


class LoggingReporter(SilentReporter):
    """Records events of distributions, and warnings."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def installing(self, name: str, version: str) -> None:
        """Keep it."""
        self.events.append(f"installing {name} {version}")

    def removing(self, name: str, version: str) -> None:
        """Keep it."""
        self.events.append(f"removing {name} {version}")

    def warning(self, message: str) -> None:
        """Keep it."""
        self.events.append(f"warning {message}")


def tree_files(tree: Path, files: Sequence[str]) -> TreeFiles:
    """Return files of a tree, stamped as they are now."""
    found = [(tree / file).stat() for file in files]
    return TreeFiles(
        files,
        [status.st_size for status in found],
        [status.st_mtime_ns for status in found],
        frozenset(f for f in files if os.access(tree / f, os.X_OK)),
    )


def first_of(tree: TreeFiles, count: int) -> TreeFiles:
    """Return the first files alone."""
    return tree._replace(
        files=tree.files[:count],
        sizes=tree.sizes[:count],
        mtimes=tree.mtimes[:count],
    )


def snapshot(root: Path) -> dict[str, tuple[bytes | None, bool]]:
    """Return every path under ``root``: its content (None: a directory), executable.

    The lock file of a sync is left out.
    """
    found: dict[str, tuple[bytes | None, bool]] = {}
    for path in sorted(root.rglob("*")):
        if path.name == ".polylock.lock":
            continue
        name = path.relative_to(root).as_posix()
        if path.is_dir():
            found[name] = (None, False)
        else:
            found[name] = (path.read_bytes(), os.access(path, os.X_OK))
    return found
