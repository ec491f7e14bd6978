"""Put distributions into an environment, by two processes where that is faster.

Linking is the kernel's work, one call a file, and threads of Python get in each
other's way there. So on Linux a large installation forks a second process, and the two
take one tree after the other from a queue. The second does nothing else: the first
writes every partial RECORD before there is a second, all small files, and each RECORD
when its tree is done. What the second does not report as done, for whatever reason, the
first does again, and any error is raised there.

If the first is killed, the second ends with the tree that it is at, and holds the lock
of the environment until then.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from polylock.installation.link import LinkMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from polylock.installation.link import Linker
    from polylock.installation.place import Placement

__all__ = ["put_all"]

_WORTHWHILE = 3000
"""Files and directories from which on a second process saves more than it costs."""

_MOST = 10_000  # distributions: the queue has to fit into a pipe of 64 KiB
_WIDTH = 2  # bytes of a number in a pipe; so short a write or read is never divided
_COPIED = b"\xff\xff"  # no number: a file was copied, for it had too many links


def put_all(
    placements: Sequence[Placement],
    linker: Linker,
    told: Callable[[Placement], None],
    *,
    worthwhile: int = _WORTHWHILE,
) -> None:
    """Install distributions; where two have a file of one path, the later one's stays.

    ``told`` is called for each in order when it is installed, after a second process
    at the end. Raises what ``Placement.put`` raises.
    """
    if not _has_room_for_two(placements, worthwhile):
        for placement in placements:
            placement.put(linker)
            told(placement)
        return
    first, *rest = placements
    first.put(linker)  # from here on the mode of linking is known
    entangled = _entangled(placements)
    _Pair([one for one in rest if id(one) not in entangled], linker).run()
    for placement in rest:
        if id(placement) in entangled:
            placement.put(linker)
    for placement in placements:
        told(placement)


def _has_room_for_two(placements: Sequence[Placement], worthwhile: int) -> bool:
    """Return whether a second process can be made and gains anything.

    A process with threads must not fork: their locks would stay locked in the copy.
    """
    if not sys.platform.startswith("linux") or not 2 < len(placements) < _MOST:
        return False
    count = sum(
        len(one.manifest.files) + len(one.manifest.directories) for one in placements
    )
    try:
        threads = os.listdir("/proc/self/task")  # noqa: PTH208 - their number alone
    except OSError:
        return False
    return (
        count >= worthwhile and len(threads) == 1 and len(os.sched_getaffinity(0)) > 1
    )


def _entangled(placements: Sequence[Placement]) -> frozenset[int]:
    """Return the ids of those whose order counts: another has a file of their path.

    Paths that only case tells apart are one to some file systems. Most distributions
    have directories of their own, so all paths are compared for few.
    """
    suspects = _in_common(placements, [_tops(one) for one in placements])
    paths = [frozenset(path.casefold() for path in one.paths) for one in suspects]
    return frozenset(id(one) for one in _in_common(suspects, paths))


def _tops(placement: Placement) -> frozenset[str]:
    """Return the first part of each path in site-packages, and paths outside of it."""
    manifest = placement.manifest
    found = {path for path in manifest.directories if "/" not in path}
    found.update(path for path in manifest.files if "/" not in path)
    for file in placement.written:
        top = file.row.path.partition("/")[0]
        found.add(file.row.path if top == ".." else top)
    return frozenset(path.casefold() for path in found)


def _in_common(
    placements: Sequence[Placement], names: Sequence[frozenset[str]]
) -> list[Placement]:
    """Return those that have a name which another has as well."""
    seen: set[str] = set()
    twice: set[str] = set()
    for own in names:
        twice |= seen & own
        seen |= own
    return [
        one
        for one, own in zip(placements, names, strict=True)
        if not twice.isdisjoint(own)
    ]


class _Pair:
    """Two processes that install distributions which have no file in common."""

    def __init__(self, placements: Sequence[Placement], linker: Linker) -> None:
        self._placements = placements
        self._linker = linker
        self._unfinished = dict(enumerate(placements))

    def run(self) -> None:
        """Install them all."""
        for placement in self._placements:
            placement.begin()
        with self._second_process() as pipes:
            for placement in self._placements:
                placement.put_others(self._linker)
            if pipes is not None:
                self._share(*pipes)
        for position, placement in list(self._unfinished.items()):
            placement.put_tree(self._linker)
            self._finish(position)

    def _share(self, queue: int, done: int) -> None:
        """Take trees from the queue, as the second process does."""
        while number := os.read(queue, _WIDTH):
            position = int.from_bytes(number)
            self._placements[position].put_tree(self._linker)
            self._finish(position)
            self._note_done(done)
        os.set_blocking(done, True)
        self._note_done(done)

    def _finish(self, position: int) -> None:
        self._unfinished.pop(position).finish()

    def _note_done(self, done: int) -> None:
        """Finish what the second process reports; while blocking, all of it."""
        with suppress(BlockingIOError):
            while number := os.read(done, _WIDTH):
                if number == _COPIED:
                    self._linker.used.add(LinkMode.COPY)
                else:
                    self._finish(int.from_bytes(number))

    @contextmanager
    def _second_process(self) -> Iterator[tuple[int, int] | None]:
        """Have a second process take from a queue during the block.

        Yields the descriptors to read: the queue, and the numbers of the trees that
        the second has done, which does not block; None where the system has no
        process to spare. After the block the second process has ended.
        """
        pipes: list[int] = []
        child = -1
        try:
            with suppress(OSError):
                pipes += os.pipe()
                pipes += os.pipe()
                child = self._fork(*pipes)
            for end in pipes[1::2]:
                os.close(end)
            yield None if child < 0 else (pipes[0], pipes[2])
        finally:
            for end in pipes[::2]:  # what is left in the queue is for nobody
                os.set_blocking(end, True)
                while os.read(end, 4096):
                    pass
                os.close(end)
            if child >= 0:
                with suppress(ChildProcessError):
                    os.waitpid(child, 0)

    def _fork(self, queue: int, into_queue: int, done: int, into_done: int) -> int:
        """Fill the queue and return the number of a new process that works on it."""
        os.set_blocking(done, False)
        numbers = (number.to_bytes(_WIDTH) for number in self._unfinished)
        os.write(into_queue, b"".join(numbers))
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            try:
                os.close(into_queue)
                self._work(queue, into_done, parent)
            finally:
                os._exit(0)  # nothing of the first process may be cleaned up twice
        return child

    def _work(self, queue: int, into_done: int, parent: int) -> None:
        """Link trees until the queue is empty, or the first process has gone."""
        had_copied = LinkMode.COPY in self._linker.used
        while os.getppid() == parent and (number := os.read(queue, _WIDTH)):
            self._placements[int.from_bytes(number)].put_tree(self._linker)
            if not had_copied and LinkMode.COPY in self._linker.used:
                os.write(into_done, _COPIED)
            os.write(into_done, number)
