"""What would help: changes of the project's own wishes, each tried before it is told.

A search that failed costs the user more time than a few small ones, so a handful of
changes is solved for the target. Only one that leads to a solution becomes advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import PolylockError
from polylock.model.requirements import Requirement
from polylock.resolution.availability import Admission, Availability
from polylock.resolution.candidates import CandidatePool
from polylock.resolution.dependencies import DependencyReader
from polylock.resolution.search import Search, SearchTooLong
from polylock.resolution.walk import walk
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from polylock.model.inputs import Inputs
    from polylock.model.target import Target
    from polylock.ports import PackageSource
    from polylock.resolution.candidates import Candidate, ExtraCandidate

    AnyCandidate = Candidate | ExtraCandidate
    Pins = Mapping[str, AnyCandidate]

__all__ = ["tried_advice"]

_TRIES_AT_MOST = 6
_CANDIDATES_AT_MOST = 1_000
_ADMISSIONS_AT_MOST = 3


class _Change(Value, frozen=True):
    """Other wishes, and the words for them; ``subject`` is the project they are of."""

    inputs: Inputs
    words: str
    subject: str


def tried_advice(
    availability: Availability,
    *,
    names: Sequence[str],
    wanted: Sequence[tuple[str, str]],
) -> str | None:
    """Return the first change that leads to a solution, in words; None if none does.

    ``names`` are the projects in conflict and their parents, ``wanted`` the specifiers
    that met, each with its project. Costs at most six searches of bounded length.
    """
    pool = availability.pool
    tries = 0
    for change in _changes(pool.inputs, pool.target, names, wanted):
        if tries == _TRIES_AT_MOST:
            break
        tries += 1
        try:
            pins = _solve(change.inputs, pool.target, pool.source)
        except PolylockError:  # the index cannot say, so there is no advice
            continue
        if pins is not None:
            pin = pins.get(change.subject)
            version = "then" if pin is None else f"with {pin}"
            return f"{change.words}; {version} there is a solution"
    return None


def _changes(
    inputs: Inputs,
    target: Target,
    names: Collection[str],
    wanted: Sequence[tuple[str, str]],
) -> Iterator[_Change]:
    """Yield changes, those first that give up least."""
    first = next(iter(names), "")
    if inputs.exclude_newer is not None:
        yield _Change(
            replace(inputs, exclude_newer=None),
            "set exclude-newer in [tool.polylock] to a later time",
            first,
        )
    if inputs.prerelease != "allow":
        yield _Change(
            replace(inputs, prerelease="allow"),
            'set prerelease = "allow" in [tool.polylock]',
            first,
        )
    yield from _with_other_files(inputs, names)
    for pattern in inputs.exclude_variants:
        rest = tuple(one for one in inputs.exclude_variants if one != pattern)
        yield _Change(
            replace(inputs, exclude_variants=rest),
            f"take {pattern} out of exclude-variants in [tool.polylock]",
            first,
        )
    yield from _without(inputs, names)
    yield from _relaxed(inputs, target, names)
    yield from _overruled(inputs, wanted)


def _with_other_files(inputs: Inputs, names: Collection[str]) -> Iterator[_Change]:
    """Yield the wishes with wheels, or with source distributions, that they forbid."""
    for name in sorted(set(names).intersection(inputs.no_binary_packages)):
        rest = tuple(one for one in inputs.no_binary_packages if one != name)
        words = f"take {name} out of no-binary-package in [tool.polylock]"
        yield _Change(replace(inputs, no_binary_packages=rest), words, name)
    for name in sorted(set(names).intersection(inputs.no_build_packages)):
        rest = tuple(one for one in inputs.no_build_packages if one != name)
        words = f"take {name} out of no-build-package in [tool.polylock]"
        yield _Change(replace(inputs, no_build_packages=rest), words, name)
    if inputs.build == "none":
        words = 'set build = "local" in [tool.polylock]'
        yield _Change(replace(inputs, build="local"), words, next(iter(names), ""))


def _without(inputs: Inputs, names: Collection[str]) -> Iterator[_Change]:
    """Yield the wishes without a constraint or an override."""
    for constraint in inputs.constraints:
        if constraint.name in names:
            rest = tuple(one for one in inputs.constraints if one != constraint)
            words = f"take {constraint} out of constraint-dependencies"
            yield _Change(replace(inputs, constraints=rest), words, constraint.name)
    for override in inputs.overrides:
        if override.name in names:
            rest = tuple(one for one in inputs.overrides if one != override)
            words = f"take {override} out of override-dependencies"
            yield _Change(replace(inputs, overrides=rest), words, override.name)


def _relaxed(
    inputs: Inputs, target: Target, names: Collection[str]
) -> Iterator[_Change]:
    """Yield the wishes with one of the project's own requirements for any version."""
    for root in inputs.requirements:
        asked = root.requirement
        if asked.name not in names or not asked.specifier:
            continue
        if root.target not in {None, target.name}:
            continue
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


def _overruled(inputs: Inputs, wanted: Sequence[tuple[str, str]]) -> Iterator[_Change]:
    """Yield the wishes with one side of a conflict, or any version, as an override."""
    sides = [*wanted, *dict.fromkeys((name, "") for name, _ in wanted)]
    for name, specifier in sides:
        override = Requirement(name=name, specifier=specifier)
        others = tuple(one for one in inputs.overrides if one.name != name)
        yield _Change(
            replace(inputs, overrides=(*others, override)),
            f'set override-dependencies = ["{override}"] in [tool.polylock], if those '
            "who ask otherwise can do with that",
            name,
        )


def _solve(inputs: Inputs, target: Target, source: PackageSource) -> Pins | None:
    """Return pins under other wishes, None where there are none within bounds."""
    roots = [
        root.requirement
        for root in inputs.requirements
        if root.target in {None, target.name}
    ]
    admission = Admission()
    for _ in range(_ADMISSIONS_AT_MOST):
        availability = Availability(
            CandidatePool(target=target, inputs=inputs, source=source),
            {},
            preferences={},
            own=roots,
            admission=admission,
        )
        dependencies = DependencyReader(availability)
        wanted = [one for root in roots for one in dependencies.of_project(root)]
        pins: Pins | None = walk(wanted, availability, dependencies)
        if pins is not None:
            return pins
        try:
            pins = Search(availability, dependencies).solve(
                wanted, tries_at_most=_CANDIDATES_AT_MOST
            )
        except SearchTooLong:
            return None
        if pins is not None:
            return pins
        admission, before = admission.joined(availability.blocked), admission
        if admission == before:
            return None
    return None
