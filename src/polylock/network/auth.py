"""Credentials of a URL, and URLs without credentials.

Credentials belong to an origin (scheme, host and port) and are sent to no other. In
order of priority: those in the URL itself, those of the index on that origin
(``POLYLOCK_INDEX_<NAME>_USERNAME`` and ``_PASSWORD``, else its URL), and the entry of
the netrc file. If an index has a user name without a password and refuses the request,
the keyring is queried last.

``machine example.com`` of a netrc file means https://example.com on its default port:
the format has no scheme, and another port or plain http may be another server.
``machine http://example.com:3141`` names another origin.
"""

from __future__ import annotations

import base64
import logging
import re
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from polylock.model.hashes import digest
from polylock.model.url_secrets import without_secrets
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from polylock.model.inputs import IndexLocation

    FindPassword = Callable[[str, str], str | None]

__all__ = [
    "Authenticator",
    "Credentials",
    "credentials_variable",
    "origin",
    "redact",
    "without_user",
]

logger = logging.getLogger(__name__)

_USER_INFORMATION = re.compile(r"(?<=://)[^/?#\s]*@")
_DIGEST_BYTES = 8
_DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int | None]


class Credentials(Value, frozen=True):
    """A user name and a password; either may be empty."""

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
    """Return a URL, or a text with URLs, without secrets, safe to show and to store.

    User names, passwords, and tokens and signatures in a query are removed.
    """
    return without_secrets(without_user(text))


def without_user(url: str) -> str:
    """Return a URL without user name and password, which are sent in a header."""
    return _USER_INFORMATION.sub("", url)


def origin(url: str) -> Origin | None:
    """Return scheme, host and port of a URL, None if it is not valid."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        host = parts.hostname
    except ValueError:
        return None
    return (parts.scheme, host, port) if host else None


def credentials_variable(index: str, field: str) -> str:
    """Return the environment variable for ``USERNAME`` or ``PASSWORD`` of an index.

    Characters of the index name that a variable cannot have become underscores:
    ``my-index`` is ``POLYLOCK_INDEX_MY_INDEX_USERNAME``.
    """
    name = re.sub(r"[^A-Z0-9]", "_", index.upper())
    return f"POLYLOCK_INDEX_{name}_{field}"


class _IndexCredentials(Value, frozen=True, kw_only=True):
    """The credentials of an index; ``url`` is without them."""

    origin: Origin
    url: str
    credentials: Credentials


class Authenticator:
    """Finds the credentials for a URL; thread-safe.

    ``environment`` has the ``POLYLOCK_INDEX_*`` variables; ``netrc`` is the path of a
    netrc file, which may be absent. ``keyring`` returns the password for the URL of an
    index and a user name.
    """

    def __init__(
        self,
        indexes: Sequence[IndexLocation] = (),
        *,
        environment: Mapping[str, str] | None = None,
        netrc: Path | None = None,
        keyring: FindPassword | None = None,
    ) -> None:
        self._netrc = netrc
        self._keyring = keyring
        self._of_keyring: dict[str, Credentials] = {}
        self._indexes: list[_IndexCredentials] = []
        for index in indexes:
            place = origin(index.url)
            found = _of_variables(index.name, environment or {}) or _of_url(index.url)
            if place is not None and found is not None:
                self._indexes.append(
                    _IndexCredentials(
                        origin=place, url=redact(index.url), credentials=found
                    )
                )

    def credentials(self, url: str) -> Credentials | None:
        """Return the credentials for a URL, None if there are none."""
        known = self._stated(url)
        if known is None or known.password:
            return known
        index = self._index(url)
        found = None if index is None else self._of_keyring.get(index.url)
        if found is not None and found.username == known.username:
            return found
        return known  # some tokens are a user name without a password

    def credentials_digest(self, url: str) -> str:
        """Return a digest of the credentials for a URL, empty without credentials.

        Part of cache keys: a server may respond differently to another user. Passwords
        of the keyring do not count, as it is queried only after a refusal.
        """
        if not self._indexes and "@" not in url and not self._netrc_origins:
            return ""
        known = self._stated(url)
        return "" if known is None else digest(known.header.encode(), _DIGEST_BYTES)

    def _stated(self, url: str) -> Credentials | None:
        """Return the credentials of a URL without those of the keyring."""
        place = origin(url)
        if place is None:
            return None
        index = self._index(url)
        known = _of_url(url) or (index.credentials if index is not None else None)
        if known is not None and known.password:
            return known
        found = self._netrc_origins.get(place)
        if known is None or (found is not None and found.username == known.username):
            return found
        return known

    def after_refusal(self, url: str) -> Credentials | None:
        """Return the credentials to try after status 401, None if there are none.

        The keyring is queried only for an index that has a user name and no password.
        """
        known = self.credentials(url)
        index = self._index(url)
        if known is None or known.password or index is None or self._keyring is None:
            return known
        if not known.username:
            return None
        password = self._keyring(index.url, known.username)
        if password is None:
            return None
        found = Credentials(known.username, password)
        self._of_keyring[index.url] = found
        return found

    def _index(self, url: str) -> _IndexCredentials | None:
        """Return the index whose credentials apply to a URL.

        Of several indexes on one origin it is the one that shares the most leading
        segments of the path.
        """
        place = origin(url)
        same = [entry for entry in self._indexes if entry.origin == place]
        path = urlsplit(url).path if same else ""
        return max(
            same,
            key=lambda entry: _shared(urlsplit(entry.url).path, path),
            default=None,
        )

    @cached_property
    def _netrc_origins(self) -> dict[Origin, Credentials]:
        """Return the netrc entries by origin; ``default`` has none and is ignored."""
        if self._netrc is None or not self._netrc.is_file():
            return {}
        from netrc import NetrcParseError, netrc  # noqa: PLC0415 - rarely needed

        try:
            hosts = netrc(str(self._netrc)).hosts
        except (NetrcParseError, OSError, UnicodeDecodeError) as error:
            reason = error.msg if isinstance(error, NetrcParseError) else str(error)
            logger.warning("netrc file %s is ignored: %s", self._netrc, reason)
            return {}
        found = {}
        for host, (login, _, password) in hosts.items():
            place = origin(host if "://" in host else f"https://{host}")
            if place is not None and host != "default":
                found[place] = Credentials(login, password)
        return found


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
    """Return the number of leading segments that two paths share."""
    count = 0
    for own, other in zip(index_path.split("/"), path.split("/"), strict=False):
        if own != other:
            break
        count += 1
    return count
