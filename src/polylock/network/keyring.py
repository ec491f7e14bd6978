"""Passwords from the ``keyring`` command, for indexes that name a user alone.

The command is run rather than its package imported, as pip does with
``--keyring-provider subprocess``: it lies in an environment of its own, together with
the back end that an organisation uses.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from polylock.network.auth import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    RunCommand = Callable[[Sequence[str], float], bytes | None]

__all__ = ["Keyring", "run_command"]

logger = logging.getLogger(__name__)

_TIMEOUT = 20.0
"""Seconds; a back end may ask a server, but nobody is there to unlock anything."""


def run_command(command: Sequence[str], timeout: float) -> bytes | None:
    """Return what a command prints, None where it is not there or does not succeed.

    It gets no standard input, so it cannot ask a person anything there, and is ended
    after ``timeout`` seconds.
    """
    import shutil  # noqa: PLC0415 - only where an index refuses
    import subprocess  # noqa: PLC0415 - as above

    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        process = subprocess.Popen(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        logger.warning("%s cannot be run: %s", program, error.strerror)
        return None
    try:
        printed, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        logger.warning("%s did not answer in %g s", program, timeout)
        process.kill()
        process.wait()
        if process.stdout is not None:
            # Not read to its end: what the command has started may hold it open.
            process.stdout.close()
        return None
    return printed if process.returncode == 0 else None


class Keyring:
    """Looks passwords up, each once a run; safe to use from many threads."""

    def __init__(
        self, run: RunCommand = run_command, *, timeout: float = _TIMEOUT
    ) -> None:
        self._run = run
        self._timeout = timeout
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], str | None] = {}

    def password(self, index_url: str, username: str) -> str | None:
        """Return the password of a user of an index, None where it is not known.

        It is looked up under the URL of the index without credentials, then under its
        host, as pip does; under the host for https alone, for it names no scheme.
        """
        service = redact(index_url)
        with self._lock:  # others that want it wait rather than ask too
            key = service, username
            if key not in self._found:
                self._found[key] = self._ask(service, username)
            return self._found[key]

    def _ask(self, service: str, username: str) -> str | None:
        if username.startswith("-"):
            return None  # the command would take it for an option
        parts = urlsplit(service)
        places = (service, parts.netloc) if parts.scheme == "https" else (service,)
        for place in places:
            logger.info("asking the keyring for the password of %s", place)
            printed = self._run(("keyring", "get", place, username), self._timeout)
            if printed is None:
                continue
            try:
                password = printed.decode().removesuffix("\n").removesuffix("\r")
            except UnicodeDecodeError:
                logger.warning("what keyring has for %s is not UTF-8", place)
                continue
            if password:
                return password
        return None
