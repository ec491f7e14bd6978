"""Two indexes, and sources that ask them like a solver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from fakes.server import Index, Server
from fakes.wheels import build_wheel
from polylock.index.source import PackageIndexes
from polylock.model.core_metadata import CoreMetadata
from polylock.model.inputs import IndexLocation, IndexSource, Inputs
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    Target,
    TargetDescription,
)
from polylock.network.http_cache import CacheMode
from polylock.variants.properties import SupportedProperties

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from polylock.cache.store import Store
    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.requirements import Requirement
    from polylock.network.client import Client

__all__ = ["CPU", "World", "make_target", "newest", "solve"]


def make_target(
    name: str = "cpu",
    *,
    stated: SupportedProperties | None = None,
    derived: SupportedProperties | None = None,
) -> Target:
    """Return a target that takes pure Python wheels."""
    return Target(
        description=TargetDescription(
            name=name,
            system=OperatingSystem.LINUX,
            architecture=Architecture.X86_64,
            python=PythonRelease(major=3, minor=12),
        ),
        marker_environment={"sys_platform": "linux", "python_version": "3.12"},
        tags=("py3-none-any",),
        stated=stated or SupportedProperties(),
        derived=derived or SupportedProperties(),
    )


CPU = make_target()


def newest(
    releases: Releases, requirement: Requirement, target: Target
) -> tuple[Release, RemoteFile] | None:
    """Guess the first wheel of the newest version."""
    assert requirement.name == releases.name
    assert target.name
    if not releases.versions:
        return None
    release = releases.release(len(releases.versions) - 1)
    return (release, release.wheels[0]) if release.wheels else None


class World:
    """Two indexes on one server, and sources that share a cache."""

    def __init__(
        self, server: Server, store: Store, client: Client, wheels: Path
    ) -> None:
        self.server = server
        self.first = Index(server, "/first")
        self.second = Index(server, "/second")
        self.client = client
        self._store = store
        self._wheels = wheels
        self._open: list[PackageIndexes] = []

    def add(
        self,
        index: Index,
        name: str,
        version: str = "1.0",
        **keywords: Any,  # noqa: ANN401 - those of build_wheel
    ) -> None:
        """Serve one wheel of a project."""
        directory = self._wheels / index.url.rpartition("/")[2]
        index.add(name, [build_wheel(directory, name, version, **keywords)])

    def source(
        self,
        *,
        mode: CacheMode = CacheMode.NORMAL,
        explicit: bool = False,
        absent: tuple[int, ...] = (),
        sources: Mapping[str, tuple[IndexSource, ...]] | None = None,
    ) -> PackageIndexes:
        """Open a source; ``explicit`` is of the second, ``absent`` of the first."""
        inputs = Inputs(
            indexes=(
                IndexLocation(name="first", url=self.first.url, absent=absent),
                IndexLocation(name="second", url=self.second.url, explicit=explicit),
            ),
            sources=sources or {},
        )
        made = PackageIndexes(self._store, self.client, inputs=inputs, mode=mode)
        self._open.append(made)
        return made

    def close(self) -> None:
        """Close all sources."""
        for source in self._open:
            source.close()

    @property
    def asked(self) -> list[str]:
        """Return the paths asked for, sorted: threads come in any order."""
        return sorted(received.path for received in self.server.log)


def solve(source: PackageIndexes, *, names: Sequence[str] = "abc") -> list[str]:
    """Ask for one project after the other, like a solver."""
    asked = []
    for name in names:
        found = source.releases(canonicalize_name(name), CPU)
        release = found.release(0)
        metadata = source.core_metadata(release, release.wheels[0])
        assert isinstance(metadata, CoreMetadata)
        asked.append(f"{metadata.name} {metadata.version}")
    return asked
