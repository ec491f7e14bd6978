"""The versions of a project that a target may have, in the order of preference.

Pre-releases and yanked versions are admitted for each project *before* a solve. PEP 440
and PEP 592 could be read as rules about the current constraints: a pre-release if
nothing else meets them, a yanked version if one of them pins it. But the engine relies
on more constraints leaving fewer candidates. With a constraint that admits candidates
it would miss solutions, and keep pins that nothing admits any more. So a solve records
what it passed over (``blocked``), and if it fails, it is repeated with those versions
admitted for the projects that it failed for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.errors import ProjectNotFound
from polylock.model.folding import fold
from polylock.resolution.versions import (
    VersionTable,
    names_prerelease,
    positions,
    public,
    satisfies,
)
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.pins import Preference
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.resolution.candidate_pool import CandidatePool
    from polylock.resolution.candidates import Candidate
    from polylock.variants.abi import AbiNeed

__all__ = ["Admission", "Availability"]


class Admission(Value, frozen=True):
    """The pre-releases and yanked versions that are admitted.

    ``prereleases`` are names of projects, ``yanked`` maps a project to the mask of its
    admitted yanked versions.
    """

    prereleases: frozenset[str] = frozenset()
    yanked: Mapping[str, int] = field(default_factory=dict)

    def joined(self, other: Admission) -> Admission:
        """Return the union of two admissions."""
        yanked = dict(self.yanked)
        for name, mask in other.yanked.items():
            yanked[name] = yanked.get(name, 0) | mask
        return Admission(self.prereleases | other.prereleases, yanked)

    def of(self, name: str) -> Admission:
        """Return the part for one project."""
        yanked = {name: self.yanked[name]} if name in self.yanked else {}
        return Admission(self.prereleases & {name}, yanked)


_NOTHING = Admission()


class Availability:
    """The versions that settings, constraints and preferences leave to one target.

    ``missing`` collects the projects that no index has. ``tables`` is shared by the
    solves of a run, so that a specifier becomes a mask once for all targets. ``own``
    are the project's own requirements that apply to the target; a pre-release or yanked
    version that they name is admitted.
    """

    def __init__(
        self,
        pool: CandidatePool,
        tables: dict[int, VersionTable],
        *,
        preferences: Mapping[NormalizedName, Preference],
        own: Sequence[Requirement],
        admission: Admission = _NOTHING,
    ) -> None:
        self.pool = pool
        self.missing: dict[str, ProjectNotFound] = {}
        self._tables = tables
        self._preferences = preferences
        self._direct = frozenset(requirement.name for requirement in own)
        self._admission = admission
        self._blocked_prereleases: set[str] = set()
        self._blocked_yanked: dict[str, int] = {}
        self._releases: dict[NormalizedName, Releases] = {}
        inputs = pool.inputs
        self._constraints = _constraints(inputs.constraints, pool.target)
        self._upgrades = _constraints(inputs.upgrades, pool.target)
        settings = (*inputs.constraints, *inputs.upgrades, *inputs.overrides)
        named = [*own, *(one for one in settings if _holds(one, pool.target))]
        self._named = {
            requirement.name: names_prerelease(requirement.specifier)
            for requirement in sorted(named, key=_names_prerelease)
        }
        self._pins: dict[str, list[str]] = {}
        for requirement in named:
            if _pins_a_version(requirement.specifier):
                self._pins.setdefault(requirement.name, []).append(
                    requirement.specifier
                )
        self._pinned_yanked: dict[str, int] = {}

    @property
    def blocked(self) -> Admission:
        """Return the versions passed over, to be admitted if the solve fails."""
        return Admission(frozenset(self._blocked_prereleases), self._blocked_yanked)

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
        """Return the version table of a project, which is made once in a run."""
        table = self._tables.get(id(releases))
        if table is None:
            table = self._tables[id(releases)] = VersionTable(
                releases, self.pool.memories
            )
        return table

    def constraints_on(self, name: str) -> Sequence[str]:
        """Return the specifiers of ``constraint-dependencies`` on a project."""
        return self._constraints.get(name, ())

    def allowed(self, releases: Releases, specifiers: Sequence[str]) -> int:
        """Return the mask of the versions that specifiers and settings leave."""
        table = self.table(releases)
        name = releases.name
        every = [
            *specifiers,
            *self.constraints_on(name),
            *self._upgrades.get(name, ()),
        ]
        mask = table.everything & ~self._too_new(releases)
        for specifier in every:
            mask &= table.mask(specifier)
        admitted = self._admission.yanked.get(name, 0) | self._yanked_by_pin(releases)
        yanked = mask & releases.yanked & ~admitted
        mask &= ~yanked
        if yanked and not mask and any(map(_pins_a_version, every)):
            seen = self._blocked_yanked.get(name, 0)
            self._blocked_yanked[name] = seen | yanked
        return self._without_prereleases(releases, mask)

    def _yanked_by_pin(self, releases: Releases) -> int:
        """Return the yanked versions that the project pins, if no other meets it."""
        name = releases.name
        if name not in self._pins:
            return 0
        found = self._pinned_yanked.get(name)
        if found is None:
            table = self.table(releases)
            found = table.everything
            for specifier in self._pins[name]:
                found &= table.mask(specifier)
            if found & ~releases.yanked:
                found = 0
            self._pinned_yanked[name] = found
        return found

    def _without_prereleases(self, releases: Releases, mask: int) -> int:
        policy = self.pool.inputs.prerelease
        name = releases.name
        admitted = policy == "allow" or name in self._admission.prereleases
        if admitted or (policy.endswith("explicit") and self._named.get(name)):
            return mask
        finals = mask & releases.finals
        if finals == mask or not policy.startswith("if-necessary"):
            return finals
        if not releases.finals & ~releases.yanked & ~self._too_new(releases):
            return mask  # the project has only pre-releases
        self._blocked_prereleases.add(name)
        return finals

    def _too_new(self, releases: Releases) -> int:
        cutoff = self.pool.inputs.cutoff_of(releases.name)
        return 0 if cutoff is None else _uploaded_after(releases, cutoff)

    def candidates(self, releases: Releases, mask: int) -> Iterator[Candidate]:
        """Yield the candidates of the versions in a mask, the preferred first.

        A version is opened only when all candidates of the one before were yielded.
        """
        name = releases.name
        yanked = self._takes_yanked(name)
        preference = self._preferences.get(name)
        kept = preference.filenames if preference is not None else ()
        for position in self._order(releases, mask, preference):
            self.pool.visited.add((name, position))
            expansion = self.pool.expand(releases, position, yanked=yanked)
            found = self._by_abi(expansion.candidates)
            if kept:
                found = sorted(found, key=lambda c: c.file.filename not in kept)
            yield from found

    def opened(self, releases: Releases, mask: int) -> Iterator[Candidate | None]:
        """Yield the candidates of the versions in a mask that were opened before.

        Ends with None at the first version that was not.
        """
        name = releases.name
        yanked = self._takes_yanked(name)
        for position in positions(mask):
            if (name, position) not in self.pool.visited:
                yield None
                return
            yield from self.pool.expand(releases, position, yanked=yanked).candidates

    def _takes_yanked(self, name: str) -> bool:
        """Return True if yanked files of a project may be taken."""
        return name in self._pins or name in self._admission.yanked

    def _by_abi(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """Order candidates that are equal otherwise by what they are built against.

        PEP 850 excludes ``abi_dependency`` from the priorities; as in variantlib it
        counts last, and more properties come before fewer. A locked version comes
        first, then the version that the solver would try first.
        """
        needs = {need.name for candidate in candidates for need in candidate.abi}
        if not needs:
            return candidates
        names = sorted(needs)

        def order(candidate: Candidate) -> tuple[Any, ...]:
            rank = candidate.rank
            found = {need.name: need for need in candidate.abi}
            return (
                rank is None,
                rank or 0,
                [self._abi_order(found[n]) if n in found else (2,) for n in names],
            )

        return sorted(candidates, key=order)

    def _abi_order(self, need: AbiNeed) -> tuple[float, ...]:
        preference = self._preferences.get(need.name)
        kept = preference and satisfies(need.specifier, preference.version)
        return (0 if kept else 1, *need.order(lowest_first=self._is_lowest(need.name)))

    def guess(
        self, releases: Releases, requirement: Requirement, target: Target
    ) -> tuple[Release, RemoteFile] | None:
        """Return the wheel that this requirement alone would lead to (ports.Guess).

        None for a source distribution: its download is useless if another
        requirement excludes its version.
        """
        del target  # the pool's own
        mask = self.allowed(releases, [requirement.specifier])
        preference = self._preferences.get(releases.name)
        for position in self._order(releases, mask, preference):
            expansion = self.pool.expand(releases, position, yanked=False)
            for best in self._by_abi(expansion.candidates):
                return None if best.is_sdist else (best.release, best.file)
        return None

    def _preferred(self, releases: Releases, mask: int, version: str) -> Iterator[int]:
        """Yield the position of a version, or of those with the same public version.

        ``2.9.0+cpu`` agrees with a target that took ``2.9.0+cu130``.
        """
        table = self.table(releases)
        exact = table.position(version)
        if exact is not None and mask >> exact & 1:
            yield exact
            return
        yield from positions(mask & table.mask(f"=={public(version)}"))

    def _order(
        self, releases: Releases, mask: int, preference: Preference | None
    ) -> Iterator[int]:
        if preference is not None:
            for preferred in self._preferred(releases, mask, preference.version):
                yield preferred
                mask &= ~(1 << preferred)
        if self._is_lowest(releases.name):
            yield from _lowest_first(releases, mask)
        else:
            yield from positions(mask)

    def _is_lowest(self, name: NormalizedName) -> bool:
        mode = self.pool.inputs.resolution
        return mode == "lowest" or (mode == "lowest-direct" and name in self._direct)


def _lowest_first(releases: Releases, mask: int) -> Iterator[int]:
    """Yield positions, the lowest public version first.

    Local versions are builds of one version; the highest of them comes first, as it
    does for ``highest``: ``2.9.0+cu130`` before ``2.9.0+cu126``.
    """
    builds: list[int] = []
    for position in positions(mask, lowest_first=True):
        version = public(releases.versions[position])
        if builds and public(releases.versions[builds[-1]]) != version:
            yield from reversed(builds)
            builds = []
        builds.append(position)
    yield from reversed(builds)


def _pins_a_version(specifier: str) -> bool:
    """Return True if a specifier set pins a version by ``==`` or ``===`` (PEP 592)."""
    return any(
        clause.startswith("==") and not clause.endswith("*")
        for clause in specifier.split(",")
    )


def _names_prerelease(requirement: Requirement) -> bool:
    """Return the key by which requirements that name a pre-release are sorted last."""
    return names_prerelease(requirement.specifier)


def _holds(requirement: Requirement, target: Target) -> bool:
    """Return True if a requirement may apply to a target."""
    marker = requirement.marker_expression
    return marker is None or fold(marker, target) is not False


def _constraints(
    requirements: Iterable[Requirement], target: Target
) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for requirement in requirements:
        if _holds(requirement, target):
            found.setdefault(requirement.name, []).append(requirement.specifier)
    return found


def _uploaded_after(releases: Releases, cutoff: int) -> int:
    """Return the mask of the versions that were, or may have been, uploaded later.

    If an index gives the upload times of a project, a version without one may have come
    at any time. If it gives none at all, the mask is empty.
    """
    if not releases.has_upload_times:
        return 0
    return sum(
        1 << position
        for position, uploaded in enumerate(releases.earliest_upload)
        if uploaded is None or uploaded > cutoff
    )
