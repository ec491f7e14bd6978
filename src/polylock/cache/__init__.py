"""What is kept on disk between runs."""

from __future__ import annotations
