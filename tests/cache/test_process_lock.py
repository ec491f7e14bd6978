"""One process or thread at a time."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock, Timeout

from polylock.cache.process_lock import process_lock

if TYPE_CHECKING:
    from pathlib import Path

SYSTEMS = pytest.mark.parametrize("system", ["posix", "nt"])
POSIX = pytest.mark.skipif(os.name != "posix", reason="flock is of POSIX alone")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file of a lock may lie."""
    return tmp_path / "a.lock"


@POSIX
@SYSTEMS
def test_the_lock_is_the_one_of_filelock(path: Path, system: str) -> None:
    """Who uses filelock is kept out, and let in after; nobody is waited for."""
    waited: list[str] = []
    with (
        process_lock(path, lambda: waited.append("once"), system=system),
        pytest.raises(Timeout),
    ):
        FileLock(path).acquire(timeout=0)
    assert not waited
    with FileLock(path):
        pass


@POSIX
@SYSTEMS
def test_who_waits_is_told_and_let_in(path: Path, system: str) -> None:
    """A second thread calls back once, and enters when the first one has left."""
    waiting, entered = threading.Event(), threading.Event()

    def second() -> None:
        with process_lock(path, waiting.set, system=system):
            entered.set()

    thread = threading.Thread(target=second)
    with process_lock(path, system=system):
        thread.start()
        assert waiting.wait(10)
        assert not entered.is_set()
    thread.join(10)
    assert entered.is_set()


def test_a_killed_process_holds_nobody_up(path: Path) -> None:
    """The lock ends with the process, however that ends."""
    program = (
        "import os, sys; from pathlib import Path;"
        "from polylock.cache.process_lock import process_lock;"
        "process_lock(Path(sys.argv[1])).__enter__();"
        "os.kill(os.getpid(), 9) if os.name != 'nt' else os._exit(1)"
    )
    done = subprocess.run([sys.executable, "-c", program, path], check=False)
    assert done.returncode != 0
    assert path.exists()
    with process_lock(path):
        pass


@POSIX
def test_a_lock_on_a_removed_file_is_none(path: Path) -> None:
    """Who waited for a file that then was removed locks the file that is there."""
    waiting, entered = threading.Event(), threading.Event()

    def second() -> None:
        with process_lock(path, waiting.set):
            with pytest.raises(Timeout):
                FileLock(path).acquire(timeout=0)
            entered.set()

    thread = threading.Thread(target=second)
    with process_lock(path):
        thread.start()
        assert waiting.wait(10)
        path.unlink()
    thread.join(10)
    assert entered.is_set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_holds_the_lock(path: Path) -> None:
    """A second process that outlives the first keeps others out until it ends."""
    ready, end = os.pipe(), os.pipe()
    first = os.fork()
    if first == 0:
        with process_lock(path):
            if os.fork() == 0:
                os.close(end[1])
                os.write(ready[1], b"1")
                os.read(end[0], 1)
            os._exit(0)
    os.waitpid(first, 0)
    os.read(ready[0], 1)
    with pytest.raises(Timeout):
        FileLock(path).acquire(timeout=0)
    os.write(end[1], b"1")
    with process_lock(path):
        pass
    for descriptor in (*ready, *end):
        os.close(descriptor)


@POSIX
def test_a_file_system_without_locks_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system has no lock to give, the error says so and names the file."""
    import fcntl  # noqa: PLC0415 - not on Windows

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(OSError, match="does not support locks") as raised,
        process_lock(path),
    ):
        pass
    assert raised.value.filename == os.fspath(path)


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A lock in a directory that is not there is an error with the path in it."""
    path = tmp_path / "absent" / "a.lock"
    with pytest.raises(FileNotFoundError) as raised, process_lock(path, system="posix"):
        pass
    assert raised.value.filename == os.fspath(path)
