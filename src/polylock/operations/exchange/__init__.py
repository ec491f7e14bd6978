"""Exchange: lock files to and from other forms and branches."""

from __future__ import annotations
