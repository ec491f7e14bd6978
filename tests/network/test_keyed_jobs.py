"""Keyed jobs: once each, wherever they run."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from polylock.network.keyed_jobs import KeyedJobs

if TYPE_CHECKING:
    from collections.abc import Hashable


def test_two_threads_that_ask_get_one_run() -> None:
    """The second caller waits for the first one's result."""
    runs: list[int] = []
    entered, release = threading.Event(), threading.Event()
    results: list[str] = []

    def job() -> str:
        runs.append(1)
        entered.set()
        assert release.wait(5)
        return "answer"

    with KeyedJobs() as jobs:
        threads = [
            threading.Thread(target=lambda: results.append(jobs.result("key", job)))
            for _ in range(2)
        ]
        threads[0].start()
        assert entered.wait(5)
        threads[1].start()
        release.set()
        for thread in threads:
            thread.join()
    assert results == ["answer", "answer"]
    assert runs == [1]


def test_an_error_reaches_every_caller() -> None:
    """The exception is raised again for each one who asks."""

    def job() -> None:
        raise ValueError("broken")

    with KeyedJobs() as jobs:
        for _ in range(2):
            with pytest.raises(ValueError, match="broken"):
                jobs.result("key", job)


def test_start_runs_in_a_thread_and_tells_when_done() -> None:
    """A started job ends without being asked for, and its key is handed on."""
    done: SimpleQueue[Hashable] = SimpleQueue()
    with KeyedJobs(on_done=done.put) as jobs:
        jobs.start("key", threading.current_thread)
        assert done.get(timeout=5) == "key"
        assert jobs.is_done("key")
        found = jobs.result("key", threading.current_thread)
    assert found is not threading.current_thread()


def test_a_queued_job_runs_where_it_is_asked_for() -> None:
    """Nobody waits behind the queue: the asking thread takes the job over."""
    release = threading.Event()
    with KeyedJobs(threads=1) as jobs:
        jobs.start("busy", lambda: release.wait(5))
        jobs.start("queued", threading.current_thread)
        assert jobs.result("queued", threading.current_thread) is (
            threading.current_thread()
        )
        release.set()


def test_no_more_threads_than_allowed() -> None:
    """Many jobs share the few threads."""
    names: set[str] = set()
    done: SimpleQueue[Hashable] = SimpleQueue()
    with KeyedJobs(threads=3, on_done=done.put) as jobs:
        for number in range(30):
            jobs.start(number, lambda: names.add(threading.current_thread().name))
        found = {done.get(timeout=5) for _ in range(30)}
    assert found == set(range(30))
    assert len(names) <= 3


def test_close_drops_what_is_queued() -> None:
    """After closing, a queued job runs only if it is asked for."""
    ran: list[str] = []
    entered, release = threading.Event(), threading.Event()

    def busy() -> None:
        entered.set()
        release.wait(5)

    jobs = KeyedJobs(threads=1)
    jobs.start("busy", busy)
    assert entered.wait(5)
    jobs.start("queued", lambda: ran.append("queued"))
    threading.Timer(0.01, release.set).start()
    jobs.close()
    assert ran == []
    jobs.result("queued", lambda: None)
    assert ran == ["queued"]
