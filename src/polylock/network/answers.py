"""HTTP responses, read or still to be read, and the error for a bad status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import IndexRequestError
from polylock.network.auth import redact
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Response", "Streaming", "status_error"]


class Response(Value, frozen=True):
    """A response with its body.

    ``url`` is the final one, after redirects, without credentials. The names of
    ``headers`` are in lower case.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes


class Streaming(Value, frozen=True):
    """A response whose body is still to be read, once.

    ``url`` and ``headers`` are as in Response. Reading ``chunks`` raises
    IndexRequestError if the connection breaks.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


def status_error(url: str, status: int) -> IndexRequestError:
    """Return the error for a response with an unexpected status."""
    from http import HTTPStatus  # noqa: PLC0415 - only for an error

    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "unknown status"
    return IndexRequestError(redact(url), status, phrase)
