"""Reasons in words, one line each; the one module with such sentences.

What comes from indexes and metadata is shown with its control characters visible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from polylock.model.inputs import index_in_words
from polylock.model.plain_text import visible
from polylock.model.reasons import (
    BuildCycle,
    Contradicts,
    DirectReference,
    DirectSource,
    Excluded,
    HeldBack,
    InvalidMetadata,
    LabelExcluded,
    LabelLost,
    LabelNotPinned,
    LabelUndescribed,
    LowestWanted,
    NeedsBuild,
    NoFile,
    NoSuchProject,
    NoSuchVersion,
    NotExamined,
    NotOpened,
    NoUploadTime,
    OfLabels,
    OlderPinKept,
    PackageAsker,
    PinnedLabelMissing,
    PreRelease,
    PropertyUnmet,
    PythonUnmet,
    RequiresItself,
    RootAsker,
    SdistBehindWheel,
    SettingAsker,
    Unfit,
    Unopposed,
    UploadedLater,
    WheelsForbidden,
    Yanked,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.model.reasons import Asker, Reason, Request

__all__ = ["asker", "clause", "listed", "request"]

_SHOWN_AT_MOST = 6


def clause(reason: Reason) -> str:
    """Return what is said of a version, a file or a label after its name and a colon.

    ``torch 2.9.0: requires Python >=3.14``.
    """
    return visible(_clause(reason))


def asker(who: Asker) -> str:
    """Return who asks for something, as a noun phrase."""
    match who:
        case RootAsker(table="project"):
            return "the project"
        case RootAsker():
            return visible(f"{who.table} {who.name}")
        case PackageAsker():
            extra = f"[{who.extra}]" if who.extra else ""
            label = f" ({who.label})" if who.label else ""
            return visible(f"{who.name}{extra} {who.version}{label}")
        case SettingAsker():
            return who.key
        case _ as unreachable:
            assert_never(unreachable)


def request(one: Request) -> str:
    """Return who asks for what: ``torch 2.9.0 requires triton==3.5.0``."""
    verb = "requires"
    if isinstance(one.by, SettingAsker):
        verb = "asks for" if one.by.key == "--upgrade-package" else "has"
    return f"{asker(one.by)} {verb} {visible(str(one.requirement))}"


def listed(texts: Sequence[str]) -> str:
    """Write a few of many."""
    more = len(texts) - _SHOWN_AT_MOST
    rest = f" and {more} more" if more > 0 else ""
    return ", ".join(texts[:_SHOWN_AT_MOST]) + rest


def _clause(reason: Reason) -> str:  # noqa: C901, PLR0911, PLR0912 - a case each
    match reason:
        case Excluded():
            return _excluded(reason.chain)
        case NoSuchProject():
            return f"no index has {reason.project}"
        case NoSuchVersion():
            return _no_version(reason)
        case Yanked():
            return f"is yanked: {reason.why}" if reason.why else "is yanked"
        case PreRelease():
            return "is a pre-release, which is not admitted"
        case UploadedLater():
            return "was uploaded after exclude-newer"
        case NoUploadTime():
            return "has no upload time, for exclude-newer"
        case Unfit():
            return "its tags do not fit the target"
        case NoFile():
            return _no_file(reason)
        case PythonUnmet():
            return f"requires Python {reason.requires_python}"
        case NeedsBuild(metadata=True):
            return (
                "is a source distribution whose metadata needs its backend, and "
                f"building is not allowed: add {reason.project} to build-package"
            )
        case NeedsBuild():
            return "would have to be built, which is forbidden"
        case BuildCycle():
            return f"is needed to build itself: {' -> '.join(reason.chain)}"
        case WheelsForbidden():
            return "has wheels, which no-binary-package forbids"
        case InvalidMetadata():
            return _invalid(reason)
        case DirectReference():
            return f"requires {reason.requirement}, a direct reference"
        case RequiresItself():
            return f"requires itself as {reason.requirement}"
        case NotOpened():
            return "is a source distribution, and enough were opened"
        case OfLabels():
            return f"label {listed(reason.labels)}: {_clause(reason.reason)}"
        case Contradicts():
            return _contradicts(reason)
        case HeldBack():
            return (
                f"kept back for {reason.target} ({_clause(reason.because)}), since one "
                "version is taken for all targets where one will do (align)"
            )
        case OlderPinKept():
            return f"{reason.version} is locked, and pins are kept while they fit"
        case LowestWanted():
            return f'resolution = "{reason.mode}" takes the lowest that fits'
        case DirectSource():
            return "the project names a direct source"
        case NotExamined():
            return f"not opened: the newest {reason.count} of them were"
        case Unopposed():
            return (
                "compatible with everything that is locked, so it may be newer than "
                f"the lock file: `polylock lock --upgrade-package {reason.project}` "
                "tries it"
            )
        case (
            LabelExcluded()
            | LabelLost()
            | LabelNotPinned()
            | LabelUndescribed()
            | PinnedLabelMissing()
            | PropertyUnmet()
            | SdistBehindWheel()
        ):
            return _of_label(reason)
        case _ as unreachable:
            assert_never(unreachable)


def _of_label(  # noqa: PLR0911 - a case each
    reason: LabelExcluded
    | LabelLost
    | LabelNotPinned
    | LabelUndescribed
    | PinnedLabelMissing
    | PropertyUnmet
    | SdistBehindWheel,
) -> str:
    match reason:
        case LabelUndescribed():
            return "not in the variant metadata"
        case LabelExcluded():
            return f"exclude-variants has {reason.pattern}"
        case PropertyUnmet():
            return _unmet(reason)
        case LabelNotPinned():
            return f"target {reason.target} pins {reason.pinned or 'no label'}"
        case PinnedLabelMissing():
            return (
                f"has no variant {reason.pinned}, which {reason.target} pins; there "
                f"is: {', '.join(reason.there) or 'none'}"
            )
        case LabelLost():
            return _lost(reason)
        case SdistBehindWheel():
            return "a wheel goes before the source distribution"
        case _ as unreachable:
            assert_never(unreachable)


def _excluded(chain: Sequence[Request]) -> str:
    told = request(chain[-1])
    if len(chain) <= 2:
        return told
    return f"{told}, by way of {' > '.join(asker(one.by) for one in chain[:-1])}"


def _no_version(reason: NoSuchVersion) -> str:
    index = index_in_words(reason.index)
    if not reason.highest:
        return f"{index} does not have it"
    low, high = reason.lowest, reason.highest
    return (
        f"{index} does not have it: it has {low if low == high else f'{low} to {high}'}"
    )


def _no_file(reason: NoFile) -> str:
    if not reason.nearest:
        return "has no file that can be installed"
    nearest = "nearest are for" if reason.is_near else "there are some for"
    return f"no wheel fits {reason.target}: {nearest} {listed(reason.nearest)}"


def _invalid(reason: InvalidMetadata) -> str:
    file = f"{reason.file}: " if reason.file else ""
    line = f', in the line "{reason.line}"' if reason.line else ""
    return f"{file}{reason.problem}{line}"


def _contradicts(reason: Contradicts) -> str:
    wanted = f"requires {reason.requirement}"
    if not reason.version:
        return f"{wanted}, which no index has"
    told = f"{wanted}, and {reason.requirement.name} is {reason.version}"
    return f"{told} ({_clause(reason.because)})" if reason.because else told


def _unmet(reason: PropertyUnmet) -> str:
    one_of = "" if len(reason.values) == 1 else "one of "
    need = (
        f"needs {one_of}{reason.namespace} :: {reason.feature} :: "
        f"{listed(reason.values)}"
    )
    match reason.gap:
        case "abi":
            return f"{need}, and what is installed is not known"
        case "priorities":
            return (
                f"{need}, a namespace that default-priorities.namespace does not list"
            )
        case "namespace":
            return f"{need}, and the target supports no {reason.namespace} property"
        case "value":
            return f"{need}, and the target supports {listed(reason.offered) or 'none'}"
        case _ as unreachable:
            assert_never(unreachable)


def _lost(reason: LabelLost) -> str:
    lost = f"lost to {reason.winner}"
    if reason.pattern:
        return f"{lost}: prefer-variants has {reason.pattern}"
    if reason.is_plain:
        return f"{lost}: a variant that fits goes before what has no label"
    winning, losing = reason.winning, reason.losing
    if winning is None:
        return f"{lost}, which comes first by its name: their properties are equal"
    if losing is None:
        besides = " besides" if reason.shares else ", while this one has no property"
        return f"{lost}, which has {winning}{besides}"
    feature = f"{winning.namespace} :: {winning.feature}"
    other = f"{losing.namespace} :: {losing.feature}"
    if feature == other:
        return f"{lost} on {feature}: {winning.value} is preferred to {losing.value}"
    return (
        f"{lost} on {feature}, which weighs more than {other}: "
        f"{reason.winner} has {winning.value}, this one asks for none"
    )
