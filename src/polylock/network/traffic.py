"""What was asked of the network, and what needed not be asked."""

from __future__ import annotations

import threading

__all__ = ["Traffic"]


class Traffic:
    """What was asked of the network, for tests and benchmarks.

    ``received`` is in bytes as they came over the wire. ``from_cache`` counts
    answers that needed no request, ``revalidated`` those where the index said that
    nothing had changed.
    """

    __slots__ = ("_lock", "from_cache", "received", "requests", "revalidated")

    def __init__(self) -> None:
        self.requests = 0
        self.received = 0
        self.from_cache = 0
        self.revalidated = 0
        self._lock = threading.Lock()

    def count(
        self,
        *,
        requests: int = 0,
        received: int = 0,
        from_cache: int = 0,
        revalidated: int = 0,
    ) -> None:
        """Add to the counts; may be called from any thread."""
        with self._lock:
            self.requests += requests
            self.received += received
            self.from_cache += from_cache
            self.revalidated += revalidated
