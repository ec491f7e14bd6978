"""How often and how patiently a request is made again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RetryPolicy", "retry_after"]


class RetryPolicy(Value, frozen=True, kw_only=True):
    """How often and how patiently a request is made again.

    ``attempts`` counts the first one. The wait doubles from ``first_wait`` seconds;
    a Retry-After header is obeyed up to ``longest_wait``, and a longer one ends the
    attempts, for a person would rather be told.
    """

    attempts: int = 4
    first_wait: float = 0.25
    longest_wait: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def wait(self, attempt: int, retry_after: float | None) -> float | None:
        """Return the seconds to wait after an attempt, from 1; None to give up."""
        if attempt >= self.attempts:
            return None
        wait = self.first_wait * 2.0 ** (attempt - 1)
        if retry_after is not None:
            wait = max(wait, retry_after)
        return wait if wait <= self.longest_wait else None


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - rarely needed

    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None  # no date at all, or one of no calendar
