"""Put distributions into an environment, by two processes where that is faster.

Linking is the kernel's work, one call a file, and threads of Python get in each
other's way there. So on Linux a large installation forks a second process, and the two
take one tree after the other from a queue. The second does nothing else: the first
writes the partial RECORD before a tree comes into the queue, all small files, and
RECORD when the tree is done. What the second does not report as done, for whatever
reason, the first does again, and any error is raised there.

If the first is killed, the second ends with the tree that it is at, and holds the lock
of the environment until then.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from polylock.installation.link import Linker, LinkMode
from polylock.installation.owners import in_common, with_tops_in_common

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
    count = sum(map(_work_of, placements))
    try:
        threads = os.listdir("/proc/self/task")  # noqa: PTH208 - their number alone
    except OSError:
        return False
    return (
        count >= worthwhile and len(threads) == 1 and len(os.sched_getaffinity(0)) > 1
    )


def _work_of(placement: Placement) -> int:
    """Return the number of calls of the kernel that a tree takes."""
    return len(placement.manifest.files) + len(placement.manifest.directories)


def _entangled(placements: Sequence[Placement]) -> frozenset[int]:
    """Return the ids of those whose order counts: another has a file of their path."""
    suspects = with_tops_in_common(placements)
    paths = [frozenset(path.casefold() for path in one.paths) for one in suspects]
    return frozenset(id(one) for one in in_common(suspects, paths))


class _Pipes:
    """The queue of numbers of trees, and the numbers of those that are done.

    To read ``done`` does not block.
    """

    def __init__(self) -> None:
        self.queue, self.into_queue = os.pipe()
        try:
            self.done, self.into_done = os.pipe()
        except OSError:
            os.close(self.queue)
            os.close(self.into_queue)
            raise
        self._is_open = True
        os.set_blocking(self.done, False)

    def close_queue(self) -> None:
        """Say that nothing more comes into the queue."""
        if self._is_open:
            self._is_open = False
            os.close(self.into_queue)

    def close(self) -> None:
        """Close all that the first process has; what is in the queue is for nobody."""
        self.close_queue()
        while os.read(self.queue, 4096):
            pass
        os.close(self.queue)
        os.close(self.done)


class _Pair:
    """Two processes that install distributions which have no file in common."""

    def __init__(self, placements: Sequence[Placement], linker: Linker) -> None:
        # The largest first, or one process would wait for it at the end.
        self._placements = sorted(placements, key=_work_of, reverse=True)
        self._linker = linker
        self._unfinished = dict(enumerate(self._placements))

    def run(self) -> None:
        """Install them all."""
        with self._second_process() as pipes:
            for position, placement in enumerate(self._placements):
                placement.begin()
                if pipes is not None:
                    os.write(pipes.into_queue, position.to_bytes(_WIDTH))
            if pipes is not None:
                pipes.close_queue()
            for placement in self._placements:
                placement.put_others(self._linker)
            if pipes is not None:
                self._share(pipes.queue, pipes.done)
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
    def _second_process(self) -> Iterator[_Pipes | None]:
        """Have a second process take from a queue during the block.

        Yields None where the system has no process to spare. After the block the
        second process has ended.
        """
        try:
            pipes = _Pipes()
        except OSError:
            yield None
            return
        child = -1
        try:
            with suppress(OSError):
                child = self._fork(pipes)
            os.close(pipes.into_done)
            yield None if child < 0 else pipes
        finally:
            pipes.close()
            if child >= 0:
                with suppress(ChildProcessError):
                    os.waitpid(child, 0)

    def _fork(self, pipes: _Pipes) -> int:
        """Return the number of a new process that works on the queue."""
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            try:
                pipes.close_queue()
                self._work(pipes.queue, pipes.into_done, parent)
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
