"""Why not this version, or this label, of a project for this target: one answer.

The reason is the first cause. What another pin excludes is followed to what holds that
pin where it is: a requirement of the project, a file that is not there, another target.
A pin that is where it is only because of the version in question is no reason.
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
    PackageAsker,
    PreRelease,
    Request,
    SdistBehindWheel,
    SettingAsker,
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

    from polylock.explain.answer import Answer, Pinned
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
    "Shortage",
    "VersionsOut",
    "WhyNot",
    "no_file",
    "rejected",
    "shortage",
]

OPENED_AT_MOST = 40
"""How many versions are opened to say why each is out; the newest tell the story."""

_REASONS_AT_MOST = 6

_EXAMINED_AT_MOST = 8
"""How many versions of one project have their requirements read; newest first."""

_TRIED_AT_MOST = 3
"""How many versions are tried to see whether another pin could move."""

_CAUSES_AT_MOST = 100
"""How many versions are looked at for one reason, those of other pins included."""

_FOLLOWED_AT_MOST = 4
"""How many pins are followed from one to the next."""


class VersionsOut(Value, frozen=True):
    """Why some versions of a project were not taken; ``versions`` is a span."""

    versions: str
    reason: Reason


class Shortage(Value, frozen=True):
    """The reason why no version of a project can be used.

    ``none`` is set where no version meets what is asked. Else ``out`` are the positions
    of versions that are out for the same reasons, newest first, with these.
    """

    releases: Releases
    none: NoSuchVersion | None = None
    out: tuple[tuple[tuple[int, ...], tuple[Reason, ...]], ...] = ()


class LabelVerdict(Value, frozen=True):
    """Why one label of a release was not taken; None for the one that was.

    An empty label means the wheel or source distribution without one.
    """

    label: str
    reason: Reason | None


class WhyNot:
    """Explains why one target does not have a version or label.

    ``answer`` is what it has, by these ``inputs``; ``memory`` and ``tables`` are what
    a solve worked out, where there was one. The index is asked as it is now, out
    of the cache or fetched; raises what the package source raises.
    """

    def __init__(
        self,
        answer: Answer,
        *,
        inputs: Inputs,
        source: PackageSource,
        memory: Memory | None = None,
        tables: dict[int, VersionTable] | None = None,
    ) -> None:
        self.answer = answer
        self.inputs = inputs
        self.source = source
        self.target = answer.target
        self.pool = CandidatePool(
            target=answer.target,
            inputs=inputs,
            source=source,
            memories=Memory() if memory is None else memory,
        )
        self.availability = Availability(
            self.pool,
            {} if tables is None else tables,
            preferences={},
            own=[requirement for _, requirement in answer.roots],
        )
        self._reader = DependencyReader(self.availability)
        self._left = _CAUSES_AT_MOST
        self._beside: Sequence[WhyNot] = ()
        self._paths: dict[NormalizedName, tuple[NormalizedName, ...]] | None = None
        self._extras: dict[NormalizedName, tuple[str, ...]] = {}

    def newer(
        self,
        name: NormalizedName,
        beside: Sequence[WhyNot] = (),
    ) -> tuple[VersionsOut, ...]:
        """Return the reasons against all versions above the pinned one, newest first.

        ``beside`` are the other targets, for whose sake a version may be held back.
        """
        releases = self.source.releases(name, self.target)
        taken = self.availability.table(releases).position(
            self.answer.pins[name].version
        )
        if taken is None:
            return ()
        groups: dict[Reason, list[int]] = {}
        examined = 0
        for position in range(len(releases.versions) - 1, taken, -1):
            reason = self._outright(releases, position)
            if reason is None and examined == _EXAMINED_AT_MOST:
                reason = self._held_back(releases, position, beside, outright=True)
                reason = reason or NotExamined(examined)
            elif reason is None:
                examined += 1
                reason = self._reason(releases, position, beside)
            groups.setdefault(reason, []).append(position)
        return tuple(
            VersionsOut(span(releases, found), reason)
            for reason, found in groups.items()
        )

    def newest_allowed(self, releases: Releases) -> str | None:
        """Return the newest version above the pin that the project itself admits.

        By its requirements and settings; None where the pin is that.
        """
        specifiers = [
            request.requirement.specifier
            for request in self._own_requests(releases.name)
        ]
        mask = self.availability.allowed(releases, specifiers)
        position = mask.bit_length() - 1
        version = self.answer.pins[releases.name].version
        taken = self.availability.table(releases).position(version)
        if taken is None or position <= taken:
            return None
        return releases.versions[position]

    def version(
        self,
        name: NormalizedName,
        version: str,
        beside: Sequence[WhyNot] = (),
    ) -> Reason:
        """Return the reason against a version on this target; ignores local parts."""
        found = self._positions(name, version)
        if isinstance(found, tuple):
            releases, same = found
            return self._reason(releases, same[0], beside)
        return found

    def by_itself(
        self, name: NormalizedName, version: str, *, outright: bool = False
    ) -> Reason | None:
        """Return why this target alone cannot have a version; None where it can.

        ``outright`` leaves out what takes metadata to know.
        """
        found = self._positions(name, version)
        if not isinstance(found, tuple):
            return found
        releases, same = found
        ask = self._outright if outright else self._alone
        causes = [ask(releases, position) for position in same]
        return None if None in causes else causes[0]

    def labels(
        self, name: NormalizedName, chosen: str | None
    ) -> Iterator[LabelVerdict]:
        """Yield why each label of the pinned release was not taken, the chosen first.

        Nothing where the release has no labels.
        """
        releases = self.source.releases(name, self.target)
        pin = self.answer.pins[name]
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
        for label in sorted(others, key=lambda each: (_place(order, each), each)):
            yield LabelVerdict(label, self._of_label(release, expansion, taken, label))

    def candidate(self, name: NormalizedName) -> Candidate | None:
        """Return the pinned file of a project as the index offers it, if it does."""
        pin = self.answer.pins.get(name)
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
        pin = self.answer.pins.get(name)
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
        self, releases: Releases, position: int, beside: Sequence[WhyNot]
    ) -> Reason:
        """Return the first cause, of this target or another one."""
        self._beside = beside
        try:
            found = self._cause(releases, position, {})
        finally:
            self._beside = ()
        found = found or self._held_back(releases, position, beside)
        if found is not None:
            return found
        if self.inputs.resolution == "lowest":
            return LowestWanted("lowest")
        return self._difference(releases, position) or Unopposed(releases.name)

    def _held_back(
        self,
        releases: Releases,
        position: int,
        beside: Sequence[WhyNot],
        *,
        outright: bool = False,
    ) -> HeldBack | None:
        """Return the first other target that cannot have a version, if they align.

        ``outright`` leaves out what takes metadata to know.
        """
        if self.inputs.align == "independent" or self.inputs.resolution == "lowest":
            return None
        version = releases.versions[position]
        for other in beside:
            pin = other.answer.pins.get(releases.name)
            if pin is None or not pin.filename:
                continue
            reason = other.by_itself(releases.name, version, outright=outright)
            if reason is not None:
                return HeldBack(other.target.name, reason)
        return None

    def _alone(self, releases: Releases, position: int) -> Reason | None:
        return self._cause(releases, position, {})

    def _cause(
        self, releases: Releases, position: int, assumed: Assumed
    ) -> Reason | None:
        """Return the reason against a version on this target alone.

        ``assumed`` are candidates that take the place of pins: the version in question
        and what was followed from there.
        """
        if not assumed:
            self._left = _CAUSES_AT_MOST
        self._left -= 1
        if self._left < 0:
            return None  # as good as not known
        return (
            self._outright(releases, position)
            or self._by_dependents(releases, position, assumed)
            or self._by_requirements(releases, position, assumed)
        )

    def _outright(self, releases: Releases, position: int) -> Reason | None:
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
            for asker, requirement in self.answer.roots:
                if requirement.name == name:
                    yield Request(asker, requirement)
        settings: tuple[tuple[SettingKey, Sequence[Requirement]], ...] = (
            ("constraint-dependencies", inputs.constraints),
            ("override-dependencies", inputs.overrides),
            ("--upgrade-package", inputs.upgrades),
        )
        for key, named in settings:
            for requirement in named:
                if requirement.name == name and _holds(requirement, self.target):
                    yield Request(SettingAsker(key), requirement)

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

        Where a newer version of that project would admit it, that is followed: why is
        the project not newer?
        """
        name, table = releases.name, self.availability.table(releases)
        wanted = self._stand_in(releases, position)
        follow = assumed if wanted is None else {**assumed, name: wanted}
        for dependent in self.answer.dependents(name):
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

    def _stand_in(self, releases: Releases, position: int) -> Candidate | None:
        """Return the best candidate of a version, or any file where it has none.

        None where it has no file either.
        """
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
        """Return True if a project is still required if candidates replace pins."""
        queue = [asked.normalized_name for _, asked in self.answer.roots]
        seen = set(queue)
        for at in queue:
            if at == name:
                return True
            following: Sequence[NormalizedName] = ()
            if at in assumed:
                found = self._reader.of(assumed[at])
                if not isinstance(found, Unmeetable):
                    following = [each.requirement.normalized_name for each in found]
            elif at in self.answer.pins:
                following = self.answer.pins[at].requires
            queue += [each for each in following if each not in seen]
            seen.update(following)
        return False

    def _not_newer(
        self, dependent: NormalizedName, name: NormalizedName, assumed: Assumed
    ) -> tuple[str, Reason | None]:
        """Return a newer version of a dependent that admits one, and why not that.

        ``name`` is the project that it should admit the assumed candidate of.
        """
        if len(assumed) > _FOLLOWED_AT_MOST or name not in assumed:
            return "", None
        try:
            releases = self.source.releases(dependent, self.target)
            table = self.availability.table(releases)
            taken = table.position(self.answer.pins[dependent].version)
            if taken is None:
                return "", None
            usual = releases.finals & ~releases.yanked
            above = [each for each in positions(usual) if each > taken]
            for position in above[:_TRIED_AT_MOST]:
                if self._admits(releases, position, assumed[name]):
                    reason = self._cause(releases, position, assumed)
                    reason = reason or self._held_back(releases, position, self._beside)
                    newer = releases.versions[position]
                    return ("", None) if reason is None else (newer, reason)
        except PolylockError:
            pass  # told without what lies behind it
        return "", None

    def _admits(self, releases: Releases, position: int, wanted: Candidate) -> bool:
        """Return True if a version of a project allows a candidate of another."""
        candidate = self._stand_in(releases, position)
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
            if need.name in self.answer.pins
        ]
        # What no pin decides is the first cause; the pins may follow from it.
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
            asked = [requirement for _, requirement in self.answer.roots]
            for dependent in self.answer.dependents(name):
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
        """Return why no version that meets a requirement is of use, whatever is pinned.

        None where some may be, or where there are too many to look at them all.
        """
        name = requirement.normalized_name
        pin = self.answer.pins.get(name)
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
            reason = self._useless(releases, position)
            if reason is None:
                return None
            first = first or reason
        return self._contradiction(
            requirement, taken, releases.versions[found[0]], first
        )

    def _useless(self, releases: Releases, position: int) -> Reason | None:
        """Return a reason against a version that does not depend on pins."""
        outright = self._outright(releases, position)
        if outright is not None:
            return outright
        reason: Reason | None = None
        for candidate in self.pool.expand(releases, position, yanked=False).candidates:
            try:
                found = self._reader.of(candidate)
            except PolylockError:
                return None  # not read, so nothing is known against it
            if not isinstance(found, Unmeetable):
                return None
            reason = reason or found.reason
        return reason

    def _unmet_requirement(
        self, requirement: Requirement, candidate: Candidate, assumed: Assumed
    ) -> Reason | None:
        """Return why a requirement of a candidate cannot be met; None where it can.

        That is so if what is pinned meets it, or could be replaced by what does.
        """
        name = requirement.normalized_name
        if name in assumed:
            fits = satisfies(requirement.specifier, assumed[name].version)
            return (
                None
                if fits
                else self._contradiction(requirement, assumed[name].version)
            )
        pin = self.answer.pins.get(name)
        if pin is not None and satisfies(requirement.specifier, pin.version):
            return None
        if pin is not None and not pin.filename:
            return self._contradiction(
                requirement, pin.version, because=DirectSourceNamed()
            )
        if len(assumed) >= _FOLLOWED_AT_MOST:
            return None
        follow = {**assumed, candidate.name: candidate}
        return self._out_of_reach(requirement, pin, follow)

    def _out_of_reach(
        self, requirement: Requirement, pin: Pinned | None, assumed: Assumed
    ) -> Reason | None:
        """Return why the target can have no version that meets a requirement."""
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

    def _difference(self, releases: Releases, position: int) -> Reason | None:
        """Return a requirement of a version that what is pinned does not meet.

        What is pinned could be another version, so this is no cause; it is what would
        have to change.
        """
        for candidate in self.pool.expand(releases, position, yanked=False).candidates:
            found = self._reader.of(candidate)
            for dependency in () if isinstance(found, Unmeetable) else found:
                requirement = dependency.requirement
                pin = self.answer.pins.get(requirement.normalized_name)
                if pin and not satisfies(requirement.specifier, pin.version):
                    return self._contradiction(requirement, pin.version)
        return None

    def _requests(self, dependent: NormalizedName, name: str) -> list[Request]:
        """Return the requirements of a pin for a project, including extras in use."""
        candidate = self.candidate(dependent)
        if candidate is None:
            return []
        found = self._asked(candidate, "", name)
        extras = self.answer.pins[dependent].extras
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
        who = PackageAsker(
            candidate.name, candidate.version, candidate.variant.label, extra
        )
        return [
            Request(who, dependency.requirement)
            for dependency in found
            if dependency.requirement.name == name
        ]

    def _chain(self, name: NormalizedName) -> tuple[Request, ...]:
        """Return the shortest way by which the project comes to require one."""
        found: list[Request] = []
        path = self._path(name)
        for parent, child in zip((None, *path), path, strict=False):
            if parent is None:
                asked = [
                    Request(asker, requirement)
                    for asker, requirement in self.answer.roots
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
                requirement.normalized_name for _, requirement in self.answer.roots
            ]
            self._paths = {root: (root,) for root in queue}
            for at in queue:
                pin = self.answer.pins.get(at)
                for child in pin.requires if pin is not None else ():
                    if child not in self._paths:
                        self._paths[child] = (*self._paths[at], child)
                        queue.append(child)
        return self._paths.get(name, (name,))

    def given_up(self, better: Candidate) -> Reason | None:
        """Return the reason against a better label of a pinned release, None for none.

        The label is a candidate, and better than the one that was taken.
        """
        return self._unmet(better, {}) or self._abi_difference(better)

    def _of_label(
        self, release: Release, expansion: Expansion, chosen: str, label: str
    ) -> Reason:
        order = [candidate.variant.label for candidate in expansion.candidates]
        if label not in order:
            return _label_out(release, expansion, label)
        by_label = {each.variant.label: each for each in expansion.candidates}
        better = by_label[label]
        if chosen in order and order.index(label) > order.index(chosen):
            return self._lost(by_label[chosen], better)
        return GivenUp(chosen, self.given_up(better) or Unopposed(better.name))

    def _abi_difference(self, candidate: Candidate) -> Reason | None:
        return self._difference(candidate.releases, candidate.position)

    def _lost(self, winner: Candidate, loser: Candidate) -> Reason:
        """Return on what a label lost to the chosen one."""
        chosen, label = winner.variant.label, loser.variant.label
        if not label:
            return LabelLost(winner=chosen, is_plain=True)
        metadata = winner.variant_metadata
        wishes = self.pool.preferences.for_project(winner.name)
        if metadata is not None:
            variants = metadata.variants
            pattern = preferred_by(
                wishes.prefer, (chosen, variants[chosen]), (label, variants[label])
            )
            if pattern is not None:
                return LabelLost(winner=chosen, pattern=pattern.text)
        return why_before(chosen, winner.decided_by, loser.decided_by)


def _label_out(release: Release, expansion: Expansion, label: str) -> Reason:
    """Return why a label is no candidate at all."""
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


def _place(order: Sequence[str], label: str) -> int:
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


def shortage(
    availability: Availability, releases: Releases, specifiers: Sequence[str]
) -> Shortage:
    """Return why no version meets specifiers or can be installed.

    Versions that can be are not in it, so it is empty where all of them can.
    """
    mask = availability.allowed(releases, specifiers)
    table = availability.table(releases)
    if mask:
        out = _without_files(availability.pool, releases, mask)
        yanked = 0 if not out else table.everything & releases.yanked
        for specifier in specifiers:
            yanked &= table.mask(specifier)
        return Shortage(releases, out=(*out, *_fitting(availability, releases, yanked)))
    mask = table.everything
    for specifier in specifiers:
        mask &= table.mask(specifier)
    if not mask:
        return Shortage(releases, none=_no_such_version(releases))
    found = tuple(positions(mask))
    if not mask & ~releases.yanked:
        reason: Reason = Yanked()
    elif not mask & releases.finals:
        reason = PreRelease()
    elif all(releases.earliest_upload[position] is None for position in found):
        reason = NoUploadTime()
    else:
        reason = UploadedLater()
    return Shortage(releases, out=((found, (reason,)),))


def _fitting(
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
    """Group the versions that have no candidate by the reasons, newest first."""
    groups: dict[tuple[Reason, ...], list[int]] = {}
    for position in islice(positions(mask), OPENED_AT_MOST):
        if not pool.expand(releases, position, yanked=False).candidates:
            reasons = rejected(pool, releases, position)
            groups.setdefault(reasons, []).append(position)
    return tuple((tuple(found), reasons) for reasons, found in groups.items())


def rejected(
    pool: CandidatePool, releases: Releases, position: int
) -> tuple[Reason, ...]:
    """Return why a version that has no candidate is out.

    A reason that files without a label have holds for the version; of the others the
    labels are named. What ``require-variants`` asks for comes last: first comes why the
    labels are out that it asks for.
    """
    expansion = pool.expand(releases, position, yanked=False)
    labels: dict[Reason, dict[str, None]] = {}
    for rejection in expansion.rejections:
        if rejection.reason != Unfit():
            found = labels.setdefault(rejection.reason, {})
            if rejection.label or isinstance(rejection.reason, VariantRequired):
                found[rejection.label] = None
    has_labels = bool(labels_of(releases.release(position)))
    told = [
        OfLabels(tuple(sorted(found)), reason) if found and has_labels else reason
        for reason, found in sorted(
            labels.items(), key=lambda each: isinstance(each[0], VariantRequired)
        )
    ]
    return tuple(told[:_REASONS_AT_MOST]) or (
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
