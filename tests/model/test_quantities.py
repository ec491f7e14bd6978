"""Numbers for people."""

from __future__ import annotations

import pytest
from polylock.model.sizes import counted, file_size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_260_000, "1.3 MB"),
        (2_500_000_000, "2.5 GB"),
        (1_234_000_000_000_000, "1,234.0 TB"),
    ],
)
def test_sizes_are_in_powers_of_ten(count: int, text: str) -> None:
    """One digit after the point, from a thousand bytes on."""
    assert file_size(count) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 targets"), (1, "1 target"), (1234, "1,234 targets")]
)
def test_noun_goes_with_the_number(number: int, text: str) -> None:
    """One of a thing is singular; thousands have a comma."""
    assert counted(number, "target") == text
