"""What is recorded of inputs and targets."""

from __future__ import annotations

import pytest

from fakes.resolutions import Lists, make_inputs, make_target
from polylock.lockfile.record import (
    locked_target,
    record_inputs,
    record_target,
    requirement_text,
    without_credentials,
)
from polylock.model.inputs import IndexLocation
from polylock.model.requirements import Requirement
from polylock.values import replace


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


def test_record_of_what_a_target_wants_of_variants_is_read_back() -> None:
    """An empty list is not the same as none, and stays one."""
    target = make_target("one")
    description = replace(
        target.description,
        exclude_variants=(),
        prefer_variants=("b", "a"),
        require_variants={"b": ("n",), "a": ()},
    )
    record = record_target(replace(target, description=description))
    read = locked_target(record).description

    assert read.exclude_variants == ()
    assert read.prefer_variants == ("b", "a")
    assert read.require_variants == {"a": (), "b": ("n",)}
    assert list(record.require_variants) == ["a", "b"]
    assert record_target(make_target("one")).exclude_variants is None


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


DERIVED: Lists = {
    "x86_64": {"level": ("v3", "v2"), "avx2": ("on",)},
    "nvidia": {"sm_arch": ("90_real",)},
}


@pytest.mark.parametrize(
    ("platform", "python"),
    [
        ("linux-x86_64", "3.12"),
        ("linux-aarch64", "3.12.7"),
        ("macos-aarch64", "3.13t"),
        ("windows-x86_64", "pypy3.11"),
    ],
)
def test_locked_target_is_the_target_that_was_recorded(
    platform: str, python: str
) -> None:
    """Name, environment, tags and both kinds of lists are read back in their order."""
    target = make_target(
        "t", platform, python, stated={"amd": {}, "z": {"b": ("1",)}}, derived=DERIVED
    )

    again = locked_target(record_target(target))

    assert again.name == "t"
    assert again.marker_environment == target.marker_environment
    assert again.tags == target.tags
    assert again.stated == target.stated
    assert list(again.derived.features("x86_64").items()) == list(
        DERIVED["x86_64"].items()
    )
    assert record_target(again) == record_target(target)
