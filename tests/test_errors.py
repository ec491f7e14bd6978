"""Errors: data by name or by position, and a sentence made from it."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest

from polylock import errors
from polylock.errors import (
    AnswerTooLong,
    EnvironmentBroken,
    HashMismatch,
    IndexRequestError,
    NoSolution,
    Offline,
    ProjectError,
    UsageError,
)


def test_fields_are_given_by_position_or_name() -> None:
    """A default may be left out, and a subclass has the fields of its base."""
    error = ProjectError("pyproject.toml", key="project", problem="is missing")
    assert (error.path, error.key, error.advice) == ("pyproject.toml", "project", None)
    assert str(Offline("http://127.0.0.1/", None, "")).startswith("http://127.0.0.1/ ")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        (("problem", "advice", "more"), {}),
        (("problem",), {"problem": "again"}),
        (("problem",), {"advise": "misspelt"}),
    ],
)
def test_wrong_fields_are_refused(
    values: tuple[str, ...], named: dict[str, Any]
) -> None:
    """A field that is missing, unknown, given twice or one too many is a mistake."""
    with pytest.raises(TypeError):
        UsageError(*values, **named)


def test_an_error_shows_its_fields() -> None:
    """The representation has all fields, those worked out included."""
    assert repr(HashMismatch("a.whl", "1", "2")) == (
        "HashMismatch(filename='a.whl', problem='hash 2 instead of 1', "
        "wanted='1', found='2', stated_by='index')"
    )


def test_an_error_survives_pickling() -> None:
    """Fields given by name are there afterwards."""
    error = pickle.loads(pickle.dumps(UsageError("problem", advice="advice")))
    assert (str(error), error.hint()) == ("problem", "advice")


def test_errors_are_equal_to_themselves_alone() -> None:
    """Two errors with the same fields are two errors."""
    assert UsageError("problem") != UsageError("problem")


def test_a_hint_is_the_advice_or_the_usual_one() -> None:
    """What an error was given wins; a class has its own, or that of its base."""
    assert EnvironmentBroken("env", "is gone", "make it").hint() == "make it"
    assert "permissions" in str(EnvironmentBroken("env", "is gone").hint())
    assert "--offline" in str(Offline("https://example.com/", None, "").hint())
    long = AnswerTooLong("https://example.com/", 200, "too long")
    assert long.hint() == IndexRequestError("https://example.com/", 500, "x").hint()
    assert "keyring" in str(IndexRequestError("https://example.com/", 401, "x").hint())
    assert UsageError("problem").hint() is None


def test_details_are_the_items_of_a_field() -> None:
    """Each is a line of its own; most errors have none."""
    assert NoSolution("cpu", ["a", "b"]).details() == ["a", "b"]
    assert UsageError("problem").details() == ()


def test_the_tree_names_every_error_under_its_base() -> None:
    """The map at the top of the module is that of the classes."""
    found = {"PolylockError": "Exception"}
    parents = ["PolylockError"]
    for bars, name in re.findall(
        r"^    ((?:\|  )*\+- )(\w+)", errors.__doc__ or "", re.MULTILINE
    ):
        depth = len(bars) // 3
        found[name] = parents[depth - 1]
        parents[depth:] = [name]
    assert found == {
        name: next(
            base.__name__
            for base in getattr(errors, name).__mro__[1:]
            if not base.__name__.startswith("_")
        )
        for name in errors.__all__
    }
