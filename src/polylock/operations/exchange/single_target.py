"""The lock file of one target alone (PEP 751, "single-use lock files").

A variant wheel has its name without the label, so that an installer without support for
variants installs it; the variant was chosen by the lock. Its bytes and its hash are
those that were locked.
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
    from polylock.operations.chosen import Chosen

__all__ = ["SingleTarget", "without_label"]

F = TypeVar("F", bound="PackageWheel | PackageSdist")

_FIXED = ("sys_platform", "platform_machine", "python_version", "implementation_name")


class SingleTarget(Value, frozen=True, kw_only=True):
    """A target with the groups and extras of its lock file."""

    target: Target
    groups: frozenset[str]
    extras: frozenset[str]

    @classmethod
    def of(cls, target: Target, chosen: Chosen) -> Self:
        """Return a target with the chosen groups and extras."""
        return cls(
            target=target,
            groups=_names(*chosen.groups, target.name),
            extras=_names(*chosen.extras),
        )

    def text(
        self,
        pylock: Pylock,
        selected: Iterable[Selected],
        files: Mapping[NormalizedName, PackageFile] | None = None,
    ) -> str:
        """Return the lock file, without groups and extras, with one file per package.

        ``files`` replaces the selected files of some packages.
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
        """Return the part of a marker that the target leaves open (patch release)."""
        if package.marker is None:
            return None
        rest = fold(package.marker, self.target, extras=self.extras, groups=self.groups)
        return None if isinstance(rest, bool) else rest

    def _package(
        self, chosen: Selected, names: set[NormalizedName], other: PackageFile | None
    ) -> Package:
        """Return the package with only the file that the target installs."""
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
    """Return names normalized, as in the markers of a lock file."""
    return frozenset(map(canonicalize_name, names))


def without_label(file: F) -> F:
    """Return a file with its name without the variant label."""
    try:
        wheel = WheelFilename.parse(file.filename)
    except InvalidFilename:
        return replace(file, name=file.filename)
    stem = file.filename.removesuffix(".whl")
    if wheel.variant_label is not None:
        stem = stem.removesuffix(f"-{wheel.variant_label}")
    return replace(file, name=f"{stem}.whl")
