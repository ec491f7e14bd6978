"""Bundle the files of a target, and install them without a network."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from fakes.repositories import source_tree
from fakes.sdists import in_tree
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.errors import (
    BuildForbidden,
    LockFileOutdated,
    TargetMismatch,
    UsageError,
)
from polylock.operations.exchange.bundle import Bundle, BundleOptions, bundle
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STATIC = "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n"
PATH = os.environ.get("PATH", "")


class World:
    """A project for this machine, and an index on loopback."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.index = Index(server)
        self.files = tmp_path / "files"
        self.root = tmp_path
        self.project = Project(
            directory=tmp_path / "project",
            index_url=f"{self.index.url}/",
            settings={"python": sys.executable},
        )

    def lock(self, *requirements: str, options: str = "", sources: str = "") -> None:
        """Write the project file and lock it."""
        self.project.write(
            '[project]\nname = "a"\nversion = "1"\n'
            f"dependencies = {list(requirements)!r}\n[tool.polylock]\n{options}\n"
            f"[tool.polylock.sources]\n{sources}\n{this_target()}"
        )
        self.project.lock()

    def bundle(self, **options: Any) -> Bundle:  # noqa: ANN401 - any option
        """Bundle the one target."""
        return make(self.project, self.root / "bundle", "here", **options)


def make(
    project: Project,
    directory: Path,
    target: str,
    **options: Any,  # noqa: ANN401 - any option
) -> Bundle:
    """Bundle a target of a project."""
    settings = project.with_settings(target=target)
    chosen = BundleOptions(search_path=PATH, **options)
    return bundle(settings, directory, chosen, SilentReporter())


def entries(directory: Path) -> dict[str, dict[str, Any]]:
    """Return the packages of a bundle's lock file by name."""
    document = tomllib.loads((directory / "pylock.toml").read_text("utf-8"))
    return {package["name"]: package for package in document["packages"]}


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return an empty project."""
    return World(server, tmp_path)


def test_files_lie_beside_a_lock_file_with_relative_paths(world: World) -> None:
    """Each file has the locked bytes, and no URL is left."""
    wheel = build_wheel(world.files, "demo", "1.0")
    world.index.add("demo", [wheel])
    world.lock("demo")
    made = world.bundle()
    (entry,) = entries(made.directory)["demo"]["wheels"]
    assert entry["path"] == "files/demo-1.0-py3-none-any.whl"
    assert "url" not in entry
    content = (made.directory / entry["path"]).read_bytes()
    assert entry["hashes"] == {"sha256": hashlib.sha256(content).hexdigest()}
    assert (made.packages, made.size, made.sdists) == (1, len(content), ())
    assert "index" not in entries(made.directory)["demo"]


def test_variant_wheels_have_plain_names(locked_demo: Project, tmp_path: Path) -> None:
    """The choice is made, so nobody needs to know that there was one."""
    made = make(locked_demo, tmp_path / "bundle", "h100")
    names = {path.name for path in (made.directory / "files").iterdir()}
    assert "tensordemo-3.1.0-py3-none-manylinux_2_17_x86_64.whl" in names
    assert "vecdemo-2.0.0-cp311-abi3-manylinux_2_17_x86_64.whl" in names
    document = (made.directory / "pylock.toml").read_text("utf-8")
    assert "variants-json" not in document


def members(wheel: Path) -> dict[str, bytes]:
    """Return the content of each member of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_variant_markers_are_evaluated_into_the_metadata(
    locked_demo: Project, tmp_path: Path
) -> None:
    """METADATA and RECORD change, and the bundle lists what; the lock does not change.

    PEP 825, "Backwards Compatibility": "It is possible to work around it by partially
    evaluating environment markers".
    """
    before = locked_demo.lock_path.read_bytes()
    usual = make(locked_demo, tmp_path / "usual", "h100")
    made = make(locked_demo, tmp_path / "plain", "h100", plain_metadata=True)
    again = make(locked_demo, tmp_path / "again", "h100", plain_metadata=True)
    assert made.variant_markers == ()
    assert [wheel.name for wheel in made.plain_metadata] == ["blasx", "tensordemo"]
    assert made.plain_metadata == again.plain_metadata
    for wheel in made.plain_metadata:
        path = made.directory / "files" / wheel.filename
        old = usual.directory / "files" / wheel.filename
        assert hashlib.sha256(old.read_bytes()).hexdigest() == wheel.locked_sha256
        assert hashlib.sha256(path.read_bytes()).hexdigest() == wheel.sha256
        (entry,) = entries(made.directory)[wheel.name]["wheels"]
        assert entry["hashes"] == {"sha256": wheel.sha256}
        assert entry["size"] == path.stat().st_size
        assert path.read_bytes() == (again.directory / "files" / path.name).read_bytes()
        content, published = members(path), members(old)
        assert list(content) == list(published)
        changed = {name for name in content if content[name] != published[name]}
        assert {name.rpartition("/")[2] for name in changed} == {"METADATA", "RECORD"}
        (metadata,) = (name for name in changed if name.endswith("METADATA"))
        assert b"variant_" not in content[metadata]
        (record,) = changed - {metadata}
        rows = {row[0]: row[1:] for row in csv.reader(content[record].decode().split())}
        digest = base64.urlsafe_b64encode(hashlib.sha256(content[metadata]).digest())
        assert rows[metadata] == [
            f"sha256={digest.decode().rstrip('=')}",
            str(len(content[metadata])),
        ]
        for requirement in wheel.requirements:
            assert "variant_" in requirement.was
            kept = requirement.now
            line = f"Requires-Dist: {kept}".encode()
            assert kept is None or line in content[metadata].splitlines()
    listed = json.loads((made.directory / "plain-metadata.json").read_text("utf-8"))
    assert listed == {"wheels": made.to_json()["plain-metadata"]}
    assert locked_demo.lock_path.read_bytes() == before
    assert not (usual.directory / "plain-metadata.json").exists()


def test_only_variant_markers_are_evaluated(world: World) -> None:
    """Other markers and extras stay: they are the installer's to evaluate."""
    requires = [
        "kept; sys_platform != 'x' and variant_label == 'lab'",
        "gone; variant_label != 'lab'",
        "more; extra == 'all' and 'myns :: a :: b' in variant_properties",
        "other; 'myns :: a :: c' in variant_properties",
        "same>=1; python_version >= '3'",
    ]
    wheel = build_wheel(
        world.files,
        "demo",
        "1.0",
        label="lab",
        variant={"myns": {"a": ["b", "c"]}},
        requires=requires,
        extras=["all"],
    )
    world.index.add("demo", [wheel])
    for name in ("kept", "same"):
        world.index.add(name, [build_wheel(world.files, name, "1.0")])
    world.project.write(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["demo"]\n'
        f'{this_target()}properties = {{ myns = {{ a = ["b"] }} }}\n'
    )
    world.project.lock()
    made = world.bundle(plain_metadata=True)
    (changed,) = made.plain_metadata
    assert {each.was: each.now for each in changed.requirements} == {
        requires[0]: "kept; sys_platform != 'x'",
        requires[1]: None,
        requires[2]: "more; extra == 'all'",
        requires[3]: None,
    }
    content = members(made.directory / "files" / changed.filename)
    text = content["demo-1.0.dist-info/METADATA"].decode()
    assert "Requires-Dist: same>=1; python_version >= '3'" in text


def test_variant_markers_are_told(locked_demo: Project, tmp_path: Path) -> None:
    """The bytes are those that were locked, and pip cannot read such metadata."""
    made = make(locked_demo, tmp_path / "bundle", "h100")
    assert made.variant_markers == ("blasx", "tensordemo")
    assert made.to_json()["variant-markers"] == ["blasx", "tensordemo"]


def test_one_target_gets_other_files_than_another(
    locked_demo: Project, tmp_path: Path
) -> None:
    """The bytes are those that were locked for the target."""
    found = set()
    for target in ("h100", "mi300x"):
        made = make(locked_demo, tmp_path / target, target)
        (wheel,) = entries(made.directory)["tensordemo"]["wheels"]
        found.add(wheel["hashes"]["sha256"])
    assert len(found) == 2


@pytest.mark.parametrize("installer", ["pip", "uv", "polylock"])
def test_it_is_installed_without_a_network(
    world: World, installer: str, tmp_path: Path
) -> None:
    """pip, uv and polylock itself install the same set from the directory."""
    world.index.add("demo", [build_wheel(world.files, "demo", "1.0", requires=["b"])])
    world.index.add("b", [build_wheel(world.files, "b", "2.0")])
    world.lock("demo")
    made = world.bundle()
    environment = tmp_path / "environment"
    if installer == "polylock":
        lock_file = made.directory / "pylock.toml"
        world.project.sync(
            project=None, lock_file=lock_file, venv=environment, offline=True
        )
    else:
        venv.create(environment, with_pip=False)
        install(installer, environment, made.directory)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    program = (
        "from importlib.metadata import distributions;"
        "print(sorted(f'{d.name}=={d.version}' for d in distributions()))"
    )
    done = subprocess.run([python, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "['b==2.0', 'demo==1.0']"


def install(installer: str, environment: Path, directory: Path) -> None:
    """Run an installer that may not use the network."""
    python = str(
        environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    )
    lock_file = str(directory / "pylock.toml")
    commands: dict[str, Sequence[str]] = {
        "pip": (
            *(sys.executable, "-m", "pip", "--python", python, "install"),
            *("--isolated", "--no-index", "-r", lock_file),
        ),
        "uv": (
            *(sys.executable, "-m", "uv", "--preview-features", "pylock", "pip"),
            *("install", "--offline", "-r", lock_file),
        ),
    }
    variables = {
        **os.environ,
        "PIP_CONFIG_FILE": os.devnull,
        "UV_NO_CONFIG": "1",
        "UV_NO_CACHE": "1",
        "UV_PYTHON": python,
    }
    ran = subprocess.run(
        commands[installer],
        env=variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_source_distributions_are_told(world: World) -> None:
    """They lie there as they are; whoever installs them has to build them."""
    world.index.add("demo", [in_tree(world.files, "demo", "1.0", pkg_info=STATIC)])
    world.lock("demo")
    made = world.bundle()
    assert made.sdists == ("demo",)
    assert entries(made.directory)["demo"]["sdist"]["path"] == "files/demo-1.0.tar.gz"


def test_source_distributions_become_wheels(world: World) -> None:
    """With --build nobody has to build anything where the bundle goes."""
    world.index.add("demo", [in_tree(world.files, "demo", "1.0", pkg_info=STATIC)])
    world.lock("demo")
    made = world.bundle(build=True)
    assert made.sdists == ()
    (wheel,) = entries(made.directory)["demo"]["wheels"]
    assert wheel["path"] == "files/demo-1.0-py3-none-any.whl"
    for path in (world.root / "cache").rglob("*"):
        if path.is_file() and path.read_bytes()[:2] == b"PK":
            path.unlink()
    again = make(world.project, world.root / "again", "here", build=True)
    (wheel,) = entries(again.directory)["demo"]["wheels"]
    assert (again.directory / wheel["path"]).is_file()


def test_a_source_tree_needs_a_build(world: World) -> None:
    """A directory has no file; an editable one becomes an ordinary wheel."""
    source_tree(world.root / "lib", "lib")
    world.lock("lib", sources='lib = { path = "../lib", editable = true }')
    with pytest.raises(UsageError, match="source tree") as caught:
        world.bundle()
    assert "--build" in (caught.value.hint() or "")
    assert not (world.root / "bundle").exists()
    made = world.bundle(build=True)
    (wheel,) = entries(made.directory)["lib"]["wheels"]
    assert "directory" not in entries(made.directory)["lib"]
    assert (made.directory / wheel["path"]).stat().st_size == wheel["size"]


def test_what_may_not_be_built_is_refused(world: World) -> None:
    """The project's own no counts here as it does for sync."""
    world.index.add("demo", [in_tree(world.files, "demo", "1.0", pkg_info=STATIC)])
    world.lock("demo")
    path = world.project.directory / "pyproject.toml"
    text = path.read_text("utf-8")
    forbidden = '[tool.polylock]\nno-build-package = ["demo"]'
    path.write_text(text.replace("[tool.polylock]", forbidden, 1), "utf-8")
    with pytest.raises(BuildForbidden):
        world.bundle(build=True, frozen=True)
    assert not (world.root / "bundle").exists()


def test_building_needs_the_machine_of_the_target(
    demo: Project, tmp_path: Path
) -> None:
    """A wheel built here would be for this machine."""
    text = (demo.directory / "pyproject.toml").read_text("utf-8")
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    demo.write(re.sub(r'(?m)^python = ".*"$', f'python = "{here}"', text))
    demo.lock()
    with pytest.raises(TargetMismatch):
        make(demo, tmp_path / "bundle", "mac-m3", build=True)
    assert not (tmp_path / "bundle").exists()


def test_nothing_is_mixed_with_what_is_there(world: World) -> None:
    """A directory that holds something is refused and left alone."""
    world.index.add("demo", [build_wheel(world.files, "demo", "1.0")])
    world.lock("demo")
    kept = world.root / "bundle" / "mine.txt"
    kept.parent.mkdir()
    kept.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="not an empty directory"):
        world.bundle()
    kept.unlink()
    assert world.bundle().packages == 1


def test_a_link_is_no_new_directory(world: World) -> None:
    """Nothing is written where a link leads, be it to an empty directory."""
    world.index.add("demo", [build_wheel(world.files, "demo", "1.0")])
    world.lock("demo")
    elsewhere = world.root / "elsewhere"
    elsewhere.mkdir()
    try:
        (world.root / "bundle").symlink_to(elsewhere, target_is_directory=True)
    except OSError:
        pytest.skip("links need a right here")
    with pytest.raises(UsageError, match="not an empty directory"):
        world.bundle()
    assert list(elsewhere.iterdir()) == []


LOCKED_NAMES = {
    "one file of two packages": "b-2.0-py3-none-any.whl",
    "names that differ in case": "B-2.0-py3-none-ANY.whl",
    "a name that Windows reserves": "nul.whl",
}
"""File names that a lock file may give to an archive, as PEP 751 has them."""


@pytest.mark.parametrize("kind", LOCKED_NAMES)
def test_a_name_that_is_no_single_file_is_refused(world: World, kind: str) -> None:
    """It is refused on every system alike, and nothing is left of the bundle."""
    name = LOCKED_NAMES[kind]
    wheels = {
        "demo": build_wheel(world.files, "demo", "1.0"),
        "b": build_wheel(world.files, "b", "2.0"),
    }
    lines = [f'{one} = {{ path = "{wheels[one]}" }}' for one in wheels]
    world.lock("demo", "b", sources="\n".join(lines))
    (world.root / "evil").mkdir()
    lock = world.project.lock_path
    text = lock.read_text("utf-8")
    evil = f'path = "../evil/{name}"'
    edited = re.sub(r'path = "[^"]*demo-1.0-py3[^"]*"', evil, text)
    assert edited != text
    lock.write_text(edited, "utf-8")
    try:
        wheels["demo"].replace(world.root / "evil" / name)
    except OSError:
        pytest.skip("Windows has no such file")
    before = sorted(world.root.iterdir())
    with pytest.raises(UsageError) as caught:
        world.bundle(frozen=True)
    assert "demo" in str(caught.value)
    assert "bundle" in str(caught.value)
    assert sorted(world.root.iterdir()) == before


def test_a_failed_download_leaves_no_directory(world: World, server: Server) -> None:
    """The bundle is complete or not there at all, and leaves nothing beside it."""
    wheel = build_wheel(world.files, "demo", "1.0")
    world.index.add("demo", [wheel])
    world.lock("demo")
    server.change(world.index.file(wheel.name), body=b"something else")
    before = sorted(world.root.iterdir())
    with pytest.raises(Exception, match=r"demo-1\.0"):
        world.bundle()
    assert sorted(world.root.iterdir()) == before


def test_a_lock_file_that_is_out_of_date(world: World) -> None:
    """It is refused as sync refuses it, and taken when frozen."""
    world.index.add("demo", [build_wheel(world.files, "demo", "1.0")])
    world.lock("demo")
    path = world.project.directory / "pyproject.toml"
    path.write_text(path.read_text("utf-8").replace("'demo'", "'demo>=1'"), "utf-8")
    with pytest.raises(LockFileOutdated):
        world.bundle()
    assert world.bundle(frozen=True).packages == 1


def test_a_target_is_needed(world: World) -> None:
    """There is no bundle for all targets: names would clash."""
    world.lock()
    settings = world.project.with_settings()
    with pytest.raises(UsageError, match="no target is named"):
        bundle(settings, world.root / "x", BundleOptions(), SilentReporter())
