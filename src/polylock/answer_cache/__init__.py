"""Answers of commands that had nothing to do, and what they depend on."""

from __future__ import annotations
