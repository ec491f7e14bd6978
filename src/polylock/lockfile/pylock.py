"""The tables of ``pylock.toml``, each as a value (PEP 751, PEP 825).

Fields are named after the keys, in the order of PEP 751, as in ``packaging.pylock``.
``packaging.pylock`` itself is not used: it rejects a lock file with a variant wheel.
"""

from __future__ import annotations

# Types in annotations are imported at run time: `binary` decodes by annotations.
from collections.abc import Mapping
from datetime import datetime  # noqa: TC003 - see above
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import msgspec
from packaging.utils import NormalizedName  # noqa: TC002 - see above

from polylock.lockfile.record import Record, VariantChoice  # noqa: TC001 - see above
from polylock.model.markers import MarkerExpression  # noqa: TC001 - see above
from polylock.values import Value, field

__all__ = [
    "LOCK_VERSION",
    "Package",
    "PackageArchive",
    "PackageDirectory",
    "PackageFile",
    "PackageSdist",
    "PackageVcs",
    "PackageWheel",
    "PinnedFile",
    "Pylock",
    "last_component",
]

LOCK_VERSION = "1.0"

Size = Annotated[int, msgspec.Meta(ge=0)]
"""A number of bytes."""


class PackageVcs(Value, frozen=True, kw_only=True, rename="kebab"):
    """``[packages.vcs]``: a source tree under version control; ``url`` or ``path``."""

    type: str
    url: str | None = None
    path: str | None = None
    requested_revision: str | None = None
    commit_id: str
    subdirectory: str | None = None


class PackageDirectory(Value, frozen=True, kw_only=True, rename="kebab"):
    """``[packages.directory]``: a source tree, its path relative to the lock file."""

    path: str
    editable: bool | None = None
    subdirectory: str | None = None


class PackageArchive(Value, frozen=True, kw_only=True, rename="kebab"):
    """``[packages.archive]``: a direct reference to a file; ``url`` or ``path``."""

    url: str | None = None
    path: str | None = None
    size: Size | None = None
    upload_time: datetime | None = None
    hashes: Mapping[str, str]
    subdirectory: str | None = None


class PinnedFile(Value, frozen=True, kw_only=True, rename="kebab"):
    """The keys that ``packages.sdist`` and ``packages.wheels`` share.

    ``name`` is None if it is the last component of ``path`` or ``url``; ``size`` is in
    bytes, ``upload_time`` in UTC.
    """

    name: str | None = None
    upload_time: datetime | None = None
    url: str | None = None
    path: str | None = None
    size: Size | None = None
    hashes: Mapping[str, str]

    @property
    def filename(self) -> str:
        """Return the file name: ``name``, or the last component of path or URL."""
        return self.name or last_component(self.path, self.url)


class PackageWheel(PinnedFile, frozen=True, kw_only=True, rename="kebab"):
    """An entry of ``packages.wheels``."""


class PackageSdist(PinnedFile, frozen=True, kw_only=True, rename="kebab"):
    """``[packages.sdist]``."""


PackageFile = (
    PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist
)
"""A source that a package can be installed from."""


class Package(Value, frozen=True, kw_only=True, rename="kebab"):
    """An entry of ``[[packages]]``.

    ``version`` is as written. ``dependencies`` and ``attestation_identities`` are kept
    as plain tables. ``variants_json`` is the combined variant metadata (PEP 825) as a
    document. ``variants`` comes from ``[packages.tool.polylock]``; ``tool`` holds the
    tables of other tools.
    """

    name: NormalizedName
    version: str | None = None
    marker: MarkerExpression | None = None
    requires_python: str | None = None
    dependencies: tuple[Mapping[str, Any], ...] | None = None
    vcs: PackageVcs | None = None
    directory: PackageDirectory | None = None
    archive: PackageArchive | None = None
    index: str | None = None
    sdist: PackageSdist | None = None
    wheels: tuple[PackageWheel, ...] = ()
    attestation_identities: tuple[Mapping[str, Any], ...] | None = None
    variants_json: Mapping[str, Any] | None = None
    variants: tuple[VariantChoice, ...] = ()
    tool: Mapping[str, Any] = field(default_factory=dict)


class Pylock(Value, frozen=True, kw_only=True, rename="kebab"):
    """A whole lock file.

    Where PEP 751 distinguishes an empty array from a missing one, None means missing.
    ``polylock`` is ``[tool.polylock]``, None in the lock file of another tool; ``tool``
    holds the tables of other tools.
    """

    lock_version: str = LOCK_VERSION
    environments: tuple[MarkerExpression, ...] | None = None
    requires_python: str | None = None
    extras: tuple[str, ...] | None = None
    dependency_groups: tuple[str, ...] | None = None
    default_groups: tuple[str, ...] | None = None
    created_by: str
    packages: tuple[Package, ...] = ()
    polylock: Record | None = None
    tool: Mapping[str, Any] = field(default_factory=dict)

    @property
    def enabled_providers(self) -> tuple[str, ...]:
        """Return the namespaces of the optional providers that the project enables."""
        if self.polylock is None:
            return ()
        return self.polylock.inputs.lists.get("enable-providers", ())

    @property
    def target_names(self) -> tuple[str, ...]:
        """Return the names of the recorded targets, in the order of priority."""
        if self.polylock is None:
            return ()
        return tuple(target.name for target in self.polylock.targets)


def last_component(path: str | None, url: str | None) -> str:
    """Return the file name at the end of a path or URL, empty if there is none.

    A path may use the separators of POSIX or of Windows; the last component of a URL is
    percent-decoded.
    """
    if path is not None:
        return path.replace("\\", "/").rpartition("/")[2]
    if url is None:
        return ""
    if "%" not in url and "?" not in url and "#" not in url:
        return url.rpartition("/")[2]
    return unquote(urlsplit(url).path.rpartition("/")[2])
