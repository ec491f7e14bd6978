"""Why something was or was not chosen: reasons found, and put in words."""

from __future__ import annotations
