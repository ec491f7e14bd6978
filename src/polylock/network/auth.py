"""Which credentials belong to a URL, and how to write a URL without them.

Credentials belong to an origin (scheme, host and port) and go nowhere else. In order
of priority: those in the URL itself, those of the index on that origin
(``POLYLOCK_INDEX_<NAME>_USERNAME`` and ``_PASSWORD``, else its URL), and the netrc
file's entry for the host.
"""

from __future__ import annotations

import base64
import logging
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from polylock.model.inputs import IndexLocation

__all__ = ["Authenticator", "Credentials", "credentials_variable", "origin", "redact"]

logger = logging.getLogger(__name__)

_USER_INFORMATION = re.compile(r"(?<=://)[^/?#\s]*@")
_DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password, either may be empty."""

    username: str
    password: str

    @property
    def header(self) -> str:
        """Return the value of the Authorization header (RFC 7617)."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    def __repr__(self) -> str:
        return "Credentials(...)"


def redact(text: str) -> str:
    """Return a URL, or text with URLs in it, without user names and passwords."""
    return _USER_INFORMATION.sub("", text)


def origin(url: str) -> Origin | None:
    """Return scheme, host and port of a URL, None where it has no valid one."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        host = parts.hostname
    except ValueError:
        return None
    return (parts.scheme, host, port) if host else None


def credentials_variable(index: str, field: str) -> str:
    """Return the variable that holds ``USERNAME`` or ``PASSWORD`` of an index.

    Every character of the index's name that cannot stand in the name of a variable
    becomes an underscore: ``my-index`` is ``POLYLOCK_INDEX_MY_INDEX_USERNAME``.
    """
    name = re.sub(r"[^A-Z0-9]", "_", index.upper())
    return f"POLYLOCK_INDEX_{name}_{field}"


class Authenticator:
    """Finds the credentials for a URL.

    ``environment`` holds the ``POLYLOCK_INDEX_*`` variables; ``netrc`` is a file in
    the netrc format, which need not exist.
    """

    def __init__(
        self,
        indexes: Sequence[IndexLocation] = (),
        *,
        environment: Mapping[str, str] | None = None,
        netrc: Path | None = None,
    ) -> None:
        self._netrc = netrc
        self._indexes: list[tuple[Origin, str, Credentials]] = []
        for index in indexes:
            place = origin(index.url)
            found = _of_variables(index.name, environment or {}) or _of_url(index.url)
            if place is not None and found is not None:
                self._indexes.append((place, urlsplit(index.url).path, found))

    def credentials(self, url: str) -> Credentials | None:
        """Return what may be sent to this URL, None for nothing."""
        own = _of_url(url)
        if own is not None:
            return own
        place = origin(url)
        if place is None:
            return None
        same = [entry for entry in self._indexes if entry[0] == place]
        if same:
            # Several indexes on one host, each with its own token: the one whose
            # path the URL shares furthest.
            path = urlsplit(url).path
            return max(same, key=lambda entry: _shared(entry[1], path))[2]
        return self._netrc_hosts.get(place[1])

    @cached_property
    def _netrc_hosts(self) -> dict[str, Credentials]:
        """Return the entries by host; ``default`` is left out, it names no host."""
        if self._netrc is None or not self._netrc.is_file():
            return {}
        from netrc import NetrcParseError, netrc  # noqa: PLC0415 - rarely needed

        try:
            hosts = netrc(str(self._netrc)).hosts
        except (NetrcParseError, OSError, UnicodeDecodeError) as error:
            reason = error.msg if isinstance(error, NetrcParseError) else str(error)
            logger.warning("netrc file %s is ignored: %s", self._netrc, reason)
            return {}
        return {
            host: Credentials(login, password)
            for host, (login, _, password) in hosts.items()
            if host != "default"
        }


def _of_variables(index: str, environment: Mapping[str, str]) -> Credentials | None:
    username = environment.get(credentials_variable(index, "USERNAME"), "")
    password = environment.get(credentials_variable(index, "PASSWORD"), "")
    return Credentials(username, password) if username or password else None


def _of_url(url: str) -> Credentials | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    username, password = parts.username or "", parts.password or ""
    if not username and not password:
        return None
    return Credentials(unquote(username), unquote(password))


def _shared(index_path: str, path: str) -> int:
    """Count the leading path segments that two paths share."""
    count = 0
    for own, other in zip(index_path.split("/"), path.split("/"), strict=False):
        if own != other:
            break
        count += 1
    return count
