"""Package indexes: PEP 503, 658 and 691, and variant metadata."""

from __future__ import annotations
