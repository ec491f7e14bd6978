"""Changes of METADATA: its version and its requirements; all else keeps its bytes."""

from __future__ import annotations

import io
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from polylock.model.folding import fold_variant
from polylock.model.markers import Atom, conjunction, disjunction, parse_marker
from polylock.model.requirements import Requirement
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from polylock.model.folding import SelectedVariant
    from polylock.model.markers import MarkerExpression

__all__ = [
    "RequirementChange",
    "RequirementRules",
    "behind_labels",
    "changed_requirements",
    "is_requirement",
    "requirement_changes",
    "requirement_field",
    "requirement_in",
    "requirements_of",
    "split_header",
    "with_requirements",
    "with_version",
    "without_variants",
]

_FIELD = "requires-dist:"


class RequirementRules(Value, frozen=True, kw_only=True):
    """What becomes of the requirements of a project's wheels.

    ``drop`` are patterns of names, ``mark`` patterns with a marker that is added.
    """

    drop: tuple[str, ...] = ()
    mark: tuple[tuple[str, MarkerExpression], ...] = ()
    add: tuple[str, ...] = ()


class RequirementChange(Value, frozen=True, kw_only=True):
    """A requirement that was dropped, added or changed, mostly by a marker.

    ``was`` is None for one that was added, ``now`` for one that was dropped.
    """

    was: str | None
    now: str | None

    @property
    def kind(self) -> Literal["added", "dropped", "changed"]:
        """Return the kind of the change."""
        if self.was is None:
            return "added"
        return "dropped" if self.now is None else "changed"


def split_header(text: str) -> tuple[list[str], str]:
    """Return the fields of METADATA, with their continuation lines, and the rest.

    The rest begins with the empty line before the description.
    """
    fields: list[str] = []
    stream = io.StringIO(text, newline="")
    for line in stream:
        if not line.strip():
            return fields, line + stream.read()
        if line[0] in " \t" and fields:
            fields[-1] += line
        else:
            fields.append(line)
    return fields, ""


def requirements_of(text: str) -> list[str]:
    """Return the requirements of METADATA as they are written, on one line each."""
    return [
        requirement_in(field)
        for field in split_header(text)[0]
        if is_requirement(field)
    ]


def is_requirement(field: str) -> bool:
    """Return True if a field is a ``Requires-Dist``."""
    return field.lower().startswith(_FIELD)


def requirement_in(field: str) -> str:
    """Return the requirement of a field, on one line."""
    return " ".join(field[len(_FIELD) :].split())


def requirement_field(requirement: str, like: str) -> str:
    """Return the field of a requirement, which ends as another field does."""
    return f"Requires-Dist: {requirement}{like[len(like.rstrip()) :]}"


def with_version(text: str, version: str) -> str:
    """Return METADATA with another version."""
    fields, rest = split_header(text)
    return (
        "".join(
            f"Version: {version}{field[len(field.rstrip()) :]}"
            if field.lower().startswith("version:")
            else field
            for field in fields
        )
        + rest
    )


def with_requirements(text: str, requirements: Sequence[str]) -> str:
    """Return METADATA with other requirements, in place of the first one it has.

    A requirement that it has keeps the way it is written.
    """
    fields, rest = split_header(text)
    written: dict[str, list[str]] = {}
    others: list[str] = []
    place = None
    for field in fields:
        if not is_requirement(field):
            others.append(field)
            continue
        place = len(others) if place is None else place
        written.setdefault(requirement_in(field), []).append(field)
    new = [
        written[each].pop(0)
        if written.get(each)
        else requirement_field(each, fields[0])
        for each in requirements
    ]
    place = len(others) if place is None else place
    return "".join([*others[:place], *new, *others[place:]]) + rest


def changed_requirements(
    requirements: Sequence[str], rules: RequirementRules
) -> list[str]:
    """Return the requirements by the rules; raises InvalidRequirement."""
    left: list[str] = []
    for text in requirements:
        requirement = Requirement.parse(text)
        if any(_matches(requirement.name, pattern) for pattern in rules.drop):
            continue
        markers = [
            marker
            for pattern, marker in rules.mark
            if _matches(requirement.name, pattern)
        ]
        left.append(str(_with_markers(requirement, markers)) if markers else text)
    left.extend(text for text in rules.add if text not in left)
    return left


def behind_labels(requirements: Mapping[str, Sequence[str]]) -> list[str]:
    """Return one list of requirements for wheels that differ in their label alone.

    ``requirements`` are those of each label; the empty label is that of a plain wheel.
    What not all of them require gets a marker on ``variant_label``, so each wheel
    requires what it did. Raises InvalidRequirement.
    """
    labels_of: dict[Requirement, list[str]] = {}
    written: dict[Requirement, str] = {}
    for label, texts in requirements.items():
        for text in texts:
            requirement = _normalized(text)
            written.setdefault(requirement, text)
            labels = labels_of.setdefault(requirement, [])
            if label not in labels:
                labels.append(label)
    left = []
    for requirement, labels in labels_of.items():
        if len(labels) == len(requirements):
            left.append(written[requirement])
            continue
        marker = disjunction([Atom("variant_label", "==", label) for label in labels])
        left.append(str(_with_markers(requirement, [marker])))
    return left


def without_variants(text: str, variant: SelectedVariant) -> str | None:
    """Return a requirement with its variant markers evaluated, None if they are false.

    PEP 825, "Backwards Compatibility": older installers refuse such markers, and "it is
    possible to work around it by partially evaluating environment markers at build
    time". Raises InvalidRequirement.
    """
    if "variant_" not in text:
        return text
    requirement = Requirement.parse(text)
    marker = requirement.marker_expression
    rest = True if marker is None else fold_variant(marker, variant)
    if rest is False:
        return None
    left = "" if rest is True else str(rest)
    return str(replace(requirement, marker=left))


def requirement_changes(
    before: Sequence[str], after: Sequence[str]
) -> tuple[RequirementChange, ...]:
    """Return the changes between two lists of requirements."""
    dropped = [text for text in before if text not in after]
    changes = []
    for text in after:
        if text in before:
            continue
        bare = _bare(text)
        was = next((each for each in dropped if _bare(each) == bare), None)
        if was is not None:
            dropped.remove(was)
        changes.append(RequirementChange(was=was, now=text))
    changes += [RequirementChange(was=text, now=None) for text in dropped]
    return tuple(changes)


def _normalized(text: str) -> Requirement:
    """Parse a requirement, its marker in the form that all equal ones have."""
    requirement = Requirement.parse(text)
    marker = requirement.marker_expression
    return replace(requirement, marker=str(marker) if marker else "")


def _bare(text: str) -> Requirement:
    return replace(Requirement.parse(text), marker="")


def _with_markers(
    requirement: Requirement, markers: Collection[MarkerExpression]
) -> Requirement:
    own = [parse_marker(requirement.marker)] if requirement.marker else []
    marker = str(conjunction([*own, *markers]))
    return replace(requirement, marker=marker)


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, canonicalize_name(pattern))
