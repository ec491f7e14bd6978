"""Reads direct references and direct entries of ``sources`` from a project file.

Paths are made relative to the project file, so that the lock file is the same on every
machine.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urlsplit

from polylock.model.direct import (
    DIRECT_KEYS,
    DirectSource,
    InvalidDirectSource,
    parse_direct_url,
    relative_url,
    source_of_table,
)
from polylock.values import replace

if TYPE_CHECKING:
    from polylock.model.requirements import Requirement
    from polylock.toml_tables import Table

__all__ = ["read_source", "relative_path", "with_relative_url"]

_URL_ADVICE = (
    "for example: demo @ https://example.com/demo-1.0-py3-none-any.whl, or "
    "demo @ git+https://example.com/demo.git@v1.0"
)
_SOURCE_ADVICE = (
    'for example: { path = "../demo", editable = true }, '
    '{ git = "https://example.com/demo.git", tag = "v1.0" } or { index = "internal" }'
)
_DRIVE = re.compile(r"/[A-Za-z]:(/|$)")


def with_relative_url(
    requirement: Requirement, table: Table, *inside: str | int
) -> Requirement:
    """Return a direct reference with its ``file:`` URL relative to the project file.

    Raises ProjectError if the URL cannot be locked.
    """
    assert requirement.url is not None
    url = _relative(requirement.url, table, *inside)
    try:
        parse_direct_url(url)
    except InvalidDirectSource as error:
        problem = f"{requirement.name} is a direct reference, and {error}"
        raise table.error(problem, *inside, advice=_URL_ADVICE) from error
    return replace(requirement, url=url)


def read_source(entry: Table) -> DirectSource:
    """Return an entry of ``sources`` that names no index; raises ProjectError."""
    values: dict[str, str | bool] = {}
    for key in DIRECT_KEYS:
        if key in entry:
            found = entry.boolean(key) if key == "editable" else entry.string(key)
            assert found is not None
            values[key] = found
    if isinstance(path := values.get("path"), str) and path:
        values["path"] = _relative_path(Path(path), entry, "path")
    git = values.get("git")
    if isinstance(git, str) and git:
        if git.startswith("file:"):
            values["git"] = _relative_path(_path_of_url(git), entry, "git")
        elif "://" not in git and "@" not in git:
            values["git"] = _relative_path(Path(git), entry, "git")
    try:
        return source_of_table(values)
    except InvalidDirectSource as error:
        raise entry.error(str(error), advice=_SOURCE_ADVICE) from error


def _relative(url: str, table: Table, *inside: str | int) -> str:
    plain, fragment = urldefrag(url)
    prefix = "git+" if plain.startswith("git+") else ""
    if not plain.startswith(f"{prefix}file:"):
        return url
    place = plain.removeprefix(prefix)
    revision = ""
    if prefix:
        head, at, after = place.rpartition("@")
        if at:
            place, revision = head, f"@{after}"
    path = _relative_path(_path_of_url(place), table, *inside)
    ending = f"#{fragment}" if fragment else ""
    return f"{prefix}{relative_url(path)}{revision}{ending}"


def _path_of_url(url: str) -> Path:
    """Return the path of a ``file:`` URL (RFC 8089)."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in {"", "localhost"}:
        return Path(f"//{parts.netloc}{path}")
    return Path(path[1:] if os.name == "nt" and _DRIVE.match(path) else path)


def _relative_path(path: Path, table: Table, *inside: str | int) -> str:
    """Return a path relative to the project file, with forward slashes."""
    directory = Path(table.path).absolute().parent
    try:
        return relative_path(directory / path, directory)
    except ValueError as error:
        raise table.error(
            f"{path} lies on another drive than the project, "
            "and a lock file holds no absolute path",
            *inside,
            advice="move it to the same drive, or name a URL",
        ) from error


def relative_path(path: Path, directory: Path) -> str:
    """Return a path relative to a directory, with forward slashes.

    Both are absolute; symbolic links are not resolved. Raises ValueError if they are on
    different drives.
    """
    # pathlib can walk up only since Python 3.12.
    return Path(os.path.relpath(path, directory)).as_posix()  # noqa: TID251 - as above
