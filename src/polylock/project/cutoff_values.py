"""Reads ``exclude-newer`` and ``exclude-newer-package``: times, dates and spans."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from polylock.model.cutoffs import LONGEST_SPAN, parse_span
from polylock.model.inputs import EVERY_PROJECT
from polylock.project.dependencies import normalized_name

if TYPE_CHECKING:
    from polylock.toml_tables import Table

__all__ = ["read_cutoffs"]

_FOR_ALL = "exclude-newer"
_BY_PROJECT = "exclude-newer-package"
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_CALENDAR = re.compile(
    r"\s*(?:P[^T]*\d+[MY].*|.*\d\s*(?:y|yrs?|years?|mos?|months?)\b.*)", re.IGNORECASE
)
"""A span of months or years, which have no fixed length."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLE = 'for example: {key} = "2026-11-01T00:00:00Z", or "7 days"'


def read_cutoffs(table: Table) -> dict[str, Any]:
    """Return the cutoffs in ``[tool.polylock]``, by field of ``Inputs``.

    A span has no time yet. Raises ProjectError.

    Files uploaded at the cutoff are included. A date includes the whole day in UTC, so
    its cutoff is the last microsecond of that day. A time without an offset is refused:
    its meaning would depend on the machine.
    """
    spans: dict[str, int] = {}
    moments: dict[str, int | None] = {}
    projects = table.table(_BY_PROJECT)
    entries: list[tuple[str, str, Table]] = []
    if _FOR_ALL in table:
        entries.append((EVERY_PROJECT, _FOR_ALL, table))
    for written in projects.values:
        name = normalized_name(written, projects, written)
        if any(name == known for known, _, _ in entries):
            raise projects.error(f"the project {name} is named twice", written)
        entries.append((name, written, projects))
    for scope, key, inside in entries:
        value = inside.values[key]
        if inside is projects and value is False:
            moments[scope] = None
            continue
        span = parse_span(value) if isinstance(value, str) else None
        if span is None:
            moments[scope] = _moment(inside, key)
        elif span > LONGEST_SPAN:
            raise inside.error(f"{value!r} is longer than a hundred years", key)
        else:
            spans[scope] = span
    return {
        "exclude_newer": moments.pop(EVERY_PROJECT, None),
        "exclude_newer_package": dict(sorted(moments.items())),
        "exclude_newer_spans": dict(sorted(spans.items())),
    }


def _moment(table: Table, key: str) -> int:
    """Return a time in microseconds since 1970 UTC."""
    value = table.values[key]
    match value:
        case str():
            found = _parse_moment(value, table, key)
        case datetime() | date():
            found = value
        case _:
            expected = "a date and time, or a span"
            if key != _FOR_ALL:
                expected += ", or false"
            raise table.wrong_type(expected, key, found=value)
    if not isinstance(found, datetime):
        found = datetime.combine(found, time.max, UTC)
    if found.tzinfo is None:
        raise table.error(
            "has no offset from UTC, so its meaning would depend on the machine",
            key,
            advice="add Z for UTC, or an offset such as +02:00",
        )
    return (found - _EPOCH) // timedelta(microseconds=1)


def _parse_moment(text: str, table: Table, key: str) -> datetime | date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        if _TIMESTAMP.fullmatch(text):
            return datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise table.error(f"{text!r} is not a valid time: {error}", key) from error
    if _CALENDAR.fullmatch(text):
        raise table.error(
            f"{text!r} has no fixed length: months and years differ",
            key,
            advice='count days or weeks, for example: "30 days"',
        )
    raise table.error(
        f"{text!r} is neither an RFC 3339 date and time with an offset, nor a date, "
        "nor a span",
        key,
        advice=_EXAMPLE.format(key=key),
    )
