"""Notes on pins that are older than they could be.

A note names a missing wheel, a build that is not allowed, or bad metadata. The cause
is in the target itself, or in another target whose version it shares (align). There is
no note if a requirement of the project excludes the newer version, because its author
knows that, and none if the note on another pin has the same cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import PolylockError
from polylock.explain.findings import Behind, Note
from polylock.explain.near_miss import newer_systems
from polylock.explain.pinned_target import pinned_target
from polylock.explain.reasons import (
    Contradicts,
    Excluded,
    FilesOut,
    HeldBack,
    InvalidMetadata,
    LabelExcluded,
    LabelUndescribed,
    NeedsBuild,
    NoFile,
    OfLabels,
    PackageOrigin,
    PropertyUnmet,
    PythonUnmet,
    VariantRequired,
    WheelsForbidden,
)
from polylock.explain.suggestions import Trial, build_hint
from polylock.explain.why_not import WhyNot
from polylock.model.requirements import Requirement
from polylock.resolution.dependencies import SdistReads
from polylock.values import Mutable, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.explain.reasons import Reason
    from polylock.explain.screening import Older, Solved
    from polylock.model.distributions import Releases
    from polylock.model.inputs import Inputs

    Found = dict[tuple[NormalizedName, str, Behind], list[str]]
    _Cause = tuple[NormalizedName, str, str, Reason]

__all__ = ["behind"]

_OF_FILES = (
    NoFile
    | NeedsBuild
    | InvalidMetadata
    | PythonUnmet
    | WheelsForbidden
    | LabelExcluded
    | LabelUndescribed
    | PropertyUnmet
    | VariantRequired
)

_EXPLAINED_AT_MOST = 40
"""The most older pins of one target that are explained."""

_TRIED_AT_MOST = 4
"""The number of targets that are solved alone, after which no more are tried."""


def behind(solved: Solved, older: Sequence[Older]) -> Iterator[Note]:
    """Yield a note for each older pin and reason, with all targets that share it."""
    explainers = [
        WhyNot(
            pinned_target(resolution, solved.inputs),
            inputs=solved.inputs,
            source=solved.source,
            memory=solved.memory,
            tables=solved.tables,
        )
        for resolution in solved.resolutions
    ]
    found: Found = {}
    for explainer, pins in zip(explainers, older, strict=True):
        others = [each for each in explainers if each is not explainer]
        for name, releases in pins[:_EXPLAINED_AT_MOST]:
            try:
                reason = _finding(explainer, name, releases, others)
            except PolylockError:
                continue  # the solve did not read it, and a note fetches nothing
            if reason is not None:
                key = (name, explainer.pinned.pins[name].version, reason)
                found.setdefault(key, []).append(explainer.target.name)
    yield from _grouped(found, {each.target.name: each for each in explainers})


def _finding(
    explainer: WhyNot,
    name: NormalizedName,
    releases: Releases,
    others: Sequence[WhyNot],
) -> Behind | None:
    """Return the finding on a pin, None if the user already knows the reason."""
    newest = explainer.newest_allowed(releases)
    if newest is None:
        return None
    reason = explainer.version(name, newest, others)
    held_by = ""
    if isinstance(reason, HeldBack):
        held_by, reason = reason.target, reason.because
    cause = _cause(reason)
    if cause is None or (isinstance(cause, PythonUnmet | Excluded) and not held_by):
        return None  # the user wrote that requirement
    return Behind(newest=newest, because=reason, held_by=held_by)


def _cause(reason: Reason) -> Reason | None:
    """Return the last of a chain of reasons, None if no note should name it.

    A requirement of a package belongs to the note on that package.
    """
    match reason:
        case OfLabels():
            return _cause(reason.reason)
        case FilesOut():
            causes = [_cause(each) for each in reason.reasons]
            return next((each for each in causes if each is not None), None)
        case Contradicts() if reason.because is not None:
            return _cause(reason.because)
        case Excluded():
            is_consequence = isinstance(reason.chain[-1].by, PackageOrigin)
            return None if is_consequence else reason
        case _:
            pass
    return reason if isinstance(reason, _OF_FILES) else None


class _Group(Mutable, kw_only=True):
    """The targets that share a cause; the target ``holder`` holds back ``held``."""

    because: Reason
    holder: str = ""
    targets: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)


def _grouped(found: Found, explainers: Mapping[str, WhyNot]) -> Iterator[Note]:
    """Yield a note for each cause, with the targets that have it or are held back."""
    merged: dict[_Cause, _Group] = {}
    for (name, version, each), targets in found.items():
        key = (name, version, each.newest, _of_any_target(each.because))
        group = merged.setdefault(key, _Group(because=each.because))
        group.holder = group.holder or each.held_by
        group.targets += targets
        group.held += targets if each.held_by else ()
    tried = 0
    for (name, version, newest, cause), group in sorted(
        merged.items(), key=lambda item: item[0][:2]
    ):
        if _is_explained_elsewhere(name, cause, group.targets, merged):
            continue
        if tried < _TRIED_AT_MOST:
            tried += len(group.held)
            for target in list(group.held):
                # The target alone cannot have it either, for another reason.
                if _is_unsolvable_alone(explainers[target], name, newest):
                    group.held.remove(target)
                    group.targets.remove(target)
        if group.targets:
            yield _note(group, (name, version, newest), explainers)


def _note(
    group: _Group,
    pin: tuple[NormalizedName, str, str],
    explainers: Mapping[str, WhyNot],
) -> Note:
    """Return the note on a ``pin``: its name, its version and the newest version."""
    name, version, newest = pin
    held_by = group.holder if group.held else ""
    explainer = explainers[held_by or group.targets[0]]
    advice, setting = _advice(explainer, name, newest, group.because)
    if (
        held_by
        and not advice
        and _is_solvable_alone(explainers[group.held[0]], name, newest)
    ):
        advice, setting = _independent()
    return Note(
        project=name,
        versions=(version,),
        finding=Behind(
            newest=newest,
            because=group.because,
            held_by=held_by,
            aligned=tuple(each for each in explainers if each in group.held),
            advice=advice,
        ),
        targets=tuple(each for each in explainers if each in group.targets),
        key=setting,
    )


def _is_unsolvable_alone(explainer: WhyNot, name: NormalizedName, newest: str) -> bool:
    """Return True if a target alone is proven to have no solution with a version."""
    wanted = _requiring(explainer, name, newest)
    return _trial(explainer).failure(wanted, explainer.target) is not None


def _is_solvable_alone(explainer: WhyNot, name: NormalizedName, newest: str) -> bool:
    """Return True if a target alone has a solution with a version.

    The solve reads nothing that was not read before.
    """
    wanted = _requiring(explainer, name, newest)
    return _trial(explainer).pins(wanted, explainer.target) is not None


def _trial(explainer: WhyNot) -> Trial:
    reads = SdistReads(left=0)
    return Trial(source=explainer.source, reads=reads, is_late=lambda: False)


def _requiring(explainer: WhyNot, name: NormalizedName, version: str) -> Inputs:
    asked = Requirement(name=name, specifier=f"=={version}")
    return replace(explainer.inputs, upgrades=(*explainer.inputs.upgrades, asked))


def _of_any_target(reason: Reason) -> Reason:
    """Return a reason without the target's name, so that targets can share it."""
    match reason:
        case NoFile():
            return replace(reason, target="")
        case Contradicts() if reason.because is not None:
            return replace(reason, because=_of_any_target(reason.because))
        case _:
            return reason


def _is_explained_elsewhere(
    name: str,
    cause: Reason,
    targets: Sequence[str],
    merged: Mapping[_Cause, _Group],
) -> bool:
    """Return True if the note on a required project has the same cause.

    A project is older because the project that it requires is.
    """
    if not isinstance(cause, Contradicts) or cause.because is None:
        return False
    return any(
        cause.requirement.normalized_name == other
        and other != name
        and cause.because == nearer
        and set(targets) <= set(group.targets)
        for (other, _, _, nearer), group in merged.items()
    )


def _independent() -> tuple[str, str]:
    words = 'set align = "independent" in [tool.polylock] to let targets differ'
    return words, "tool.polylock.align"


def _advice(
    explainer: WhyNot, name: NormalizedName, newest: str, because: Reason
) -> tuple[str, str]:
    """Return the advice that admits the newest version, and its key; empty for none."""
    while True:
        match because:
            case Contradicts() if because.because is not None:
                name, newest = because.requirement.normalized_name, because.newest
                because = because.because
            case OfLabels():
                because = because.reason
            case NeedsBuild():
                refused = because.key == "no-build-package"
                key = "no-build-package" if refused else "build-package"
                return build_hint(explainer.inputs, name), f"tool.polylock.{key}"
            case NoFile():
                return _newer_system(explainer, name, newest)
            case _:
                return "", ""


def _newer_system(
    explainer: WhyNot, name: NormalizedName, newest: str
) -> tuple[str, str]:
    """Return the libc or macOS for which the newest version has a file."""
    try:
        releases = explainer.source.releases(name, explainer.target)
        position = explainer.availability.table(releases).position(newest)
        changes = (
            ()
            if position is None
            else newer_systems(explainer.pool, releases, 1 << position)
        )
        for change in changes:
            key = "macos" if change.target.description.macos else "libc"
            return change.words, f"tool.polylock.targets.{explainer.target.name}.{key}"
    except PolylockError:
        pass
    return "", ""
