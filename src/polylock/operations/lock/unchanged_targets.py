"""Keep the other targets unchanged in ``lock --target``.

``lock --target h100`` writes the whole lock file but may change only h100. The other
targets are solved again, and the only candidates are the files in the old lock file.
So their pins cannot change, and their dependencies and markers come from the metadata,
as in any other solve. No index page is requested. The metadata is in the cache by the
hash of its file, or is read from that file.
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

__all__ = ["installed_files", "solve_unchanged"]

_Files = dict["NormalizedName", tuple["Package", "PackageFile"]]


def installed_files(pylock: Pylock, target: Target) -> _Files:
    """Return the package and file of each project, with all extras and groups.

    Raises NothingToInstall if a package has no file for the target.
    """
    packages = list(
        applicable(
            pylock,
            target,
            groups=(*project_groups(pylock), target.name),
            extras=pylock.extras or (),
        )
    )
    chooser = FileChooser.of(pylock, target, packages)
    return {package.name: (package, chooser.choose(package)[0]) for package in packages}


def solve_unchanged(
    previous: Pylock,
    path: Path,
    *,
    targets: Sequence[Target],
    inputs: Inputs,
    source: PackageSource,
) -> dict[str, Resolution]:
    """Return the resolutions of targets from the lock file at a path, by name.

    ``source`` is asked only for core metadata. Raises LockFileOutdated if the lock file
    is not a solution for a target.
    """
    locked = LockedPackages(
        files={target.name: installed_files(previous, target) for target in targets},
        root=path.parent,
        source=source,
    )
    # Settings that select versions do not apply: the locked files stay.
    settled = replace(
        inputs,
        align="independent",
        prerelease="allow",
        exclude_newer=None,
        exclude_newer_package={},
    )
    solver = Solver(inputs=settled, source=locked, reporter=SilentReporter())
    found = {}
    for target in targets:
        try:
            (resolution,) = solved(solver, [target]).resolutions
        except (NoSolution, ProjectNotFound) as error:
            lines = [str(error), *details(error)]
            raise LockFileOutdated(
                str(path), [f"target {target.name} cannot be kept: {s}" for s in lines]
            ) from error
        found[target.name] = _as_recorded(resolution, locked.files[target.name])
    return found


def _as_recorded(resolution: Resolution, files: _Files) -> Resolution:
    """Copy from the lock file where variants were passed over."""
    target = resolution.target.name
    pins = {}
    for name, pin in resolution.pins.items():
        choices = files[name][0].variants
        passed_over = any(c.target == target and not c.label for c in choices)
        pins[name] = replace(pin, passed_over=passed_over)
    return replace(resolution, pins=pins)


class LockedPackages(Mutable, kw_only=True):
    """Implements PackageSource with the files of a lock file, by target.

    ``root`` is the directory of the lock file.
    """

    files: Mapping[str, _Files]
    root: Path
    source: PackageSource
    _releases: dict[tuple[str, NormalizedName], Releases] = field(default_factory=dict)
    _variants: dict[int, VariantMetadata | Unusable] = field(default_factory=dict)

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the locked release of a target; raises ProjectNotFound."""
        key = target.name, name
        if key not in self._releases:
            locked = self.files[target.name].get(name)
            if locked is None:
                raise ProjectNotFound(name, ("the lock file",))
            self._releases[key] = self._only_release(*locked)
        return self._releases[key]

    def variant_metadata(
        self, release: Release, target: Target
    ) -> VariantMetadata | Unusable:
        """Return the variant metadata of a release in the lock file."""
        del target
        return self._variants.get(id(release), Unusable(LabelUndescribed()))

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the core metadata of a file from ``source``."""
        return self.source.core_metadata(release, file)

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        """Return None: no locked file is refused."""
        del release, file
        return None

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Do nothing: the metadata is usually in the cache."""

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
