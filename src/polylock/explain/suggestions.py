"""Advice for a failed solve: changes of the project's settings, each tried first.

A few changes are solved for the target, within a few seconds. Only a change that leads
to a solution becomes advice.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from polylock.errors import PolylockError
from polylock.explain.near_miss import (
    newer_systems,
    newest_system,
    other_pythons,
    pythons_with_files,
    system_for,
)
from polylock.explain.reasons import (
    NeedsBuild,
    NoUploadTime,
    PreRelease,
    PythonUnmet,
    UploadedLater,
    Yanked,
)
from polylock.model.distributions import Unusable
from polylock.model.inputs import EVERY_PROJECT, RootRequirement
from polylock.model.requirements import Requirement
from polylock.model.target_properties import namespaces_without_provider
from polylock.model.variant_preferences import preferences_of
from polylock.resolution.candidate_pool import labels_of
from polylock.resolution.candidates import Candidate
from polylock.resolution.dependencies import SdistReads
from polylock.resolution.problem import Prior, Problem, Unsolvable, admitting
from polylock.resolution.solve import solve
from polylock.resolution.tries import Tries
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

    from packaging.utils import NormalizedName

    from polylock.explain.near_miss import TargetChange
    from polylock.explain.why_not import NoUsableVersion
    from polylock.model.distributions import Releases
    from polylock.model.inputs import Inputs
    from polylock.model.target import Target
    from polylock.ports import PackageSource
    from polylock.resolution.availability import Admission, Availability
    from polylock.resolution.candidate_pool import CandidatePool
    from polylock.resolution.candidates import AnyCandidate
    from polylock.resolution.problem import Failure

    Clock = Callable[[], float]
    Pins = Mapping[str, AnyCandidate]

__all__ = [
    "Conflict",
    "Trial",
    "build_hint",
    "marker_hint",
    "python_hint",
    "refused_python",
    "supply_hint",
    "tried_suggestion",
]

_CHANGES_AT_MOST = 8
_TRIES_AT_MOST = 2_000
_SECONDS_AT_MOST = 4.0
_PYTHON_SECONDS = 0.5
_TARGETS_AT_MOST = 3


class _Change(Value, frozen=True):
    """Changed inputs or a changed target, in ``words``; ``subject`` is the project."""

    inputs: Inputs
    words: str
    subject: str
    target: Target | None = None


class Conflict(Value, frozen=True, kw_only=True):
    """The requirements that conflict.

    ``names`` are the projects in conflict and ``parents`` those that require them.
    ``wanted`` are the conflicting specifiers, each with its project. ``pythons`` are
    values of ``requires-python`` with their projects, if they are the only cause.
    """

    names: Sequence[NormalizedName]
    parents: Sequence[NormalizedName]
    wanted: Sequence[tuple[str, str]]
    pythons: Sequence[tuple[str, str]]


def tried_suggestion(
    problem: Problem, conflict: Conflict, clock: Clock | None = None
) -> str | None:
    """Return the first change that leads to a solution, in words; None if none does.

    Solves at most eight times, each within a limit, by the ``clock`` for a few seconds
    in all, and opens no source distribution that was not opened.
    """
    began = clock() if clock is not None else 0.0

    def is_late() -> bool:
        return clock is not None and clock() > began + _SECONDS_AT_MOST

    opened = SdistReads(opened=set(problem.dependencies.reads.opened), left=0)
    trial = Trial(source=problem.source, reads=opened, is_late=is_late)
    changes = _changes(problem.availability, conflict, trial)
    for change in islice(changes, _CHANGES_AT_MOST):
        if is_late():
            break
        pins = trial.pins(change.inputs, change.target or problem.target)
        if pins is not None:
            pin = pins.get(change.subject)
            version = "then" if pin is None else f"with {pin}"
            return f"{change.words}; {version} there is a solution"
    return None


def refused_python(
    problem: Problem, conflict: Conflict, clock: Clock | None = None
) -> tuple[str, Failure] | None:
    """Return the first other Python that a project requires, and why it fails.

    None if no project requires another, or if it is not proven to fail. Solves once,
    within a limit.
    """
    began = clock() if clock is not None else 0.0
    trial = Trial(
        source=problem.source,
        reads=SdistReads(opened=set(problem.dependencies.reads.opened), left=0),
        is_late=lambda: clock is not None and clock() > began + _PYTHON_SECONDS,
    )
    for change in _with_other_python(problem.availability, conflict):
        target = change.target or problem.target
        failure = trial.failure(change.inputs, target)
        if failure is None:
            return None
        return str(target.description.python), failure
    return None


class Trial(Value, frozen=True, kw_only=True):
    """Solves with changed inputs, within limits for all solves together."""

    source: PackageSource
    reads: SdistReads
    is_late: Callable[[], bool]

    def pins(self, inputs: Inputs, target: Target) -> Pins | None:
        """Return the pins, None if there are none or a limit is reached."""
        try:
            return self._solve(inputs, target)
        except PolylockError:  # no solution, or an error of the index: no advice
            return None

    def failure(self, inputs: Inputs, target: Target) -> Failure | None:
        """Return the proof that there is no solution, None if it is not proven."""
        try:
            self._solve(inputs, target)
        except Unsolvable as error:
            found = error.failure
            return None if found is None or found.causes is None else found
        except PolylockError:
            pass
        return None

    def _solve(self, inputs: Inputs, target: Target) -> Pins:
        def attempt(admission: Admission) -> Pins:
            prior = Prior(admission=admission, reads=self.reads)
            problem = Problem.of(target, inputs, self.source, prior)
            tries = Tries(limit=_TRIES_AT_MOST, is_late=self.is_late)
            return solve(problem, tries)

        return admitting(attempt)


def _changes(
    availability: Availability, conflict: Conflict, trial: Trial
) -> Iterator[_Change]:
    """Yield changes, those that give up the least first."""
    inputs, target = availability.pool.inputs, availability.pool.target
    names = tuple(dict.fromkeys((*conflict.names, *conflict.parents)))
    yield from _first_of(_with_newer_system(availability, conflict, trial))
    yield from _without_upgrades(inputs, names)
    yield from _with_later_cutoffs(inputs, names)
    yield from _with_prereleases(availability, conflict)
    yield from _with_other_files(inputs, names)
    yield from _with_other_variants(inputs, target, names)
    yield from _first_of(_with_other_python(availability, conflict))
    yield from _without_constraints(inputs, names)
    yield from _relaxed(inputs, target, names)
    yield from _overridden(inputs, conflict.wanted)


def _with_other_variants(
    inputs: Inputs, target: Target, names: Sequence[str]
) -> Iterator[_Change]:
    """Yield the inputs without an excluded pattern, or without required variants."""
    first = next(iter(names), "")
    table = f"[tool.polylock.targets.{target.name}]"
    own = target.description.exclude_variants
    for pattern in inputs.exclude_variants if own is None else own:
        if own is None:
            rest = tuple(one for one in inputs.exclude_variants if one != pattern)
            changed, place = replace(inputs, exclude_variants=rest), "[tool.polylock]"
            yield _Change(
                changed, f"remove {pattern} from exclude-variants in {place}", first
            )
        else:
            rest = tuple(one for one in own if one != pattern)
            words = f"remove {pattern} from exclude-variants in {table}"
            other = _described(target, exclude_variants=rest)
            yield _Change(inputs, words, first, other)
    required = preferences_of(inputs, target.description).require
    for name in names:
        if name in required:
            lifted = {**target.description.require_variants, name: ()}
            words = (
                f"set require-variants = {{ {name} = [] }} in {table} to require no "
                "variant there"
            )
            other = _described(target, require_variants=lifted)
            yield _Change(inputs, words, name, other)


def _described(target: Target, **changes: object) -> Target:
    """Return a target with a changed description; its tags stay the same."""
    return replace(target, description=replace(target.description, **changes))


def _with_newer_system(
    availability: Availability, conflict: Conflict, trial: Trial
) -> Iterator[_Change]:
    """Yield targets with a newer libc or macOS, for which there are files.

    A system that is new enough for one project may be too old for others, so the last
    target is new enough for a whole solution.
    """
    pool = availability.pool
    subject = ""
    for name, releases, mask in _required_versions(availability, conflict):
        for change in newer_systems(pool, releases, mask):
            subject = name
            yield _of_target(pool.inputs, change, name)
    if subject:
        pins = trial.pins(pool.inputs, newest_system(pool.target)) or {}
        names = (
            pin.file.filename for pin in pins.values() if isinstance(pin, Candidate)
        )
        highest = system_for(pool.target, names)
        if highest is not None:
            yield _of_target(pool.inputs, highest, subject)


def _with_other_python(
    availability: Availability, conflict: Conflict
) -> Iterator[_Change]:
    """Yield targets with another Python, for which there are files."""
    inputs, target = availability.pool.inputs, availability.pool.target
    for name, requires_python in conflict.pythons:
        for change in islice(other_pythons(target, inputs, requires_python), 1):
            yield _of_target(inputs, change, name)
    for name, releases, mask in _required_versions(availability, conflict):
        for change in pythons_with_files(availability.pool, releases, mask):
            yield _of_target(inputs, change, name)


def _of_target(inputs: Inputs, change: TargetChange, name: str) -> _Change:
    return _Change(inputs, change.words, name, change.target)


def _first_of(changes: Iterable[_Change]) -> Iterator[_Change]:
    """Yield the first few distinct changes: versions often lead to the same ones."""
    seen: set[str] = set()
    for change in changes:
        if change.words in seen:
            continue
        if len(seen) == _TARGETS_AT_MOST:
            return
        seen.add(change.words)
        yield change


def _required_versions(
    availability: Availability, conflict: Conflict
) -> Iterator[tuple[str, Releases, int]]:
    """Yield the projects in conflict with the versions that are required."""
    for name in conflict.names:
        releases = availability.releases(name)
        if releases is not None:
            specifiers = [wanted for of, wanted in conflict.wanted if of == name]
            yield name, releases, availability.allowed(releases, specifiers)


def _with_prereleases(
    availability: Availability, conflict: Conflict
) -> Iterator[_Change]:
    """Yield the inputs with pre-releases, of one project if the settings allow that."""
    inputs = availability.pool.inputs
    if inputs.prerelease == "allow":
        return
    if inputs.prerelease.endswith("explicit") or inputs.prerelease == "disallow":
        explicit = inputs.prerelease
        place = ""
        if explicit == "disallow":
            explicit, place = "explicit", 'set prerelease = "explicit" and '
        for name in dict.fromkeys((*conflict.names, *conflict.parents)):
            releases = availability.releases(name)
            newer = releases and releases.finals ^ ((1 << len(releases.versions)) - 1)
            if releases is None or not newer:
                continue
            version = releases.versions[newer.bit_length() - 1]
            asked = Requirement(name=name, specifier=f">={version}")
            root = RootRequirement(requirement=asked)
            yield _Change(
                replace(
                    inputs,
                    prerelease=explicit,
                    requirements=(*inputs.requirements, root),
                ),
                f"{place}require {asked} as well, which admits pre-releases of {name}",
                name,
            )
        return
    yield _Change(
        replace(inputs, prerelease="allow"),
        'set prerelease = "allow" in [tool.polylock]',
        next(iter(conflict.names), ""),
    )


def _with_later_cutoffs(inputs: Inputs, names: Sequence[str]) -> Iterator[_Change]:
    """Yield the inputs without a cutoff: that of one project, then that of all."""
    for name in names:
        if inputs.cutoff_of(name) is not None and (
            inputs.exclude_newer_spans or name in inputs.exclude_newer_package
        ):
            kept = {**inputs.exclude_newer_package, name: None}
            yield _Change(
                replace(inputs, exclude_newer_package=kept),
                f"{_exempting(name)} in [tool.polylock]",
                name,
            )
    if inputs.exclude_newer is not None:
        words = _later_cutoff(replace(inputs, exclude_newer_package={}), "")
        yield _Change(replace(inputs, exclude_newer=None), words, next(iter(names), ""))


def _without_upgrades(inputs: Inputs, names: Collection[str]) -> Iterator[_Change]:
    """Yield the inputs without a version that the command line requires."""
    for upgrade in inputs.upgrades:
        if upgrade.name in names:
            rest = tuple(one for one in inputs.upgrades if one != upgrade)
            words = f"give --upgrade-package {upgrade.name} without that version"
            yield _Change(replace(inputs, upgrades=rest), words, upgrade.name)


def _with_other_files(inputs: Inputs, names: Collection[str]) -> Iterator[_Change]:
    """Yield the inputs with wheels or source distributions that they forbid."""
    for name in sorted(set(names).intersection(inputs.no_binary_packages)):
        rest = tuple(one for one in inputs.no_binary_packages if one != name)
        words = f"remove {name} from no-binary-package in [tool.polylock]"
        yield _Change(replace(inputs, no_binary_packages=rest), words, name)
    for name in sorted(set(names).intersection(inputs.no_build_packages)):
        rest = tuple(one for one in inputs.no_build_packages if one != name)
        words = f"remove {name} from no-build-package in [tool.polylock]"
        yield _Change(replace(inputs, no_build_packages=rest), words, name)
    for name in names if inputs.build == "none" else ():
        allowed = tuple(sorted({*inputs.build_packages, name}))
        if name not in inputs.no_build_packages:
            yield _Change(
                replace(inputs, build_packages=allowed), build_hint(inputs, name), name
            )


def _without_constraints(inputs: Inputs, names: Collection[str]) -> Iterator[_Change]:
    """Yield the inputs without a constraint or an override."""
    for constraint in inputs.constraints:
        if constraint.name in names:
            rest = tuple(one for one in inputs.constraints if one != constraint)
            words = f"remove {constraint} from constraint-dependencies"
            yield _Change(replace(inputs, constraints=rest), words, constraint.name)
    for override in inputs.overrides:
        if override.name in names:
            rest = tuple(one for one in inputs.overrides if one != override)
            words = f"remove {override} from override-dependencies"
            yield _Change(replace(inputs, overrides=rest), words, override.name)


def _relaxed(inputs: Inputs, target: Target, names: Sequence[str]) -> Iterator[_Change]:
    """Yield the inputs with one of the project's own requirements for any version.

    In the order of the names: projects in conflict come before their parents, because
    often all versions of a parent have the same requirement.
    """
    places = {name: place for place, name in enumerate(names)}
    asking = [
        root
        for root in inputs.requirements
        if root.requirement.name in places
        and root.requirement.specifier
        and root.target in {None, target.name}
    ]
    for root in sorted(asking, key=lambda root: places[root.requirement.name]):
        asked = root.requirement
        relaxed = replace(
            root,
            requirement=Requirement(
                name=asked.name, extras=asked.extras, marker=asked.marker
            ),
        )
        roots = tuple(relaxed if one is root else one for one in inputs.requirements)
        plain = Requirement(
            name=asked.name, specifier=asked.specifier, extras=asked.extras
        )
        yield _Change(
            replace(inputs, requirements=roots),
            f"require another version than {plain}",
            asked.name,
        )


def _overridden(inputs: Inputs, wanted: Sequence[tuple[str, str]]) -> Iterator[_Change]:
    """Yield the inputs with one side of a conflict, or any version, as an override."""
    sides = [*wanted, *dict.fromkeys((name, "") for name, _ in wanted)]
    for name, specifier in sides:
        override = Requirement(name=name, specifier=specifier)
        others = tuple(one for one in inputs.overrides if one.name != name)
        yield _Change(
            replace(inputs, overrides=(*others, override)),
            f'set override-dependencies = ["{override}"] in [tool.polylock], if the '
            "packages that require otherwise work with that",
            name,
        )


def _exempting(name: str) -> str:
    """Return the advice that lets a project have files of any time."""
    return f"set exclude-newer-package = {{ {name} = false }}"


def _later_cutoff(inputs: Inputs, name: str) -> str:
    """Return the advice that moves the cutoff of a project."""
    if name in inputs.exclude_newer_package:
        return f"{_exempting(name)} in [tool.polylock]"
    if EVERY_PROJECT in inputs.exclude_newer_spans:
        return (
            "`polylock lock --upgrade` counts exclude-newer from now; or set it in "
            "[tool.polylock] to a shorter time"
        )
    return "set exclude-newer in [tool.polylock] to a later time"


def supply_hint(pool: CandidatePool, found: NoUsableVersion) -> str | None:
    """Return untried advice for a project without a usable version."""
    if not found.out:
        return None
    versions, reasons = found.out[0]
    match reasons[0]:
        case Yanked():
            newest = found.releases.versions[versions[0]]
            return f"to use a yanked version, pin it: {found.releases.name}=={newest}"
        case PreRelease():
            return 'set prerelease = "allow" in [tool.polylock]'
        case NoUploadTime():
            return f"{_exempting(found.releases.name)} in [tool.polylock]"
        case UploadedLater():
            return _later_cutoff(pool.inputs, found.releases.name)
        case _:
            return _coverage_hint(pool, found.releases, versions[0])


def _coverage_hint(pool: CandidatePool, releases: Releases, position: int) -> str:
    """Return the change of the target or the settings that would admit a version."""
    target = pool.target
    hint = _variants_hint(pool, releases, position)
    if hint:
        return hint
    expansion = pool.expand(releases, position, yanked=False)
    if any(isinstance(r.reason, PythonUnmet) for r in expansion.rejections):
        return python_hint(target, releases.name)
    if any(isinstance(r.reason, NeedsBuild) for r in expansion.rejections):
        return build_hint(pool.inputs, releases.name)
    return (
        f"name an index that has wheels for {target.name} under "
        f"[tool.polylock.sources], or exclude {releases.name} there with a marker"
    )


def _variants_hint(pool: CandidatePool, releases: Releases, position: int) -> str:
    """Return a setting that would admit a label of a version; empty for none."""
    release = releases.release(position)
    target, inputs = pool.target, pool.inputs
    if releases.name in target.description.variants:
        return f"change tool.polylock.targets.{target.name}.variants.{releases.name}"
    metadata = (
        pool.source.variant_metadata(release, target) if labels_of(release) else None
    )
    if metadata is not None and not isinstance(metadata, Unusable):
        for namespace, provider in sorted((metadata.providers or {}).items()):
            if provider.optional and namespace not in inputs.enable_providers:
                return f'set enable-providers = ["{namespace}"] in [tool.polylock]'
        for namespace in namespaces_without_provider(
            metadata, target, inputs.enable_providers
        ):
            return (
                f"list under properties.{namespace} what target {target.name} supports"
            )
    return ""


def build_hint(inputs: Inputs, name: str) -> str:
    """Return the change that allows a build backend to run; it is not tried."""
    if name in inputs.no_build_packages:
        return f"remove {name} from no-build-package in [tool.polylock]"
    names = ", ".join(f'"{one}"' for one in sorted({*inputs.build_packages, name}))
    return (
        f"set build-package = [{names}] in [tool.polylock], if its build backend may "
        "run on your machine"
    )


def marker_hint(target: Target, name: str) -> str:
    """Return the advice for a project that fits no Python of the others."""
    return f"exclude {name} for target {target.name} with a marker"


def python_hint(target: Target, name: str) -> str:
    """Return the advice for a project that needs another Python than the target has."""
    return (
        f"choose another python for target {target.name}, or exclude {name} there "
        "with a marker"
    )
