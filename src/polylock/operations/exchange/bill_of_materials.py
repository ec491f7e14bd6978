"""The lock of one target as a software bill of materials (CycloneDX 1.6).

The output is reproducible: it has no timestamp, and its serial number is derived from
its contents. Licences and suppliers are not in a lock file, so they are missing. URLs
have no credentials.

The library takes 60 ms to import and is an optional dependency, so this module is
imported lazily.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from polylock import __version__
from polylock.lockfile.pylock import (
    PackageArchive,
    PackageDirectory,
    PackageFile,
    PackageSdist,
    PackageVcs,
    PackageWheel,
)
from polylock.lockfile.record import LockedFeature, record_target, without_credentials
from polylock.operations.inspect.graph import PROJECT, LockedGraph, reachable
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from polylock.lockfile.select import Selected
    from polylock.operations.exchange.single_target import SingleTarget

__all__ = ["BillOfMaterials"]

_SERIAL_NUMBERS = UUID("5b3c7a86-6f0b-4a6b-8d44-0b3a2a4b8a11")
"""The name space of the serial numbers (RFC 9562, UUID version 5)."""

_ALGORITHMS = {
    "blake2b": HashAlgorithm.BLAKE2B_512,
    "md5": HashAlgorithm.MD5,
    "sha1": HashAlgorithm.SHA_1,
    "sha256": HashAlgorithm.SHA_256,
    "sha384": HashAlgorithm.SHA_384,
    "sha512": HashAlgorithm.SHA_512,
    "sha3_256": HashAlgorithm.SHA3_256,
    "sha3_384": HashAlgorithm.SHA3_384,
    "sha3_512": HashAlgorithm.SHA3_512,
}
"""The hash algorithms of the format, by their names in ``hashlib``."""

_FIRST = ("$schema", "bomFormat", "specVersion", "serialNumber", "version", "metadata")


class BillOfMaterials(Value, frozen=True, kw_only=True):
    """The bill of one target.

    ``name`` and ``version`` are those of the project, None if no project file has them.
    ``default_index`` is the index of a package URL without ``repository_url``, None if
    it is not known.
    """

    single: SingleTarget
    selected: tuple[Selected, ...]
    graph: LockedGraph
    name: str | None
    version: str | None
    default_index: str | None

    def text(self) -> str:
        """Return the bill as JSON, in an order that depends only on the contents."""
        written = JsonV1Dot6(self._bom()).output_as_string()
        document: dict[str, Any] = json.loads(written)
        del document["metadata"]["timestamp"], document["serialNumber"]
        content = json.dumps(document, sort_keys=True, ensure_ascii=False)
        serial_number = uuid5(_SERIAL_NUMBERS, content)
        document["serialNumber"] = f"urn:uuid:{serial_number}"
        ordered = {key: document.pop(key) for key in _FIRST} | document
        return json.dumps(ordered, indent=2, ensure_ascii=False) + "\n"

    def _bom(self) -> Bom:
        required = self._required()
        components = {
            str(chosen.package.name): self._component(chosen, required)
            for chosen in self.selected
        }
        project = self._project()
        edges = self.graph.edges
        dependencies = [
            _dependency(component, [components[each] for each in edges[name]])
            for name, component in components.items()
        ]
        if project is not None:
            roots = [components[root.name] for root in self.graph.roots]
            dependencies.append(_dependency(project, roots))
        return Bom(
            components=components.values(),
            # Bom.register_dependency would take quadratic time.
            dependencies=dependencies,
            metadata=BomMetaData(
                component=project,
                lifecycles=[PredefinedLifecycle(LifecyclePhase.PRE_BUILD)],
                tools=ToolRepository(components=[_tool()]),
                properties=self._target_properties(),
            ),
        )

    def _project(self) -> Component | None:
        if self.name is None:
            return None
        return Component(
            type=ComponentType.APPLICATION,
            name=self.name,
            version=self.version,
            bom_ref=f"project:{self.name}",  # a package name has no colon
        )

    def _required(self) -> frozenset[str]:
        """Return the packages that are installed without any group or extra."""
        roots = (
            root.name
            for root in self.graph.roots
            if not root.places or any(map(_unconditional, root.places))
        )
        return frozenset(reachable(roots, self.graph.edges))

    def _component(self, chosen: Selected, required: frozenset[str]) -> Component:
        package, file = chosen.package, chosen.file
        version = package.version
        scope = (
            ComponentScope.REQUIRED
            if package.name in required
            else ComponentScope.OPTIONAL
        )
        return Component(
            type=ComponentType.LIBRARY,
            name=package.name,
            version=version,
            bom_ref=package.name if version is None else f"{package.name}=={version}",
            scope=scope,
            purl=self._package_url(chosen),
            hashes=_hashes(file),
            external_references=_references(file),
            properties=self._properties(chosen),
        )

    def _package_url(self, chosen: Selected) -> PackageURL | None:
        """Return the package URL (purl) of a package, if it has one.

        A package on disk has none: without a qualifier the URL would mean the project
        of the same name on the default index.
        """
        package, file = chosen.package, chosen.file
        qualifiers: dict[str, str] = {}
        if isinstance(file, PackageDirectory) or file.path is not None:
            return None
        match file:
            case PackageVcs():
                qualifiers["vcs_url"] = _vcs_url(file)
            case PackageArchive():
                qualifiers["download_url"] = without_credentials(file.url or "")
            case PackageWheel() | PackageSdist():
                qualifiers["file_name"] = file.filename
                if package.index is None:
                    qualifiers["download_url"] = without_credentials(file.url or "")
                elif not self._is_default(package.index):
                    qualifiers["repository_url"] = without_credentials(package.index)
        return PackageURL(
            type="pypi",
            name=package.name,
            version=package.version,
            qualifiers=qualifiers,
        )

    def _is_default(self, index: str) -> bool:
        default = self.default_index
        return default is not None and index.rstrip("/") == default.rstrip("/")

    def _properties(self, chosen: Selected) -> Iterator[Property]:
        package, file = chosen.package, chosen.file
        node = self.graph.nodes[package.name]
        for root in self.graph.roots:
            if root.name == package.name:
                yield from (_property("required-by", place) for place in root.places)
        if chosen.variant_label is not None:
            yield _property("variant-label", chosen.variant_label)
        if node.choice is not None:
            for decided in node.choice.decided_by:
                yield _property("variant-property", decided)
        marker = self.single.left_open(package)
        if marker is not None:
            yield _property("marker", str(marker))
        if chosen.size is not None:
            yield _property("size", str(chosen.size))
        if file.path is not None:
            yield _property("path", file.path)

    def _target_properties(self) -> Iterator[Property]:
        # The name in the CycloneDX property taxonomy for a reproducible bill.
        yield Property(name="cdx:reproducible", value="true")
        target = record_target(self.single.target)
        for name, value in (
            ("name", target.name),
            ("platform", target.platform),
            ("python", target.python),
            ("libc", target.libc),
            ("macos", target.macos),
        ):
            if value is not None:
                yield _property(f"target:{name}", value)
        for line in _supported((*target.stated, *target.derived)):
            yield _property("target:supports", line)
        for group in sorted(self.single.groups - {target.name}):
            yield _property("group", group)
        for extra in sorted(self.single.extras):
            yield _property("extra", extra)


def _supported(features: Iterable[LockedFeature]) -> Iterator[str]:
    """Yield the features as text, with all switches of a namespace on one line."""
    switches: dict[str, list[str]] = {}
    for each in features:
        if each.feature is not None and each.values == ("on",):
            switches.setdefault(each.namespace, []).append(each.feature)
        elif each.feature is not None:
            yield f"{each} :: {', '.join(each.values)}"
    for namespace, names in switches.items():
        yield f"{namespace}, on: {', '.join(names)}"


def _unconditional(place: str) -> bool:
    return place == PROJECT or place.startswith("target ")


def _dependency(component: Component, below: list[Component]) -> Dependency:
    return Dependency(component.bom_ref, [Dependency(each.bom_ref) for each in below])


def _tool() -> Component:
    return Component(
        type=ComponentType.APPLICATION, name="polylock", version=__version__
    )


def _property(name: str, value: str) -> Property:
    return Property(name=f"polylock:{name}", value=value)


def _hashes(file: PackageFile) -> Iterator[HashType]:
    """Yield the hashes of a file whose algorithms the format supports."""
    if not isinstance(file, PackageVcs | PackageDirectory):
        for name, value in file.hashes.items():
            if name in _ALGORITHMS:
                yield HashType(alg=_ALGORITHMS[name], content=value)


def _references(file: PackageFile) -> Iterator[ExternalReference]:
    """Yield the URL of the file or the source tree."""
    if isinstance(file, PackageDirectory) or file.url is None:
        return
    kind = ExternalReferenceType.DISTRIBUTION
    if isinstance(file, PackageVcs):
        kind = ExternalReferenceType.VCS
    yield ExternalReference(type=kind, url=XsUri(without_credentials(file.url)))


def _vcs_url(file: PackageVcs) -> str:
    """Return the ``vcs_url`` of a purl: ``git+https://host/path@commit#directory``."""
    place = f"#{file.subdirectory}" if file.subdirectory else ""
    url = without_credentials(file.url or "")
    return f"{file.type}+{url}@{file.commit_id}{place}"
