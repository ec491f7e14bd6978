"""The cutoffs of ``exclude-newer``: times, and spans that count back from a lock.

A span has no time until a lock takes one: the lock file records both. So a lock file is
compared with its project without a clock, by the span alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.model.inputs import EVERY_PROJECT
from polylock.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.model.inputs import Inputs

__all__ = ["LONGEST_SPAN", "dated", "parse_span", "span_text"]

LONGEST_SPAN = 36_500 * 86_400
"""The longest span in seconds: a hundred years, which is before any upload."""

_MICROSECONDS = 1_000_000
_SECONDS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
"""The length of each unit, the longest first; a day always has 24 hours."""

_SPELLINGS = {
    "week": ("w", "wk", "wks"),
    "day": ("d",),
    "hour": ("h", "hr", "hrs"),
    "minute": ("m", "min", "mins"),
    "second": ("s", "sec", "secs"),
}
_UNITS = {
    name: unit
    for unit, names in _SPELLINGS.items()
    for name in (*names, unit, f"{unit}s")
}
_PART = r"[0-9]{1,12}\s*[a-z]+"
_PARTS = rf"{_PART}(?:(?:\s*,)?\s*{_PART})*(?:\s+ago)?"
_COUNT = r"([0-9]+)\s*([a-z]+)"
_ISO = (
    r"P(?=[0-9T])(?:(?P<week>[0-9]{1,12})W)?(?:(?P<day>[0-9]{1,12})D)?"
    r"(?:T(?=[0-9])(?:(?P<hour>[0-9]{1,12})H)?(?:(?P<minute>[0-9]{1,12})M)?"
    r"(?:(?P<second>[0-9]{1,12})S)?)?"
)


def parse_span(text: str) -> int | None:
    """Return a span in seconds, None for text that is not a span.

    As uv reads them: ``7 days``, ``1 week``, ``1 day 12 hours``, ``36h``, also with
    ``ago``, and durations of ISO 8601, ``P7D`` or ``PT36H``. Months and years have no
    fixed length, and are no span.
    """
    text = text.strip()
    iso = re.fullmatch(_ISO, text.upper())
    if iso is not None:
        found = {unit: count for unit, count in iso.groupdict().items() if count}
    elif re.fullmatch(_PARTS, text.lower()):
        counts = re.findall(_COUNT, text.lower())
        units = [_UNITS.get(name, "") for _, name in counts]
        if units != [unit for unit in _SECONDS if unit in units]:
            return None  # an unknown unit, one twice, or a longer one after a shorter
        found = {unit: count for unit, (count, _) in zip(units, counts, strict=True)}
    else:
        return None
    return sum(int(count) * _SECONDS[unit] for unit, count in found.items())


def span_text(seconds: int) -> str:
    """Return a span in words, the same for the same length: ``1 day 12 hours``."""
    parts = []
    for unit, length in _SECONDS.items():
        if unit == "week":
            continue  # "14 days" says more than "2 weeks" beside "10 days"
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts) or "0 seconds"


def dated(
    inputs: Inputs,
    now: int,
    kept: Mapping[str, int] | None = None,
) -> Inputs:
    """Return inputs whose spans have a time.

    ``now`` is in microseconds since 1970 UTC. ``kept`` are the times that a lock file
    has for equal spans.
    """
    spans = inputs.exclude_newer_spans
    if not spans:
        return inputs
    moments = {name: _before(now, span) for name, span in spans.items()}
    moments.update(kept or {})
    return replace(
        inputs,
        exclude_newer=moments.pop(EVERY_PROJECT, inputs.exclude_newer),
        exclude_newer_package=dict(
            sorted({**inputs.exclude_newer_package, **moments}.items())
        ),
    )


def _before(now: int, span: int) -> int:
    """Return the time a span before ``now``, in whole seconds."""
    return (now // _MICROSECONDS - span) * _MICROSECONDS
