"""Fixtures for all tests: a clean environment, and servers on loopback."""

from __future__ import annotations

import gc
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.iri_syntax import load_late
from fakes.pythons import this_python
from fakes.server import Server
from fakes.this_machine import (
    HOST,
    NAMES,
    VARIABLE,
    machine_of_the_tests,
    python_path,
    usual_machine,
)
from polylock.cache.store import Store
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.network.client import Client, RetryPolicy
from polylock.providers.machine import stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent
FIXTURES = TESTS.parent / "fixtures"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the machine that the tests use."""
    names = ", ".join([*NAMES, HOST])
    parser.addoption(
        "--machine",
        default=os.environ.get(VARIABLE) or usual_machine(),
        help=f"take this machine for one's own: {names}, or a file of "
        "tests/data/machines (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Use a recorded machine, here and in every process that tests start."""
    # Next to all objects are those of the tests themselves: to look for garbage seldom
    # takes a tenth of the time, as in a program, where ``main`` does the same.
    gc.set_threshold(20_000, 50, 50)
    os.environ[VARIABLE] = config.getoption("--machine")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = python_path(*filter(None, [before]))
    machine_of_the_tests()  # an unknown name ends here
    stand_in(machine_of_the_tests)
    _offer_this_python()
    _trust_nobody()
    load_late()


def _offer_this_python() -> None:
    """Put the Python of the tests first on PATH, for the tests look for it there.

    Else the shim of a version manager may come first, a shell script that takes five
    times as long to start, and may lead to another Python.
    """
    here = Path(this_python().base_executable).parent
    os.environ["PATH"] = os.pathsep.join([str(here), os.environ.get("PATH", "")])


def _trust_nobody() -> None:
    """Name one certificate to trust, whose key nobody has.

    To read those of the system takes 40 ms for each client of each test and program,
    and they differ from machine to machine.
    """
    os.environ["SSL_CERT_FILE"] = str(TESTS / "data" / "tls" / "nobody.pem")
    os.environ.pop("SSL_CERT_DIR", None)


def pytest_collection_finish() -> None:
    """Leave the tests themselves out of each search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a new path for each test: few write there, so no directory is made."""
    root = tmp_path_factory.mktemp("users")
    return (root / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, users: Iterator[Path]) -> None:
    """Remove the user's settings: proxies, variables, caches."""
    user = next(users)
    for name in list(os.environ):
        if name.startswith("POLYLOCK_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(user / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(user / "cache"))


@pytest.fixture(scope="session")
def index_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the fixture index once and serve it; return its URL."""
    directory = tmp_path_factory.mktemp("index")
    build_index(FIXTURES / "wheels", directory)
    with IndexServer(directory) as server:
        yield server.url


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
    """Make a client that records its waits instead of sleeping."""
    with Client(retry=RetryPolicy(sleep=waits.append), timeout=5.0) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Make an empty cache."""
    return Store(tmp_path / "cache")
