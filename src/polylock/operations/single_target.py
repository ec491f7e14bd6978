"""The lock file of one target alone (PEP 751, "single-use lock files")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.lockfile.encode import encode
from polylock.lockfile.pylock import (
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from polylock.model.markers import Atom, conjunction, fold
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Self

    from packaging.utils import NormalizedName

    from polylock.lockfile.pylock import Package, PackageFile
    from polylock.lockfile.select import Selected
    from polylock.model.markers import MarkerExpression
    from polylock.model.target import Target
    from polylock.project.settings import Settings

__all__ = ["SingleTarget"]

_FIXED = ("sys_platform", "platform_machine", "python_version", "implementation_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleTarget:
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
        return encode(alone)

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
            variants_json=(
                _variants_json(package, chosen.variant_label) if other is None else None
            ),
            attestation_identities=(
                package.attestation_identities if other is None else None
            ),
            variants=(),
            tool={},
        )


def _names(*names: str) -> frozenset[str]:
    """Return names as the markers of a lock file spell them."""
    return frozenset(map(canonicalize_name, names))


def _variants_json(package: Package, label: str | None) -> Mapping[str, Any] | None:
    if label is None or package.variants_json is None:
        return None
    return VariantMetadata.from_document(package.variants_json).restricted([label])
