"""Source distributions: unpacked safely, built by their backend in isolation."""

from __future__ import annotations
