"""Choose versions and artifacts for a target; the only user of resolvelib."""

from __future__ import annotations
