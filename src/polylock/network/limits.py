"""Limits on servers: size and speed of a response, redirects."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

from polylock.errors import AnswerTooLong, IndexRequestError
from polylock.model.visible_text import visible
from polylock.network.auth import redact, without_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from polylock.network.answers import Streaming

__all__ = ["LARGEST", "Deadline", "in_time", "redirected", "whole_body"]

LARGEST = 1 << 28
"""Most bytes of a response; the largest pages of indexes have 2 ** 25."""

_SHOWN = 200
"""Most characters of the target of a refused redirect in a message."""

_SLOWEST = 100
"""The lowest accepted rate, in bytes per second: less than the slowest modem's."""


def whole_body(answer: Streaming, *, largest: int = LARGEST) -> bytes:
    """Return the body of a response; raises AnswerTooLong.

    The decompressed bytes count, as a few bytes can decompress to very many.
    """
    found: list[bytes] = []
    size = 0
    for chunk in answer.chunks:
        size += len(chunk)
        if size > largest:
            problem = f"the response has more than {largest} bytes"
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
    """Yield chunks; raises IndexRequestError if they arrive too slowly.

    The rate is measured over ``seconds``: a server that sends a byte now and then never
    reaches the timeout for silence.
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
    """Calls ``give_up`` in another thread if a block takes too many seconds.

    ``passed`` is true once it was called.
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
    """Return the URL of a redirect, without credentials.

    Raises IndexRequestError for an invalid URL, for one that is not of http, and for a
    redirect from https to http, which anyone on the network could intercept.
    """
    shown = visible(redact(location))[:_SHOWN]
    try:
        found = without_user(urljoin(without_user(place), location))
        scheme = urlsplit(found).scheme
        if any(char.isascii() and not char.isprintable() for char in location):
            raise ValueError("a control character")  # noqa: TRY301 - as urlsplit does
    except ValueError as error:
        problem = f"it redirects to an invalid URL: {shown}"
        raise IndexRequestError(redact(place), status, problem) from error
    refusal: str | None = None
    if place.startswith("https:") and scheme != "https":
        refusal = f"it redirects from https to {shown}"
    elif scheme not in {"http", "https"}:
        refusal = f"it redirects to {shown}, which is not an http or https URL"
    if refusal is not None:
        raise IndexRequestError(redact(place), status, refusal)
    return found
