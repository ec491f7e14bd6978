"""Why a target does not install a project: markers, extras and groups that say no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.errors import PolylockError
from polylock.model.distributions import Unusable
from polylock.model.folding import fold
from polylock.model.requirements import InvalidRequirement, Requirement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.explain.why_not import WhyNot
    from polylock.lockfile.record import LockedInputs
    from polylock.model.target import Target
    from polylock.operations.inspect.graph import LockedGraph
    from polylock.resolution.candidates import Candidate

__all__ = ["refusals_of_packages", "refusals_of_project"]


def refusals_of_project(
    name: str,
    inputs: LockedInputs,
    target: Target,
    *,
    groups: Collection[str],
    extras: Collection[str],
) -> Iterator[str]:
    """Yield why each requirement of the project on a name does not hold.

    ``groups`` and ``extras`` are those that were asked for.
    """
    for texts, named in (("override", inputs.overrides),):
        for requirement in _on(name, named):
            if _is_false(requirement, target):
                yield (
                    f"{texts}-dependencies replaces every requirement on it by one "
                    f"that holds where {requirement.marker}, which is not so here"
                )
    for requirement in _on(name, inputs.requirements):
        if _is_false(requirement, target):
            yield f"the project requires it where {requirement.marker}, not here"
    yield from _named(name, "group", inputs.groups, (target, groups))
    yield from _named(name, "extra", inputs.extras, (target, extras))
    others = [
        other
        for other, texts in inputs.targets.items()
        if other != target.name and any(True for _ in _on(name, texts))
    ]
    if others:
        yield f"the project requires it on the target {', '.join(others)} alone"


def refusals_of_packages(
    name: NormalizedName, reader: WhyNot, graph: LockedGraph
) -> Iterator[str]:
    """Yield which installed packages would require a name under another condition.

    Reads the metadata of everything that the target installs. What cannot be read is
    told at the end.
    """
    unread = []
    for node in graph.nodes.values():
        try:
            candidate = reader.candidate(canonicalize_name(node.name))
            if candidate is None:
                continue  # a direct source, or no longer on the index
            metadata = reader.source.core_metadata(candidate.release, candidate.file)
        except PolylockError:
            unread.append(node.name)
            continue
        if isinstance(metadata, Unusable):
            continue
        for requirement in metadata.requires_dist:
            if requirement.name == name:
                yield f"{node} {_condition(requirement, candidate, reader.target)}"
    if unread:
        yield f"what these require could not be read: {', '.join(unread)}"


def _condition(requirement: Requirement, candidate: Candidate, target: Target) -> str:
    marker = requirement.marker_expression
    if marker is None:
        return "requires it, but an override takes the requirement away"
    holds = fold(marker, target, variant=candidate.variant)
    if holds is not False:
        return f"requires it where {requirement.marker}"
    if "extra" in requirement.marker:
        return f"requires it where {requirement.marker}, which nothing asks for here"
    return f"requires it where {requirement.marker}, which is not so here"


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
                yield f"the {kind} {title} requires it, which was not asked for"
            elif _is_false(requirement, target):
                yield f"the {kind} {title} requires it where {requirement.marker}"


def _on(name: str, texts: Sequence[str]) -> Iterator[Requirement]:
    for text in texts:
        try:
            requirement = Requirement.parse(text)
        except InvalidRequirement:
            continue  # told by whoever reads the graph
        if requirement.name == name:
            yield requirement


def _is_false(requirement: Requirement, target: Target) -> bool:
    marker = requirement.marker_expression
    return marker is not None and fold(marker, target) is False
