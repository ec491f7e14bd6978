"""Names and text forms of variant properties."""

from __future__ import annotations

import pytest

from polylock.variants.properties import (
    InvalidProperty,
    VariantProperty,
    is_feature_name,
    is_feature_value,
    is_label,
    is_namespace,
)


@pytest.mark.parametrize("text", ["a :: b :: 1.0", "a::b::1.0", " a ::b  :: 1.0\n"])
def test_white_space_around_separators_means_nothing(text: str) -> None:
    """A property is the same however its separators are spaced."""
    found = VariantProperty.parse(text)
    assert found == VariantProperty("a", "b", "1.0")
    assert str(found) == "a :: b :: 1.0"


@pytest.mark.parametrize(
    "text",
    ["", "a :: b", "a :: b :: c :: d", "A :: b :: c", "a :: b.c :: d", "a::b::C"],
)
def test_other_text_is_refused(text: str) -> None:
    """Text that is no property is refused, and the error repeats it."""
    with pytest.raises(InvalidProperty) as caught:
        VariantProperty.parse(text)
    assert repr(text) in str(caught.value)


def test_names_are_ascii_and_lower_case() -> None:
    """Dots are for values and labels alone; nothing is empty or ends a line."""
    assert is_namespace("x86_64")
    assert is_feature_name("sm_arch")
    assert is_feature_value("8.6a")
    assert is_label("cu13.0_pyt2.9")
    for check in (is_namespace, is_feature_name, is_feature_value, is_label):
        for text in ("", "a\n", "A", "a-b", "é", "٣"):
            assert not check(text)
    assert not is_namespace("a.b")
    assert not is_feature_name("a.b")
