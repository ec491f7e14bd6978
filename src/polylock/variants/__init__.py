"""Wheel variants as values: PEP 825 and PEP 850. Knows nothing of polylock."""

from __future__ import annotations
