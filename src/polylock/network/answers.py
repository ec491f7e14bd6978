"""Answers of servers, whole or still to be read, and those that are errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import IndexRequestError
from polylock.network.auth import redact
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Response", "Streaming", "status_error"]


class Response(Value, frozen=True):
    """An answer with its whole body.

    ``url`` is the one that answered, after redirects, without credentials. The
    names of ``headers`` are in lower case.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes


class Streaming(Value, frozen=True):
    """An answer whose body is still to be read, once.

    ``url`` and ``headers`` are as in Response. Reading ``chunks`` raises
    IndexRequestError where the connection breaks.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


def status_error(url: str, status: int) -> IndexRequestError:
    """Return the error for an answer whose status says that it is none."""
    from http import HTTPStatus  # noqa: PLC0415 - for the words, in an error alone

    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "unknown status"
    return IndexRequestError(redact(url), status, phrase)
