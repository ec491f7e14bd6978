"""Source trees of direct sources, as ``lock`` and ``sync`` open them.

A directory is used in place, a commit is checked out into a temporary working tree, an
archive is unpacked.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from polylock.cache.store import Bucket
from polylock.errors import SourceUnusable
from polylock.lockfile.record import without_credentials
from polylock.model.direct import (
    ArchiveSource,
    GitSource,
    InvalidDirectSource,
    parse_direct_url,
)
from polylock.operations.builds.build_inputs import BuildInputs, LockedSet
from polylock.operations.builds.sdists import SourceTree
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.build.git import GitRepositories
    from polylock.model.inputs import Inputs
    from polylock.operations.context import Context

__all__ = ["SourceTrees", "urls_with_credentials"]


def urls_with_credentials(inputs: Inputs) -> Mapping[str, str]:
    """Return the URLs of direct sources with credentials, by the URL without.

    A lock file has no credentials; a sync takes them from the project file.
    """
    found: dict[str, str] = {}
    references = [root.requirement.url for root in inputs.requirements]
    sources = [entry.direct for each in inputs.sources.values() for entry in each]
    for text in references:
        if text is not None:
            try:
                sources.append(parse_direct_url(text))
            except InvalidDirectSource:
                continue
    for source in sources:
        if isinstance(source, ArchiveSource | GitSource) and source.url is not None:
            plain = without_credentials(source.url)
            if plain != source.url:
                found[plain] = source.url
    return found


class SourceTrees(Value, frozen=True, kw_only=True):
    """Creates the SourceTree of a directory, a commit or an archive.

    ``locked`` is what is locked for the target, None while it is being locked.
    """

    context: Context
    locked: LockedSet | None = None

    @property
    def repositories(self) -> GitRepositories:
        """Return the git repositories in the cache."""
        from polylock.build.git import GitRepositories  # noqa: PLC0415 - only for git

        return GitRepositories(
            store=self.context.store,
            variables=os.environ,
            offline=self.context.settings.offline,
        )

    def directory(
        self,
        name: NormalizedName,
        path: Path,
        *,
        subdirectory: str | None = None,
        editable: bool = False,
    ) -> SourceTree:
        """Return the tree of a directory; raises SourceUnusable if it is missing."""
        from polylock.build.tree import fingerprint  # noqa: PLC0415 - only for these

        tree = path / subdirectory if subdirectory else path
        if not tree.is_dir():
            # The usual cause is an image with only the lock file.
            advice = (
                "a directory is locked by its path, not its content: put it there, "
            )
            advice += "relative to the lock file, or correct the project's source"
            source = f"{name} @ {tree}"
            raise SourceUnusable(source, "there is no such directory", advice=advice)
        try:
            content = fingerprint(tree, editable=editable)
        except OSError as error:
            problem = f"{error.filename} cannot be read: {error.strerror}"
            raise SourceUnusable(f"{name} @ {tree}", problem) from error
        place = f"editable {tree.resolve()}" if editable else "directory"
        return SourceTree(
            name=name,
            version=None,
            key=self._key(name, _digest(place, str(name), content)),
            opened=lambda: nullcontext(tree),
            editable=editable,
        )

    def commit(
        self,
        name: NormalizedName,
        location: str,
        commit: str,
        *,
        subdirectory: str | None = None,
    ) -> SourceTree:
        """Return the tree of a commit; ``location`` is a URL or an absolute path."""
        place = urls_with_credentials(self.context.inputs).get(location, location)

        @contextmanager
        def opened() -> Iterator[Path]:
            with self.repositories.checkout(place, commit) as tree:
                yield _inside(name, tree, subdirectory)

        return SourceTree(
            name=name,
            version=None,
            key=self._key(name, commit_key(location, commit, subdirectory)),
            opened=opened,
            is_fixed=True,
        )

    def archive(
        self,
        name: NormalizedName,
        filename: str,
        sha256: str,
        fetch: Callable[[], Path],
        *,
        subdirectory: str | None = None,
    ) -> SourceTree:
        """Return the tree of an archive; ``fetch`` returns the verified file."""

        @contextmanager
        def opened() -> Iterator[Path]:
            from polylock.build.sdist import unpack_sdist  # noqa: PLC0415 - to build

            path = fetch()
            store = self.context.store
            root = store.root / Bucket.BUILDS.directory
            with store.temporary_directory(root) as work:
                tree = unpack_sdist(path, work / "source", filename=filename)
                yield _inside(name, tree, subdirectory)

        return SourceTree(
            name=name,
            version=None,
            key=self._key(
                name, _digest(sha256, subdirectory) if subdirectory else sha256
            ),
            opened=opened,
            is_fixed=True,
        )

    def _key(self, name: NormalizedName, key: str) -> str:
        """Return the key of a tree with what its build sees."""
        settings = self.context.inputs.builds
        return BuildInputs.of(settings, name, self.locked).key(key)


def commit_key(location: str, commit: str, subdirectory: str | None) -> str:
    """Return the digest that identifies the tree of a commit."""
    return _digest("git", without_credentials(location), commit, subdirectory or "")


def _inside(name: NormalizedName, tree: Path, subdirectory: str | None) -> Path:
    if subdirectory is None:
        return tree
    found = tree / subdirectory
    # A link in the tree must not point outside it.
    if not found.is_dir() or not found.resolve().is_relative_to(tree.resolve()):
        raise SourceUnusable(str(name), f"it has no directory {subdirectory}")
    return found


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
