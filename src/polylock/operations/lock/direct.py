"""Direct sources as releases, so that the solver needs no knowledge of them.

A project with a direct source for a target has one version there, with one file. All
other requests go to the indexes.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, assert_never
from urllib.parse import unquote, urlsplit

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from polylock.build.policy import refused_metadata, require_allowed
from polylock.cache.regular_files import file_digest, read_regular
from polylock.errors import FileCorrupt, HashMismatch, SourceUnusable
from polylock.index.distribution_file import InvalidDistribution, read_distribution
from polylock.index.sdist_metadata import is_static
from polylock.lockfile.record import without_credentials
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.direct import (
    ArchiveSource,
    DirectorySource,
    DirectSource,
    GitSource,
    InvalidDirectSource,
)
from polylock.model.distributions import (
    DirectOrigin,
    Release,
    Releases,
    RemoteFile,
    Unusable,
)
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.hashes import sha256_of
from polylock.model.reasons import DirectSourceNamed, Refusal
from polylock.model.source_choice import direct_source
from polylock.operations.builds.trees import SourceTrees
from polylock.project.direct_sources import relative_path
from polylock.values import Mutable, Value, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from polylock.lockfile.pylock import Pylock
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.operations.builds.sdists import SourceTree
    from polylock.operations.builds.wiring import IndexContext
    from polylock.ports import Guess, PackageSource
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["DirectReleases", "LockedSources"]


class LockedSources(Value, frozen=True, kw_only=True):
    """The commits and hashes of direct sources in the previous lock file.

    ``commits`` maps location, revision and subdirectory to a commit, ``hashes`` a URL
    to its SHA-256; each key begins with the name of the project.
    """

    commits: Mapping[tuple[str | None, ...], str] = field(default_factory=dict)
    hashes: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, previous: Pylock | None, upgraded: Iterable[str]) -> LockedSources:
        """Return those of a lock file, without the projects to be upgraded."""
        commits: dict[tuple[str | None, ...], str] = {}
        hashes: dict[tuple[str, str], str] = {}
        gone = frozenset(upgraded)
        for package in () if previous is None else previous.packages:
            if package.name in gone:
                continue
            if (vcs := package.vcs) is not None:
                place = vcs.url or vcs.path
                key = (package.name, place, vcs.requested_revision, vcs.subdirectory)
                commits[key] = vcs.commit_id
            archive = package.archive
            sha256 = None if archive is None else sha256_of(archive.hashes)
            if archive is not None and archive.url and sha256:
                hashes[package.name, archive.url] = sha256
        return cls(commits=commits, hashes=hashes)


class _DirectRelease(Value, frozen=True):
    """The one release of a direct source, its metadata, and that of a variant wheel."""

    releases: Releases
    metadata: CoreMetadata
    variants: VariantMetadata | Unusable | None = None


class DirectReleases(Mutable, kw_only=True):
    """Implements PackageSource with direct sources, and the indexes for other projects.

    ``project`` is the directory of the project file, ``lock`` that of the lock file.
    """

    context: IndexContext
    indexes: PackageSource
    project: Path
    lock: Path
    kept: LockedSources = field(default_factory=LockedSources)
    _found: dict[tuple[str, DirectSource], _DirectRelease] = field(default_factory=dict)

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the one version of a direct source, else the releases on the indexes.

        Also raises SourceUnusable, BuildFailed and BuildForbidden.
        """
        try:
            source = direct_source(self.context.inputs, name, target)
        except InvalidDirectSource as error:
            raise SourceUnusable(f"target {target.name}", str(error)) from error
        if source is None:
            return self.indexes.releases(name, target)
        found = self._found.get((name, source))
        if found is None:
            found = self._found[name, source] = self._find(name, source, target)
        return found.releases

    def variant_metadata(
        self, release: Release, target: Target
    ) -> VariantMetadata | Unusable:
        """Return the ``variant.json`` of a direct source, else ask the indexes."""
        if release.direct is None:
            return self.indexes.variant_metadata(release, target)
        found = self._found.get((release.name, release.direct.source))
        if found is None or found.variants is None:
            return Unusable(DirectSourceNamed())
        return found.variants

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the metadata of a direct source, else ask the indexes."""
        if release.direct is None:
            return self.indexes.core_metadata(release, file)
        return self._found[release.name, release.direct.source].metadata

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        """Ask the indexes; a direct source is never refused."""
        return None if release.direct else self.indexes.refusal(release, file)

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Let the indexes prefetch; they skip direct sources."""
        self.indexes.prefetch(requirements, target, guess)

    def _find(
        self, name: NormalizedName, source: DirectSource, target: Target
    ) -> _DirectRelease:
        match source:
            case ArchiveSource():
                return self._archive(name, source, target)
            case DirectorySource():
                return self._directory(name, source)
            case GitSource():
                return self._git(name, source)
            case _:
                assert_never(source)

    def _archive(
        self, name: NormalizedName, source: ArchiveSource, target: Target
    ) -> _DirectRelease:
        file, path = self._file(name, source)
        origin = DirectOrigin(source=source, path=self._lock_path(source.path))
        if not file.filename.endswith(".whl"):
            tree = SourceTrees(context=self.context).archive(
                name,
                file.filename,
                file.hashes["sha256"],
                lambda: path,
                subdirectory=source.subdirectory,
            )
            is_local = source.url is None
            metadata, _ = self._metadata(tree, source, is_local=is_local)
            return _release(name, origin, metadata, file)
        metadata, variants = self._wheel_metadata(name, source, (file, path), target)
        return replace(_release(name, origin, metadata, file), variants=variants)

    def _file(
        self, name: NormalizedName, source: ArchiveSource
    ) -> tuple[RemoteFile, Path]:
        """Return the file with its hash and size, and its path on disk."""
        if source.url is None:
            path = self.project / (source.path or "")
            sha256, size = _measure(name, path)
            if source.sha256 not in {None, sha256}:
                raise SourceUnusable(f"{name} @ {source}", f"its sha256 is {sha256}")
            url = f"file:{source.path}"
        else:
            url = without_credentials(source.url)
            wanted = source.sha256 or self.kept.hashes.get((name, url))
            hashes = {"sha256": wanted} if wanted else {}
            remote = RemoteFile(_last(source.url), source.url, hashes)
            try:
                fetched = self.context.downloader.fetch(remote)
            except HashMismatch as error:
                raise error.as_stated_by(
                    "project file" if source.sha256 else "lock file"
                ) from error
            path, sha256, size = fetched.path, fetched.sha256, fetched.size
        if source.checksum is not None:
            _compare(path, _last(url), source.checksum)
        file = RemoteFile(
            filename=_last(url), url=url, hashes={"sha256": sha256}, size=size
        )
        return file, path

    def _wheel_metadata(
        self,
        name: NormalizedName,
        source: ArchiveSource,
        found_at: tuple[RemoteFile, Path],
        target: Target,
    ) -> tuple[CoreMetadata, VariantMetadata | Unusable | None]:
        """Return the metadata of a wheel, and that of its label if it has one.

        PEP 825, "Installing a specific local wheel": "3. Read the variant metadata from
        *.dist-info/variant.json inside the wheel file." Whether the label fits is
        decided like that of any other wheel.
        """
        file, path = found_at
        try:
            parsed = WheelFilename.parse(file.filename)
        except InvalidFilename as error:
            raise SourceUnusable(_text(name, source), str(error)) from error
        if source.url is None:
            try:
                read = read_distribution(path)
                return CoreMetadata.parse(read.metadata or b""), read.variant
            except (InvalidDistribution, InvalidCoreMetadata) as error:
                raise SourceUnusable(_text(name, source), str(error)) from error
        release = Release(
            name=parsed.name, version=parsed.version, index=file.url, wheels=(file,)
        )
        found = self.indexes.core_metadata(release, file)
        if isinstance(found, Unusable):
            raise SourceUnusable(_text(name, source), _words(found.reason))
        if parsed.variant_label is None:
            return found, None
        return found, self.indexes.variant_metadata(release, target)

    def _directory(
        self, name: NormalizedName, source: DirectorySource
    ) -> _DirectRelease:
        trees = SourceTrees(context=self.context)
        path = self.project / source.path
        tree = trees.directory(name, path, subdirectory=source.subdirectory)
        metadata, _ = self._metadata(tree, source)
        path_of_lock = self._lock_path(source.path)
        origin = DirectOrigin(source=source, path=path_of_lock, is_stable=False)
        return _release(name, origin, metadata, _tree_file(name, source))

    def _git(self, name: NormalizedName, source: GitSource) -> _DirectRelease:
        trees = SourceTrees(context=self.context)
        location = source.url or str((self.project / (source.path or "")).resolve())
        path = self._lock_path(source.path)
        place = path if source.url is None else without_credentials(source.url)
        key = (name, place, source.revision, source.subdirectory)
        commit = self.kept.commits.get(key)
        if commit is None:
            repositories = trees.repositories
            commit = repositories.commit(location, source.kind, source.revision)
        tree = trees.commit(name, location, commit, subdirectory=source.subdirectory)
        metadata, is_stated = self._metadata(tree, source)
        origin = DirectOrigin(
            source=source, path=path, commit=commit, is_stable=is_stated
        )
        return _release(name, origin, metadata, _tree_file(name, source))

    def _metadata(
        self, tree: SourceTree, source: DirectSource, *, is_local: bool = True
    ) -> tuple[CoreMetadata, bool]:
        """Return the metadata of a tree, and whether it is static.

        ``build = "local"`` allows the backends of paths and version control.
        """
        from polylock.build.tree import static_metadata  # noqa: PLC0415 - only here

        stated = self.context.inputs.builds.stated(tree.name)
        if stated is not None and stated.version is not None:
            return stated.core_metadata(stated.version), True
        with tree.opened() as path:
            found = _package_information(path) or static_metadata(path)
        if found is not None:
            _check_name(found, tree.name, source)
            return found, True
        inputs = self.context.inputs
        require_allowed(inputs, tree.name, None)
        refused = None if is_local else refused_metadata(inputs, tree.name)
        if refused is not None:
            raise SourceUnusable(_text(tree.name, source), _words(refused.reason))
        built = self.context.metadata_builds.tree_metadata(tree)
        _check_name(built, tree.name, source)
        return built, False

    def _lock_path(self, path: str | None) -> str | None:
        """Return a path of the project file relative to the lock file."""
        if path is None:
            return None
        try:
            return relative_path(self.project / path, self.lock)
        except ValueError as error:
            raise SourceUnusable(
                path,
                "is on another drive than the lock file, which holds no absolute path",
            ) from error


def _release(
    name: NormalizedName,
    origin: DirectOrigin,
    metadata: CoreMetadata,
    file: RemoteFile,
) -> _DirectRelease:
    _check_name(metadata, name, origin.source)
    try:
        version = Version(metadata.version)
    except ValueError as error:
        raise SourceUnusable(_text(name, origin.source), str(error)) from error
    is_wheel = file.filename.endswith(".whl")
    release = Release(
        name=name,
        version=str(version),
        index="",
        wheels=(file,) if is_wheel else (),
        sdist=None if is_wheel else file,
        direct=origin,
    )
    releases = Releases(
        name=name,
        index="",
        index_url=_text(name, origin.source),
        versions=(str(version),),
        # The project requires this version, so it may be a pre-release.
        finals=1,
        yanked=0,
        earliest_upload=(None,),
        load=lambda _: release,
    )
    return _DirectRelease(releases, metadata)


def _tree_file(name: NormalizedName, source: DirectSource) -> RemoteFile:
    text = _text(name, source)
    return RemoteFile(filename=text, url=text)


def _text(name: NormalizedName, source: DirectSource) -> str:
    """Return a source for messages, without credentials."""
    if isinstance(source, ArchiveSource | GitSource) and source.url is not None:
        source = replace(source, url=without_credentials(source.url))
    return f"{name} @ {source}"


def _check_name(
    metadata: CoreMetadata, name: NormalizedName, source: DirectSource
) -> None:
    if canonicalize_name(metadata.name) != name:
        raise SourceUnusable(
            _text(name, source), f"it is the project {metadata.name}, not {name}"
        )


def _package_information(tree: Path) -> CoreMetadata | None:
    """Return the PKG-INFO of an unpacked source distribution, if it is static."""
    try:
        metadata = CoreMetadata.parse(read_regular(tree / "PKG-INFO"))
    except (OSError, InvalidCoreMetadata):
        return None
    return metadata if is_static(metadata) else None


def _measure(name: NormalizedName, path: Path) -> tuple[str, int]:
    try:
        return file_digest(path), path.stat().st_size
    except OSError as error:
        problem = error.strerror or str(error)
        raise SourceUnusable(f"{name} @ {path}", problem) from error


def _compare(path: Path, filename: str, checksum: str) -> None:
    """Compare a file with a hash that is no SHA-256; raises HashMismatch.

    MD5 and SHA-1 show damage alone, so what is locked is the SHA-256.
    """
    from hashlib import file_digest, new  # noqa: PLC0415 - rarely needed

    algorithm, _, wanted = checksum.partition("=")
    with path.open("rb") as content:
        found = file_digest(content, lambda: new(algorithm, usedforsecurity=False))
    if found.hexdigest() != wanted:
        raise HashMismatch(
            filename, f"{algorithm}:{wanted}", f"{algorithm}:{found.hexdigest()}"
        ).as_stated_by("project file")


def _last(url: str) -> str:
    found = PurePosixPath(unquote(urlsplit(url).path)).name
    if not found:
        raise FileCorrupt(url, "names no file")
    return found


def _words(reason: Refusal) -> str:
    from polylock.explain.words import clause  # noqa: PLC0415 - for errors alone

    return clause(reason)
