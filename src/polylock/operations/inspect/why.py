"""``polylock why``: who requires a project, and why its version and variant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import NormalizedName, canonicalize_name

from polylock.errors import PolylockError, UsageError
from polylock.explain.documents import document
from polylock.explain.reasons import (
    GivenUp,
    InvalidMetadata,
    LabelExcluded,
    LabelLost,
    LabelNotPinned,
    LabelUndescribed,
    PropertyUnmet,
    SdistBehindWheel,
    Unfit,
    Unopposed,
)
from polylock.explain.words import backends, clause
from polylock.lockfile.pylock import Package, PackageSdist, PackageWheel
from polylock.model.distributions import Release, Unusable
from polylock.model.folding import fold
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.model.source_choice import fits, torch_choice
from polylock.operations.builds.wiring import IndexContext
from polylock.operations.chosen import chosen_to_show
from polylock.operations.inspect.explainers import locked_explainers, locked_inputs
from polylock.operations.inspect.graph import LockedGraph, Node, locked_graphs
from polylock.operations.inspect.selection import (
    LockedSelection,
    open_lock,
    require_record,
    selections,
    target_names,
)
from polylock.toml_tables import closest
from polylock.values import Value, field, replace
from polylock.variants.variant_json import (
    InvalidVariantMetadata,
    VariantMetadata,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from polylock.explain.why_not import LabelVerdict, RejectedVersions, WhyNot
    from polylock.lockfile.record import LockedInputs
    from polylock.lockfile.select import Selected
    from polylock.model.inputs import Inputs
    from polylock.model.target import Target
    from polylock.operations.chosen import Chosen
    from polylock.ports import Reporter
    from polylock.project.settings import Settings
    from polylock.resolution.candidates import Candidate

__all__ = ["Evidence", "Reason", "Why", "verdict", "why"]


def refusals_of_project(
    name: str,
    inputs: LockedInputs,
    target: Target,
    *,
    chosen: Chosen,
) -> Iterator[str]:
    """Yield the reason why each requirement of the project on a name does not hold.

    ``chosen`` are the groups and extras that the command includes.
    """
    for requirement in _on(name, inputs.overrides):
        if _is_false(requirement, target):
            yield (
                "override-dependencies replaces every requirement on it with one "
                f"that holds only if {requirement.marker}, which is false here"
            )
    for requirement in _on(name, inputs.requirements):
        if _is_false(requirement, target):
            yield (
                f"the project requires it if {requirement.marker}, which is false here"
            )
    yield from _named(name, "group", inputs.groups, (target, chosen.groups))
    yield from _named(name, "extra", inputs.extras, (target, chosen.extras))
    others = [
        other
        for other, texts in inputs.targets.items()
        if other != target.name and any(True for _ in _on(name, texts))
    ]
    if others:
        yield f"the project requires it only on the target {', '.join(others)}"


def refusals_of_packages(
    name: NormalizedName, explainer: WhyNot, graph: LockedGraph
) -> Iterator[str]:
    """Yield the installed packages that require a name under another condition.

    Reads the metadata of all packages of the target. The last line names those whose
    metadata cannot be read.
    """
    unread = []
    for node in graph.nodes.values():
        try:
            candidate = explainer.candidate(canonicalize_name(node.name))
            if candidate is None:
                continue  # a direct source, or no longer on the index
            metadata = explainer.source.core_metadata(candidate.release, candidate.file)
        except PolylockError:
            unread.append(node.name)
            continue
        if isinstance(metadata, Unusable):
            continue
        for requirement in metadata.requires_dist:
            if requirement.name == name:
                yield f"{node} {_condition(requirement, candidate, explainer.target)}"
    if unread:
        yield f"the metadata of these could not be read: {', '.join(unread)}"


def _condition(requirement: Requirement, candidate: Candidate, target: Target) -> str:
    marker = requirement.marker_expression
    if marker is None:
        return "requires it, but an override removes the requirement"
    holds = fold(marker, target, variant=candidate.variant)
    if holds is not False:
        return f"requires it if {requirement.marker}"
    if "extra" in requirement.marker:
        return f"requires it if {requirement.marker}, which nothing here requires"
    return f"requires it if {requirement.marker}, which is false here"


def _named(
    name: str,
    kind: str,
    tables: Mapping[str, Sequence[str]],
    asked: tuple[Target, Collection[str]],
) -> Iterator[str]:
    target, chosen = asked
    wanted = {canonicalize_name(each) for each in chosen}
    for title, texts in tables.items():
        for requirement in _on(name, texts):
            if canonicalize_name(title) not in wanted:
                yield f"the {kind} {title} requires it and is not included"
            elif _is_false(requirement, target):
                yield f"the {kind} {title} requires it if {requirement.marker}"


def _on(name: str, texts: Sequence[str]) -> Iterator[Requirement]:
    for text in texts:
        try:
            requirement = Requirement.parse(text)
        except InvalidRequirement:
            continue  # reading the graph reports it
        if requirement.name == name:
            yield requirement


def _is_false(requirement: Requirement, target: Target) -> bool:
    marker = requirement.marker_expression
    return marker is not None and fold(marker, target) is False


class Evidence(Value, frozen=True, kw_only=True):
    """The reasons from the index for a choice; ``notes`` say what is unknown."""

    labels: tuple[LabelVerdict, ...] = ()
    newer: tuple[RejectedVersions, ...] = ()
    notes: tuple[str, ...] = ()


class Reason(Value, frozen=True, kw_only=True):
    """The reason why a target installs a package; ``node`` is None if it does not.

    ``chains`` are lists of names from a requirement of the project to the package.
    ``places`` are the places in the project that require it. If it is not installed,
    ``refusals`` say which requirements on it exist and why they do not hold.
    """

    node: Node | None
    places: tuple[str, ...] = ()
    chains: tuple[tuple[str, ...], ...] = ()
    refusals: tuple[str, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)


class Why(Value, frozen=True, kw_only=True):
    """The reasons for one project by target; ``notes`` are about all targets."""

    name: str
    reasons: dict[str, Reason]
    notes: tuple[str, ...] = ()

    def grouped(self) -> list[tuple[list[str], Reason]]:
        """Return each reason with the targets that share it."""
        groups: dict[tuple[object, ...], tuple[list[str], Reason]] = {}
        for target, reason in self.reasons.items():
            node = reason.node
            decided = node.choice.decided_by if node and node.choice else None
            shared = (reason.places, reason.chains, reason.refusals, reason.evidence)
            key: tuple[object, ...] = (node and str(node), decided, *shared)
            groups.setdefault(key, ([], reason))[0].append(target)
        return list(groups.values())

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``why --json`` (schemas/why.schema.json)."""
        return {
            "name": self.name,
            "targets": [
                _target(target, reason) for target, reason in self.reasons.items()
            ],
            "notes": list(self.notes),
        }


def why(settings: Settings, name: str, reporter: Reporter) -> Why:
    """Explain a locked project for the target in the settings, or for every target.

    Data that is not in the lock file comes from the cache or the index. If it is not
    available, a note says what is unknown. Raises UsageError, also for a project that
    is not locked and that nothing requires, LockFileInvalid, NoSuchTarget.
    """
    wanted = canonicalize_name(name)
    pylock, path = open_lock(settings)
    recorded = require_record(pylock, path, "run `polylock lock`").inputs
    chosen = chosen_to_show(settings, pylock)
    graphs = locked_graphs(replace(settings, target=None))
    picked = tuple(selections(pylock, path, target=None, chosen=chosen))
    shown = target_names(pylock, settings.target, chosen=chosen)
    inputs, notes = locked_inputs(settings, pylock, path, recorded)
    reasons: dict[str, Reason] = {}
    with IndexContext(settings, inputs, reporter) as context:
        explainers = []
        if inputs.indexes:
            explainers = locked_explainers(graphs, picked, inputs, context.source)
        for graph, selection in zip(graphs, picked, strict=True):
            if graph.target not in shown:
                continue
            reason = _reason(graph, wanted)
            if reason.node is None:
                found = refusals_of_project(
                    wanted, recorded, selection.target, chosen=chosen
                )
                reason = replace(reason, refusals=tuple(found))
            if explainers:
                reason = _with_evidence(reason, wanted, graph, selection, explainers)
            reasons[graph.target] = reason
    if not any(reason.node or reason.refusals for reason in reasons.values()):
        known = {name for g in graphs if g.target in shown for name in g.nodes}
        raise _not_locked(wanted, settings, path, inputs, known)
    return Why(name=wanted, reasons=reasons, notes=notes)


def _not_locked(
    name: str, settings: Settings, path: Path, inputs: Inputs, known: Collection[str]
) -> UsageError:
    """Return the error of a project that is not locked; ``known`` names the others."""
    origins = {r.origin for r in inputs.requirements if r.requirement.name == name}
    if origins:
        return UsageError(
            f"{name} is not locked yet: {', '.join(sorted(origins))} requires it, "
            f"and {path} is out of date",
            "run `polylock lock`",
        )
    where = f" for target {settings.target}" if settings.target else ""
    close = closest(name, known)
    return UsageError(
        f"{name} is not locked{where}: nothing requires it",
        f"did you mean {close}?" if close else "`polylock tree` lists all packages",
    )


def _with_evidence(
    reason: Reason,
    name: NormalizedName,
    graph: LockedGraph,
    selection: LockedSelection,
    explainers: Sequence[WhyNot],
) -> Reason:
    explainer = next(each for each in explainers if each.target.name == graph.target)
    if reason.node is None:
        found = refusals_of_packages(name, explainer, graph)
        return replace(reason, refusals=(*reason.refusals, *found))
    selected = next(each for each in selection.selected if each.package.name == name)
    others = [each for each in explainers if each is not explainer]
    return replace(reason, evidence=_evidence(name, selected, explainer, others))


def _evidence(
    name: NormalizedName,
    selected: Selected,
    explainer: WhyNot,
    others: Sequence[WhyNot],
) -> Evidence:
    """Explain one locked package; unavailable data becomes a note."""
    version = explainer.pinned.pins[name].version
    if not explainer.pinned.pins[name].filename:
        return Evidence(notes=("it has a direct source, so no index was asked",))
    try:
        releases = explainer.source.releases(name, explainer.target)
        position = explainer.availability.table(releases).position(version)
        if position is None:
            gone = f"the index has changed: it no longer has version {version}"
            return Evidence(notes=(gone,))
        return Evidence(
            labels=tuple(explainer.labels(name, selected.variant_label)),
            newer=explainer.newer(name, others),
            notes=(
                *_of_file(releases.release(position), selected),
                *_of_sources(name, releases.release(position), explainer),
                *_changes(releases.release(position), selected, explainer),
            ),
        )
    except PolylockError as error:
        problem = f"other versions and variants are unknown: {error}"
        return Evidence(notes=(problem,))


def _of_file(release: Release, selected: Selected) -> Iterator[str]:
    """Yield notes on the locked file: whether it is yanked or must be built."""
    file = selected.file
    assert isinstance(file, PackageWheel | PackageSdist)
    if isinstance(file, PackageSdist):
        yield "it is a source distribution, which sync builds"
    sdists = () if release.sdist is None else (release.sdist,)
    for each in (*release.wheels, *sdists):
        if each.filename == file.filename and each.yanked is not None:
            why = f": {each.yanked}" if each.yanked else ""
            yield f"{file.filename} is yanked{why}"


def _of_sources(
    name: NormalizedName, release: Release, explainer: WhyNot
) -> Iterator[str]:
    """Yield the entry of ``sources`` that fits the target, and the needs of others.

    Or which backend of torch was taken, and why no other.
    """
    entries = explainer.inputs.sources.get(name, ())
    for number, entry in enumerate(entries, 1):
        place = f"sources: entry {number}, index {entry.index},"
        if fits(entry, explainer.target):
            yield f"{place} fits"
            return
        conditions = [
            *(f"target {each}" for each in entry.targets),
            *entry.properties,
        ]
        yield f"{place} is for {', '.join(conditions)}"
    if choice := torch_choice(explainer.inputs, name, explainer.target):
        found = choice.of_index(release.index)
        if found is not None:
            yield from backends(choice, found.backend, release.version)
    elif entries:
        yield "sources: no entry fits, so every index that is not explicit is asked"


def _changes(release: Release, selected: Selected, explainer: WhyNot) -> Iterator[str]:
    """Yield the differences between the index and the lock file."""
    file = selected.file
    assert isinstance(file, PackageWheel | PackageSdist)
    offered = {each.filename: each for each in release.wheels}
    if release.sdist is not None:
        offered[release.sdist.filename] = release.sdist
    now = offered.get(file.filename)
    if now is None:
        yield f"the index has changed: it no longer has {file.filename}"
    elif any(
        now.hashes.get(algorithm, value) != value
        for algorithm, value in file.hashes.items()
    ):
        yield f"the index has changed: the hash of {file.filename} differs"
    moved = _moved_labels(release, selected.package, explainer)
    if moved:
        yield (
            f"the index has changed: the properties of {', '.join(moved)} differ from "
            "the lock file; the reasons follow the index"
        )


def _moved_labels(release: Release, package: Package, explainer: WhyNot) -> list[str]:
    """Return the locked labels whose properties differ on the index."""
    if package.variants_json is None:
        return []
    metadata = explainer.source.variant_metadata(release, explainer.target)
    try:
        locked = VariantMetadata.from_document(package.variants_json)
    except InvalidVariantMetadata:
        return []
    if isinstance(metadata, Unusable):
        return sorted(locked.variants)
    return [
        label
        for label in sorted(locked.variants)
        if locked.properties(label) != metadata.properties(label)
    ]


def verdict(found: LabelVerdict) -> str:  # noqa: PLR0911 - a case each
    """Return the verdict on a label, a value of schemas/why.schema.json."""
    match found.reason:
        case None:
            return "chosen"
        case LabelLost() | SdistBehindWheel():
            return "behind"
        case GivenUp(because=Unopposed()):
            return "ahead"
        case GivenUp():
            return "given-up"
        case Unfit():
            return "no-wheel"
        case LabelExcluded():
            return "excluded"
        case LabelNotPinned():
            return "not-pinned"
        case PropertyUnmet() | LabelUndescribed():
            return "unsupported"
        case InvalidMetadata():
            return "bad-metadata"
        case _:
            return "unusable"


def _reason(graph: LockedGraph, name: str) -> Reason:
    node = graph.nodes.get(name)
    if node is None:
        return Reason(node=None)
    places = next((root.places for root in graph.roots if root.name == name), ())
    chains = tuple(chain for chain in graph.chains(name) if len(chain) > 1)
    return Reason(node=node, places=places, chains=chains)


def _target(target: str, reason: Reason) -> dict[str, Any]:
    node, evidence = reason.node, reason.evidence
    choice = node.choice if node else None
    return {
        "target": target,
        "installed": node is not None,
        "version": node.version if node else None,
        "label": node.label if node else None,
        "decided-by": list(choice.decided_by) if choice else [],
        "variants-passed-over": choice is not None and not choice.label,
        "required-by": list(reason.places),
        "chains": [list(chain) for chain in reason.chains],
        "not-required-because": list(reason.refusals),
        "labels": [
            {
                "label": each.label,
                "verdict": verdict(each),
                "reason": clause(each.reason) if each.reason else "chosen",
                "cause": document(each.reason) if each.reason else None,
            }
            for each in evidence.labels
        ],
        "newer-versions": [
            {
                "versions": each.versions,
                "reason": clause(each.reason),
                "cause": document(each.reason),
            }
            for each in evidence.newer
        ],
        "notes": list(evidence.notes),
    }
