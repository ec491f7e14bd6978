"""What is to be solved for one target, and what is left of it where that fails."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from polylock.errors import NoSolution
from polylock.resolution.availability import Admission, Availability
from polylock.resolution.candidate_pool import CandidatePool
from polylock.resolution.dependencies import DependencyReader
from polylock.resolution.memory import Memory, held
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs, RootRequirement
    from polylock.model.pins import Preference
    from polylock.model.target import Target
    from polylock.ports import PackageSource
    from polylock.resolution.constraints import Dependency
    from polylock.resolution.refutation import Refutation
    from polylock.resolution.sdist_reads import SdistReads
    from polylock.resolution.versions import VersionTable

__all__ = ["Failure", "Prior", "Problem", "Unsolvable", "admitting"]

_Answer = TypeVar("_Answer")
_ALONE_AT_MOST = 8


class Unsolvable(NoSolution):
    """A problem has no solution, or none was found. Without words until explained."""

    failure: Failure | None = None


class Failure(Value, frozen=True, kw_only=True, eq=False):
    """Why a problem has no solution, as the run that failed left it.

    ``causes`` is None where as many candidates were tried as may be, so that nothing is
    proved. ``contested`` are the projects of which most were given up.
    """

    problem: Problem
    causes: Refutation | None
    tried: int
    contested: Sequence[str]

    @property
    def passed_over(self) -> Admission:
        """Return what may be admitted of the projects that it fails for."""
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
    """What is known before a solve.

    ``preferences`` are versions to keep, ``admission`` the pre-releases and yanked
    versions that count. ``tables`` and ``memory`` are shared by the solves of a run,
    and added to; ``reads`` limits which source distributions are opened.
    """

    preferences: Mapping[NormalizedName, Preference] = field(default_factory=dict)
    admission: Admission = field(default_factory=Admission)
    tables: dict[int, VersionTable] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    reads: SdistReads | None = None


class Problem(Value, frozen=True, kw_only=True, eq=False):
    """The requirements of one target, and where candidates and metadata come from.

    ``wanted`` are those of the project that hold for the target, each with what is left
    of it once its marker is folded.
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
        """Return what a project asks for a target."""
        known = prior or Prior()
        roots = [r for r in inputs.requirements if r.target in {None, target.name}]
        pool = CandidatePool(
            target=target, inputs=inputs, source=source, memories=known.memory
        )
        availability = Availability(
            pool,
            known.tables,
            preferences=known.preferences,
            own=[r.requirement for r in roots if any(held([r.requirement], target))],
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
        """Return the target that this is about."""
        return self.availability.pool.target

    @property
    def inputs(self) -> Inputs:
        """Return the wishes of the project."""
        return self.availability.pool.inputs

    @property
    def source(self) -> PackageSource:
        """Return where releases and their metadata come from."""
        return self.availability.pool.source

    @property
    def roots(self) -> list[Dependency]:
        """Return what the project itself requires."""
        return [dependency for _, dependency in self.wanted]

    def prefetch(self) -> None:
        """Begin to fetch what the solve will likely need."""
        requirements = [dependency.requirement for dependency in self.roots]
        self.source.prefetch(requirements, self.target, self.availability.guess)


def admitting(attempt: Callable[[Admission], _Answer]) -> _Answer:
    """Attempt with final versions that are not yanked, then with what a failure names.

    One project is enough in most cases, so each is tried by itself before all are
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
