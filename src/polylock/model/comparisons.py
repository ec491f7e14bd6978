"""One comparison of a marker, with the meaning that packaging gives it.

The plainest ones are compared here: to import the parser of packaging takes 8 ms, a
tenth of a sync with nothing to do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from polylock.model.markers import plain_marker

if TYPE_CHECKING:
    from polylock.model.markers import Atom

__all__ = ["holds"]

_TEXT_FIELDS = {
    "implementation_name",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_system",
    "sys_platform",
}
"""Fields of which packaging never takes a value for a version."""

_VERSION_FIELDS = {"python_full_version", "python_version"}
_RELEASE = re.compile(r"[0-9]+(\.[0-9]+)*")


def holds(atom: Atom, value: str) -> bool:
    """Return whether a comparison holds where its field has a value."""
    operator = atom.operator
    if atom.field in _TEXT_FIELDS and operator in {"==", "!="}:
        return (value == atom.value) is (operator == "==")
    if (
        atom.field in _VERSION_FIELDS
        and operator in {"==", "!=", "<", "<=", ">", ">="}
        and _RELEASE.fullmatch(atom.value)
        and _RELEASE.fullmatch(value)
    ):
        return _contains(f"{operator}{atom.value}", value)
    return _evaluated(str(atom), atom.field, value)


@lru_cache(maxsize=65536)
def _contains(specifier: str, version: str) -> bool:
    # 2 ms, which a lock whose answers are known does without.
    from packaging.specifiers import Specifier  # noqa: PLC0415

    return Specifier(specifier).contains(version, prereleases=True)


@lru_cache(maxsize=65536)
def _evaluated(text: str, field: str, value: str) -> bool:
    return plain_marker(text).evaluate({field: value})
