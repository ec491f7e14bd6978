"""One difference, as data and as a line."""

from __future__ import annotations

import pytest

from polylock.lockfile.differences import Difference, DifferenceKind


@pytest.mark.parametrize(
    ("difference", "line"),
    [
        (
            Difference(kind=DifferenceKind.EXTRA, subject="a", wanted="a"),
            "extra a is new",
        ),
        (
            Difference(kind=DifferenceKind.CONSTRAINT, subject="a<2", locked="a<2"),
            "constraint a<2 is gone",
        ),
        (
            Difference(
                kind=DifferenceKind.REQUIRES_PYTHON,
                subject="",
                locked=">=3.11",
                wanted=">=3.12",
            ),
            "requires-python is >=3.12, locked as >=3.11",
        ),
        (
            Difference(
                kind=DifferenceKind.PIN,
                subject="target t",
                locked="a 1",
                wanted="a>=2",
            ),
            "target t: a>=2 is required, the lock has a 1",
        ),
    ],
)
def test_difference_has_a_line(difference: Difference, line: str) -> None:
    """Programs read the fields, people the line."""
    assert str(difference) == line
    assert "\n" not in line


def test_kind_is_text_for_programs() -> None:
    """The kind is its own stable value in JSON."""
    assert [str(kind) for kind in DifferenceKind][:2] == ["record", "requires-python"]
