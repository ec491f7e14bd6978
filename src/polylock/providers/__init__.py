"""Variant providers: what described and detected machines support (PEP 850)."""

from __future__ import annotations
