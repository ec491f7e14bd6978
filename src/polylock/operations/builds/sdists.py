"""Builds locked source distributions, and keeps what came of it.

A wheel is kept by the SHA-256 of its source distribution and by the Python and the
system that it was built for, metadata by the SHA-256 alone: a second sync or lock
builds nothing. Nothing is locked meanwhile: two processes that build the same both
build it, and the last one stays.
"""

from __future__ import annotations

import logging
import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import msgspec

from polylock.cache.archives import Archives
from polylock.cache.digests import file_digest
from polylock.cache.store import Bucket
from polylock.errors import BuildFailed, CacheUnusable, FileCorrupt
from polylock.model.core_metadata import CoreMetadata
from polylock.model.filenames import InvalidFilename, SdistFilename
from polylock.model.hashes import sha256_of
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.build.isolation import IsolatedBuilder
    from polylock.environment.interpreter import Interpreter
    from polylock.model.distributions import RemoteFile
    from polylock.operations.context import Context
    from polylock.ports import Provisioner, SdistBuilder

__all__ = [
    "BuiltWheel",
    "LocalSdist",
    "SdistBuilds",
    "SourceTree",
]

logger = logging.getLogger(__name__)


class LocalSdist(Value, frozen=True, kw_only=True):
    """A verified source distribution on disk; ``path`` may have any name."""

    path: Path
    filename: str
    sha256: str


class SourceTree(Value, frozen=True, kw_only=True):
    """A source tree of a direct source, which is got only if it is built.

    ``key`` is 64 hexadecimal digits that stand for its content, and for the form in
    which it is installed. ``opened`` gives the tree, for the time of a block.
    ``is_fixed`` says that what ``key`` stands for is all that a backend can see.
    """

    name: NormalizedName
    version: str | None
    key: str
    opened: Callable[[], AbstractContextManager[Path]]
    editable: bool = False
    is_fixed: bool = False


class BuiltWheel(msgspec.Struct, frozen=True, array_like=True):
    """A wheel that was built: its name, and its SHA-256, under which it is kept."""

    filename: str
    sha256: str


class _BuiltMetadata(msgspec.Struct, frozen=True, array_like=True):
    metadata: CoreMetadata


class SdistBuilds(Value, frozen=True, kw_only=True):
    """Builds for one Python; safe to use from many threads.

    ``chain`` are the projects being built, each of which is needed to build the one
    before it. ``provisioner`` makes what fills the environment of a build, given what
    builds for it: to build may take a solve, and that solve a build.
    """

    context: Context
    interpreter: Interpreter
    provisioner: Callable[[SdistBuilds], Provisioner]
    chain: tuple[NormalizedName, ...] = ()

    def metadata(self, file: RemoteFile) -> CoreMetadata:
        """Return the metadata that the wheel built from an index's file would have.

        A failure raises, and is no reason to take another version: it says something
        of the machine that locks, which must not decide what is locked. Raises
        BuildFailed, FileCorrupt and what fetching raises.
        """
        sha256 = sha256_of(file.hashes)
        kept = self._kept_metadata(sha256) if sha256 else None
        if kept is not None:
            return kept
        fetched = self.context.downloader.fetch(file)
        kept = self._kept_metadata(fetched.sha256)
        if kept is None:
            with self._turn():
                builder = self._sdist_builder(file.filename)
                kept = builder.metadata(fetched.path, file.filename)
            content = msgspec.msgpack.encode(_BuiltMetadata(kept))
            key = _metadata_key(fetched.sha256)
            self.context.store.write(Bucket.BUILDS, key, content)
        return kept

    def archive(self, sdist: LocalSdist) -> Path:
        """Return the unpacked wheel of a source distribution, building it if need be.

        Raises BuildFailed, BuildForbidden, FileCorrupt, CacheUnusable, and what
        fetching build requirements raises.
        """
        kept = self._usable(sdist.sha256)
        if kept is not None:
            return kept
        with self._turn():
            builder = self._sdist_builder(sdist.filename)
            built = self._build(
                sdist.sha256,
                lambda place: builder.wheel(sdist.path, sdist.filename, place),
            )
        parsed = SdistFilename.parse(sdist.filename)
        return self._unpack_built(built, parsed.name, parsed.version)

    def tree_metadata(self, tree: SourceTree) -> CoreMetadata:
        """Return the metadata of a source tree; raises as ``archive`` does.

        That of a directory is not kept: its version may follow from what git says.
        """
        kept = self._kept_metadata(tree.key) if tree.is_fixed else None
        if kept is not None:
            return kept
        with self._turn(), tree.opened() as path:
            builder = self._builder(tree.name, tree.version or "(source tree)")
            found = builder.tree_metadata(path, tree.name)
        if tree.is_fixed:
            content = msgspec.msgpack.encode(_BuiltMetadata(found))
            self.context.store.write(Bucket.BUILDS, _metadata_key(tree.key), content)
        return found

    def tree_archive(self, tree: SourceTree) -> Path:
        """Return the unpacked wheel of a source tree; raises as ``archive`` does."""
        kept = self._usable(tree.key)
        if kept is not None:
            return kept
        with self._turn(), tree.opened() as path:
            builder = self._builder(tree.name, tree.version or "(source tree)")
            built = self._build(
                tree.key,
                lambda place: builder.tree_wheel(
                    path, tree.name, place, editable=tree.editable
                ),
            )
        return self._unpack_built(built, tree.name, tree.version or "(unversioned)")

    def _usable(self, sha256: str) -> Path | None:
        """Return the unpacked wheel of an earlier build, None where it is gone."""
        kept = self.kept(sha256)
        if kept is None:
            return None
        try:
            return self._unpack(kept)
        except (FileCorrupt, CacheUnusable) as error:
            # The wheel was removed or damaged meanwhile: it is built anew.
            logger.debug("%s cannot be used again: %s", kept.filename, error)
            return None

    def _unpack_built(self, built: BuiltWheel, name: str, version: str) -> Path:
        try:
            return self._unpack(built)
        except FileCorrupt as error:
            problem = f"the wheel that it became is unusable: {error}"
            raise BuildFailed(name, version, problem) from error

    def kept_archive(self, sha256: str) -> Path | None:
        """Return the unpacked wheel of a source distribution if it is in the cache."""
        kept = self.kept(sha256)
        return None if kept is None else Archives(self.context.store).get(kept.sha256)

    def kept(self, sha256: str) -> BuiltWheel | None:
        """Return what was built of a source distribution, None where nothing was."""
        content = self.context.store.read(Bucket.BUILDS, self._key(sha256))
        try:
            return (
                None
                if content is None
                else msgspec.msgpack.decode(content, type=BuiltWheel)
            )
        except msgspec.MsgspecError:
            return None

    def forget(self, sha256: str) -> None:
        """Forget what was built of a source distribution; it will be built anew."""
        self.context.store.remove(Bucket.BUILDS, self._key(sha256))

    def _build(self, sha256: str, make: Callable[[Path], Path]) -> BuiltWheel:
        """Build, and keep the wheel among the files of the cache."""
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
        content = msgspec.msgpack.encode(built)
        store.write(Bucket.BUILDS, key, content)
        return built

    def _unpack(self, built: BuiltWheel) -> Path:
        from polylock.installation.unpack import unpack  # noqa: PLC0415 - only to build

        store = self.context.store
        path = store.path(Bucket.FILES, built.sha256)
        return Archives(store).add(
            built.sha256, lambda place: unpack(path, place, filename=built.filename)
        )

    def _turn(self) -> AbstractContextManager[object]:
        """Wait until not too many builds are under way; see ``Context.building``."""
        return nullcontext() if self.chain else self.context.building

    def _sdist_builder(self, filename: str) -> SdistBuilder:
        """Return what builds one file; raises FileCorrupt where it is no sdist."""
        try:
            parsed = SdistFilename.parse(filename)
        except InvalidFilename as error:
            raise FileCorrupt(filename, "it is no source distribution") from error
        return self._builder(parsed.name, parsed.version)

    def _builder(self, name: NormalizedName, version: str) -> IsolatedBuilder:
        """Return what builds a project; refuses one that needs itself."""
        from polylock.build.isolation import IsolatedBuilder  # noqa: PLC0415 - as above

        if name in self.chain:
            cycle = self.chain[self.chain.index(name) :]
            names = " -> ".join((*cycle, name))
            raise BuildFailed(
                name,
                version,
                f"it is needed to build itself: {names}",
                advice=f"take {name} out of build-package, or name an index "
                "that has a wheel of it",
            )
        self.context.reporter.building(name, version)
        return IsolatedBuilder(
            store=self.context.store,
            interpreter=self.interpreter,
            provisioner=self.provisioner(replace(self, chain=(*self.chain, name))),
            variables=os.environ,
        )

    def _key(self, sha256: str) -> str:
        """Return the key of a wheel: what it was built from, and for what."""
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

    def _kept_metadata(self, sha256: str) -> CoreMetadata | None:
        content = self.context.store.read(Bucket.BUILDS, _metadata_key(sha256))
        try:
            return (
                None
                if content is None
                else msgspec.msgpack.decode(content, type=_BuiltMetadata).metadata
            )
        except msgspec.MsgspecError:
            return None


def _metadata_key(sha256: str) -> str:
    return f"metadata {sha256}"
