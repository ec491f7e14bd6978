"""Which versions of a project a target may take, and in what order they are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import ProjectNotFound
from polylock.model.markers import fold
from polylock.resolution.versions import VersionTable, names_prerelease, positions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.pins import Preference
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.resolution.candidates import Candidate, CandidatePool

__all__ = ["Availability"]


class Availability:
    """The versions that settings, constraints and preferences leave to one target.

    ``missing`` collects the projects that no index has. ``tables`` is shared by the
    solves of a run, so that a specifier becomes a mask once for all targets;
    ``direct`` are the names that the project itself requires.
    """

    def __init__(
        self,
        pool: CandidatePool,
        tables: dict[int, VersionTable],
        *,
        preferences: Mapping[NormalizedName, Preference],
        direct: frozenset[str],
    ) -> None:
        self.pool = pool
        self.missing: dict[str, ProjectNotFound] = {}
        self._tables = tables
        self._preferences = preferences
        self._direct = direct
        self._releases: dict[NormalizedName, Releases] = {}
        self._constraints = _constraints(pool.inputs.constraints, pool.target)

    def releases(self, name: NormalizedName) -> Releases | None:
        """Return the versions of a project, None where no index has it."""
        releases = self._releases.get(name)
        if releases is None and name not in self.missing:
            try:
                releases = self.pool.source.releases(name, self.pool.target)
            except ProjectNotFound as error:
                self.missing[name] = error
            else:
                self._releases[name] = releases
        return releases

    def table(self, releases: Releases) -> VersionTable:
        """Return the version table of a project, made once a run."""
        table = self._tables.get(id(releases))
        if table is None:
            table = self._tables[id(releases)] = VersionTable(releases)
        return table

    def constraints_on(self, name: str) -> Sequence[str]:
        """Return the specifiers of ``constraint-dependencies`` on a project."""
        return self._constraints.get(name, ())

    def allowed(self, releases: Releases, specifiers: Sequence[str]) -> int:
        """Return the mask of the versions that specifiers and settings leave."""
        table = self.table(releases)
        inputs = self.pool.inputs
        every = [*specifiers, *self.constraints_on(releases.name)]
        mask = table.everything
        for specifier in every:
            mask &= table.mask(specifier)
        if inputs.exclude_newer is not None:
            mask &= ~_uploaded_after(releases, inputs.exclude_newer)
        if not self._pinned(every):
            mask &= ~releases.yanked
        return table.permitted(
            mask,
            policy=inputs.prerelease,
            named=any(names_prerelease(specifier) for specifier in every),
        )

    def candidates(
        self, releases: Releases, mask: int, specifiers: Sequence[str]
    ) -> Iterator[Candidate]:
        """Yield the candidates of the versions in a mask, the preferred first.

        A version is opened only when the one before it has been used up.
        """
        yanked = self._pinned([*specifiers, *self.constraints_on(releases.name)])
        preference = self._preferences.get(releases.name)
        kept = preference.filenames if preference is not None else ()
        for position in self._order(releases, mask, preference):
            expansion = self.pool.expand(releases, position, yanked=yanked)
            if kept:
                yield from sorted(
                    expansion.candidates, key=lambda c: c.file.filename not in kept
                )
            else:
                yield from expansion.candidates

    def guess(
        self, releases: Releases, requirement: Requirement, target: Target
    ) -> tuple[Release, RemoteFile] | None:
        """Name the file that this requirement alone would lead to (ports.Guess)."""
        del target  # the pool's own
        mask = self.allowed(releases, [requirement.specifier])
        preference = self._preferences.get(releases.name)
        for position in self._order(releases, mask, preference):
            expansion = self.pool.expand(releases, position, yanked=False)
            if expansion.candidates:
                best = expansion.candidates[0]
                return best.release, best.file
        return None

    def _order(
        self, releases: Releases, mask: int, preference: Preference | None
    ) -> Iterator[int]:
        if preference is not None:
            preferred = self.table(releases).position(preference.version)
            if preferred is not None and mask >> preferred & 1:
                yield preferred
                mask &= ~(1 << preferred)
        mode = self.pool.inputs.resolution
        lowest = mode == "lowest" or (
            mode == "lowest-direct" and releases.name in self._direct
        )
        yield from positions(mask, lowest_first=lowest)

    @staticmethod
    def _pinned(specifiers: Iterable[str]) -> bool:
        """PEP 592: a yanked file counts only where ``==`` or ``===`` pins a version."""
        return any(
            clause.startswith("==") and not clause.endswith("*")
            for specifier in specifiers
            for clause in specifier.split(",")
        )


def _constraints(
    requirements: Iterable[Requirement], target: Target
) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for requirement in requirements:
        marker = requirement.marker_expression
        if marker is None or fold(marker, target) is not False:
            found.setdefault(requirement.name, []).append(requirement.specifier)
    return found


def _uploaded_after(releases: Releases, cutoff: int) -> int:
    return sum(
        1 << position
        for position, uploaded in enumerate(releases.earliest_upload)
        if uploaded is not None and uploaded > cutoff
    )
