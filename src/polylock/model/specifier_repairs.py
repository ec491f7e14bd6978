"""Repairs of invalid version specifiers in published metadata whose meaning is clear.

Old backends wrote what PEP 440 forbids, and setuptools and pip read it for years. The
kinds are those that uv repairs (``LenientRequirement``, release 0.13), as metadata that
is on an index cannot be mended there. What the project file says is never repaired.
"""

from __future__ import annotations

import re
from functools import lru_cache

from polylock.model.requirements import (
    InvalidRequirement,
    Requirement,
    is_specifier,
)

__all__ = ["repaired_requirement", "repaired_specifier"]

_NUMBER = r"[0-9]+(?:\.[0-9]+)*"
_REPAIRS: tuple[tuple[re.Pattern[str], str], ...] = (
    # `>= '2.7'`
    (re.compile(r"['\"]"), ""),
    # `>=7.2.0<8.0.0`, `>=1 <2`
    (re.compile(r"(?<=[0-9*])\s*(?=[<>=~!])"), ","),
    # `!=~5.0`
    (re.compile(rf"!=\s*~\s*({_NUMBER})(?![0-9.*])"), r"!=\1.*"),
    # `!=3.0*`
    (re.compile(r"(?<=[0-9])\*"), ".*"),
    # `>=1.9.*`, `<3.4.*`
    (re.compile(rf"(?<![~=!])([<>]=?)\s*({_NUMBER})\.\*"), r"\1\2"),
    # `>dev`
    (re.compile(r"(?<![~=!])([<>]=?)\s*dev\b"), r"\g<1>0.0.0.dev0"),
    # `>=9.0.0a1.0`
    (
        re.compile(rf"({_NUMBER}(?:a|b|rc|\.?post|\.?dev)[0-9]+)(?:\.0)+(?![0-9.])"),
        r"\1",
    ),
    # `>=3.6,,<4`, which packaging takes for a set and not in a requirement
    (re.compile(r"\s*,[\s,]*"), ","),
    (re.compile(r"^[\s,]+|[\s,]+$"), ""),
)
"""Patterns of invalid specifiers and their replacements, in this order."""

_PARTS = re.compile(
    r"(?P<project>[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?)\s*"
    r"(?P<specifier>\([^()]*\)|[^;@()]*)(?P<marker>;.*)?",
    re.DOTALL,
)


@lru_cache(maxsize=1024)
def repaired_specifier(text: str) -> str | None:
    """Return a version specifier set that is valid, None where it is not clear.

    A valid one is returned as it is.
    """
    return text if is_specifier(text) else _repaired(text)


def _repaired(text: str) -> str | None:
    for wrong, right in _REPAIRS:
        text = wrong.sub(right, text)
    return text if text and is_specifier(text) else None


def repaired_requirement(text: str) -> Requirement | None:
    """Return the requirement that an invalid text means, None where it is not clear.

    Only its version specifiers are repaired: markers and URLs have no usual faults.
    """
    parts = _PARTS.fullmatch(text.strip())
    if parts is None:
        return None
    specifier = _repaired(parts["specifier"].strip().strip("()"))
    if specifier is None:
        return None
    try:
        return Requirement.parse(
            f"{parts['project']}{specifier} {parts['marker'] or ''}"
        )
    except InvalidRequirement:
        return None
