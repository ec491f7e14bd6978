"""A machine by name: a raw target table, and where its facts come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Preset"]


class Preset(Value, frozen=True):
    """A target table as ``[tool.polylock.targets.NAME]`` would hold it.

    ``source`` says where the facts come from: a document, by its publisher and title.
    ``unconfirmed`` names what no such document was found for, None where nothing.
    """

    table: Mapping[str, Any]
    source: str
    unconfirmed: str | None = None
