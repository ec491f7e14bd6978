"""The cache directory: files and results kept between runs."""

from __future__ import annotations
