"""Let every process that a test starts take the machine of the tests for its own.

Python imports a module of this name when it starts. This directory is first on
PYTHONPATH while tests run, so polylock as a program and what programs it starts come
by here; see ``fakes.this_machine``. Nothing is read before polylock asks.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

_MODULE = "polylock.providers.machine"
_TESTS = str(Path(__file__).resolve().parents[1])


def replay() -> Any:  # noqa: ANN401 - a Machine, whose module is not to be imported yet
    """Return the machine of the tests."""
    before = sys.path[:]
    sys.path.append(_TESTS)
    try:
        from fakes.this_machine import machine_of_the_tests  # noqa: PLC0415
    finally:
        sys.path[:] = before
    return machine_of_the_tests()


class Finder:
    """Finds the module that looks at machines, once, and tells it of another one."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:  # noqa: ANN401 - as importlib has it
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


def _tell_when_executed(loader: Any) -> None:  # noqa: ANN401 - of any kind
    execute = loader.exec_module

    def execute_and_tell(module: Any) -> None:  # noqa: ANN401 - a module
        execute(module)
        module.stand_in(replay)

    loader.exec_module = execute_and_tell


sys.meta_path.insert(0, Finder())
