"""Install distributions into an environment, with two processes where that is faster.

Linking takes one system call per file, and Python's threads slow each other down there.
So on Linux a large installation forks a second process, and both take trees from a
queue. The second process does nothing else. The first writes the partial RECORD before
a tree is queued, all small files, and RECORD when the tree is done. It repeats whatever
the second does not report as done, so every error is raised in the first.

If the first process is killed, the second finishes its current tree and holds the lock
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
"""Number of files and directories from which a second process pays off."""

_MOST = 10_000  # distributions: the queue must fit into a pipe of 64 KiB
_WIDTH = 2  # bytes of a number in a pipe; a read or write of 2 bytes is never split
_COPIED = b"\xff\xff"  # not a number: a file was copied because it had too many links


def put_all(
    placements: Sequence[Placement],
    linker: Linker,
    on_installed: Callable[[Placement], None],
    *,
    worthwhile: int = _WORTHWHILE,
) -> None:
    """Install distributions; if two have a file of the same path, the later one wins.

    ``on_installed`` is called for each in order: after each, or with two processes
    after all. Raises what ``Placement.put`` raises.
    """
    if not _has_room_for_two(placements, worthwhile):
        for placement in placements:
            placement.put(linker)
            on_installed(placement)
        return
    first, *rest = placements
    first.put(linker)  # determines the link mode for the others
    entangled = _entangled(placements)
    _Pair([one for one in rest if id(one) not in entangled], linker).run()
    for placement in rest:
        if id(placement) in entangled:
            placement.put(linker)
    for placement in placements:
        on_installed(placement)


def _has_room_for_two(placements: Sequence[Placement], worthwhile: int) -> bool:
    """Return True if a second process is possible and pays off.

    A process with threads must not fork: their locks would stay locked in the child.
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
    """Return the number of system calls that a tree takes."""
    return len(placement.manifest.files) + len(placement.manifest.directories)


def _entangled(placements: Sequence[Placement]) -> frozenset[int]:
    """Return the ids of distributions that share a path, so that their order counts."""
    suspects = with_tops_in_common(placements)
    paths = [frozenset(path.casefold() for path in one.paths) for one in suspects]
    return frozenset(id(one) for one in in_common(suspects, paths))


class _Pipes:
    """Two pipes: the numbers of queued trees, and the numbers of those done.

    Reading ``done`` does not block.
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
        """Close the writing end of the queue."""
        if self._is_open:
            self._is_open = False
            os.close(self.into_queue)

    def close(self) -> None:
        """Close the ends of the first process and discard what is still queued."""
        self.close_queue()
        while os.read(self.queue, 4096):
            pass
        os.close(self.queue)
        os.close(self.done)


class _Pair:
    """Two processes that install distributions with no common file."""

    def __init__(self, placements: Sequence[Placement], linker: Linker) -> None:
        # The largest first, so that no process waits for it at the end.
        self._placements = sorted(placements, key=_work_of, reverse=True)
        self._linker = linker
        self._unfinished = dict(enumerate(self._placements))

    def run(self) -> None:
        """Install all distributions."""
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
        """Finish the trees that the second process reported (all, if blocking)."""
        with suppress(BlockingIOError):
            while number := os.read(done, _WIDTH):
                if number == _COPIED:
                    self._linker.used.add(LinkMode.COPY)
                else:
                    self._finish(int.from_bytes(number))

    @contextmanager
    def _second_process(self) -> Iterator[_Pipes | None]:
        """Run a second process that works on a queue during the block.

        Yields None if the system cannot start one. After the block the second
        process has ended.
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
        """Return the process id of a child that works on the queue."""
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            try:
                pipes.close_queue()
                self._work(pipes.queue, pipes.into_done, parent)
            finally:
                os._exit(0)  # clean-up handlers belong to the first process
        return child

    def _work(self, queue: int, into_done: int, parent: int) -> None:
        """Link trees until the queue is empty or the first process has ended."""
        had_copied = LinkMode.COPY in self._linker.used
        while os.getppid() == parent and (number := os.read(queue, _WIDTH)):
            self._placements[int.from_bytes(number)].put_tree(self._linker)
            if not had_copied and LinkMode.COPY in self._linker.used:
                os.write(into_done, _COPIED)
            os.write(into_done, number)
