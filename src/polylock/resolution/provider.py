"""The provider of resolvelib for one target.

The search is resolvelib's, as changed by ``polylock.resolution.engine``; the policy is
here: which project to decide next, and which candidates meet the constraints. Nothing
is fetched except through ``PackageSource``, and nothing is printed. The parameter names
are resolvelib's own, for it calls by keyword.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NoReturn, cast, overload

from resolvelib import AbstractProvider
from resolvelib.structs import RequirementInformation

from polylock.model.reasons import ConflictsWithPins, NotRequired
from polylock.resolution.candidates import AnyCandidate, Candidate, ExtraCandidate
from polylock.resolution.constraints import (
    Constraint,
    Lacking,
    SpecifierConstraint,
    Unmeetable,
    identifier_of,
    split_identifier,
)

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from polylock.model.distributions import Releases
    from polylock.resolution.availability import Availability
    from polylock.resolution.dependencies import DependencyReader
    from polylock.variants.abi import AbiNeed

    Information = RequirementInformation[Constraint, "AnyCandidate"]

__all__ = ["Information", "TargetProvider"]


_LAST = 1 << 62
"""The place of a project that the survey did not reach: after all others, by name."""


class _Matches(Sequence[AnyCandidate]):
    """A lazy sequence of candidates; it is true if any version is left.

    resolvelib checks for each requirement whether there are matches. To open a version
    for that would cost the metadata of projects that are never decided.
    """

    def __init__(
        self, mask: int, candidates: Callable[[], Iterator[AnyCandidate]]
    ) -> None:
        self._mask = mask
        self._candidates = candidates

    def __bool__(self) -> bool:
        return bool(self._mask)

    def __iter__(self) -> Iterator[AnyCandidate]:
        return self._candidates()

    def __len__(self) -> NoReturn:
        raise TypeError

    @overload
    def __getitem__(self, index: int) -> NoReturn: ...
    @overload
    def __getitem__(self, index: slice) -> NoReturn: ...
    def __getitem__(self, index: int | slice) -> NoReturn:
        raise TypeError(index)


class TargetProvider(AbstractProvider["Constraint", AnyCandidate, str]):
    """The provider for one target and one run of the engine.

    ``places`` is the order in which projects are decided. ``pins`` are the current
    pins, set by the engine: an extra has the candidate of its project, and labels among
    them constrain what they are built against. ``banned`` candidates are not taken in
    this run.
    """

    def __init__(
        self,
        availability: Availability,
        dependencies: DependencyReader,
        places: Mapping[NormalizedName, int],
        *,
        banned: Collection[AnyCandidate] = (),
    ) -> None:
        self.pins: Mapping[str, AnyCandidate] = {}
        self._banned = banned
        self._places = places
        self._availability = availability
        self._dependencies = dependencies
        self._knows_abi = False
        self._masks: dict[tuple[str, tuple[str, ...]], int] = {}
        self._single: dict[tuple[str, str], int] = {}

    def identify(self, requirement_or_candidate: Constraint | AnyCandidate) -> str:
        """Return the project's name, with the extra in brackets if there is one."""
        return identifier_of(requirement_or_candidate)

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, AnyCandidate],
        candidates: Mapping[str, Iterator[AnyCandidate]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> Iterable[str]:
        """Return the project to decide next; called once a round.

        An extra follows its project at once. Next are projects with at most one
        candidate, for they are no choice and narrow the others; then the order of
        ``places`` decides, in which dependents come before their dependencies.
        """
        del candidates, backtrack_causes
        projects = []
        for identifier in identifiers:
            name, extra = split_identifier(identifier)
            if not extra:
                projects.append(identifier)
            elif name in resolutions:
                return [identifier]
        forced = [
            name
            for name in projects
            if self._is_forced(name, [i.requirement for i in information[name]])
        ]
        return [min(forced or projects, key=self._place)]

    def _place(self, identifier: str) -> tuple[int, str]:
        return self._places.get(cast("NormalizedName", identifier), _LAST), identifier

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, AnyCandidate],
        candidates: Mapping[str, Iterator[AnyCandidate]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> tuple[int, str]:
        """Return the place; not called, as the selection is narrowed to one name."""
        del resolutions, candidates, information, backtrack_causes
        return self._place(identifier)

    def _is_forced(self, identifier: str, wanted: Sequence[Constraint]) -> bool:
        """Return True if a project has at most one candidate."""
        mask = self._mask(identifier, wanted)
        if mask & (mask - 1):
            return False
        releases = self._availability.releases(cast("NormalizedName", identifier))
        if releases is None:
            return True
        candidates = self._availability.candidates(releases, mask)
        return len([*islice(candidates, 2)]) <= 1

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Constraint]],
        incompatibilities: Mapping[str, Iterator[AnyCandidate]],
    ) -> Sequence[AnyCandidate]:
        """Return the candidates, the preferred first, as a lazy sequence.

        Costs a few mask operations; versions are opened as it is iterated over.
        """
        name, extra = split_identifier(identifier)
        releases = self._availability.releases(name)
        wanted = list(requirements[identifier])
        if releases is None or any(isinstance(one, Unmeetable) for one in wanted):
            return ()
        mask = self._mask(name, wanted)
        excluded = {id(candidate) for candidate in incompatibilities[identifier]}

        def candidates() -> Iterator[AnyCandidate]:
            bases: Iterable[AnyCandidate]
            if extra:
                bases = [self.pins[name]] if name in self.pins else []
            else:
                bases = self._availability.candidates(releases, mask)
            for base in bases:
                candidate = self._extended(base, extra)
                if id(candidate) not in excluded:
                    yield candidate

        return _Matches(mask, candidates)

    def _extended(self, base: AnyCandidate, extra: str) -> AnyCandidate:
        return self._availability.pool.extended(cast("Candidate", base), extra)

    def _mask(self, name: str, wanted: Iterable[Constraint]) -> int:
        """Return the versions that the constraints and pinned labels leave."""
        specifiers = dict.fromkeys(
            one.specifier for one in wanted if isinstance(one, SpecifierConstraint)
        )
        for _, need in self._built_against(name):
            specifiers[need.specifier] = None
        key = name, tuple(specifiers)
        mask = self._masks.get(key)
        if mask is None:
            releases = self._availability.releases(cast("NormalizedName", name))
            mask = 0
            if releases is not None:
                mask = self._availability.allowed(releases, list(specifiers))
            self._masks[key] = mask
        return mask

    def _built_against(self, name: str) -> Iterator[tuple[AnyCandidate, AbiNeed]]:
        """Yield the pins whose labels are built against a project, with the need."""
        if not self._knows_abi:
            return
        for pin in self.pins.values():
            for need in getattr(pin, "abi", ()):
                if need.name == name:
                    yield pin, need

    def is_satisfied_by(self, requirement: Constraint, candidate: AnyCandidate) -> bool:
        """Return True if a pin meets a constraint; a lookup once the mask is known."""
        if isinstance(requirement, Unmeetable):
            return False
        base = candidate.base if isinstance(candidate, ExtraCandidate) else candidate
        mask = self._availability.table(base.releases).mask(requirement.specifier)
        return bool(mask >> base.position & 1)

    def get_dependencies(self, candidate: AnyCandidate) -> Iterable[Constraint]:
        """Yield the constraints of a candidate; the first call reads its metadata."""
        if candidate in self._banned:
            yield Unmeetable(
                candidate=cast("Candidate", candidate), reason=ConflictsWithPins()
            )
            return
        found = self._dependencies.of(candidate)
        if isinstance(found, Unmeetable):
            yield found
            return
        for dependency in found:
            yield from dependency.constraints()

    def label_constraints(
        self, candidate: AnyCandidate
    ) -> Iterable[SpecifierConstraint]:
        """Yield the constraints of a label, which require no project (PEP 850)."""
        for need in getattr(candidate, "abi", ()):
            self._knows_abi = True
            yield SpecifierConstraint(name=need.name, specifier=need.specifier)

    def lacking(self, pins: Mapping[str, AnyCandidate]) -> list[Lacking]:
        """Return the pins whose labels are built against projects without a pin."""
        return [
            Lacking(
                candidate=cast("Candidate", pin),
                reason=NotRequired(need.name, need.value),
            )
            for pin in pins.values()
            for need in getattr(pin, "abi", ())
            if need.name not in pins
        ]

    def narrowing(
        self, identifier: str, information: Iterable[Information], *, needed: bool
    ) -> Iterator[Information]:
        """Yield the requirements that removed versions of a project, in their order.

        ``needed`` adds the first requirement in any case, for without one the project
        would not be decided at all.
        """
        name, _ = split_identifier(identifier)
        constraints: list[Constraint] = []
        before: int | None = None
        for one in information:
            constraints.append(one.requirement)
            mask = self._mask(name, constraints)
            if before is None:
                narrows = needed or bool(getattr(one.requirement, "specifier", ""))
            else:
                narrows = mask != before
            before = mask
            if narrows:
                yield one

    def labels_narrowing(self, identifier: str) -> Iterator[Information]:
        """Yield the constraints of pinned labels on a project."""
        name, _ = split_identifier(identifier)
        for pin, need in self._built_against(name):
            wanted = SpecifierConstraint(name=need.name, specifier=need.specifier)
            yield RequirementInformation(wanted, pin)

    def opened(self, identifier: str, specifier: str) -> Iterator[AnyCandidate | None]:
        """Yield the candidates that meet a requirement, from versions already opened.

        Ends with None at the first version that is not open.
        """
        name, extra = split_identifier(identifier)
        releases = self._availability.releases(name)
        if releases is None:
            return
        mask = self._mask_of(releases, specifier)
        for base in self._availability.opened(releases, mask):
            yield None if base is None else self._extended(base, extra)

    def _mask_of(self, releases: Releases, specifier: str) -> int:
        key = releases.name, specifier
        mask = self._single.get(key)
        if mask is None:
            mask = self._availability.allowed(releases, [specifier])
            self._single[key] = mask
        return mask

    def is_dead_end(
        self, identifier: str, specifier: str, dead: Collection[AnyCandidate]
    ) -> bool:
        """Return True if only ``dead`` candidates meet a requirement.

        Opens no version; false where that would be needed.
        """
        for each in self.opened(identifier, specifier):
            base = each.base if isinstance(each, ExtraCandidate) else each
            if each not in dead and base not in dead:
                return False
        return True
