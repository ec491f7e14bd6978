"""Lock some targets and leave the others as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project
from polylock.errors import LockFileOutdated, NoSolution, NoSuchTarget, UsageError
from polylock.lockfile.record import locked_target
from polylock.operations.lock.request import LockRequest, parse_upgrades
from polylock.operations.lock.unchanged_targets import installed_files

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
[project]
name = "demo"
version = "1"
dependencies = ["app", "{more}"]
[tool.polylock]
python = "3.12"
align = "{align}"
[tool.polylock.targets.linux]
platform = "linux-x86_64"
dependencies = ["only-linux"]
[tool.polylock.targets.mac]
platform = "macos-arm64"
macos = "14.0"
dependencies = ["only-mac"]
"""
MAC = "macosx_11_0_arm64"
LINUX = "manylinux_2_17_x86_64"


@pytest.fixture
def world(server: Server, tmp_path: Path) -> Project:
    """Return a locked project of two targets, and newer versions on its index."""
    index = Index(server)
    old, new = tmp_path / "old", tmp_path / "new"
    files: dict[str, list[Path]] = {}
    for directory, version in ((old, "1.0"), (new, "2.0")):
        for tag in (MAC, LINUX):
            wheel = build_wheel(
                directory, "app", version, tag=f"cp312-cp312-{tag}", requires=["lib"]
            )
            files.setdefault("app", []).append(wheel)
        for name in ("lib", "only-linux", "only-mac", "extra"):
            files.setdefault(name, []).append(build_wheel(directory, name, version))
    for name, paths in files.items():
        index.add(name, [p for p in paths if p.parent == old])
    project = Project(directory=tmp_path / "project", index_url=index.url)
    write(project)
    project.lock()
    for name, paths in files.items():
        index.add(name, paths)
    project.settings["refresh"] = True
    server.log.clear()
    return project


def write(
    project: Project, *, align: str = "prefer", more: str = "lib", extra: str = ""
) -> None:
    """Write the project file."""
    project.write(TEXT.format(align=align, more=more) + extra)


def versions(project: Project, target: str) -> dict[str, str | None]:
    """Return what a target installs."""
    pylock = project.pylock
    assert pylock.polylock is not None
    record = next(r for r in pylock.polylock.targets if r.name == target)
    found = installed_files(pylock, locked_target(record))
    return {str(name): package.version for name, (package, _) in found.items()}


def entries(project: Project) -> dict[str, str]:
    """Return the text of the entries by name and version."""
    text = project.lock_path.read_text("utf-8")
    blocks = text.partition("[tool.polylock")[0].split("[[packages]]\n")[1:]
    found = {}
    for block in blocks:
        name, version = re.findall(r'^(?:name|version) = "(.*)"$', block, re.MULTILINE)
        found[f"{name} {version}"] = block
    return found


OLD_MAC = {"app": "1.0", "lib": "1.0", "only-mac": "1.0"}
NEW_LINUX = {"app": "2.0", "lib": "2.0", "only-linux": "2.0"}


def test_only_the_target_moves(world: Project) -> None:
    """What the others install stays, and so do the bytes of what only they use."""
    before = entries(world)
    outcome = world.lock(LockRequest(upgrade=True, targets=("linux",)))
    assert list(outcome.efforts) == ["linux"]
    assert versions(world, "linux") == NEW_LINUX
    assert versions(world, "mac") == OLD_MAC
    assert entries(world)["only-mac 1.0"] == before["only-mac 1.0"]
    assert not world.lock().changed


def test_the_whole_again_says_the_same(world: Project) -> None:
    """A lock of all targets after that, which need not agree, changes no byte."""
    write(world, align="independent")
    world.lock()
    world.lock(LockRequest(upgrade=True, targets=("linux",)))
    written = world.lock_path.read_bytes()
    write(world, align="independent", more="lib>=1")
    world.lock()
    write(world, align="independent")
    world.lock()
    assert versions(world, "mac") == OLD_MAC
    assert world.lock_path.read_bytes() == written


def test_no_index_is_asked_for_the_others(world: Project, server: Server) -> None:
    """What the others have is read from the lock file and the cache."""
    world.lock(LockRequest(upgrade=True, targets=("linux",)))
    assert server.log
    assert not [each for each in server.log if re.search("only.mac", each.path)]


def test_without_a_cache_metadata_is_read_from_the_file(
    world: Project, server: Server, tmp_path: Path
) -> None:
    """A cache that was cleared changes nothing but the requests."""
    request = LockRequest(upgrade=True, targets=("linux",), dry_run=True)
    cold = world.lock(request, cache_dir=tmp_path / "cold")
    asked = {each.path for each in server.log if re.search("only.mac", each.path)}
    assert asked == {"/files/simple/only_mac-1.0-py3-none-any.whl"}
    assert cold.pylock == world.lock(request).pylock


def test_one_package_of_one_target(world: Project) -> None:
    """What is upgraded is upgraded for that target; its other pins stay."""
    asked = parse_upgrades(["lib==2.0"])
    world.lock(LockRequest(upgrade_packages=asked, targets=("linux",)))
    assert versions(world, "linux") == {"app": "1.0", "lib": "2.0", "only-linux": "1.0"}
    assert versions(world, "mac") == OLD_MAC


def test_all_targets_named_is_all_targets(world: Project) -> None:
    """Naming every target is the same as naming none."""
    world.lock(LockRequest(upgrade=True, targets=("mac", "linux")))
    assert versions(world, "mac")["app"] == versions(world, "linux")["app"] == "2.0"


def test_a_new_target_takes_what_the_others_have(world: Project) -> None:
    """A target that is added agrees with those that stay."""
    write(
        world,
        extra='[tool.polylock.targets.arm]\nplatform = "linux-x86_64"\n'
        'libc = "glibc-2.39"\n',
    )
    world.lock(LockRequest(targets=("arm",)))
    assert versions(world, "arm") == {"app": "1.0", "lib": "1.0"}
    assert versions(world, "mac") == OLD_MAC


def test_a_requirement_of_the_target_alone_may_change(world: Project) -> None:
    """What concerns the target alone makes the others no less true."""
    text = (world.directory / "pyproject.toml").read_text("utf-8")
    world.write(text.replace('"only-linux"', '"only-linux", "extra"'))
    world.lock(LockRequest(targets=("linux",)))
    assert versions(world, "linux")["extra"] == "2.0"
    assert versions(world, "mac") == OLD_MAC


def test_others_that_are_out_of_date_are_told(world: Project) -> None:
    """What changed for the others is named, and nothing is written."""
    written = world.lock_path.read_bytes()
    write(world, more="extra")
    with pytest.raises(LockFileOutdated) as caught:
        world.lock(LockRequest(targets=("linux",)))
    assert any("extra" in line for line in caught.value.details())
    assert world.lock_path.read_bytes() == written


def test_a_lock_file_that_does_not_hold_together(world: Project) -> None:
    """A package of another target that was taken out by hand is missed."""
    text = world.lock_path.read_text("utf-8")
    block = re.search(r'\[\[packages\]\]\nname = "lib"\n(?:.+\n)+', text)
    assert block is not None
    write(world, more="app")
    world.lock()
    text = world.lock_path.read_text("utf-8").replace(block[0], "")
    world.lock_path.write_text(text, "utf-8")
    with pytest.raises(LockFileOutdated, match="out of date") as caught:
        world.lock(LockRequest(upgrade=True, targets=("linux",)))
    assert any("mac" in line and "lib" in line for line in caught.value.details())


def test_agreement_that_is_required_holds_for_all(world: Project) -> None:
    """A target cannot move alone where all have to agree."""
    write(world, align="require")
    world.lock()
    with pytest.raises(NoSolution) as caught:
        world.lock(LockRequest(upgrade=True, targets=("linux",)))
    assert "app is 2.0 for linux" in caught.value.details()


def test_a_target_that_is_not_there(world: Project) -> None:
    """An unknown name is an error that lists the known ones."""
    with pytest.raises(NoSuchTarget, match="no target named linus"):
        world.lock(LockRequest(targets=("linus",)))


def test_no_lock_file_yet(world: Project) -> None:
    """Without a lock file there is nothing to keep."""
    world.lock_path.unlink()
    with pytest.raises(UsageError, match="the other targets have no pins to keep"):
        world.lock(LockRequest(targets=("linux",)))


def test_nothing_to_do(world: Project, server: Server) -> None:
    """A lock file that answers the project stays, and no index is asked."""
    assert not world.lock(LockRequest(targets=("linux",)), refresh=False).changed
    assert not server.log


@pytest.mark.parametrize("position", range(3))
def test_variants_stay_as_they_were(demo: Project, position: int) -> None:
    """Locked again without news, variants and their reasons are the same bytes."""
    demo.lock()
    written = demo.lock_path.read_bytes()
    name = demo.pylock.target_names[position]
    demo.lock(LockRequest(upgrade=True, targets=(name,)))
    assert demo.lock_path.read_bytes() == written


def test_files_on_disk_stay(tmp_path: Path) -> None:
    """A directory serves some targets and the lock file the others, as one file."""
    project = Project(directory=tmp_path / "project")
    for name in ("app", "lib", "only-linux", "only-mac"):
        build_wheel(tmp_path / "wheels", name, "1.0")
    write(
        project,
        extra='[[tool.polylock.index]]\nname = "disk"\nurl = "../wheels"\n',
    )
    project.lock()
    written = project.lock_path.read_bytes()
    name = canonicalize_name("app")
    request = LockRequest(upgrade_packages={name: None}, targets=("mac",))
    assert not project.lock(request).changed
    assert project.lock_path.read_bytes() == written
