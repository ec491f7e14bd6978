"""Locking: a project solved for its targets, written to its lock file."""

from __future__ import annotations
