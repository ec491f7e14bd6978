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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"python_version > '{'1' * 100}'", "a number of 100 digits"),
        (f"{'(' * 51}os_name == 'nt'{')' * 51}", "nested too deeply"),
        (f"{'(' * 100_000}", "nested too deeply"),
    ],
)
def test_a_marker_beyond_the_limits_is_refused(text: str, reason: str) -> None:
    """Its numbers are read later, and recursive functions walk it."""
    with pytest.raises(InvalidMarker, match=reason):
        parse_marker(text)


def test_a_marker_with_many_parts_is_read() -> None:
    """Many parentheses beside each other are not deep."""
    parts = (f"(os_name == 'a{n}' and sys_platform == 'b{n}')" for n in range(200))
    assert len(parse_marker(" or ".join(parts)).operands) == 200  # type: ignore[union-attr]
