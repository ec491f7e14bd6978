"""Plan the changes that make an environment exactly the locked set. No IO.

polylock records the name and the SHA-256 of the file with what it installs
(``Origin``). An installed distribution is the locked file if both match the lock.
Another installer leaves no such record:

* If neither side is a variant wheel, the distribution is kept if version, source, tags
  and build number match. These make up the file name, an index does not let the file of
  a name change, and reinstalling 169 packages after ``pip`` or ``uv`` would be needless
  work. A wheel built locally mostly has other tags than the index's, and is replaced.
* If either side is a variant wheel, it is reinstalled once: wheels of different labels
  have the same version and the same tags, and polylock exists to prevent the wrong one.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from polylock.environment.installed import Form, InstalledDistribution
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.environment.direct_url import DirectUrl

__all__ = [
    "PlanEntry",
    "Reason",
    "SyncPlan",
    "SyncRequest",
    "WantedDistribution",
    "plan_sync",
    "same_version",
    "seeds",
]


class Reason(enum.StrEnum):
    """The reason for an entry of a plan, as a clause for people."""

    AS_LOCKED = "is as locked"
    NOT_INSTALLED = "is not installed"
    OTHER_VERSION = "has another version"
    OTHER_VARIANT = "is another variant"
    OTHER_SOURCE = "came from another source"
    OTHER_FILE = "was installed from another file"
    REQUESTED = "was asked to be reinstalled"
    EXTRANEOUS = "is not locked"
    BROKEN = "is incomplete"
    CHANGED = "has files that were changed"
    SHARED = "shares a file with one that changes"
    SEED = "came with the environment"


class WantedDistribution(Value, frozen=True, kw_only=True):
    """A distribution that the lock wants in the environment.

    ``version`` is None if only a build can tell it, as for a directory with a dynamic
    version. ``filename`` and ``sha256`` identify the locked file; for a directory they
    are any text that changes when it must be reinstalled. ``direct_url`` is None for a
    file of an index. ``requested`` is true if the user requires it, rather than another
    distribution (REQUESTED, PEP 376); a change of that alone causes no reinstallation.
    """

    name: NormalizedName
    version: str | None
    filename: str
    sha256: str
    variant_label: str | None = None
    direct_url: DirectUrl | None = None
    requested: bool = False


class SyncRequest(Value, frozen=True, kw_only=True):
    """The distributions that the environment should hold.

    ``reinstall`` names projects to reinstall even if they are as locked, ``changed``
    those with files that differ from RECORD, ``retained`` those that stay although they
    are not locked. Without ``exact`` only other versions of wanted projects are
    removed.
    """

    wanted: tuple[WantedDistribution, ...]
    reinstall: frozenset[NormalizedName] = frozenset()
    reinstall_all: bool = False
    changed: frozenset[NormalizedName] = frozenset()
    retained: frozenset[NormalizedName] = frozenset()
    exact: bool = True


class PlanEntry(Value, frozen=True, kw_only=True):
    """One project: what is wanted, what is installed, and the reason for the step.

    ``installed`` has more than one element where the environment holds several
    versions at once.
    """

    name: NormalizedName
    reason: Reason
    wanted: WantedDistribution | None = None
    installed: tuple[InstalledDistribution, ...] = ()


class SyncPlan(Value, frozen=True, kw_only=True):
    """The steps, each sorted by name, and the request and state they follow from."""

    request: SyncRequest
    installed: tuple[InstalledDistribution, ...]
    install: tuple[PlanEntry, ...] = field(default=())
    reinstall: tuple[PlanEntry, ...] = field(default=())
    remove: tuple[PlanEntry, ...] = field(default=())
    keep: tuple[PlanEntry, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Return True if the environment is as it should be."""
        return not (self.install or self.reinstall or self.remove)


def seeds(
    python_release: tuple[int, int], *, created: bool
) -> frozenset[NormalizedName]:
    """Return the projects that stay in an environment although they are not locked.

    There are none in an environment that polylock created: it began empty. In any
    other, pip stays, and before Python 3.12 also setuptools and wheel: ``python -m
    venv`` installed them, and the user may need them. uv follows the same rule.
    """
    if created:
        return frozenset()
    names = ("pip",) if python_release >= (3, 12) else ("pip", "setuptools", "wheel")
    return frozenset(canonicalize_name(name) for name in names)


def plan_sync(
    request: SyncRequest, installed: Sequence[InstalledDistribution]
) -> SyncPlan:
    """Return the plan that turns the installed distributions into the wanted ones."""
    present: dict[NormalizedName, tuple[InstalledDistribution, ...]] = {}
    for distribution in installed:
        present[distribution.name] = (*present.get(distribution.name, ()), distribution)
    install: list[PlanEntry] = []
    reinstall: list[PlanEntry] = []
    remove: list[PlanEntry] = []
    keep: list[PlanEntry] = []
    for wanted in sorted(request.wanted, key=lambda wanted: wanted.name):
        found = present.pop(wanted.name, ())
        reason = _reason(wanted, found, request)
        entry = PlanEntry(
            name=wanted.name, reason=reason, wanted=wanted, installed=found
        )
        match reason:
            case Reason.AS_LOCKED:
                keep.append(entry)
            case Reason.NOT_INSTALLED:
                install.append(entry)
            case _:
                reinstall.append(entry)
    for name, found in sorted(present.items()):
        if name in request.retained:
            keep.append(PlanEntry(name=name, reason=Reason.SEED, installed=found))
        else:
            entry = PlanEntry(name=name, reason=Reason.EXTRANEOUS, installed=found)
            (remove if request.exact else keep).append(entry)
    return SyncPlan(
        request=request,
        installed=tuple(installed),
        install=tuple(install),
        reinstall=tuple(reinstall),
        remove=tuple(remove),
        keep=tuple(keep),
    )


def _reason(
    wanted: WantedDistribution,
    found: tuple[InstalledDistribution, ...],
    request: SyncRequest,
) -> Reason:
    if not found:
        return Reason.NOT_INSTALLED
    if len(found) > 1 or not found[0].is_complete:
        return Reason.BROKEN
    (installed,) = found
    if wanted.version is not None and not same_version(
        wanted.version, installed.version
    ):
        return Reason.OTHER_VERSION
    if not _same_source(wanted, installed):
        return Reason.OTHER_SOURCE
    reason = _file_reason(wanted, installed)
    if reason is not Reason.AS_LOCKED:
        return reason
    return _reinstall_reason(wanted.name, request)


def _reinstall_reason(name: NormalizedName, request: SyncRequest) -> Reason:
    """Return the reason to reinstall a distribution that is as locked, if any."""
    if name in request.changed:
        return Reason.CHANGED
    if request.reinstall_all or name in request.reinstall:
        return Reason.REQUESTED
    return Reason.AS_LOCKED


def same_version(wanted: str, installed: str) -> bool:
    """Return True if two spellings are one version (PEP 440)."""
    if wanted == installed:
        return True
    try:
        # ``.dist-info`` spells a hyphen as an underscore, and old backends do not
        # normalize.
        return Version(wanted) == Version(installed.replace("_", "-"))
    except InvalidVersion:
        return False


def _same_source(wanted: WantedDistribution, installed: InstalledDistribution) -> bool:
    if wanted.direct_url is None or installed.direct_url is None:
        return wanted.direct_url is installed.direct_url
    return wanted.direct_url.is_same_source(installed.direct_url)


def _file_reason(
    wanted: WantedDistribution, installed: InstalledDistribution
) -> Reason:
    """Return the reason that follows from the file, by the rule of the module."""
    if installed.form is not Form.DIST_INFO:
        return Reason.OTHER_FILE
    origin = installed.origin
    if origin is not None:
        if origin.variant_label != wanted.variant_label:
            return Reason.OTHER_VARIANT
        same = (origin.filename, origin.sha256) == (wanted.filename, wanted.sha256)
        return Reason.AS_LOCKED if same else Reason.OTHER_FILE
    if wanted.variant_label is not None or installed.is_variant:
        return Reason.OTHER_VARIANT
    if wanted.direct_url is not None:
        return _direct_reason(wanted, installed)
    return _same_kind(wanted.filename, installed)


def _direct_reason(
    wanted: WantedDistribution, installed: InstalledDistribution
) -> Reason:
    """Accept another installer's file from a URL only if its hash is recorded.

    The content of a directory or a URL may have changed since.
    """
    direct = installed.direct_url
    if direct is not None and direct.vcs_info is not None:
        return Reason.AS_LOCKED  # the commit is the same
    archive = None if direct is None else direct.archive_info
    same = archive is not None and archive.sha256 == wanted.sha256
    return Reason.AS_LOCKED if same else Reason.OTHER_FILE


def _same_kind(filename: str, installed: InstalledDistribution) -> Reason:
    try:
        wheel = WheelFilename.parse(filename)
    except InvalidFilename:
        return Reason.AS_LOCKED  # a source distribution: any wheel built from it
    kind = installed.kind
    if kind is None or (kind.tags, kind.build) != (frozenset(wheel.tags), wheel.build):
        return Reason.OTHER_FILE
    return Reason.AS_LOCKED
