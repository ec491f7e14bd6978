"""Kill syncs while they unpack, or cut the power, and let the next one repair it.

Run with ``kill`` or ``cut`` and a directory as arguments; prints a line for each sync.
Each sync runs in a child process that exits without cleaning up when it changes the
archives of the cache. After a power cut, every file written since the last flush to
disk is empty.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakes.server import Server
from fakes.synced import SyncedProject
from polylock.cache import archives, durable
from polylock.cache.store import Bucket
from polylock.environment import venv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fakes.synced import Forked

KILLS = 32
CUTS = 12
_CHANGES = {"os.rename", "os.mkdir", "os.utime", "os.link", "os.remove"}


class Disk:
    """Knows which files were flushed to disk; all others are only in memory."""

    def __init__(self, world: SyncedProject) -> None:
        self.roots = (world.environment, world.cache)
        self.known = world.root / "on-disk.json"
        self.lock = threading.Lock()

    def begin(self) -> None:
        """Treat all existing files as flushed."""
        with self.lock:
            self._keep(self._found())

    def install(self) -> None:
        """Record each call that flushes to disk, in this process."""
        real_fsync = os.fsync

        def written_out(tree: Path) -> None:
            durable.sync_tree(tree)
            self.begin()

        def all_written_out(trees: Sequence[Path]) -> None:
            durable.sync_trees(trees)
            self.begin()

        def synced(descriptor: int) -> None:
            real_fsync(descriptor)
            status = os.fstat(descriptor)
            with self.lock:
                found = json.loads(self.known.read_text())
                self._keep({**found, str(status.st_ino): status.st_size})

        venv.sync_tree = written_out  # type: ignore[attr-defined] # from durable
        archives.sync_trees = all_written_out  # type: ignore[attr-defined] # as above
        os.fsync = synced  # type: ignore[assignment] # of descriptors alone

    def cut(self) -> int:
        """Empty what was in memory; return the number of files."""
        on_disk = json.loads(self.known.read_text())
        lost = 0
        for path in self._files():
            status = path.stat()
            if status.st_size and on_disk.get(str(status.st_ino)) != status.st_size:
                os.truncate(path, 0)
                lost += 1
        return lost

    def _keep(self, found: dict[str, int]) -> None:
        new = self.known.with_suffix(".new")
        new.write_text(json.dumps(found))
        new.replace(self.known)

    def _found(self) -> dict[str, int]:
        found = {}
        for path in self._files():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found[str(status.st_ino)] = status.st_size
        return found

    def _files(self) -> list[Path]:
        return [
            Path(directory, name)
            for root in self.roots
            for directory, _, names in os.walk(root)
            for name in names
            if not Path(directory, name).is_symlink()
        ]


def synced(world: SyncedProject, *, step: int = 0, disk: Disk | None = None) -> Forked:
    """Sync in a child that is killed at this change; with 0 they are counted."""

    def begin() -> Callable[[], int]:
        places = [str(world.cache / Bucket.ARCHIVES.directory)]
        if disk is not None:  # a cut may be at any moment
            disk.begin()
            disk.install()
            places.append(str(world.environment))
        count = _count_changes(tuple(places), step)
        return lambda: count[0]

    return world.sync_forked(begin)


def _count_changes(places: tuple[str, ...], step: int) -> list[int]:
    count = [0]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            flags = arguments[2]
            if not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
                return
        elif event not in _CHANGES:
            return
        if not any(_text(each).startswith(places) for each in arguments[:2]):
            return
        count[0] += 1
        if count[0] == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return count


def _text(argument: object) -> str:
    if isinstance(argument, int):
        return ""
    return os.fsdecode(argument) if isinstance(argument, bytes) else str(argument)


def main(kind: str, root: Path) -> int:
    """Return the number of syncs that were not repaired."""
    wrong = 0
    with Server() as server:
        world = SyncedProject(server, root)
        world.sync("new")
        expected = world.installed()
        outside = world.outside()
        disk = Disk(world) if kind == "cut" else None
        world.come_back(None)
        whole = synced(world, disk=disk)
        assert whole.code == 0, whole
        total = whole.count
        times = KILLS if disk is None else CUTS
        for number in range(times):
            step = 1 + number * (total - 1) // (times - 1)
            world.come_back(None)
            ended = synced(world, step=step, disk=disk)
            killed = ended.code == -signal.SIGKILL
            lost = disk.cut() if disk is not None else 0
            repair = world.sync_forked(lambda: lambda: 0)
            problems = (
                [] if killed or step > total * 0.9 else ["was not killed", ended.said]
            )
            problems += [] if repair.code == 0 else [f"not repaired: {repair.said}"]
            if world.installed() != expected:
                found = world.installed()
                differ = sorted(
                    key
                    for key in expected.keys() | found.keys()
                    if expected.get(key) != found.get(key)
                )
                problems.append(f"not the exact environment: {differ[:9]}")
            for name in ("on-disk.json", "on-disk.new"):
                (root / name).unlink(missing_ok=True)
            if world.outside() != outside:
                problems.append("something outside was touched")
            end = "WRONG" if problems else "as it should be"
            print(f"{kind} {step}/{total}, {lost} files lost: {end}")  # noqa: T201 - the answer
            wrong += bool(problems)
            if problems:
                print(*problems, sep="\n")  # noqa: T201 - as above
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1], Path(sys.argv[2])), 1))
