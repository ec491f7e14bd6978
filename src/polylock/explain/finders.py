"""The finders of all notes except those on older versions and accelerators.

The kinds are in ``polylock.explain.findings``. A finder reads only what the solve has
read from the package source.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.errors import PolylockError
from polylock.explain.findings import (
    EntryUnmatched,
    ExtraMissing,
    LabelPinUnused,
    NamespaceUnknown,
    Note,
    PatchNeeded,
    PatternUnmatched,
    RequiredUnused,
    RequiresProject,
    UploadTimesMissing,
    VariantMarkerUnmet,
    VariantsLost,
    YankedPin,
    shared,
)
from polylock.explain.screening import missing_extras, needs_patch
from polylock.model.distributions import Unusable, labelled_wheels
from polylock.model.target_properties import namespaces_without_provider
from polylock.model.variant_preferences import preferences_of
from polylock.resolution.candidate_pool import labels_of
from polylock.resolution.versions import satisfies
from polylock.values import replace
from polylock.variants.ordering import VariantPreferences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from polylock.explain.findings import Finding, VariantSetting
    from polylock.explain.screening import Solved
    from polylock.model.distributions import Release
    from polylock.model.pins import Pin
    from polylock.model.target import PythonRelease, Target
    from polylock.variants.ordering import VariantPattern
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["other_notes"]


def other_notes(solved: Solved) -> Iterator[Note]:
    """Yield the notes, kind by kind, each once."""
    for find in _FINDERS:
        yield from find(solved)


def _missing_upload_times(solved: Solved) -> Iterator[Note]:
    """Yield the projects whose index gives no upload times at all."""
    seen = set()
    for resolution in solved.resolutions:
        for name in sorted(resolution.pins):
            releases = solved.releases(name, resolution.target)
            if releases is None or releases.has_upload_times:
                continue
            if solved.inputs.cutoff_of(name) is None:
                continue
            if (name, releases.index) in seen:
                continue
            if resolution.pins[name].direct is not None:
                continue  # a direct source
            seen.add((name, releases.index))
            yield Note(project=name, finding=UploadTimesMissing(releases.index))


def _invalid_variant_metadata(solved: Solved) -> Iterator[Note]:
    """Yield each locked release whose variant metadata is invalid."""

    def find(target: Target, pin: Pin) -> Iterator[tuple[str, str, Finding]]:
        metadata = _variants(pin.release, target, solved)
        if isinstance(metadata, Unusable):
            yield pin.name, pin.version, VariantsLost(metadata.reason)

    yield from _by_target(solved, find)


def _unknown_namespace(solved: Solved) -> Iterator[Note]:
    """Yield each namespace that labels need and of which a target states nothing."""

    def find(target: Target, pin: Pin) -> Iterator[tuple[str, str, Finding]]:
        for namespace in _unknown_namespaces(pin.release, target, solved):
            yield pin.name, pin.version, NamespaceUnknown(namespace)

    seen: set[str] = set()
    for note in _by_target(solved, find):
        assert isinstance(note.finding, NamespaceUnknown)
        namespace = note.finding.namespace
        if namespace not in seen:  # one setting serves all projects
            seen.add(namespace)
            yield note


def _by_target(
    solved: Solved,
    find: Callable[[Target, Pin], Iterable[tuple[str, str, Finding]]],
) -> Iterator[Note]:
    """Yield a note for each finding on a pin, by project, with all its targets.

    ``find`` yields the name, the version and the finding.
    """
    notes = (
        Note(
            project=name,
            versions=(version,),
            finding=finding,
            targets=(resolution.target.name,),
            key=_key(finding, resolution.target.name),
        )
        for resolution in solved.resolutions
        for _, pin in sorted(resolution.pins.items())
        for name, version, finding in find(resolution.target, pin)
    )
    yield from _by_project(notes)


def _by_project(notes: Iterable[Note]) -> list[Note]:
    """Return the notes on all targets together, sorted by project and version."""
    return sorted(shared(notes), key=lambda note: (note.project, note.versions))


def _key(finding: Finding, target: str) -> str:
    if isinstance(finding, NamespaceUnknown):
        return f"tool.polylock.targets.{target}.properties.{finding.namespace}"
    return ""


def _unmatched_variant_settings(solved: Solved) -> Iterator[Note]:
    """Yield the variant settings of the project and targets that match nothing."""
    inputs = solved.inputs
    wide = VariantPreferences.parse(
        inputs.exclude_variants, inputs.prefer_variants, inputs.require_variants
    )
    yield from _unmatched_in_table(solved, wide, "tool.polylock", "")
    for resolution in solved.resolutions:
        description = resolution.target.description
        only = replace(solved, resolutions=(resolution,))
        place = f"tool.polylock.targets.{description.name}"
        own = VariantPreferences.parse(
            description.exclude_variants or (),
            description.prefer_variants or (),
            description.require_variants,
        )
        yield from _unmatched_in_table(only, own, place, description.name)
        for name in description.variants:
            if name not in resolution.pins:
                yield Note(
                    project=name,
                    finding=LabelPinUnused(),
                    targets=(description.name,),
                    key=f"{place}.variants.{name}",
                )


def _unmatched_in_table(
    solved: Solved, preferences: VariantPreferences, place: str, target: str
) -> Iterator[Note]:
    """Yield the settings of one table that match nothing; ``target`` may be empty."""
    targets = (target,) if target else ()
    lists: tuple[tuple[VariantSetting, tuple[VariantPattern, ...]], ...] = (
        ("exclude-variants", preferences.exclude),
        ("prefer-variants", preferences.prefer),
    )
    for setting, patterns in lists:
        for pattern in patterns:
            look = _unmatched if pattern.project else _unmatched_property
            for found in look(solved, setting, pattern):
                yield replace(found, key=f"{place}.{setting}", targets=targets)
    for name in preferences.require:
        if all(name not in resolution.pins for resolution in solved.resolutions):
            yield Note(
                project=name,
                finding=RequiredUnused(),
                targets=targets,
                key=f"{place}.require-variants.{name}",
            )


def _unmatched(
    solved: Solved, setting: VariantSetting, pattern: VariantPattern
) -> Iterator[Note]:
    pins = [
        pin
        for resolution in solved.resolutions
        for name, pin in resolution.pins.items()
        if name == pattern.project
    ]
    there = {label for pin in pins for label in labels_of(pin.release)}
    if pattern.label not in there:
        yield Note(
            project=pattern.project,
            versions=tuple(sorted({pin.version for pin in pins})),
            finding=PatternUnmatched(
                setting, pattern.label, tuple(sorted(there)), is_installed=bool(pins)
            ),
        )


def _variant_metadata(solved: Solved) -> Iterator[VariantMetadata]:
    """Yield the variant metadata of all locked releases that have labels."""
    seen = set()
    for resolution in solved.resolutions:
        for pin in resolution.pins.values():
            if id(pin.release) not in seen and labels_of(pin.release):
                seen.add(id(pin.release))
                metadata = _variants(pin.release, resolution.target, solved)
                if metadata is not None and not isinstance(metadata, Unusable):
                    yield metadata


def _unmatched_property(
    solved: Solved, setting: VariantSetting, pattern: VariantPattern
) -> Iterator[Note]:
    """Yield a namespace, feature or property that no locked release has."""
    namespaces: set[str] = set()
    for metadata in _variant_metadata(solved):
        for label, properties in metadata.variants.items():
            namespaces.update(properties)
            if pattern.matches(label, properties):
                return
    finding = EntryUnmatched(setting, pattern.text, tuple(sorted(namespaces)))
    yield Note(project="", finding=finding)


def _unused_providers(solved: Solved) -> Iterator[Note]:
    """Yield the entries of ``enable-providers`` that no locked release uses."""
    if not solved.inputs.enable_providers:
        return
    there = {
        namespace
        for metadata in _variant_metadata(solved)
        for namespace in (*(metadata.providers or {}), *metadata.namespace_priorities)
    }
    for entry in solved.inputs.enable_providers:
        if entry not in there:
            yield Note(
                project="",
                finding=EntryUnmatched("enable-providers", entry, tuple(sorted(there))),
                key="tool.polylock.enable-providers",
            )


def _yanked(solved: Solved) -> Iterator[Note]:
    """Yield the pins whose file is yanked."""

    def find(target: Target, pin: Pin) -> Iterator[tuple[str, str, Finding]]:
        del target
        if pin.direct is None and pin.file.yanked is not None:
            yield pin.name, pin.version, YankedPin(pin.file.yanked)

    yield from _by_target(solved, find)


def _needs_patch(solved: Solved) -> Iterator[Note]:
    """Yield for each target without a patch release the pin that needs the newest."""
    notes: list[Note] = []
    for resolution in solved.resolutions:
        target = resolution.target
        python = target.description.python
        if _PYTHON in target.marker_environment:
            continue
        needs = [
            (-patch, pin.name, pin)
            for pin in resolution.pins.values()
            if needs_patch(pin, python)
            and (patch := _lowest_patch(pin.requires_python or "", python))
        ]
        if needs:
            negated, _, pin = min(needs, key=lambda need: need[:2])
            named = str(replace(python, patch=-negated))
            notes.append(
                Note(
                    project=pin.name,
                    versions=(pin.version,),
                    finding=PatchNeeded(named, pin.requires_python or ""),
                    targets=(target.name,),
                    key=f"tool.polylock.targets.{target.name}.python",
                )
            )
    yield from _by_project(notes)


_PYTHON = "python_full_version"


def _lowest_patch(requires_python: str, python: PythonRelease) -> int | None:
    """Return the lowest patch that a specifier admits, None for none."""
    minor = python.minor_version
    named = {
        int(patch)
        for patch in re.findall(
            rf"(?<![0-9.]){re.escape(minor)}\.([0-9]{{1,4}})", requires_python
        )
    }
    patches = {0, *named, *(patch + 1 for patch in named)}
    return next(
        (
            patch
            for patch in sorted(patches)
            if satisfies(requires_python, f"{minor}.{patch}")
        ),
        None,
    )


def _own_variant_markers(solved: Solved) -> Iterator[Note]:
    """Yield the project's own requirements that have a variant marker."""
    seen = set()
    for root in solved.inputs.requirements:
        requirement = root.requirement
        if "variant_" in requirement.marker and requirement not in seen:
            seen.add(requirement)
            finding = VariantMarkerUnmet(str(requirement), root.origin)
            yield Note(project=requirement.normalized_name, finding=finding)


def _requires_itself(solved: Solved) -> Iterator[Note]:
    """Yield the requirements of the project on itself without an extra."""
    for project, origin in solved.inputs.requires_itself:
        yield Note(project=project, finding=RequiresProject(origin))


def _missing_extras(solved: Solved) -> Iterator[Note]:
    """Yield the required extras that the release does not have."""
    for (name, version, extra, by), targets in missing_extras(solved).items():
        yield Note(
            project=name,
            versions=(version,),
            finding=ExtraMissing(extra, by),
            targets=tuple(targets),
        )


def _unknown_namespaces(release: Release, target: Target, solved: Solved) -> list[str]:
    """Return the namespaces without known properties, of labels whose tags fit."""
    metadata = _variants(release, target, solved)
    if metadata is None or isinstance(metadata, Unusable):
        return []
    used = {
        namespace
        for label in _labels(release, target)
        for namespace in metadata.variants.get(label, ())
    }
    inputs = solved.inputs
    excluded = preferences_of(inputs, target.description).exclude
    return [
        namespace
        for namespace in namespaces_without_provider(
            metadata, target, inputs.enable_providers
        )
        if namespace in used and all(pattern.text != namespace for pattern in excluded)
    ]


def _variants(
    release: Release, target: Target, solved: Solved
) -> VariantMetadata | Unusable | None:
    """Return the variant metadata, None if no label has tags that fit."""
    if release.name in solved.inputs.no_binary_packages or not _labels(release, target):
        return None
    try:
        return solved.source.variant_metadata(release, target)
    except PolylockError:
        return None  # the solve did not read it


def _labels(release: Release, target: Target) -> set[str]:
    return {
        name.variant_label
        for name in labelled_wheels(release)
        if name.variant_label is not None and target.tag_rank(name) is not None
    }


_FINDERS: tuple[Callable[[Solved], Iterator[Note]], ...] = (
    _yanked,
    _needs_patch,
    _missing_upload_times,
    _invalid_variant_metadata,
    _unknown_namespace,
    _unmatched_variant_settings,
    _unused_providers,
    _own_variant_markers,
    _requires_itself,
    _missing_extras,
)
"""The finders, in the order in which their notes are shown."""
