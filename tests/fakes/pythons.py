"""The Pythons of the machine that runs the tests."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from polylock.environment.discovery import find_python
from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from polylock.environment.interpreter import Interpreter

__all__ = ["fake_python", "real_python"]


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
        found = find_python(version, search_path=os.environ["PATH"])
    except EnvironmentBroken as error:
        pytest.skip(str(error))
    return Path(found.executable)
