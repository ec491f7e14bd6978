"""Solves the targets of a project in turn; later targets prefer earlier pins."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from polylock.model.pins import Edge, Pin, Preference, Resolution
from polylock.model.requirements import Requirement
from polylock.resolution.align import (
    Disagreement,
    Refusal,
    align,
    divergences,
)
from polylock.resolution.candidate_pool import CandidatePool
from polylock.resolution.conditions import Root, conditions
from polylock.resolution.constraints import Dependency, Unmeetable
from polylock.resolution.memory import Memory
from polylock.resolution.problem import Prior, Problem, Unsolvable, admitting
from polylock.resolution.tries import Tries
from polylock.resolution.versions import VersionTable, public
from polylock.resolution.walk import walk
from polylock.values import Mutable, Value, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs
    from polylock.model.target import Target
    from polylock.ports import PackageSource, Reporter
    from polylock.resolution.availability import Admission
    from polylock.resolution.candidates import AnyCandidate, Candidate
    from polylock.resolution.dependencies import DependencyReader

    Preferences = Mapping[NormalizedName, Preference]

__all__ = ["Effort", "Solution", "Solver", "solve"]


class Effort(Mutable):
    """The cost of solving one target, in counts that do not depend on a clock.

    ``rounds`` are those of resolvelib; ``tried`` and ``rejected`` count candidates of
    the engine, ``looked`` and ``weighed`` are the counts of ``Tries`` that have limits.
    All are 0 where the walk was enough. ``expanded`` counts the versions that were
    opened.
    """

    rounds: int = 0
    looked: int = 0
    weighed: int = 0
    tried: int = 0
    rejected: int = 0
    expanded: int = 0


class Solution(Value, frozen=True, kw_only=True):
    """The pins of every target, in the order of the targets, and what they cost."""

    resolutions: tuple[Resolution, ...]
    efforts: Mapping[str, Effort]


class Solver(Mutable, kw_only=True, eq=False):
    """Solves the targets of a project one after the other.

    ``preferences`` are the pins of the lock file that may be kept, by target.
    ``always_search`` skips the walk that makes most searches unnecessary. ``memory``
    holds results of earlier runs, and is added to; ``tables`` are the version tables,
    shared by all targets. One limit on tries counts for everything that it solves.
    """

    inputs: Inputs
    source: PackageSource
    reporter: Reporter
    preferences: Mapping[str, Preferences] = field(default_factory=dict)
    always_search: bool = False
    memory: Memory = field(default_factory=Memory)
    tables: dict[int, VersionTable] = field(default_factory=dict)
    _tried: int = 0

    def solve(self, targets: Sequence[Target]) -> Solution:
        """Solve every target.

        A target prefers its own locked pins, then the versions of the targets before
        it, so that versions agree where they can; ``polylock.resolution.align`` tries
        to make those agree that still differ.

        Raises Unsolvable for the first target that has no solution, Disagreement where
        targets differ and ``align = "require"``, ProjectNotFound where the project
        itself requires a project that no index has.
        """
        efforts = {target.name: Effort() for target in targets}
        for target in targets:
            self.reporter.solving(target.name)
        resolutions: Sequence[Resolution] = self._solve_all(targets, {}, efforts)
        if self.inputs.align != "independent":
            resolutions = align(
                resolutions,
                lambda proposals: self._solve_all(targets, proposals, efforts),
                self._could_take,
                settled=self._settled(resolutions),
            )
        if self.inputs.align == "require":
            self._require_agreement(resolutions)
        for resolution in resolutions:
            self.reporter.solved(resolution.target.name, len(resolution.pins))
        return Solution(resolutions=tuple(resolutions), efforts=efforts)

    def _solve_all(
        self,
        targets: Sequence[Target],
        proposals: Preferences,
        efforts: Mapping[str, Effort],
    ) -> list[Resolution]:
        resolutions: list[Resolution] = []
        taken: dict[NormalizedName, Preference] = {}
        for target in targets:
            own = self.preferences.get(target.name, {})
            preferences = {**taken, **own, **proposals}
            resolution = self._solve(target, preferences, efforts[target.name])
            resolutions.append(resolution)
            if self.inputs.align != "independent":
                for name, pin in resolution.pins.items():
                    taken.setdefault(name, Preference(version=pin.version))
        return resolutions

    def _settled(self, resolutions: Sequence[Resolution]) -> set[NormalizedName]:
        """Return the projects of which every target has kept its own pin.

        Such pins are kept even where they differ: the lock may be older than the
        setting ``align``, or come from a tool that does not align targets.
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
        """Return True if a target has a candidate of a public version at all."""
        target = resolution.target
        pool = CandidatePool(target=target, inputs=self.inputs, source=self.source)
        releases = self.source.releases(name, target)
        return any(
            pool.expand(releases, position, yanked=False).candidates
            for position, offered in enumerate(releases.versions)
            if public(offered) == version
        )

    def _require_agreement(self, resolutions: Sequence[Resolution]) -> None:
        """Raise Disagreement, with the refusals of both sides, where targets differ."""
        for name, versions in divergences(resolutions).items():
            first, *_, last = versions
            sides = (
                (last, _of_target(resolutions, versions[first][0])),
                (first, _of_target(resolutions, versions[last][0])),
            )
            raise Disagreement(
                versions[last][0],
                (),
                project=name,
                versions=versions,
                refusals=[
                    Refusal(
                        target=resolution.target.name,
                        version=wanted,
                        error=self._refusal(name, wanted, resolution.target),
                    )
                    for wanted, resolution in sides
                ],
            )

    def _refusal(
        self, name: NormalizedName, version: str, target: Target
    ) -> Unsolvable | None:
        """Return the proof that a target alone cannot have a version, None for none."""
        asked = Requirement(name=name, specifier=f"=={version}")
        inputs = replace(self.inputs, upgrades=(*self.inputs.upgrades, asked))
        solver = Solver(inputs=inputs, source=self.source, reporter=self.reporter)
        try:
            solver._solve(target, {}, Effort())
        except Unsolvable as error:
            return error
        return None

    def _solve(
        self, target: Target, preferences: Preferences, effort: Effort
    ) -> Resolution:
        """Solve one target; admit pre-releases and yanked versions if needed."""

        def attempt(admission: Admission) -> Resolution:
            prior = Prior(
                preferences=preferences,
                admission=admission,
                tables=self.tables,
                memory=self.memory,
            )
            problem = Problem.of(target, self.inputs, self.source, prior)
            return self._answer(problem, effort)

        return admitting(attempt)

    def _answer(self, problem: Problem, effort: Effort) -> Resolution:
        problem.prefetch()
        before = self._tried
        tries = Tries(
            target=problem.target.name,
            reporter=self.reporter,
            tried=before,
            looked=effort.looked,
            weighed=effort.weighed,
        )
        try:
            mapping = solve(problem, tries, always_search=self.always_search)
        finally:
            effort.rounds += tries.rounds
            effort.tried += tries.tried - before
            effort.looked, effort.weighed = tries.looked, tries.weighed
            self._tried = tries.tried
            effort.rejected += tries.rejected
            effort.expanded += len(problem.availability.pool.visited)
        return _resolution(problem, mapping)


def solve(
    problem: Problem, tries: Tries | None = None, *, always_search: bool = False
) -> Mapping[str, AnyCandidate]:
    """Return candidates by identifier, from the walk or else from the engine.

    Raises Unsolvable, ProjectNotFound where the project itself requires a project that
    no index has, and what the package source raises.
    """
    if not always_search:
        mapping = walk(problem.roots, problem.availability, problem.dependencies)
        if mapping is not None:
            return mapping
    # resolvelib is slow to import, and most targets need only the walk.
    from polylock.resolution.engine import search  # noqa: PLC0415

    return search(problem, tries or Tries())


def _of_target(resolutions: Sequence[Resolution], name: str) -> Resolution:
    return next(found for found in resolutions if found.target.name == name)


def _resolution(problem: Problem, mapping: Mapping[str, AnyCandidate]) -> Resolution:
    target, dependencies = problem.target, problem.dependencies
    edges: dict[NormalizedName, list[Edge]] = {}
    for candidate in mapping.values():
        found = dependencies.of(candidate)
        if isinstance(found, Unmeetable):
            continue  # unreachable: such a candidate is never pinned
        extra = getattr(candidate, "extra", None)
        edges.setdefault(candidate.name, []).extend(
            _edge(dependency, extra) for dependency in found
        )
    roots: list[Root] = [
        (_edge(dependency, None), root.extra, root.group)
        for root, dependency in problem.wanted
    ]
    reached = conditions(roots, edges, target=target.name)
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
        specifier=dependency.requirement.specifier,
        condition=dependency.condition,
    )


def _pin(
    candidate: Candidate, edges: Sequence[Edge], dependencies: DependencyReader
) -> Pin:
    return Pin(
        name=candidate.name,
        version=candidate.version,
        release=candidate.release,
        index_url=candidate.release.index_url or candidate.releases.index_url,
        file=candidate.file,
        requires_python=dependencies.requires_python(candidate),
        variant_label=candidate.variant.label or None,
        variant_metadata=candidate.variant_metadata,
        decided_by=candidate.decided_by,
        edges=tuple(edges),
    )
