"""Which requirements may hold under an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.universes import TARGETS
from polylock.model.by_extra import ByExtra
from polylock.model.core_metadata import CoreMetadata
from polylock.model.folding import fold
from polylock.model.requirements import Requirement

if TYPE_CHECKING:
    from polylock.model.markers import MarkerExpression

MARKERS = [
    "",
    "os_name == 'nt'",
    "os_name == 'posix'",
    "extra == 'One.two'",
    "'one-two' == extra",
    "extra != 'one-two'",
    "extra in 'one-two other'",
    "extra == ''",
    "extra == 'one-two' and os_name == 'posix'",
    "os_name == 'posix' and (platform_release == '6' and extra == 'other')",
    "extra == 'one-two' or extra == 'other'",
    "extra == 'one-two' or platform_release == '6'",
    "(extra == 'one-two' or os_name == 'posix') and extra == 'other'",
    "extra == 'one-two' and extra == 'other'",
]
METADATA = CoreMetadata(
    name="demo",
    version="1",
    requires_dist=tuple(
        Requirement.parse(f"helper; {marker}" if marker else "helper")
        for marker in MARKERS
    ),
)


def folded(position: int, extra: str) -> MarkerExpression | bool:
    """Return what a target leaves of a marker under an extra."""
    marker = METADATA.requires_dist[position].marker_expression
    return True if marker is None else fold(marker, TARGETS[0], extra=extra)


@pytest.mark.parametrize("extra", ["", "one-two", "ONE_two", "other", "unknown"])
def test_what_is_left_out_adds_nothing(extra: str) -> None:
    """It is false, or names no extra, which the project itself then asks for."""
    found = ByExtra().positions(METADATA, extra)
    assert found == sorted(set(found))
    for position, marker in enumerate(MARKERS):
        if position not in found:
            plain = bool(extra) and "extra" not in marker
            assert plain or folded(position, extra) is False


def test_those_of_an_extra_alone_are_found_by_it() -> None:
    """So thousands of extras cost what their requirements do, not their product."""
    assert 3 in ByExtra().positions(METADATA, "one_TWO")
    assert 9 in ByExtra().positions(METADATA, "other")
    for extra in ("", "unknown"):
        assert not {3, 4, 8, 9, 12, 13} & {*ByExtra().positions(METADATA, extra)}
