"""Build requirements are resolved by polylock and put into the build's environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.pythons import sites_of, this_python
from fakes.sdists import in_tree
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from polylock.environment.installed import read_installed
from polylock.environment.venv import create
from polylock.errors import (
    BuildFailed,
    HashMismatch,
    NoSolution,
    Offline,
    ProjectNotFound,
)
from polylock.model.inputs import IndexLocation, Inputs
from polylock.operations.builds.provision import MachineProvisioner
from polylock.operations.builds.wiring import machine_builds
from polylock.operations.context import Context
from polylock.ports import SilentReporter
from polylock.project.settings import Settings
from polylock.values import replace

if TYPE_CHECKING:
    from polylock.environment.interpreter import Interpreter


class World:
    """An index, an empty environment, and what fills it."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.index = Index(server)
        self.server = server
        self.files = tmp_path / "files"
        self.settings = Settings(cache_dir=tmp_path / "cache")
        self.interpreter: Interpreter = this_python()
        self.directory = tmp_path / "environment"
        create(self.directory, self.interpreter)

    def serve(self, name: str, *versions: str, requires: tuple[str, ...] = ()) -> None:
        """Put wheels of a project on the index."""
        wheels = [
            build_wheel(self.files, name, version, requires=requires)
            for version in versions
        ]
        self.index.add(name, wheels)

    def provision(
        self, *requirements: str, inputs: Inputs | None = None, chain: str = ""
    ) -> dict[str, str]:
        """Provision; return what is installed then."""
        location = IndexLocation(name="a", url=self.index.url)
        inputs = inputs or Inputs(indexes=(location,))
        names = tuple(canonicalize_name(name) for name in chain.split())
        with Context(self.settings, inputs, SilentReporter()) as context:
            builds = machine_builds(context, self.interpreter)
            provisioner = MachineProvisioner(builds=replace(builds, chain=names))
            provisioner.provision(requirements, self.directory)
        found = read_installed(sites_of(self.directory))
        return {one.name: one.version for one in found}


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return an index with nothing on it."""
    return World(server, tmp_path)


def test_requirements_are_resolved_with_their_dependencies(world: World) -> None:
    """The newest versions that fit, and what they require."""
    world.serve("backend", "1.0", "2.0", "3.0", requires=("helper>=1",))
    world.serve("helper", "1.5")
    found = world.provision("backend>=1,<3", "unused; python_version < '3'")
    assert found == {"backend": "2.0", "helper": "1.5"}


def test_a_second_call_adds_what_is_asked_for(world: World) -> None:
    """The hook of a backend may ask for more; what is there stays."""
    world.serve("backend", "1.0")
    world.serve("plugin", "1.0")
    assert world.provision("backend") == {"backend": "1.0"}
    assert world.provision("backend", "plugin") == {"backend": "1.0", "plugin": "1.0"}


def test_nothing_is_asked_for_nothing(world: World) -> None:
    """A backend in the tree needs no distribution, and no index is asked."""
    assert world.provision() == {}
    assert world.server.log == []


def test_a_requirement_that_no_version_meets_is_no_solution(world: World) -> None:
    """The explanation names the requirement."""
    world.serve("backend", "1.0")
    with pytest.raises(NoSolution) as caught:
        world.provision("backend>=2")
    assert any("backend" in line for line in caught.value.explanation)


def test_a_project_that_no_index_has_is_named(world: World) -> None:
    """As in a lock."""
    with pytest.raises(ProjectNotFound, match="backend"):
        world.provision("backend")


def test_offline_needs_a_warm_cache(world: World, tmp_path: Path) -> None:
    """What was fetched once serves a second environment without the network."""
    world.serve("backend", "1.0")
    world.settings = Settings(cache_dir=tmp_path / "cache", offline=True)
    with pytest.raises(Offline):
        world.provision("backend")
    world.settings = Settings(cache_dir=tmp_path / "cache")
    world.provision("backend")
    world.settings = Settings(cache_dir=tmp_path / "cache", offline=True)
    world.directory = tmp_path / "second"
    create(world.directory, world.interpreter)
    assert world.provision("backend") == {"backend": "1.0"}


def test_a_wheel_with_another_hash_is_refused(world: World) -> None:
    """Build requirements are verified like all else."""
    world.serve("backend", "1.0")
    path = world.index.file("backend-1.0-py3-none-any.whl")
    body = world.server.routes[path].body
    world.server.change(path, body=body[:-1] + b"x", ranges=False)
    with pytest.raises(HashMismatch) as caught:
        world.provision("backend")
    assert "the index describes a different file" in str(caught.value.hint())


def test_the_cutoff_of_the_project_counts(world: World) -> None:
    """A build takes nothing newer than the project allows."""
    wheels = [build_wheel(world.files, "backend", v) for v in ("1.0", "2.0")]
    world.index.add("backend", wheels[:1], row={"upload-time": "2026-01-01T00:00:00Z"})
    first = world.server.routes[world.index.page("backend")].body
    world.index.add("backend", wheels[1:], row={"upload-time": "2026-03-01T00:00:00Z"})
    second = world.server.routes[world.index.page("backend")].body
    merged = first.replace(b"]}", b", " + second.split(b'"files": [')[1])
    world.server.change(world.index.page("backend"), body=merged)
    inputs = Inputs(
        indexes=(IndexLocation(name="a", url=world.index.url),),
        exclude_newer=1_769_900_000_000_000,  # 2026-01-31
    )
    assert world.provision("backend", inputs=inputs) == {"backend": "1.0"}


def test_a_source_distribution_is_not_built_to_build(world: World) -> None:
    """Only wheels serve a build, unless the project lets that backend run."""
    world.index.add("backend", [in_tree(world.files, "backend", "1.0")])
    with pytest.raises(NoSolution):
        world.provision("backend")


def test_a_source_distribution_is_built_where_the_project_allows(world: World) -> None:
    """A build requirement that has no wheel is built first, in its turn."""
    world.serve("helper", "1.5")
    path = in_tree(world.files, "backend", "1.0", requires=["helper"])
    world.index.add("backend", [path])
    inputs = Inputs(
        indexes=(IndexLocation(name="a", url=world.index.url),),
        build_packages=("backend",),
    )
    assert world.provision("backend", inputs=inputs) == {"backend": "1.0"}


def test_a_project_that_is_being_built_comes_as_a_wheel(world: World) -> None:
    """A backend that builds itself takes an older wheel of itself, or is refused."""
    inputs = Inputs(
        indexes=(IndexLocation(name="a", url=world.index.url),), build="all"
    )
    sdist = in_tree(world.files, "backend", "2.0")
    wheel = build_wheel(world.files, "backend", "1.0")
    world.index.add("backend", [sdist, wheel])
    found = world.provision("backend", inputs=inputs, chain="backend")
    assert found == {"backend": "1.0"}


def test_a_cycle_of_builds_is_named(world: World) -> None:
    """Two projects that are built with each other: both names, in order."""
    inputs = Inputs(
        indexes=(IndexLocation(name="a", url=world.index.url),), build="all"
    )
    world.index.add("one", [in_tree(world.files, "one", "1.0", requires=["two"])])
    world.index.add("two", [in_tree(world.files, "two", "1.0", requires=["one"])])
    with pytest.raises(BuildFailed) as caught:
        world.provision("one", inputs=inputs, chain="")
    assert any("one -> two -> one" in line for line in caught.value.details())
