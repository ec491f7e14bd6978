"""Why something was not taken: the kinds that an explanation finds, as data.

With what a solve decides (``polylock.model.reasons``) they are all kinds of a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from polylock.model.reasons import (
    BuildCycle,
    ConflictsWithPins,
    DirectReference,
    DirectSourceNamed,
    InvalidMetadata,
    LabelExcluded,
    LabelNotPinned,
    LabelUndescribed,
    NeedsBuild,
    NotOpened,
    NotRequired,
    NoUploadTime,
    PinnedLabelMissing,
    PropertyUnmet,
    PythonUnmet,
    RequiresItself,
    Unfit,
    UploadedLater,
    VariantRequired,
    WheelsForbidden,
    Yanked,
)
from polylock.values import Value
from polylock.variants.ordering import LabelLost

if TYPE_CHECKING:
    from polylock.model.requirements import Requirement

__all__ = [
    "AlignedWith",
    "Asker",
    "BuildCycle",
    "ConflictsWithPins",
    "Contradicts",
    "DirectReference",
    "DirectSourceNamed",
    "Excluded",
    "FilesOut",
    "GivenUp",
    "HeldBack",
    "InvalidMetadata",
    "LabelExcluded",
    "LabelLost",
    "LabelNotPinned",
    "LabelUndescribed",
    "LowestWanted",
    "NeedsBuild",
    "NoFile",
    "NoSuchProject",
    "NoSuchVersion",
    "NoUploadTime",
    "NotExamined",
    "NotOpened",
    "NotRequired",
    "OfLabels",
    "OlderPinKept",
    "PackageAsker",
    "PinnedLabelMissing",
    "PreRelease",
    "PropertyUnmet",
    "PythonUnmet",
    "Reason",
    "Request",
    "RequiresItself",
    "RootAsker",
    "SdistBehindWheel",
    "SettingAsker",
    "SettingKey",
    "Unfit",
    "Unopposed",
    "UploadedLater",
    "VariantRequired",
    "WheelsForbidden",
    "Yanked",
]


class RootAsker(Value, frozen=True):
    """The project itself, or the extra, group or target of it that asks.

    ``name`` is empty where ``table`` is ``project``.
    """

    table: Literal["project", "extra", "group", "target"] = "project"
    name: str = ""


class PackageAsker(Value, frozen=True):
    """A version of another project; ``label`` and ``extra`` are empty for none."""

    name: str
    version: str
    label: str = ""
    extra: str = ""


SettingKey = Literal[
    "constraint-dependencies", "override-dependencies", "--upgrade-package"
]


class SettingAsker(Value, frozen=True):
    """A setting or option that limits versions, as the user writes it."""

    key: SettingKey


Asker = RootAsker | PackageAsker | SettingAsker


class Request(Value, frozen=True):
    """Who asks, and for what."""

    by: Asker
    requirement: Requirement


class Excluded(Value, frozen=True):
    """A requirement excludes it.

    ``chain`` leads from the project down; the requirement of the last is the one. Where
    a ``newer`` version of who asks last would not exclude it, ``because`` says why that
    was not taken.
    """

    chain: tuple[Request, ...]
    newer: str = ""
    because: Reason | None = None


class NoSuchProject(Value, frozen=True):
    """No index has the project; ``searched`` are the indexes that were asked."""

    project: str
    searched: tuple[str, ...] = ()


class NoSuchVersion(Value, frozen=True):
    """The index has the project and not this version.

    ``index`` is its name. ``lowest`` and ``highest`` are what it has, empty for none.
    """

    index: str
    lowest: str = ""
    highest: str = ""


class PreRelease(Value, frozen=True):
    """The version is a pre-release, and those are not admitted of the project."""


class NoFile(Value, frozen=True):
    """No wheel of a version fits the target.

    ``nearest`` are platforms or Pythons of the wheels that come nearest, sorted; of any
    wheels where not ``is_near``. ``has_wheels`` is false where there is none at all.
    """

    target: str
    nearest: tuple[str, ...] = ()
    is_near: bool = True
    has_wheels: bool = True


class SdistBehindWheel(Value, frozen=True):
    """A source distribution is not taken where the version has a wheel that fits."""


class OfLabels(Value, frozen=True):
    """A reason that holds for some labels of a version alone.

    An empty label stands for the files without one.
    """

    labels: tuple[str, ...]
    reason: Reason


class Contradicts(Value, frozen=True):
    """It requires what the target cannot have beside its other pins.

    ``taken`` is the version that is pinned of the required project, empty for none.
    ``because`` says why it could not be the ``newest`` version that meets the
    requirement, or any, where there is none. ``overridden`` means that the requirement
    is that of ``override-dependencies``, in place of its own.
    """

    requirement: Requirement
    taken: str = ""
    newest: str = ""
    because: Reason | None = None
    overridden: bool = False


class FilesOut(Value, frozen=True):
    """Each file of a version is out, for one reason or another."""

    reasons: tuple[Reason, ...]


class GivenUp(Value, frozen=True):
    """The label is better than the ``chosen`` one, and was not taken all the same."""

    chosen: str
    because: Reason


class HeldBack(Value, frozen=True):
    """Another target cannot have it, and one version serves all of them (align)."""

    target: str
    because: Reason


class AlignedWith(Value, frozen=True):
    """Other targets have a ``version``, and one serves all where it can (align)."""

    targets: tuple[str, ...]
    version: str


class OlderPinKept(Value, frozen=True):
    """The lock file has an older version, and pins stay where they can."""

    version: str


class LowestWanted(Value, frozen=True):
    """``resolution`` asks for the lowest version."""

    mode: Literal["lowest", "lowest-direct"]


class NotExamined(Value, frozen=True):
    """Only the newest versions are opened to tell why; these are older."""

    count: int


class Unopposed(Value, frozen=True):
    """It is compatible with the lock; it may be newer than that."""

    project: str


Reason = (
    AlignedWith
    | BuildCycle
    | ConflictsWithPins
    | Contradicts
    | DirectReference
    | DirectSourceNamed
    | Excluded
    | FilesOut
    | GivenUp
    | HeldBack
    | InvalidMetadata
    | LabelExcluded
    | LabelLost
    | LabelNotPinned
    | LabelUndescribed
    | LowestWanted
    | NeedsBuild
    | NoFile
    | NoSuchProject
    | NoSuchVersion
    | NoUploadTime
    | NotExamined
    | NotOpened
    | NotRequired
    | OfLabels
    | OlderPinKept
    | PinnedLabelMissing
    | PreRelease
    | PropertyUnmet
    | PythonUnmet
    | RequiresItself
    | SdistBehindWheel
    | Unfit
    | Unopposed
    | UploadedLater
    | VariantRequired
    | WheelsForbidden
    | Yanked
)
"""All kinds; ``match`` on it is checked to name each of them."""
