"""pylock.toml: PEP 751 with the variant tables of PEP 825."""

from __future__ import annotations
