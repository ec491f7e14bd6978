"""The words everyone uses: names, files, requirements, markers, targets, pins."""

from __future__ import annotations
