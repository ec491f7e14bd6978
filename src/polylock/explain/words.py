"""The sentences for reasons, findings and notes, one line each.

No other module has such sentences. Text from indexes and metadata is shown with its
control characters visible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from polylock.errors import NothingToInstall
from polylock.explain.findings import (
    AcceleratorMissed,
    Behind,
    BetterLabelLost,
    BetterLabelYanked,
    DriverTooOld,
    EntryUnmatched,
    ExtraMissing,
    LabelPinUnused,
    LibrariesForNothing,
    NamespaceUnknown,
    PatchNeeded,
    PatternUnmatched,
    RequiredUnused,
    RequiresProject,
    SeveralMajors,
    TorchBackendOlder,
    TorchBackendsMixed,
    TorchBackendUnfit,
    TorchBackendUnset,
    UploadTimesMissing,
    VariantMarkerUnmet,
    VariantsLost,
    YankedPin,
)
from polylock.explain.reasons import (
    AlignedWith,
    BuildCycle,
    ConflictsWithPins,
    Contradicts,
    DirectReference,
    DirectSourceNamed,
    Excluded,
    FilesOut,
    GivenUp,
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
    NotRequired,
    NoUploadTime,
    OfLabels,
    OlderPinKept,
    PackageOrigin,
    PinnedLabelMissing,
    PreRelease,
    PropertyUnmet,
    PythonUnmet,
    RequiresItself,
    RootOrigin,
    SdistBehindWheel,
    SettingOrigin,
    Unfit,
    Unopposed,
    UploadedLater,
    VariantRequired,
    WheelsForbidden,
    Yanked,
)
from polylock.model.distributions import span
from polylock.model.inputs import DEFAULT_INDEX, index_in_words
from polylock.model.quantities import counted, file_size
from polylock.model.visible_text import visible
from polylock.resolution.versions import public
from polylock.toml_tables import closest
from polylock.values import replace
from polylock.variants.catalogue import FEATURE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.errors import PolylockError
    from polylock.explain.findings import Note
    from polylock.explain.reasons import Origin, Reason, Request
    from polylock.explain.why_not import NoUsableVersion
    from polylock.model.reasons import Rejection
    from polylock.model.requirements import Requirement
    from polylock.model.torch_backends import Obstacle, TorchChoice

__all__ = [
    "about",
    "backends",
    "clause",
    "details",
    "listed",
    "note",
    "obstacle_clause",
    "origin",
    "request",
    "tags_unfit",
]

_VALUES_AT_MOST = 8
_SET_BACKEND = (
    'torch-backend = "auto" in [tool.polylock] takes the build for each target'
)
_EXTRAS_AT_MOST = 3


def clause(reason: Reason) -> str:
    """Return a reason as a clause that follows a name and a colon.

    ``torch 2.9.0: requires Python >=3.14``.
    """
    return visible(_clause(reason))


def tags_unfit(nearest: Sequence[str]) -> str:
    """Return that no wheel fits, and the platforms of those that nearly do."""
    told = _clause(Unfit())
    return visible(f"{told}: nearest are for {listed(nearest)}" if nearest else told)


def origin(who: Origin) -> str:
    """Return the origin of a requirement as a noun phrase."""
    match who:
        case RootOrigin(table="project"):
            return "the project"
        case RootOrigin():
            return visible(f"{who.table} {who.name}")
        case PackageOrigin():
            extra = f"[{who.extra}]" if who.extra else ""
            label = f" ({who.label})" if who.label else ""
            return visible(f"{who.name}{extra} {who.version}{label}")
        case SettingOrigin():
            return who.key
        case _ as unreachable:
            assert_never(unreachable)


def about(subject: str, reason: Reason, *, many: bool = False) -> str:
    """Return a sentence on a version, or on ``many``: ``a 1 requires Python >=4``."""
    verb = "require" if many else "requires"
    match reason:
        case PythonUnmet():
            text = f"{verb} Python {reason.requires_python}"
        case DirectReference():
            text = f"{verb} {_required(reason.requirement)}, a direct reference"
        case NotRequired() if not many:
            text = _clause(reason)
        case RequiresItself():
            text = f"{verb} another version of itself: {_required(reason.requirement)}"
        case _:
            return f"{subject}: {clause(reason)}"
    return f"{subject} {visible(text)}"


def request(one: Request) -> str:
    """Return a requirement with its origin: ``torch 2.9.0 requires triton==3.5.0``."""
    verb = "requires"
    if isinstance(one.by, SettingOrigin):
        verb = "asks for" if one.by.key == "--upgrade-package" else "has"
    return f"{origin(one.by)} {verb} {visible(_required(one.requirement))}"


def _required(requirement: Requirement) -> str:
    """Return a requirement as text, without its marker, which holds.

    A long list of extras is left out too, because extras exclude no version.
    """
    few = requirement.extras if len(requirement.extras) <= _EXTRAS_AT_MOST else ()
    return str(replace(requirement, marker="", extras=few))


def lacks(found: NoUsableVersion, asked: str) -> list[str]:
    """Return the reasons against the versions of a project, a line each.

    ``asked`` are the specifiers that no version matches, as text.
    """
    name = found.releases.name
    if found.none is not None:
        none = f"no version of {name} matches {asked}" if asked else f"no {name}"
        # The name of an index, or the text of a direct source.
        index = found.none.index
        where = "the index" if index == DEFAULT_INDEX else index
        return [visible(f"{none}; {where} has {_there(found.none)}")]
    return [
        visible(f"{name} {span(found.releases, versions)}: {clause(reason)}")
        for versions, reasons in found.out
        for reason in reasons
    ]


def _there(reason: NoSuchVersion) -> str:
    low, high = reason.lowest, reason.highest
    return (low if low == high else f"{low} to {high}") or "none"


def details(error: PolylockError) -> list[str]:
    """Return the lines below the message of an error."""
    if isinstance(error, NothingToInstall):
        return [_rejection(each) for each in error.rejected]
    return list(error.details())


def _rejection(found: Rejection) -> str:
    subject = visible(found.label or found.file)
    text = clause(found.reason)
    return f"{subject}: {text}" if subject else text


def note(found: Note) -> str:
    """Return a note as one line."""
    return visible(_note(found))


def _note(found: Note) -> str:  # noqa: C901, PLR0911 - a case each
    project = " ".join((found.project, ", ".join(found.versions))).rstrip()
    finding, targets = found.finding, ", ".join(found.targets)
    match finding:
        case Behind():
            return _behind(finding, found, project)
        case AcceleratorMissed():
            return _missed(finding, found, project)
        case SeveralMajors() | DriverTooOld() | LibrariesForNothing():
            return _incoherent(found, project, targets)
        case (
            TorchBackendOlder()
            | TorchBackendUnfit()
            | TorchBackendUnset()
            | TorchBackendsMixed()
        ):
            return _torch(finding, found, project, targets)
        case YankedPin() | PatchNeeded():
            return _of_file(found, finding, project, targets)
        case BetterLabelLost() | BetterLabelYanked():
            return _better_label(finding, project, targets)
        case UploadTimesMissing():
            return (
                f"exclude-newer has no effect on {project}: "
                f"{index_in_words(finding.index)} gives no upload times"
            )
        case VariantsLost():
            return (
                f"{project}: its variants are left out for {targets}, since its "
                f"variant metadata is invalid: {_clause(finding.because)}"
            )
        case NamespaceUnknown():
            return (
                f"{project} has variants for {finding.namespace}, and nothing is known "
                f"of {finding.namespace} on {targets}, so none of them was chosen; "
                f"list the supported properties under {found.key} ({{}} for none), or "
                f'set exclude-variants = ["{finding.namespace}"]'
            )
        case ExtraMissing():
            asked = f"{found.project}[{finding.extra}]"
            by = f" for {finding.by}" if finding.by else ""
            return (
                f"{project} has no extra {finding.extra}, so {asked} installs nothing "
                f"more{by}"
            )
        case _:
            return _without_effect(finding, found, project)


def _of_file(
    found: Note, finding: YankedPin | PatchNeeded, project: str, targets: str
) -> str:
    """Return a note on a locked file."""
    match finding:
        case YankedPin():
            why = f" ({finding.why})" if finding.why else ""
            return (
                f"{project} on {targets} is yanked{why}; `polylock lock "
                f"--upgrade-package {found.project}` locks another version, unless a "
                "requirement pins this one"
            )
        case PatchNeeded():
            return (
                f"{project} needs Python {finding.python} at least (Requires-Python "
                f"{finding.requires_python}), and {targets} names no patch release; "
                f'set python = "{finding.python}" for it, so that sync finds one'
            )
        case _:
            assert_never(finding)


def _behind(finding: Behind, found: Note, project: str) -> str:
    targets, because = ", ".join(found.targets), _clause(finding.because)
    if isinstance(finding.because, Contradicts):
        because = f"{finding.newest} {because}"
    text = f"{project} instead of {finding.newest} on {targets}: {because}"
    if finding.aligned:
        text += f", and {', '.join(finding.aligned)} must share its version (align)"
    return f"{text}; {finding.advice}" if finding.advice else text


def _better_label(
    finding: BetterLabelLost | BetterLabelYanked, project: str, targets: str
) -> str:
    taken = finding.taken or "the wheel without a label"
    text = f"{project} on {targets}: {finding.label} is better than {taken}"
    if isinstance(finding, BetterLabelYanked):
        return f"{text}, but its wheel is yanked"
    return f"{text}, but it {_clause(finding.because)}"


def _missed(finding: AcceleratorMissed, found: Note, project: str) -> str:
    targets = ", ".join(found.targets)
    text = f"{project} on {targets} does not use {finding.accelerator}"
    if not finding.labels:
        which = (
            f"no entry of tool.polylock.sources.{found.project} fits the target"
            if finding.sources
            else f"tool.polylock.sources.{found.project} names no index with GPU builds"
        )
        text = f"{text}: it is a CPU build, and {which}"
        return f"{text}; {_SET_BACKEND}" if finding.torch else text
    match finding.because:
        case None if finding.nearest:
            return (
                f"{text}: {finding.nearest} fits and was not taken; "
                f"`polylock why {found.project}` shows what it requires"
            )
        case None:
            labels = listed(finding.labels, 3)
            return f"{text}: it has variants only for others ({labels})"
        case PropertyUnmet() as unmet:
            text += f": {finding.nearest} {_unmet(unmet, 3)}"
            advice = f"; if it supports more, change {found.key}" if found.key else ""
            return text + advice
        case Contradicts() as unmet:
            return f"{text}: {finding.nearest} fits, but it {_clause(unmet)}"
        case reason:
            return f"{text}: {finding.nearest}: {_clause(reason)}"


def _incoherent(found: Note, project: str, targets: str) -> str:
    finding = found.finding
    match finding:
        case SeveralMajors():
            text = " and ".join(
                f"{finding.platform} {major} ({', '.join(pins)})"
                for major, pins in finding.pins
            )
            verb = "get" if len(found.targets) > 1 else "gets"
            return f"{targets} {verb} libraries of {text}, which may not load together"
        case DriverTooOld():
            pins = ", ".join(finding.pins)
            text = (
                f"{pins} on {targets}: built for {finding.platform} {finding.needed}, "
                f"and {found.key} offers {finding.offers}"
            )
            return f"{text}; {_SET_BACKEND}" if finding.torch else text
        case LibrariesForNothing():
            return _for_nothing(finding, found, project, targets)
        case _:
            raise AssertionError(finding)


def _torch(
    finding: TorchBackendOlder
    | TorchBackendUnfit
    | TorchBackendUnset
    | TorchBackendsMixed,
    found: Note,
    project: str,
    targets: str,
) -> str:
    match finding:
        case TorchBackendOlder():
            many = not finding.is_last
            subject = f"{finding.other} and later" if many else finding.other
            what = f"{project} on {targets}"
            if finding.backend == "cpu":
                what += " is the CPU build"
            return f"{what}: {_obstacle(subject, finding.obstacle, many=many)}"
        case TorchBackendUnfit():
            text = _obstacle(finding.backend, finding.obstacle)
            return f"{project} on {targets} cannot run there: {text}, see {found.key}"
        case TorchBackendUnset():
            return (
                f"{project} on {targets} may not be for {finding.accelerator}, since "
                f"its index has one build for all; {_SET_BACKEND}"
            )
        case TorchBackendsMixed():
            pins = ", ".join(finding.pins)
            return (
                f"{pins} on {targets} are of several backends, and may not load "
                "together; no backend has all of them"
            )


def backends(choice: TorchChoice, backend: str, version: str) -> Iterator[str]:
    """Yield the backend of a version of torch, and the obstacles to newer ones."""
    yield visible(f"torch-backend: {choice.value} takes {backend}")
    for fit in choice.fits:
        if fit.backend == backend:
            if fit.obstacle is not None and fit.versions == ("",):
                yield visible(f"torch-backend: {_obstacle(backend, fit.obstacle)}")
            return
        if fit.obstacle is not None and not fit.runs(version):
            text = _obstacle(fit.backend, fit.obstacle)
        else:
            text = f"{fit.backend} fits, and its index has no {public(version)} for it"
        yield visible(f"torch-backend: {text}")


def obstacle_clause(backend: str, obstacle: Obstacle) -> str:
    """Return the reason why a backend cannot run on a machine."""
    return visible(_obstacle(backend, obstacle))


def _obstacle(subject: str, obstacle: Obstacle, *, many: bool = False) -> str:
    """Return the reason why a backend cannot run on a target."""
    match obstacle.about:
        case "platform":
            return f"{subject} {'are' if many else 'is'} not built for {obstacle.has}"
        case "hardware":
            return f"{subject} {'need' if many else 'needs'} {obstacle.needs}"
        case "release":
            return (
                f"{subject} would need {obstacle.subject} {obstacle.needs}, not "
                f"{obstacle.has}"
            )
        case "architecture":
            verb = "have" if many else "has"
            return f"{subject} {verb} no code for {obstacle.subject} {obstacle.has}"
        case _ as unreachable:
            assert_never(unreachable)


def _for_nothing(
    finding: LibrariesForNothing, found: Note, project: str, targets: str
) -> str:
    text = (
        f"{project} installs {file_size(finding.size)} of GPU libraries "
        f"({counted(finding.count, 'package')}) on {targets}, without a GPU"
    )
    if finding.extra:
        asked = f"{found.project}[{finding.extra}]"
        return (
            f"{text}; to leave them out, move {asked} to the dependencies of the "
            "targets with a GPU"
        )
    if finding.torch:
        return f"{text}; {_SET_BACKEND}"
    names = ", ".join(f'"{name}"' for name in found.targets)
    return (
        f"{text}; for a CPU build, write "
        f'{found.project} = [{{ index = "NAME", targets = [{names}] }}] in '
        "[tool.polylock.sources] with an index that has CPU builds"
    )


def _without_effect(
    finding: EntryUnmatched
    | LabelPinUnused
    | PatternUnmatched
    | RequiredUnused
    | RequiresProject
    | VariantMarkerUnmet,
    found: Note,
    project: str,
) -> str:
    match finding:
        case PatternUnmatched(is_installed=False):
            return (
                f"{finding.setting} has {found.project}@{finding.label}, which matches "
                f"nothing: no target installs {found.project}"
            )
        case PatternUnmatched():
            there = ", ".join(finding.there)
            have = f"the variants {there}" if there else "no variants"
            return (
                f"{finding.setting} has {found.project}@{finding.label}, which matches "
                f"nothing: {project} has {have}"
            )
        case LabelPinUnused() | RequiredUnused():
            where = "there" if found.targets else "on any target"
            return f"{found.key} has no effect: {project} is not installed {where}"
        case EntryUnmatched():
            there = ", ".join(finding.there)
            have = f"variants for {there}" if there else "no variants"
            return (
                f"{finding.setting} has {finding.entry}, which matches nothing: the "
                f"locked packages have {have}"
            )
        case VariantMarkerUnmet():
            return (
                f"{finding.requirement}: {finding.origin} has no variant, so its "
                "marker for variants is never true; such markers refer to the wheel "
                "whose metadata has them"
            )
        case RequiresProject():
            return (
                f"{finding.origin} requires {found.project}, which is the project "
                "itself, so nothing is installed for it; does the project need another "
                "name?"
            )
        case _ as unreachable:
            assert_never(unreachable)


def _labels(labels: Sequence[str]) -> str:
    named = [label for label in labels if label]
    found = [f"label {listed(named)}"] if named else []
    if "" in labels:
        found.append("files without a label")
    return " and ".join(found)


def listed(texts: Sequence[str], most: int = 6) -> str:
    """Return the first few texts as a list, and how many more there are."""
    more = len(texts) - most
    rest = f" and {more} more" if more > 0 else ""
    return ", ".join(texts[:most]) + rest


_PREDICATES = (
    BuildCycle
    | ConflictsWithPins
    | Contradicts
    | DirectReference
    | NotOpened
    | NotRequired
    | PinnedLabelMissing
    | PythonUnmet
    | RequiresItself
    | WheelsForbidden
)
"""Reasons whose clause needs a subject: the version, file or label."""


def _clause(reason: Reason) -> str:  # noqa: C901, PLR0911, PLR0912 - a case each
    match reason:
        case Excluded():
            return _excluded(reason)
        case FilesOut():
            return "; ".join(map(_clause, reason.reasons))
        case GivenUp(because=Unopposed(project=project)):
            return (
                f"better than {reason.chosen or 'no label'} by the index as it is "
                f"now, and compatible with what is locked; "
                f"`polylock lock --upgrade-package {project}` tries it"
            )
        case GivenUp():
            because = _clause(reason.because)
            it = "it " if isinstance(reason.because, _PREDICATES) else ""
            return f"better than {reason.chosen or 'no label'}, but {it}{because}"
        case NoSuchProject():
            return f"no index has {reason.project}"
        case NoSuchVersion():
            return _no_version(reason)
        case Yanked(fits=True):
            why = f" ({reason.why})" if reason.why else ""
            return f"would fit and is yanked{why}"
        case Yanked():
            return f"yanked: {reason.why}" if reason.why else "yanked"
        case PreRelease():
            return "pre-releases are not admitted"
        case UploadedLater():
            return "uploaded after exclude-newer"
        case NoUploadTime():
            return "no upload time, which exclude-newer requires"
        case Unfit(tags=()):
            return "its tags do not fit the target"
        case Unfit():
            return f"no wheel for this machine: there is {listed(reason.tags)}"
        case NoFile():
            return _no_file(reason)
        case PythonUnmet():
            return f"requires Python {reason.requires_python}"
        case NeedsBuild():
            return _needs_build(reason)
        case BuildCycle():
            return f"is needed to build itself: {' -> '.join(reason.chain)}"
        case WheelsForbidden():
            return "has wheels, which no-binary-package forbids"
        case InvalidMetadata():
            return _invalid(reason)
        case DirectReference():
            return f"requires {_required(reason.requirement)}, a direct reference"
        case RequiresItself():
            return (
                f"requires another version of itself: {_required(reason.requirement)}"
            )
        case NotOpened():
            return "is a source distribution, and no more of them are opened"
        case OfLabels():
            return f"{_labels(reason.labels)}: {_clause(reason.reason)}"
        case Contradicts():
            return _contradicts(reason)
        case HeldBack():
            return (
                f"held back for {reason.target} ({_clause(reason.because)}), since "
                "targets share a version where they can (align)"
            )
        case AlignedWith():
            targets = ", ".join(reason.targets)
            return (
                f"{targets} must have {reason.version}, and align requires one version"
            )
        case ConflictsWithPins():
            return "conflicts with the other pins"
        case NotRequired():
            return (
                f"is built against {reason.project} {reason.release}, and nothing "
                "requires that"
            )
        case OlderPinKept():
            return f"{reason.version} is locked, and pins are kept while they fit"
        case LowestWanted():
            return f'resolution = "{reason.mode}" takes the lowest that fits'
        case DirectSourceNamed():
            return "the project names a direct source"
        case NotExamined():
            return f"not examined: only the newest {reason.count} were"
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
            | VariantRequired()
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
    | SdistBehindWheel
    | VariantRequired,
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
            return "a wheel is preferred to the source distribution"
        case VariantRequired():
            patterns = map(_required_pattern, reason.patterns)
            asked = f"require-variants asks for {' or '.join(patterns)}"
            there = " and ".join(reason.there)
            return f"{asked}, and the label has {there}" if there else asked
        case _ as unreachable:
            assert_never(unreachable)


_MISSPELLED = 0.75
"""Lowest similarity to a known namespace: a project may have one of its own."""


def _required_pattern(pattern: str) -> str:
    """Return a pattern, with the known one that it may be a misspelling of."""
    if "@" in pattern:
        return pattern
    namespace, *rest = (part.strip() for part in pattern.split("::"))
    near = closest(namespace, FEATURE_NAMES, similarity=_MISSPELLED)
    if namespace in FEATURE_NAMES:
        known = FEATURE_NAMES[namespace]
        feature = closest(rest[0], known) if rest and rest[0] not in known else None
        meant = f"{namespace} :: {feature}" if feature else None
    elif owner := next((n for n, of in FEATURE_NAMES.items() if namespace in of), None):
        meant = f"{owner} :: {pattern}"
    else:
        meant = " :: ".join([near, *rest]) if near else None
    return f"{pattern} (did you mean {meant}?)" if meant else pattern


def _excluded(reason: Excluded) -> str:
    *parents, last = reason.chain
    text = request(last)
    if len(parents) > 1:
        text += f", by way of {' > '.join(_name_of(one.by) for one in parents[1:])}"
    if reason.because is not None and isinstance(last.by, PackageOrigin):
        text += f"; {last.by.name} {reason.newer}: {_clause(reason.because)}"
    return text


def _name_of(who: Origin) -> str:
    return who.name if isinstance(who, PackageOrigin) else origin(who)


def _no_version(reason: NoSuchVersion) -> str:
    missing = f"{index_in_words(reason.index)} does not have it"
    return f"{missing}: it has {_there(reason)}" if reason.highest else missing


def _no_file(reason: NoFile) -> str:
    if not reason.has_wheels:
        return "has no file that can be installed"
    none = f"no wheel fits {reason.target}"
    if not reason.nearest:
        return none
    nearest = "nearest are for" if reason.is_near else "there are some for"
    return f"{none}: {nearest} {listed(reason.nearest)}"


def _needs_build(reason: NeedsBuild) -> str:
    by = {
        "build-package": "build-package does not name it",
        "build": 'build = "none" forbids that',
        "no-build-package": "no-build-package forbids that",
    }[reason.key]
    if reason.is_static:
        return f"its source distribution must be built, and {by}"
    return f"its source distribution must be built to know what it requires, and {by}"


def _invalid(reason: InvalidMetadata) -> str:
    file = f"{reason.file}: " if reason.file else ""
    line = f', in the line "{reason.line}"' if reason.line else ""
    return f"{file}{reason.problem}{line}"


def _contradicts(reason: Contradicts) -> str:
    project = reason.requirement.name
    verb = "requires, by override-dependencies," if reason.overridden else "requires"
    wanted = f"{verb} {_required(reason.requirement)}"
    if reason.because is None:
        return f"{wanted}, and {project} is {reason.taken}"
    because = _clause(reason.because)
    match reason.because:
        case NoSuchVersion():
            index = index_in_words(reason.because.index)
            return f"{wanted}, and {index} has {_there(reason.because)}"
        case NoSuchProject() | Excluded(newer="") | DirectSourceNamed():
            return f"{wanted}, and {because}"
        case _:
            return f"{wanted}; {project} {reason.newest}: {because}"


def _unmet(reason: PropertyUnmet, most: int = _VALUES_AT_MOST) -> str:
    one_of = "" if len(reason.values) == 1 else "one of "
    need = (
        f"needs {one_of}{reason.namespace} :: {reason.feature} :: "
        f"{listed(reason.values, most)}"
    )
    match reason.gap:
        case "abi" if reason.offered:
            return f"{need}, and {reason.feature} is {listed(reason.offered)}"
        case "abi":
            return f"{need}, and what is installed is not known"
        case "priorities":
            return (
                f"{need}, a namespace that default-priorities.namespace does not list"
            )
        case "namespace":
            return f"{need}, and the target supports no {reason.namespace} property"
        case "value":
            offered = listed(reason.offered, most)
            return f"{need}, and the target supports {offered or 'none'}"
        case _ as unreachable:
            assert_never(unreachable)


def _lost(reason: LabelLost) -> str:
    lost = f"lost to {reason.winner}"
    if reason.pattern:
        return f"{lost}: prefer-variants has {reason.pattern}"
    if reason.is_plain:
        return f"{lost}: a variant that fits is preferred to a wheel without a label"
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
