"""Project pages in HTML give the same rows as those in JSON."""

from __future__ import annotations

import pytest

from polylock.index.html_page import parse_html_page, start_tags
from polylock.index.json_page import InvalidPage
from polylock.model.distributions import RemoteFile

BASE = "https://example.com/simple/demo/"


def _parse(body: str, head: str = "") -> list[RemoteFile]:
    page = f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"
    return parse_html_page(page.encode(), BASE)


def test_every_attribute_is_read() -> None:
    """Hash, requires-python, core metadata and the reason of a yank come over."""
    (row,) = _parse(
        '<a href="https://files.example.com/demo-1.0%2Bcpu-py3-none-any.whl#sha256=AB"'
        ' data-requires-python="&gt;=3.11" data-core-metadata="sha256=cd"'
        ' data-yanked="broken &amp; bad">ignored</a>'
    )
    assert row == RemoteFile(
        filename="demo-1.0+cpu-py3-none-any.whl",
        url="https://files.example.com/demo-1.0%2Bcpu-py3-none-any.whl",
        hashes={"sha256": "ab"},
        requires_python=">=3.11",
        core_metadata={"sha256": "cd"},
        yanked="broken & bad",
    )


def test_a_plain_link_has_nothing_else() -> None:
    """No hash, no attributes: a file all the same."""
    assert _parse('<a href="demo-1.0.tar.gz">demo</a>') == [
        RemoteFile("demo-1.0.tar.gz", f"{BASE}demo-1.0.tar.gz")
    ]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('data-core-metadata="true"', {}),
        ('data-core-metadata="false"', None),
        ('data-dist-info-metadata="sha256=ab"', {"sha256": "ab"}),
        ("", None),
    ],
)
def test_core_metadata_in_all_its_forms(
    attributes: str, expected: dict[str, str] | None
) -> None:
    """A hash or true, under the new name or the old one (PEP 714)."""
    (row,) = _parse(f'<a href="demo.whl" {attributes}>demo</a>')
    assert row.core_metadata == expected


def test_a_yank_without_reason_is_a_yank() -> None:
    """A file is yanked by the attribute, even without a value (PEP 592)."""
    rows = _parse('<a href="a" data-yanked>a</a><a href="b" data-yanked="">b</a>')
    assert [row.yanked for row in rows] == ["", ""]


def test_a_base_element_moves_relative_links() -> None:
    """URLs are relative to it where it is given."""
    rows = _parse('<a href="demo.whl">x</a>', '<base href="https://example.org/f/">')
    assert rows[0].url == "https://example.org/f/demo.whl"


def test_links_that_name_no_file_are_left_out() -> None:
    """An anchor without target, to a directory or to nonsense is no file."""
    assert _parse('<a>x</a><a href="../">up</a><a href="http://[x">bad</a>') == []


def test_an_unknown_major_version_is_refused() -> None:
    """2.0 may mean anything (PEP 629)."""
    meta = '<meta name="pypi:repository-version" content="{}">'
    assert _parse("", meta.format("1.0")) == []
    with pytest.raises(InvalidPage, match=r"2\.0"):
        _parse("", meta.format("2.0"))


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
