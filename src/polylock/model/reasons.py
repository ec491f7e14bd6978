"""Why a version, a file or a label is out, or why it was not taken: the kinds, as data.

A reason is made where it is decided: by the candidate pool, the reader of metadata, the
search. What people read of it is written by ``polylock.explain.words`` alone, and no
code reads that back. The kinds that ``polylock.variants`` decides are in
``polylock.variants.ordering`` and ``polylock.variants.verdicts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from polylock.values import Value
from polylock.variants.ordering import LabelExcluded, LabelUndescribed, PropertyUnmet
from polylock.variants.verdicts import LabelLost

if TYPE_CHECKING:
    from polylock.model.requirements import Requirement

__all__ = [
    "Asker",
    "BuildCycle",
    "Contradicts",
    "DirectReference",
    "DirectSource",
    "Excluded",
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
    "Unfit",
    "Unopposed",
    "UploadedLater",
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


class SettingAsker(Value, frozen=True):
    """A setting or option that limits versions, as the user writes it."""

    key: Literal[
        "constraint-dependencies", "override-dependencies", "--upgrade-package"
    ]


Asker = RootAsker | PackageAsker | SettingAsker


class Request(Value, frozen=True):
    """Who asks, and for what."""

    by: Asker
    requirement: Requirement


class Excluded(Value, frozen=True):
    """A requirement excludes it.

    ``chain`` leads from the project down; the requirement of the last is the one.
    """

    chain: tuple[Request, ...]


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


class Yanked(Value, frozen=True):
    """The file or version is yanked (PEP 592), for ``why`` if the index says it."""

    why: str = ""


class PreRelease(Value, frozen=True):
    """The version is a pre-release, and those are not admitted of the project."""


class UploadedLater(Value, frozen=True):
    """It was uploaded after ``exclude-newer``."""


class NoUploadTime(Value, frozen=True):
    """``exclude-newer`` is set, and the index tells the time of other files only."""


class Unfit(Value, frozen=True):
    """The compatibility tags of a file do not fit the target."""


class NoFile(Value, frozen=True):
    """No wheel of a version fits the target.

    ``nearest`` are platforms or Pythons of the wheels that come nearest, sorted; of any
    wheels where not ``is_near``. Both are empty where the version has no wheel at all.
    """

    target: str
    nearest: tuple[str, ...] = ()
    is_near: bool = True


class PythonUnmet(Value, frozen=True):
    """``requires-python`` excludes the target's Python."""

    requires_python: str


class NeedsBuild(Value, frozen=True):
    """It would have to be built, and that is not allowed.

    Of ``metadata`` only the build backend knows it; else the file itself is the source
    distribution that may not be built.
    """

    project: str
    metadata: bool = True


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


class SdistBehindWheel(Value, frozen=True):
    """A source distribution is not taken where the version has a wheel that fits."""


class OfLabels(Value, frozen=True):
    """A reason that holds for some labels of a version alone."""

    labels: tuple[str, ...]
    reason: Reason


class Contradicts(Value, frozen=True):
    """It requires something that another pin excludes.

    ``version`` is what is pinned of the required project, empty where it is not
    available at all. ``because`` says why it could not be another version, if known.
    """

    requirement: Requirement
    version: str = ""
    because: Reason | None = None


class HeldBack(Value, frozen=True):
    """Another target cannot have it, and one version serves all of them (align)."""

    target: str
    because: Reason


class OlderPinKept(Value, frozen=True):
    """The lock file has an older version, and pins stay where they can."""

    version: str


class LowestWanted(Value, frozen=True):
    """``resolution`` asks for the lowest version."""

    mode: Literal["lowest", "lowest-direct"]


class DirectSource(Value, frozen=True):
    """The project names a direct source, so no index has a say in it."""


class NotExamined(Value, frozen=True):
    """Only the newest versions are opened to tell why; these are older."""

    count: int


class Unopposed(Value, frozen=True):
    """It is compatible with the lock; it may be newer than that."""

    project: str


Reason = (
    BuildCycle
    | Contradicts
    | DirectReference
    | DirectSource
    | Excluded
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
    | WheelsForbidden
    | Yanked
)
"""All kinds; ``match`` on it is checked to name each of them."""
