"""Commands run in a small project, locked against the fixture index."""

from __future__ import annotations

from fakes.locked_project import demo, locked, polylock

__all__ = ["demo", "locked", "polylock"]
