"""Resolve and install the build requirements of a source distribution."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from polylock.build.policy import refused_metadata
from polylock.environment.discovery import environment_python
from polylock.environment.installed import read_installed
from polylock.environment.venv import open_environment
from polylock.errors import HashMismatch, NoSolution, ProjectNotFound
from polylock.explain.failure import solved
from polylock.explain.reasons import BuildCycle
from polylock.installation.execute import execute
from polylock.installation.link import Linker, LinkMode
from polylock.installation.plan import SyncRequest, WantedDistribution, plan_sync
from polylock.lockfile.pylock import PackageSdist, PackageWheel
from polylock.model.core_metadata import CoreMetadata
from polylock.model.distributions import Release, Releases, RemoteFile, Unusable
from polylock.model.inputs import DEFAULT_INDEX, IndexLocation, Inputs, RootRequirement
from polylock.model.requirements import Requirement
from polylock.model.source_choice import direct_sources
from polylock.operations.builds.build_inputs import BuildInputs, LockedDistribution
from polylock.operations.builds.fetch import WheelFetcher
from polylock.operations.builds.locked_files import locked_sha256
from polylock.operations.machine import python_release, this_machine
from polylock.ports import Guess, SilentReporter
from polylock.project.settings import default_index_url
from polylock.providers.derive import build_target
from polylock.resolution.solve import Solver
from polylock.resolution.versions import parse_version, satisfies
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.index.source import PackageIndexes
    from polylock.model.pins import Pin
    from polylock.model.target import Target
    from polylock.operations.builds.sdists import SdistBuilds
    from polylock.operations.context import Context
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["MachineProvisioner"]

_TARGET = "build"
_LOCKED = "locked"
"""The name of the index of what is locked for the target."""


class MachineProvisioner(Value, frozen=True, kw_only=True):
    """Implements ``Provisioner`` for this machine and one Python.

    Build requirements come from the indexes of the project, no newer than it allows.
    They are wheels; source distributions only if the project allows their backends to
    run while it is locked. ``builds`` builds these, and its Python is the one to
    provision for. What ``inputs`` has as it is locked is installed as that, and not
    asked of an index.
    """

    builds: SdistBuilds
    inputs: BuildInputs = BuildInputs()

    def provision(self, requirements: Sequence[str], directory: Path) -> Path:
        """Install the requirements into an environment; see the port."""
        asked = self._not_locked(requirements)
        pins = {pin.name: pin for pin in self._solve(asked)} if asked else {}
        # What the build system asks for itself may be another version than the locked.
        own = {Requirement.parse(text).name for text in asked}
        exact = {each.name for each in self.inputs.exact}
        locked = {
            name: each
            for name, each in self.inputs.beside.items()
            if name in exact or name not in own
        }
        pins = {name: pin for name, pin in pins.items() if name not in locked}
        wanted = [
            *map(self._wanted, pins.values()),
            *map(self._as_locked, locked.values()),
        ]
        interpreter = open_environment(directory)
        plan = plan_sync(
            SyncRequest(wanted=tuple(wanted)),
            read_installed(interpreter.site_directories),
        )
        fetcher = WheelFetcher(
            context=self.context,
            files={
                **{name: _file(pin) for name, pin in pins.items()},
                **{name: each.file for name, each in locked.items()},
            },
            root=self.inputs.root or directory,
            threads=self.context.settings.threads,
            builds=lambda: self.builds,
        )
        linker = Linker(LinkMode(self.context.settings.link_mode))
        try:
            execute(plan, interpreter, fetcher, linker=linker)
        except HashMismatch as error:  # these hashes are not those of a lock file
            raise error.as_stated_by("index") from error
        return environment_python(directory)

    @property
    def context(self) -> Context:
        """Return the context of the build."""
        return self.builds.context

    def _not_locked(self, requirements: Sequence[str]) -> list[str]:
        """Return the requirements that no locked file of the inputs answers.

        Raises NoSolution if one answers it with a version that does not suffice.
        """
        exact = {each.name: each for each in self.inputs.exact}
        asked = []
        for text in requirements:
            requirement = Requirement.parse(text)
            found = exact.get(requirement.normalized_name)
            if found is None:
                asked.append(text)
            elif not satisfies(requirement.specifier, found.version):
                raise NoSolution(
                    _TARGET,
                    [f"{text} is required, and {found.name} {found.version} is locked"],
                    f"require a version of {found.name} that suffices, or remove it "
                    "from extra-build-dependencies",
                )
        return asked

    def _wanted(self, pin: Pin) -> WantedDistribution:
        return WantedDistribution(
            name=pin.name,
            version=pin.version,
            filename=pin.file.filename,
            sha256=self._key(pin.name, pin.file.filename, pin.file.hashes["sha256"]),
            variant_label=pin.variant_label,
        )

    def _as_locked(self, locked: LockedDistribution) -> WantedDistribution:
        filename = locked.file.filename
        return WantedDistribution(
            name=locked.name,
            version=locked.version,
            filename=filename,
            sha256=self._key(locked.name, filename, locked_sha256(locked.file)),
            variant_label=locked.label,
        )

    def _key(self, name: NormalizedName, filename: str, sha256: str) -> str:
        """Return what identifies a file, or what is built from it."""
        is_wheel = filename.endswith(".whl")
        return sha256 if is_wheel else self.builds.inputs_of(name).key(sha256)

    def _solve(self, requirements: Sequence[str]) -> tuple[Pin, ...]:
        """Solve for this machine; hash files without a SHA-256."""
        interpreter = self.builds.interpreter
        description = this_machine().describe(python_release(interpreter))
        target = build_target(replace(description, name=_TARGET))
        markers = {**interpreter.marker_environment, **target.marker_environment}
        target = replace(target, marker_environment=markers)
        inputs = self._inputs(requirements)

        def build(release: Release, file: RemoteFile) -> CoreMetadata:
            del release
            return self.builds.metadata(file)  # _Allowed has checked the project

        with self.context.indexes(inputs, build) as indexes:
            direct = direct_sources(self.context.inputs)
            beside = self.inputs.beside
            source = _Allowed(inputs, indexes, self.builds.chain, direct, beside)
            solver = Solver(inputs=inputs, source=source, reporter=SilentReporter())
            (resolution,) = solved(solver, [target], monotonic).resolutions
        return tuple(
            replace(pin, file=self.context.with_hash(pin.file))
            for pin in resolution.pins.values()
        )

    def _inputs(self, requirements: Sequence[str]) -> Inputs:
        """Return the project's inputs with other requirements.

        The project's constraints and overrides do not apply to build requirements.
        """
        project, settings = self.context.inputs, self.context.settings
        indexes = project.indexes
        if not indexes:  # a lock file without its project
            url = settings.index_url or default_index_url()
            indexes = (IndexLocation(name=DEFAULT_INDEX, url=url),)
        return Inputs(
            requirements=tuple(
                RootRequirement(requirement=Requirement.parse(text))
                for text in requirements
            ),
            indexes=indexes,
            sources=project.sources,
            torch=project.torch,
            exclude_newer=project.exclude_newer,
            exclude_newer_package=project.exclude_newer_package,
            align="independent",
            enable_providers=project.enable_providers,
            build=project.build,
            build_packages=project.build_packages,
            no_build_packages=project.no_build_packages,
            builds=project.builds,
        )


class _Allowed(Value, frozen=True):
    """The PackageSource of a build: source distributions only if allowed.

    A lock accepts static metadata of a source distribution that may not be built; here
    it would be built next, so it is refused. The projects in ``direct`` have a direct
    source, which a build cannot use; no index is asked for them. Those in ``locked``
    that the build system does not ask for itself have the locked version alone.
    """

    inputs: Inputs
    indexes: PackageIndexes
    chain: tuple[NormalizedName, ...]
    direct: frozenset[str]
    locked: Mapping[NormalizedName, LockedDistribution]

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        locked = self.locked.get(name)
        roots = (root.requirement.name for root in self.inputs.requirements)
        if locked is not None and name not in roots:
            return _only(locked)
        if name in self.direct:
            raise ProjectNotFound(name, ("any index, because it has a direct source",))
        return self.indexes.releases(name, target)

    def variant_metadata(
        self, release: Release, target: Target
    ) -> VariantMetadata | Unusable:
        return self.indexes.variant_metadata(release, target)

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        if release.index == _LOCKED:
            return CoreMetadata(name=release.name, version=release.version)
        refused = self.refusal(release, file)
        if refused is not None:
            return refused
        return self.indexes.core_metadata(release, file)

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        if file.filename.endswith(".whl"):
            return None
        if release.name in self.chain:
            start = self.chain.index(release.name)
            return Unusable(BuildCycle((*self.chain[start:], release.name)))
        return refused_metadata(self.inputs, release.name)

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        del requirements, target, guess  # would build what is refused here


def _only(locked: LockedDistribution) -> Releases:
    """Return the locked version as all that there is of a project.

    That it fits the target is decided, and what it requires is locked as well: to the
    solver it is a wheel for every machine that requires nothing.
    """
    stem = f"{locked.name.replace('-', '_')}-{locked.version}"
    wheel = RemoteFile(
        filename=f"{stem}-py3-none-any.whl",
        url=_LOCKED,
        hashes={"sha256": locked_sha256(locked.file)},
        size=0,
    )
    release = Release(
        name=locked.name, version=locked.version, index=_LOCKED, wheels=(wheel,)
    )
    return Releases(
        name=locked.name,
        index=_LOCKED,
        index_url="",
        versions=(locked.version,),
        finals=0 if parse_version(locked.version).is_prerelease else 1,
        yanked=0,
        earliest_upload=(None,),
        load=lambda _: release,
    )


def _file(pin: Pin) -> PackageWheel | PackageSdist:
    file = pin.file
    kind = PackageWheel if file.filename.endswith(".whl") else PackageSdist
    return kind(name=file.filename, url=file.url, size=file.size, hashes=file.hashes)
