"""The properties that a machine must support to install what was locked.

They are those of the locked labels, and those by which a source was chosen. Everything
is in the lock file, so no index is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import NormalizedName  # noqa: TC002 - a field of a value

from polylock.errors import NothingToInstall
from polylock.lockfile.file_choice import FileChooser
from polylock.lockfile.select import applicable, groups_of, required_by
from polylock.model.inputs import IndexSource
from polylock.model.source_choice import fits
from polylock.values import Value
from polylock.variants.properties import VariantProperty
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from polylock.lockfile.pylock import Package, Pylock
    from polylock.model.target import Target

__all__ = ["LockedLabel", "PropertySource", "locked_labels", "property_sources"]


class LockedLabel(Value, frozen=True, kw_only=True):
    """A label that a target installs, with the metadata that describes it."""

    name: NormalizedName
    version: str
    label: str
    metadata: VariantMetadata


class PropertySource(Value, frozen=True, kw_only=True):
    """A source of ``[tool.polylock.sources]`` that a target has by its properties."""

    name: NormalizedName
    source: str
    properties: tuple[VariantProperty, ...]


def locked_labels(
    pylock: Pylock,
    target: Target,
    *,
    groups: Collection[str],
    extras: Collection[str],
    alone: bool = False,
) -> Iterator[LockedLabel]:
    """Yield the labels that a target installs with these groups and extras.

    With ``alone`` those that the groups require. A package of which no file fits is
    left out: ``select`` reports it.
    """
    packages = _packages(pylock, target, groups, extras, alone=alone)
    chooser = FileChooser.of(pylock, target, packages)
    for package in packages:
        if package.variants_json is None:
            continue
        try:
            _, label = chooser.choose(package)
        except NothingToInstall:
            continue
        if label is not None:
            yield LockedLabel(
                name=package.name,
                version=package.version or "",
                label=label,
                metadata=VariantMetadata.from_document(package.variants_json),
            )


def property_sources(
    pylock: Pylock,
    target: Target,
    *,
    groups: Collection[str],
    extras: Collection[str],
    alone: bool = False,
) -> Iterator[PropertySource]:
    """Yield the sources with properties that a target's packages come from."""
    if pylock.polylock is None or not pylock.polylock.inputs.sources:
        return
    for package in _packages(pylock, target, groups, extras, alone=alone):
        for locked in pylock.polylock.inputs.sources.get(package.name, ()):
            entry = IndexSource(
                index=locked.index,
                direct=locked.direct,
                properties=locked.properties,
                targets=locked.targets,
            )
            if fits(entry, target):
                # A direct reference in a requirement comes before `sources`.
                if entry.properties and (entry.direct or package.index is not None):
                    yield PropertySource(
                        name=package.name,
                        source=entry.index or str(entry.direct),
                        properties=tuple(map(VariantProperty.parse, entry.properties)),
                    )
                break


def _packages(
    pylock: Pylock,
    target: Target,
    groups: Collection[str],
    extras: Collection[str],
    *,
    alone: bool,
) -> list[Package]:
    active = groups_of(pylock, target, groups)
    found = applicable(pylock, target, groups=active, extras=extras)
    return required_by(pylock, found, groups, path="pylock.toml") if alone else [*found]
