"""Markers as text and as expressions, variant markers included."""

from __future__ import annotations

import pytest

from polylock.model.markers import InvalidMarker, parse_marker


@pytest.mark.parametrize(
    "text",
    [
        "",
        "variant_flavour == 'x'",
        "variant_namespaces == 'nvidia'",
        "variant_namespaces in 'nvidia'",
        "variant_label ~= 'cu13'",
        "variant_label === 'cu13'",
        "sys_platform ~= 'linux'",
        "python_version ~= '3'",
        "(" * 100_000,
        "'a' == 'b'",
        "sys_platform",
        "sys_platform == linux",
        "(sys_platform == 'linux'",
        "sys_platform == 'linux')",
        "sys_platform == 'linux' and",
        "sys_platform = 'linux'",
        "sys_platform == 'linux' ; os_name == 'nt'",
    ],
)
def test_a_bad_marker_is_refused(text: str) -> None:
    """What is no marker raises InvalidMarker and nothing else."""
    with pytest.raises(InvalidMarker):
        parse_marker(text)


@pytest.mark.parametrize(
    "text",
    [
        "a_b == 'x' or y",
        "sys_platform == 'linux' and (os_name == 'nt' or os_name == 'posix')",
        "os_name == 'a' and os_name == 'b' or os_name == 'c'",
        'platform_version == "it\'s"',
        "'dev' in dependency_groups and 'x' not in extras",
    ],
)
def test_text_round_trip(text: str) -> None:
    """An expression written as text parses to the same expression."""
    try:
        expression = parse_marker(text)
    except InvalidMarker:
        assert text.startswith("a_b")
        return
    assert parse_marker(str(expression)) == expression


def test_old_spellings_are_read() -> None:
    """PEP 345's dotted names mean the fields of PEP 508."""
    assert str(parse_marker("sys.platform == 'win32'")) == "sys_platform == 'win32'"
    assert "platform_python_implementation" in str(
        parse_marker("python_implementation == 'PyPy'")
    )
