"""The reasons for and against versions, files and labels, and their words."""

from __future__ import annotations
