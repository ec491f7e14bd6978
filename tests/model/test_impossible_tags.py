"""Tags that no machine has, by what packaging generates for machines."""

from __future__ import annotations

import pytest
from packaging import tags

from polylock.model.filenames import WheelFilename
from polylock.model.impossible_tags import TagFault, impossible_tag


def judged(tag: str) -> tuple[str, TagFault] | None:
    """Return the fault of a wheel with this tag."""
    return impossible_tag(WheelFilename.parse(f"demo-1.0-{tag}.whl"))


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        ("cp313-cp313-macosx_110_0_arm64", TagFault.MACOS_VERSION),
        ("cp313-cp313-macosx_9_0_x86_64", TagFault.MACOS_VERSION),
        ("cp313-cp313-macosx_12_3_arm64", TagFault.MACOS_MINOR),
        ("cp313-cp313-macosx_10_9_arm64", TagFault.MACOS_ARM64),
        ("cp313-cp313-macosx_11_0_aarch64", TagFault.PROCESSOR),
        ("cp313-cp313-macosx_11_arm64", TagFault.PLATFORM),
        ("cp313-cp313-manylinux_2_28_amd64", TagFault.PROCESSOR),
        ("cp313-cp313-linux_arm64", TagFault.PROCESSOR),
        ("cp313-cp313-manylinux_x86_64", TagFault.PLATFORM),
        ("cp313-cp313-manylinux2_28_x86_64", TagFault.PLATFORM),
        ("cp313-cp313-manylinux_2_280_x86_64", TagFault.LIBC),
        ("cp313-cp313-musllinux_12_1_x86_64", TagFault.LIBC),
        ("cp313-cp313-win_x86_64", TagFault.PLATFORM),
        ("cp313-cp312-win_amd64", TagFault.ABI),
        ("cp313t-cp313t-win_amd64", TagFault.ABI),
        ("py3-abi3-win_amd64", TagFault.ABI),
    ],
)
def test_impossible_tags_have_a_fault(tag: str, fault: TagFault) -> None:
    """The tag is named with what is wrong with it."""
    assert judged(tag) == (tag, fault)


@pytest.mark.parametrize(
    "tag",
    [
        "py3-none-any",
        "py2.py3-none-any",
        "cp313-cp313t-win_amd64",
        "cp39-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64",
        "cp313-none-win_arm64",
        "pp311-pypy311_pp73-macosx_10_15_x86_64",
        "cp38-cp38-macosx_10_9_universal2",
        "cp27-cp27mu-manylinux1_i686",
        "cp313-cp313-linux_x86_64",
        "cp313-cp313-linux_armv7l",
        "cp313-cp313-android_24_arm64_v8a",
        "cp313-cp313-pyodide_2025_0_wasm32",
        "graalpy311-graalpy242_311_native-manylinux_2_28_x86_64",
        # One of the tags is possible.
        "cp313-cp313-macosx_110_0_arm64.macosx_11_0_arm64",
    ],
)
def test_possible_tags_have_none(tag: str) -> None:
    """Also those of systems that are not judged here."""
    assert judged(tag) is None


@pytest.mark.parametrize(
    ("version", "processor"),
    [
        ((10, 15), "x86_64"),
        ((11, 7), "arm64"),
        ((14, 5), "x86_64"),
        ((26, 1), "arm64"),
        ((26, 1), "x86_64"),
    ],
)
def test_no_tag_of_a_mac_is_impossible(
    version: tuple[int, int], processor: str
) -> None:
    """What packaging generates for a Mac is never called impossible."""
    for platform in tags.mac_platforms(version, processor):
        assert judged(f"cp313-cp313-{platform}") is None, platform
