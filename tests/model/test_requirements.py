"""Requirements in their parts, as packaging takes them to pieces."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging import requirements
from packaging.utils import canonicalize_name

from polylock.model.requirements import (
    InvalidRequirement,
    Requirement,
    is_specifier,
)

PIECES = st.sampled_from(
    [
        *(
            "a",
            "A.b",
            "x_y-z",
            "-",
            ".",
            "_",
            "1",
            "1.0",
            "2.*",
            "1.0+l.1",
            "1!2",
            "v1",
        ),
        *(
            "==",
            "===",
            "~=",
            "!=",
            ">=",
            "<=",
            ">",
            "<",
            "=",
            ",",
            ", ",
            " ",
            "\t",
            "\n",
        ),
        *(
            "[",
            "]",
            "[]",
            "[a]",
            "[ a , b ]",
            "(",
            ")",
            "*",
            "1.0rc1",
            "\u00e9",
            "\u0661",
        ),
    ]
)


def parts(text: str) -> Requirement | str:
    """Return what packaging says of a requirement, or why it refuses it."""
    try:
        plain = requirements.Requirement(text.strip())
    except requirements.InvalidRequirement as refused:
        return str(refused)
    return Requirement(
        name=canonicalize_name(plain.name),
        specifier=str(plain.specifier),
        extras=tuple(sorted({canonicalize_name(extra) for extra in plain.extras})),
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=9).map("".join))
@example("a[b]>=1,<2")
@example("a [ b , C ] >= 1.0 , != 1.5.*")
@example("a>=1.*")
@example("a[]")
@example("a===1")
@example("a(>=1)")
@example("a >1,")
@example("a ==1.0-1")
@example("a ~=1")
@example("a-")
def test_a_requirement_means_what_packaging_says(text: str) -> None:
    """The same parts, or a refusal in the same words."""
    expected = parts(text)
    if isinstance(expected, Requirement):
        assert Requirement.parse(text) == expected
    else:
        with pytest.raises(InvalidRequirement) as error:
            Requirement.parse(text)
        assert str(error.value) == expected


def test_a_number_without_end_is_refused() -> None:
    """Packaging would read it late, where nobody expects an error."""
    with pytest.raises(InvalidRequirement, match="has a number"):
        Requirement.parse(f"a>={'1' * 5000}")


@pytest.mark.parametrize("text", ["", ">=3.9", "~=1.4, !=1.4.2", "===anything"])
def test_specifier_sets(text: str) -> None:
    """Every form of PEP 440 is a specifier set, and so is the empty one."""
    assert is_specifier(text)


@pytest.mark.parametrize("text", ["3.9", ">=3.6.*", ">= three", f">={'9' * 100}"])
def test_texts_that_are_no_specifier_set(text: str) -> None:
    """Indexes hold some; a number of 100 digits is refused as a lock file does."""
    assert not is_specifier(text)
