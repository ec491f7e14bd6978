"""``polylock verify``: compare the locked files with the current indexes.

The indexes are those of the project file, never of the lock file: an attacker who could
change a hash there could also name a matching index.
"""

from __future__ import annotations

import enum
import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from polylock.cache.store import Bucket
from polylock.errors import (
    FileCorrupt,
    IndexRequestError,
    ProjectNotFound,
    UsageError,
)
from polylock.explain.words import clause
from polylock.lockfile.pylock import (
    Package,
    PackageArchive,
    PackageSdist,
    PackageWheel,
    Pylock,
)
from polylock.lockfile.record import (
    locked_target,
    requirement_text,
    without_credentials,
)
from polylock.lockfile.select import select
from polylock.lockfile.vouching import Choice, choices, of_target, roots_of_choice
from polylock.model.distributions import Release, Releases, RemoteFile, Unusable
from polylock.model.filenames import WheelFilename
from polylock.model.folding import fold
from polylock.model.hashes import strongest
from polylock.model.hosts import look_alike
from polylock.model.reasons import NeedsBuild
from polylock.model.requirements import Requirement
from polylock.operations.builds.locked_files import filename_of
from polylock.operations.builds.trees import urls_with_credentials
from polylock.operations.builds.wiring import IndexContext
from polylock.operations.chosen import every_group
from polylock.operations.inspect.selection import (
    open_lock,
    require_record,
    selections,
)
from polylock.operations.workspace import open_workspace
from polylock.values import Mutable, Value, field, replace
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from polylock.lockfile.select import Selected
    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.inputs import Inputs
    from polylock.model.target import Target
    from polylock.network.answers import Streaming
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["DisagreementKind", "VerifyOutcome", "verify"]


class DisagreementKind(enum.StrEnum):
    """The kinds of disagreement between a lock file and an index."""

    NO_PROJECT = "no-project"
    REMOVED = "removed"
    YANKED = "yanked"
    HASH = "hash"
    SIZE = "size"
    HOST = "host"
    LOOK_ALIKE = "look-alike"
    INDEX = "index"
    VARIANTS = "variants"
    CONTENT = "content"
    OFFERED = "offered-metadata"
    SDIST = "sdist"
    METADATA = "metadata"
    REQUIREMENT = "requirement"
    UNREQUIRED = "unrequired"
    UNSELECTED = "unselected"


_SENTENCES = {
    DisagreementKind.NO_PROJECT: "{found} no longer has a project of this name",
    DisagreementKind.REMOVED: "{file} is not on {found}",
    DisagreementKind.YANKED: "{file} was yanked: {found}",
    DisagreementKind.HASH: "{file} is locked with {locked}, the index has {found}",
    DisagreementKind.SIZE: (
        "{file} is locked with {locked} bytes, the index has {found}"
    ),
    DisagreementKind.HOST: "{file} is locked from {locked}, the index has {found}",
    DisagreementKind.LOOK_ALIKE: (
        "{file} is locked from {locked}, which looks like {found} and is not: "
        "do not install it"
    ),
    DisagreementKind.INDEX: (
        "is locked from the index {locked}, the project uses {found}"
    ),
    DisagreementKind.VARIANTS: (
        "variant {file} is locked with {locked}, the index has {found}"
    ),
    DisagreementKind.CONTENT: (
        "{file} is locked with {locked}, the download has {found}"
    ),
    DisagreementKind.OFFERED: (
        "{file} is on the index with {locked}, the metadata in it has {found}"
    ),
    DisagreementKind.SDIST: (
        "{file} would be built, though the index has a wheel for it: {found}"
    ),
    DisagreementKind.METADATA: "{file} has no usable metadata: {found}",
    DisagreementKind.REQUIREMENT: "{file} requires {found}, the lock has {locked}",
    DisagreementKind.UNREQUIRED: "is locked, and no locked package requires it",
    DisagreementKind.UNSELECTED: (
        "{file} is locked and no target installs it, but other installers may"
    ),
}


class Disagreement(Value, frozen=True, kw_only=True, order=True):
    """A disagreement between the lock file and an index; ``targets`` are affected.

    ``file`` is a file name, for VARIANTS a label, and empty for a whole project.
    ``expected`` means that the project requires it: a yanked release that it pins with
    ``==`` (PEP 592).
    """

    name: NormalizedName
    version: str
    kind: DisagreementKind
    file: str = ""
    locked: str = ""
    found: str = ""
    targets: tuple[str, ...] = ()
    expected: bool = False

    def __str__(self) -> str:
        text = _SENTENCES[self.kind].format(
            file=self.file, locked=self.locked, found=self.found
        )
        return f"{self.name} {self.version}".rstrip() + f": {text}"


class VerifyOutcome(Value, frozen=True, kw_only=True):
    """The number of compared packages and files, and each disagreement.

    ``unverified`` has the packages of which something was not compared, with the
    reason.
    """

    path: Path
    packages: int
    files: int
    disagreements: tuple[Disagreement, ...]
    unverified: tuple[tuple[str, str], ...] = ()

    @property
    def agrees(self) -> bool:
        """Return True if all disagreements are expected."""
        return all(found.expected for found in self.disagreements)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``verify --json`` (schemas/verify.schema.json)."""
        return {
            "path": str(self.path),
            "agrees": self.agrees,
            "packages": self.packages,
            "files": self.files,
            "disagreements": [
                {
                    "kind": str(found.kind),
                    "name": found.name,
                    "version": found.version,
                    "file": found.file or None,
                    "locked": found.locked or None,
                    "found": found.found or None,
                    "targets": list(found.targets),
                    "expected": found.expected,
                    "text": str(found),
                }
                for found in self.disagreements
            ],
            "unverified": [
                {"name": name, "reason": reason} for name, reason in self.unverified
            ],
        }


_ALGORITHMS = frozenset(
    name for name in hashlib.algorithms_guaranteed if not name.startswith("shake")
)
"""The hash algorithms of fixed length by which content is compared."""

_Address = PackageWheel | PackageSdist | PackageArchive


def verify(settings: Settings, reporter: Reporter, *, download: bool) -> VerifyOutcome:
    """Compare each locked file with the current page of its index.

    Pages are revalidated, whatever the cache has. With ``download`` each file is
    fetched and its bytes are compared; without it the hashes of the index are trusted.
    Raises UsageError when offline, and the errors of index requests: an index that
    cannot be reached verifies nothing.
    """
    if settings.offline:
        raise UsageError("verify asks the indexes, and --offline forbids that")
    pylock, path = open_lock(settings)
    require_record(pylock, path, "verify compares the lock files of `polylock lock`")
    project = open_workspace(settings).as_locked(pylock).project
    inputs = project.inputs
    comparison = _Comparison(pinned=frozenset(_pinned_exactly(inputs)))
    asking = replace(settings, refresh=True)
    with IndexContext(asking, inputs, reporter, builds=False) as context:
        for selection in selections(
            pylock,
            path,
            target=settings.target,
            chosen=every_group(pylock),
        ):
            _Target(
                context=context,
                comparison=comparison,
                target=selection.target,
                project=canonicalize_name(project.name or ""),
                pylock=pylock,
            ).compare(selection.selected)
        if settings.target is None:
            _compare_selected(pylock, path, comparison, inputs)
        if download:
            _compare_contents(context, comparison)
    return comparison.outcome(path)


def _compare_selected(
    pylock: Pylock, path: Path, comparison: _Comparison, inputs: Inputs
) -> None:
    """Note the files that no target installs for any choice of groups and extras.

    `lock` writes none: they were added to the lock file.
    """
    chosen: set[int] = set()
    for record in pylock.polylock.targets if pylock.polylock else ():
        target = locked_target(record)
        for choice in choices(pylock, inputs):
            for one in select(
                pylock,
                target,
                groups=choice.groups,
                extras=choice.extras,
                path=str(path),
                open_holds=True,
            ):
                chosen.add(id(one.file))
    for package in pylock.packages:
        for file in (*package.wheels, package.sdist, package.archive):
            if file is None or id(file) in chosen:
                continue
            found = Disagreement(
                kind=DisagreementKind.UNSELECTED,
                name=package.name,
                version=package.version or "",
                file=filename_of(file),
            )
            comparison.found.setdefault(found, [])


def _pinned_exactly(inputs: Inputs) -> Iterator[tuple[NormalizedName, str]]:
    """Yield the versions that the project pins with ``==``, normalized."""
    of_project = (root.requirement for root in inputs.requirements)
    for requirement in (*of_project, *inputs.constraints, *inputs.overrides):
        for specifier in SpecifierSet(requirement.specifier):
            if specifier.operator == "==" and not specifier.version.endswith(".*"):
                name = requirement.normalized_name
                yield name, str(Version(specifier.version))


class _Comparison(Mutable, kw_only=True):
    """The results so far, over all targets."""

    pinned: frozenset[tuple[NormalizedName, str]]
    packages: set[tuple[NormalizedName, str]] = field(default_factory=set)
    files: dict[str, tuple[Package, _Address, list[str]]] = field(default_factory=dict)
    offered: dict[str, CoreMetadata] = field(default_factory=dict)
    """The metadata that the index offers beside a file, by the file's URL."""
    unverified: dict[str, str] = field(default_factory=dict)
    found: dict[Disagreement, list[str]] = field(default_factory=dict)

    def note(self, disagreement: Disagreement, target: str) -> None:
        """Add a disagreement that concerns a target."""
        targets = self.found.setdefault(disagreement, [])
        if target not in targets:
            targets.append(target)

    def outcome(self, path: Path) -> VerifyOutcome:
        """Return the outcome, with disagreements sorted by project."""
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


class _Target(Value, frozen=True, kw_only=True):
    """Compares the packages of one target with their indexes."""

    context: IndexContext
    comparison: _Comparison
    target: Target
    project: str
    pylock: Pylock
    metadata: dict[str, tuple[RemoteFile, CoreMetadata]] = field(default_factory=dict)

    def compare(self, selected: Iterable[Selected]) -> None:
        """Compare the packages of the target, after a prefetch of all pages."""
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
                self._compare_listed(one, file, file.url)
        self._requirements({one.package.name: one.package for one in chosen})

    def _compare_listed(
        self, chosen: Selected, file: PackageWheel | PackageSdist, url: str
    ) -> None:
        """Compare a file with its entry on the index page."""
        package = chosen.package
        try:
            releases = self.context.source.releases(package.name, self.target)
        except ProjectNotFound as error:
            self._note(
                package, DisagreementKind.NO_PROJECT, found=", ".join(error.indexes)
            )
            return
        release = _release(releases, package)
        # Several indexes may serve a project together.
        url_of_release = "" if release is None else release.index_url
        where = without_credentials(url_of_release or releases.index_url)
        locked_index = package.index
        if locked_index is not None and locked_index.rstrip("/") != where.rstrip("/"):
            self._note(
                package, DisagreementKind.INDEX, locked=locked_index, found=where
            )
        offered = None if release is None else _offered(release, file.filename)
        if release is None or offered is None:
            self._note(
                package, DisagreementKind.REMOVED, file=file.filename, found=where
            )
            return
        self._addresses(package, file.filename, url, offered, where)
        hashed = self._facts(package, file, offered)
        if chosen.variant_label is not None:
            self._variant(package, chosen.variant_label, release)
        if isinstance(file, PackageSdist):
            self._needless_build(package, file, release)
        if file.hashes.items() & hashed.hashes.items():
            self._read(package, release, offered, url)

    def _needless_build(
        self, package: Package, file: PackageSdist, release: Release
    ) -> None:
        """Report a source distribution if there is a wheel: a build runs its code."""
        if package.name in self.context.inputs.no_binary_packages:
            return
        for wheel in release.wheels:
            if wheel.yanked is None and self._fits(wheel):
                self._note(
                    package,
                    DisagreementKind.SDIST,
                    file=file.filename,
                    found=wheel.filename,
                )
                return

    def _fits(self, wheel: RemoteFile) -> bool:
        """Return True if a wheel could be locked for the target."""
        name = WheelFilename.parse(wheel.filename)
        until = self.context.inputs.cutoff_of(name.name)
        if name.variant_label is not None or self.target.tag_rank(name) is None:
            return False
        if until is not None and (
            wheel.upload_time is None or wheel.upload_time > until
        ):
            return False
        python = self.target.marker_environment.get("python_full_version", "")
        return (
            not wheel.requires_python
            or not python
            or python in SpecifierSet(wheel.requires_python)
        )

    def _read(
        self, package: Package, release: Release, offered: RemoteFile, url: str
    ) -> None:
        try:
            found = self.context.source.core_metadata(release, offered)
        except (IndexRequestError, FileCorrupt) as error:
            self._note(
                package,
                DisagreementKind.METADATA,
                file=offered.filename,
                found=str(error),
            )
            return
        if isinstance(found, Unusable) and isinstance(found.reason, NeedsBuild):
            self.comparison.unverified[package.name] = (
                "has requirements that are unknown without a build"
            )
        elif isinstance(found, Unusable):
            reason = clause(found.reason)
            self._note(
                package, DisagreementKind.METADATA, file=offered.filename, found=reason
            )
        else:
            self.metadata[package.name] = offered, found
            self.comparison.offered[url] = found

    def _requirements(self, packages: Mapping[NormalizedName, Package]) -> None:
        """Compare the requirements of the files with the lock, from the project down.

        The edges in the lock file are not trusted; they count only for packages whose
        metadata needs a build.
        """
        edges: dict[NormalizedName, tuple[NormalizedName, ...]] = {}

        def reached(choice: Choice | None) -> set[NormalizedName]:
            found: set[NormalizedName] = set()
            inputs = self.context.inputs
            pending = [
                canonicalize_name(name)
                for name in roots_of_choice(inputs, self.target, choice)
            ]
            while pending:
                name = pending.pop()
                if name in found or name not in packages:
                    continue
                found.add(name)
                if name not in edges:
                    edges[name] = tuple(self._required(packages[name], packages))
                pending += edges[name]
            return found

        everything = reached(None)
        for name, package in packages.items():
            if name not in everything:
                self._note(package, DisagreementKind.UNREQUIRED)
        for choice in choices(self.pylock, self.context.inputs):
            found = reached(choice)
            for package in of_target(self.pylock, self.target, choice):
                if package.name in everything - found:
                    self._note(package, DisagreementKind.UNREQUIRED)

    def _required(
        self, package: Package, packages: Mapping[NormalizedName, Package]
    ) -> Iterator[NormalizedName]:
        """Yield the names that a package may require; note unmet requirements."""
        if package.name not in self.metadata:
            for reference in package.dependencies or ():
                yield canonicalize_name(str(reference.get("name", "")))
            return
        file, metadata = self.metadata[package.name]
        overridden = {each.name for each in self.context.inputs.overrides}
        for requirement in metadata.requires_dist:
            holds = self._holds(requirement)
            if holds is False:
                continue
            name = requirement.normalized_name
            yield name
            if holds is True and requirement.name not in overridden:
                locked = packages.get(name)
                said = self._unmet(requirement, package, locked)
                if said is not None and name != self.project:
                    self._note(
                        package,
                        DisagreementKind.REQUIREMENT,
                        file=file.filename,
                        found=requirement_text(requirement),
                        locked=said,
                    )

    def _unmet(
        self, requirement: Requirement, package: Package, locked: Package | None
    ) -> str | None:
        """Return the locked version that does not meet a package's requirement, if any.

        A marker of the lock file must not leave out what is always required, for
        whatever groups and extras the package itself is always installed.
        """
        if locked is None:
            return "none"
        if not _is_met(requirement, locked):
            return str(locked.version)
        if any(
            self._is_always(package, choice) and not self._is_always(locked, choice)
            for choice in choices(self.pylock, self.context.inputs)
        ):
            return f"{locked.version} only where {locked.marker}"
        return None

    def _is_always(self, package: Package, choice: Choice) -> bool:
        """Return True if a choice installs an entry on every machine of the target."""
        if package.marker is None:
            return True
        marker = fold(
            package.marker,
            self.target,
            extras=choice.extras,
            groups=(canonicalize_name(self.target.name), *choice.groups),
        )
        return marker is True

    def _holds(self, requirement: Requirement) -> bool | None:
        """Return True if a requirement holds on the target; None if unknown.

        Extras and variant markers are not evaluated.
        """
        marker = requirement.marker_expression
        if marker is None:
            return True
        if "extra" in requirement.marker or "variant_" in requirement.marker:
            return None
        found = fold(marker, self.target)
        return found if isinstance(found, bool) else None

    def _addresses(
        self,
        package: Package,
        filename: str,
        url: str,
        offered: RemoteFile,
        index_url: str,
    ) -> None:
        locked, found = _origin(url), _origin(offered.url)
        if locked == found:
            return
        host = urlsplit(url).hostname or ""
        known = [urlsplit(one).hostname or "" for one in (offered.url, index_url)]
        imitated = look_alike(host, known)
        if imitated is not None:
            self._note(
                package,
                DisagreementKind.LOOK_ALIKE,
                file=filename,
                locked=locked,
                found=imitated,
            )
        else:
            self._note(
                package,
                DisagreementKind.HOST,
                file=filename,
                locked=locked,
                found=found,
            )

    def _facts(
        self, package: Package, file: PackageWheel | PackageSdist, offered: RemoteFile
    ) -> RemoteFile:
        """Compare hash, size and yank; without a common secure hash fetch the file.

        Returns the offered file with the hashes it was compared by.
        """
        filename = file.filename
        common = [name for name in file.hashes if name in offered.hashes]
        if strongest({name: file.hashes[name] for name in common}) is None:
            offered = self.context.with_hash(offered)
            common = [name for name in file.hashes if name in offered.hashes]
        if strongest({name: file.hashes[name] for name in common}) is None:
            # A weak hash is no more than none: `lock` writes SHA-256 for every file.
            self._note(
                package,
                DisagreementKind.HASH,
                file=filename,
                locked=":".join(strongest(file.hashes) or ("no", "secure hash")),
                found=":".join(strongest(offered.hashes) or ("no", "secure hash")),
            )
        for algorithm in common:
            locked = file.hashes[algorithm].lower()
            found = offered.hashes[algorithm].lower()
            if locked != found:
                self._note(
                    package,
                    DisagreementKind.HASH,
                    file=filename,
                    locked=f"{algorithm}:{locked}",
                    found=f"{algorithm}:{found}",
                )
        if None not in {file.size, offered.size} and file.size != offered.size:
            self._note(
                package,
                DisagreementKind.SIZE,
                file=filename,
                locked=str(file.size),
                found=str(offered.size),
            )
        if offered.yanked is not None:
            version = str(Version(package.version or "0"))
            self._note(
                package,
                DisagreementKind.YANKED,
                file=filename,
                found=offered.yanked or "no reason given",
                expected=(package.name, version) in self.comparison.pinned,
            )
        return offered

    def _variant(self, package: Package, label: str, release: Release) -> None:
        """Compare the properties of a label, which decide who may install the wheel."""
        locked = VariantMetadata.from_document(package.variants_json or {})
        now = self.context.source.variant_metadata(release, self.target)
        if isinstance(now, Unusable):
            found = f"no usable metadata: {clause(now.reason)}"
        elif label not in now.variants:
            found = "no such label"
        elif now.properties(label) == locked.properties(label):
            return
        else:
            found = _properties(now, label)
        self._note(
            package,
            DisagreementKind.VARIANTS,
            file=label,
            locked=_properties(locked, label),
            found=found,
        )

    def _note(
        self,
        package: Package,
        kind: DisagreementKind,
        **facts: Any,  # noqa: ANN401 - fields of a Disagreement
    ) -> None:
        disagreement = Disagreement(
            name=package.name, version=package.version or "", kind=kind, **facts
        )
        self.comparison.note(disagreement, self.target.name)


def _is_met(requirement: Requirement, package: Package | None) -> bool:
    """Return True if a locked package meets a requirement; a tree always does."""
    if package is None:
        return False
    if package.version is None or requirement.url is not None:
        return True
    return SpecifierSet(requirement.specifier).contains(
        package.version, prereleases=True
    )


class _Difference(NamedTuple):
    """A difference between a file and its lock entry or its metadata file."""

    kind: DisagreementKind
    locked: str
    found: str


def _compare_contents(context: IndexContext, comparison: _Comparison) -> None:
    """Fetch every file, several at a time, and compare its bytes; caches nothing."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 8 ms

    secrets = urls_with_credentials(context.inputs)

    def content(url: str) -> Sequence[_Difference]:
        _, file, _ = comparison.files[url]
        offered = comparison.offered.get(url)
        return _compare_content(context, secrets.get(url, url), file, offered)

    urls = sorted(comparison.files)
    with ThreadPoolExecutor(context.settings.threads) as pool:
        for url, found in zip(urls, pool.map(content, urls), strict=True):
            package, file, targets = comparison.files[url]
            if isinstance(file, PackageArchive):
                comparison.unverified.pop(package.name, None)
            for kind, locked, now in found:
                disagreement = Disagreement(
                    name=package.name,
                    version=package.version or "",
                    kind=kind,
                    file=filename_of(file),
                    locked=locked,
                    found=now,
                )
                for target in targets:
                    comparison.note(disagreement, target)


def _compare_content(
    context: IndexContext, url: str, file: _Address, offered: CoreMetadata | None
) -> Sequence[_Difference]:
    """Return the differences of the content of a URL from the lock and the index.

    Every hash in the lock file counts, weak ones too. A file is kept on disk while its
    metadata is compared with what was read before: beside a wheel (PEP 658), or from a
    part of it, which no hash vouches for.
    """
    algorithms = [name for name in file.hashes if name in _ALGORITHMS]
    if strongest(file.hashes) is None:
        algorithms.append("sha256")

    def consume(answer: Streaming) -> str | dict[str, str]:
        if answer.status != HTTPStatus.OK:
            return f"status {answer.status}"
        digests = {
            name: hashlib.new(name, usedforsecurity=False) for name in algorithms
        }
        size = 0
        for chunk in answer.chunks:
            for digest in digests.values():
                digest.update(chunk)
            if offered is not None:
                copy.write(chunk)
            size += len(chunk)
            if file.size is not None and size > file.size:
                return f"more than {file.size} bytes"
        return {name: digest.hexdigest() for name, digest in digests.items()}

    # Without compression, so that the bytes are those of the file.
    headers = {"accept-encoding": "identity"}
    downloads = context.store.root / Bucket.DOWNLOADS.directory
    with context.store.temporary_directory(downloads) as directory:
        path = directory / "file"
        with path.open("wb") as copy:
            found = context.client.stream(url, consume, headers=headers)
        if isinstance(found, str):
            locked = ":".join(strongest(file.hashes) or ("no", "secure hash"))
            return [_Difference(DisagreementKind.CONTENT, locked, found)]
        differences = list(_other_hashes(file, found))
        if offered is not None and not differences:
            differences += _other_metadata(path, filename_of(file), offered)
        return differences


def _other_hashes(file: _Address, found: Mapping[str, str]) -> Iterator[_Difference]:
    """Yield the hashes that differ, and the true one if no secure one is locked."""
    for algorithm, value in found.items():
        locked = file.hashes.get(algorithm)
        if locked is None or locked.lower() != value:
            yield _Difference(
                DisagreementKind.CONTENT,
                "no secure hash" if locked is None else f"{algorithm}:{locked}",
                f"{algorithm}:{value}",
            )


def _other_metadata(
    path: Path, filename: str, offered: CoreMetadata
) -> Iterator[_Difference]:
    """Yield the fields in which the metadata of a file is not what the index offers."""
    # Only with --download.
    from polylock.index.metadata_files import dist_info  # noqa: PLC0415
    from polylock.index.remote_zip import LocalZip  # noqa: PLC0415
    from polylock.index.sdist_metadata import read_pkg_info  # noqa: PLC0415
    from polylock.model.archive_checks import RefusedArchive  # noqa: PLC0415
    from polylock.model.core_metadata import CoreMetadata  # noqa: PLC0415

    try:
        if filename.endswith(".whl"):
            with LocalZip(path, filename) as archive:
                content = dist_info(archive, filename, ("METADATA",))["METADATA"]
        else:
            content = read_pkg_info(path, filename)
        metadata = CoreMetadata.parse(content)
    except FileCorrupt as error:
        yield _Difference(DisagreementKind.OFFERED, "metadata", error.problem)
        return
    except (RefusedArchive, ValueError) as error:
        yield _Difference(DisagreementKind.OFFERED, "metadata", str(error))
        return
    before, after = _fields(offered), _fields(metadata)
    for key, values in before.items():
        now = after[key]
        if values != now:
            yield _Difference(
                DisagreementKind.OFFERED,
                _listed(key, values - now),
                _listed(key, now - values),
            )


def _listed(key: str, values: frozenset[str]) -> str:
    """Return a field with the values that only one side has."""
    return f"{key}: {', '.join(sorted(values))}" if values else f"no such {key}"


def _fields(metadata: CoreMetadata) -> dict[str, frozenset[str]]:
    """Return the fields that decide what is locked, each as texts to compare."""
    requires_python = metadata.requires_python
    return {
        "Name": frozenset({canonicalize_name(metadata.name)}),
        "Version": frozenset({str(Version(metadata.version))}),
        "Requires-Python": frozenset({requires_python} if requires_python else ()),
        "Requires-Dist": frozenset(map(requirement_text, metadata.requires_dist)),
        "Provides-Extra": frozenset(metadata.provides_extra),
    }


def _release(releases: Releases, package: Package) -> Release | None:
    """Return the release of a package's version, in any spelling (PEP 440)."""
    wanted = Version(package.version or "0")
    for position, text in enumerate(releases.versions):
        if Version(text) == wanted:
            return releases.release(position)
    return None


def _offered(release: Release, filename: str) -> RemoteFile | None:
    files = (*release.wheels, *([release.sdist] if release.sdist else []))
    return next((file for file in files if file.filename == filename), None)


def _origin(url: str) -> str:
    """Return the origin of a URL: scheme, host and port, without credentials."""
    parts = urlsplit(without_credentials(url))
    return f"{parts.scheme}://{parts.netloc}"


def _properties(metadata: VariantMetadata, label: str) -> str:
    """Return the properties of a label as text."""
    return (
        ", ".join(
            f"{namespace} :: {feature} :: {value}"
            for namespace, features in sorted(metadata.variants.get(label, {}).items())
            for feature, values in sorted(features.items())
            for value in values
        )
        or "no properties"
    )
