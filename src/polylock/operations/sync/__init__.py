"""Syncing: an environment made exactly what was locked."""

from __future__ import annotations
