"""The Pythons of the machine that runs the tests."""

from __future__ import annotations

import atexit
import functools
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
import pytest

from polylock.cache.store import Bucket, Store
from polylock.environment.discovery import environment_python, find_python
from polylock.environment.interpreter import probe
from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.environment.interpreter import Interpreter

__all__ = [
    "fake_python",
    "know_this_python",
    "real_interpreter",
    "real_python",
    "sites_of",
    "this_python",
]


def fake_python(path: Path, interpreter: Interpreter | None) -> Path:
    """Write a program that answers for an interpreter, or fails as a shim does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if interpreter is None:
        script = "echo 'command not found' >&2\nexit 127"
    else:
        script = f"echo 'polylock-probe:{msgspec.json.encode(interpreter).decode()}'"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@functools.cache
def real_python(version: str) -> Path:
    """Return a Python of a minor version, or skip the test if there is none.

    ``this`` is the Python that runs the tests.
    """
    if version == "this":
        return Path(sys.executable)
    try:
        found = find_python(version, search_path=os.environ["PATH"], store=_store())
    except EnvironmentBroken as error:
        pytest.skip(str(error))
    return Path(found.executable)


@functools.cache
def real_interpreter(version: str) -> Interpreter:
    """Return the facts about such a Python, probed once."""
    return probe(real_python(version))


def this_python() -> Interpreter:
    """Return the facts about the Python that runs the tests."""
    return real_interpreter("this")


def sites_of(environment: Path) -> tuple[Path, ...]:
    """Return where an environment has its distributions.

    The first is for those without compiled files. An environment is probed if it is of
    another Python than the tests.
    """
    scheme = this_python().venv_scheme
    if not (environment / scheme.purelib).is_dir():
        return probe(environment_python(environment)).site_directories
    directories = dict.fromkeys((scheme.purelib, scheme.platlib))
    return tuple(environment / each for each in directories)


def know_this_python(cache: Path) -> None:
    """Put the facts about the Python of the tests into a cache.

    They are there as after any command of the user that used the cache earlier. A probe
    takes 60 ms, and most tests have a cache of their own.
    """
    for name, content in _kept_facts().items():
        path = cache / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@functools.cache
def _kept_facts() -> Mapping[str, bytes]:
    """Return the entries, by path in the cache, for each path of that Python."""
    base = Path(this_python().base_executable)
    names = (f"python{sys.version_info.major}.{sys.version_info.minor}", base.name)
    paths = {Path(sys.executable), *(base.with_name(name) for name in names)}
    with TemporaryDirectory() as made:
        store = Store(Path(made))
        for path in paths:
            if path.exists():
                probe(path, store=store)
        return {
            entry.relative_to(made).as_posix(): entry.read_bytes()
            for entry in Path(made, Bucket.INTERPRETERS.directory).rglob("*")
            if entry.is_file()
        }


@functools.cache
def _store() -> Store:
    """Return a cache for this process: the same few Pythons are looked at again."""
    made = TemporaryDirectory()
    atexit.register(made.cleanup)
    return Store(Path(made.name))
