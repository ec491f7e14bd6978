"""Inspecting: what a lock file says, and whether it still holds."""

from __future__ import annotations
