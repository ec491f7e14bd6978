"""Wheels rewritten with another label, version or metadata."""

from __future__ import annotations
