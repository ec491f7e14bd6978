"""What became of every variant label of a locked release, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from polylock.model.distributions import Unusable
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.resolution.candidate_pool import UNFIT_TAGS, labels_of
from polylock.variants.ordering import VariantWishes
from polylock.variants.verdicts import preferred_by, why_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.lockfile.select import Selected
    from polylock.model.distributions import Release, Releases
    from polylock.operations.inspect.why_choice import ChoiceReader
    from polylock.resolution.candidates import Expansion
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["LabelVerdict", "judge_labels"]

_EXCLUDED = "excluded by "
_TAGS_AT_MOST = 4
_UNLIKE_THE_LOCKED = "fits, unlike the one that is locked, by what the index says now"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelVerdict:
    """What became of one label; an empty one means what has no label.

    ``verdict`` is one of ``chosen``, ``behind`` (it fits, another is better),
    ``given-up`` (better, and it cannot stand beside what is locked), ``ahead`` (better
    by what the index says now), ``unsupported``, ``excluded``, ``not-pinned``,
    ``no-wheel``, ``bad-metadata`` and ``unusable``. ``reason`` is a clause.
    """

    label: str
    verdict: str
    reason: str


def judge_labels(
    reader: ChoiceReader, releases: Releases, position: int, selected: Selected
) -> Iterator[LabelVerdict]:
    """Judge every label of a release, the chosen one first."""
    release = releases.release(position)
    expansion = reader.pool.expand(releases, position, yanked=True)
    chosen = selected.variant_label or ""
    labels = labels_of(release)
    if not labels:
        return
    yield LabelVerdict(label=chosen, verdict="chosen", reason="chosen")
    order = [candidate.variant.label for candidate in expansion.candidates]
    metadata = reader.source.variant_metadata(release)
    plain = {""} if release.sdist or _has_plain_wheel(release) else set()
    others = (labels | plain) - {chosen}
    for label in sorted(others, key=lambda each: (_place(order, each), each)):
        if label not in order:
            verdict, reason = _out(release, expansion, metadata, label)
        elif chosen not in order:
            verdict, reason = "ahead", _UNLIKE_THE_LOCKED
        elif order.index(label) > order.index(chosen):
            verdict, reason = "behind", _behind(reader, expansion, chosen, label)
        else:
            verdict, reason = _ahead(reader, expansion, order.index(label), chosen)
        yield LabelVerdict(label=label, verdict=verdict, reason=reason)


def _out(
    release: Release,
    expansion: Expansion,
    metadata: VariantMetadata | Unusable,
    label: str,
) -> tuple[str, str]:
    """Say why a label was no candidate at all."""
    reasons = [
        rejection.reason
        for rejection in expansion.rejections
        if _label_of(rejection.subject) == label
    ]
    telling = [reason for reason in reasons if reason != UNFIT_TAGS]
    if reasons and not telling:
        return "no-wheel", f"no wheel for this machine: {_tags_of(release, label)}"
    if not telling and not label:
        return "behind", "a wheel goes before the source distribution"
    if not telling:
        # All wheels are refused together.
        return "unusable", next(each.reason for each in expansion.rejections)
    reason = telling[-1]
    if isinstance(metadata, Unusable) and label and reason == metadata.reason:
        return "bad-metadata", f"its metadata cannot be relied on: {reason}"
    return _classified(reason)


def _classified(reason: str) -> tuple[str, str]:
    """Return the verdict that goes with a reason of the solver's."""
    if reason.startswith(_EXCLUDED):
        return "excluded", f"exclude-variants has {reason.removeprefix(_EXCLUDED)}"
    if " pins " in reason:
        return "not-pinned", f"target {reason}"
    if reason.startswith(("needs ", "not in the variant metadata")):
        return "unsupported", reason
    return "unusable", reason


def _behind(reader: ChoiceReader, expansion: Expansion, chosen: str, label: str) -> str:
    """Say why a label that fits comes after the chosen one."""
    by_label = {each.variant.label: each for each in expansion.candidates}
    winner, loser = by_label[chosen], by_label[label]
    if not label:
        return f"lost to {chosen}: a variant that fits goes before what has no label"
    metadata = winner.variant_metadata
    wishes = VariantWishes.parse(
        reader.inputs.exclude_variants, reader.inputs.prefer_variants
    ).for_project(winner.name)
    if metadata is not None:
        variants = metadata.variants
        pattern = preferred_by(
            wishes.prefer, (chosen, variants[chosen]), (label, variants[label])
        )
        if pattern is not None:
            return f"lost to {chosen}: prefer-variants has {pattern.text}"
    return why_before(chosen, winner.decided_by, loser.decided_by)


def _ahead(
    reader: ChoiceReader, expansion: Expansion, place: int, chosen: str
) -> tuple[str, str]:
    """Say why a label that is better than the chosen one was not taken."""
    better = expansion.candidates[place]
    conflict = reader.conflict(better)
    if conflict is not None:
        return "given-up", f"better than {chosen or 'no label'}, but it {conflict}"
    return "ahead", (
        f"better than {chosen or 'no label'} by what the index says now, and nothing "
        "that is locked speaks against it; "
        f"`polylock lock --upgrade-package {better.name}` tries it"
    )


def _place(order: Sequence[str], label: str) -> int:
    return order.index(label) if label in order else len(order)


def _label_of(subject: str) -> str:
    """Return the label that a rejection is about, empty for a file without one."""
    if not subject.endswith((".whl", ".tar.gz", ".zip")):
        return subject
    try:
        return WheelFilename.parse(subject).variant_label or ""
    except InvalidFilename:
        return ""


def _has_plain_wheel(release: Release) -> bool:
    return any(not _label_of(wheel.filename) for wheel in release.wheels)


def _tags_of(release: Release, label: str) -> str:
    """Write the tags of a label's wheels, a few of many."""
    tags = sorted(
        {
            tag
            for wheel in release.wheels
            if _label_of(wheel.filename) == label
            for tag in WheelFilename.parse(wheel.filename).tags
        }
    )
    more = len(tags) - _TAGS_AT_MOST
    rest = f" and {more} more" if more > 0 else ""
    return f"there is {', '.join(tags[:_TAGS_AT_MOST])}{rest}"
