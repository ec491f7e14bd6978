"""Solve a target, then the others with its pins preferred."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from polylock.errors import NoSolution
from polylock.model.pins import Edge, Pin, Preference, Resolution
from polylock.model.requirements import Requirement
from polylock.resolution.align import align, divergences, public
from polylock.resolution.availability import Admission, Availability
from polylock.resolution.candidate_pool import CandidatePool
from polylock.resolution.conditions import conditions
from polylock.resolution.constraints import Dependency, Unmeetable
from polylock.resolution.dependencies import DependencyReader
from polylock.resolution.memory import Memory
from polylock.resolution.remarks import remarks
from polylock.resolution.walk import walk
from polylock.values import Mutable, Value, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs, RootRequirement
    from polylock.model.target import Target
    from polylock.ports import PackageSource, Reporter
    from polylock.resolution.candidates import Candidate, ExtraCandidate
    from polylock.resolution.conditions import Root
    from polylock.resolution.versions import VersionTable

    AnyCandidate = Candidate | ExtraCandidate
    Preferences = Mapping[NormalizedName, Preference]

__all__ = ["Effort", "Solution", "Solver"]

_TRIES_AT_MOST = 200_000


class Effort(Mutable):
    """What the solve of one target cost, in counts that do not depend on a clock.

    ``rounds`` and ``rejected`` count the candidates that the search tried and gave up,
    0 where the walk was enough; ``expanded`` counts the versions that were opened.
    """

    rounds: int = 0
    rejected: int = 0
    expanded: int = 0


class Solution(Value, frozen=True, kw_only=True):
    """The pins of every target, in the order of the targets, and what it cost."""

    resolutions: tuple[Resolution, ...]
    efforts: Mapping[str, Effort]


class Solver(Mutable, kw_only=True, eq=False):
    """Solves the targets of a project one after the other.

    ``preferences`` are, by target, the pins of the lock file that still stand.
    ``always_search`` leaves out the walk that makes most searches unnecessary.
    ``memory`` is what earlier runs worked out, and is added to.
    """

    inputs: Inputs
    source: PackageSource
    reporter: Reporter
    preferences: Mapping[str, Preferences] = field(default_factory=dict)
    always_search: bool = False
    memory: Memory = field(default_factory=Memory)
    _tables: dict[int, VersionTable] = field(default_factory=dict)

    def solve(self, targets: Sequence[Target]) -> Solution:
        """Solve every target.

        A target keeps its own locked pins first, then takes the versions that the
        targets before it took, so that versions agree unless they cannot; see
        ``polylock.resolution.align`` for what happens where one had to differ.

        Raises NoSolution for the first target that has none and, with ``align =
        "require"``, where targets cannot agree; ProjectNotFound where the project
        itself requires what no index has.
        """
        efforts = {target.name: Effort() for target in targets}
        for target in targets:
            self.reporter.solving(target.name)
        resolutions: Sequence[Resolution] = self._solve_all(targets, {}, efforts)
        if self.inputs.align != "independent":
            resolutions = align(
                resolutions,
                lambda wishes: self._solve_all(targets, wishes, efforts),
                self._could_take,
                settled=self._settled(resolutions),
            )
        if self.inputs.align == "require":
            self._require_agreement(resolutions)
        for resolution in resolutions:
            self.reporter.solved(resolution.target.name, len(resolution.pins))
        for remark in remarks(resolutions, self.inputs, self.source):
            self.reporter.warning(remark)
        return Solution(resolutions=tuple(resolutions), efforts=efforts)

    def _solve_all(
        self,
        targets: Sequence[Target],
        wishes: Preferences,
        efforts: Mapping[str, Effort],
    ) -> list[Resolution]:
        resolutions: list[Resolution] = []
        taken: dict[NormalizedName, Preference] = {}
        for target in targets:
            own = self.preferences.get(target.name, {})
            preferences = {**taken, **own, **wishes}
            resolution = self._solve(target, preferences, efforts[target.name])
            resolutions.append(resolution)
            if self.inputs.align != "independent":
                for name, pin in resolution.pins.items():
                    taken.setdefault(name, Preference(version=pin.version))
        return resolutions

    def _settled(self, resolutions: Sequence[Resolution]) -> set[NormalizedName]:
        """Return the projects of which every target has kept its own pin.

        Pins that hold are kept, also where they differ: a lock may be older than the
        wish for one version, or come from a tool that does not have it.
        """
        if self.inputs.align == "require":
            return set()
        kept: dict[NormalizedName, bool] = {}
        for resolution in resolutions:
            own = self.preferences.get(resolution.target.name, {})
            for name, pin in resolution.pins.items():
                stays = name in own and public(own[name].version) == public(pin.version)
                kept[name] = kept.get(name, True) and stays
        return {name for name, stays in kept.items() if stays}

    def _could_take(
        self, name: NormalizedName, version: str, resolution: Resolution
    ) -> bool:
        """Say whether a target has an artifact of a public version at all."""
        target = resolution.target
        pool = CandidatePool(target=target, inputs=self.inputs, source=self.source)
        releases = self.source.releases(name, target)
        return any(
            pool.expand(releases, position, yanked=False).candidates
            for position, offered in enumerate(releases.versions)
            if public(offered) == version
        )

    def _require_agreement(self, resolutions: Sequence[Resolution]) -> None:
        """Raise NoSolution with both sides of the reason where targets differ."""
        for name, versions in divergences(resolutions).items():
            lines = [
                f"{name} is {version} for {', '.join(targets)}"
                for version, targets in versions.items()
            ]
            first, *_, last = versions
            for wanted, resolution in (
                (last, _of_target(resolutions, versions[first][0])),
                (first, _of_target(resolutions, versions[last][0])),
            ):
                lines += self._why_not(name, wanted, resolution.target)
            raise NoSolution(
                versions[last][0],
                lines,
                'relax the requirement, or set align = "prefer" in [tool.polylock]',
            )

    def _why_not(self, name: NormalizedName, version: str, target: Target) -> list[str]:
        """Say why a target cannot take a version of a project."""
        asked = Requirement(name=name, specifier=f"=={version}")
        inputs = replace(self.inputs, upgrades=(*self.inputs.upgrades, asked))
        solver = Solver(inputs=inputs, source=self.source, reporter=self.reporter)
        try:
            solver._solve(target, {}, Effort())
        except NoSolution as error:
            ours = f"--upgrade-package asks for {asked}"
            lines = (
                line.replace("(--upgrade-package)", "(another target)")
                for line in error.explanation
                if line != ours
            )
            return [f"{target.name}: {line}" for line in lines]
        return [f"{target.name} could take {name} {version} only with other changes"]

    def _solve(
        self, target: Target, preferences: Preferences, effort: Effort
    ) -> Resolution:
        """Solve one target, admitting more where a solve without it failed."""
        admission = Admission()
        while True:
            attempt = self._attempt(target, preferences, admission)
            try:
                return attempt.solve(effort, always_search=self.always_search)
            except NoSolution:
                more = admission.joined(attempt.availability.blocked)
                if more == admission:
                    raise
                admission = more

    def _attempt(
        self, target: Target, preferences: Preferences, admission: Admission
    ) -> _Attempt:
        roots = [
            root
            for root in self.inputs.requirements
            if root.target in {None, target.name}
        ]
        pool = CandidatePool(
            target=target, inputs=self.inputs, source=self.source, memories=self.memory
        )
        availability = Availability(
            pool,
            self._tables,
            preferences=preferences,
            own=[root.requirement for root in roots],
            admission=admission,
        )
        dependencies = DependencyReader(availability)
        wanted = [
            (root, dependency)
            for root in roots
            for dependency in dependencies.of_project(root.requirement)
        ]
        self.source.prefetch(
            [dependency.requirement for _, dependency in wanted],
            target,
            availability.guess,
        )
        return _Attempt(
            availability=availability,
            dependencies=dependencies,
            wanted=wanted,
            reporter=self.reporter,
        )


class _Attempt(Value, frozen=True, kw_only=True):
    """One solve of one target; ``wanted`` is what the project asks for."""

    availability: Availability
    dependencies: DependencyReader
    wanted: Sequence[tuple[RootRequirement, Dependency]]
    reporter: Reporter

    def solve(self, effort: Effort, *, always_search: bool) -> Resolution:
        """Walk, then search if need be; raises NoSolution, ProjectNotFound."""
        roots = [dependency for _, dependency in self.wanted]
        mapping: Mapping[str, AnyCandidate] | None = None
        try:
            if not always_search:
                mapping = walk(roots, self.availability, self.dependencies)
            if mapping is None:
                mapping = self._search(effort)
        finally:
            effort.expanded += len(self.availability.pool.visited)
        target = self.availability.pool.target
        return _resolution(target, mapping, self.dependencies, self.wanted)

    def _search(self, effort: Effort) -> Mapping[str, AnyCandidate]:
        # For targets that the walk cannot solve.
        from polylock.resolution.frugal_search import FrugalSearch  # noqa: PLC0415
        from polylock.resolution.search import SearchTooLong  # noqa: PLC0415

        target = self.availability.pool.target.name
        search = FrugalSearch(
            self.availability,
            self.dependencies,
            on_rejection=lambda candidate: self.reporter.backtracking(
                target, str(candidate)
            ),
        )
        roots = [dependency for _, dependency in self.wanted]
        try:
            mapping = search.solve(roots, tries_at_most=_TRIES_AT_MOST)
            too_long = None
        except SearchTooLong:
            mapping = None
            too_long = f"gave up after {_TRIES_AT_MOST} candidates"
        finally:
            effort.rounds += search.tried
            effort.rejected += search.rejected
        if mapping is not None:
            return mapping
        # Imports resolvelib, for failures alone.
        from polylock.resolution.second_opinion import (  # noqa: PLC0415
            second_opinion,
        )

        return second_opinion(
            self.availability,
            self.dependencies if too_long else self.dependencies.assuming(),
            self.wanted,
            too_long=too_long,
            places=search.places,
        )


def _of_target(resolutions: Sequence[Resolution], name: str) -> Resolution:
    return next(found for found in resolutions if found.target.name == name)


def _resolution(
    target: Target,
    mapping: Mapping[str, AnyCandidate],
    dependencies: DependencyReader,
    wanted: Sequence[tuple[RootRequirement, Dependency]],
) -> Resolution:
    edges: dict[NormalizedName, list[Edge]] = {}
    for candidate in mapping.values():
        found = dependencies.of(candidate)
        if isinstance(found, Unmeetable):
            continue  # such a candidate is never pinned
        extra = getattr(candidate, "extra", None)
        edges.setdefault(candidate.name, []).extend(
            _edge(dependency, extra) for dependency in found
        )
    roots: list[Root] = [
        (_edge(dependency, None), root.extra, root.group) for root, dependency in wanted
    ]
    reached = conditions(roots, edges)
    pins = {
        name: _pin(cast("Candidate", mapping[name]), edges[name], dependencies)
        for name in reached
    }
    return Resolution(target=target, pins=pins, conditions=reached)


def _edge(dependency: Dependency, extra: str | None) -> Edge:
    return Edge(
        name=dependency.requirement.normalized_name,
        extras=dependency.requirement.extras,
        extra=extra,
        condition=dependency.condition,
    )


def _pin(
    candidate: Candidate, edges: Sequence[Edge], dependencies: DependencyReader
) -> Pin:
    return Pin(
        name=candidate.name,
        version=candidate.version,
        release=candidate.release,
        index_url=candidate.releases.index_url,
        file=candidate.file,
        requires_python=dependencies.requires_python(candidate),
        variant_label=candidate.variant.label or None,
        variant_metadata=candidate.variant_metadata,
        decided_by=candidate.decided_by,
        edges=tuple(edges),
    )
