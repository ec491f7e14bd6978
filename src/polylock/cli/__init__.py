"""The command line: options in, words and colour out."""

from __future__ import annotations
