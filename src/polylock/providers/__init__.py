"""What a machine supports, described or detected (PEP 850)."""

from __future__ import annotations
