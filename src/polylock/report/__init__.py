"""The report of a lock file: its table and its page."""

from __future__ import annotations
