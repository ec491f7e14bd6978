"""What is recorded of inputs and targets."""

from __future__ import annotations

import pytest

from fakes.resolutions import make_inputs
from polylock.lockfile.records import (
    record_inputs,
    requirement_text,
    without_credentials,
)
from polylock.model.inputs import IndexLocation
from polylock.model.requirements import Requirement


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Torch >= 2.9 , <3", "torch<3,>=2.9"),
        ("a[Y,x]", "A [x, y]"),
        ('a ; python_version<"3.12"', "a;  python_version  < '3.12'"),
        ("a @ https://u:p@example.com/a.zip", "a @ https://example.com/a.zip"),
    ],
)
def test_requirement_text_has_one_spelling(one: str, other: str) -> None:
    """White space, quotes, order and credentials do not matter."""
    assert requirement_text(Requirement.parse(one)) == requirement_text(
        Requirement.parse(other)
    )


def test_record_inputs_of_the_one_default_index_says_nothing() -> None:
    """A project that declares no index has none recorded; another name is."""
    default = IndexLocation(name="default", url="https://one.example.com")
    named = IndexLocation(name="one", url="https://one.example.com")

    assert record_inputs(make_inputs(indexes=(default,))).indexes == ()
    assert [i.name for i in record_inputs(make_inputs(indexes=(named,))).indexes] == [
        "one"
    ]


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://user:p%40ss@host:8080/a?b#c", "https://host:8080/a?b#c"),
        ("https://host/a@b", "https://host/a@b"),
        ("https://[broken", "https://[broken"),
        ("wheels/x.whl", "wheels/x.whl"),
    ],
)
def test_without_credentials_leaves_the_rest(url: str, clean: str) -> None:
    """User name and password go; a URL without any is as written."""
    assert without_credentials(url) == clean
