"""Where TOML values are not of a type: the key path, and the problem.

``msgspec`` says so too, but in words of its own and without the keys of a mapping. So a
table that it refuses is compared once more, by the types that it goes by itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct, inspect

from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Mismatch", "mismatches"]

Parts = tuple[str | int, ...]

_WANTED: dict[type[inspect.Type], tuple[type | tuple[type, ...], str]] = {
    inspect.StrType: (str, "a string"),
    inspect.BoolType: (bool, "a boolean"),
    inspect.IntType: (int, "an integer"),
    inspect.DateTimeType: (datetime, "a date-time"),
    inspect.VarTupleType: ((list, tuple), "an array"),
    inspect.DictType: (dict, "a table"),
    inspect.StructType: (dict, "a table"),
}


class Mismatch(Value, frozen=True, kw_only=True):
    """A value that does not fit; ``wanted`` is the type, None where that is right.

    ``found`` is the value, or else the problem in words.
    """

    parts: Parts
    wanted: str | None = None
    found: Any


def mismatches(values: object, kind: type) -> Iterator[Mismatch]:
    """Yield what does not fit a type, in the order of its fields.

    A Struct within the values is taken as it is.
    """
    yield from _mismatches(values, inspect.type_info(kind), ())


def _mismatches(value: Any, kind: inspect.Type, parts: Parts) -> Iterator[Mismatch]:  # noqa: ANN401 - any TOML value
    if isinstance(kind, inspect.UnionType):
        # TOML has no null: a missing key never comes here, None was put in its place.
        kind = next(each for each in kind.types if each != inspect.NoneType())
        if value is None:
            return
    if isinstance(value, Struct) or type(kind) not in _WANTED:
        return
    types, wanted = _WANTED[type(kind)]
    if not isinstance(value, types) or (types is int and isinstance(value, bool)):
        yield Mismatch(parts=parts, wanted=wanted, found=value)
        return
    if _is_too_small(value, kind):
        problem = f"must not be negative, and is {value}"
        yield Mismatch(parts=parts, found=problem)
    for part, inner, inner_kind in _members(value, kind):
        if inner_kind is None:
            yield Mismatch(parts=(*parts, part), found="is missing")
        else:
            yield from _mismatches(inner, inner_kind, (*parts, part))


def _is_too_small(value: Any, kind: inspect.Type) -> bool:  # noqa: ANN401 - see above
    return isinstance(kind, inspect.IntType) and kind.ge is not None and value < kind.ge


def _members(
    value: Any,  # noqa: ANN401 - any TOML value
    kind: inspect.Type,
) -> Iterator[tuple[str | int, object, inspect.Type | None]]:
    """Yield what lies within a value and its type, None for a key that is missing."""
    match kind:
        case inspect.StructType(fields=fields):
            for field in fields:
                name = field.encode_name
                if name in value:
                    yield name, value[name], field.type
                elif field.required:
                    yield name, None, None
        case inspect.DictType(value_type=inner):
            yield from ((key, value[key], inner) for key in value)
        case inspect.VarTupleType(item_type=inner):
            yield from ((position, item, inner) for position, item in enumerate(value))
        case _:
            pass
