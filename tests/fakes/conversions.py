"""Conversions of project files in memory."""

from __future__ import annotations

import fnmatch
import tomllib
from typing import TYPE_CHECKING, Any

from polylock.foreign.conversion import Conversion, ConversionDefaults
from polylock.foreign.pdm_project import convert_pdm
from polylock.foreign.poetry_project import convert_poetry
from polylock.foreign.requirements_project import convert_requirements
from polylock.foreign.uv_project import convert_uv

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DEFAULT_INDEX", "MemoryFiles", "converted", "listed"]

DEFAULT_INDEX = "https://index.example.com/simple"
_CONVERTERS = {
    "uv": convert_uv,
    "poetry": convert_poetry,
    "pdm": convert_pdm,
    "requirements": convert_requirements,
}


class MemoryFiles:
    """Files by path, as the files near a project file."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def read(self, path: str) -> str | None:
        """Return the text of a file, None if it does not exist."""
        return self._files.get(path)

    def matching(self, pattern: str) -> Sequence[str]:
        """Return the files that match a pattern of a path, sorted."""
        depth = pattern.count("/")
        return sorted(
            path
            for path in self._files
            if path.count("/") == depth and fnmatch.fnmatchcase(path, pattern)
        )


def converted(
    tool: str,
    text: str,
    files: Mapping[str, str] | None = None,
    *,
    targets: Mapping[str, Mapping[str, Any]] | None = None,
) -> Conversion:
    """Convert the text of a project file; the machine is ``linux-x86_64``."""
    conversion = Conversion(tomllib.loads(text), "pyproject.toml")
    defaults = ConversionDefaults(
        targets=targets or {},
        here=("here", {"preset": "linux-x86_64"}),
        python=lambda _: "3.12",
        index_url=DEFAULT_INDEX,
        directory_name="directory",
    )
    _CONVERTERS[tool](conversion, MemoryFiles(files or {}), defaults)
    return conversion


def listed(conversion: Conversion) -> set[str]:
    """Return the settings that were listed."""
    return {each.origin for each in conversion.listed}
