"""``Pipfile.lock`` of pipenv, pipfile-spec 6, in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.foreign.pins import (
    ForeignLock,
    ForeignPin,
    Skipped,
    normalized_name,
    parsed_hash,
    parsed_marker,
    version_text,
)

if TYPE_CHECKING:
    from polylock.toml_tables import Table

__all__ = ["read_pipfile_lock"]

_META = "_meta"
_SPEC = 6


def read_pipfile_lock(top: Table) -> ForeignLock:
    """Read the document; raises LockFileInvalid.

    All categories of packages count, not only ``default`` and ``develop``.
    """
    meta = top.table(_META)
    spec = meta.count("pipfile-spec")
    if spec != _SPEC:
        raise meta.error(f"is {spec}, and only {_SPEC} can be read", "pipfile-spec")
    pins: list[ForeignPin] = []
    skipped: list[Skipped] = []
    for category in top.values:
        if category == _META:
            continue
        packages = top.table(category)
        for name in packages.values:
            package = packages.table(name)
            pin = _pin(package, name)
            if pin is None:
                reason = "it does not come from an index"
                skipped.append(Skipped(name=name, reason=reason))
            else:
                pins.append(pin)
    return ForeignLock(
        path=top.path, tool="pipenv", pins=tuple(pins), skipped=tuple(skipped)
    )


def _pin(package: Table, name: str) -> ForeignPin | None:
    """Return the pin of an entry, None if it has no version."""
    written = package.string("version")
    if written is None:
        return None
    version = written.removeprefix("==")
    if version == written:
        raise package.error(f"{written!r} is not ==VERSION", "version")
    marker = package.string("markers")
    return ForeignPin(
        name=normalized_name(package, name),
        version=version_text(package, version),
        markers=() if not marker else (parsed_marker(package, marker, "markers"),),
        hashes=frozenset(
            parsed_hash(package, text, "hashes", position)
            for position, text in enumerate(package.strings("hashes"))
        ),
    )
