"""Text of a lock file cannot become markup."""

from __future__ import annotations

from polylock.report.markup import joined, label, project_link, shown


def test_markup_is_escaped() -> None:
    """It is text in content and in attributes with either kind of quote."""
    assert (
        shown("<a href=\"x\" t='y'>&")
        == "&lt;a href=&quot;x&quot; t=&#x27;y&#x27;&gt;&amp;"
    )


def test_what_cannot_be_seen_is_written_out() -> None:
    """A name cannot be turned around or hide a part of itself."""
    assert shown("a\u202eb\u200bc\0") == "a\\u202Eb\\u200Bc\\u0000"
    assert shown("größe 日本") == "größe 日本"


def test_names_are_joined_after_they_are_escaped() -> None:
    """Each is text."""
    assert joined(["a", "<b>"]) == "a, &lt;b&gt;"


def test_no_label_has_no_badge() -> None:
    """An empty label is that of the wheel that has none."""
    assert label(None) == label("") == ""
    assert label("<i>") == ' <span class="label">&lt;i&gt;</span>'


def test_link_leads_to_the_project() -> None:
    """Its address is percent-encoded, its text is not."""
    assert project_link('a"b') == '<a href="#project-a%22b">a&quot;b</a>'
