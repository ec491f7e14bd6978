"""A static index: made, checked and served."""

from __future__ import annotations
