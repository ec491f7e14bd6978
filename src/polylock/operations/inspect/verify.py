"""``polylock verify``: what the indexes say now of what is locked.

Which indexes are asked is taken from the project file, never from the lock file: who
could change a hash there could name an index that agrees.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from polylock.errors import ProjectNotFound, UsageError
from polylock.explain.words import clause
from polylock.lockfile.pylock import PackageArchive, PackageSdist, PackageWheel
from polylock.lockfile.record import without_credentials
from polylock.model.distributions import Unusable
from polylock.model.hashes import strongest
from polylock.model.hosts import look_alike
from polylock.model.requirements import Requirement
from polylock.operations.builds.locked_files import filename_of
from polylock.operations.builds.trees import urls_with_credentials
from polylock.operations.builds.wiring import IndexContext
from polylock.operations.inspect.disagreements import (
    Disagreement,
    VerifyOutcome,
)
from polylock.operations.inspect.disagreements import DisagreementKind as Kind
from polylock.operations.inspect.selection import (
    every_group,
    open_lock,
    require_record,
    selections,
)
from polylock.operations.workspace import open_workspace
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.lockfile.pylock import Package
    from polylock.lockfile.select import Selected
    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.inputs import Inputs
    from polylock.model.target import Target
    from polylock.network.answers import Streaming
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["verify"]

_Address = PackageWheel | PackageSdist | PackageArchive


def verify(settings: Settings, reporter: Reporter, *, download: bool) -> VerifyOutcome:
    """Compare each locked file with what its index says of it now.

    Pages are asked for anew, whatever the cache has. With ``download`` each file is
    fetched too and its bytes are compared, cached or not; without it an index is
    believed. Raises UsageError when offline, and what asking an index raises:
    an index that cannot be asked agrees with nothing.
    """
    if settings.offline:
        raise UsageError("verify asks the indexes, and --offline forbids that")
    pylock, path = open_lock(settings)
    require_record(pylock, path, "verify compares the lock files of `polylock lock`")
    inputs = open_workspace(settings).project.inputs
    groups, extras = every_group(pylock)
    comparison = _Comparison(pinned=frozenset(_pinned_exactly(inputs)))
    with IndexContext(replace(settings, refresh=True), inputs, reporter) as context:
        for selection in selections(
            pylock,
            path,
            target=settings.target,
            groups=groups,
            extras=extras,
        ):
            _Target(
                context=context, comparison=comparison, target=selection.target
            ).compare(selection.selected)
        if download:
            _compare_contents(context, comparison)
    return comparison.outcome(path)


def _pinned_exactly(inputs: Inputs) -> Iterator[tuple[NormalizedName, str]]:
    """Yield the versions that the project asks for with ``==``, normalized."""
    of_project = (root.requirement for root in inputs.requirements)
    for requirement in (*of_project, *inputs.constraints, *inputs.overrides):
        for specifier in SpecifierSet(requirement.specifier):
            if specifier.operator == "==" and not specifier.version.endswith(".*"):
                name = requirement.normalized_name
                yield name, str(Version(specifier.version))


@dataclass(kw_only=True)
class _Comparison:
    """What was compared so far, over all targets."""

    pinned: frozenset[tuple[NormalizedName, str]]
    packages: set[tuple[NormalizedName, str]] = field(default_factory=set)
    files: dict[str, tuple[Package, _Address, list[str]]] = field(default_factory=dict)
    unverified: dict[str, str] = field(default_factory=dict)
    found: dict[Disagreement, list[str]] = field(default_factory=dict)

    def note(self, disagreement: Disagreement, target: str) -> None:
        """Add a disagreement that concerns a target."""
        targets = self.found.setdefault(disagreement, [])
        if target not in targets:
            targets.append(target)

    def outcome(self, path: Path) -> VerifyOutcome:
        """Return what came of it; disagreements sorted by project."""
        return VerifyOutcome(
            path=path,
            packages=len(self.packages),
            files=len(self.files),
            disagreements=tuple(
                replace(disagreement, targets=tuple(targets))
                for disagreement, targets in sorted(self.found.items())
            ),
            unverified=tuple(sorted(self.unverified.items())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Compares what one target installs with the indexes that serve it."""

    context: IndexContext
    comparison: _Comparison
    target: Target

    def compare(self, selected: Iterable[Selected]) -> None:
        """Compare the packages of the target, asking for all their pages at once."""
        chosen = tuple(selected)
        self.context.source.prefetch(
            [Requirement(name=one.package.name) for one in chosen],
            self.target,
            lambda *_: None,
        )
        for one in chosen:
            package, file = one.package, one.file
            self.comparison.packages.add((package.name, package.version or ""))
            if not isinstance(file, _Address) or file.url is None:
                self.comparison.unverified[package.name] = "comes from no index"
                continue
            _, _, targets = self.comparison.files.setdefault(
                file.url, (package, file, [])
            )
            targets.append(self.target.name)
            if isinstance(file, PackageArchive):
                self.comparison.unverified[package.name] = "is a direct reference"
            else:
                self._listed(one, file, file.url)

    def _listed(
        self, chosen: Selected, file: PackageWheel | PackageSdist, url: str
    ) -> None:
        """Compare a file that an index lists."""
        package = chosen.package
        try:
            releases = self.context.source.releases(package.name, self.target)
        except ProjectNotFound as error:
            self._note(package, Kind.NO_PROJECT, found=", ".join(error.indexes))
            return
        locked_index = package.index
        if locked_index is not None and not _same_index(locked_index, releases):
            where = without_credentials(releases.index_url)
            self._note(package, Kind.INDEX, locked=locked_index, found=where)
        release = _release(releases, package)
        offered = None if release is None else _offered(release, file.filename)
        if release is None or offered is None:
            where = without_credentials(releases.index_url)
            self._note(package, Kind.REMOVED, file=file.filename, found=where)
            return
        self._addresses(package, file.filename, url, offered, releases)
        self._facts(package, file, offered)
        if chosen.variant_label is not None:
            self._variant(package, chosen.variant_label, release)

    def _addresses(
        self,
        package: Package,
        filename: str,
        url: str,
        offered: RemoteFile,
        releases: Releases,
    ) -> None:
        locked, found = _origin(url), _origin(offered.url)
        if locked == found:
            return
        host = urlsplit(url).hostname or ""
        known = [
            urlsplit(one).hostname or "" for one in (offered.url, releases.index_url)
        ]
        imitated = look_alike(host, known)
        if imitated is not None:
            self._note(
                package, Kind.LOOK_ALIKE, file=filename, locked=locked, found=imitated
            )
        else:
            self._note(package, Kind.HOST, file=filename, locked=locked, found=found)

    def _facts(
        self, package: Package, file: PackageWheel | PackageSdist, offered: RemoteFile
    ) -> None:
        """Compare hash, size and yank; a hash that the index lacks is computed."""
        filename = file.filename
        common = [name for name in file.hashes if name in offered.hashes]
        if not common:
            offered = self.context.with_hash(offered)
            common = ["sha256"] if "sha256" in file.hashes else []
        for algorithm in common:
            locked = file.hashes[algorithm].lower()
            found = offered.hashes[algorithm].lower()
            if locked != found:
                self._note(
                    package,
                    Kind.HASH,
                    file=filename,
                    locked=f"{algorithm}:{locked}",
                    found=f"{algorithm}:{found}",
                )
        if None not in {file.size, offered.size} and file.size != offered.size:
            self._note(
                package,
                Kind.SIZE,
                file=filename,
                locked=str(file.size),
                found=str(offered.size),
            )
        if offered.yanked is not None:
            version = str(Version(package.version or "0"))
            self._note(
                package,
                Kind.YANKED,
                file=filename,
                found=offered.yanked or "no reason given",
                expected=(package.name, version) in self.comparison.pinned,
            )

    def _variant(self, package: Package, label: str, release: Release) -> None:
        """Compare the properties of a label; they decide who may install the wheel."""
        locked = VariantMetadata.from_document(package.variants_json or {})
        now = self.context.source.variant_metadata(release)
        if isinstance(now, Unusable):
            found = f"nothing usable: {clause(now.reason)}"
        elif label not in now.variants:
            found = "nothing of it"
        elif now.variants[label] == locked.variants.get(label):
            return
        else:
            found = _properties(now, label)
        self._note(
            package,
            Kind.VARIANTS,
            file=label,
            locked=_properties(locked, label),
            found=found,
        )

    def _note(
        self,
        package: Package,
        kind: Kind,
        **facts: Any,  # noqa: ANN401 - fields of a Disagreement
    ) -> None:
        disagreement = Disagreement(
            name=package.name, version=package.version or "", kind=kind, **facts
        )
        self.comparison.note(disagreement, self.target.name)


def _compare_contents(context: IndexContext, comparison: _Comparison) -> None:
    """Fetch every file and compare its bytes, several at a time; nothing is kept."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 8 ms

    secrets = urls_with_credentials(context.inputs)

    def content(url: str) -> str:
        _, file, _ = comparison.files[url]
        return _content(context, secrets.get(url, url), file)

    urls = sorted(comparison.files)
    with ThreadPoolExecutor(context.settings.threads) as pool:
        for url, found in zip(urls, pool.map(content, urls), strict=True):
            package, file, targets = comparison.files[url]
            if isinstance(file, PackageArchive):
                comparison.unverified.pop(package.name, None)
            locked = ":".join(strongest(file.hashes) or ("", ""))
            if found != locked:
                disagreement = Disagreement(
                    name=package.name,
                    version=package.version or "",
                    kind=Kind.CONTENT,
                    file=filename_of(file),
                    locked=locked,
                    found=found,
                )
                for target in targets:
                    comparison.note(disagreement, target)


def _content(context: IndexContext, url: str, file: _Address) -> str:
    """Return the hash of what a URL gives, or what is wrong with it, in words."""
    algorithm, _ = strongest(file.hashes) or ("sha256", "")

    def consume(answer: Streaming) -> str:
        if answer.status != HTTPStatus.OK:
            return f"status {answer.status}"
        digest = hashlib.new(algorithm)
        size = 0
        for chunk in answer.chunks:
            digest.update(chunk)
            size += len(chunk)
            if file.size is not None and size > file.size:
                return f"more than {file.size} bytes"
        return f"{algorithm}:{digest.hexdigest()}"

    # Uncompressed, so that the bytes are those of the file.
    headers = {"accept-encoding": "identity"}
    return context.client.stream(url, consume, headers=headers)


def _same_index(locked: str, releases: Releases) -> bool:
    found = without_credentials(releases.index_url)
    return locked.rstrip("/") == found.rstrip("/")


def _release(releases: Releases, package: Package) -> Release | None:
    """Return the release of a package's version, in any spelling of it (PEP 440)."""
    wanted = Version(package.version or "0")
    for position, text in enumerate(releases.versions):
        if Version(text) == wanted:
            return releases.release(position)
    return None


def _offered(release: Release, filename: str) -> RemoteFile | None:
    files = (*release.wheels, *([release.sdist] if release.sdist else []))
    return next((file for file in files if file.filename == filename), None)


def _origin(url: str) -> str:
    """Return scheme, host and port: where a file comes from, whatever its path."""
    parts = urlsplit(without_credentials(url))
    return f"{parts.scheme}://{parts.netloc}"


def _properties(metadata: VariantMetadata, label: str) -> str:
    """Return the properties of a label as text, empty where there is none."""
    return (
        ", ".join(
            f"{namespace} :: {feature} :: {value}"
            for namespace, features in sorted(metadata.variants.get(label, {}).items())
            for feature, values in sorted(features.items())
            for value in values
        )
        or "no properties"
    )
