"""Which pin of several is for a target."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from fakes.foreign import versions_for
from polylock.foreign.pins import ForeignLock, ForeignPin
from polylock.model.markers import parse_marker


def lock(*pins: tuple[str, str]) -> ForeignLock:
    """Return a lock with versions of one project, each with its markers."""
    return ForeignLock(
        path="some.lock",
        tool="some",
        pins=tuple(
            ForeignPin(
                name=canonicalize_name("a"),
                version=version,
                markers=tuple(map(parse_marker, filter(None, markers.split(" | ")))),
            )
            for version, markers in pins
        ),
    )


@pytest.mark.parametrize(
    ("pins", "version"),
    [
        ([("1", "sys_platform == 'linux'"), ("2", "sys_platform == 'win32'")], "1"),
        ([("1", "sys_platform == 'linux' | sys_platform == 'win32'")], "1"),
        ([("1", "sys_platform == 'win32' | sys_platform == 'darwin'")], None),
        # What is sure goes before what is open, then the newest.
        ([("1", "sys_platform == 'linux'"), ("2", "extra == 'gpu'")], "1"),
        ([("1", "extra == 'cpu'"), ("2", "extra == 'gpu'")], "2"),
        ([("1", "extra != 'gpu'"), ("2", "extra == 'gpu'")], "2"),
        ([("1", "sys_platform == 'win32' and extra == 'gpu'")], None),
        (
            [("1", "sys_platform == 'linux' or extra == 'gpu'"), ("2", "extra == 'x'")],
            "1",
        ),
        ([("10", ""), ("9", "")], "10"),
        # A patch release that the target leaves open.
        ([("1", "python_full_version < '3.12.4'")], "1"),
        ([("1", "python_full_version < '3.12'")], None),
    ],
)
def test_one_pin_counts(pins: list[tuple[str, str]], version: str | None) -> None:
    """A pin that may be for the target counts, the surest and newest of several."""
    for order in (pins, pins[::-1]):
        found = versions_for(lock(*order))
        assert found == ({} if version is None else {"a": version})
