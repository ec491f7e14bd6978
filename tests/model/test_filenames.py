"""File names with build numbers and variant labels."""

from __future__ import annotations

import pytest

from polylock.model.filenames import (
    InvalidFilename,
    SdistFilename,
    WheelFilename,
    check_file_name,
)


@pytest.mark.parametrize(
    ("filename", "build", "label"),
    [
        ("numpy-2.3.2-cp313-cp313t-musllinux_1_2_x86_64.whl", "", None),
        (
            "numpy-2.3.2-cp313-cp313t-musllinux_1_2_x86_64-x86_64_v3.whl",
            "",
            "x86_64_v3",
        ),
        ("torch-2.10.0-3-cp313-cp313-win_amd64.whl", "3", None),
        ("torch-2.10.0-3-cp313-cp313-win_amd64-cu13.0.whl", "3", "cu13.0"),
        ("torch-2.8.0-cp313-cp313-win_amd64-00000000.whl", "", "00000000"),
    ],
)
def test_build_number_and_label_stand_alone_and_together(
    filename: str, build: str, label: str | None
) -> None:
    """Both optional parts are told apart by what a Python tag may begin with."""
    parsed = WheelFilename.parse(filename)
    assert (parsed.build, parsed.variant_label) == (build, label)
    assert parsed.python_tags == "cp313"


def test_compressed_tags_are_expanded_in_order() -> None:
    """Every combination of a compressed tag set is a tag."""
    parsed = WheelFilename.parse("a-1-py2.py3-none-macosx_11_0_arm64.any.whl")
    assert list(parsed.tags) == [
        "py2-none-macosx_11_0_arm64",
        "py2-none-any",
        "py3-none-macosx_11_0_arm64",
        "py3-none-any",
    ]


def test_build_numbers_compare_as_numbers() -> None:
    """10 is more than 2, and a suffix is more than none."""
    numbers = [
        WheelFilename.parse(f"a-1-{build}-py3-none-any.whl").build_number
        for build in ("2", "10", "10b")
    ]
    none = WheelFilename.parse("a-1-py3-none-any.whl").build_number
    assert sorted([*reversed(numbers), none]) == [none, *numbers]


@pytest.mark.parametrize(
    "filename",
    [
        "a-1-py3-none-any.zip",
        "a-1-py3-none.whl",
        "a-1-py3-none-any-Label.whl",
        "a-1-py3-none-any-a-b.whl",
        "a-1-1-py3-none-any-a-b.whl",
        "-1-py3-none-any.whl",
        "a--py3-none-any.whl",
        ".whl",
    ],
)
def test_a_bad_wheel_name_is_refused(filename: str) -> None:
    """Too many or too few parts, an upper-case label, another ending."""
    with pytest.raises(InvalidFilename):
        WheelFilename.parse(filename)


def test_name_is_normalized_and_local_version_readable() -> None:
    """The underscore that escapes a local version's plus sign is undone."""
    parsed = WheelFilename.parse("My_Pkg-1.0+cu118-py3-none-any.whl")
    assert (parsed.name, parsed.version) == ("my-pkg", "1.0+cu118")


def test_sdist_name_is_cut_at_the_last_hyphen() -> None:
    """Old source distributions have hyphens in their names."""
    parsed = SdistFilename.parse("My-Old.Pkg-1.0.tar.gz")
    assert (parsed.name, parsed.version) == ("my-old-pkg", "1.0")
    with pytest.raises(InvalidFilename):
        SdistFilename.parse("pkg.tar.gz")


@pytest.mark.parametrize(
    "filename",
    [
        "../x-1.0-py3-none-any.whl",
        "a/x-1.0-py3-none-any.whl",
        "..\\x-1.0-py3-none-any.whl",
        "C:x-1.0-py3-none-any.whl",
        "x-1.0-py3\n-none-any.whl",
        "x-1.0-py3\u2028-none-any.whl",
        f"x-1.0-{'1' * 5000}-py3-none-any.whl",
    ],
)
def test_what_is_no_name_of_a_file_in_a_directory(filename: str) -> None:
    """Neither a wheel nor an sdist is called so, on any system."""
    with pytest.raises(InvalidFilename):
        WheelFilename.parse(filename)
    with pytest.raises(InvalidFilename):
        SdistFilename.parse(filename.replace("-py3-none-any.whl", ".tar.gz"))


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_what_names_a_directory_is_no_file(name: str) -> None:
    """Nor is nothing."""
    with pytest.raises(InvalidFilename, match="is not the name of a file"):
        check_file_name(name)
