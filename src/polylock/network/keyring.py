"""Passwords from the ``keyring`` command, for indexes with only a user name.

The command is run and its package not imported, as pip does with
``--keyring-provider subprocess``: it is installed in an environment of its own,
together with the back end of the organisation.
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
"""Seconds; a back end may query a server, but cannot wait for a user."""


def run_command(command: Sequence[str], timeout: float) -> bytes | None:
    """Return the output of a command, None if it is missing or fails.

    It has no standard input, so it cannot prompt, and is killed after ``timeout``
    seconds.
    """
    import shutil  # noqa: PLC0415 - only if an index refuses
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
            # Not read to its end: a child of the command may keep it open.
            process.stdout.close()
        return None
    return printed if process.returncode == 0 else None


class Keyring:
    """Looks up passwords, each once per run; thread-safe."""

    def __init__(
        self, run: RunCommand = run_command, *, timeout: float = _TIMEOUT
    ) -> None:
        self._run = run
        self._timeout = timeout
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], str | None] = {}

    def password(self, index_url: str, username: str) -> str | None:
        """Return the password of a user of an index, None if it is unknown.

        The service is the URL of the index without credentials, then its host, as with
        pip; the host only for https, since it does not include the scheme.
        """
        service = redact(index_url)
        with self._lock:  # other callers wait for this query
            key = service, username
            if key not in self._found:
                self._found[key] = self._ask(service, username)
            return self._found[key]

    def _ask(self, service: str, username: str) -> str | None:
        if username.startswith("-"):
            return None  # the command would parse it as an option
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
                logger.warning("the keyring password for %s is not UTF-8", place)
                continue
            if password:
                return password
        return None
