"""The machine that the tests say they run on, whatever they do run on.

It is one of the recorded ones, and every process of the tests takes it for its own:
this one, and those that it starts, by ``tests/standing_in``. ``pytest --machine NAME``
names another one, as does a test that sets the variable ``TESTS_MACHINE``.
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
    """Return the name of the machine where none is named.

    It has the system and the architecture of the Pythons that are here, for what is
    built by them is for those. There are none to build for but on Linux.
    """
    if platform.system() != "Linux":
        return HOST
    return {"x86_64": "v3", "aarch64": "aarch64"}.get(platform.machine(), HOST)


def machine_of_the_tests() -> Machine:
    """Return the machine that this process is to take for its own."""
    name = os.environ.get(VARIABLE) or usual_machine()
    return HostMachine(os.environ) if name == HOST else _recorded(name)


def python_path(*more: Path | str) -> str:
    """Return a PYTHONPATH for a program: that machine, and these directories."""
    return os.pathsep.join(map(str, (STANDING_IN, *more)))


@functools.cache
def _recorded(name: str) -> Machine:
    path = DIRECTORY / f"{NAMES.get(name, name)}.toml"
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return replace(CapturedMachine(path.stem, data).machine(), root=_STARTED)
