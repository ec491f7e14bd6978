"""Markers folded for a target, variant markers included."""

from __future__ import annotations

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from polylock.model.folding import fold
from polylock.model.markers import parse_marker
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    Target,
    TargetDescription,
)
from polylock.providers.derive import build_target


def target(python: PythonRelease | None = None) -> Target:
    """Return a Linux target, by default with any Python 3.11."""
    return build_target(
        TargetDescription(
            name="one",
            system=OperatingSystem.LINUX,
            architecture=Architecture.X86_64,
            libc="glibc-2.28",
            python=python or PythonRelease(major=3, minor=11),
        )
    )


@pytest.mark.parametrize(
    "marker",
    [
        "sys_platform == 'linux'",
        "platform_machine in 'x86_64 AMD64'",
        "python_version >= '3.9' and python_version < '3.12'",
        "python_version in '3.10, 3.11'",
        "os_name == 'nt' or implementation_name == 'cpython'",
        "'linux' in sys_platform",
        "platform_system != 'Windows' and (python_version < '3' or os_name == 'posix')",
        "'3.12' > python_version",
        "python_version ~= '3.10'",
    ],
)
def test_ordinary_markers_mean_what_packaging_says(marker: str) -> None:
    """What the target fixes is evaluated as packaging does."""
    environment = dict(target().marker_environment)
    expected = Marker(marker).evaluate(environment)
    assert fold(parse_marker(marker), target()) is expected


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("python_full_version < '3.11.3'", "python_full_version < '3.11.3'"),
        ("python_full_version < '3.12'", True),
        ("python_full_version >= '3.12.0'", False),
        ("python_full_version == '3.11.*'", True),
        ("python_full_version > '3.11.0'", "python_full_version > '3.11.0'"),
        ("python_full_version > '3.10.4'", True),
        ("platform_release == '6.1'", "platform_release == '6.1'"),
        (
            "sys_platform == 'linux' and platform_release == '6.1'",
            "platform_release == '6.1'",
        ),
        ("sys_platform == 'win32' and platform_release == '6.1'", False),
        ("sys_platform == 'linux' or platform_release == '6.1'", True),
    ],
)
def test_what_the_target_leaves_open_is_kept(
    *, marker: str, expected: str | bool
) -> None:
    """A minor Python version stands for all its patch releases."""
    found = fold(parse_marker(marker), target())
    assert expected == (found if isinstance(found, bool) else str(found))


def test_a_named_patch_release_leaves_nothing_open() -> None:
    """With a patch release the full version is known."""
    python = PythonRelease(major=3, minor=11, patch=2)
    marker = parse_marker("python_full_version < '3.11.3'")
    assert fold(marker, target(python)) is True


def test_extra_is_that_of_the_requirement() -> None:
    """``extra`` is empty unless the requirement was reached under one."""
    marker = parse_marker("extra == 'Test_Extra'")
    assert fold(marker, target()) is False
    extra = canonicalize_name("test-extra")
    assert fold(marker, target(), extra=extra) is True


def test_lock_file_markers_are_kept_until_the_sets_are_known() -> None:
    """``extras`` and ``dependency_groups`` are sets of a lock file (PEP 751)."""
    marker = parse_marker("'dev' in dependency_groups or 'plot' in extras")
    assert str(fold(marker, target())) == str(marker)
    assert fold(marker, target(), groups={"dev"}, extras=()) is True
    assert fold(marker, target(), groups=(), extras=()) is False
