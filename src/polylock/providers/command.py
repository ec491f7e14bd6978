"""A foreign program, run within limits of time and of what it may say."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from pathlib import PurePath
from typing import TYPE_CHECKING

from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["CommandAnswer", "CommandHangs", "run_command"]

_CHUNK = 1 << 16
_GRACE_SECONDS = 5.0


class CommandHangs(Exception):
    """A command did not end in time and was stopped; the text is a sentence."""

    def __init__(self, command: str, seconds: float) -> None:
        name = PurePath(command).name
        super().__init__(f"{name} did not answer within {seconds:g} seconds")


class CommandAnswer(Value, frozen=True, kw_only=True):
    """What a command wrote to both streams, and its exit status.

    ``cut`` tells that it wrote more than it may and was stopped; the status is then
    that of the stop.
    """

    text: str
    status: int
    cut: bool = False


def run_command(
    command: Sequence[str],
    *,
    seconds: float,
    limit: int,
    variables: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> CommandAnswer | None:
    """Run a command and return what it wrote, at most ``limit`` bytes.

    None where it cannot be started. Raises CommandHangs after that many ``seconds``.
    The command and, where the system has process groups, all that it started are
    stopped. What left the group is not waited for: such a process can keep the pipe
    open for ever, so a thread reads it.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if variables is None else dict(variables),
            cwd=directory,
            start_new_session=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    reader = _Reader(process, limit)
    reader.start()
    try:
        reader.join(seconds)
        if reader.is_alive():
            raise CommandHangs(command[0], seconds)
        if not reader.cut:
            _wait(process, command[0], seconds)
    finally:
        _stop(process)
    text = bytes(reader.content).decode("utf-8", errors="replace")
    return CommandAnswer(text=text, status=process.returncode, cut=reader.cut)


class _Reader(threading.Thread):
    """Reads what a process writes until it ends or has written too much."""

    def __init__(self, process: subprocess.Popen[bytes], limit: int) -> None:
        super().__init__(daemon=True)
        self.content = bytearray()
        self.cut = False
        self._process = process
        self._limit = limit

    def run(self) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        with contextlib.suppress(OSError, ValueError), stream:
            while chunk := os.read(stream.fileno(), _CHUNK):
                self.content += chunk
                if len(self.content) > self._limit:
                    del self.content[self._limit :]
                    self.cut = True
                    return


def _wait(process: subprocess.Popen[bytes], name: str, seconds: float) -> None:
    """Wait for a process that has closed its output."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise CommandHangs(name, seconds) from error


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a process that has not been waited for, and all of its group.

    It may have ended itself and left others behind. As long as nobody has waited for
    it the number of its group cannot be another's, so it is not polled here first.
    """
    kill_group = getattr(os, "killpg", None)
    if process.returncode is None:
        with contextlib.suppress(OSError):
            if kill_group is None:
                process.kill()
            else:
                kill_group(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
