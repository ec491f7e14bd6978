"""ABI dependencies of labels (PEP 850, "ABI Dependency Variant Provider")."""

from __future__ import annotations

import pytest

from polylock.variants.abi import AbiNeed, InvalidAbiDependency, alternatives
from polylock.variants.ordering import DeferredFeature


def feature(name: str, *values: str) -> DeferredFeature:
    """Return a feature of the namespace."""
    return DeferredFeature("abi_dependency", name, values)


@pytest.mark.parametrize(
    ("value", "specifier"),
    [("2", "==2.*"), ("2.9", "==2.9.*"), ("2.8.0", "==2.8.0.*")],
)
def test_values_are_specifiers(value: str, specifier: str) -> None:
    """The table of PEP 850: a value matches as ``=={value}.*`` does."""
    assert AbiNeed("torch", value).specifier == specifier


@pytest.mark.parametrize("spelling", ["flash-attn", "flash_attn"])
def test_names_are_normalized(spelling: str) -> None:
    """A hyphen and an underscore are the same; the property keeps its spelling."""
    need = AbiNeed(spelling, "2")
    assert need.name == "flash-attn"
    assert str(need.property) == f"abi_dependency :: {spelling} :: 2"


def test_one_value_of_each_project() -> None:
    """Each alternative takes one value for each project."""
    found = alternatives([feature("torch", "2.8", "2.9"), feature("numpy", "1", "2")])
    assert [[str(need.property)[18:] for need in each] for each in found] == [
        ["numpy :: 1", "torch :: 2.8"],
        ["numpy :: 1", "torch :: 2.9"],
        ["numpy :: 2", "torch :: 2.8"],
        ["numpy :: 2", "torch :: 2.9"],
    ]
    assert alternatives([]) == [()]


@pytest.mark.parametrize(
    "value", ["", "latest", "2.8.0.1", "1!2", "2.*", "v2", "2.9rc1", "2.", "9" * 10]
)
def test_what_is_no_release_never_fits(value: str) -> None:
    """A value is a release of up to three numbers, without an epoch."""
    with pytest.raises(InvalidAbiDependency, match="which is not a release"):
        alternatives([feature("torch", value)])
    kept = alternatives([feature("torch", value, "2.9")])
    assert kept == [(AbiNeed("torch", "2.9"),)]


def test_too_many_ways_are_refused() -> None:
    """Metadata cannot make the solver try thousands of combinations."""
    numbers = [str(number) for number in range(11)]
    with pytest.raises(InvalidAbiDependency, match="more than 100 ways"):
        alternatives([feature("a", *numbers), feature("b", *numbers)])


def test_the_newest_and_the_less_specific_come_first() -> None:
    """The order of values that all fit; backwards by release for the lowest."""
    values = ["2.8.0", "2", "1.9", "2.10", "2.9.1", "2.9"]
    needs = [AbiNeed("torch", value) for value in values]
    newest = sorted(needs, key=lambda need: need.order(lowest_first=False))
    lowest = sorted(needs, key=lambda need: need.order(lowest_first=True))
    assert [n.value for n in newest] == ["2", "2.10", "2.9", "2.9.1", "2.8.0", "1.9"]
    assert [n.value for n in lowest] == ["1.9", "2", "2.8.0", "2.9", "2.9.1", "2.10"]
