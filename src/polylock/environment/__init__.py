"""Python installations, virtual environments and their distributions."""

from __future__ import annotations
