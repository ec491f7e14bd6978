"""The lock file of one target alone (PEP 751, "single-use lock files").

A variant wheel stands there under the name that it would have without its label: the
choice was made when the project was locked, and an installer that knows nothing of
variants takes the wheel. Its bytes, and so its hash, are those that were locked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from packaging.utils import NormalizedName, canonicalize_name

from polylock.lockfile.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageFile,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from polylock.lockfile.write import pylock_text
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.folding import fold
from polylock.model.markers import Atom, MarkerExpression, conjunction
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from polylock.lockfile.select import Selected
    from polylock.model.target import Target
    from polylock.project.settings import Settings

__all__ = ["SingleTarget", "without_label"]

F = TypeVar("F", bound="PackageWheel | PackageSdist")

_FIXED = ("sys_platform", "platform_machine", "python_version", "implementation_name")


class SingleTarget(Value, frozen=True, kw_only=True):
    """A target with the groups and extras that are taken into its lock file."""

    target: Target
    groups: frozenset[str]
    extras: frozenset[str]

    @classmethod
    def of(cls, target: Target, settings: Settings) -> Self:
        """Return a target with what the settings name besides."""
        return cls(
            target=target,
            groups=_names(*settings.groups, target.name),
            extras=_names(*settings.extras),
        )

    def text(
        self,
        pylock: Pylock,
        selected: Iterable[Selected],
        files: Mapping[NormalizedName, PackageFile] | None = None,
    ) -> str:
        """Return the lock file: no groups and no extras, one file a package.

        ``files`` gives packages another file than the one that was selected.
        """
        chosen = tuple(selected)
        names = {one.package.name for one in chosen}
        environment = self.target.marker_environment
        alone = Pylock(
            environments=(
                conjunction([Atom(name, "==", environment[name]) for name in _FIXED]),
            ),
            requires_python=pylock.requires_python,
            created_by="polylock",
            packages=tuple(
                self._package(one, names, (files or {}).get(one.package.name))
                for one in chosen
            ),
        )
        return pylock_text(alone)

    def left_open(self, package: Package) -> MarkerExpression | None:
        """Return what the target leaves open of a marker, such as the patch release."""
        if package.marker is None:
            return None
        rest = fold(package.marker, self.target, extras=self.extras, groups=self.groups)
        return None if isinstance(rest, bool) else rest

    def _package(
        self, chosen: Selected, names: set[NormalizedName], other: PackageFile | None
    ) -> Package:
        """Return the entry with the one file that the target installs."""
        package, file = chosen.package, other or chosen.file
        if isinstance(file, PackageWheel) and chosen.variant_label is not None:
            file = without_label(file)
        references = {
            str(reference["name"]): {"name": reference["name"]}
            for reference in package.dependencies or ()
            if reference.get("name") in names
        }
        return replace(
            package,
            marker=self.left_open(package),
            dependencies=tuple(references[name] for name in sorted(references)) or None,
            index=package.index if other is None else None,
            vcs=file if isinstance(file, PackageVcs) else None,
            directory=file if isinstance(file, PackageDirectory) else None,
            archive=file if isinstance(file, PackageArchive) else None,
            sdist=file if isinstance(file, PackageSdist) else None,
            wheels=(file,) if isinstance(file, PackageWheel) else (),
            variants_json=None,
            attestation_identities=(
                package.attestation_identities if other is None else None
            ),
            variants=(),
            tool={},
        )


def _names(*names: str) -> frozenset[str]:
    """Return names as the markers of a lock file spell them."""
    return frozenset(map(canonicalize_name, names))


def without_label(file: F) -> F:
    """Return a file under the name that it has without a variant label."""
    try:
        wheel = WheelFilename.parse(file.filename)
    except InvalidFilename:
        return replace(file, name=file.filename)
    stem = file.filename.removesuffix(".whl")
    if wheel.variant_label is not None:
        stem = stem.removesuffix(f"-{wheel.variant_label}")
    return replace(file, name=f"{stem}.whl")
