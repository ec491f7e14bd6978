"""What is said of TOML values that are not of a type."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec
import pytest

from polylock.errors import ProjectError
from polylock.toml_tables import Table


class Inner(msgspec.Struct, kw_only=True, rename="kebab"):
    """A table within a table."""

    the_name: str
    size: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Outer(msgspec.Struct, kw_only=True):
    """A table with a value of each kind."""

    one: Inner | None = None
    many: tuple[Inner, ...] = ()
    texts: Mapping[str, tuple[str, ...]] = {}
    moment: datetime | None = None
    flag: bool = False
    free: Mapping[str, Any] = {}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"one": 1}, "t.one: must be a table, not an integer"),
        ({"one": {}}, "t.one.the-name: is missing"),
        ({"one": {"the_name": "x"}}, "t.one.the-name: is missing"),
        ({"many": {}}, "t.many: must be an array, not a table"),
        (
            {"many": [{"the-name": "x"}, {"the-name": 1}]},
            "t.many[1].the-name: must be a string, not an integer",
        ),
        (
            {"one": {"the-name": "x", "size": -1}},
            "t.one.size: must not be negative, and is -1",
        ),
        (
            {"one": {"the-name": "x", "size": True}},
            "t.one.size: must be an integer, not a boolean",
        ),
        (
            {"one": {"the-name": "x", "size": 1e26}},
            "t.one.size: must be an integer, not a float",
        ),
        (
            {"texts": {"a.b": ["x", []]}},
            't.texts."a.b"[1]: must be a string, not an array',
        ),
        ({"moment": "now"}, "t.moment: must be a date-time, not a string"),
        ({"moment": date(2026, 1, 1)}, "t.moment: must be a date-time, not a date"),
        ({"flag": 0}, "t.flag: must be a boolean, not an integer"),
        ({"free": []}, "t.free: must be a table, not an array"),
    ],
)
def test_what_does_not_fit_is_named_by_its_key(
    values: dict[str, Any], message: str
) -> None:
    """Key path, the type that it must have, and the type that it has."""
    with pytest.raises(ProjectError) as caught:
        Table(values, path="p", parts=("t",)).convert(Outer)
    assert str(caught.value) == f"p: {message}"


def test_what_was_read_before_is_taken_as_it_is() -> None:
    """A Struct among the values stays the same object, and None stands for no key."""
    inner = Inner(the_name="x")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    table = Table({"moment": moment, "later": 1}, path="p")

    found = table.convert(Outer, {**table.values, "one": inner, "many": (inner,)})
    assert (found.one, found.many, found.moment) == (inner, (inner,), moment)
    with pytest.raises(ProjectError, match="p: flag: must be a boolean"):
        table.convert(Outer, {"one": inner, "moment": None, "flag": "x"})
