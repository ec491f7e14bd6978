"""Headers and entry points as wheels write them."""

from __future__ import annotations

import pytest

from polylock.model.archive_checks import RefusedArchive
from polylock.model.wheel_info import (
    Script,
    header,
    parse_entry_points,
    parse_wheel_file,
)


def test_header_ends_with_the_head() -> None:
    """Case does not matter, and the description is not searched."""
    text = "Metadata-Version: 2.4\r\nNAME : demo\r\n\r\nVersion: 1.0\r\n"
    assert header(text, "Name") == "demo"
    assert header(text, "Version") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n", True),
        ("Wheel-Version: 1.9\nRoot-Is-Purelib: True\n", True),
        ("Wheel-Version: 1.0\nRoot-Is-Purelib: false\n", False),
        ("Wheel-Version: 1.0\n", False),
    ],
)
def test_parse_wheel_file(text: str, *, expected: bool) -> None:
    """Any minor version is read; without Root-Is-Purelib the root is platlib."""
    assert parse_wheel_file(text) is expected


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0", "one"])
def test_parse_wheel_file_when_the_version_is_unknown(version: str) -> None:
    """Another major version is refused."""
    with pytest.raises(RefusedArchive, match=version):
        parse_wheel_file(f"Wheel-Version: {version}\n")


def test_parse_entry_points() -> None:
    """Comments, extras, percent signs and case are as the format says."""
    text = (
        "# comment\n[console_scripts]\nRun-It = demo.cli:App.main [fast, slow]\n"
        "100% = demo:x\n\n[demo.plugins]\nbad thing = not:an [object\n"
        "[gui_scripts]\nwin=demo:gui  # opens a window\nmore = demo:gui [a] # b\n"
    )
    assert list(parse_entry_points(text)) == [
        Script("Run-It", "demo.cli", "App.main", is_gui=False),
        Script("100%", "demo", "x", is_gui=False),
        Script("win", "demo", "gui", is_gui=True),
        Script("more", "demo", "gui", is_gui=True),
    ]


@pytest.mark.parametrize(
    "value",
    ["demo", "demo:", ":main", "demo:1x", "demo:a b", "de mo:main", "a:b;c", "a:b#c"],
)
def test_parse_entry_points_when_the_object_is_none(value: str) -> None:
    """An entry point that is no module and object is refused: it would be code."""
    with pytest.raises(RefusedArchive, match="not module:object"):
        list(parse_entry_points(f"[console_scripts]\nrun = {value}\n"))
