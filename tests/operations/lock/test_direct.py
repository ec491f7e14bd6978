"""Lock and sync direct references, paths, editables and git, offline."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fakes.repositories import git_repository, source_tree
from fakes.sdists import in_tree
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, Spy, this_target
from polylock.errors import (
    BuildFailed,
    BuildForbidden,
    HashMismatch,
    NoSolution,
    ProjectError,
    SourceUnusable,
    TargetMismatch,
)
from polylock.operations.inspect.check import check
from polylock.operations.lock.lock import lock
from polylock.operations.lock.request import LockRequest
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.lockfile.pylock import Package

ANY = SyncOptions(search_path=os.environ.get("PATH", ""))


class World:
    """A project for this machine, an index on loopback and room for sources."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.server = server
        self.index = Index(server)
        self.root = tmp_path
        self.files = tmp_path / "files"
        self.project = Project(
            directory=tmp_path / "project",
            index_url=f"{self.index.url}/",
            settings={"python": sys.executable},
        )

    def require(
        self,
        *requirements: str,
        sources: str = "",
        options: str = "",
        targets: str = "",
    ) -> None:
        """Write the project file."""
        self.project.write(
            f'[project]\nname = "a"\nversion = "1"\n'
            f"dependencies = {list(requirements)!r}\n"
            f"[tool.polylock]\n{options}\n[tool.polylock.sources]\n{sources}\n"
            + (targets or this_target())
        )

    def package(self, name: str) -> Package:
        """Return the one entry of a project in the lock file."""
        (found,) = [p for p in self.project.pylock.packages if p.name == name]
        return found

    def direct_url(self, name: str) -> Any:  # noqa: ANN401 - a JSON document
        """Return the document direct_url.json of an installed distribution."""
        path = self.project.installed()[name].path / "direct_url.json"
        return json.loads(path.read_text("utf-8"))


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return an empty project."""
    return World(server, tmp_path)


def test_a_version_that_the_source_does_not_have(world: World) -> None:
    """The message names the source, for there is no index that has the project."""
    source_tree(world.root / "lib", "lib")
    world.require("lib>=99", sources='lib = { path = "../lib" }')
    with pytest.raises(NoSolution) as caught:
        world.project.lock()
    assert (
        "no version of lib matches >=99; lib @ ../lib has "
        in caught.value.explanation[1]
    )


def test_a_cutoff_says_nothing_of_direct_sources(world: World) -> None:
    """A directory has no upload time, so nobody is warned that it tells none."""
    source_tree(world.root / "lib", "lib")
    world.require(
        "lib",
        sources='lib = { path = "../lib" }',
        options='exclude-newer = "2026-01-01"',
    )
    assert lock(world.project.with_settings(), LockRequest(), Spy()).notes == ()


def test_a_path_is_locked_relative_and_installed(world: World) -> None:
    """The lock names a directory without version; its tree becomes a wheel."""
    source_tree(world.root / "lib", "lib")
    world.require("lib>=1", sources='lib = { path = "../lib" }')
    world.project.lock()
    package = world.package("lib")
    assert package.directory is not None
    assert (package.directory.path, package.directory.editable) == ("../lib", None)
    assert package.version is None
    assert str(world.root) not in world.project.lock_path.read_text("utf-8")
    world.project.sync(ANY)
    assert world.project.run("import lib; print(bool(lib.built))") == "True"
    assert world.direct_url("lib") == {
        "url": (world.root / "lib").as_uri(),
        "dir_info": {},
    }


def test_an_editable_path_is_installed_by_pep_660(world: World) -> None:
    """A change of the code needs no sync; a change of the build files does."""
    tree = source_tree(world.root / "lib", "lib")
    world.require("lib", sources='lib = { path = "../lib", editable = true }')
    world.project.lock()
    assert world.package("lib").directory is not None
    assert "editable = true" in world.project.lock_path.read_text("utf-8")
    world.project.sync(ANY)
    assert world.direct_url("lib")["dir_info"] == {"editable": True}
    (tree / "src" / "lib" / "__init__.py").write_text("built = 'anew'\n", "utf-8")
    assert world.project.run("import lib; print(lib.built)") == "anew"
    assert world.project.sync(ANY).plan.is_empty
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert [e.name for e in world.project.sync(ANY).plan.reinstall] == ["lib"]


def test_a_changed_directory_is_built_anew_and_needs_no_lock(world: World) -> None:
    """Its content is no part of the lock file, and a second sync has nothing to do."""
    tree = source_tree(world.root / "lib", "lib")
    world.require("lib", sources='lib = { path = "../lib" }')
    world.project.lock()
    world.project.sync(ANY)
    assert world.project.sync(ANY).plan.is_empty
    (tree / "src" / "lib" / "more.py").write_text("", "utf-8")
    assert check(world.project.with_settings()).up_to_date
    assert [e.name for e in world.project.sync(ANY).plan.reinstall] == ["lib"]


def test_a_commit_is_pinned_until_an_upgrade(world: World) -> None:
    """The branch moves, and the lock stays where it is until it is asked to move."""
    repository = source_tree(world.root / "lib", "lib")
    first = git_repository(repository)
    url = repository.as_uri()
    world.require("lib", sources=f'lib = {{ git = "{url}", branch = "main" }}')
    world.project.lock()
    vcs = world.package("lib").vcs
    assert vcs is not None
    assert (vcs.path, vcs.url) == ("../lib", None)
    assert (vcs.commit_id, vcs.requested_revision) == (first, "main")
    assert world.package("lib").version == "1.0"
    world.project.sync(ANY)
    assert world.direct_url("lib") == {
        "url": url,
        "vcs_info": {"vcs": "git", "commit_id": first, "requested_revision": "main"},
    }
    source_tree(repository, "lib", "2.0")
    second = git_repository(repository)
    other = build_wheel(world.files, "other", "1.0")
    world.index.add("other", [other])
    world.require("lib", "other", sources=f'lib = {{ git = "{url}", branch = "main" }}')
    world.project.lock()
    kept = world.package("lib").vcs
    assert kept is not None
    assert kept.commit_id == first
    world.project.lock(LockRequest(upgrade_packages={world.package("lib").name: None}))
    moved = world.package("lib").vcs
    assert moved is not None
    assert moved.commit_id == second
    assert [e.name for e in world.project.sync(ANY).plan.reinstall] == ["lib"]
    assert world.project.installed()["lib"].version == "2.0"


def test_a_git_url_with_tag_and_subdirectory(world: World) -> None:
    """A direct reference says the same as an entry of sources."""
    source_tree(world.root / "repo" / "python" / "lib", "lib", dynamic=True)
    commit = git_repository(world.root / "repo", tag="v1")
    url = f"git+{(world.root / 'repo').as_uri()}@v1#subdirectory=python/lib"
    world.require(f"lib @ {url}")
    world.project.lock()
    package = world.package("lib")
    assert package.vcs is not None
    assert (package.vcs.commit_id, package.vcs.subdirectory) == (commit, "python/lib")
    assert package.version is None  # only a build tells
    assert str(world.root) not in world.project.lock_path.read_text("utf-8")
    world.project.sync(ANY)
    assert world.direct_url("lib")["subdirectory"] == "python/lib"
    assert world.project.sync(ANY).plan.is_empty


@pytest.mark.parametrize("with_hash", [False, True])
def test_a_wheel_url_is_locked_with_its_hash(world: World, *, with_hash: bool) -> None:
    """Given or computed, and its dependencies come from the index."""
    wheel = build_wheel(world.files, "lib", "1.0", requires=["other"])
    world.index.add("lib", [wheel])
    world.index.add("other", [build_wheel(world.files, "other", "1.5")])
    url = f"{world.server.url}{world.index.file(wheel.name)}"
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    world.require(f"lib @ {url}" + (f"#sha256={sha256}" if with_hash else ""))
    world.project.lock()
    package = world.package("lib")
    assert package.archive is not None
    assert package.archive.url == url
    assert dict(package.archive.hashes) == {"sha256": sha256}
    assert package.version == "1.0"
    assert world.package("other").version == "1.5"
    world.project.sync(ANY)
    assert world.direct_url("lib") == {
        "url": url,
        "archive_info": {"hashes": {"sha256": sha256}},
    }
    assert world.project.sync(ANY).plan.is_empty


@pytest.mark.parametrize("with_hash", [False, True])
def test_a_wheel_url_that_changed_is_refused(world: World, *, with_hash: bool) -> None:
    """The hint names who stated the hash: the project file, or the lock file."""
    wheel = build_wheel(world.files, "lib", "1.0")
    world.index.add("lib", [wheel])
    path = world.index.file(wheel.name)
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    url = f"lib @ {world.server.url}{path}" + (f"#sha256={sha256}" if with_hash else "")
    world.require(url)
    if not with_hash:
        world.project.lock()
        world.index.add("more", [build_wheel(world.files, "more", "1.0")])
        world.require(url, "more")
    body = world.server.routes[path].body
    world.server.change(path, body=body[:-1] + b"x")
    with pytest.raises(HashMismatch) as raised:
        world.project.lock(cache_dir=world.root / "other-cache")
    said = "correct the hash" if with_hash else "lock --upgrade-package"
    assert said in str(raised.value.hint())


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha512"])
def test_a_url_may_state_another_hash(world: World, algorithm: str) -> None:
    """The file is compared with it, the SHA-256 is locked, and the lock stays so."""
    wheel = build_wheel(world.files, "lib", "1.0")
    world.index.add("lib", [wheel])
    url = f"{world.server.url}{world.index.file(wheel.name)}"
    content = wheel.read_bytes()
    stated = hashlib.new(algorithm, content).hexdigest()
    world.require(f"lib @ {url}#{algorithm}={stated}")
    world.project.lock()
    archive = world.package("lib").archive
    assert archive is not None
    assert archive.url == url
    assert dict(archive.hashes) == {"sha256": hashlib.sha256(content).hexdigest()}
    world.project.sync(ANY)
    assert world.project.sync(ANY).plan.is_empty


@pytest.mark.parametrize("algorithm", ["md5", "sha512"])
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_url_with_another_hash_that_is_wrong(
    world: World, algorithm: str, *, is_cached: bool
) -> None:
    """It is refused, also where the file lies in the cache already."""
    wheel = build_wheel(world.files, "lib", "1.0")
    world.index.add("lib", [wheel])
    url = f"{world.server.url}{world.index.file(wheel.name)}"
    if is_cached:
        world.require(f"lib @ {url}")
        world.project.lock()
    wrong = hashlib.new(algorithm, b"another").hexdigest()
    world.require(f"lib @ {url}#{algorithm}={wrong}")
    with pytest.raises(HashMismatch, match=f"{algorithm}:{wrong}") as raised:
        world.project.lock()
    assert "correct the hash" in str(raised.value.hint())


def test_local_files_are_locked_and_installed(world: World) -> None:
    """A wheel by a file URL, a source distribution by a path."""
    wheel = build_wheel(world.files, "lib", "1.0")
    sdist = in_tree(world.files, "demo", "2.0")
    world.require(
        f"lib @ {wheel.as_uri()}",
        "demo",
        sources=f'demo = {{ path = "../files/{sdist.name}" }}',
    )
    world.project.lock()
    archive, other = world.package("lib").archive, world.package("demo").archive
    assert archive is not None
    assert other is not None
    assert (archive.path, other.path) == (
        f"../files/{wheel.name}",
        f"../files/{sdist.name}",
    )
    assert world.package("demo").version == "2.0"
    assert str(world.root) not in world.project.lock_path.read_text("utf-8")
    world.project.sync(ANY)
    assert world.project.installed()["demo"].version == "2.0"
    assert world.project.sync(ANY).plan.is_empty


def test_an_sdist_url_is_built_to_be_locked_only_where_allowed(world: World) -> None:
    """It is no path and no repository: ``build = "local"`` does not cover it."""
    sdist = in_tree(world.files, "demo", "2.0")
    world.index.add("demo", [sdist])
    url = f"{world.server.url}{world.index.file(sdist.name)}"
    world.require(f"demo @ {url}")
    with pytest.raises(SourceUnusable, match="build-package does not name it"):
        world.project.lock()
    world.require(f"demo @ {url}", options='build-package = ["demo"]')
    world.project.lock()
    assert world.package("demo").archive is not None
    world.project.sync(ANY)
    assert world.project.installed()["demo"].version == "2.0"


def test_a_source_is_an_input(world: World) -> None:
    """Another source is a difference, named in words."""
    source_tree(world.root / "lib", "lib")
    world.require("lib", sources='lib = { path = "../lib" }')
    world.project.lock()
    world.require("lib", sources='lib = { path = "../lib", editable = true }')
    (difference,) = check(world.project.with_settings()).differences
    assert difference.locked == "path ../lib"
    assert difference.wanted == "path ../lib, editable"


def test_versions_still_count(world: World) -> None:
    """A source does not lift what others ask of the project."""
    source_tree(world.root / "lib", "lib")
    world.require("lib>=2", sources='lib = { path = "../lib" }')
    with pytest.raises(NoSolution):
        world.project.lock()


def test_a_reference_of_a_dependency_needs_the_same_source(world: World) -> None:
    """A distribution cannot choose where another one comes from; the project can."""
    wheel = build_wheel(world.files, "lib", "1.0")
    world.index.add("lib", [wheel])
    url = f"{world.server.url}{world.index.file(wheel.name)}"
    other = build_wheel(world.files, "other", "1.0", requires=[f"lib @ {url}"])
    world.index.add("other", [other])
    world.require("other")
    with pytest.raises(NoSolution) as caught:
        world.project.lock()
    assert "a direct reference" in "\n".join(caught.value.explanation)
    world.require("other", sources=f'lib = {{ url = "{url}" }}')
    world.project.lock()
    assert world.package("lib").archive is not None


def test_the_first_entry_that_fits_wins(world: World) -> None:
    """Targets share an entry where the source is the same, and only there."""
    source_tree(world.root / "lib", "lib")
    world.index.add("lib", [build_wheel(world.files, "lib", "5.0")])
    world.require(
        "lib",
        sources='lib = [{ path = "../lib", targets = ["one", "two"] }]',
        targets="".join(
            f'[tool.polylock.targets.{name}]\nplatform = "linux-x86_64"\n'
            f'python = "3.{minor}"\n'
            for name, minor in (("one", 11), ("two", 12), ("three", 13))
        ),
    )
    world.project.lock()
    found = [p for p in world.project.pylock.packages if p.name == "lib"]
    assert [p.version for p in found] == [None, "5.0"]
    assert found[0].directory is not None
    assert found[0].marker is not None
    assert "three" not in str(found[0].marker)


def test_no_index_is_told_of_a_name_with_a_source(world: World) -> None:
    """Nobody can offer a project of that name to those who have their own."""
    source_tree(world.root / "lib", "lib")
    world.index.add("other", [build_wheel(world.files, "other", "1", requires=["lib"])])
    world.require("other", sources='lib = { path = "../lib" }')
    world.project.lock()
    assert world.package("lib").directory is not None
    assert world.server.requests(world.index.page("lib")) == []


def test_credentials_of_a_source_stay_out_of_the_lock(world: World) -> None:
    """Neither the entry nor the recorded inputs repeat them."""
    wheel = build_wheel(world.files, "lib", "1.0")
    world.index.add("lib", [wheel])
    url = f"{world.server.url}{world.index.file(wheel.name)}"
    secret = url.replace("://", "://user:secret@")
    world.require("lib", sources=f'lib = {{ url = "{secret}" }}')
    world.project.lock()
    assert "secret" not in world.project.lock_path.read_text("utf-8")
    assert check(world.project.with_settings()).up_to_date
    world.project.sync(ANY)
    assert "secret" not in json.dumps(world.direct_url("lib"))


def test_a_lock_file_without_its_directories_says_what_to_copy(
    world: World, tmp_path: Path
) -> None:
    """In an image that has the lock file alone, a path leads nowhere."""
    tree = source_tree(world.root / "lib", "lib")
    world.require("lib", sources='lib = { path = "../lib" }')
    world.project.lock()
    tree.rename(tmp_path / "elsewhere")
    (world.project.directory / "pyproject.toml").unlink()
    taken = SyncOptions(search_path=ANY.search_path, frozen=True)
    with pytest.raises(SourceUnusable) as caught:
        world.project.sync(taken, project=None, lock_file=world.project.lock_path)
    assert "there is no such directory" in str(caught.value)
    assert "relative to the lock file" in str(caught.value.hint())


@pytest.mark.parametrize(
    ("requirement", "source", "problem"),
    [
        ("lib", '{ path = "../nothing" }', "there is no such directory"),
        ("lib", '{ path = "../nothing-1.0-py3-none-any.whl" }', "No such file"),
        ("lib", '{ path = "../other" }', "it is the project other, not lib"),
        ("lib", '{ git = "../other-repo", tag = "v9" }', "has no tag v9"),
        ("lib", '{ git = "../nothing" }', "git fetch exited"),
    ],
)
def test_what_cannot_be_had_is_named(
    world: World, requirement: str, source: str, problem: str
) -> None:
    """The message has the source and the reason, and nothing is written."""
    source_tree(world.root / "other", "other")
    git_repository(source_tree(world.root / "other-repo", "other"))
    world.require(requirement, sources=f"lib = {source}")
    with pytest.raises(SourceUnusable) as caught:
        world.project.lock()
    assert problem in str(caught.value)
    assert not world.project.lock_path.exists()


def test_two_references_to_one_project_are_refused(world: World) -> None:
    """Only where both hold for a target."""
    first = build_wheel(world.files, "lib", "1.0")
    second = build_wheel(world.files, "lib", "2.0")
    world.require(f"lib @ {first.as_uri()}", f"lib @ {second.as_uri()}")
    with pytest.raises(SourceUnusable, match="lib is required from"):
        world.project.lock()
    world.require(
        f"lib @ {first.as_uri()} ; sys_platform != 'atari'",
        f"lib @ {second.as_uri()} ; sys_platform == 'atari'",
    )
    world.project.lock()
    assert world.package("lib").version == "1.0"


@pytest.mark.parametrize(
    "requirement",
    [
        "lib @ hg+https://example.com/lib",
        "lib @ https://example.com/lib",
        "lib @ ./lib",
    ],
)
def test_other_references_are_errors_of_the_project(
    world: World, requirement: str
) -> None:
    """The message names the requirement's place."""
    world.require(requirement)
    with pytest.raises(ProjectError, match=r"project\.dependencies\[0\]"):
        world.project.lock()


def test_a_pre_release_that_the_project_names_is_taken(world: World) -> None:
    """A source has one version, so whoever names it wants that one."""
    source_tree(world.root / "lib", "lib", "2.0.dev1")
    world.require("lib>=1", sources='lib = { git = "../lib" }')
    git_repository(world.root / "lib")
    world.project.lock()
    assert world.package("lib").version == "2.0.dev1"


def test_a_forbidden_build_is_not_run(world: World) -> None:
    """Neither to lock nor to sync; what is static needs none to be known."""
    source_tree(world.root / "lib", "lib", dynamic=True)
    world.require("lib", sources='lib = { path = "../lib" }', options='build = "none"')
    with pytest.raises(BuildForbidden):
        world.project.lock()


def test_a_build_takes_no_namesake_of_a_direct_source(world: World) -> None:
    """A build cannot use the source, and what an index has is another project."""
    helper = build_wheel(world.files, "helper", "1.0")
    world.index.add("helper", [helper])
    sdist = in_tree(world.files, "demo", "2.0", requires=["helper"])
    world.require(
        f"helper @ {helper.as_uri()}",
        "demo",
        sources=f'demo = {{ path = "../files/{sdist.name}" }}',
    )
    with pytest.raises(BuildFailed, match="helper was not found"):
        world.project.lock()
    assert world.server.requests(world.index.page("helper")) == []


CUDA = {"nvidia": {"cuda_version_lower_bound": ["12.0"], "sm_arch": ["90_real"]}}
GPU = 'nvidia = { driver = "13.0", compute = ["9.0"] }\n'


def fresh_build(world: World, variant: dict[str, dict[str, list[str]]]) -> Path:
    """Return a wheel with the label ``fresh`` and a dependency of that label."""
    world.index.add("extra", [build_wheel(world.files, "extra", "1.0")])
    return build_wheel(
        world.files,
        "gamma",
        "1.0",
        label="fresh",
        variant=variant,
        namespaces=["nvidia", "myns"],
        requires=["extra; variant_label == 'fresh'"],
    )


@pytest.mark.parametrize("how", ["reference", "url", "sources"])
def test_a_variant_wheel_may_be_a_direct_source(world: World, how: str) -> None:
    """Its label, its properties and what its markers require are locked.

    PEP 825, "Installing a specific local wheel": "Read the variant metadata from
    *.dist-info/variant.json inside the wheel file", then "read the dependencies of the
    wheel, and evaluate the environment markers occurring in them, using the label".
    """
    wheel = fresh_build(world, {"myns": {"speed": ["high"]}})
    target = this_target() + 'properties = { myns = { speed = ["high"] } }\n'
    match how:
        case "reference":
            world.require(f"gamma @ {wheel.as_uri()}", targets=target)
        case "url":
            world.index.add("unused", [wheel])
            url = f"{world.server.url}{world.index.file(wheel.name)}"
            world.require(f"gamma @ {url}", targets=target)
        case _:
            path = f"../files/{wheel.name}"
            world.require(
                "gamma", sources=f'gamma = [{{ path = "{path}" }}]', targets=target
            )
    world.project.lock()
    package = world.package("gamma")
    assert package.archive is not None
    assert package.variants_json is not None
    assert package.variants_json["variants"] == {"fresh": {"myns": {"speed": ["high"]}}}
    assert [(each.target, each.label) for each in package.variants] == [
        ("here", "fresh")
    ]
    assert world.package("extra").version == "1.0"
    assert not world.project.lock(refresh=True).changed
    world.project.sync(ANY)
    assert {"gamma", "extra"} <= set(world.project.installed())
    assert world.project.sync(ANY).up_to_date


def test_a_direct_variant_wheel_must_fit_the_target(world: World) -> None:
    """PEP 825, as above: "Verify the wheel compatibility via compatible properties"."""
    wheel = fresh_build(world, CUDA)
    world.require(f"gamma @ {wheel.as_uri()}")
    with pytest.raises(NoSolution) as caught:
        world.project.lock()
    told = "\n".join([str(caught.value), *caught.value.details()])
    assert "nvidia :: " in told


def test_sync_checks_the_label_of_a_direct_wheel(world: World) -> None:
    """The machine needs a value of each feature, as for a wheel of an index.

    PEP 825, "Variant properties".
    """
    wheel = fresh_build(world, CUDA)
    world.require(f"gamma @ {wheel.as_uri()}", targets=this_target() + GPU)
    world.project.lock()
    with pytest.raises(TargetMismatch) as caught:
        world.project.sync(ANY, target="here")
    assert all(
        line.startswith("gamma 1.0 label fresh") for line in caught.value.missing
    )
    forced = SyncOptions(force_target=True, search_path=ANY.search_path)
    world.project.sync(forced, target="here")
    assert "gamma" in world.project.installed()


def test_a_direct_variant_wheel_without_metadata_is_refused(world: World) -> None:
    """PEP 825, "Variant wheel": it MUST include a variant metadata file."""
    wheel = build_wheel(world.files, "gamma", "1.0", label="fresh", variant_json=b"{")
    world.require(f"gamma @ {wheel.as_uri()}")
    with pytest.raises(SourceUnusable, match="gamma"):
        world.project.lock()
