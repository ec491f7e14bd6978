"""Which versions of a project a target may take, and in what order they are tried.

Pre-releases and yanked versions are admitted project by project, *before* a solve.
PEP 440 and PEP 592 could be read as rules about the constraints of the moment: a
pre-release if nothing else meets them, a yanked version if one of them pins it. But a
constraint that admits candidates breaks the one thing that the engine relies on, that
more constraints leave fewer candidates: solutions would be missed, and pins kept that
nothing admits any more. So a solve knows what it passed over (``blocked``), and where
it fails it is done again with that admitted of a project that it failed for.
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
    """What is admitted beyond final versions that are not yanked.

    ``prereleases`` are names of projects, ``yanked`` maps a name to the mask of its
    yanked versions that count.
    """

    prereleases: frozenset[str] = frozenset()
    yanked: Mapping[str, int] = field(default_factory=dict)

    def joined(self, other: Admission) -> Admission:
        """Return what either admits."""
        yanked = dict(self.yanked)
        for name, mask in other.yanked.items():
            yanked[name] = yanked.get(name, 0) | mask
        return Admission(self.prereleases | other.prereleases, yanked)

    def of(self, name: str) -> Admission:
        """Return what of it is about one project."""
        yanked = {name: self.yanked[name]} if name in self.yanked else {}
        return Admission(self.prereleases & {name}, yanked)


_NOTHING = Admission()


class Availability:
    """The versions that settings, constraints and preferences leave to one target.

    ``missing`` collects the projects that no index has. ``tables`` is shared by the
    solves of a run, so that a specifier becomes a mask once for all targets;
    ``own`` are the project's own requirements that hold for the target, which admit
    what they name.
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
            for requirement in sorted(named, key=_names_one)
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
        """Return what was passed over that may be admitted where nothing else helps."""
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
        """Return the version table of a project, made once a run."""
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
        """Return the yanked versions that the project pins: nothing else meets it."""
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
            return mask  # the project has nothing else
        self._blocked_prereleases.add(name)
        return finals

    def _too_new(self, releases: Releases) -> int:
        cutoff = self.pool.inputs.exclude_newer
        return 0 if cutoff is None else _uploaded_after(releases, cutoff)

    def candidates(self, releases: Releases, mask: int) -> Iterator[Candidate]:
        """Yield the candidates of the versions in a mask, the preferred first.

        A version is opened only when the one before it has been used up.
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
        """Yield the candidates of the versions in a mask, as far as they were opened.

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
        """Say whether yanked files of a project may count."""
        return name in self._pins or name in self._admission.yanked

    def _by_abi(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """Order by what the labels are built against those that are equal otherwise.

        PEP 850 bars ``abi_dependency`` from the priorities; as in variantlib it counts
        last, and more properties before fewer. A version that is locked comes first,
        then the one that the solver would take first.
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
        """Name the wheel that this requirement alone would lead to (ports.Guess).

        None where that is a source distribution: it would be downloaded for a version
        that others may come to exclude.
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
        """Yield the position of a version, or those with the same public version.

        A target whose index has ``2.9.0+cpu`` agrees with one that took
        ``2.9.0+cu130``.
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
        yield from positions(mask, lowest_first=self._is_lowest(releases.name))

    def _is_lowest(self, name: NormalizedName) -> bool:
        mode = self.pool.inputs.resolution
        return mode == "lowest" or (mode == "lowest-direct" and name in self._direct)


def _pins_a_version(specifier: str) -> bool:
    """Say whether a specifier set pins a version by ``==`` or ``===`` (PEP 592)."""
    return any(
        clause.startswith("==") and not clause.endswith("*")
        for clause in specifier.split(",")
    )


def _names_one(requirement: Requirement) -> bool:
    """Sort requirements that name a pre-release last, so that they have the say."""
    return names_prerelease(requirement.specifier)


def _holds(requirement: Requirement, target: Target) -> bool:
    """Return whether a requirement may hold for a target."""
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
    """Return the mask of the versions that were not there yet.

    Where an index tells the times of a project, a version without any may have come
    at any time. Where it tells none at all, all versions count.
    """
    if not releases.has_upload_times:
        return 0
    return sum(
        1 << position
        for position, uploaded in enumerate(releases.earliest_upload)
        if uploaded is None or uploaded > cutoff
    )
