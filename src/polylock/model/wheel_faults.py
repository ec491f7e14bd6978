"""Faults of a wheel that do no harm: they are repaired, with one warning.

The hash of the file is locked, so its content is known. What RECORD says beside that is
compared, and where the two differ the members of the archive count.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fault", "FaultKind", "summary"]


class FaultKind(enum.StrEnum):
    """A kind of fault, as a clause for people; the path replaces ``{}``."""

    UNLISTED = "RECORD does not list {}"
    ABSENT = "RECORD lists {}, which is not in the wheel"
    LISTED_TWICE = "RECORD lists {} twice, differently"
    OTHER_HASH = "RECORD has another hash for {}"
    OTHER_SIZE = "RECORD has another size for {}"
    NO_HASH = "RECORD has no secure hash for {}"
    COLUMNS = "RECORD has a row without three columns: {}"
    SPELLING = "the path {} is not in its normal form"
    TWICE = "{} is in the wheel twice, with the same content"
    SPECIAL = "{} is a link or a special file, and is installed as a plain file"
    CONTENT = "the directory {} has content, which is left out"


class Fault(NamedTuple):
    """One fault, and the path that has it, as the wheel spells it."""

    kind: FaultKind
    path: str

    def __str__(self) -> str:
        return self.kind.format(ascii(self.path))


def summary(faults: Sequence[Fault], count: int) -> str:
    """Return the first fault and the number of others, of ``count`` in all."""
    others = count - 1
    if not others:
        return str(faults[0])
    return f"{faults[0]} (and {others} more {'fault' if others == 1 else 'faults'})"
