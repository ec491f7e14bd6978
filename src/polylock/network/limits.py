"""How much a server may send, how slowly, and where it may lead us."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from polylock.errors import AnswerTooLong, IndexRequestError
from polylock.network.auth import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from polylock.network.answers import Streaming

__all__ = ["LARGEST", "in_time", "redirected", "whole_body"]

LARGEST = 1 << 28
"""Bytes of an answer that is read whole; the largest pages of indexes have 2 ** 25."""

_SLOWEST = 100
"""Bytes a second below which a server is given up; the slowest modem had as many."""


def whole_body(answer: Streaming, *, largest: int = LARGEST) -> bytes:
    """Return the body of an answer; raises AnswerTooLong for an endless one.

    A few bytes can be compressed ones of very many: what counts are those unfolded.
    """
    found: list[bytes] = []
    size = 0
    for chunk in answer.chunks:
        size += len(chunk)
        if size > largest:
            problem = f"the answer has more than {largest} bytes"
            raise AnswerTooLong(answer.url, answer.status, problem)
        found.append(chunk)
    return b"".join(found)


def in_time(
    chunks: Iterator[bytes],
    url: str,
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[bytes]:
    """Pass chunks on; raise IndexRequestError where they come by drops.

    A server that sends a byte now and then is never silent for long; the rate is
    taken over ``seconds``.
    """
    began, size = clock(), 0
    for chunk in chunks:
        size += len(chunk)
        waited = clock() - began
        if waited > seconds:
            if size < _SLOWEST * waited:
                problem = f"it sends less than {_SLOWEST} bytes a second"
                raise IndexRequestError(url, None, problem)
            began, size = clock(), 0
        yield chunk


def redirected(place: str, location: str, status: int) -> str:
    """Return the URL that a redirect leads to, without credentials.

    None leads from https to http: there anybody could answer. Raises
    IndexRequestError for such a one and for one that is no URL.
    """
    try:
        found = redact(urljoin(redact(place), location))
    except ValueError as error:
        problem = "it redirects to an invalid URL"
        raise IndexRequestError(redact(place), status, problem) from error
    if place.startswith("https:") and not found.startswith("https:"):
        problem = f"it redirects from https to {found}"
        raise IndexRequestError(redact(place), status, problem)
    return found
