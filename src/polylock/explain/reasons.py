"""The kinds of reasons that only an explanation finds, as data.

Together with the kinds that a solve records (``polylock.model.reasons``) they form
``Reason``: why a version, file or label is not in a solution.
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
    "Origin",
    "PackageOrigin",
    "PinnedLabelMissing",
    "PreRelease",
    "PropertyUnmet",
    "PythonUnmet",
    "Reason",
    "Request",
    "RequiresItself",
    "RootOrigin",
    "SdistBehindWheel",
    "SettingKey",
    "SettingOrigin",
    "Unfit",
    "Unopposed",
    "UploadedLater",
    "VariantRequired",
    "WheelsForbidden",
    "Yanked",
]


class RootOrigin(Value, frozen=True):
    """A requirement of the project itself, or of its extra, group or target.

    ``name`` is empty where ``table`` is ``project``.
    """

    table: Literal["project", "extra", "group", "target"] = "project"
    name: str = ""


class PackageOrigin(Value, frozen=True):
    """A requirement of a package; ``label`` and ``extra`` are empty for none."""

    name: str
    version: str
    label: str = ""
    extra: str = ""


SettingKey = Literal[
    "constraint-dependencies", "override-dependencies", "--upgrade-package"
]


class SettingOrigin(Value, frozen=True):
    """A setting or option that limits versions; ``key`` is as the user writes it."""

    key: SettingKey


Origin = RootOrigin | PackageOrigin | SettingOrigin


class Request(Value, frozen=True):
    """A requirement and its origin."""

    by: Origin
    requirement: Requirement


class Excluded(Value, frozen=True):
    """A requirement excludes it.

    ``chain`` are the requirements from the project down; the last one excludes it. If
    a ``newer`` version of the last package would not exclude it, ``because`` is the
    reason why that version is not pinned.
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
    """The version is a pre-release, and the settings do not admit those."""


class NoFile(Value, frozen=True):
    """No wheel of a version fits the target.

    ``nearest`` are the platforms or Pythons of wheels that nearly fit, sorted; those of
    all wheels unless ``is_near``. ``has_wheels`` is false if there is no wheel.
    """

    target: str
    nearest: tuple[str, ...] = ()
    is_near: bool = True
    has_wheels: bool = True


class SdistBehindWheel(Value, frozen=True):
    """A source distribution of a version that has a wheel that fits."""


class OfLabels(Value, frozen=True):
    """A reason that holds for some labels of a version only.

    An empty label stands for the files without one.
    """

    labels: tuple[str, ...]
    reason: Reason


class Contradicts(Value, frozen=True):
    """It has a requirement that conflicts with the other pins of the target.

    ``taken`` is the pinned version of the required project, empty for none.
    ``because`` is the reason against ``newest``, the newest version that meets the
    requirement, or against all if ``newest`` is empty. ``overridden`` means that
    ``override-dependencies`` replaces its own requirement.
    """

    requirement: Requirement
    taken: str = ""
    newest: str = ""
    because: Reason | None = None
    overridden: bool = False


class FilesOut(Value, frozen=True):
    """Every file of a version is rejected, for different reasons."""

    reasons: tuple[Reason, ...]


class GivenUp(Value, frozen=True):
    """The label is better than the ``chosen`` one, but cannot be used."""

    chosen: str
    because: Reason


class HeldBack(Value, frozen=True):
    """Another target cannot have it, and all targets share a version (align)."""

    target: str
    because: Reason


class AlignedWith(Value, frozen=True):
    """Other targets have ``version``, and all share one where possible (align)."""

    targets: tuple[str, ...]
    version: str


class OlderPinKept(Value, frozen=True):
    """The lock file has an older version, and existing pins are kept."""

    version: str


class LowestWanted(Value, frozen=True):
    """``resolution`` asks for the lowest version."""

    mode: Literal["lowest", "lowest-direct"]


class NotExamined(Value, frozen=True):
    """Only the ``count`` newest versions are examined; these are older."""

    count: int


class Unopposed(Value, frozen=True):
    """It is compatible with the lock file, and may be newer than that."""

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
"""Every kind of reason; mypy checks that a ``match`` names each of them."""
