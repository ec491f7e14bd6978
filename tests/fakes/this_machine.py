"""The machine that the tests use instead of the real one.

It is one of the recorded machines. Every test process uses it, and every process that
tests start, by ``tests/standing_in``. ``pytest --machine NAME`` selects another one,
and so does a test that sets the variable ``TESTS_MACHINE``.
"""

from __future__ import annotations

import functools
import os
import platform
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.captured_machines import DIRECTORY, CapturedMachine
from polylock.providers.machine import HostMachine

if TYPE_CHECKING:
    from polylock.providers.machine import Machine

__all__ = [
    "HOST",
    "NAMES",
    "STANDING_IN",
    "VARIABLE",
    "machine_of_the_tests",
    "python_path",
    "usual_machine",
]

NAMES = {
    "v1": "linux-scientific7-k10",
    "v2": "linux-rhel7-ivybridge",
    "v3": "linux-ubuntu20.04-zen3",
    "v4": "linux-rhel7-skylake_avx512",
    "aarch64": "linux-rhel8-neoverse_v1",
}
"""Short names of recorded machines, each without a GPU."""

HOST = "host"
"""The name of the machine that the tests do run on."""

VARIABLE = "TESTS_MACHINE"
"""The variable by which processes of the tests learn the name."""

STANDING_IN = Path(__file__).parents[1] / "standing_in"
"""What makes a Python take the machine for its own where it is on PYTHONPATH."""

_STARTED = Path(__file__).parents[1] / "data" / "started"
"""The root of a Linux that has no sign of a GPU."""


def usual_machine() -> str:
    """Return the name of the default machine.

    It has the system and architecture of the installed Pythons, because builds are for
    those. Builds are only tested on Linux.
    """
    if platform.system() != "Linux":
        return HOST
    return {"x86_64": "v3", "aarch64": "aarch64"}.get(platform.machine(), HOST)


def machine_of_the_tests() -> Machine:
    """Return the machine that this process uses."""
    name = os.environ.get(VARIABLE) or usual_machine()
    return HostMachine(os.environ) if name == HOST else _recorded(name)


def python_path(*more: Path | str) -> str:
    """Return a PYTHONPATH for a program, with that machine and these directories."""
    return os.pathsep.join(map(str, (STANDING_IN, *more)))


@functools.cache
def _recorded(name: str) -> Machine:
    path = DIRECTORY / f"{NAMES.get(name, name)}.toml"
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return replace(CapturedMachine(path.stem, data).machine(), root=_STARTED)
