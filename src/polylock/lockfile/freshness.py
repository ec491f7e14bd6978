"""Compares a lock file with its project; no difference means it is up to date.

The inputs recorded in the lock file are compared with those of the project item by
item, offline and without a solver. The time, the machine and the project's own version
do not matter, nor do comments, order and spelling in the project file.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from polylock.lockfile.record import (
    LIST_SETTINGS,
    TEXT_SETTINGS,
    LockedFeature,
    LockedInputs,
    LockedSource,
    LockedTarget,
    moment_of,
    record_inputs,
    record_target,
    requirement_text,
)
from polylock.lockfile.select import applicable, project_groups
from polylock.lockfile.toml_values import moment
from polylock.lockfile.vouching import ambiguous, unreached, unvouched
from polylock.model.direct import table_of_source
from polylock.model.folding import fold
from polylock.model.inputs import EVERY_PROJECT, Inputs, RootRequirement
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from polylock.lockfile.pylock import Package, Pylock
    from polylock.model.target import Target

__all__ = ["Difference", "DifferenceKind", "differences"]

_DEFAULTS = Inputs()


class DifferenceKind(enum.StrEnum):
    """The kind of a difference; values are stable, for readers of `check --json`."""

    RECORD = "record"
    """The lock file does not record its inputs: another tool wrote it."""
    REQUIRES_PYTHON = "requires-python"
    REQUIREMENT = "requirement"
    CONSTRAINT = "constraint"
    OVERRIDE = "override"
    EXTRA = "extra"
    GROUP = "dependency group"
    SETTING = "setting"
    INDEX = "index"
    SOURCE = "source"
    TREE = "source tree"
    """What a source tree on disk requires has changed since it was locked."""
    TARGET = "target"
    TARGET_ORDER = "order of the targets"
    PIN = "pin"
    """A pin does not meet the project's requirements: the lock file was edited."""
    DIRECT = "direct source"
    """The lock file installs from a source that the project does not name for it."""
    UNREQUIRED = "unrequired package"
    """Nothing in the lock file requires a package: the lock file was edited."""
    AMBIGUOUS = "ambiguous package"
    """Two entries for one project are installed together: the lock file was edited."""


class Difference(Value, frozen=True, kw_only=True):
    """One difference between the lock file and the project.

    ``subject`` names it within its kind. ``locked`` is the value in the lock file,
    ``wanted`` the one in the project; None if there is none.
    """

    kind: DifferenceKind
    subject: str
    locked: str | None = None
    wanted: str | None = None

    def __str__(self) -> str:
        match self.kind:
            case DifferenceKind.RECORD:
                return "the lock file does not record its inputs"
            case DifferenceKind.TARGET_ORDER:
                return f"the targets are {self.wanted}, locked as {self.locked}"
            case DifferenceKind.PIN:
                locked = "has none" if self.locked is None else f"has {self.locked}"
                return f"{self.subject}: {self.wanted} is required, the lock {locked}"
            case DifferenceKind.DIRECT:
                return (
                    f"{self.subject} is locked from {self.locked or 'an index'}, "
                    f"the project has it from {self.wanted or 'an index'}"
                )
            case DifferenceKind.UNREQUIRED | DifferenceKind.AMBIGUOUS:
                if self.kind is DifferenceKind.AMBIGUOUS:
                    how, end = "locked more than once", ""
                else:
                    how, end = "locked", ", but not required"
                return f"{self.subject} is {how} for {self.locked}{end}"
            case _:
                return self._comparison()

    def _comparison(self) -> str:
        if self.kind is DifferenceKind.TREE:
            end = "is new" if self.locked is None else "is gone"
            return f"{self.subject}: {self.locked or self.wanted} {end}"
        what = f"{self.kind} {self.subject}".rstrip()
        if self.locked is None:
            return f"{what} is new"
        if self.wanted is None:
            return f"{what} is gone"
        return f"{what} is {self.wanted}, locked as {self.locked}"


def differences(
    pylock: Pylock,
    inputs: Inputs,
    targets: Sequence[Target],
    *,
    besides: Collection[str] = (),
    lock_path: Callable[[str], str] = str,
) -> tuple[Difference, ...]:
    """Return the differences in a fixed order; none if the lock file is up to date.

    Differences that concern only targets in ``besides`` are left out. ``lock_path``
    turns a path relative to the project file into one relative to the lock file.
    Cost: at most a fold of all markers of the lock file for each target.
    """
    if pylock.polylock is None:
        return (Difference(kind=DifferenceKind.RECORD, subject=""),)
    locked, wanted = (
        replace(
            each,
            targets={n: texts for n, texts in each.targets.items() if n not in besides},
        )
        for each in (pylock.polylock.inputs, record_inputs(inputs))
    )
    recorded = [each for each in pylock.polylock.targets if each.name not in besides]
    targets = [each for each in targets if each.name not in besides]
    found = [
        *_top_level(pylock, inputs),
        *_requirements(locked, wanted),
        *_settings(locked, wanted),
        *_indexes(locked, wanted),
        *_sources(locked.sources, wanted.sources),
        *_trees(locked.trees, wanted.trees),
        *_targets(recorded, [record_target(each) for each in targets]),
    ]
    known = set(pylock.target_names)
    for target in targets:
        if target.name in known:
            found.extend(_pins(pylock, inputs, target))
    here = [target for target in targets if target.name in known]
    found.extend(_ambiguous(pylock, inputs, here))
    if not found:  # the dependencies of a removed requirement are not edits
        found.extend(_unrequired(pylock, inputs, here))
    subjects = {_name_of(difference.subject) for difference in found}
    found.extend(
        difference
        for difference in _direct(pylock, inputs, here, lock_path)
        if difference.subject not in subjects
    )
    return tuple(found)


def _direct(
    pylock: Pylock,
    inputs: Inputs,
    targets: Sequence[Target],
    lock_path: Callable[[str], str],
) -> Iterator[Difference]:
    """Yield the packages from a source that the project does not name."""
    kind = DifferenceKind.DIRECT
    for package, locked, wanted in unvouched(
        pylock, inputs, targets, lock_path=lock_path
    ):
        yield Difference(kind=kind, subject=package.name, locked=locked, wanted=wanted)
    if any(index.url.startswith("file:") for index in inputs.indexes):
        return  # a file on disk is locked without an index
    for package in pylock.packages:
        on_disk = next(_on_disk(package), None)
        if on_disk is not None:
            locked = f"{on_disk}, which is on no index of the project"
            yield Difference(kind=kind, subject=package.name, locked=locked)
        elif package.sdist is not None and package.index is None and not package.wheels:
            filename = package.sdist.filename
            locked = f"{filename}, which is not from an index"
            yield Difference(kind=kind, subject=package.name, locked=locked)


def _on_disk(package: Package) -> Iterator[str]:
    """Yield the places of the files of an entry that no server has."""
    for file in (*package.wheels, package.sdist):
        if file is not None and file.path is not None:
            yield file.path
        elif file is not None and (file.url or "").lower().startswith("file:"):
            yield file.url or ""


def _ambiguous(
    pylock: Pylock, inputs: Inputs, targets: Sequence[Target]
) -> Iterator[Difference]:
    """Yield the projects that have two entries in one selection."""
    places: dict[str, list[str]] = {}
    for target in targets:
        for pair in ambiguous(pylock, inputs, target):
            versions = [package.version or "" for package in pair]
            what = " and ".join(dict.fromkeys(filter(None, versions)))
            subject = f"{pair[0].name} {what}".rstrip()
            places.setdefault(subject, []).append(target.name)
    yield from _by_target(DifferenceKind.AMBIGUOUS, places)


def _unrequired(
    pylock: Pylock, inputs: Inputs, targets: Sequence[Target]
) -> Iterator[Difference]:
    """Yield the packages that are installed although nothing requires them."""
    places: dict[str, list[str]] = {}
    for target in targets:
        for package in unreached(pylock, inputs, target):
            subject = f"{package.name} {package.version or ''}".rstrip()
            places.setdefault(subject, []).append(target.name)
    yield from _by_target(DifferenceKind.UNREQUIRED, places)


def _by_target(
    kind: DifferenceKind, places: Mapping[str, Sequence[str]]
) -> Iterator[Difference]:
    """Yield a difference for each subject, sorted, with the targets that have it."""
    for subject in sorted(places):
        targets = ", ".join(dict.fromkeys(places[subject]))
        yield Difference(kind=kind, subject=subject, locked=targets)


def _top_level(pylock: Pylock, inputs: Inputs) -> Iterator[Difference]:
    yield from _changed(
        DifferenceKind.REQUIRES_PYTHON,
        "",
        _specifier(pylock.requires_python),
        _specifier(inputs.requires_python),
    )
    extras = pylock.extras or ()
    yield from _members(DifferenceKind.EXTRA, extras, inputs.extras)
    yield from _members(DifferenceKind.GROUP, project_groups(pylock), inputs.groups)
    default = pylock.default_groups or (None,)
    yield from _changed(
        DifferenceKind.SETTING, "default-target", default[0], inputs.default_target
    )


def _requirements(locked: LockedInputs, wanted: LockedInputs) -> Iterator[Difference]:
    kind = DifferenceKind.REQUIREMENT
    yield from _texts(kind, "", locked.requirements, wanted.requirements)
    for what, before, after in (
        ("extra", locked.extras, wanted.extras),
        ("group", locked.groups, wanted.groups),
        ("target", locked.targets, wanted.targets),
    ):
        for name in sorted({*before, *after}):
            place = f" of {what} {name}"
            yield from _texts(kind, place, before.get(name, ()), after.get(name, ()))
    for kind, texts, now in (
        (DifferenceKind.CONSTRAINT, locked.constraints, wanted.constraints),
        (DifferenceKind.OVERRIDE, locked.overrides, wanted.overrides),
    ):
        yield from _texts(kind, "", texts, now)


def _texts(
    kind: DifferenceKind, place: str, locked: Sequence[str], wanted: Sequence[str]
) -> Iterator[Difference]:
    """Yield the differences of two sets of requirements.

    If each side has one requirement on a project, the pair is a change.
    """
    gone = sorted(set(locked) - set(wanted))
    new = sorted(set(wanted) - set(locked))
    for name in sorted({_name_of(text) for text in (*gone, *new)}):
        before = [text for text in gone if _name_of(text) == name]
        after = [text for text in new if _name_of(text) == name]
        if len(before) == len(after) == 1:
            subject = f"{name}{place}"
            yield Difference(
                kind=kind, subject=subject, locked=before[0], wanted=after[0]
            )
            continue
        for text in before:
            yield Difference(kind=kind, subject=f"{text}{place}", locked=text)
        for text in after:
            yield Difference(kind=kind, subject=f"{text}{place}", wanted=text)


def _settings(locked: LockedInputs, wanted: LockedInputs) -> Iterator[Difference]:
    kind = DifferenceKind.SETTING
    kept = locked.kept_cutoffs()
    before, after = (
        _cutoffs(locked.exclude_newer_spans.keys() & kept, locked),
        _cutoffs(wanted.exclude_newer_spans, wanted),
    )
    for subject in sorted({*before, *after}):
        yield from _changed(kind, subject, before.get(subject), after.get(subject))
    for key in TEXT_SETTINGS:
        default = getattr(_DEFAULTS, key.replace("-", "_"))
        yield from _changed(
            kind,
            key,
            locked.settings.get(key, default),
            wanted.settings.get(key, default),
        )
    for key in LIST_SETTINGS:
        yield from _changed(
            kind, key, _listed(locked.lists.get(key)), _listed(wanted.lists.get(key))
        )
    required = locked.require_variants, wanted.require_variants
    yield from _required(DifferenceKind.SETTING, "", *required)
    if locked.builds != wanted.builds:
        one, other = dict(locked.builds.texts()), dict(wanted.builds.texts())
        for subject in sorted({*one, *other}):
            yield from _changed(kind, subject, one.get(subject), other.get(subject))


def _cutoffs(spans: Collection[str], inputs: LockedInputs) -> dict[str, str]:
    """Return the cutoffs as text, by key; of ``spans`` the span.

    The time that a lock took for a span is not compared: so no clock is needed to say
    that the lock file is up to date.
    """
    texts: dict[str, str] = {}
    if spans:
        # Not imported for a project without spans.
        from polylock.model.cutoffs import span_text  # noqa: PLC0415 - see above

        texts = {name: span_text(inputs.exclude_newer_spans[name]) for name in spans}
    moments: dict[str, int | None] = dict(inputs.exclude_newer_package)
    if inputs.exclude_newer is not None:
        moments[EVERY_PROJECT] = inputs.exclude_newer
    for name, cutoff in moments.items():
        if name not in texts:
            texts[name] = "false" if cutoff is None else moment(moment_of(cutoff))
    key = "exclude-newer"
    return {f"{key}-package {name}" if name else key: texts[name] for name in texts}


def _indexes(locked: LockedInputs, wanted: LockedInputs) -> Iterator[Difference]:
    before = {each.name: each for each in locked.indexes}
    after = {each.name: each for each in wanted.indexes}
    if locked.indexes and wanted.indexes:
        yield from _members(DifferenceKind.INDEX, tuple(before), tuple(after))
    elif locked.indexes or wanted.indexes:
        texts = (_joined(tuple(before)), _joined(tuple(after)))
        default = "the default index"
        yield Difference(
            kind=DifferenceKind.INDEX,
            subject="",
            locked=texts[0] or default,
            wanted=texts[1] or default,
        )
    words = {True: "explicit", False: "for all projects"}
    for name, index in before.items():
        if name in after:
            now_explicit = words[after[name].explicit]
            yield from _changed(
                DifferenceKind.INDEX, name, words[index.explicit], now_explicit
            )
    order = [name for name in before if name in after]
    now = [name for name in after if name in before]
    yield from _changed(DifferenceKind.INDEX, "order", _joined(order), _joined(now))


def _sources(
    locked: Mapping[str, tuple[LockedSource, ...]],
    wanted: Mapping[str, tuple[LockedSource, ...]],
) -> Iterator[Difference]:
    for name in sorted({*locked, *wanted}):
        before, after = (
            " then ".join(_source_text(entry) for entry in each.get(name, ())) or None
            for each in (locked, wanted)
        )
        if before != after:
            yield Difference(
                kind=DifferenceKind.SOURCE, subject=name, locked=before, wanted=after
            )


def _source_text(source: LockedSource) -> str:
    properties = f" with {', '.join(source.properties)}" if source.properties else ""
    targets = f" for {', '.join(source.targets)}" if source.targets else ""
    if source.direct is None:
        return f"{source.index}{properties}{targets}"
    table = table_of_source(source.direct).items()
    words = [key if value is True else f"{key} {value}" for key, value in table]
    return f"{', '.join(words)}{properties}{targets}"


def _trees(
    locked: Mapping[str, Sequence[str]], wanted: Mapping[str, Sequence[str]]
) -> Iterator[Difference]:
    """Yield what trees require anew or no longer, unless they are not there."""
    kind = DifferenceKind.TREE
    for path in wanted:
        before = locked.get(path, ())
        subject = f"source tree {path}"
        for text in before:
            if text not in wanted[path]:
                yield Difference(kind=kind, subject=subject, locked=text)
        for text in wanted[path]:
            if text not in before:
                yield Difference(kind=kind, subject=subject, wanted=text)


def _targets(
    locked: Sequence[LockedTarget], wanted: Sequence[LockedTarget]
) -> Iterator[Difference]:
    kind = DifferenceKind.TARGET
    before = {target.name: target for target in locked}
    after = {target.name: target for target in wanted}
    yield from _members(kind, tuple(before), tuple(after))
    for name, target in before.items():
        if name in after:
            yield from _target(target, after[name])
    order = [name for name in before if name in after]
    now = [name for name in after if name in before]
    if order != now:
        yield Difference(
            kind=DifferenceKind.TARGET_ORDER,
            subject="",
            locked=", ".join(order),
            wanted=", ".join(now),
        )


def _target(locked: LockedTarget, wanted: LockedTarget) -> Iterator[Difference]:
    kind = DifferenceKind.TARGET
    for key in ("platform", "python", "libc", "macos", "torch-backend"):
        attribute = key.replace("-", "_")
        before, after = getattr(locked, attribute), getattr(wanted, attribute)
        yield from _changed(kind, f"{locked.name}: {key}", before, after)
    for name in sorted({*locked.variants, *wanted.variants}):
        before, after = locked.variants.get(name), wanted.variants.get(name)
        yield from _changed(kind, f"{locked.name}: variant of {name}", before, after)
    for key in ("exclude_variants", "prefer_variants"):
        spelled = key.replace("_", "-")
        yield from _changed(
            kind,
            f"{locked.name}: {spelled}",
            _patterns(getattr(locked, key)),
            _patterns(getattr(wanted, key)),
        )
    yield from _required(
        kind,
        f"{locked.name}: ",
        locked.require_variants,
        wanted.require_variants,
    )
    for word, one, other in (
        ("stated", locked.stated, wanted.stated),
        ("derived", locked.derived, wanted.derived),
    ):
        before, after = _by_feature(one), _by_feature(other)
        place = f"{locked.name}: {word}"
        for feature in sorted({*before, *after}):
            yield from _changed(
                kind,
                f"{place} {feature}",
                before.get(feature),
                after.get(feature),
            )
        kept = [feature for feature in before if feature in after]
        now = [feature for feature in after if feature in before]
        yield from _changed(
            kind, f"{place} order of features", _joined(kept), _joined(now)
        )


def _required(
    kind: DifferenceKind,
    place: str,
    locked: Mapping[str, tuple[str, ...]],
    wanted: Mapping[str, tuple[str, ...]],
) -> Iterator[Difference]:
    for name in sorted({*locked, *wanted}):
        yield from _changed(
            kind,
            f"{place}require-variants of {name}",
            _patterns(locked.get(name)),
            _patterns(wanted.get(name)),
        )


def _patterns(texts: Sequence[str] | None) -> str | None:
    """Return patterns as one text; an empty list is not the same as none."""
    return None if texts is None else ", ".join(texts) or "[]"


def _by_feature(features: Sequence[LockedFeature]) -> dict[str, str]:
    return {str(each): ", ".join(each.values) or "supported" for each in features}


def _pins(pylock: Pylock, inputs: Inputs, target: Target) -> Iterator[Difference]:
    """Yield the pins that do not meet the project's requirements.

    They were changed by hand. Requirements that are not recorded are skipped, for they
    are differences already; so are those whose marker the target leaves open.
    """
    assert pylock.polylock is not None
    locked = pylock.polylock.inputs
    installed: dict[tuple[str | None, str | None], dict[str, Package]] = {}
    for root in inputs.requirements:
        if root.target not in {None, target.name} or not _is_recorded(root, locked):
            continue
        key = root.extra, root.group
        if key not in installed:
            installed[key] = {
                package.name: package
                for package in applicable(
                    pylock,
                    target,
                    groups=[target.name, *([root.group] if root.group else [])],
                    extras=[root.extra] if root.extra else [],
                    certain=True,
                )
            }
        for asked in _asked(root.requirement, inputs):
            package = installed[key].get(asked.normalized_name)
            if not _holds(asked, target) or (package and _meets(package, asked)):
                continue
            version = None if package is None else f"{asked.name} {package.version}"
            yield Difference(
                kind=DifferenceKind.PIN,
                subject=f"target {target.name}",
                locked=version,
                wanted=requirement_text(asked),
            )


def _asked(requirement: Requirement, inputs: Inputs) -> list[Requirement]:
    """Return the overrides of a requirement, or itself if there are none."""
    overrides = [each for each in inputs.overrides if each.name == requirement.name]
    return overrides or [requirement]


def _is_recorded(root: RootRequirement, locked: LockedInputs) -> bool:
    if root.extra is not None:
        texts = locked.extras.get(root.extra, ())
    elif root.group is not None:
        texts = locked.groups.get(root.group, ())
    elif root.target is not None:
        texts = locked.targets.get(root.target, ())
    else:
        texts = locked.requirements
    return requirement_text(root.requirement) in texts


def _holds(requirement: Requirement, target: Target) -> bool:
    """Return True if a requirement applies to a target on every machine."""
    marker = requirement.marker_expression
    return marker is None or fold(marker, target) is True


def _meets(package: Package, requirement: Requirement) -> bool:
    if requirement.url is not None or package.version is None:
        return True
    return SpecifierSet(requirement.specifier).contains(
        package.version, prereleases=True
    )


@lru_cache(maxsize=1024)
def _specifier(text: str | None) -> str | None:
    return str(SpecifierSet(text)) if text else None


@lru_cache(maxsize=4096)
def _name_of(text: str) -> str:
    """Return the name in a requirement; the text itself if it was made invalid."""
    try:
        return Requirement.parse(text).name
    except InvalidRequirement:
        return text


def _joined(texts: Sequence[str] | None) -> str | None:
    return ", ".join(texts) if texts else None


def _listed(texts: Sequence[str] | None) -> str | None:
    """Return texts with commas; an empty list that was given is not the default."""
    return None if texts is None else ", ".join(texts) or "none"


def _changed(
    kind: DifferenceKind, subject: str, locked: str | None, wanted: str | None
) -> Iterator[Difference]:
    """Yield the difference of a value that may be unset."""
    if locked != wanted:
        yield Difference(
            kind=kind,
            subject=subject,
            locked="not set" if locked is None else locked,
            wanted="not set" if wanted is None else wanted,
        )


def _members(
    kind: DifferenceKind, locked: Sequence[str], wanted: Sequence[str]
) -> Iterator[Difference]:
    for name in sorted(set(locked) - set(wanted)):
        yield Difference(kind=kind, subject=name, locked=name)
    for name in sorted(set(wanted) - set(locked)):
        yield Difference(kind=kind, subject=name, wanted=name)
