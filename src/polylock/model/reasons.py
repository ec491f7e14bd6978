"""Reasons why a version, a file or a label is rejected, as data.

A reason is created where the decision is made: in the candidate pool, the reader of
metadata, the solver. Only ``polylock.explain.words`` turns it into text, and no code
reads that text. The reasons for labels are in ``polylock.variants.ordering``. Those
that only an explanation finds are in ``polylock.explain.reasons``, which a solve need
not import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from polylock.values import Value
from polylock.variants.ordering import (
    LabelExcluded,
    LabelUndescribed,
    PropertyUnmet,
    VariantRequired,
)

if TYPE_CHECKING:
    from polylock.model.requirements import Requirement

__all__ = [
    "BuildCycle",
    "ConflictsWithPins",
    "DirectReference",
    "DirectSourceNamed",
    "InvalidMetadata",
    "LabelExcluded",
    "LabelNotPinned",
    "LabelUndescribed",
    "NeedsBuild",
    "NoUploadTime",
    "NotOpened",
    "NotRequired",
    "PinnedLabelMissing",
    "PropertyUnmet",
    "PythonUnmet",
    "Refusal",
    "Rejection",
    "RequiresItself",
    "Unfit",
    "UploadedLater",
    "VariantRequired",
    "WheelsForbidden",
    "Yanked",
]


class Yanked(Value, frozen=True):
    """The file or version is yanked (PEP 592); ``why`` may be empty.

    ``fits`` means that it meets all other requirements, and no other version does.
    """

    why: str = ""
    fits: bool = False


class UploadedLater(Value, frozen=True):
    """It was uploaded after ``exclude-newer``."""


class NoUploadTime(Value, frozen=True):
    """``exclude-newer`` is set, and the index gives no upload time for this file."""


class Rejection(Value, frozen=True):
    """The reason why a file or label of a version is rejected, or the whole version."""

    reason: Refusal
    label: str = ""
    file: str = ""


class Unfit(Value, frozen=True):
    """The compatibility tags of a file, or of all files of a label, do not fit."""

    tags: tuple[str, ...] = ()


class PythonUnmet(Value, frozen=True):
    """``requires-python`` excludes the target's Python."""

    requires_python: str


class NeedsBuild(Value, frozen=True):
    """It would have to be built, and that is not allowed.

    ``key`` is the setting that forbids it: ``build-package`` lacks the project,
    ``no-build-package`` has it, or ``build`` is none. If ``is_static`` is false, its
    dependencies are unknown without a build.
    """

    key: Literal["build-package", "no-build-package", "build"] = "build-package"
    is_static: bool = False


class BuildCycle(Value, frozen=True):
    """It is needed to build itself, through the projects of the chain."""

    chain: tuple[str, ...]


class WheelsForbidden(Value, frozen=True):
    """It has wheels, and ``no-binary-package`` forbids them."""


class InvalidMetadata(Value, frozen=True):
    """A file cannot be read, or its metadata is invalid.

    ``problem`` is a clause, ``line`` the faulty line of the metadata, empty if there is
    none; ``file`` is set where the subject of the reason is not the file itself.
    """

    problem: str
    line: str = ""
    file: str = ""


class DirectReference(Value, frozen=True):
    """It requires a direct reference that the project does not declare too."""

    requirement: Requirement


class RequiresItself(Value, frozen=True):
    """It requires another version of its own project."""

    requirement: Requirement


class NotOpened(Value, frozen=True):
    """A source distribution that was not opened, as another of the version was."""


class LabelNotPinned(Value, frozen=True):
    """The target pins another label; ``pinned`` is empty for the non-variant wheel."""

    target: str
    pinned: str


class PinnedLabelMissing(Value, frozen=True):
    """The target pins a label that the release lacks; ``there`` are its labels."""

    target: str
    pinned: str
    there: tuple[str, ...]


class ConflictsWithPins(Value, frozen=True):
    """It fits by itself, but conflicts with the other pins."""


class NotRequired(Value, frozen=True):
    """It is built against a ``release`` of a project that nothing requires."""

    project: str
    release: str


class DirectSourceNamed(Value, frozen=True):
    """The project names a direct source, so indexes are not used for it."""


Refusal = (
    BuildCycle
    | ConflictsWithPins
    | DirectReference
    | DirectSourceNamed
    | InvalidMetadata
    | LabelExcluded
    | LabelNotPinned
    | LabelUndescribed
    | NeedsBuild
    | NoUploadTime
    | NotOpened
    | NotRequired
    | PinnedLabelMissing
    | PropertyUnmet
    | PythonUnmet
    | RequiresItself
    | Unfit
    | UploadedLater
    | VariantRequired
    | WheelsForbidden
    | Yanked
)
"""All reasons that are found below ``polylock.explain``."""
