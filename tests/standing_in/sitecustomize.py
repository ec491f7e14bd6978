"""Make every process that a test starts use the machine of the tests.

Python imports a module of this name when it starts. This directory is first on
PYTHONPATH while tests run, so polylock and every program it starts import it; see
``fakes.this_machine``. It reads nothing until polylock asks, and imports nothing that
Python has not imported already.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from polylock.providers.machine import Machine

_MODULE = "polylock.providers.machine"
_TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def replay() -> Machine:
    """Return the machine of the tests."""
    before = sys.path[:]
    sys.path.append(_TESTS)
    try:
        from fakes.this_machine import machine_of_the_tests  # noqa: PLC0415
    finally:
        sys.path[:] = before
    return machine_of_the_tests()


class Finder:
    """Finds the module that detects machines, once, and replaces the machine in it."""

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> ModuleSpec | None:
        """Return the specification of that module, None for all others."""
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                _tell_when_executed(spec.loader)
                return spec
        return None


def _tell_when_executed(loader: Any) -> None:
    execute = loader.exec_module

    def execute_and_tell(module: ModuleType) -> None:
        execute(module)
        module.stand_in(replay)

    loader.exec_module = execute_and_tell


sys.meta_path.insert(0, Finder())
