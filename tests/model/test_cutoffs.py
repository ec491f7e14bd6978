"""Spans of ``exclude-newer``: read, written, and counted back from a time."""

from __future__ import annotations

import pytest

from polylock.model.cutoffs import dated, parse_span, span_text
from polylock.model.inputs import Inputs

DAY = 86_400
NOW = 1_800_000_000_123_456  # microseconds since 1970 UTC


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        # The examples of uv's documentation of exclude-newer, and its spellings.
        ("24 hours", DAY),
        ("1 week", 7 * DAY),
        ("30 days", 30 * DAY),
        ("PT24H", DAY),
        ("P7D", 7 * DAY),
        ("P30D", 30 * DAY),
        ("7 days ago", 7 * DAY),
        ("7d", 7 * DAY),
        ("2W", 14 * DAY),
        (" 1 Day, 12 hrs ", DAY + 43_200),
        ("1d12h", DAY + 43_200),
        ("90min", 5_400),
        ("1 hour 1 sec", 3_601),
        ("p1w2dt3h4m5s", 9 * DAY + 3 * 3_600 + 245),
        ("0 days", 0),
    ],
)
def test_a_span_is_read(text: str, seconds: int) -> None:
    """Weeks to seconds count, as words and as ISO 8601; a day has 24 hours."""
    assert parse_span(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "days",
        "ago",
        "7 fortnights",
        "7 days,",
        ",7 days",
        "1.5 days",
        "-7 days",
        "1 hour 2 days",
        "1 day 2 days",
        "1 month",
        "P",
        "PT",
        "P1DT",
        "P1M",
        "P1Y",
        "P1D1W",
        "2026-11-01",
        "\u0667 days",
    ],
)
def test_other_text_is_no_span(text: str) -> None:
    """Months and years have no fixed length; a unit occurs once, the longest first."""
    assert parse_span(text) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (7 * DAY, "7 days"),
        (DAY, "1 day"),
        (DAY + 43_200, "1 day 12 hours"),
        (61, "1 minute 1 second"),
        (0, "0 seconds"),
    ],
)
def test_a_span_has_one_text(seconds: int, text: str) -> None:
    """Spans of the same length have the same text, which is read back."""
    assert span_text(seconds) == text
    assert parse_span(text) == seconds


def test_spans_count_back_in_whole_seconds() -> None:
    """A span of all and one of a project get a time; a fixed time stays."""
    inputs = dated(
        Inputs(
            exclude_newer_package={"fixed": 5, "free": None},
            exclude_newer_spans={"": 7 * DAY, "slow": 30 * DAY},
        ),
        NOW,
    )
    assert inputs.exclude_newer == (1_800_000_000 - 7 * DAY) * 1_000_000
    assert inputs.cutoff_of("slow") == (1_800_000_000 - 30 * DAY) * 1_000_000
    assert inputs.cutoff_of("fixed") == 5
    assert inputs.cutoff_of("free") is None
    assert inputs.cutoff_of("other") == inputs.exclude_newer


def test_a_kept_time_wins() -> None:
    """The time that a lock file has for a span is not counted anew."""
    inputs = Inputs(exclude_newer_spans={"": DAY, "slow": DAY})
    again = dated(inputs, NOW, {"": 7})
    assert again.exclude_newer == 7
    assert again.cutoff_of("slow") == (1_800_000_000 - DAY) * 1_000_000
