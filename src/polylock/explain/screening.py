"""Decide cheaply whether a solution needs notes, by names, masks and settings.

Most solutions have none, and importing the modules that write notes takes longer than
this check. They are imported only if there may be a note.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.errors import PolylockError
from polylock.model.distributions import Unusable
from polylock.model.folding import fold
from polylock.model.reasons import PythonUnmet, Unfit
from polylock.resolution.availability import Availability
from polylock.resolution.candidate_pool import CandidatePool, labels_of
from polylock.resolution.memory import Memory
from polylock.resolution.versions import VersionTable, public
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.distributions import Releases
    from polylock.model.inputs import Inputs, RootRequirement
    from polylock.model.pins import Pin, Resolution
    from polylock.model.target import PythonRelease, Target, TargetDescription
    from polylock.ports import PackageSource

    Older = list[tuple[NormalizedName, Releases]]

__all__ = [
    "Solved",
    "accelerators",
    "may_be_accelerated",
    "may_have_others",
    "missing_extras",
    "needs_patch",
    "older_pins",
    "roots_of",
]

_ACCELERATED = re.compile(r"nvidia|cuda|cupy|rocm|triton|-cu\d")
"""Matches the name of every project that is built for an accelerator platform."""


class Solved(Value, frozen=True):
    """A solution with its inputs, its source, and the caches of the solve."""

    resolutions: Sequence[Resolution]
    inputs: Inputs
    source: PackageSource
    memory: Memory = field(default_factory=Memory)
    tables: dict[int, VersionTable] = field(default_factory=dict)

    def releases(self, name: NormalizedName, target: Target) -> Releases | None:
        """Return the releases of a project, None if the solve did not read them.

        The targets that a lock keeps unchanged are not solved.
        """
        try:
            return self.source.releases(name, target)
        except PolylockError:
            return None


def accelerators(description: TargetDescription) -> tuple[str, ...]:
    """Return the namespaces of the accelerators that a target has."""
    there = {
        "nvidia": description.nvidia,
        "amd": description.amd,
        "intel": description.intel,
        "ascend": description.ascend,
        "tpu": description.tpu,
    }
    return tuple(name for name, value in there.items() if value)


def roots_of(target: Target, inputs: Inputs) -> Iterator[RootRequirement]:
    """Yield the project's own requirements that hold, or may hold, for a target."""
    for root in inputs.requirements:
        marker = root.requirement.marker_expression
        holds = marker is None or fold(marker, target) is not False
        if root.target in {None, target.name} and holds:
            yield root


def older_pins(solved: Solved) -> list[Older]:
    """Return the pins of each target that are older than the project itself admits.

    Pins whose newest version is excluded by another pin are left out, because the note
    is on that other pin. So are pins whose newest version is for other Pythons, because
    the user chose the Python.
    """
    if solved.inputs.resolution != "highest":
        return [[] for _ in solved.resolutions]
    return [list(_older(solved, resolution)) for resolution in solved.resolutions]


def _older(
    solved: Solved, resolution: Resolution
) -> Iterator[tuple[NormalizedName, Releases]]:
    found = list(_not_newest(solved, resolution))
    if not found:
        return
    target, inputs = resolution.target, solved.inputs
    own = [root.requirement for root in roots_of(target, inputs)]
    pool = CandidatePool(
        target=target, inputs=inputs, source=solved.source, memories=solved.memory
    )
    availability = Availability(pool, solved.tables, preferences={}, own=own)
    overridden: dict[str, list[str]] = {}
    for override in inputs.overrides:
        marker = override.marker_expression
        if marker is None or fold(marker, target) is not False:
            overridden.setdefault(override.name, []).append(override.specifier)
    by_name: dict[str, list[str]] = {}
    for requirement in own:
        by_name.setdefault(requirement.name, []).append(requirement.specifier)
    by_name |= overridden
    asked = _required_by_pins(resolution, {releases.name for releases in found})
    for releases in found:
        pin = resolution.pins[releases.name]
        specifiers = by_name.get(releases.name, ())
        newest = availability.allowed(releases, specifiers).bit_length() - 1
        table = availability.table(releases)
        taken = table.position(pin.version)
        if (
            taken is not None
            and newest > taken
            # Versions that differ in their local part are for one machine each.
            and public(releases.versions[newest]) != public(pin.version)
            and all(
                table.mask(specifier) >> newest & 1
                for specifier in asked.get(releases.name, ())
            )
            and not _is_for_other_pythons(pool, releases, newest)
        ):
            yield releases.name, releases


def _is_for_other_pythons(
    pool: CandidatePool, releases: Releases, position: int
) -> bool:
    """Return True if only ``requires-python`` excludes a version."""
    try:
        expansion = pool.expand(releases, position, yanked=False)
    except PolylockError:
        return False  # the solve did not read its files
    if expansion.candidates:
        return False
    reasons = {rejection.reason for rejection in expansion.rejections} - {Unfit()}
    return bool(reasons) and all(isinstance(one, PythonUnmet) for one in reasons)


def _not_newest(solved: Solved, resolution: Resolution) -> Iterator[Releases]:
    """Yield the projects of a target that have a later final version, by name."""
    for name, pin in sorted(resolution.pins.items()):
        if pin.direct is None:
            releases = solved.releases(name, resolution.target)
            if releases is None:
                continue
            newest = (releases.finals & ~releases.yanked).bit_length() - 1
            if newest >= 0 and releases.versions[newest] != pin.version:
                yield releases


def _required_by_pins(
    resolution: Resolution, names: set[str]
) -> Mapping[str, set[str]]:
    """Return the specifiers that pins require of the named projects."""
    found: dict[str, set[str]] = {}
    for name, pin in resolution.pins.items():
        for edge in pin.edges:
            if edge.name in names and edge.name != name:
                found.setdefault(edge.name, set()).add(edge.specifier)
    return found


def may_be_accelerated(solved: Solved) -> bool:
    """Return True if a project may be built for an accelerator."""
    return any(
        _ACCELERATED.search(name) or "+" in pin.version or labels_of(pin.release)
        for resolution in solved.resolutions
        for name, pin in resolution.pins.items()
    )


def may_have_others(solved: Solved) -> bool:
    """Return True if one of the other finders may find anything."""
    inputs = solved.inputs
    return bool(
        inputs.exclude_variants
        or inputs.prefer_variants
        or inputs.require_variants
        or inputs.enable_providers
        or inputs.requires_itself
        or any("variant_" in root.requirement.marker for root in inputs.requirements)
        or any(map(_has_variant_settings, solved.resolutions))
        or any(
            _is_unusual(pin)
            for resolution in solved.resolutions
            for pin in resolution.pins.values()
        )
        or any(
            needs_patch(pin, resolution.target.description.python)
            for resolution in solved.resolutions
            for pin in resolution.pins.values()
        )
        or _lacks_upload_times(solved)
        or missing_extras(solved)
    )


def needs_patch(pin: Pin, python: PythonRelease) -> bool:
    """Return True if a pin may need a patch release that the target does not name."""
    return python.patch is None and f"{python.minor_version}." in (
        pin.requires_python or ""
    )


def missing_extras(solved: Solved) -> dict[tuple[str, str, str, str], list[str]]:
    """Return the targets of each required extra that a release does not have.

    The keys are project, version, extra, and the project that requires it, empty for
    this one.
    """
    found: dict[tuple[str, str, str, str], list[str]] = {}
    known: dict[tuple[int, str], bool] = {}
    for resolution in solved.resolutions:
        for by, name, extra in _required_extras(solved.inputs, resolution):
            pin = resolution.pins.get(name)
            if pin is None or by == name:
                continue
            key = (id(pin.release), extra)
            if key not in known:
                known[key] = _has_extra(pin, extra, solved.source)
            if not known[key]:
                targets = found.setdefault((name, pin.version, extra, by), [])
                if resolution.target.name not in targets:
                    targets.append(resolution.target.name)
    return dict(sorted(found.items()))


def _required_extras(
    inputs: Inputs, resolution: Resolution
) -> Iterator[tuple[str, NormalizedName, str]]:
    for root in inputs.requirements:
        asked = root.requirement
        for extra in asked.extras:
            yield "", asked.normalized_name, extra
    for name, pin in resolution.pins.items():
        for edge in pin.edges:
            for extra in edge.extras:
                yield name, edge.name, extra


def _has_extra(pin: Pin, extra: str, source: PackageSource) -> bool:
    """Return True if metadata provides an extra, or has a marker that names it."""
    try:
        metadata = source.core_metadata(pin.release, pin.file)
    except PolylockError:
        return True  # the solve did not read it
    if isinstance(metadata, Unusable) or extra in metadata.provides_extra:
        return True
    markers = (requirement.marker for requirement in metadata.requires_dist)
    return any(extra in canonicalize_name(marker) for marker in markers)


def _has_variant_settings(resolution: Resolution) -> bool:
    description = resolution.target.description
    return bool(
        description.variants
        or description.exclude_variants
        or description.prefer_variants
        or description.require_variants
    )


def _is_unusual(pin: Pin) -> bool:
    return bool(pin.file.yanked is not None or labels_of(pin.release))


def _lacks_upload_times(solved: Solved) -> bool:
    return any(
        releases is not None and not releases.has_upload_times
        for resolution in solved.resolutions
        for name in resolution.pins
        if solved.inputs.cutoff_of(name) is not None
        for releases in (solved.releases(name, resolution.target),)
    )
