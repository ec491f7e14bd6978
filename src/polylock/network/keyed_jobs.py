"""Jobs by key, each run once, in a thread pool or in the calling thread.

A job that is still queued when its result is requested runs in the calling thread, so
no caller waits for the queue, and a job may request another without a deadlock. The
threads are daemons: an interrupted command ends at once, and the cache is safe against
that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Self, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["KeyedJobs"]

logger = logging.getLogger(__name__)
T = TypeVar("T")

_JOIN_SECONDS = 0.25  # for all threads; one may be waiting for a slow server


class _Job:
    """The work for one key and, when done, its result or error."""

    __slots__ = ("claimed", "done", "error", "value", "work")

    def __init__(self, work: Callable[[], object]) -> None:
        self.work: Callable[[], object] | None = work
        self.claimed = False
        self.done = threading.Event()
        self.value: object = None
        self.error: BaseException | None = None

    def run(self) -> None:
        work, self.work = self.work, None
        assert work is not None
        try:
            self.value = work()
        except BaseException as error:  # noqa: BLE001 - re-raised for every caller
            self.error = error
        finally:
            self.done.set()


class KeyedJobs:
    """Runs the job of each key once and keeps its result or error.

    ``threads``: eight fetched 187 project pages fastest, sixteen were slower. A thread
    of the pool calls ``on_done`` with the key after each of its jobs.
    """

    def __init__(
        self,
        *,
        threads: int = 8,
        on_done: Callable[[Hashable], None] | None = None,
    ) -> None:
        self._limit = threads
        self._on_done = on_done
        self._lock = threading.Lock()
        self._available = threading.Condition(self._lock)
        self._jobs: dict[Hashable, _Job] = {}
        self._queue: deque[tuple[Hashable, _Job]] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def start(self, key: Hashable, work: Callable[[], object]) -> None:
        """Queue a job for the pool, unless the key has one already."""
        with self._lock:
            if self._closed or key in self._jobs:
                return
            job = self._jobs[key] = _Job(work)
            self._queue.append((key, job))
            if self._idle >= len(self._queue) or len(self._threads) >= self._limit:
                self._available.notify()
                return
            thread = threading.Thread(
                target=self._serve, name=f"fetch-{len(self._threads)}", daemon=True
            )
            self._threads.append(thread)
        thread.start()

    def result(self, key: Hashable, work: Callable[[], T]) -> T:
        """Return the result of the key's job; run it here unless it has begun.

        Raises what the job raised, for every caller.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                job = self._jobs[key] = _Job(work)
            mine, job.claimed = not job.claimed, True
        if mine:
            job.run()
        job.done.wait()
        if job.error is not None:
            raise job.error
        return cast("T", job.value)

    def is_done(self, key: Hashable) -> bool:
        """Return True if the key's job has ended, with a result or an error."""
        job = self._jobs.get(key)
        return job is not None and job.done.is_set()

    def is_running(self, key: Hashable) -> bool:
        """Return True if the key's job has begun and not ended."""
        job = self._jobs.get(key)
        return job is not None and job.claimed and not job.done.is_set()

    def close(self) -> None:
        """Discard queued jobs and end the threads; later jobs run in the caller."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            self._available.notify_all()
        deadline = time.monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(deadline - time.monotonic(), 0.0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        while True:
            with self._lock:
                while not self._queue and not self._closed:
                    self._idle += 1
                    self._available.wait()
                    self._idle -= 1
                if self._closed:
                    return
                key, job = self._queue.popleft()
                if job.claimed:
                    continue
                job.claimed = True
            job.run()
            if job.error is not None:
                logger.debug("%s failed: %s", key, job.error)
            if self._on_done is not None:
                self._on_done(key)
