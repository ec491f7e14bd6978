"""Resolve and install the build requirements of a source distribution."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from polylock.build.policy import refused_metadata
from polylock.environment.discovery import environment_python
from polylock.environment.installed import read_installed
from polylock.environment.venv import open_environment
from polylock.errors import HashMismatch, ProjectNotFound
from polylock.explain.failure import solved
from polylock.explain.reasons import BuildCycle
from polylock.installation.execute import execute
from polylock.installation.link import Linker, LinkMode
from polylock.installation.plan import SyncRequest, WantedDistribution, plan_sync
from polylock.lockfile.pylock import PackageSdist, PackageWheel
from polylock.model.distributions import Release, Releases, RemoteFile, Unusable
from polylock.model.inputs import DEFAULT_INDEX, IndexLocation, Inputs, RootRequirement
from polylock.model.requirements import Requirement
from polylock.model.source_choice import direct_sources
from polylock.operations.builds.fetch import WheelFetcher
from polylock.operations.machine import python_release, this_machine
from polylock.ports import Guess, SilentReporter
from polylock.project.settings import default_index_url
from polylock.providers.derive import build_target
from polylock.resolution.solve import Solver
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.index.source import PackageIndexes
    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.pins import Pin
    from polylock.model.target import Target
    from polylock.operations.builds.sdists import SdistBuilds
    from polylock.operations.context import Context
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["MachineProvisioner"]

_TARGET = "build"


class MachineProvisioner(Value, frozen=True, kw_only=True):
    """Implements ``Provisioner`` for this machine and one Python.

    Build requirements come from the indexes of the project, no newer than it allows.
    They are wheels; source distributions only if the project allows their backends to
    run while it is locked. ``builds`` builds these, and its Python is the one to
    provision for.
    """

    builds: SdistBuilds

    def provision(self, requirements: Sequence[str], directory: Path) -> Path:
        """Install the requirements into an environment; see the port."""
        pins = self._solve(requirements) if requirements else ()
        interpreter = open_environment(directory)
        plan = plan_sync(
            SyncRequest(wanted=tuple(_wanted(pin) for pin in pins)),
            read_installed(interpreter.site_directories),
        )
        fetcher = WheelFetcher(
            context=self.context,
            files={pin.name: _file(pin) for pin in pins},
            root=directory,
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
            source = _Allowed(inputs, indexes, self.builds.chain, direct)
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
            align="independent",
            enable_providers=project.enable_providers,
            build=project.build,
            build_packages=project.build_packages,
            no_build_packages=project.no_build_packages,
        )


class _Allowed(Value, frozen=True):
    """The PackageSource of a build: source distributions only if allowed.

    A lock accepts static metadata of a source distribution that may not be built; here
    it would be built next, so it is refused. The projects in ``direct`` have a direct
    source, which a build cannot use; no index is asked for them.
    """

    inputs: Inputs
    indexes: PackageIndexes
    chain: tuple[NormalizedName, ...]
    direct: frozenset[str]

    def releases(self, name: NormalizedName, target: Target) -> Releases:
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


def _wanted(pin: Pin) -> WantedDistribution:
    return WantedDistribution(
        name=pin.name,
        version=pin.version,
        filename=pin.file.filename,
        sha256=pin.file.hashes["sha256"],
        variant_label=pin.variant_label,
    )


def _file(pin: Pin) -> PackageWheel | PackageSdist:
    file = pin.file
    kind = PackageWheel if file.filename.endswith(".whl") else PackageSdist
    return kind(name=file.filename, url=file.url, size=file.size, hashes=file.hashes)
