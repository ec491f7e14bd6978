"""The problem of one target, as a solver takes it, and its failure, as data.

The words for a failure are made in ``polylock.explain``.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from polylock.errors import NoSolution
from polylock.resolution.availability import Admission, Availability
from polylock.resolution.candidate_pool import CandidatePool
from polylock.resolution.constraints import Dependency, identifier_of, split_identifier
from polylock.resolution.dependencies import DependencyReader, SdistReads
from polylock.resolution.memory import Memory, applicable
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs, RootRequirement
    from polylock.model.pins import Preference
    from polylock.model.target import Target
    from polylock.ports import PackageSource
    from polylock.resolution.candidates import AnyCandidate
    from polylock.resolution.provider import Information
    from polylock.resolution.versions import VersionTable

__all__ = [
    "Failure",
    "Prior",
    "Problem",
    "Refutation",
    "Rejected",
    "Unsolvable",
    "admitting",
]

_Answer = TypeVar("_Answer")
_ALONE_AT_MOST = 8


class Rejected(Value, frozen=True, eq=False):
    """A rejected candidate, with the reason.

    ``information`` holds the conflicting requirements, each with its parent; ``pin`` is
    the pin that they exclude, if any. Both are empty where ``because`` is the reason: a
    project that has no candidate left once this one is pinned.
    """

    candidate: AnyCandidate
    information: tuple[Information, ...] = ()
    pin: AnyCandidate | None = None
    because: Refutation | None = None


class Refutation(Value, frozen=True, eq=False):
    """A project of which no candidate could be pinned.

    ``information`` holds the requirements on it, each with its parent; ``rejected`` its
    candidates in the order in which they were tried. ``requested`` maps the identifier
    of each parent in these to the requirement that first asked for it, and so on up to
    the project itself.
    """

    identifier: str
    information: tuple[Information, ...]
    rejected: tuple[Rejected, ...]
    requested: Mapping[str, Information]

    def names(self) -> set[str]:
        """Return the projects that take part in it, and in the refutations below it."""
        found: set[str] = set()
        seen: set[int] = set()
        waiting: list[Refutation] = [self]
        while waiting:
            current = waiting.pop()
            if id(current) in seen:
                continue
            seen.add(id(current))
            found.add(split_identifier(current.identifier)[0])
            information = list(current.information)
            for rejected in current.rejected:
                information += rejected.information
                if rejected.because is not None:
                    waiting.append(rejected.because)
            found.update(
                split_identifier(identifier_of(one.requirement))[0]
                for one in information
            )
        return found


class Unsolvable(NoSolution):
    """A problem has no solution, or none was found; it has no explanation yet."""

    failure: Failure | None = None


class Failure(Value, frozen=True, kw_only=True, eq=False):
    """The proof that a problem has no solution.

    ``causes`` is None where the limit on tries was reached, so that nothing is proved.
    ``contested`` are the projects with the most rejected candidates.
    """

    problem: Problem
    causes: Refutation | None
    tried: int
    contested: Sequence[str]

    @property
    def passed_over(self) -> Admission:
        """Return versions to admit, of the projects that caused the failure."""
        blocked = self.problem.availability.blocked
        names = set() if self.causes is None else self.causes.names()
        return Admission(
            blocked.prereleases & names,
            {name: mask for name, mask in blocked.yanked.items() if name in names},
        )

    def error(self) -> Unsolvable:
        """Return the error to raise."""
        return Unsolvable(self.problem.target.name, (), failure=self)


class Prior(Value, frozen=True, kw_only=True, eq=False):
    """The knowledge that a solve starts with.

    ``preferences`` are versions to keep, ``admission`` the pre-releases and yanked
    versions that are admitted. ``tables`` and ``memory`` are shared by the solves of a
    run, and added to; ``reads`` limits which source distributions are opened.
    """

    preferences: Mapping[NormalizedName, Preference] = field(default_factory=dict)
    admission: Admission = field(default_factory=Admission)
    tables: dict[int, VersionTable] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    reads: SdistReads | None = None


class Problem(Value, frozen=True, kw_only=True, eq=False):
    """The requirements of one target, and where candidates and metadata come from.

    ``wanted`` are the project's requirements that apply to the target, each with the
    dependency that it becomes when its marker is folded.
    """

    availability: Availability
    dependencies: DependencyReader
    wanted: Sequence[tuple[RootRequirement, Dependency]]

    @classmethod
    def of(
        cls,
        target: Target,
        inputs: Inputs,
        source: PackageSource,
        prior: Prior | None = None,
    ) -> Problem:
        """Return the problem that the inputs of a project pose for a target."""
        known = prior or Prior()
        roots = [r for r in inputs.requirements if r.target in {None, target.name}]
        pool = CandidatePool(
            target=target, inputs=inputs, source=source, memories=known.memory
        )
        availability = Availability(
            pool,
            known.tables,
            preferences=known.preferences,
            own=[
                r.requirement for r in roots if any(applicable([r.requirement], target))
            ],
            admission=known.admission,
        )
        dependencies = DependencyReader(availability, known.reads)
        wanted = [
            (root, dependency)
            for root in roots
            for dependency in dependencies.of_project(root.requirement)
        ]
        return cls(availability=availability, dependencies=dependencies, wanted=wanted)

    @property
    def target(self) -> Target:
        """Return the target."""
        return self.availability.pool.target

    @property
    def inputs(self) -> Inputs:
        """Return the inputs of the project."""
        return self.availability.pool.inputs

    @property
    def source(self) -> PackageSource:
        """Return the source of releases and their metadata."""
        return self.availability.pool.source

    @property
    def roots(self) -> list[Dependency]:
        """Return the requirements of the project itself."""
        return [dependency for _, dependency in self.wanted]

    def prefetch(self) -> None:
        """Start fetching what the solve will likely need."""
        requirements = [dependency.requirement for dependency in self.roots]
        self.source.prefetch(requirements, self.target, self.availability.guess)


def admitting(attempt: Callable[[Admission], _Answer]) -> _Answer:
    """Call ``attempt`` with nothing admitted, then with what its failures name.

    To admit one project is enough in most cases, so each is tried by itself before all
    together. Raises what the last attempt raised.
    """
    admission = Admission()
    while True:
        try:
            return attempt(admission)
        except Unsolvable as error:
            more = Admission() if error.failure is None else error.failure.passed_over
            together = admission.joined(more)
            if together == admission:
                raise
        names = sorted(more.prereleases | more.yanked.keys())
        if len(names) > 1:
            for name in names[:_ALONE_AT_MOST]:
                with suppress(Unsolvable):
                    return attempt(admission.joined(more.of(name)))
        admission = together
