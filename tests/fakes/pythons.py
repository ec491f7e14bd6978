"""The Pythons of the machine that runs the tests."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

import pytest

from polylock.environment.discovery import find_python
from polylock.errors import EnvironmentBroken

__all__ = ["real_python"]


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
