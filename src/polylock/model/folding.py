"""Partial evaluation of markers for a target.

``packaging.markers`` needs the value of every field. A target leaves some open
(``platform_release``, the patch release of Python), and an expression that depends on
these is returned as a residual marker. Fields other than variant markers mean what
they mean to packaging. The simplest comparisons are made here, since packaging's
parser takes 8 ms to import, a tenth of a sync with nothing to do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.model.markers import (
    Atom,
    Combination,
    MarkerExpression,
    conjunction,
    disjunction,
    plain_marker,
)
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from polylock.model.target import Target

__all__ = ["NON_VARIANT", "SelectedVariant", "fold", "fold_variant", "holds"]

_TEXT_FIELDS = {
    "implementation_name",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_system",
    "sys_platform",
}
"""Fields whose values packaging never compares as versions."""

_VERSION_FIELDS = {"python_full_version", "python_version"}
_RELEASE = re.compile(r"[0-9]+(\.[0-9]+)*")


def holds(atom: Atom, value: str) -> bool:
    """Return True if a comparison holds for a value of its field."""
    operator = atom.operator
    if atom.field in _TEXT_FIELDS and operator in {"==", "!="}:
        return (value == atom.value) is (operator == "==")
    if (
        atom.field in _VERSION_FIELDS
        and operator in {"==", "!=", "<", "<=", ">", ">="}
        and _RELEASE.fullmatch(atom.value)
        and _RELEASE.fullmatch(value)
    ):
        return _contains(f"{operator}{atom.value}", value)
    if atom.field == "extra" and operator in {"==", "!="}:
        return (_normalized(atom.value) == _normalized(value)) is (operator == "==")
    return _evaluated(str(atom), atom.field, value)


_normalized = lru_cache(maxsize=65536)(canonicalize_name)


@lru_cache(maxsize=65536)
def _contains(specifier: str, version: str) -> bool:
    # 2 ms, which a lock from known results does not need.
    from packaging.specifiers import Specifier  # noqa: PLC0415

    return Specifier(specifier).contains(version, prereleases=True)


@lru_cache(maxsize=65536)
def _evaluated(text: str, field: str, value: str) -> bool:
    return plain_marker(text).evaluate({field: value})


_VARIANT_FIELDS = {
    "variant_label",
    "variant_namespaces",
    "variant_features",
    "variant_properties",
}
_LOCK_FIELDS = {"extras", "dependency_groups"}
_PYTHON_PATCH_FIELDS = {"python_full_version", "implementation_version"}


class SelectedVariant(Value, frozen=True):
    """The variant to evaluate markers for (PEP 825, "Evaluating variant markers").

    ``label`` is empty for a non-variant wheel. ``properties`` are those of the label
    that the target supports, as (namespace, feature, value).
    """

    label: str = ""
    properties: frozenset[tuple[str, str, str]] = frozenset()


NON_VARIANT = SelectedVariant()


def fold(
    marker: MarkerExpression,
    target: Target,
    *,
    extra: str = "",
    variant: SelectedVariant = NON_VARIANT,
    extras: Collection[str] | None = None,
    groups: Collection[str] | None = None,
) -> MarkerExpression | bool:
    """Evaluate a marker as far as the target determines it.

    ``extra`` is the extra under which the requirement was reached, ``variant`` the
    selected wheel that declares it. ``extras`` and ``groups`` are the sets of a lock
    file (PEP 751); if None, their comparisons are kept. Returns True, False, or the
    marker that the target leaves open.
    """
    if isinstance(marker, Combination):
        return _fold_combination(
            marker,
            [
                fold(
                    operand,
                    target,
                    extra=extra,
                    variant=variant,
                    extras=extras,
                    groups=groups,
                )
                for operand in marker.operands
            ],
        )
    if marker.field in _VARIANT_FIELDS:
        return _evaluate_variant(marker, variant)
    if marker.field in _LOCK_FIELDS:
        members = extras if marker.field == "extras" else groups
        if members is None:
            return marker
        return (marker.value in members) is (marker.operator == "in")
    if marker.field == "extra":
        return holds(marker, extra)
    return _fold_environment(marker, target)


def fold_variant(
    marker: MarkerExpression, variant: SelectedVariant
) -> MarkerExpression | bool:
    """Evaluate the variant markers alone, and keep all other comparisons."""
    if isinstance(marker, Combination):
        operands = [fold_variant(operand, variant) for operand in marker.operands]
        return _fold_combination(marker, operands)
    if marker.field in _VARIANT_FIELDS:
        return _evaluate_variant(marker, variant)
    return marker


def _fold_combination(
    marker: Combination, operands: list[MarkerExpression | bool]
) -> MarkerExpression | bool:
    absorbing = marker.operator == "or"
    if any(operand is absorbing for operand in operands):
        return absorbing
    kept = [operand for operand in operands if not isinstance(operand, bool)]
    if not kept:
        return not absorbing
    return disjunction(kept) if absorbing else conjunction(kept)


def _fold_environment(marker: Atom, target: Target) -> MarkerExpression | bool:
    environment = target.marker_environment
    if marker.field in environment:
        return holds(marker, environment[marker.field])
    if marker.field in _PYTHON_PATCH_FIELDS:
        answers = {
            holds(marker, version) for version in _patch_releases(marker.value, target)
        }
        if len(answers) == 1:
            return answers.pop()
    return marker


def _patch_releases(text: str, target: Target) -> Iterator[str]:
    """Yield the patch releases at which a result could change, and the ends.

    The result of a comparison with one version changes only at that version or next
    to it; 0 and 99, which no release will reach, represent the rest.
    """
    python = target.description.python
    patches = {0, 1, 99}
    for found in re.findall(rf"{python.major}\.{python.minor}\.(\d+)", text):
        patch = int(found)
        patches.update({max(patch - 1, 0), patch, patch + 1})
    for patch in sorted(patches):
        yield f"{python.major}.{python.minor}.{patch}"


def _evaluate_variant(marker: Atom, variant: SelectedVariant) -> bool:
    if marker.field == "variant_label":
        # A String field: its operators mean the same as for sys_platform.
        return _compare_strings(marker, variant.label)
    depth = {"variant_namespaces": 1, "variant_features": 2}.get(marker.field, 3)
    members = {triple[:depth] for triple in variant.properties}
    wanted = tuple(part.strip() for part in marker.value.split("::"))
    return (wanted in members) is (marker.operator == "in")


def _compare_strings(marker: Atom, label: str) -> bool:
    match marker.operator:
        case "==" | "<=" | ">=":
            return label == marker.value
        case "<" | ">":
            return False  # strings have no order (dependency specifiers, "Strings")
        case "!=":
            return label != marker.value
        case "in":
            return marker.value in label if marker.reversed else label in marker.value
        case _:
            inside = marker.value in label if marker.reversed else label in marker.value
            return not inside
