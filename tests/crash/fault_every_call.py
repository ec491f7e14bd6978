"""Let a sync fail at each kind of system call, and let the next one repair it.

Run with a directory as its argument; prints a line for each fault: the call, the error,
which call of its kind failed, and how the sync ended. Each sync runs in a child process
whose calls for files in the environment and the cache are wrapped. They raise the
errors of a full or broken disk.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakes.server import Server
from fakes.synced import SyncedProject

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.synced import Forked

_SHORT = -1
"""In place of an error number: a read that ends too early."""

FAULTS: dict[str, tuple[int, ...]] = {
    "write": (errno.ENOSPC, errno.EIO, errno.EDQUOT),
    "open": (errno.EACCES, errno.ENOSPC, errno.EMFILE, errno.EROFS),
    "mkdir": (errno.ENOSPC, errno.EACCES),
    "link": (errno.EMLINK, errno.EXDEV, errno.EACCES, errno.ENOSPC, errno.EIO),
    "rename": (errno.EXDEV, errno.EACCES, errno.EIO, errno.ENOSPC),
    "unlink": (errno.EACCES, errno.EIO),
    "rmdir": (errno.EIO, errno.EACCES),
    "list": (errno.EIO, errno.EACCES),
    "read": (errno.EIO, _SHORT),
}
_LASTING = {errno.ENOSPC, errno.EROFS, errno.EDQUOT}
_CALLS = {
    "mkdir": ("mkdir",),
    "link": ("link",),
    "rename": ("rename", "replace"),
    "unlink": ("unlink", "remove"),
    "rmdir": ("rmdir",),
    "list": ("listdir", "scandir"),
}


class Faults:
    """Counts the calls of one kind, and raises at one of them."""

    def __init__(self, roots: tuple[Path, ...], kind: str, number: int) -> None:
        self.roots = tuple(str(root) for root in roots)
        self.kind = kind
        self.number = number
        self.fatal = 0
        self.count = 0

    def strike(self, kind: str, place: object) -> bool:
        """Count a call; raise, or return whether a read shall be short."""
        text = os.fsdecode(place) if isinstance(place, bytes) else str(place)
        if kind != self.kind or not text.startswith(self.roots):
            return False
        self.count += 1
        lasting = self.number in _LASTING and self.count >= self.fatal
        if self.fatal and (self.count == self.fatal or lasting):
            if self.number == _SHORT:
                return True
            raise OSError(self.number, os.strerror(self.number), text)
        return False

    def install(self) -> None:
        """Wrap the functions by which polylock and its libraries call the system."""
        for kind, names in _CALLS.items():
            for name in names:
                setattr(os, name, self._wrapped(kind, getattr(os, name)))
        real = os.open

        def opened(path: Any, *arguments: Any, **options: Any) -> int:  # noqa: ANN401 - as os.open
            self.strike("open", path)
            return real(path, *arguments, **options)

        os.open = opened
        builtins.open = io.open = self._opened

    def _wrapped(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as the real one
            self.strike(kind, arguments[-1 if kind == "link" else 0])
            return real(*arguments, **options)

        return call

    def _opened(  # noqa: PLR0913, PLR0917 - the signature of open
        self,
        file: Any,  # noqa: ANN401 - a path or a descriptor
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,  # noqa: FBT001, FBT002 - as above
        opener: Any = None,  # noqa: ANN401 - as above
    ) -> Any:  # noqa: ANN401 - as above
        if not isinstance(file, int):
            self.strike("open", os.fspath(file))
        faults = self

        class Raw(io.FileIO):
            place = (
                Path(f"/proc/self/fd/{file}").readlink()
                if isinstance(file, int)
                else file
            )

            def write(self, data: Any, /) -> int:  # noqa: ANN401 - a buffer
                faults.strike("write", self.place)
                return super().write(data)

            def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - a buffer
                short = faults.strike("read", self.place)
                return 0 if short else super().readinto(buffer)

            def read(self, size: int | None = -1, /) -> bytes:
                short = faults.strike("read", self.place)
                return b"" if short else super().read(size)

            def readall(self) -> bytes:
                short = faults.strike("read", self.place)
                return b"" if short else super().readall()

        raw = Raw(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if buffering == 0:
            return raw
        buffered: Any
        if "+" in mode:
            buffered = io.BufferedRandom(raw)
        elif mode[0] == "r":
            buffered = io.BufferedReader(raw)
        else:
            buffered = io.BufferedWriter(raw)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding, errors, newline)


def synced(world: SyncedProject, faults: Faults) -> Forked:
    """Sync in a child with these faults; count the calls of their kind."""

    def begin() -> Callable[[], int]:
        faults.install()
        return lambda: faults.count

    return world.sync_forked(begin)


def main(root: Path) -> int:
    """Return the number of faults that were handled wrongly."""
    positions = random.Random(5)
    wrong = 0
    with Server() as server:
        world = SyncedProject(server, root)
        world.sync("new")
        expected = world.installed()
        world.come_back(None)
        world.sync("old")
        world.keep("old")
        outside = world.outside()
        roots = (world.environment, world.cache)
        for kind, numbers in FAULTS.items():
            world.come_back("old")
            total = synced(world, Faults(roots, kind, 0)).count
            for number in numbers:
                for fatal in sorted({1, positions.randint(1, total), total}):
                    faults = Faults(roots, kind, number)
                    faults.fatal = fatal
                    world.come_back("old")
                    ended = synced(world, faults)
                    problems = judged(world, ended.code, ended.said)
                    if ended.code == 0 and world.installed() != expected:
                        problems.append("not the exact environment at once")
                    repair = world.sync_forked(lambda: lambda: 0)
                    if repair.code != 0:
                        problems.append(f"not repaired: {repair.said}")
                    if world.installed() != expected:
                        problems.append("not the exact environment after the repair")
                    if world.outside() != outside:
                        problems.append("something outside was touched")
                    name = "short" if number == _SHORT else errno.errorcode[number]
                    end = "WRONG" if problems else "as it should be"
                    print(f"{kind} {name} {fatal}/{total}: {end}")  # noqa: T201 - the answer
                    if problems:
                        wrong += 1
                        print("\n".join([*problems, ended.said]))  # noqa: T201 - as above
    return wrong


def judged(world: SyncedProject, code: int, said: str) -> list[str]:
    """Return what is wrong with how a sync ended."""
    if code == 0:
        return []
    problems = [] if code == 1 else [f"exit code {code}"]
    if "Traceback" in said:
        problems.append("a traceback")
    if "error: " not in said or "hint: " not in said:
        problems.append("no error with a hint")
    if str(world.root) not in said and ".whl" not in said:
        problems.append("no path")
    return problems


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1])), 1))
