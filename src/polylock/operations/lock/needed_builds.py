"""All projects that must be built to be locked, if that is why there is no solution.

A solve ends at the first of them. Another one takes each source distribution that may
not be built as one that requires nothing: what it then pins are the projects to ask
for at once, for all targets. What these require, only their builds can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import BuildsNeeded, PolylockError
from polylock.model.core_metadata import CoreMetadata
from polylock.model.distributions import Unusable
from polylock.model.reasons import NeedsBuild
from polylock.ports import SilentReporter
from polylock.resolution.memory import Memory
from polylock.resolution.solve import Solver
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName

    from polylock.errors import NoSolution
    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.ports import Guess, PackageSource
    from polylock.resolution.solve import Solution
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["needed_builds"]


def needed_builds(
    solver: Solver, targets: Sequence[Target], error: NoSolution
) -> BuildsNeeded | None:
    """Return the error that names all projects to be built, None if it is another.

    It is another if there would be no solution with these builds either.
    """
    lenient = _Lenient(solver.source)
    again = Solver(
        inputs=solver.inputs,
        source=lenient,
        reporter=SilentReporter(),
        preferences=solver.preferences,
        memory=Memory(),
    )
    try:
        solution = again.solve(targets)
    except PolylockError:
        return None
    found = _unbuilt(solution, lenient.unbuilt)
    if not found:
        return None
    explanation = list(error.explanation)
    if len(found) > 1:
        listed = ", ".join(_told(each, len(targets)) for each in found.items())
        explanation.append(
            f"{len(found)} projects must be built to be locked: {listed}"
        )
    names = tuple(sorted({name for name, _ in found}))
    return BuildsNeeded(error.target, explanation, projects=names)


def _unbuilt(
    solution: Solution, unbuilt: set[tuple[NormalizedName, str]]
) -> dict[tuple[NormalizedName, str], list[str]]:
    """Return the pins that must be built, sorted, and the targets of each."""
    found: dict[tuple[NormalizedName, str], list[str]] = {}
    for resolution in solution.resolutions:
        for name, pin in resolution.pins.items():
            is_sdist = not pin.file.filename.endswith(".whl")
            if is_sdist and (name, pin.release.version) in unbuilt:
                found.setdefault((name, pin.version), []).append(resolution.target.name)
    return dict(sorted(found.items()))


def _told(found: tuple[tuple[NormalizedName, str], list[str]], of: int) -> str:
    (name, version), targets = found
    where = "" if len(targets) == of else f" on {' and '.join(targets)}"
    return f"{name} {version}{where}"


class _Lenient(Value, frozen=True):
    """A PackageSource to which what may not be built requires nothing.

    ``unbuilt`` collects the releases of which that was asked.
    """

    source: PackageSource
    unbuilt: set[tuple[NormalizedName, str]] = field(default_factory=set)

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        return self.source.releases(name, target)

    def variant_metadata(
        self, release: Release, target: Target
    ) -> VariantMetadata | Unusable:
        return self.source.variant_metadata(release, target)

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        if self.source.refusal(release, file) is None:
            found = self.source.core_metadata(release, file)
            if not (isinstance(found, Unusable) and _may_be_allowed(found)):
                return found
        self.unbuilt.add((release.name, release.version))
        return CoreMetadata(name=release.name, version=release.version)

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        found = self.source.refusal(release, file)
        return None if found is not None and _may_be_allowed(found) else found

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        self.source.prefetch(requirements, target, guess)


def _may_be_allowed(found: Unusable) -> bool:
    """Return whether ``build-package`` would allow what is refused."""
    reason = found.reason
    return isinstance(reason, NeedsBuild) and reason.key == "build-package"
