"""Values: immutable, compared by their fields, and changed by way of a copy."""

from __future__ import annotations

import pytest

from polylock.values import Value, replace


class Point(Value, frozen=True, kw_only=True):
    """A value with a field that has a default."""

    x: int
    y: int = 0


class Thing(Value, frozen=True, kw_only=True, eq=False):
    """A value that is equal to itself alone."""

    x: int


def test_values_are_compared_by_their_fields() -> None:
    """Equal fields, equal value and hash; with ``eq=False`` only the same object."""
    assert Point(x=1) == Point(x=1, y=0) != Point(x=2)
    assert len({Point(x=1), Point(x=1)}) == 1
    assert Thing(x=1) != Thing(x=1)
    assert len({Thing(x=1), Thing(x=1)}) == 2


def test_a_value_cannot_be_changed() -> None:
    """A field cannot be set."""
    with pytest.raises(AttributeError):
        Point(x=1).x = 2  # type: ignore[misc]


def test_a_field_is_replaced_in_a_copy() -> None:
    """The other fields stay, and so does the value that it was made from."""
    point = Point(x=1, y=5)
    assert replace(point, x=2) == Point(x=2, y=5)
    assert point == Point(x=1, y=5)
