"""A machine by name: a raw target table, and where its facts come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Preset"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A target table as ``[tool.polylock.targets.NAME]`` would hold it.

    ``source`` says where the facts come from: a document, by its publisher and title.
    ``unconfirmed`` names what no such document was found for, None where nothing.
    """

    table: Mapping[str, Any]
    source: str
    unconfirmed: str | None = None
