"""The reason why a target does not have a version or a label of a project.

It is the first cause. If another pin excludes the version, the search continues with
the reason for that pin: a requirement of the project, a missing file, another target.
A pin that the version in question itself determines is no reason.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from polylock.errors import PolylockError, ProjectNotFound
from polylock.explain.near_miss import near, tags_of
from polylock.explain.reasons import (
    Contradicts,
    DirectSourceNamed,
    Excluded,
    FilesOut,
    GivenUp,
    HeldBack,
    LabelLost,
    LowestWanted,
    NoFile,
    NoSuchProject,
    NoSuchVersion,
    NotExamined,
    NoUploadTime,
    OfLabels,
    PackageOrigin,
    PreRelease,
    Request,
    SdistBehindWheel,
    SettingOrigin,
    Unfit,
    Unopposed,
    UploadedLater,
    VariantRequired,
    Yanked,
)
from polylock.model.distributions import Unusable, labelled_wheels, span
from polylock.model.filenames import WheelFilename
from polylock.model.folding import fold
from polylock.model.requirements import Requirement
from polylock.resolution.availability import Availability
from polylock.resolution.candidate_pool import CandidatePool, labels_of
from polylock.resolution.candidates import Candidate
from polylock.resolution.constraints import Unmeetable
from polylock.resolution.dependencies import DependencyReader
from polylock.resolution.memory import Memory
from polylock.resolution.versions import positions, public, satisfies
from polylock.values import Value
from polylock.variants.ordering import preferred_by, why_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.explain.pinned_target import Pinned, PinnedTarget
    from polylock.explain.reasons import Reason, SettingKey
    from polylock.model.distributions import Release, Releases
    from polylock.model.inputs import Inputs
    from polylock.model.target import Target
    from polylock.ports import PackageSource
    from polylock.resolution.candidates import Expansion
    from polylock.resolution.versions import VersionTable

    Assumed = Mapping[NormalizedName, Candidate]

__all__ = [
    "OPENED_AT_MOST",
    "LabelVerdict",
    "NoUsableVersion",
    "RejectedVersions",
    "WhyNot",
    "no_file",
    "no_usable_version",
    "rejected",
]

OPENED_AT_MOST = 40
"""The most versions that are opened to find the reason against each, newest first."""

_REASONS_AT_MOST = 6

_EXAMINED_AT_MOST = 8
"""The most versions of a project whose requirements are read, newest first."""

_TRIED_AT_MOST = 3
"""The most versions that are tried in place of another pin."""

_CAUSES_AT_MOST = 100
"""The most versions that are examined for one reason, of all projects together."""

_FOLLOWED_AT_MOST = 4
"""The longest chain of pins that the search for a cause follows."""


class RejectedVersions(Value, frozen=True):
    """Versions of a project that share a reason; ``versions`` is a span."""

    versions: str
    reason: Reason


class NoUsableVersion(Value, frozen=True):
    """The reasons why no version of a project can be used.

    ``none`` is set if no version matches the specifiers. Otherwise ``out`` are groups
    of positions with the same reasons, newest first.
    """

    releases: Releases
    none: NoSuchVersion | None = None
    out: tuple[tuple[tuple[int, ...], tuple[Reason, ...]], ...] = ()


class LabelVerdict(Value, frozen=True):
    """The reason against one label of a release, None for the chosen one.

    An empty label means the wheel or source distribution without one.
    """

    label: str
    reason: Reason | None


class WhyNot:
    """Explains why one target does not have a version or label.

    ``pinned`` are its pins, from these ``inputs``; ``memory`` and ``tables`` are the
    caches of the solve, if there was one. The reasons are those of the index as it is
    now, from the cache or fetched; methods raise what the package source raises.
    """

    def __init__(
        self,
        pinned: PinnedTarget,
        *,
        inputs: Inputs,
        source: PackageSource,
        memory: Memory | None = None,
        tables: dict[int, VersionTable] | None = None,
    ) -> None:
        self.pinned = pinned
        self.inputs = inputs
        self.source = source
        self.target = pinned.target
        self.pool = CandidatePool(
            target=pinned.target,
            inputs=inputs,
            source=source,
            memories=Memory() if memory is None else memory,
        )
        self.availability = Availability(
            self.pool,
            {} if tables is None else tables,
            preferences={},
            own=[requirement for _, requirement in pinned.roots],
        )
        self._reader = DependencyReader(self.availability)
        self._left = _CAUSES_AT_MOST
        self._others: Sequence[WhyNot] = ()
        self._paths: dict[NormalizedName, tuple[NormalizedName, ...]] | None = None
        self._extras: dict[NormalizedName, tuple[str, ...]] = {}

    def newer(
        self,
        name: NormalizedName,
        others: Sequence[WhyNot] = (),
    ) -> tuple[RejectedVersions, ...]:
        """Return the reasons against all versions above the pinned one, newest first.

        ``others`` are the other targets, which may hold back a version (align).
        """
        releases = self.source.releases(name, self.target)
        taken = self.availability.table(releases).position(
            self.pinned.pins[name].version
        )
        if taken is None:
            return ()
        groups: dict[Reason, list[int]] = {}
        examined = 0
        for position in range(len(releases.versions) - 1, taken, -1):
            reason = self._without_metadata(releases, position)
            if reason is None and examined == _EXAMINED_AT_MOST:
                reason = self._held_back(releases, position, others, metadata=False)
                reason = reason or NotExamined(examined)
            elif reason is None:
                examined += 1
                reason = self._reason(releases, position, others)
            groups.setdefault(reason, []).append(position)
        return tuple(
            RejectedVersions(span(releases, found), reason)
            for reason, found in groups.items()
        )

    def newest_allowed(self, releases: Releases) -> str | None:
        """Return the newest version that the project's requirements and settings admit.

        None if it is not newer than the pin.
        """
        specifiers = [
            request.requirement.specifier
            for request in self._own_requests(releases.name)
        ]
        mask = self.availability.allowed(releases, specifiers)
        position = mask.bit_length() - 1
        version = self.pinned.pins[releases.name].version
        taken = self.availability.table(releases).position(version)
        if taken is None or position <= taken:
            return None
        return releases.versions[position]

    def version(
        self,
        name: NormalizedName,
        version: str,
        others: Sequence[WhyNot] = (),
    ) -> Reason:
        """Return the reason against a version here; local versions are ignored."""
        found = self._positions(name, version)
        if isinstance(found, tuple):
            releases, same = found
            return self._reason(releases, same[0], others)
        return found

    def by_itself(
        self, name: NormalizedName, version: str, *, metadata: bool = True
    ) -> Reason | None:
        """Return the reason against a version on this target alone, None for none.

        Without ``metadata`` only reasons that need none are considered.
        """
        found = self._positions(name, version)
        if not isinstance(found, tuple):
            return found
        releases, same = found
        ask = self._on_target if metadata else self._without_metadata
        causes = [ask(releases, position) for position in same]
        return None if None in causes else causes[0]

    def labels(
        self, name: NormalizedName, chosen: str | None
    ) -> Iterator[LabelVerdict]:
        """Yield the chosen label, then the reason against each other one.

        Nothing if the pinned release has no labels.
        """
        releases = self.source.releases(name, self.target)
        pin = self.pinned.pins[name]
        position = self.availability.table(releases).position(pin.version)
        if position is None:
            return
        release = releases.release(position)
        labels = labels_of(release)
        if not labels:
            return
        taken = chosen or ""
        yield LabelVerdict(taken, None)
        expansion = self.pool.expand(releases, position, yanked=True)
        order = [candidate.variant.label for candidate in expansion.candidates]
        plain = {""} if release.sdist or _has_plain_wheel(release) else set()
        others = (labels | plain) - {taken}
        for label in sorted(others, key=lambda each: (_rank(order, each), each)):
            yield LabelVerdict(label, self._of_label(release, expansion, taken, label))

    def candidate(self, name: NormalizedName) -> Candidate | None:
        """Return the candidate of a pinned file, None if the index no longer has it."""
        pin = self.pinned.pins.get(name)
        if pin is None or not pin.filename:
            return None
        releases = self.source.releases(name, self.target)
        position = self.availability.table(releases).position(pin.version)
        if position is None:
            return None
        found = self.pool.expand(releases, position, yanked=True).candidates
        return next(
            (each for each in found if each.file.filename == pin.filename), None
        )

    def _positions(
        self, name: NormalizedName, version: str
    ) -> tuple[Releases, list[int]] | Reason:
        pin = self.pinned.pins.get(name)
        if pin is not None and not pin.filename:
            return DirectSourceNamed()
        releases = self.source.releases(name, self.target)
        table = self.availability.table(releases)
        exact = table.position(version)
        if exact is not None:
            return releases, [exact]
        same = list(positions(table.mask(f"=={public(version)}")))
        return (releases, same) if same else _no_such_version(releases)

    def _reason(
        self, releases: Releases, position: int, others: Sequence[WhyNot]
    ) -> Reason:
        """Return the first cause, on this target or another one."""
        self._others = others
        try:
            found = self._cause(releases, position, {})
        finally:
            self._others = ()
        found = found or self._held_back(releases, position, others)
        if found is not None:
            return found
        if self.inputs.resolution == "lowest":
            return LowestWanted("lowest")
        return self._unmet_by_pins(releases, position) or Unopposed(releases.name)

    def _held_back(
        self,
        releases: Releases,
        position: int,
        others: Sequence[WhyNot],
        *,
        metadata: bool = True,
    ) -> HeldBack | None:
        """Return the first other target that cannot have a version, if they align.

        Without ``metadata`` only reasons that need none are considered.
        """
        if self.inputs.align == "independent" or self.inputs.resolution == "lowest":
            return None
        version = releases.versions[position]
        for other in others:
            pin = other.pinned.pins.get(releases.name)
            if pin is None or not pin.filename:
                continue
            reason = other.by_itself(releases.name, version, metadata=metadata)
            if reason is not None:
                return HeldBack(other.target.name, reason)
        return None

    def _on_target(self, releases: Releases, position: int) -> Reason | None:
        return self._cause(releases, position, {})

    def _cause(
        self, releases: Releases, position: int, assumed: Assumed
    ) -> Reason | None:
        """Return the reason against a version on this target alone.

        ``assumed`` are candidates that replace pins: the version in question, and those
        that the search has followed from it.
        """
        if not assumed:
            self._left = _CAUSES_AT_MOST
        self._left -= 1
        if self._left < 0:
            return None  # unknown: the limit is reached
        return (
            self._without_metadata(releases, position)
            or self._by_dependents(releases, position, assumed)
            or self._by_requirements(releases, position, assumed)
        )

    def _without_metadata(self, releases: Releases, position: int) -> Reason | None:
        """Return a reason from project, settings or files, which needs no metadata."""
        return (
            self._by_project(releases, position)
            or self._by_settings(releases, position)
            or self._by_files(releases, position)
        )

    def _by_project(self, releases: Releases, position: int) -> Reason | None:
        table = self.availability.table(releases)
        for request in self._own_requests(releases.name):
            if not table.mask(request.requirement.specifier) >> position & 1:
                return Excluded((request,))
        return None

    def _own_requests(self, name: str) -> Iterator[Request]:
        inputs = self.inputs
        overridden = {override.name for override in inputs.overrides}
        if name not in overridden:
            for origin, requirement in self.pinned.roots:
                if requirement.name == name:
                    yield Request(origin, requirement)
        settings: tuple[tuple[SettingKey, Sequence[Requirement]], ...] = (
            ("constraint-dependencies", inputs.constraints),
            ("override-dependencies", inputs.overrides),
            ("--upgrade-package", inputs.upgrades),
        )
        for key, named in settings:
            for requirement in named:
                if requirement.name == name and _holds(requirement, self.target):
                    yield Request(SettingOrigin(key), requirement)

    def _by_settings(self, releases: Releases, position: int) -> Reason | None:
        specifiers = [
            request.requirement.specifier
            for request in self._own_requests(releases.name)
        ]
        bit = 1 << position
        if self.availability.allowed(releases, specifiers) & bit:
            return None
        if releases.yanked & bit:
            return Yanked(_why_yanked(releases.release(position)))
        if not releases.finals & bit:
            return PreRelease()
        if releases.earliest_upload[position] is None:
            return NoUploadTime()
        return UploadedLater()

    def _by_files(self, releases: Releases, position: int) -> Reason | None:
        if self.pool.expand(releases, position, yanked=False).candidates:
            return None
        reasons = rejected(self.pool, releases, position)
        return reasons[0] if len(reasons) == 1 else FilesOut(reasons)

    def _by_dependents(
        self, releases: Releases, position: int, assumed: Assumed
    ) -> Reason | None:
        """Return the requirement of another pin that excludes a version.

        If a newer version of that project would admit it, the reason against that
        newer version belongs to the result.
        """
        name, table = releases.name, self.availability.table(releases)
        wanted = self._any_candidate(releases, position)
        follow = assumed if wanted is None else {**assumed, name: wanted}
        for dependent in self.pinned.dependents(name):
            if dependent == name or dependent in follow:
                continue
            for request in self._requests(dependent, name):
                if table.mask(request.requirement.specifier) >> position & 1:
                    continue
                if not self._is_needed(dependent, follow):
                    break
                chain = (*self._chain(dependent), request)
                return Excluded(chain, *self._not_newer(dependent, name, follow))
        return None

    def _any_candidate(self, releases: Releases, position: int) -> Candidate | None:
        """Return the best candidate of a version, else one of any file, else None."""
        found = self.pool.expand(releases, position, yanked=True).candidates
        if found:
            return found[0]
        release = releases.release(position)
        files = (*release.wheels, *((release.sdist,) if release.sdist else ()))
        if not files:
            return None
        return Candidate(
            releases=releases, position=position, release=release, file=files[0]
        )

    def _is_needed(self, name: NormalizedName, assumed: Assumed) -> bool:
        """Return True if a project is still required when candidates replace pins."""
        queue = [asked.normalized_name for _, asked in self.pinned.roots]
        seen = set(queue)
        for at in queue:
            if at == name:
                return True
            following: Sequence[NormalizedName] = ()
            if at in assumed:
                found = self._reader.of(assumed[at])
                if not isinstance(found, Unmeetable):
                    following = [each.requirement.normalized_name for each in found]
            elif at in self.pinned.pins:
                following = self.pinned.pins[at].requires
            queue += [each for each in following if each not in seen]
            seen.update(following)
        return False

    def _not_newer(
        self, dependent: NormalizedName, name: NormalizedName, assumed: Assumed
    ) -> tuple[str, Reason | None]:
        """Return a newer version of a dependent, and the reason against it.

        It admits the assumed candidate of the project ``name``. Empty and None if no
        such version is found.
        """
        if len(assumed) > _FOLLOWED_AT_MOST or name not in assumed:
            return "", None
        try:
            releases = self.source.releases(dependent, self.target)
            table = self.availability.table(releases)
            taken = table.position(self.pinned.pins[dependent].version)
            if taken is None:
                return "", None
            usual = releases.finals & ~releases.yanked
            above = [each for each in positions(usual) if each > taken]
            for position in above[:_TRIED_AT_MOST]:
                if self._admits(releases, position, assumed[name]):
                    reason = self._cause(releases, position, assumed)
                    reason = reason or self._held_back(releases, position, self._others)
                    newer = releases.versions[position]
                    return ("", None) if reason is None else (newer, reason)
        except PolylockError:
            pass  # the requirement is reported without its cause
        return "", None

    def _admits(self, releases: Releases, position: int, wanted: Candidate) -> bool:
        """Return True if a version of a project allows a candidate of another."""
        candidate = self._any_candidate(releases, position)
        if candidate is None:
            return False
        found = self._reader.of(candidate)
        return isinstance(found, Unmeetable) or all(
            satisfies(dependency.requirement.specifier, wanted.version)
            for dependency in found
            if dependency.requirement.name == wanted.name
        )

    def _by_requirements(
        self, releases: Releases, position: int, assumed: Assumed
    ) -> Reason | None:
        """Return the requirement that no candidate of a version can meet."""
        reasons: list[Reason] = []
        for candidate in self.pool.expand(releases, position, yanked=False).candidates:
            reason = self._unmet(candidate, assumed)
            if reason is None:
                return None
            label = candidate.variant.label
            reasons.append(OfLabels((label,), reason) if label else reason)
        return reasons[0] if reasons else None

    def _unmet(self, candidate: Candidate, assumed: Assumed) -> Reason | None:
        needed: list[Requirement] = []
        for extra in ("", *self._extras_in_use(candidate.name)):
            found = self._reader.of(self.pool.extended(candidate, extra))
            if isinstance(found, Unmeetable):
                return found.reason
            needed += [dependency.requirement for dependency in found]
        needed += [
            Requirement(name=need.name, specifier=need.specifier)
            for need in candidate.abi
            if need.name in self.pinned.pins
        ]
        # A requirement that no version can meet comes first: pins may follow from it.
        for ask in (self._never_met, self._unmet_requirement):
            for requirement in needed:
                reason = ask(requirement, candidate, assumed)
                if reason is not None:
                    return reason
        return None

    def _extras_in_use(self, name: NormalizedName) -> tuple[str, ...]:
        """Return the extras of a project that the project or another pin asks for."""
        found = self._extras.get(name)
        if found is None:
            asked = [requirement for _, requirement in self.pinned.roots]
            for dependent in self.pinned.dependents(name):
                asked += [each.requirement for each in self._requests(dependent, name)]
            extras = {
                extra
                for requirement in asked
                if requirement.name == name
                for extra in requirement.extras
            }
            found = self._extras[name] = tuple(sorted(extras))
        return found

    def _never_met(
        self, requirement: Requirement, candidate: Candidate, assumed: Assumed
    ) -> Reason | None:
        """Return a reason if no version that meets a requirement is ever usable.

        None if a version may be usable, or if there are too many to examine.
        """
        name = requirement.normalized_name
        pin = self.pinned.pins.get(name)
        taken = pin.version if pin is not None else ""
        if name in assumed or name == candidate.name:
            return None
        if pin is not None and satisfies(requirement.specifier, pin.version):
            return None
        try:
            releases = self.source.releases(name, self.target)
        except PolylockError:
            return None
        table = self.availability.table(releases)
        found = list(positions(table.mask(requirement.specifier) & table.everything))
        if not found or len(found) > OPENED_AT_MOST:
            return None
        first: Reason | None = None
        for position in found:
            reason = self._never_usable(releases, position)
            if reason is None:
                return None
            first = first or reason
        return self._contradiction(
            requirement, taken, releases.versions[found[0]], first
        )

    def _never_usable(self, releases: Releases, position: int) -> Reason | None:
        """Return a reason against a version that does not depend on pins."""
        outright = self._without_metadata(releases, position)
        if outright is not None:
            return outright
        reason: Reason | None = None
        for candidate in self.pool.expand(releases, position, yanked=False).candidates:
            try:
                found = self._reader.of(candidate)
            except PolylockError:
                return None  # its metadata was not read
            if not isinstance(found, Unmeetable):
                return None
            reason = reason or found.reason
        return reason

    def _unmet_requirement(
        self, requirement: Requirement, candidate: Candidate, assumed: Assumed
    ) -> Reason | None:
        """Return the reason why a candidate's requirement cannot be met.

        None if the pin meets it, or if a version that meets it could be pinned.
        """
        name = requirement.normalized_name
        if name in assumed:
            fits = satisfies(requirement.specifier, assumed[name].version)
            return (
                None
                if fits
                else self._contradiction(requirement, assumed[name].version)
            )
        pin = self.pinned.pins.get(name)
        if pin is not None and satisfies(requirement.specifier, pin.version):
            return None
        if pin is not None and not pin.filename:
            return self._contradiction(
                requirement, pin.version, because=DirectSourceNamed()
            )
        if len(assumed) >= _FOLLOWED_AT_MOST:
            return None
        follow = {**assumed, candidate.name: candidate}
        return self._unavailable(requirement, pin, follow)

    def _unavailable(
        self, requirement: Requirement, pin: Pinned | None, assumed: Assumed
    ) -> Reason | None:
        """Return a reason if no version that meets a requirement could be pinned."""
        taken = pin.version if pin is not None else ""
        try:
            releases = self.source.releases(requirement.normalized_name, self.target)
        except ProjectNotFound as error:
            searched = tuple(error.indexes)
            because: Reason = NoSuchProject(requirement.name, searched)
            return self._contradiction(requirement, taken, because=because)
        table = self.availability.table(releases)
        mask = table.mask(requirement.specifier) & table.everything
        first: tuple[str, Reason] | None = None
        for tried, position in enumerate(positions(mask)):
            if tried == _TRIED_AT_MOST:
                break
            reason = self._cause(releases, position, assumed)
            if reason is None:
                return None
            first = first or (releases.versions[position], reason)
        if first is None:
            return self._contradiction(
                requirement, taken, because=_no_such_version(releases)
            )
        newest, because = first
        return self._contradiction(requirement, taken, newest, because)

    def _contradiction(
        self,
        requirement: Requirement,
        taken: str,
        newest: str = "",
        because: Reason | None = None,
    ) -> Contradicts:
        overridden = any(
            override.name == requirement.name and _holds(override, self.target)
            for override in self.inputs.overrides
        )
        return Contradicts(requirement, taken, newest, because, overridden=overridden)

    def _unmet_by_pins(self, releases: Releases, position: int) -> Reason | None:
        """Return a requirement of a version that the pins do not meet.

        Another version could be pinned, so this is no cause but what would have to
        change.
        """
        for candidate in self.pool.expand(releases, position, yanked=False).candidates:
            found = self._reader.of(candidate)
            for dependency in () if isinstance(found, Unmeetable) else found:
                requirement = dependency.requirement
                pin = self.pinned.pins.get(requirement.normalized_name)
                if pin and not satisfies(requirement.specifier, pin.version):
                    return self._contradiction(requirement, pin.version)
        return None

    def _requests(self, dependent: NormalizedName, name: str) -> list[Request]:
        """Return the requirements of a pin for a project, including extras in use."""
        candidate = self.candidate(dependent)
        if candidate is None:
            return []
        found = self._asked(candidate, "", name)
        extras = self.pinned.pins[dependent].extras
        if extras is None and not found:
            metadata = self.source.core_metadata(candidate.release, candidate.file)
            extras = () if isinstance(metadata, Unusable) else metadata.provides_extra
        for extra in extras or ():
            found += self._asked(candidate, extra, name)
        return found

    def _asked(self, candidate: Candidate, extra: str, name: str) -> list[Request]:
        found = self._reader.of(self.pool.extended(candidate, extra))
        if isinstance(found, Unmeetable):
            return []
        who = PackageOrigin(
            candidate.name, candidate.version, candidate.variant.label, extra
        )
        return [
            Request(who, dependency.requirement)
            for dependency in found
            if dependency.requirement.name == name
        ]

    def _chain(self, name: NormalizedName) -> tuple[Request, ...]:
        """Return the shortest chain of requirements from the project to a package."""
        found: list[Request] = []
        path = self._path(name)
        for parent, child in zip((None, *path), path, strict=False):
            if parent is None:
                asked = [
                    Request(origin, requirement)
                    for origin, requirement in self.pinned.roots
                    if requirement.name == child
                ]
            else:
                asked = self._requests(parent, child)
            found += asked[:1]
        return tuple(found)

    def _path(self, name: NormalizedName) -> tuple[NormalizedName, ...]:
        if self._paths is None:
            self._paths = {}
            queue = [
                requirement.normalized_name for _, requirement in self.pinned.roots
            ]
            self._paths = {root: (root,) for root in queue}
            for at in queue:
                pin = self.pinned.pins.get(at)
                for child in pin.requires if pin is not None else ():
                    if child not in self._paths:
                        self._paths[child] = (*self._paths[at], child)
                        queue.append(child)
        return self._paths.get(name, (name,))

    def given_up(self, better: Candidate) -> Reason | None:
        """Return the reason against a better label of a pinned release, None for none.

        The label is a candidate, and better than the one that was taken.
        """
        return self._unmet(better, {}) or self._abi_unmet_by_pins(better)

    def _of_label(
        self, release: Release, expansion: Expansion, chosen: str, label: str
    ) -> Reason:
        order = [candidate.variant.label for candidate in expansion.candidates]
        if label not in order:
            return _label_rejected(release, expansion, label)
        by_label = {each.variant.label: each for each in expansion.candidates}
        better = by_label[label]
        if chosen in order and order.index(label) > order.index(chosen):
            return self._why_lost(by_label[chosen], better)
        return GivenUp(chosen, self.given_up(better) or Unopposed(better.name))

    def _abi_unmet_by_pins(self, candidate: Candidate) -> Reason | None:
        return self._unmet_by_pins(candidate.releases, candidate.position)

    def _why_lost(self, winner: Candidate, loser: Candidate) -> Reason:
        """Return the reason why the chosen label is preferred to another."""
        chosen, label = winner.variant.label, loser.variant.label
        if not label:
            return LabelLost(winner=chosen, is_plain=True)
        metadata = winner.variant_metadata
        preferences = self.pool.preferences.for_project(winner.name)
        if metadata is not None:
            variants = metadata.variants
            pattern = preferred_by(
                preferences.prefer, (chosen, variants[chosen]), (label, variants[label])
            )
            if pattern is not None:
                return LabelLost(winner=chosen, pattern=pattern.text)
        return why_before(chosen, winner.decided_by, loser.decided_by)


def _label_rejected(release: Release, expansion: Expansion, label: str) -> Reason:
    """Return the reason why a label is no candidate."""
    reasons = [each.reason for each in expansion.rejections if each.label == label]
    telling = [reason for reason in reasons if not isinstance(reason, Unfit)]
    if telling:
        return telling[-1]
    if reasons:
        return Unfit(_tags(release, label))
    if not label:
        return SdistBehindWheel()
    return next(each.reason for each in expansion.rejections)  # of all files together


def _tags(release: Release, label: str) -> tuple[str, ...]:
    names = (WheelFilename.parse(wheel.filename) for wheel in release.wheels)
    found = [name for name in names if (name.variant_label or "") == label]
    return tuple(sorted({tag for name in found for tag in name.tags}))


def _has_plain_wheel(release: Release) -> bool:
    return len(release.wheels) > len(labelled_wheels(release))


def _rank(order: Sequence[str], label: str) -> int:
    return order.index(label) if label in order else len(order)


def _holds(requirement: Requirement, target: Target) -> bool:
    marker = requirement.marker_expression
    return marker is None or fold(marker, target) is not False


def _why_yanked(release: Release) -> str:
    files = (*release.wheels, *((release.sdist,) if release.sdist else ()))
    return next((file.yanked for file in files if file.yanked), "")


def _no_such_version(releases: Releases) -> NoSuchVersion:
    index, versions = releases.index or releases.index_url, releases.versions
    if not versions:
        return NoSuchVersion(index)
    return NoSuchVersion(index, versions[0], versions[-1])


def no_usable_version(
    availability: Availability, releases: Releases, specifiers: Sequence[str]
) -> NoUsableVersion:
    """Return the reasons why no version matches specifiers and can be installed.

    Versions that can be installed are left out.
    """
    mask = availability.allowed(releases, specifiers)
    table = availability.table(releases)
    if mask:
        out = _without_files(availability.pool, releases, mask)
        yanked = 0 if not out else table.everything & releases.yanked
        for specifier in specifiers:
            yanked &= table.mask(specifier)
        return NoUsableVersion(
            releases, out=(*out, *_yanked_that_fits(availability, releases, yanked))
        )
    mask = table.everything
    for specifier in specifiers:
        mask &= table.mask(specifier)
    if not mask:
        return NoUsableVersion(releases, none=_no_such_version(releases))
    found = tuple(positions(mask))
    if not mask & ~releases.yanked:
        reason: Reason = Yanked()
    elif not mask & releases.finals:
        reason = PreRelease()
    elif all(releases.earliest_upload[position] is None for position in found):
        reason = NoUploadTime()
    else:
        reason = UploadedLater()
    return NoUsableVersion(releases, out=((found, (reason,)),))


def _yanked_that_fits(
    availability: Availability, releases: Releases, yanked: int
) -> Iterator[tuple[tuple[int, ...], tuple[Reason, ...]]]:
    """Yield the newest yanked version that has a file for the target, if any has."""
    for position in islice(positions(yanked), OPENED_AT_MOST):
        if availability.pool.expand(releases, position, yanked=True).candidates:
            why = _why_yanked(releases.release(position))
            yield (position,), (Yanked(why, fits=True),)
            return


def _without_files(
    pool: CandidatePool, releases: Releases, mask: int
) -> tuple[tuple[tuple[int, ...], tuple[Reason, ...]], ...]:
    """Return the versions that have no candidate by their reasons, newest first."""
    groups: dict[tuple[Reason, ...], list[int]] = {}
    for position in islice(positions(mask), OPENED_AT_MOST):
        if not pool.expand(releases, position, yanked=False).candidates:
            reasons = rejected(pool, releases, position)
            groups.setdefault(reasons, []).append(position)
    return tuple((tuple(found), reasons) for reasons, found in groups.items())


def rejected(
    pool: CandidatePool, releases: Releases, position: int
) -> tuple[Reason, ...]:
    """Return the reasons against a version that has no candidate.

    A reason names the labels that it holds for, unless it holds for files without a
    label. ``require-variants`` comes last, after the reasons against the labels that it
    requires.
    """
    expansion = pool.expand(releases, position, yanked=False)
    labels: dict[Reason, dict[str, None]] = {}
    for rejection in expansion.rejections:
        if rejection.reason != Unfit():
            found = labels.setdefault(rejection.reason, {})
            if rejection.label or isinstance(rejection.reason, VariantRequired):
                found[rejection.label] = None
    has_labels = bool(labels_of(releases.release(position)))
    reasons = [
        OfLabels(tuple(sorted(found)), reason) if found and has_labels else reason
        for reason, found in sorted(
            labels.items(), key=lambda each: isinstance(each[0], VariantRequired)
        )
    ]
    return tuple(reasons[:_REASONS_AT_MOST]) or (
        no_file(releases.release(position), pool.target),
    )


def no_file(release: Release, target: Target) -> NoFile:
    """Return the platforms or Pythons of the wheels, none of which fits the target.

    Nearest are those that would fit but for the platform, then those for another
    Python on the right platform.
    """
    if not release.wheels:
        return NoFile(target.name, has_wheels=False)
    nearest = near(release, target)
    if nearest:
        return NoFile(target.name, tuple(sorted(nearest)))
    found = [tag.rpartition("-") for tag in tags_of(release)]
    platforms = {tag.rpartition("-")[2] for tag in target.tags}
    pythons = {pair for pair, _, tag in found if tag in platforms}
    if pythons:
        return NoFile(target.name, tuple(sorted(pythons)))
    others = tuple(sorted({tag for _, _, tag in found}))
    return NoFile(target.name, others, is_near=False)
