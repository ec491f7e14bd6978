"""A server for every test that talks HTTP, and clients that do not wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.server import Server
from polylock.cache.store import Store
from polylock.network.client import Client, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme.upper()}_PROXY", raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve on 127.0.0.1 while the test runs."""
    with Server() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """Hold the seconds that ``client`` would have slept between attempts."""
    return []


@pytest.fixture
def client(waits: list[float]) -> Iterator[Client]:
    """Make a client that notes its waits instead of sleeping."""
    with Client(retry=RetryPolicy(sleep=waits.append), timeout=5.0) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Make an empty cache."""
    return Store(tmp_path / "cache")
