"""The choice of the file of a locked package for a target (PEP 751, PEP 825)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from polylock.errors import NothingToInstall
from polylock.lockfile.pylock import last_component
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.folding import SelectedVariant
from polylock.model.reasons import (
    InvalidMetadata,
    LabelUndescribed,
    PropertyUnmet,
    Rejection,
    Unfit,
)
from polylock.model.target_properties import supported_properties
from polylock.values import Value, replace
from polylock.variants.ordering import DeferredFeature, order_labels
from polylock.variants.variant_json import InvalidVariantMetadata, VariantMetadata
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from polylock.lockfile.pylock import (
        Package,
        PackageArchive,
        PackageFile,
        PackageWheel,
        Pylock,
    )
    from polylock.model.target import Target, WheelOrder

__all__ = ["FileChooser"]


class FileChooser(Value, frozen=True, kw_only=True):
    """Chooses files for one target.

    ``versions`` are those of all packages that are installed together, for ABI
    dependencies; ``enabled_providers`` are the namespaces of the optional providers
    that are enabled.
    """

    target: Target
    versions: Mapping[str, str]
    enabled_providers: Collection[str] = ()

    @classmethod
    def of(
        cls, pylock: Pylock, target: Target, packages: Iterable[Package]
    ) -> FileChooser:
        """Return the chooser for packages that are installed together."""
        return cls(
            target=target,
            versions={p.name: p.version for p in packages if p.version is not None},
            enabled_providers=pylock.enabled_providers,
        )

    def choose(self, package: Package) -> tuple[PackageFile, str | None]:
        """Return the file of a package, and its label if it is a variant wheel.

        Raises NothingToInstall with the reason for each file.
        """
        # - If vcs is set, build and install that commit; else if directory is set,
        #   that source tree; else if archive is set, that file.
        for direct in (package.vcs, package.directory):
            if direct is not None:
                return direct, None
        if package.archive is not None:
            return package.archive, self._direct_label(package, package.archive)
        # - Else if there are wheels, look for the one that fits.
        rejected: list[Rejection] = []
        best = self._best_wheels(package, rejected)
        labels = sorted(label for label in best if label is not None)
        for label in (*self._compatible(package, labels, rejected), None):
            if label in best:
                return best[label][1], label
        # - Else if no wheel was found or there is only an sdist, build that.
        if package.sdist is not None:
            return package.sdist, None
        raise NothingToInstall(
            package.name, package.version or "", self.target.name, rejected
        )

    def variant_of(self, package: Package, label: str) -> SelectedVariant:
        """Return a chosen label with its properties that the target supports.

        PEP 825, "Evaluating variant markers".
        """
        if package.variants_json is None:
            return SelectedVariant(label)
        metadata = VariantMetadata.from_document(package.variants_json)
        supported = supported_properties(metadata, self.target, self.enabled_providers)
        (ranked,) = order_labels(
            metadata, supported, [label], deferred_namespaces=(ABI_DEPENDENCY,)
        ).compatible
        built_against = {
            (need.namespace, need.feature, value)
            for need in ranked.deferred
            for value in need.values
            if self._abi_fits(replace(need, values=(value,)))
        }
        return SelectedVariant(label, ranked.properties | built_against)

    def _direct_label(self, package: Package, archive: PackageArchive) -> str | None:
        """Return the label of a wheel that is a direct reference, None without one.

        PEP 825, "Installing a specific local wheel": "5. Verify the wheel compatibility
        via compatible properties." A lock file without the metadata cannot say it.
        """
        filename = last_component(archive.path, archive.url)
        try:
            label = WheelFilename.parse(filename).variant_label
        except InvalidFilename:
            return None
        if label is None or package.variants_json is None:
            return label
        rejected: list[Rejection] = []
        if not self._accepted(package.variants_json, [label], rejected):
            raise NothingToInstall(
                package.name, package.version or "", self.target.name, rejected
            )
        return label

    def _best_wheels(
        self, package: Package, rejected: list[Rejection]
    ) -> dict[str | None, tuple[WheelOrder, PackageWheel]]:
        """Return the best wheel of each label by its tags, with its order."""
        best: dict[str | None, tuple[WheelOrder, PackageWheel]] = {}
        for wheel in package.wheels:
            filename = WheelFilename.parse(wheel.filename)
            label, order = filename.variant_label, self.target.wheel_order(filename)
            if order is None:
                rejected.append(Rejection(Unfit(), file=wheel.filename))
            elif label not in best or order > best[label][0]:
                best[label] = (order, wheel)
        return best

    def _compatible(
        self, package: Package, labels: list[str], rejected: list[Rejection]
    ) -> list[str]:
        """Return the labels that fit, best first (PEP 825, "Variant ordering")."""
        if not labels:
            return []
        if package.variants_json is None:
            rejected.extend(Rejection(LabelUndescribed(), label) for label in labels)
            return []
        return self._accepted(package.variants_json, labels, rejected)

    def _accepted(
        self,
        document: Mapping[str, Any],
        labels: list[str],
        rejected: list[Rejection],
    ) -> list[str]:
        try:
            metadata = VariantMetadata.from_document(document)
        except InvalidVariantMetadata as error:
            reason = InvalidMetadata(f"bad variants-json: {error}")
            rejected.extend(Rejection(reason, label) for label in labels)
            return []
        supported = supported_properties(metadata, self.target, self.enabled_providers)
        order = order_labels(
            metadata, supported, labels, deferred_namespaces=(ABI_DEPENDENCY,)
        )
        rejected.extend(Rejection(each.reason, each.label) for each in order.rejected)
        accepted = []
        for ranked in order.compatible:
            broken = [need for need in ranked.deferred if not self._abi_fits(need)]
            if broken:
                rejected.append(Rejection(self._abi_unmet(broken[0]), ranked.label))
            else:
                accepted.append(ranked.label)
        return accepted

    def _abi_unmet(self, need: DeferredFeature) -> PropertyUnmet:
        return PropertyUnmet(
            need.namespace,
            need.feature,
            need.values,
            offered=(self.versions[canonicalize_name(need.feature)],),
            gap="abi",
        )

    def _abi_fits(self, need: DeferredFeature) -> bool:
        """Return True if the version to be installed is one the label was built for.

        ``abi_dependency :: torch :: 2.9`` means ``torch==2.9.*`` (PEP 850). A project
        that is not installed does not matter.
        """
        version = self.versions.get(canonicalize_name(need.feature))
        return version is None or any(_is_release_of(v, version) for v in need.values)


def _is_release_of(prefix: str, version: str) -> bool:
    try:
        return SpecifierSet(f"=={prefix}.*").contains(version, prereleases=True)
    except ValueError:
        return False
