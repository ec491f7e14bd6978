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
    "Rejection",
    "Request",
    "RequiresItself",
    "RootAsker",
    "SdistBehindWheel",
    "SettingAsker",
    "SettingKey",
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


class Yanked(Value, frozen=True):
    """The file or version is yanked (PEP 592), for ``why`` if the index says it."""

    why: str = ""


class PreRelease(Value, frozen=True):
    """The version is a pre-release, and those are not admitted of the project."""


class UploadedLater(Value, frozen=True):
    """It was uploaded after ``exclude-newer``."""


class NoUploadTime(Value, frozen=True):
    """``exclude-newer`` is set, and the index tells the time of other files only."""


class Rejection(Value, frozen=True):
    """Why one file or label of a version is out, or, with neither, all of it."""

    reason: Reason
    label: str = ""
    file: str = ""


class Unfit(Value, frozen=True):
    """The compatibility tags of a file, or of all that a label has, do not fit."""

    tags: tuple[str, ...] = ()


class NoFile(Value, frozen=True):
    """No wheel of a version fits the target.

    ``nearest`` are platforms or Pythons of the wheels that come nearest, sorted; of any
    wheels where not ``is_near``. ``has_wheels`` is false where there is none at all.
    """

    target: str
    nearest: tuple[str, ...] = ()
    is_near: bool = True
    has_wheels: bool = True


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


class SdistBehindWheel(Value, frozen=True):
    """A source distribution is not taken where the version has a wheel that fits."""


class OfLabels(Value, frozen=True):
    """A reason that holds for some labels of a version alone."""

    labels: tuple[str, ...]
    reason: Reason


class Contradicts(Value, frozen=True):
    """It requires what the target cannot have beside its other pins.

    ``taken`` is the version that is pinned of the required project, empty for none.
    ``because`` says why it could not be the ``newest`` version that meets the
    requirement, or any, where there is none.
    """

    requirement: Requirement
    taken: str = ""
    newest: str = ""
    because: Reason | None = None


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


class ConflictsWithPins(Value, frozen=True):
    """It fits by itself, and not together with all other pins."""


class NotRequired(Value, frozen=True):
    """It is built against a ``release`` of a project that nothing requires."""

    project: str
    release: str


class OlderPinKept(Value, frozen=True):
    """The lock file has an older version, and pins stay where they can."""

    version: str


class LowestWanted(Value, frozen=True):
    """``resolution`` asks for the lowest version."""

    mode: Literal["lowest", "lowest-direct"]


class DirectSourceNamed(Value, frozen=True):
    """The project names a direct source, so no index has a say in it."""


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
    | WheelsForbidden
    | Yanked
)
"""All kinds; ``match`` on it is checked to name each of them."""
