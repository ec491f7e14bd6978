"""``pdm.lock``, lock version 4."""

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

__all__ = ["read_pdm_lock"]

_VERSION = "4"
_DIRECT = ("git", "hg", "svn", "bzr", "url", "path")


def read_pdm_lock(top: Table) -> ForeignLock:
    """Read the document; raises LockFileInvalid.

    A project with a requested extra has a second entry, without files.
    """
    metadata = top.table("metadata")
    version = metadata.text("lock_version")
    if version.partition(".")[0] != _VERSION:
        raise metadata.error(
            f"is {version}, and only {_VERSION} can be read", "lock_version"
        )
    pins: list[ForeignPin] = []
    skipped: list[Skipped] = []
    for package in top.tables("package"):
        kind = next((kind for kind in _DIRECT if kind in package.values), None)
        if kind is None:
            pins.append(_pin(package))
        else:
            name = project_name(package)
            skipped.append(Skipped(name=name, reason=f"it comes from a {kind} source"))
    return ForeignLock(
        path=top.path, tool="PDM", pins=tuple(pins), skipped=tuple(skipped)
    )


def _pin(package: Table) -> ForeignPin:
    marker = package.string("marker")
    return ForeignPin(
        name=project_name(package),
        version=version_text(package, package.text("version")),
        markers=() if not marker else (parsed_marker(package, marker, "marker"),),
        requires_python=package.string("requires_python") or "",
        files=file_hashes(package.tables("files")),
    )
