"""``uv.lock``, version 1 with all its revisions.

uv solves once for all environments; if it needs several versions of a project, each
entry has ``resolution-markers``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.foreign.pins import (
    ForeignLock,
    ForeignPin,
    Skipped,
    file_hashes,
    parsed_marker,
    project_name,
    version_text,
)

if TYPE_CHECKING:
    from polylock.toml_tables import Table

__all__ = ["read_uv_lock"]

_VERSION = 1

_DIRECT = {
    "git": "git",
    "url": "a URL",
    "path": "a file on disk",
    "directory": "a directory",
    "editable": "a directory",
    "virtual": "a directory",
}


def read_uv_lock(top: Table) -> ForeignLock:
    """Read the document; raises LockFileInvalid."""
    version = top.count("version")
    if version is None:
        raise top.error("is missing", "version")
    if version != _VERSION:
        raise top.error(f"is {version}, and only {_VERSION} can be read", "version")
    members = set(top.table("manifest").strings("members"))
    pins: list[ForeignPin] = []
    skipped: list[Skipped] = []
    for package in top.tables("package"):
        name = project_name(package)
        if "source" not in package:
            raise package.error("is missing", "source")
        source = package.table("source")
        kind = next((kind for kind in _DIRECT if kind in source), None)
        if kind is None:
            pins.append(_pin(package))
        elif name not in members and source.values[kind] != ".":
            skipped.append(Skipped(name=name, reason=f"it comes from {_DIRECT[kind]}"))
    return ForeignLock(
        path=top.path, tool="uv", pins=tuple(pins), skipped=tuple(skipped)
    )


def _pin(package: Table) -> ForeignPin:
    sdist = [package.table("sdist")] if "sdist" in package else []
    return ForeignPin(
        name=project_name(package),
        version=version_text(package, package.text("version")),
        markers=tuple(
            parsed_marker(package, text, "resolution-markers", position)
            for position, text in enumerate(package.strings("resolution-markers"))
        ),
        files=file_hashes([*sdist, *package.tables("wheels")]),
    )
