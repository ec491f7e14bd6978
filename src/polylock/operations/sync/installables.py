"""Map selected packages to the files and source trees to install.

The direct URL (PEP 610) records the source of an installation for the next sync.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from polylock.environment.direct_url import ArchiveInfo, DirectUrl, DirInfo, VcsInfo
from polylock.errors import SourceUnusable
from polylock.installation.plan import WantedDistribution
from polylock.lockfile.pylock import (
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
)
from polylock.lockfile.record import without_credentials
from polylock.operations.builds.build_inputs import (
    BuildInputs,
    LockedSet,
    locked_set,
)
from polylock.operations.builds.locked_files import (
    LockedFiles,
    filename_of,
    locked_sha256,
)
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.lockfile.select import Selected
    from polylock.operations.builds.sdists import SourceTree
    from polylock.operations.builds.trees import SourceTrees
    from polylock.operations.context import Context

__all__ = ["Installables", "installables"]


class Installables(Value, frozen=True, kw_only=True):
    """The wanted distributions, and the file or source tree of each by name.

    ``locked`` is all of it, for builds that see what is locked. Relative paths are
    relative to ``root``, the directory of the lock file.
    """

    root: Path
    wanted: tuple[WantedDistribution, ...]
    files: dict[NormalizedName, PackageWheel | PackageSdist]
    trees: dict[NormalizedName, SourceTree]
    locked: LockedSet

    def without(self, name: str | None) -> Installables:
        """Return all but one project."""
        return replace(
            self,
            wanted=tuple(one for one in self.wanted if one.name != name),
            files={key: file for key, file in self.files.items() if key != name},
            trees={key: tree for key, tree in self.trees.items() if key != name},
        )


def installables(
    selected: Sequence[Selected], context: Context, root: Path
) -> Installables:
    """Return the installables of packages; ``root`` is the lock file's directory.

    Directories are read to detect changes. Raises FileCorrupt for a file without
    SHA-256, SourceUnusable for a missing directory.
    """
    locked = locked_set(selected, root)
    maker = _Maker(context=context, root=root, locked=locked)
    found = Installables(root=root, wanted=(), files={}, trees={}, locked=locked)
    wanted = tuple(maker.add(chosen, found) for chosen in selected)
    return replace(found, wanted=wanted)


class _Maker(Value, frozen=True, kw_only=True):
    """Converts one package after the other."""

    context: Context
    root: Path
    locked: LockedSet

    @property
    def _trees(self) -> SourceTrees:
        # 10 ms that a sync of wheels does not pay.
        from polylock.operations.builds.trees import SourceTrees  # noqa: PLC0415 - see above

        return SourceTrees(context=self.context, locked=self.locked)

    def _is_editable(self, file: PackageDirectory) -> bool:
        return bool(file.editable) and not self.context.settings.no_editable

    def add(self, chosen: Selected, found: Installables) -> WantedDistribution:
        """Record a package's file or tree; return the wanted distribution."""
        package, file = chosen.package, chosen.file
        name = package.name
        match file:
            case PackageWheel():
                found.files[name] = file
                return _wanted(chosen, file.filename, locked_sha256(file))
            case PackageSdist():
                found.files[name] = file
                builds = self.context.inputs.builds
                inputs = BuildInputs.of(builds, name, self.locked)
                return _wanted(chosen, file.filename, inputs.key(locked_sha256(file)))
            case PackageArchive():
                return self._archive(chosen, file, found)
            case PackageVcs():
                tree = found.trees[name] = self._commit(name, file)
            case PackageDirectory():
                tree = found.trees[name] = self._trees.directory(
                    name,
                    self.root / file.path,
                    subdirectory=file.subdirectory,
                    editable=self._is_editable(file),
                )
            case _:
                assert_never(file)
        text = f"{name} @ {_reference(file)}"
        return _wanted(chosen, text, tree.key, self._direct_url(file))

    def _archive(
        self, chosen: Selected, file: PackageArchive, found: Installables
    ) -> WantedDistribution:
        filename, sha256 = filename_of(file), locked_sha256(file)
        direct_url = self._direct_url(file)
        name = chosen.package.name
        if filename.endswith(".whl"):
            found.files[name] = PackageWheel(
                url=file.url, path=file.path, size=file.size, hashes=file.hashes
            )
            return _wanted(chosen, filename, sha256, direct_url)
        locked = LockedFiles(context=self.context, root=self.root)
        tree = found.trees[name] = self._trees.archive(
            name,
            filename,
            sha256,
            lambda: locked.locate(file),
            subdirectory=file.subdirectory,
        )
        return _wanted(chosen, filename, tree.key, direct_url)

    def _commit(self, name: NormalizedName, file: PackageVcs) -> SourceTree:
        if file.type != "git":
            problem = f"is under {file.type}, and only git is supported"
            raise SourceUnusable(f"{name} @ {_reference(file)}", problem)
        location = file.url or str((self.root / (file.path or "")).resolve())
        return self._trees.commit(
            name, location, file.commit_id, subdirectory=file.subdirectory
        )

    def _direct_url(
        self, file: PackageArchive | PackageVcs | PackageDirectory
    ) -> DirectUrl:
        """Return the content of direct_url.json (PEP 610)."""
        if file.path is None:
            url = without_credentials(getattr(file, "url", None) or "")
        else:
            url = (self.root / file.path).resolve().as_uri()
        archive = directory = commit = None
        match file:
            case PackageArchive():
                archive = ArchiveInfo(hashes={"sha256": locked_sha256(file)})
            case PackageDirectory():
                directory = DirInfo(editable=self._is_editable(file))
            case PackageVcs():
                commit = VcsInfo(
                    vcs=file.type,
                    commit_id=file.commit_id,
                    requested_revision=file.requested_revision,
                )
            case _:
                assert_never(file)
        return DirectUrl(
            url=url,
            archive_info=archive,
            dir_info=directory,
            vcs_info=commit,
            subdirectory=file.subdirectory,
        )


def _wanted(
    chosen: Selected, filename: str, sha256: str, direct_url: DirectUrl | None = None
) -> WantedDistribution:
    return WantedDistribution(
        name=chosen.package.name,
        version=chosen.package.version,
        filename=filename,
        sha256=sha256,
        variant_label=chosen.variant_label,
        direct_url=direct_url,
        requested=chosen.requested,
    )


def _reference(file: PackageVcs | PackageDirectory) -> str:
    if isinstance(file, PackageDirectory):
        return file.path
    place = without_credentials(file.url or file.path or "")
    return f"{file.type}+{place}@{file.commit_id}"
