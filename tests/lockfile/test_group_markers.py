"""Markers that distinguish targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.resolutions import make_target
from polylock.lockfile.group_markers import Separator

if TYPE_CHECKING:
    from polylock.model.markers import MarkerExpression
    from polylock.model.target import Target

LINUX = make_target("linux")
H100 = make_target("h100")
ARM = make_target("arm", "linux-aarch64")
MAC = make_target("mac", "macos-aarch64")
WINDOWS = make_target("windows", "windows-x86_64")
OLD = make_target("old", python="3.11")
NEW = make_target("new", python="3.13")
OLD_MAC = make_target("old-mac", "macos-aarch64", "3.11")
PYPY = make_target("pypy", python="pypy3.11")


@pytest.mark.parametrize(
    ("targets", "wanted", "marker"),
    [
        ([LINUX, MAC], "linux", "sys_platform == 'linux'"),
        ([LINUX, MAC, WINDOWS], "mac windows", "sys_platform != 'linux'"),
        ([LINUX, ARM, MAC], "linux", "platform_machine == 'x86_64'"),
        ([LINUX, ARM, MAC], "linux mac", "platform_machine != 'aarch64'"),
        ([LINUX, OLD, NEW], "linux new", "python_version >= '3.12'"),
        ([LINUX, OLD, NEW], "linux old", "python_version < '3.13'"),
        ([LINUX, OLD, NEW], "linux", "python_version == '3.12'"),
        ([OLD, PYPY], "pypy", "implementation_name == 'pypy'"),
        (
            [LINUX, OLD, MAC, OLD_MAC],
            "old",
            "sys_platform == 'linux' and python_version == '3.11'",
        ),
        ([LINUX, H100, MAC], "h100", "'h100' in dependency_groups"),
        (
            [LINUX, H100, MAC],
            "h100 mac",
            "sys_platform == 'darwin' or 'h100' in dependency_groups",
        ),
        (
            [LINUX, OLD, MAC, OLD_MAC],
            "old mac",
            (
                "(sys_platform == 'darwin' and python_version == '3.12') or "
                "(sys_platform == 'linux' and python_version == '3.11')"
            ),
        ),
        ([LINUX, MAC], "linux mac", "None"),
        ([LINUX], "linux", "None"),
    ],
)
def test_marker_is_the_simplest_that_separates(
    targets: list[Target], wanted: str, marker: str
) -> None:
    """The environment where it suffices, with the fewest clauses; else the name."""
    assert str(_marker(targets, wanted)) == marker


def test_marker_may_hold_for_harmless_targets() -> None:
    """Where it does not matter whether it holds for some, it can be simpler."""
    separator = Separator(targets=[LINUX, H100, MAC])

    assert str(separator.marker(0b010, harmless=0b001)) == "sys_platform == 'linux'"
    assert separator.marker(0b010, harmless=0b101) is None


def _marker(targets: list[Target], wanted: str) -> MarkerExpression | None:
    separator = Separator(targets=targets)
    mask = sum(
        1 << position
        for position, target in enumerate(separator.targets)
        if target.name in wanted.split()
    )
    return separator.marker(mask)
