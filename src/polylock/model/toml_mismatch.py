"""Type mismatches of TOML values, with their key path and the problem.

``msgspec`` reports them too, but in its own words and without the keys of a mapping. So
a table that it refuses is compared again, by msgspec's own description of the type.
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
    """A value that does not fit its type.

    ``wanted`` is the type and ``found`` the value. If ``wanted`` is None the type is
    right, and ``found`` is the problem as a clause.
    """

    parts: Parts
    wanted: str | None = None
    found: Any


def mismatches(values: object, kind: type) -> Iterator[Mismatch]:
    """Yield the values that do not fit a type, in the order of its fields.

    A Struct among the values is not checked.
    """
    yield from _mismatches(values, inspect.type_info(kind), ())


def _mismatches(value: Any, kind: inspect.Type, parts: Parts) -> Iterator[Mismatch]:  # noqa: ANN401 - any TOML value
    if isinstance(kind, inspect.UnionType):
        # TOML has no null: None means a key that a caller filled in as missing.
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
    """Yield key, value and type of each member; the type is None for a missing key."""
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
