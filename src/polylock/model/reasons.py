"""Why a version, a file or a label is out: the kinds that a solve decides, as data.

A reason is made where it is decided: by the candidate pool, the reader of metadata, the
search. What people read of it is written by ``polylock.explain.words`` alone, and no
code reads that back. The kinds of labels are in ``polylock.variants.ordering``; those
that only an explanation finds in ``polylock.explain.reasons``, which a solve need not
import.
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
    """The file or version is yanked (PEP 592), for ``why`` if the index says it."""

    why: str = ""


class UploadedLater(Value, frozen=True):
    """It was uploaded after ``exclude-newer``."""


class NoUploadTime(Value, frozen=True):
    """``exclude-newer`` is set, and the index tells the time of other files only."""


class Rejection(Value, frozen=True):
    """Why one file or label of a version is out, or, with neither, all of it."""

    reason: Refusal
    label: str = ""
    file: str = ""


class Unfit(Value, frozen=True):
    """The compatibility tags of a file, or of all that a label has, do not fit."""

    tags: tuple[str, ...] = ()


class PythonUnmet(Value, frozen=True):
    """``requires-python`` excludes the target's Python."""

    requires_python: str


class NeedsBuild(Value, frozen=True):
    """It would have to be built, and that is not allowed.

    ``key`` is the setting that says so: ``build-package`` lacks the project,
    ``no-build-package`` has it, or ``build`` is none. Where ``is_static`` is false, not
    even what it requires is known without a build.
    """

    key: Literal["build-package", "no-build-package", "build"] = "build-package"
    is_static: bool = False


class BuildCycle(Value, frozen=True):
    """It is needed to build itself, by way of the projects of the chain."""

    chain: tuple[str, ...]


class WheelsForbidden(Value, frozen=True):
    """It has wheels, and ``no-binary-package`` forbids them."""


class InvalidMetadata(Value, frozen=True):
    """A file cannot be read, or what it says of itself is invalid.

    ``problem`` is a clause, ``line`` the line of the metadata that is at fault, empty
    where it is none; ``file`` is named where the subject is not the file already.
    """

    problem: str
    line: str = ""
    file: str = ""


class DirectReference(Value, frozen=True):
    """It requires a direct reference that the project does not name as well."""

    requirement: Requirement


class RequiresItself(Value, frozen=True):
    """It requires another version of its own project."""

    requirement: Requirement


class NotOpened(Value, frozen=True):
    """A source distribution of which a sibling was opened already (no bytes spent)."""


class LabelNotPinned(Value, frozen=True):
    """The target pins another label; ``pinned`` is empty for the non-variant wheel."""

    target: str
    pinned: str


class PinnedLabelMissing(Value, frozen=True):
    """The target pins a label that the release does not have; ``there`` are its own."""

    target: str
    pinned: str
    there: tuple[str, ...]


class ConflictsWithPins(Value, frozen=True):
    """It fits by itself, and not together with all other pins."""


class NotRequired(Value, frozen=True):
    """It is built against a ``release`` of a project that nothing requires."""

    project: str
    release: str


class DirectSourceNamed(Value, frozen=True):
    """The project names a direct source, so no index has a say in it."""


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
"""All kinds that are decided below ``polylock.explain``."""
