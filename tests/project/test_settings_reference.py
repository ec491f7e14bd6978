"""The reference of the settings."""

from __future__ import annotations

from pathlib import Path

from polylock.project.settings import SETTINGS
from polylock.project.settings_reference import settings_reference

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_the_document_is_up_to_date() -> None:
    """``docs/reference/settings.md`` is what the table of settings gives."""
    assert DOCUMENT.read_text(encoding="utf-8") == settings_reference()


def test_every_spelling_is_there() -> None:
    """Every flag, variable and key of a setting stands in the reference."""
    reference = settings_reference()
    for definition in SETTINGS:
        flags = definition.flag.split(", ")
        for spelling in (*flags, definition.environment, definition.key):
            assert spelling is None or f"`{spelling}`" in reference
