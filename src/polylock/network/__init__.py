"""HTTP: requests, credentials, retries, caching, downloads."""

from __future__ import annotations
