"""A Python installation and what is installed in it."""

from __future__ import annotations
