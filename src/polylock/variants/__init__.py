"""Wheel variants as values (PEP 825, PEP 850), independent of the rest of polylock."""

from __future__ import annotations
