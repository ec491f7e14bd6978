"""Start tags of pages as browsers find them."""

from __future__ import annotations

import pytest

from polylock.index.html_tokens import start_tags


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<a href=x>", [("a", {"href": "x"})]),
        ("<A HREF='x y' b>", [("a", {"href": "x y", "b": None})]),
        ('<a href = "x>y"/>', [("a", {"href": "x>y"})]),
        ("<a a=1 A=2>", [("a", {"a": "1"})]),
        ("<a x=''>", [("a", {"x": ""})]),
        ("<a href=x/y>", [("a", {"href": "x/y"})]),
        ("<br/><hr />", [("br", {}), ("hr", {})]),
        ("a < b <a>", [("a", {})]),
        ("<!-- <b> --><a>", [("a", {})]),
        ("<!--> <a>", [("a", {})]),
        ("<!-- --!><a>", [("a", {})]),
        ("<!DOCTYPE html><a>", [("a", {})]),
        ("<?xml version='1'?><a>", [("a", {})]),
        ("</ x><a></a >", [("a", {})]),
        ('</a href="<b>"><i>', [("i", {})]),
        ("<script>if (a<b) '<i>'</script><a>", [("script", {}), ("a", {})]),
        ("<title><b></TITLE ><a>", [("title", {}), ("a", {})]),
        ("<plaintext><a>", [("plaintext", {})]),
        ('<a x="&gt;=3&amp;b">', [("a", {"x": ">=3&b"})]),
        ("<a =x=1>", [("a", {"=x": "1"})]),
        ("<a href=x", []),
        ('<a href="x', []),
        ("<a><!-- <b>", [("a", {})]),
        ("<", []),
        ("", []),
    ],
)
def test_start_tags(
    page: str, expected: list[tuple[str, dict[str, str | None]]]
) -> None:
    """Names are in lower case, the first of two attributes counts."""
    assert list(start_tags(page)) == expected
