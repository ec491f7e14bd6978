"""Reads the variant settings, which the project and each target may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import InvalidName, canonicalize_name

from polylock.project.dependencies import normalized_name
from polylock.variants.properties import InvalidProperty, is_label

if TYPE_CHECKING:
    from polylock.toml_tables import Table

__all__ = ["read_patterns", "read_required", "read_variants"]

_LABEL_ADVICE = 'write a label such as "cu130", or "" for the wheel without one'


def read_patterns(table: Table, key: str) -> tuple[str, ...]:
    """Return namespaces, features, properties and name@label, normalized."""
    found = [
        _pattern(text, table, key, position)
        for position, text in enumerate(table.strings(key))
    ]
    return tuple(dict.fromkeys(found))


def read_required(table: Table) -> dict[str, tuple[str, ...]]:
    """Return ``require-variants``: normalized project name to its patterns, sorted.

    A value is one pattern or a list of them, of which the label must match one.
    """
    wanted = table.table("require-variants")
    found: dict[str, tuple[str, ...]] = {}
    for written, value in wanted.values.items():
        name = normalized_name(written, wanted, written)
        if name in found:
            raise wanted.error(f"the project {name} is named twice", written)
        if isinstance(value, str):
            patterns: tuple[str, ...] = (_pattern(value, wanted, written),)
        elif isinstance(value, list):
            patterns = read_patterns(wanted, written)
        else:
            raise wanted.wrong_type("a string or an array", written, found=value)
        for pattern in patterns:
            of = pattern.partition("@")[0] if "@" in pattern else name
            if of != name:
                raise wanted.error(
                    f"{pattern} is a label of {of}",
                    written,
                    advice=f"write a label of {name}, or a namespace",
                )
        found[name] = tuple(sorted(patterns))
    return dict(sorted(found.items()))


def read_variants(table: Table) -> dict[str, str]:
    """Return ``variants``: normalized project name to its label, sorted by name."""
    wanted = table.table("variants")
    found: dict[str, str] = {}
    for name, label in sorted(wanted.values.items()):
        if not isinstance(label, str):
            raise wanted.wrong_type("a label", name, found=label)
        if label and not is_label(label):
            raise wanted.error(
                f"{label!r} is not a variant label", name, advice=_LABEL_ADVICE
            )
        try:
            project = canonicalize_name(name, validate=True)
        except InvalidName as error:
            raise wanted.error("is not the name of a project", name) from error
        if found.setdefault(project, label) != label:
            raise wanted.error(f"names {project} twice", name)
    return found


def _pattern(text: str, table: Table, *inside: str | int) -> str:
    from polylock.variants.ordering import VariantPattern  # noqa: PLC0415 - 3 ms, rare

    try:
        pattern = VariantPattern.parse(text)
    except InvalidProperty as error:
        raise table.error(
            str(error),
            *inside,
            advice='for example: "nvidia", "nvidia :: sm_arch", '
            '"nvidia :: sm_arch :: 90_real", "torch@cu130"',
        ) from error
    if pattern.label:
        project = text.partition("@")[0].strip()
        name = normalized_name(project, table, *inside)
        return f"{name}@{pattern.label}"
    parts = (pattern.namespace, pattern.feature, pattern.value)
    return " :: ".join(part for part in parts if part)
