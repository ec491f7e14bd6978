"""Lock a project: what is written, what is kept, and what is not written."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from fakes.server import Answer, Server
from fakes.wheels import build_wheel
from fakes.workspace import Spy
from polylock.errors import (
    HashMismatch,
    IndexRequestError,
    LockFileInvalid,
    NoSolution,
    Offline,
    PolylockError,
    ProjectError,
    ProjectNotFound,
    UsageError,
)
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.operations.lock.lock import lock
from polylock.operations.lock.request import LockRequest, parse_upgrades

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.workspace import Project

ONE_TARGET = """
[project]
name = "demo"
version = "1"
dependencies = [{dependencies}]
[tool.polylock]
python = "3.12"
{settings}
[tool.polylock.targets.linux]
platform = "linux-x86_64"
"""


def small(dependencies: str, settings: str = "") -> str:
    """Write a project for one Linux target."""
    return ONE_TARGET.format(dependencies=dependencies, settings=settings)


def versions(project: Project) -> dict[str, str | None]:
    """Return the locked versions by name."""
    return {str(p.name): p.version for p in project.pylock.packages}


def test_every_file_has_size_and_sha256(demo: Project) -> None:
    """No file is listed without what proves it."""
    demo.lock()
    for package in demo.pylock.packages:
        assert package.wheels
        for wheel in package.wheels:
            assert wheel.size
            assert len(wheel.hashes["sha256"]) == 64


def test_the_lock_holds_no_path_time_or_version_of_the_project(demo: Project) -> None:
    """Nothing of the host and nothing of the moment is in the file."""
    demo.lock()
    text = demo.lock_path.read_text("utf-8")
    assert str(demo.directory) not in text
    document = tomllib.loads(text)
    assert document["created-by"] == "polylock"
    assert "demo" not in {package["name"] for package in document["packages"]}
    assert "1.0.0" not in str(document["tool"]["polylock"])


@pytest.mark.parametrize("seed", ["1", "4711"])
def test_same_bytes_in_another_place_with_another_hash_seed(
    demo: Project, seed: str, tmp_path: Path
) -> None:
    """Directory, cache, hash seed and order of answers change no byte."""
    demo.lock()
    elsewhere = tmp_path / "another" / "place"
    elsewhere.mkdir(parents=True)
    text = (demo.directory / "pyproject.toml").read_text("utf-8")
    (elsewhere / "pyproject.toml").write_text(text, "utf-8")
    environment = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "POLYLOCK_CACHE_DIR": str(tmp_path / "other-cache"),
        "POLYLOCK_INDEX_URL": str(demo.index_url),
        "TZ": "Pacific/Apia",
        "LC_ALL": "C",
    }
    subprocess.run(
        [sys.executable, "-m", "polylock", "lock", "-q", "--threads", "3"],
        cwd=elsewhere,
        env=environment,
        check=True,
    )
    assert (elsewhere / "pylock.toml").read_bytes() == demo.lock_path.read_bytes()


def test_pins_that_hold_are_kept_until_asked(project: Project) -> None:
    """A lock does not move to a newer version by itself; ``upgrade`` does."""
    project.write(small('"plainlib"', 'constraint-dependencies = ["plainlib <1.1"]'))
    project.lock()
    assert versions(project)["plainlib"] == "1.0.0"
    project.write(small('"plainlib", "abikit"'))
    project.lock()
    assert versions(project)["plainlib"] == "1.0.0"
    name = canonicalize_name("plainlib")
    project.lock(LockRequest(upgrade_packages={name: None}))
    assert versions(project)["plainlib"] == "1.1.0"


def test_upgrade_package_to_a_version(project: Project) -> None:
    """A version can be asked for, and is not recorded as a wish for ever."""
    project.write(small('"plainlib"'))
    project.lock()
    project.lock(LockRequest(upgrade_packages=parse_upgrades(["plainlib==1.0.0"])))
    assert versions(project)["plainlib"] == "1.0.0"
    assert "constraints" not in project.lock_path.read_text("utf-8")
    assert not project.lock().changed


def test_an_upgrade_of_what_is_not_locked_is_told(project: Project) -> None:
    """A slip of the pen in ``--upgrade-package`` does not go unnoticed."""
    project.write(small('"plainlib"'))
    reporter = Spy()
    asked = parse_upgrades(["PlainLib", "plain-lib==1.0"])
    lock(project.with_settings(), LockRequest(upgrade_packages=asked), reporter)
    assert reporter.warnings == [
        "--upgrade-package plain-lib==1.0 has no effect: no target installs plain-lib"
    ]


def test_dry_run_writes_nothing(demo: Project) -> None:
    """A dry run tells what would change and leaves no file."""
    outcome = demo.lock(LockRequest(dry_run=True))
    assert outcome.changed
    assert not demo.lock_path.exists()


def test_a_warm_lock_asks_for_nothing(demo: Project) -> None:
    """What was fetched once answers an offline run without a request."""
    demo.lock()
    written = demo.lock_path.read_bytes()
    demo.lock_path.unlink()
    outcome = demo.lock(offline=True)
    assert outcome.traffic is not None
    assert outcome.traffic.requests == 0
    assert demo.lock_path.read_bytes() == written


def test_a_further_target_opens_few_versions(demo: Project) -> None:
    """Six targets open about one version per package each, and backtrack nowhere."""
    outcome = demo.lock()
    for name, effort in outcome.efforts.items():
        assert effort.rejected == 0, name
        assert effort.expanded <= 32, name  # solved, then asked to align


def refused(
    project: Project,
    error: type[PolylockError],
    *parts: str,
    **settings: Any,  # noqa: ANN401 - any setting
) -> PolylockError:
    """Lock a project that cannot be; an old lock file must stay as it is."""
    project.lock_path.parent.mkdir(parents=True, exist_ok=True)
    before = project.lock_path.read_bytes() if project.lock_path.exists() else None
    with pytest.raises(error) as caught:
        project.lock(**settings)
    told = "\n".join([str(caught.value), *caught.value.details()])
    for part in parts:
        assert part in told, told
    after = project.lock_path.read_bytes() if project.lock_path.exists() else None
    assert after == before
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('python = "3.12"', 'pyton = "3.12"', ["tool.polylock", "pyton"]),
        ('cpu = "zen3"', "cpu = 3", ["tool.polylock.targets.a100.cpu"]),
        ('cpu = "zen3"', 'cpu = "zen33"', ["targets.a100.cpu", "zen33"]),
        ('cpu = "zen3"', 'cpus = "zen3"', ["targets.a100", "cpus"]),
        ('driver = "12.4"', "driver = 12.4", ["targets.a100.nvidia.driver"]),
        (
            'platform = "macos-arm64"\nmacos = "14.0"\ncpu = "m3"',
            'preset = "apple-m33"',
            ["targets.mac-m3.preset", "apple-m33"],
        ),
        ("targets.a100", "targets.test", ["test", "group"]),
        ('libc = "glibc-2.31"', 'libc = "glibc"', ["targets.a100.libc"]),
        ('"blasx"', '"blasx >>1"', ["project.dependencies[2]"]),
        ('python = "3.12"', 'python = "3.10"', ["3.10", ">=3.11"]),
    ],
)
def test_a_bad_project_file_is_told_by_key(
    demo: Project, old: str, new: str, parts: list[str]
) -> None:
    """The message names the file and the key path; exit code 2; nothing is written."""
    demo.lock()
    text = (demo.directory / "pyproject.toml").read_text("utf-8")
    assert old in text
    demo.write(text.replace(old, new, 1))
    error = refused(demo, ProjectError, "pyproject.toml", *parts)
    assert error.exit_code == 2


def test_no_targets_shows_the_command(project: Project) -> None:
    """Nothing is assumed from the host where no target is declared."""
    project.write('[project]\nname = "a"\nversion = "1"\n')
    assert "polylock init" in str(refused(project, ProjectError).hint())


def test_an_index_that_cannot_be_reached_is_told(project: Project) -> None:
    """Exit code 1, the URL in the message."""
    project.write(small('"plainlib"'))
    url = "http://127.0.0.1:9/simple/"
    error = refused(project, IndexRequestError, url, index_url=url)
    assert error.exit_code == 1


def test_a_cold_cache_offline_is_told(project: Project) -> None:
    """Offline and nothing cached: say so, and what to do."""
    project.write(small('"plainlib"'))
    refused(project, Offline, "--offline", offline=True)


def test_a_project_that_no_index_has_is_told(project: Project) -> None:
    """The name and the index are in the message."""
    project.write(small('"plainlib-misspelled"'))
    refused(project, ProjectNotFound, "plainlib-misspelled", str(project.index_url))


def test_requirements_that_contradict_each_other_are_told(project: Project) -> None:
    """What nothing meets is named with what there is, and the target."""
    project.write(small('"tensordemo >=3", "tensordemo <3"'))
    refused(project, NoSolution, "target linux", "tensordemo<3", "3.0.0 to 3.1.0")


def test_no_wheel_for_one_target_is_told_for_that_target(
    project: Project, tmp_path: Path
) -> None:
    """The target, the project and the nearest wheels are in the message."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    build_wheel(wheels, "native", "1.0", tag="cp312-cp312-manylinux_2_17_x86_64")
    build_index(wheels)
    text = small('"native"')
    project.write(
        text + "[tool.polylock.targets.musl]\n"
        'platform = "linux-x86_64"\nlibc = "musl-1.2"\n'
    )
    with IndexServer(wheels) as server:
        refused(
            project,
            NoSolution,
            "target musl",
            "native 1.0",
            "manylinux_2_17_x86_64",
            index_url=server.url,
        )


def test_a_lock_file_with_a_bad_key_is_told_by_its_path(demo: Project) -> None:
    """A damaged lock file is not overwritten: the user decides."""
    demo.lock()
    text = demo.lock_path.read_text("utf-8")
    demo.lock_path.write_text(text.replace("sha256 = ", "sha256 = 1 # ", 1), "utf-8")
    refused(demo, LockFileInvalid, "pylock.toml")
    demo.lock_path.write_text(
        text.replace("wheels = [\n", "wheels = 3\nx = [\n", 1), "utf-8"
    )
    refused(demo, LockFileInvalid, "packages[0].wheels")


def test_a_lock_file_that_cannot_be_written_is_told(demo: Project) -> None:
    """The directory of the lock file may not be there."""
    missing = demo.directory / "nowhere" / "pylock.toml"
    with pytest.raises(UsageError, match="cannot write"):
        demo.lock(lock_file=missing)


def test_a_file_without_hash_is_downloaded_and_hashed(
    project: Project, tmp_path: Path
) -> None:
    """An index that gives no hash still leads to a lock file that has one."""
    wheel = build_wheel(tmp_path, "bare", "1.0")
    content = wheel.read_bytes()
    with Server() as server:
        server.routes["/simple/bare/"] = Answer(
            body=f'<a href="/files/{wheel.name}">{wheel.name}</a>'.encode(),
            content_type="text/html",
        )
        server.routes[f"/files/{wheel.name}"] = Answer(body=content)
        project.write(small('"bare"'))
        project.lock(index_url=f"{server.url}/simple/")
    (package,) = project.pylock.packages
    assert package.wheels[0].hashes["sha256"] == hashlib.sha256(content).hexdigest()
    assert package.wheels[0].size == len(content)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha512", "sha256"])
def test_a_file_gets_a_sha256_whatever_the_index_gives(
    project: Project, tmp_path: Path, algorithm: str
) -> None:
    """Another hash is checked, and a SHA-256 that cannot be one counts as none."""
    wheel = build_wheel(tmp_path, "bare", "1.0")
    content = wheel.read_bytes()
    value = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
    if algorithm == "sha256":
        value = f"../../../{value}"
    with Server() as server:
        path = f"/files/{wheel.name}"
        row = f'<a href="{path}#{algorithm}={value}">{wheel.name}</a>'
        server.routes["/simple/bare/"] = Answer(
            body=row.encode(), content_type="text/html"
        )
        server.routes[path] = Answer(body=content[:-1] + b"x")
        project.write(small('"bare"'))
        url = f"{server.url}/simple/"
        if algorithm != "sha256":
            with pytest.raises(HashMismatch, match=algorithm) as raised:
                project.lock(index_url=url)
            assert "--refresh" in str(raised.value.hint())
        server.routes[path] = Answer(body=content)
        project.lock(index_url=url)
    (package,) = project.pylock.packages
    assert package.wheels[0].hashes == {"sha256": hashlib.sha256(content).hexdigest()}
    assert package.wheels[0].size == len(content)


@pytest.mark.parametrize("text", ["", "==1", "a b", "a==x y", "a>=1"])
def test_a_bad_upgrade_is_refused(text: str) -> None:
    """``--upgrade-package`` takes NAME or NAME==V."""
    with pytest.raises(UsageError, match="NAME"):
        parse_upgrades([text])
