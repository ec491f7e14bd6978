"""Holding the lock of an environment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from polylock.environment.exclusive import LOCK_FILE, exclusive
from polylock.errors import EnvironmentBroken
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from pathlib import Path


class Told(SilentReporter):
    """Notes that the lock is waited for."""

    def __init__(self) -> None:
        self.waiting = threading.Event()

    def warning(self, message: str) -> None:
        """Take the one warning that there is."""
        assert message.startswith("waiting for another polylock")
        self.waiting.set()


def test_a_second_sync_waits_and_says_so(tmp_path: Path) -> None:
    """While one block is open another is not entered, and the user is told why."""
    entered = threading.Event()
    told = Told()

    def second() -> None:
        with exclusive(tmp_path, told):
            entered.set()

    thread = threading.Thread(target=second)
    with exclusive(tmp_path, Told()):
        thread.start()
        assert told.waiting.wait(10)
        assert not entered.is_set()
    thread.join(10)
    assert entered.is_set()


def test_an_environment_that_cannot_be_locked(tmp_path: Path) -> None:
    """A lock that cannot be written is an error of the environment, with its path."""
    (tmp_path / LOCK_FILE).mkdir()
    with (
        pytest.raises(EnvironmentBroken, match="cannot be written") as raised,
        exclusive(tmp_path, Told()),
    ):
        pass
    assert LOCK_FILE in str(raised.value)
    assert "--venv" in str(raised.value.hint())
