"""Wheels into an environment."""

from __future__ import annotations
