"""Say what is installed: ``python -m vision``."""

from __future__ import annotations

from importlib.metadata import distributions

for found in sorted(distributions(), key=lambda each: each.name):
    print(found.name, found.version)  # noqa: T201 - its output
