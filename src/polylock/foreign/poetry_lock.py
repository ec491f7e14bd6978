"""``poetry.lock``, lock versions 1 and 2.

From lock version 2.1 on each entry has ``markers``, one marker or one per group; before
that only ``python-versions`` distinguishes several versions of a project. Up to 1.1 the
hashes are in ``[metadata.files]``.
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
    from polylock.model.markers import MarkerExpression
    from polylock.toml_tables import Table

__all__ = ["read_poetry_lock"]

_VERSIONS = ("1", "2")
_INDEXES = (None, "legacy", "pypi")
"""Types of source that are an index; the default one has no table."""


def read_poetry_lock(top: Table) -> ForeignLock:
    """Read the document; raises LockFileInvalid."""
    metadata = top.table("metadata")
    version = metadata.text("lock-version")
    if version.partition(".")[0] not in _VERSIONS:
        known = " and ".join(_VERSIONS)
        raise metadata.error(
            f"is {version}, and only {known} can be read", "lock-version"
        )
    all_files = metadata.table("files")
    pins: list[ForeignPin] = []
    skipped: list[Skipped] = []
    for package in top.tables("package"):
        kind = package.table("source").string("type")
        if kind in _INDEXES:
            pins.append(_pin(package, all_files))
        else:
            name = project_name(package)
            skipped.append(Skipped(name=name, reason=f"it comes from a {kind} source"))
    return ForeignLock(
        path=top.path, tool="Poetry", pins=tuple(pins), skipped=tuple(skipped)
    )


def _pin(package: Table, all_files: Table) -> ForeignPin:
    name = project_name(package)
    files = package.tables("files")
    if "files" not in package:
        files = all_files.tables(package.text("name"))
    return ForeignPin(
        name=name,
        version=version_text(package, package.text("version")),
        markers=_markers(package),
        requires_python=(package.string("python-versions") or "*").strip("*"),
        files=file_hashes(files),
    )


def _markers(package: Table) -> tuple[MarkerExpression, ...]:
    """Return the markers, empty if some group has the project without a marker."""
    if not isinstance(package.values.get("markers"), dict):
        text = package.string("markers")
        return () if not text else (parsed_marker(package, text, "markers"),)
    by_group = package.table("markers")
    if any(group not in by_group for group in package.strings("groups")):
        return ()
    return tuple(
        parsed_marker(by_group, by_group.text(group), group)
        for group in by_group.values
    )
