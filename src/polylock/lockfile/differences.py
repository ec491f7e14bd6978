"""One thing that a lock file and its project do not agree on."""

from __future__ import annotations

import enum

from polylock.values import Value

__all__ = ["Difference", "DifferenceKind"]


class DifferenceKind(enum.StrEnum):
    """What differs; the value is stable, for programs that read `check --json`."""

    RECORD = "record"
    """The lock file does not say what it answers: another tool wrote it."""
    REQUIRES_PYTHON = "requires-python"
    REQUIREMENT = "requirement"
    CONSTRAINT = "constraint"
    OVERRIDE = "override"
    EXTRA = "extra"
    GROUP = "dependency group"
    SETTING = "setting"
    INDEX = "index"
    SOURCE = "source"
    TARGET = "target"
    TARGET_ORDER = "order of the targets"
    PIN = "pin"
    """The lock file does not install what the project requires: it was edited."""
    DIRECT = "direct source"
    """The lock file installs from a place that the project does not name for it."""
    UNREQUIRED = "unrequired package"
    """The lock file installs what nothing in it requires: it was edited."""


class Difference(Value, frozen=True, kw_only=True):
    """One thing that the lock file and the project do not agree on.

    ``subject`` names it within its kind. ``locked`` is what the lock file says and
    ``wanted`` what the project says, None where it says nothing.
    """

    kind: DifferenceKind
    subject: str
    locked: str | None = None
    wanted: str | None = None

    def __str__(self) -> str:
        match self.kind:
            case DifferenceKind.RECORD:
                return "the lock file does not record what it answers"
            case DifferenceKind.TARGET_ORDER:
                return f"the targets are {self.wanted}, locked as {self.locked}"
            case DifferenceKind.PIN:
                locked = "has none" if self.locked is None else f"has {self.locked}"
                return f"{self.subject}: {self.wanted} is required, the lock {locked}"
            case DifferenceKind.DIRECT:
                return (
                    f"{self.subject} is locked from {self.locked or 'an index'}, "
                    f"the project has it from {self.wanted or 'an index'}"
                )
            case DifferenceKind.UNREQUIRED:
                return f"{self.subject} is locked for {self.locked}, unrequired there"
            case _:
                return self._comparison()

    def _comparison(self) -> str:
        what = f"{self.kind} {self.subject}".rstrip()
        if self.locked is None:
            return f"{what} is new"
        if self.wanted is None:
            return f"{what} is gone"
        return f"{what} is {self.wanted}, locked as {self.locked}"
