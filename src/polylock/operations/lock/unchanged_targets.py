"""Targets that a lock leaves alone: solved again from the lock file and nothing else.

What such a target installs is not copied but solved, with the very files of the lock
file as all there is. So its dependencies and conditions are those of the metadata, as
after any other solve, and its pins cannot move. No page of an index is asked for;
metadata is in the cache by the hash of its file, or is read from that file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import LockFileOutdated, NoSolution, ProjectNotFound
from polylock.explain.failure import solved
from polylock.explain.reasons import InvalidMetadata, LabelUndescribed
from polylock.explain.words import details
from polylock.lockfile.file_choice import FileChooser
from polylock.lockfile.pylock import (
    Package,
    PackageFile,
    PackageSdist,
    PackageWheel,
    Pylock,
)
from polylock.lockfile.record import microseconds_of
from polylock.lockfile.select import applicable, project_groups
from polylock.model.distributions import Release, Releases, RemoteFile, Unusable
from polylock.ports import Guess, PackageSource, SilentReporter
from polylock.resolution.solve import Solver
from polylock.values import Mutable, field, replace
from polylock.variants.variant_json import InvalidVariantMetadata, VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.inputs import Inputs
    from polylock.model.pins import Resolution
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target

__all__ = ["installed_files", "solve_kept"]

_Files = dict["NormalizedName", tuple["Package", "PackageFile"]]


def installed_files(pylock: Pylock, target: Target) -> _Files:
    """Return what a target installs with all extras and groups: entry and file.

    Raises NothingToInstall where an entry has no file for it.
    """
    assert pylock.polylock is not None
    packages = list(
        applicable(
            pylock,
            target,
            groups=(*project_groups(pylock), target.name),
            extras=pylock.extras or (),
        )
    )
    chooser = FileChooser(
        target=target,
        versions={p.name: p.version for p in packages if p.version is not None},
        enabled_providers=pylock.polylock.inputs.lists.get("enable-providers", ()),
    )
    return {package.name: (package, chooser.choose(package)[0]) for package in packages}


def solve_kept(
    previous: Pylock,
    path: Path,
    *,
    targets: Sequence[Target],
    inputs: Inputs,
    source: PackageSource,
) -> dict[str, Resolution]:
    """Return what some targets have in the lock file at a path, by their names.

    ``source`` is asked for core metadata alone. Raises LockFileOutdated where the lock
    file does not hold together for a target.
    """
    locked = LockedFiles(
        files={target.name: installed_files(previous, target) for target in targets},
        root=path.parent,
        source=source,
    )
    # What admitted the locked files once has no say now: they stay.
    settled = replace(
        inputs, align="independent", prerelease="allow", exclude_newer=None
    )
    solver = Solver(inputs=settled, source=locked, reporter=SilentReporter())
    found = {}
    for target in targets:
        try:
            (resolution,) = solved(solver, [target]).resolutions
        except (NoSolution, ProjectNotFound) as error:
            lines = [str(error), *details(error)]
            raise LockFileOutdated(
                str(path), [f"target {target.name} cannot stay: {s}" for s in lines]
            ) from error
        found[target.name] = _as_recorded(resolution, locked.files[target.name])
    return found


def _as_recorded(resolution: Resolution, files: _Files) -> Resolution:
    """Note where variants were passed over, which the files alone do not tell."""
    target = resolution.target.name
    pins = {}
    for name, pin in resolution.pins.items():
        choices = files[name][0].variants
        passed_over = any(c.target == target and not c.label for c in choices)
        pins[name] = replace(pin, passed_over=passed_over)
    return replace(resolution, pins=pins)


class LockedFiles(Mutable, kw_only=True):
    """Implements PackageSource with the files of a lock file, target by target.

    ``root`` is the directory of the lock file.
    """

    files: Mapping[str, _Files]
    root: Path
    source: PackageSource
    _releases: dict[tuple[str, NormalizedName], Releases] = field(default_factory=dict)
    _variants: dict[int, VariantMetadata | Unusable] = field(default_factory=dict)

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the one release that a target has; raises ProjectNotFound."""
        key = target.name, name
        if key not in self._releases:
            locked = self.files[target.name].get(name)
            if locked is None:
                raise ProjectNotFound(name, ("the lock file",))
            self._releases[key] = self._only_release(*locked)
        return self._releases[key]

    def variant_metadata(self, release: Release) -> VariantMetadata | Unusable:
        """Return what the lock file has of the variant metadata of a release."""
        return self._variants.get(id(release), Unusable(LabelUndescribed()))

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the core metadata of a file, from the cache if it is there."""
        return self.source.core_metadata(release, file)

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        """Refuse nothing that is locked."""
        del release, file
        return None

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Do nothing: what a lock needs is in the cache as a rule."""

    def _only_release(self, package: Package, locked: PackageFile) -> Releases:
        if not isinstance(locked, PackageWheel | PackageSdist) or not package.version:
            raise ProjectNotFound(package.name, ("the lock file",))
        file = self._remote_file(locked)
        is_wheel = isinstance(locked, PackageWheel)
        release = Release(
            name=package.name,
            version=package.version,
            index="the lock file",
            wheels=(file,) if is_wheel else (),
            sdist=None if is_wheel else file,
        )
        if package.variants_json is not None:
            try:
                metadata: VariantMetadata | Unusable = VariantMetadata.from_document(
                    package.variants_json
                )
            except InvalidVariantMetadata as error:
                metadata = Unusable(InvalidMetadata(str(error)))
            self._variants[id(release)] = metadata
        return Releases(
            name=package.name,
            index=release.index,
            index_url=package.index or "file:",
            versions=(package.version,),
            finals=1,
            yanked=0,
            earliest_upload=(None,),
            load=lambda _: release,
        )

    def _remote_file(self, locked: PackageWheel | PackageSdist) -> RemoteFile:
        url = locked.url
        if locked.path is not None:
            url = (self.root / locked.path).as_uri()
        uploaded = locked.upload_time
        return RemoteFile(
            filename=locked.filename,
            url=url or "",
            hashes=dict(locked.hashes),
            size=locked.size,
            upload_time=None if uploaded is None else microseconds_of(uploaded),
        )
