"""Build locked source distributions, and cache the results.

The cache key of a wheel is the SHA-256 of its source distribution and of what its build
sees, with the Python and the system it was built for; that of metadata lacks these two.
So a second sync or
lock builds nothing. There is no process lock: two processes may build the same, and
the last result is kept.
"""

from __future__ import annotations

import logging
import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeVar

import msgspec

from polylock.cache.archives import Archives
from polylock.cache.regular_files import file_digest
from polylock.cache.store import Bucket
from polylock.errors import BuildFailed, CacheUnusable, FileCorrupt
from polylock.model.core_metadata import CoreMetadata
from polylock.model.filenames import InvalidFilename, SdistFilename
from polylock.model.hashes import sha256_of
from polylock.operations.builds.build_inputs import BuildInputs, LockedSet
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.build.isolation import IsolatedBuilder
    from polylock.environment.interpreter import Interpreter
    from polylock.model.distributions import RemoteFile
    from polylock.operations.context import Context
    from polylock.ports import Provisioner

__all__ = [
    "BuiltWheel",
    "LocalSdist",
    "SdistBuilds",
    "SourceTree",
]

logger = logging.getLogger(__name__)

T = TypeVar("T")


class LocalSdist(Value, frozen=True, kw_only=True):
    """A verified source distribution on disk; ``path`` may have any name."""

    path: Path
    filename: str
    sha256: str


class SourceTree(Value, frozen=True, kw_only=True):
    """A source tree of a direct source, fetched only to be built.

    ``key`` is 64 hexadecimal digits that identify its content and the form in which it
    is installed. ``opened`` is a context manager that yields the directory.
    ``is_fixed`` means that the backend sees nothing beyond what ``key`` identifies.
    """

    name: NormalizedName
    version: str | None
    key: str
    opened: Callable[[], AbstractContextManager[Path]]
    editable: bool = False
    is_fixed: bool = False


class BuiltWheel(msgspec.Struct, frozen=True, array_like=True):
    """A wheel that was built: its file name, and its SHA-256, its key in the cache."""

    filename: str
    sha256: str


class _BuiltMetadata(msgspec.Struct, frozen=True, array_like=True):
    metadata: CoreMetadata


class SdistBuilds(Value, frozen=True, kw_only=True):
    """Builds for one Python; thread-safe.

    ``chain`` are the projects being built, each a build requirement of the one before.
    ``provisioner`` returns the Provisioner of a build, given the builder for it and
    what it sees: a build may need a solve, and that solve a build. ``locked`` is what
    is locked for the target, None while it is being locked.
    """

    context: Context
    interpreter: Interpreter
    provisioner: Callable[[SdistBuilds, BuildInputs], Provisioner]
    locked: LockedSet | None = None
    chain: tuple[NormalizedName, ...] = ()

    def inputs_of(self, name: NormalizedName) -> BuildInputs:
        """Return what the build of a project sees."""
        return BuildInputs.of(self.context.inputs.builds, name, self.locked)

    def metadata(self, file: RemoteFile) -> CoreMetadata:
        """Return the metadata of the wheel that a file of an index is built to.

        A failed build raises and does not reject the version: it depends on the machine
        that locks, which must not decide what is locked. Raises BuildFailed,
        FileCorrupt and the errors of fetching.
        """
        sha256 = sha256_of(file.hashes)
        inputs = self.inputs_of(_parse(file.filename).name)
        cached = self._cached_metadata(inputs.key(sha256)) if sha256 else None
        if cached is not None:
            return cached
        fetched = self.context.downloader.fetch(file)
        key = inputs.key(fetched.sha256)
        cached = self._cached_metadata(key)
        if cached is None:
            with self._build_slot():
                parsed = _parse(file.filename)
                builder = self._builder(parsed.name, parsed.version)
                cached = builder.metadata(fetched.path, file.filename)
            self._write(_metadata_key(key), _BuiltMetadata(cached))
        return cached

    def archive(self, sdist: LocalSdist) -> Path:
        """Return the unpacked wheel of a source distribution, building it if needed.

        Raises BuildFailed, BuildForbidden, FileCorrupt, CacheUnusable, and the errors
        of fetching build requirements.
        """
        parsed = _parse(sdist.filename)
        key = self.inputs_of(parsed.name).key(sdist.sha256)
        cached = self._usable(key)
        if cached is not None:
            return cached
        with self._build_slot():
            builder = self._builder(parsed.name, parsed.version)
            built = self._build(
                key,
                lambda place: builder.wheel(sdist.path, sdist.filename, place),
            )
        return self._unpack_built(built, parsed.name, parsed.version)

    def tree_metadata(self, tree: SourceTree) -> CoreMetadata:
        """Return the metadata of a source tree; raises as ``archive`` does.

        The metadata of a directory is not cached: its version may depend on git.
        """
        cached = self._cached_metadata(tree.key) if tree.is_fixed else None
        if cached is not None:
            return cached
        with self._build_slot(), tree.opened() as path:
            builder = self._builder(tree.name, tree.version or "(source tree)")
            found = builder.tree_metadata(path, tree.name)
        if tree.is_fixed:
            self._write(_metadata_key(tree.key), _BuiltMetadata(found))
        return found

    def tree_archive(self, tree: SourceTree) -> Path:
        """Return the unpacked wheel of a source tree; raises as ``archive`` does."""
        cached = self._usable(tree.key)
        if cached is not None:
            return cached
        with self._build_slot(), tree.opened() as path:
            builder = self._builder(tree.name, tree.version or "(source tree)")
            built = self._build(
                tree.key,
                lambda place: builder.tree_wheel(
                    path, tree.name, place, editable=tree.editable
                ),
            )
        return self._unpack_built(built, tree.name, tree.version or "(unversioned)")

    def _usable(self, sha256: str) -> Path | None:
        """Return the unpacked wheel of an earlier build, or None."""
        wheel = self.cached(sha256)
        if wheel is None:
            return None
        try:
            return self._unpack(wheel)
        except (FileCorrupt, CacheUnusable) as error:
            # The wheel was removed or damaged in the meantime: build it again.
            logger.debug("%s cannot be used again: %s", wheel.filename, error)
            return None

    def _unpack_built(self, built: BuiltWheel, name: str, version: str) -> Path:
        try:
            return self._unpack(built)
        except FileCorrupt as error:
            problem = f"the built wheel is unusable: {error}"
            raise BuildFailed(name, version, problem) from error

    def cached_archive(self, key: str) -> Path | None:
        """Return the unpacked wheel of a build if it is in the cache."""
        wheel = self.cached(key)
        return None if wheel is None else Archives(self.context.store).get(wheel.sha256)

    def cached(self, sha256: str) -> BuiltWheel | None:
        """Return the cached wheel of a source distribution, or None."""
        return self._read(self._key(sha256), BuiltWheel)

    def discard(self, sha256: str) -> None:
        """Remove the cached wheel of a source distribution."""
        self.context.store.remove(Bucket.BUILDS, self._key(sha256))

    def _build(self, sha256: str, make: Callable[[Path], Path]) -> BuiltWheel:
        """Build a wheel and store it among the files of the cache."""
        key = self._key(sha256)
        store = self.context.store
        parent = store.root / Bucket.FILES.directory
        with store.temporary_directory(parent) as place:
            path = make(place)
            try:
                sha256 = file_digest(path)
                target = store.path(Bucket.FILES, sha256)
                store.make_directory(target.parent)
                path.replace(target)
            except OSError as error:
                problem = error.strerror or str(error)
                raise CacheUnusable(str(path), problem) from error
            built = BuiltWheel(path.name, sha256)
        self._write(key, built)
        return built

    def _unpack(self, built: BuiltWheel) -> Path:
        from polylock.installation.unpack import unpack  # noqa: PLC0415 - only to build

        store = self.context.store
        path = store.path(Bucket.FILES, built.sha256)
        return Archives(store).add(
            built.sha256, lambda place: unpack(path, place, filename=built.filename)
        )

    def _build_slot(self) -> AbstractContextManager[object]:
        """Limit the number of parallel builds; see ``Context.building``."""
        return nullcontext() if self.chain else self.context.building

    def _builder(self, name: NormalizedName, version: str) -> IsolatedBuilder:
        """Return a builder for a project; raises BuildFailed for a build cycle."""
        from polylock.build.isolation import IsolatedBuilder  # noqa: PLC0415 - as above

        if name in self.chain:
            cycle = self.chain[self.chain.index(name) :]
            names = " -> ".join((*cycle, name))
            raise BuildFailed(
                name,
                version,
                f"it is needed to build itself: {names}",
                advice=f"remove {name} from build-package, or add an index "
                "that has a wheel of it",
            )
        self.context.reporter.building(name, version)
        inputs = self.inputs_of(name)
        if inputs.is_locking and not inputs.isolated:
            raise BuildFailed(
                name,
                version,
                "it is built without isolation, among what is locked, and nothing is "
                "locked yet",
                advice="write its requirements under dependency-metadata in "
                "[tool.polylock]",
            )
        within = replace(self, chain=(*self.chain, name))
        return IsolatedBuilder(
            store=self.context.store,
            interpreter=self.interpreter,
            provisioner=self.provisioner(within, inputs),
            variables=os.environ,
            requires=inputs.requires,
            isolated=inputs.isolated,
            config={
                key: value if isinstance(value, str) else list(value)
                for key, value in inputs.config.items()
            },
        )

    def _key(self, sha256: str) -> str:
        """Return the cache key of a wheel: its source, its Python and its system."""
        python = self.interpreter
        major, minor = python.release
        parts = (
            f"{python.implementation}{major}.{minor}{python.abi_flags}",
            "free-threaded" if python.free_threaded else "",
            "debug" if python.debug else "",
            python.platform,
            str(python.pointer_bits),
            f"{python.libc or ''}{python.libc_version or ''}",
            python.macos_version or "",
        )
        return " ".join(("wheel", sha256, *filter(None, parts)))

    def _cached_metadata(self, sha256: str) -> CoreMetadata | None:
        found = self._read(_metadata_key(sha256), _BuiltMetadata)
        return None if found is None else found.metadata

    def _read(self, key: str, kind: type[T]) -> T | None:
        """Return the entry of a key, None if it is absent or damaged."""
        content = self.context.store.read(Bucket.BUILDS, key)
        try:
            return (
                None if content is None else msgspec.msgpack.decode(content, type=kind)
            )
        except msgspec.MsgspecError:
            return None

    def _write(self, key: str, value: BuiltWheel | _BuiltMetadata) -> None:
        self.context.store.write(Bucket.BUILDS, key, msgspec.msgpack.encode(value))


def _metadata_key(key: str) -> str:
    return f"metadata {key}"


def _parse(filename: str) -> SdistFilename:
    """Parse the name of a file; raises FileCorrupt if it is not an sdist."""
    try:
        return SdistFilename.parse(filename)
    except InvalidFilename as error:
        raise FileCorrupt(filename, "it is not a source distribution") from error
