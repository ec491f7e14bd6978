"""Commands run in a small project, locked against the fixture index."""

from __future__ import annotations

from fakes.locked_project import demo, locked, polylock, synced, synced_once

__all__ = ["demo", "locked", "polylock", "synced", "synced_once"]
