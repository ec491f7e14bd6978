"""Shared values: names, files, requirements, markers, targets, pins."""

from __future__ import annotations
