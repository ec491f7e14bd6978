"""The generated pages, and the functions that make them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pages_from_source.commands import commands_page
from pages_from_source.exit_codes import exit_codes_page
from pages_from_source.json_output import json_output_page
from pages_from_source.lint_findings import lint_findings_page
from pages_from_source.lock_file import lock_file_page
from pages_from_source.presets import presets_page
from pages_from_source.project_file import project_file_page
from pages_from_source.repack_file import repack_file_page
from pages_from_source.settings import settings_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PAGES", "REFERENCE"]

REFERENCE = Path(__file__).parents[1] / "reference"
"""The folder of the pages."""

PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "exit-codes.md": exit_codes_page,
    "index-lint.md": lint_findings_page,
    "json-output.md": json_output_page,
    "lock-file.md": lock_file_page,
    "presets.md": presets_page,
    "project-file.md": project_file_page,
    "repack-file.md": repack_file_page,
    "settings.md": settings_page,
}
"""The function for each page, by its name in ``docs/reference``."""
