"""``polylock index simulate``: the file of a release that each machine would take.

Machines are presets and targets. The answer is that of a lock for one project: the
candidates of the version, best first, as the solver sees them. What the project's
dependencies would change is not part of it.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from polylock.errors import IndexRequestError, NoSuchTarget, UsageError
from polylock.explain.documents import document
from polylock.explain.near_miss import near
from polylock.explain.words import clause, tags_unfit
from polylock.model.distributions import Release, Releases, RemoteFile, labelled_wheels
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.inputs import IndexLocation, Inputs
from polylock.model.reasons import PropertyUnmet, Unfit
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.model.target import usual_platform
from polylock.network.auth import redact
from polylock.network.local_files import is_local, local_path
from polylock.operations.builds.wiring import IndexContext
from polylock.operations.workspace import open_workspace
from polylock.project.presets import (
    GROUPS,
    find_spelled,
    preset_names,
    presets,
    search,
)
from polylock.project.targets import parse_targets
from polylock.providers.derive import build_target
from polylock.resolution.candidate_pool import CandidatePool
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from polylock.index.source import PackageIndexes
    from polylock.model.reasons import Rejection
    from polylock.model.target import Target
    from polylock.ports import Reporter
    from polylock.project.settings import Settings
    from polylock.resolution.candidates import Candidate

__all__ = ["Outcome", "Rejected", "Simulation", "Taken", "simulate"]

_PLAIN = "plain"
_SDIST = "sdist"
_NULL = "null"
_UNREAD = "-"
"""Stands for the label of a file name that has none of the form; no label is this."""

_CPYTHON = re.compile(r"cp3([0-9]{1,3})")
_MOST_ORDERED = 200
"""Most labels that are put in the order of machines; more are sorted by name."""

_DEFAULT_PYTHON = "3.13"
"""The Python of presets where wheels are for any."""


class Taken(Value, frozen=True, kw_only=True, rename="kebab"):
    """A file that a machine could take.

    ``label`` is None for a file without one; ``kind`` is ``variant``, ``null``,
    ``plain`` or ``sdist``. ``size`` is in bytes, None if the index does not tell.
    ``needs`` are the versions of other projects that the label is built for.
    """

    kind: str
    label: str | None
    file: str
    size: int | None
    needs: tuple[str, ...] = ()


class Rejected(Value, frozen=True, kw_only=True):
    """A label that a machine cannot take, or a file without one, and why not.

    ``nearest`` are the platforms of its wheels for the system and the Python of the
    machine, where the reason is that their tags do not fit.
    """

    label: str | None
    because: Rejection
    nearest: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Return the reason as a clause."""
        if isinstance(self.because.reason, Unfit):
            return tags_unfit(self.nearest)
        return clause(self.because.reason)


class Outcome(Value, frozen=True, kw_only=True):
    """What a machine could take, best first, and why it takes no other label."""

    machine: str
    preset: bool
    platform: str
    python: str
    accelerators: tuple[str, ...]
    order: tuple[Taken, ...]
    rejected: tuple[Rejected, ...]

    @property
    def takes(self) -> Taken | None:
        """Return the file that the machine takes, None for none."""
        return self.order[0] if self.order else None

    @property
    def closest(self) -> Rejected | None:
        """Return the reason against better labels, by the label that lacks least.

        That is one for hardware that the machine has, else one with a wheel for its
        platform. None for a machine that takes a label with properties.
        """
        taken = self.takes
        if taken is not None and taken.kind == "variant":
            return None
        if taken is None:
            # What any machine can take says most about why this one cannot.
            usual = [each for each in self.rejected if each.label in {None, _NULL}]
            return min(usual or self.rejected, key=self._distance, default=None)
        return min(self.rejected, key=self._distance, default=None)

    def _distance(self, found: Rejected) -> int:
        match found.because.reason:
            case PropertyUnmet(gap="value") as unmet:
                return 0 if unmet.namespace in self.accelerators else 1
            case Unfit():
                return 4
            case PropertyUnmet():
                return 3
            case _:
                return 2

    def place(self, column: str) -> int | None:
        """Return the place of a label, or of a kind without one, from 1; or None."""
        names = [taken.label or taken.kind for taken in self.order]
        return names.index(column) + 1 if column in names else None

    def to_json(self) -> dict[str, Any]:
        """Return an entry of ``index simulate --json``."""
        closest = self.closest
        return {
            "machine": self.machine,
            "preset": self.preset,
            "platform": self.platform,
            "python": self.python,
            "accelerators": list(self.accelerators),
            "order": [_document(taken) for taken in self.order],
            "rejected": [
                {
                    "label": found.label,
                    "file": found.because.file or None,
                    "because": found.words,
                    "nearest": list(found.nearest),
                    "reason": document(found.because.reason),
                }
                for found in self.rejected
            ],
            "closest": None
            if closest is None
            else {"label": closest.label, "because": closest.words},
        }


def _document(taken: Taken) -> dict[str, Any]:
    return {
        "kind": taken.kind,
        "label": taken.label,
        "file": taken.file,
        "size": taken.size,
        "needs": list(taken.needs),
    }


class Simulation(Value, frozen=True, kw_only=True):
    """What all machines take of a release.

    ``columns`` are its labels, best first as far as machines say, null last, and
    ``plain`` and ``sdist`` if there is a file of that kind.
    """

    index: str
    project: str
    version: str
    python: str
    columns: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``index simulate --json``."""
        return {
            "index": self.index,
            "project": self.project,
            "version": self.version,
            "columns": list(self.columns),
            "machines": [outcome.to_json() for outcome in self.outcomes],
        }


def simulate(  # noqa: PLR0913 - what the user can say
    place: str,
    requirement: str,
    settings: Settings,
    reporter: Reporter,
    *,
    chosen_presets: Sequence[str] = (),
    chosen_targets: Sequence[str] = (),
    python: str | None = None,
) -> Simulation:
    """Return the files that machines take of a release; all presets by default.

    ``requirement`` is a name with a version specifier or without, for which the newest
    version counts. ``python`` is that of presets; by default the newest of those that
    have most wheels. Raises UsageError, ProjectNotFound, IndexRequestError, Offline,
    NoSuchTarget, ProjectError.
    """
    wanted = _requirement(requirement)
    location = _location(place)
    inputs = Inputs(indexes=(location,))
    fresh = settings if settings.offline else replace(settings, refresh=True)
    names = _presets(chosen_presets)
    if not (names or chosen_targets):
        names = preset_names()
    with IndexContext(fresh, inputs, reporter) as context:
        source = context.source
        declared = _declared(settings, chosen_targets)
        any_target = declared[0] if declared else _preset_targets(["linux-x86_64"])[0]
        releases = source.releases(wanted.normalized_name, any_target)
        position = _position(releases, wanted)
        release = releases.release(position)
        python = python or _usual_python(release)
        found = _preset_targets(names, python)
        machines = [
            (name, target, True) for name, target in zip(names, found, strict=True)
        ]
        machines += [(target.name, target, False) for target in declared]
        sizes = _Sizes(context)
        outcomes = tuple(
            replace(
                _outcome(target, releases, position, source, sizes),
                machine=name,
                preset=is_preset,
            )
            for name, target, is_preset in machines
        )
    columns = _columns(release, outcomes)
    return Simulation(
        index=redact(place) if "://" in place else place,
        project=releases.name,
        version=release.version,
        python=python,
        columns=columns,
        outcomes=tuple(_in_order(outcome, columns) for outcome in outcomes),
    )


def _in_order(outcome: Outcome, columns: Sequence[str]) -> Outcome:
    """Return an outcome with the reasons of the labels that are preferred first."""
    ranks = {column: rank for rank, column in enumerate(columns)}
    return replace(
        outcome,
        rejected=tuple(
            sorted(
                outcome.rejected,
                key=lambda each: ranks.get(each.label or _PLAIN, len(ranks)),
            )
        ),
    )


def _requirement(text: str) -> Requirement:
    try:
        found = Requirement.parse(text)
    except InvalidRequirement as error:
        raise UsageError(
            f"{text} is not a project with a version", "write torch or torch==2.10.0"
        ) from error
    if found.url or found.marker or found.extras:
        raise UsageError(
            f"{text} is more than a project with a version", "write torch==2.10.0"
        )
    return found


def _location(place: str) -> IndexLocation:
    if "://" in place:
        return IndexLocation(name="index", url=place)
    directory = Path(place)
    if not directory.is_dir():
        raise UsageError(
            f"{place} is not a directory", "name the index by URL or directory"
        )
    simple = directory / "simple"
    root = simple if simple.is_dir() else directory
    return IndexLocation(name="index", url=root.absolute().as_uri())


def _presets(chosen: Sequence[str]) -> tuple[str, ...]:
    """Return the presets of names, groups and search words; raises UsageError."""
    found: dict[str, None] = {}
    for text in (part.strip() for words in chosen for part in words.split(",")):
        if text == "all":
            names: Iterable[str] = preset_names()
        elif text in GROUPS:
            names = [name for name, each in presets().items() if each.group == text]
        elif (spelled := find_spelled(text)) is not None:
            names = [spelled]
        else:
            names = search(text) if text else ()
        if not names:
            raise UsageError(
                f"no preset matches {text!r}",
                "`polylock targets presets` lists them; or write all, or one of "
                f"{', '.join(GROUPS)}",
            )
        found.update(dict.fromkeys(names))
    return tuple(found)


def _preset_targets(
    names: Sequence[str], python: str = _DEFAULT_PYTHON
) -> list[Target]:
    tables: dict[str, object] = {
        canonicalize_name(name): {"preset": name, "python": python} for name in names
    }
    descriptions = parse_targets(
        tables,
        path="presets",
        default_python=None,
        reserved=(),
        requires_python="",
        key="presets",
    )
    return [build_target(description) for description in descriptions]


def _declared(settings: Settings, chosen: Sequence[str]) -> list[Target]:
    """Return the targets of the project file by name; raises NoSuchTarget."""
    if not chosen:
        return []
    by_name = {target.name: target for target in open_workspace(settings).targets}
    for name in chosen:
        if name not in by_name:
            raise NoSuchTarget("target", name, sorted(by_name))
    return [by_name[name] for name in dict.fromkeys(chosen)]


def _position(releases: Releases, wanted: Requirement) -> int:
    """Return the position of the newest version that is meant."""
    versions = list(releases.versions)
    fitting = list(SpecifierSet(wanted.specifier).filter(versions))
    if not fitting:
        there = ", ".join(versions[-3:])
        raise UsageError(
            f"the index has no version {wanted.specifier} of {wanted.name}",
            f"its newest versions are {there}" if there else "",
        )
    return versions.index(fitting[-1])


def _usual_python(release: Release) -> str:
    """Return the newest of the Pythons for which there are most wheels."""
    counts: Counter[int] = Counter()
    for file in release.wheels:
        with suppress(InvalidFilename):
            filename = WheelFilename.parse(file.filename)
            for tag in filename.python_tags.split("."):
                found = _CPYTHON.fullmatch(tag)
                if found is not None and "abi3" not in filename.abi_tags:
                    counts[int(found[1])] += not filename.abi_tags.endswith("t")
    if not counts:
        return _DEFAULT_PYTHON
    return f"3.{max(counts, key=lambda minor: (counts[minor], minor))}"


class _Sizes:
    """The sizes of files; a server is asked where a page does not tell."""

    def __init__(self, context: IndexContext) -> None:
        self._context = context
        self._known: dict[str, int | None] = {}

    def of(self, file: RemoteFile) -> int | None:
        if file.size is not None:
            return file.size
        if file.url not in self._known:
            self._known[file.url] = self._ask(file.url)
        return self._known[file.url]

    def _ask(self, url: str) -> int | None:
        if is_local(url):
            path = local_path(url)
            return path.stat().st_size if path is not None and path.is_file() else None
        if self._context.settings.offline:
            return None
        try:
            found = self._context.client.stream(
                url,
                lambda answer: (answer.status, answer.headers.get("content-length")),
                headers={"accept-encoding": "identity"},
            )
        except IndexRequestError:
            return None
        status, length = found
        is_number = length is not None and length.isascii() and length.isdigit()
        return int(length) if status == 200 and length and is_number else None


def _outcome(
    target: Target,
    releases: Releases,
    position: int,
    source: PackageIndexes,
    sizes: _Sizes,
) -> Outcome:
    pool = CandidatePool(target=target, inputs=Inputs(), source=source)
    expansion = pool.expand(releases, position, yanked=False)
    description = target.description
    supported = {*target.stated.namespaces, *target.derived.namespaces}
    return Outcome(
        machine=target.name,
        preset=False,
        platform=usual_platform(f"{description.system}-{description.architecture}"),
        python=str(description.python),
        accelerators=tuple(sorted(supported - {"x86_64", "aarch64"})),
        order=tuple(_order(expansion.candidates, sizes)),
        rejected=tuple(
            _rejected(expansion.rejections, releases.release(position), target)
        ),
    )


def _order(candidates: Sequence[Candidate], sizes: _Sizes) -> Iterator[Taken]:
    """Yield each file once; a label may have several candidates (PEP 850, ABI)."""
    seen: set[str] = set()
    for candidate in candidates:
        file = candidate.file
        if file.filename in seen:
            continue
        seen.add(file.filename)
        label = candidate.variant.label or None
        kind = _PLAIN if file.filename.endswith(".whl") else _SDIST
        if label is not None:
            kind = _NULL if label == _NULL else "variant"
        needs = [
            f"{need.name}{need.specifier}"
            for other in candidates
            if other.file is file
            for need in other.abi
        ]
        yield Taken(
            kind=kind,
            label=label,
            file=file.filename,
            size=sizes.of(file),
            needs=tuple(dict.fromkeys(needs)),
        )


def _rejected(
    rejections: Sequence[Rejection], release: Release, target: Target
) -> Iterator[Rejected]:
    """Yield one reason for each label; that its wheels are for others comes last."""
    by_label: dict[str | None, Rejection] = {}
    for found in sorted(rejections, key=lambda each: isinstance(each.reason, Unfit)):
        by_label.setdefault(found.label or None, found)
    for label, found in sorted(by_label.items(), key=lambda each: each[0] or ""):
        nearest: set[str] = set()
        if isinstance(found.reason, Unfit):
            wheels = tuple(w for w in release.wheels if _label_of(w) == label)
            nearest = near(replace(release, wheels=wheels), target)
        yield Rejected(label=label, because=found, nearest=tuple(sorted(nearest)))


def _label_of(file: RemoteFile) -> str | None:
    try:
        return WheelFilename.parse(file.filename).variant_label
    except InvalidFilename:
        return _UNREAD


def _columns(release: Release, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return the labels in the order in which machines prefer them, then the others."""
    labels = {name.variant_label for name in labelled_wheels(release)} - {None, _NULL}
    after: dict[str, set[str]] = {label: set() for label in labels if label}
    for outcome in outcomes if len(after) <= _MOST_ORDERED else ():
        names = [taken.label for taken in outcome.order if taken.label in after]
        for place, label in enumerate(names):
            after[label].update(names[:place])
    columns: list[str] = []
    waiting = sorted(after)
    if len(waiting) > _MOST_ORDERED:
        columns, waiting = waiting, []
    while waiting:
        # Machines may disagree; then the first by name goes on.
        free = [name for name in waiting if not after[name] - set(columns)]
        columns.append((free or waiting)[0])
        waiting.remove(columns[-1])
    taken = {each.label or each.kind for outcome in outcomes for each in outcome.order}
    has_null = any(n.variant_label == _NULL for n in labelled_wheels(release))
    columns += [_NULL] if has_null else []
    columns += [kind for kind in (_PLAIN, _SDIST) if kind in taken]
    return tuple(columns)
