"""Builds: what needs a solve and an install of its own."""

from __future__ import annotations
