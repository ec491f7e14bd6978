"""The properties that a machine must support to install what was locked.

They are those of the locked labels, and those by which a source was chosen; so are the
builds of torch. Everything is in the lock file, so no index is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import NormalizedName  # noqa: TC002 - a field of a value

from polylock.errors import NothingToInstall
from polylock.lockfile.file_choice import FileChooser
from polylock.lockfile.select import applicable, groups_of, required_by
from polylock.model.inputs import IndexSource
from polylock.model.source_choice import fits
from polylock.model.torch_backends import NO_BACKEND
from polylock.values import Value
from polylock.variants.properties import VariantProperty
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from polylock.lockfile.pylock import Package, Pylock
    from polylock.lockfile.record import LockedSource
    from polylock.model.target import Target

__all__ = [
    "LockedBackend",
    "LockedLabel",
    "PropertySource",
    "has_torch_backend",
    "locked_backends",
    "locked_labels",
    "property_sources",
]


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


class LockedBackend(Value, frozen=True, kw_only=True):
    """A build of torch that ``torch-backend`` chose for a target."""

    name: NormalizedName
    version: str
    backend: str


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
            entry = _entry(locked)
            if fits(entry, target):
                # A direct reference in a requirement comes before `sources`.
                if entry.properties and (entry.direct or package.index is not None):
                    yield PropertySource(
                        name=package.name,
                        source=entry.index or str(entry.direct),
                        properties=tuple(map(VariantProperty.parse, entry.properties)),
                    )
                break


def has_torch_backend(pylock: Pylock, target: Target) -> bool:
    """Return True if ``torch-backend`` chose the builds of torch for a target."""
    value = target.description.torch_backend
    if value is None and pylock.polylock is not None:
        value = pylock.polylock.inputs.settings.get("torch-backend")
    return value not in {None, NO_BACKEND}


def locked_backends(
    pylock: Pylock,
    target: Target,
    *,
    projects: Collection[str],
    groups: Collection[str],
    extras: Collection[str],
    alone: bool = False,
) -> Iterator[LockedBackend]:
    """Yield the builds of ``projects`` that a target has from a backend's index.

    The local version names the backend: ``2.9.1+cu130``. Nothing is yielded for a
    project that an entry of ``sources`` serves.
    """
    assert pylock.polylock is not None  # the target is recorded there
    inputs = pylock.polylock.inputs
    for package in _packages(pylock, target, groups, extras, alone=alone):
        _, _, backend = (package.version or "").partition("+")
        if package.name not in projects or not backend or package.index is None:
            continue
        entries = inputs.sources.get(package.name, ())
        if not any(fits(_entry(locked), target) for locked in entries):
            yield LockedBackend(
                name=package.name, version=package.version or "", backend=backend
            )


def _entry(locked: LockedSource) -> IndexSource:
    return IndexSource(
        index=locked.index,
        direct=locked.direct,
        properties=locked.properties,
        targets=locked.targets,
    )


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
