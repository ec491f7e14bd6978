"""External commands, run with limits on time and output."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CommandAnswer", "CommandHangs", "run_command"]

_CHUNK = 1 << 16
_GRACE_SECONDS = 5.0


class CommandHangs(Exception):
    """A command timed out and was killed; the message is a sentence."""

    def __init__(self, command: str, seconds: float) -> None:
        name = PurePath(command).name
        super().__init__(f"{name} did not answer within {seconds:g} seconds")


class CommandAnswer(Value, frozen=True, kw_only=True):
    """The output of a command, stdout and stderr together, and its exit status.

    ``cut`` means that it exceeded the limit and was killed; ``status`` is then that of
    the signal.
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
    """Run a command and return its output, at most ``limit`` bytes.

    Returns None if it cannot be started. Raises CommandHangs after that many
    ``seconds``. The command and, if the system has process groups, its children are
    killed. A child that left the group may keep the pipe open for ever, so a thread
    reads it.
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
    """Reads the output of a process until it ends or exceeds the limit."""

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
    """Kill a process and its group.

    The process may have ended and left children behind. Until it is waited for, the
    system does not reuse the id of its group, so it is not polled first.
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
