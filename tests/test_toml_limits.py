"""What is read as TOML, and what is beyond the limits."""

from __future__ import annotations

import pytest

from polylock.toml_tables import InvalidToml, parse_toml


@pytest.mark.parametrize(
    ("text", "problem", "parts"),
    [
        ("a = ", "is not TOML: ", ()),
        (f"a = {'9' * 5000}", "has an integer of more than 64 bits", ()),
        (f"a = [0x{'f' * 5000}]", "is an integer of more than 64 bits", ("a", 0)),
        ("a.b = 9223372036854775808", "is an integer of more", ("a", "b")),
        ("a = 0001-01-01T00:00:00+23:59", "is out of range in UTC", ("a",)),
        (f"a = {'[' * 100_000}", "is nested too deeply", ()),
        (f"a = {'{ b = ' * 150}1{' }' * 150}", "is nested too deeply", ("a", "b", "b")),
        (f"\n{'a.' * 16_000}b = 1", "line 2 has a key of more than 64 parts", ()),
        ("[" + '"x y" . ' * 70 + "b]", "line 1 has a key of more than 64 parts", ()),
        ("a = 1\nb = { " + "'c'." * 70 + "d = 1 }", "line 2 has a key of more", ()),
    ],
)
def test_what_is_beyond_the_limits_is_refused(
    text: str, problem: str, parts: tuple[str | int, ...]
) -> None:
    """Each with its key path, where the text is TOML at all."""
    with pytest.raises(InvalidToml) as caught:
        parse_toml(text)
    assert str(caught.value).startswith(problem)
    assert caught.value.parts == parts


@pytest.mark.parametrize(
    "value",
    [
        '"a.b' + ".c" * 100 + '"',
        "'" + "a." * 100 + "'",
        '"""\n' + "a." * 100 + '"""',
        "'''\n" + "a." * 100 + "'''",
        "1 # " + "a." * 100,
        "[" + "1.5, " * 100 + "]",
    ],
)
def test_dots_that_are_in_no_key(value: str) -> None:
    """A URL or a comment with many dots is no key with many parts."""
    assert set(parse_toml(f"a = {value.replace(chr(92), '')}")) == {"a"}


def test_integers_of_64_bits_are_read() -> None:
    """The least and the greatest, and a local time, which has no place in UTC."""
    document = parse_toml(
        "a = [-9223372036854775808, 9223372036854775807]\nb = 0001-01-01T00:00:00"
    )
    assert document["a"] == [-(2**63), 2**63 - 1]
