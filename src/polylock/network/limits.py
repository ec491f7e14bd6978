"""How much a server may send, how slowly, and where it may lead us."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from polylock.errors import AnswerTooLong, IndexRequestError
from polylock.network.auth import redact, without_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from polylock.network.answers import Streaming

__all__ = ["LARGEST", "Deadline", "in_time", "redirected", "whole_body"]

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
            raise AnswerTooLong(redact(answer.url), answer.status, problem)
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
                raise IndexRequestError(redact(url), None, problem)
            began, size = clock(), 0
        yield chunk


class Deadline:
    """Calls ``give_up`` in another thread where a block takes too many seconds.

    ``passed`` tells whether it was called.
    """

    def __init__(self, seconds: float, give_up: Callable[[], object]) -> None:
        self.passed = False
        self._give_up = give_up
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.passed = True
        self._give_up()


def redirected(place: str, location: str, status: int) -> str:
    """Return the URL that a redirect leads to, without credentials.

    None leads from https to http: there anybody could answer. Raises
    IndexRequestError for such a one and for one that is no URL.
    """
    try:
        found = without_user(urljoin(without_user(place), location))
    except ValueError as error:
        problem = "it redirects to an invalid URL"
        raise IndexRequestError(redact(place), status, problem) from error
    if place.startswith("https:") and not found.startswith("https:"):
        problem = f"it redirects from https to {redact(found)}"
        raise IndexRequestError(redact(place), status, problem)
    return found
