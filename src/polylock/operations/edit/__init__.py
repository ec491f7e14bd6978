"""Editing: project files, their requirements and targets."""

from __future__ import annotations
