"""Which wheels no interpreter could install both."""

from __future__ import annotations

import itertools

import pytest
from packaging import tags

from polylock.lockfile.mutual_exclusion import CompatibilityTags, exclusive
from polylock.model.filenames import WheelFilename

LINUX = "cp312-cp312-manylinux_2_28_x86_64"


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (LINUX, "cp312-cp312-manylinux_2_17_x86_64", False),
        (LINUX, "cp312-cp312-linux_x86_64", False),
        (LINUX.replace("many", "musl"), "cp312-cp312-linux_x86_64", False),
        (LINUX, "cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64", False),
        (LINUX, "cp312-cp312-manylinux_2_28_aarch64", True),
        (LINUX, "cp312-cp312-manylinux_2_28_i686", True),
        (LINUX, "cp312-cp312-musllinux_1_2_x86_64", True),
        (LINUX, "cp312-cp312-win_amd64", True),
        (LINUX, "cp312-cp312-macosx_10_13_x86_64", True),
        (LINUX, "cp313-cp313-manylinux_2_28_x86_64", True),
        (LINUX, "cp313-cp313-manylinux_2_28_x86_64.musllinux_1_2_x86_64", True),
        (LINUX, "cp312-cp312t-manylinux_2_28_x86_64", True),
        (LINUX, "cp312-none-manylinux_2_28_x86_64", False),
        (LINUX, "cp311-none-manylinux_2_28_x86_64", True),
        (LINUX, "cp39-abi3-manylinux_2_17_x86_64", False),
        (LINUX, "cp313-abi3-manylinux_2_17_x86_64", True),
        (LINUX, "cp313.cp312-abi3-manylinux_2_17_x86_64", False),
        (LINUX, "py3-none-any", False),
        (LINUX, "py2-none-any", True),
        (LINUX, "py2.py3-none-any", False),
        (LINUX, "py313-none-any", True),
        (LINUX, "py311-none-any", False),
        (LINUX, "pp311-pypy311_pp73-manylinux_2_28_x86_64", True),
        (LINUX, "cp312-cp312-freebsd_14_amd64", False),
        (LINUX, "graalpy-unknown-any", False),
        ("cp313-cp313t-win_amd64", "cp39-abi3-win_amd64", True),
        ("cp315-cp315t-win_amd64", "cp315-abi3t-win_amd64", False),
        ("cp314-none-win32", "cp314-none-win_amd64", True),
        ("pp311-pypy311_pp73-win_amd64", "py3-none-win_amd64", False),
        ("py3-none-macosx_11_0_arm64", "py3-none-macosx_10_13_x86_64", True),
        ("py3-none-macosx_11_0_arm64", "py3-none-macosx_10_13_universal2", False),
        ("py3-none-macosx_10_9_x86_64", "py3-none-macosx_10_13_universal2", False),
        ("py3-none-macosx_10_9_intel", "py3-none-macosx_11_0_arm64", True),
        ("py3-none-macosx_11_0_arm64", "py3-none-macosx_14_0_arm64", False),
        ("py3-none-android_24_arm64_v8a", "py3-none-android_24_x86_64", True),
        ("py3-none-android_21_x86_64", "py3-none-android_24_x86_64", False),
        ("py3-none-ios_13_0_arm64_iphoneos", "py3-none-macosx_11_0_arm64", True),
    ],
)
def test_exclusive_where_nothing_could_install_both(
    one: str, other: str, *, apart: bool
) -> None:
    """Wheels are exclusive by system, architecture, libc or Python, in both orders."""
    first, second = (_tags_of(each) for each in (one, other))

    assert exclusive(first, second) is apart
    assert exclusive(second, first) is apart


def _tags_of(text: str) -> CompatibilityTags:
    return CompatibilityTags.of_wheel(WheelFilename.parse(f"x-1-{text}.whl"))


@pytest.mark.parametrize("threads", ["", "t"])
@pytest.mark.parametrize(
    "platforms",
    [
        ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "linux_x86_64"],
        ["musllinux_1_2_aarch64", "musllinux_1_1_aarch64", "linux_aarch64"],
        list(itertools.islice(tags.mac_platforms((14, 0), "arm64"), 12)),
        list(itertools.islice(tags.mac_platforms((14, 0), "x86_64"), 12)),
        ["win_amd64"],
    ],
)
def test_exclusive_never_for_two_tags_of_one_interpreter(
    threads: str, platforms: list[str]
) -> None:
    """By the tags that packaging gives an interpreter, no two are taken for apart."""
    known = {
        str(tag)
        for tag in (
            *tags.cpython_tags((3, 13), [f"cp313{threads}"], platforms),
            *tags.compatible_tags((3, 13), "cp313", platforms),
        )
    }
    parsed = [CompatibilityTags.of_tag(tag) for tag in sorted(known)]

    apart = [
        (one, other)
        for one, other in itertools.combinations(parsed, 2)
        if exclusive(one, other)
    ]

    assert apart == []
