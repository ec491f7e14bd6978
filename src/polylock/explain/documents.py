"""Reasons and notes as parts of a JSON document: kind, and fields by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from polylock.explain.words import note
from polylock.model.requirements import Requirement
from polylock.values import Value
from polylock.variants.properties import VariantProperty

if TYPE_CHECKING:
    from polylock.explain.findings import Note
    from polylock.explain.reasons import Reason

__all__ = ["document", "kind_of", "note_document"]

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def kind_of(kind: type[Value]) -> str:
    """Return the kind of a reason, or of an origin, as documents spell it."""
    return _WORD.sub("-", kind.__name__).lower()


def document(reason: Reason) -> dict[str, Any]:
    """Return a reason with its kind and fields (``reason`` in why.schema.json)."""
    found: dict[str, Any] = _written(reason)
    return found


def note_document(found: Note) -> dict[str, Any]:
    """Return a note with its finding and its sentence (lock.schema.json)."""
    return {
        "project": found.project or None,
        "versions": list(found.versions),
        "targets": list(found.targets),
        "key": found.key or None,
        "finding": _written(found.finding),
        "text": note(found),
    }


def _written(value: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    match value:
        case Requirement() | VariantProperty():
            return str(value)
        case Value():
            fields = {
                name.replace("_", "-"): _written(getattr(value, name))
                for name in value.__struct_fields__
            }
            return {"kind": kind_of(type(value)), **fields}
        case tuple():
            return [_written(each) for each in value]
        case _:
            return value
