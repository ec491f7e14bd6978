"""``polylock bundle``: write the files of a target into a directory for offline use.

A variant wheel is written under its name without the label, so that an installer
without support for variants installs it; the variant was chosen by the lock. Its bytes
and its hash are those that were locked, unless ``plain_metadata`` evaluates its variant
markers.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from polylock.build.policy import require_allowed
from polylock.cache.regular_files import file_digest
from polylock.cache.store import Bucket
from polylock.errors import CacheUnusable, HashMismatch, UsageError
from polylock.lockfile.file_choice import FileChooser
from polylock.lockfile.pylock import (
    PackageDirectory,
    PackageSdist,
    PackageWheel,
    Pylock,
)
from polylock.model.archive_checks import RefusedArchive, check_path, collision_key
from polylock.operations.builds.locked_files import LockedFiles, locked_sha256
from polylock.operations.builds.sdists import LocalSdist, SdistBuilds, SourceTree
from polylock.operations.builds.trees import SourceTrees
from polylock.operations.builds.wiring import machine_builds
from polylock.operations.chosen import chosen_by
from polylock.operations.context import Context
from polylock.operations.exchange.plain_metadata import (
    PlainWheel,
    evaluate_markers,
    has_variant_marker,
)
from polylock.operations.exchange.single_target import SingleTarget, without_label
from polylock.operations.files import attempt
from polylock.operations.inspect.selection import named_selection, open_lock
from polylock.operations.sync.choose_target import Chooser
from polylock.operations.sync.installables import Installables, installables
from polylock.operations.workspace import (
    project_of_lock,
    recorded_policy,
    refuse_untrusted_sources,
)
from polylock.values import Mutable, Value, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from packaging.utils import NormalizedName

    from polylock.lockfile.select import Selected
    from polylock.operations.inspect.selection import LockedSelection
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["Bundle", "BundleOptions", "bundle"]

F = TypeVar("F", bound="PackageWheel | PackageSdist")

_FILES = "files"


class Bundle(Value, frozen=True, kw_only=True):
    """A directory that was written.

    ``sdists`` are left for the installer to build. ``variant_markers`` are the packages
    with variant markers in their metadata, which pip refuses; ``plain_metadata`` the
    wheels in which they were evaluated.
    """

    directory: Path
    target: str
    packages: int
    size: int
    sdists: tuple[str, ...]
    variant_markers: tuple[str, ...]
    plain_metadata: tuple[PlainWheel, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``bundle --json`` (schemas/bundle.schema.json)."""
        return {
            "directory": str(self.directory),
            "target": self.target,
            "packages": self.packages,
            "size": self.size,
            "sdists": list(self.sdists),
            "variant-markers": list(self.variant_markers),
            "plain-metadata": [wheel.to_json() for wheel in self.plain_metadata],
        }


class BundleOptions(Value, frozen=True, kw_only=True):
    """The options of ``bundle`` beyond the settings.

    ``build`` builds wheels of source distributions and trees with a Python of this
    machine, which must satisfy the target. ``plain_metadata`` evaluates variant markers
    into the metadata of the bundled wheels. ``frozen`` accepts an outdated lock file.
    ``search_path`` is the PATH for finding a Python, ``managed`` gives further places.
    """

    build: bool = False
    plain_metadata: bool = False
    frozen: bool = False
    search_path: str = ""
    managed: Callable[[], str] | None = None


def bundle(
    settings: Settings, directory: Path, options: BundleOptions, reporter: Reporter
) -> Bundle:
    """Write the files of the target in the settings, and their lock file.

    After an error there is no directory. Raises UsageError if no target is named or the
    directory is not empty, TargetMismatch if this machine cannot build for the target,
    and the errors of fetching and building.
    """
    directory = directory.absolute()
    _require_room(directory)
    pylock, path = open_lock(settings)
    selection = named_selection(pylock, path, settings)
    project = project_of_lock(settings, pylock, path, frozen=options.frozen)
    if not options.frozen:
        refuse_untrusted_sources(settings, pylock, path, project)
    inputs = project.inputs if project else recorded_policy(pylock)
    with Context(settings, inputs, reporter) as context, _made(directory) as place:
        (place / _FILES).mkdir()
        wanted = installables(selection.selected, context, path.parent)
        writer = _Writer(
            context=context,
            root=path.parent,
            place=place,
            names=_Names(),
            wanted=wanted,
            builds=_builds(context, pylock, selection.target.name, options, wanted),
        )
        files = writer.write(selection.selected)
        plain: list[PlainWheel] = []
        if options.plain_metadata:
            plain = _evaluate_all(pylock, selection, place, files)
        with_variant_markers = tuple(
            str(chosen.package.name)
            for chosen in selection.selected
            if chosen.variant_label is not None
            and has_variant_marker(place / (files[chosen.package.name].path or ""))
        )
        single = SingleTarget.of(selection.target, chosen_by(settings, pylock))
        text = single.text(pylock, selection.selected, files)
        (place / "pylock.toml").write_text(text, "utf-8", newline="\n")
    return Bundle(
        directory=directory,
        target=selection.target.name,
        packages=len(files),
        size=sum(file.size or 0 for file in files.values()),
        sdists=tuple(
            sorted(name for name, f in files.items() if isinstance(f, PackageSdist))
        ),
        variant_markers=tuple(sorted(with_variant_markers)),
        plain_metadata=tuple(plain),
    )


def _evaluate_all(
    pylock: Pylock,
    selection: LockedSelection,
    place: Path,
    files: dict[NormalizedName, PackageWheel | PackageSdist],
) -> list[PlainWheel]:
    """Evaluate the variant markers of the bundled wheels; update ``files``.

    What was changed is in ``plain-metadata.json`` beside the lock file of the bundle.
    The project's lock file keeps the hashes of the published files.
    """
    packages = [chosen.package for chosen in selection.selected]
    chooser = FileChooser.of(pylock, selection.target, packages)
    changed = []
    for chosen in selection.selected:
        name, label = chosen.package.name, chosen.variant_label
        file = files[name]
        if label is None or not isinstance(file, PackageWheel):
            continue
        path = place / (file.path or "")
        variant = chooser.variant_of(chosen.package, label)
        requirements = evaluate_markers(path, variant)
        if requirements:
            sha256 = file_digest(path)
            changed.append(
                PlainWheel(
                    name=name,
                    filename=path.name,
                    locked_sha256=locked_sha256(file),
                    sha256=sha256,
                    requirements=requirements,
                )
            )
            files[name] = replace(
                file, size=path.stat().st_size, hashes={"sha256": sha256}
            )
    if changed:
        document = {"wheels": [wheel.to_json() for wheel in changed]}
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        (place / "plain-metadata.json").write_text(text, "utf-8", newline="\n")
    return changed


class _Names(Mutable, eq=False):
    """The file names in the bundle, and the package of each.

    The lock file's reader refuses bad names as well. A bundle is copied to other
    machines, so each name must be valid and unique on every system.
    """

    _taken: dict[str, tuple[str, NormalizedName]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, filename: str, package: NormalizedName) -> None:
        """Record the file of a package; raises UsageError for a bad or taken name."""
        try:
            check_path(filename, windows=True)
        except RefusedArchive as error:
            raise _bad_name(package, filename) from error
        if "/" in filename:
            raise _bad_name(package, filename)
        with self._lock:
            other = self._taken.setdefault(collision_key(filename), (filename, package))
        if other[1] != package:
            (one, its), (two, that) = sorted((other, (filename, package)))
            raise UsageError(
                f"{one} of {its} and {two} of {that} would be one file in the bundle",
                f"rename one of them, or lock {package} from another place",
            )


def _bad_name(package: NormalizedName, filename: str) -> UsageError:
    return UsageError(
        f"{filename!r} of {package} is not a valid file name in a bundle",
        f"lock {package} from another place",
    )


class _Writer(Value, frozen=True, kw_only=True):
    """Writes files into ``place``; ``root`` is the directory of the lock file."""

    context: Context
    root: Path
    place: Path
    names: _Names
    wanted: Installables
    builds: SdistBuilds | None

    def write(
        self, selected: Sequence[Selected]
    ) -> dict[NormalizedName, PackageWheel | PackageSdist]:
        """Write every file with parallel downloads; return them by project."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 8 ms

        for chosen in selected:
            self._require_source(chosen)
        pool = ThreadPoolExecutor(self.context.settings.threads)
        try:
            written = list(pool.map(self._write, selected))
        finally:
            pool.shutdown(cancel_futures=True)
        return {
            chosen.package.name: file
            for chosen, file in zip(selected, written, strict=True)
        }

    def _require_source(self, chosen: Selected) -> None:
        """Raise UsageError or BuildForbidden if a package cannot be bundled."""
        package = chosen.package
        is_tree = package.name in self.wanted.trees
        if self.builds is None and is_tree:
            raise UsageError(
                f"{package.name} is locked as a source tree, which has no file",
                "--build builds a wheel of it, on a machine that fits the target",
            )
        is_built = is_tree or isinstance(chosen.file, PackageSdist)
        if self.builds is not None and is_built:
            require_allowed(self.context.inputs, package.name, package.version)

    def _write(self, chosen: Selected) -> PackageWheel | PackageSdist:
        name, builds = chosen.package.name, self.builds
        tree = self._tree(chosen)
        if tree is not None and builds is not None:
            return self._built(name, tree.key, lambda: builds.tree_archive(tree))
        file = self.wanted.files[name]
        path = LockedFiles(context=self.context, root=self.root).locate(file)
        if isinstance(file, PackageSdist) and builds is not None:
            sdist = LocalSdist(
                path=path, filename=file.filename, sha256=locked_sha256(file)
            )
            key = builds.inputs_of(name).key(sdist.sha256)
            return self._built(name, key, lambda: builds.archive(sdist))
        return self._put(name, path, without_label(file))

    def _tree(self, chosen: Selected) -> SourceTree | None:
        """Return the source tree of a package, if any, never as an editable one.

        An editable wheel would refer to code outside the bundle.
        """
        tree = self.wanted.trees.get(chosen.package.name)
        if tree is None or not isinstance(chosen.file, PackageDirectory):
            return tree
        trees = SourceTrees(context=self.context, locked=self.wanted.locked)
        return trees.directory(
            chosen.package.name,
            self.root / chosen.file.path,
            subdirectory=chosen.file.subdirectory,
        )

    def _built(
        self, name: NormalizedName, key: str, make: Callable[[], object]
    ) -> PackageWheel:
        """Build a wheel and copy it from the cache into the bundle."""
        builds, store = self.builds, self.context.store
        for last in (False, True):
            make()
            kept = builds.cached(key) if builds is not None else None
            path = None if kept is None else store.path(Bucket.FILES, kept.sha256)
            if kept is not None and path is not None and path.is_file():
                file = PackageWheel(
                    name=kept.filename,
                    size=path.stat().st_size,
                    hashes={"sha256": kept.sha256},
                )
                return self._put(name, path, file)
            if builds is not None and not last:
                builds.discard(key)  # pruned in the meantime: build it again
        raise CacheUnusable(str(store.root), "a built wheel disappeared from it")

    def _put(self, name: NormalizedName, path: Path, file: F) -> F:
        """Copy and verify a file; return its entry with the new path."""
        self.names.take(file.filename, name)
        relative = f"{_FILES}/{file.filename}"
        target = self.place / relative
        with attempt(f"write {target}"):
            # Never through a link, nor over a file that is there.
            with path.open("rb") as source, target.open("xb") as copy:
                shutil.copyfileobj(source, copy)
            found, size = file_digest(target), target.stat().st_size
        wanted = locked_sha256(file)
        if found != wanted:
            raise HashMismatch(
                file.filename, f"sha256:{wanted}", f"sha256:{found}", "lock file"
            )
        return replace(file, name=None, url=None, path=relative, size=size)


def _builds(
    context: Context,
    pylock: Pylock,
    target: str,
    options: BundleOptions,
    wanted: Installables,
) -> SdistBuilds | None:
    """Return a builder for the target; raises TargetMismatch on another machine."""
    if not options.build:
        return None
    nowhere = context.store.root / "no-environment"
    chooser = Chooser(
        pylock=pylock,
        place=nowhere,
        chosen=chosen_by(context.settings, pylock),
        python=context.settings.python,
        search_path=options.search_path,
        managed=options.managed,
        store=context.store,
    )
    choice = chooser.choose(target, remembered=None, forced=False)
    return machine_builds(context, choice.interpreter, wanted.locked)


def _require_room(directory: Path) -> None:
    with attempt(f"read {directory}"):
        # A link is no new directory: what it leads to may be anything.
        taken = directory.is_symlink() or (
            directory.exists() and (not directory.is_dir() or any(directory.iterdir()))
        )
    if taken:
        raise UsageError(
            f"{directory} exists and is not an empty directory",
            "name a new directory: a bundle is not merged with existing files",
        )


@contextmanager
def _made(directory: Path) -> Iterator[Path]:
    """Yield a temporary directory, renamed to ``directory`` if the block succeeds."""
    with attempt(f"write {directory}"):
        directory.parent.mkdir(parents=True, exist_ok=True)
        place = Path(mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
        try:
            yield place
            place.chmod(0o755)
            if directory.exists():
                directory.rmdir()
            place.replace(directory)
        finally:
            shutil.rmtree(place, ignore_errors=True)
