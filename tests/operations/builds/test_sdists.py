"""Locked source distributions are built once, isolated, and only where allowed."""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.pythons import this_python
from fakes.sdists import FAILING_WHEEL, NO_METADATA_HOOK, in_tree
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from polylock.build.policy import refused_metadata, require_allowed
from polylock.errors import BuildFailed, BuildForbidden, FileCorrupt
from polylock.explain.reasons import NeedsBuild
from polylock.installation.archive import TREE
from polylock.model.core_metadata import CoreMetadata
from polylock.model.distributions import Unusable
from polylock.model.inputs import BuildPolicy, IndexLocation, Inputs
from polylock.operations.builds.sdists import LocalSdist
from polylock.operations.builds.wiring import IndexContext, machine_builds
from polylock.operations.machine import python_release, this_machine
from polylock.ports import SilentReporter
from polylock.project.settings import Settings
from polylock.providers.derive import build_target
from polylock.values import replace

if TYPE_CHECKING:
    from polylock.model.distributions import Release, RemoteFile

DEMO = canonicalize_name("demo")


class Builds(SilentReporter):
    """A Reporter that keeps what was built."""

    def __init__(self) -> None:
        self.built: list[str] = []

    def building(self, name: str, version: str) -> None:
        """Keep name and version."""
        self.built.append(f"{name} {version}")


class World:
    """An index and a context that asks it; counts builds."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.index = Index(server)
        self.server = server
        self.files = tmp_path / "files"
        self.settings = Settings(cache_dir=tmp_path / "cache")
        self.reporter = Builds()

    def context(self, build: BuildPolicy = "local", *allowed: str) -> IndexContext:
        """Return a new context of the same cache."""
        inputs = Inputs(
            indexes=(IndexLocation(name="a", url=self.index.url),),
            build=build,
            build_packages=allowed,
        )
        return IndexContext(self.settings, inputs, self.reporter)

    def archive(self, path: Path, chain: tuple[str, ...] = ()) -> Path:
        """Build a file for the Python that runs the tests; return the wheel's tree."""
        names = tuple(canonicalize_name(name) for name in chain)
        with self.context() as context:
            builds = machine_builds(context, this_python())
            builds = replace(builds, chain=names)
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            sdist = LocalSdist(path=path, filename=path.name, sha256=sha256)
            return builds.archive(sdist) / TREE

    def metadata(self, build: BuildPolicy, *allowed: str) -> CoreMetadata | Unusable:
        """Ask the indexes for the metadata of demo's source distribution."""
        with self.context(build, *allowed) as context:
            release, file = self.release(context)
            return context.source.core_metadata(release, file)

    def release(self, context: IndexContext) -> tuple[Release, RemoteFile]:
        """Return the only release of demo and its source distribution."""
        python = python_release(this_python())
        target = build_target(this_machine().describe(python))
        release = context.source.releases(DEMO, target).release(0)
        assert release.sdist is not None
        return release, release.sdist


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return an empty index and an empty cache."""
    return World(server, tmp_path)


def said(tree: Path, variable: str = "built", module: str = "__init__") -> object:
    """Return what the backend wrote into the wheel."""
    text = (tree / "demo" / f"{module}.py").read_text("utf-8")
    return ast.literal_eval(text.removeprefix(f"{variable} = "))


def test_a_wheel_is_built_once(world: World) -> None:
    """The second time it comes from the cache, of a new process as well."""
    path = in_tree(world.files, "demo", "1.0")
    first = world.archive(path)
    assert (first / "demo" / "__init__.py").is_file()
    assert world.archive(path) == first
    assert world.reporter.built == ["demo 1.0"]


def test_a_build_sees_a_clean_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the caller's Python path nor settings or secrets of installers."""
    monkeypatch.setenv("PYTHONPATH", str(world.files))
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@example.com/simple")
    monkeypatch.setenv("POLYLOCK_INDEX_A_PASSWORD", "secret")
    monkeypatch.setenv("CFLAGS", "-O2")
    facts = said(world.archive(in_tree(world.files, "demo", "1.0")))
    assert isinstance(facts, dict)
    seen = set(facts["variables"])
    assert seen.isdisjoint({"PYTHONPATH", "PIP_INDEX_URL", "POLYLOCK_INDEX_A_PASSWORD"})
    assert {"CFLAGS", "PATH"} <= seen
    assert facts["python"] == sys.version_info[:2]
    assert "secret" in os.environ["PIP_INDEX_URL"]


def test_build_requirements_are_there_and_nothing_else(world: World) -> None:
    """Those of the table and those that the hook asks for can be imported."""
    for name in ("helper", "plugin"):
        world.index.add(name, [build_wheel(world.files, name, "1.5")])
    path = in_tree(
        world.files,
        "demo",
        "1.0",
        requires=["helper"],
        further=["plugin>=1"],
        imports=["helper", "plugin"],
    )
    tree = world.archive(path)
    assert said(tree, "imported", "helper") == "1.5"
    assert said(tree, "imported", "plugin") == "1.5"
    lonely = in_tree(world.files, "other", "1.0", imports=["pytest"])
    with pytest.raises(BuildFailed) as caught:
        world.archive(lonely)
    assert any("No module named 'pytest'" in line for line in caught.value.output)


def test_a_failing_backend_is_shown(world: World) -> None:
    """The error names the step and holds the last lines of the output."""
    path = in_tree(world.files, "demo", "1.0", backend=FAILING_WHEEL)
    with pytest.raises(BuildFailed) as caught:
        world.archive(path)
    assert str(caught.value) == (
        "cannot build demo 1.0: build_wheel exited with status 1"
    )
    assert {"looking for libdemo", "error: libdemo.h: No such file"} <= set(
        caught.value.details()
    )
    assert caught.value.hint()


def test_unmeetable_build_requirements_are_a_failed_build(world: World) -> None:
    """The package being built is named, and why the requirement cannot be met."""
    world.index.add("helper", [build_wheel(world.files, "helper", "1.5")])
    path = in_tree(world.files, "demo", "1.0", requires=["helper>=2"])
    with pytest.raises(BuildFailed, match=r"demo 1\.0: its build requirements") as old:
        world.archive(path)
    assert any("helper" in line for line in old.value.details())
    missing = in_tree(world.files, "demo", "2.0", requires=["nowhere"])
    with pytest.raises(BuildFailed, match="nowhere was not found"):
        world.archive(missing)


def test_a_cycle_of_builds_is_named(world: World) -> None:
    """A project that is needed to build itself is refused before it is unpacked."""
    path = in_tree(world.files, "demo", "1.0")
    with pytest.raises(BuildFailed, match="demo -> helper -> demo"):
        world.archive(path, chain=("first", "demo", "helper"))
    assert world.reporter.built == []


def test_a_damaged_wheel_in_the_cache_is_built_anew(
    world: World, tmp_path: Path
) -> None:
    """What rots in the cache is never installed."""
    path = in_tree(world.files, "demo", "1.0")
    archive = world.archive(path)
    for file in (tmp_path / "cache").glob("files-v*/*/*"):
        file.write_bytes(b"rotten")
    assert world.archive(path) == archive  # unpacked already
    for place in (tmp_path / "cache").glob("archives-v*"):
        shutil.rmtree(place)
    assert (world.archive(path) / "demo" / "__init__.py").is_file()
    assert world.reporter.built == ["demo 1.0", "demo 1.0"]


def test_a_build_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    """Trees and environments are gone after a good build and a failed one."""
    world.archive(in_tree(world.files, "demo", "1.0"))
    failing = in_tree(world.files, "other", "1.0", backend=FAILING_WHEEL)
    with pytest.raises(BuildFailed):
        world.archive(failing)
    assert list((tmp_path / "cache").rglob(".tmp-*")) == []


def test_a_file_that_is_no_sdist_is_corrupt(world: World, tmp_path: Path) -> None:
    """The file is named."""
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(b"nonsense")
    with pytest.raises(FileCorrupt, match=r"demo-1\.0\.tar\.gz"):
        world.archive(path)


@pytest.mark.parametrize("backend", ["", NO_METADATA_HOOK])
def test_metadata_is_built_where_allowed(world: World, backend: str) -> None:
    """By the hook or, without one, from the wheel; the second time from the cache."""
    path = in_tree(
        world.files, "demo", "1.0", built_requires=["helper>=1"], backend=backend
    )
    world.index.add("demo", [path])
    for _ in range(2):
        found = world.metadata("local", "demo")
        assert isinstance(found, CoreMetadata)
        assert [str(r) for r in found.requires_dist] == ["helper>=1"]
    assert world.reporter.built == ["demo 1.0"]


def test_metadata_is_not_built_by_default(world: World) -> None:
    """Locking runs no code of an index; the reason names the key, and is not kept."""
    world.index.add("demo", [in_tree(world.files, "demo", "1.0")])
    for _ in range(2):
        found = world.metadata("local")
        assert found == Unusable(NeedsBuild("build-package"))
    assert world.reporter.built == []
    assert isinstance(world.metadata("all"), CoreMetadata)
    assert isinstance(world.metadata("local"), Unusable)


def test_static_metadata_needs_no_build(world: World) -> None:
    """What PKG-INFO promises is taken as it is (PEP 643)."""
    pkg_info = (
        "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nRequires-Dist: a>=1\n\n"
    )
    world.index.add("demo", [in_tree(world.files, "demo", "1.0", pkg_info=pkg_info)])
    found = world.metadata("none")
    assert isinstance(found, CoreMetadata)
    assert [r.name for r in found.requires_dist] == ["a"]
    assert world.reporter.built == []


def test_a_failed_build_of_metadata_ends_the_lock(world: World) -> None:
    """It says something of this machine, so it must not decide what is locked."""
    failing = "def prepare_metadata_for_build_wheel(*_): raise SystemExit('no gcc')\n"
    world.index.add("demo", [in_tree(world.files, "demo", "1.0", backend=failing)])
    with pytest.raises(BuildFailed, match="prepare_metadata_for_build_wheel"):
        world.metadata("all")


@pytest.mark.parametrize(
    ("inputs", "allowed"),
    [
        (Inputs(), False),
        (Inputs(build="all"), True),
        (Inputs(build_packages=("demo",)), True),
        (Inputs(build_packages=("other",)), False),
        (Inputs(build="all", no_build_packages=("demo",)), False),
        (Inputs(build="none", build_packages=("demo",)), True),
        (Inputs(build="none", build_packages=("other",)), False),
    ],
)
def test_whose_metadata_may_be_built(inputs: Inputs, *, allowed: bool) -> None:
    """``build`` and its lists decide; a no is stronger than a yes."""
    assert (refused_metadata(inputs, DEMO) is None) is allowed


@pytest.mark.parametrize(
    ("inputs", "policy"),
    [
        (Inputs(build="none"), 'build = "none"'),
        (Inputs(no_build_packages=("demo",)), 'no-build-package = ["demo"]'),
    ],
)
def test_what_must_not_be_built_is_told_with_the_key(
    inputs: Inputs, policy: str
) -> None:
    """Exactly the two keys forbid the build of what is locked."""
    require_allowed(Inputs(), DEMO, "1.0")
    with pytest.raises(BuildForbidden) as caught:
        require_allowed(inputs, DEMO, "1.0")
    assert policy in str(caught.value)
    assert policy.partition(" ")[0] in str(caught.value.hint())
