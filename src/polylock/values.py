"""The base of values: a Struct takes a fifth of a dataclass to define and to make."""

from __future__ import annotations

import msgspec

__all__ = ["Mutable", "Value", "field", "replace"]

field = msgspec.field
replace = msgspec.structs.replace
"""Return a value with some fields changed."""


class Value(msgspec.Struct, frozen=True):
    """An immutable value, equal to another of its class with the same fields.

    A subclass says ``frozen=True`` and ``kw_only=True`` again, so that type checkers
    and readers see it; ``eq=False`` makes it equal to itself alone.
    """


class Mutable(msgspec.Struct):
    """What changes while some work goes on; equal to another with the same fields."""
