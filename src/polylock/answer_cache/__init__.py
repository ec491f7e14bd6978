"""The answer cache: output of commands that had nothing to do."""

from __future__ import annotations
