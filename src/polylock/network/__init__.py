"""Bytes from elsewhere: requests, retries, downloads."""

from __future__ import annotations
