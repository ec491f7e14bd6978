"""Merge lock files as git's merge driver, and after a conflict; real git, offline."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.this_machine import python_path
from fakes.workspace import Project, Spy
from polylock.errors import LockFileInvalid, UsageError
from polylock.lockfile.select import preferences
from polylock.model.pins import Preference
from polylock.operations.exchange.merge import (
    install_driver,
    merge_conflict,
    merge_pins,
)
from polylock.operations.inspect.check import check
from polylock.operations.lock.request import LockRequest, parse_upgrades

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = Path(__file__).parents[3] / "src"
PLACES = ("one", "two", "three", "four")
CHOICES = {
    "one": ["plainlib>=1.1", "plainlib==1.0.0", "plainlib<1.2"],
    "two": ["fallbackkit", "fallbackkit>=1"],
    "three": ["vecdemo>=2", "vecdemo==1.0.0", "vecdemo"],
    "four": ["plainlib-colors", "tensordemo-cpu-kernels", "abikit"],
}
TARGETS = {
    "box": 'platform = "linux-x86_64"',
    "wide": 'platform = "linux-x86_64"\ncpu = "x86-64-v4"',
    "mac": 'platform = "macos-arm64"\nmacos = "14.0"',
}


class Clone:
    """A repository with a project in it, whose driver is the code under test."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.requirements: dict[str, str] = {}
        self.targets = ["box"]
        self.variables = {
            **{k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{
                f"GIT_{role}_{what}": value
                for role in ("AUTHOR", "COMMITTER")
                for what, value in (("NAME", "a"), ("EMAIL", "a@example.com"))
            },
            "POLYLOCK_INDEX_URL": project.index_url or "",
            "POLYLOCK_CACHE_DIR": str(project.with_settings().cache_dir),
            "PYTHONPATH": python_path(SOURCE),
        }
        self.write()
        self.git("init", "--quiet", "--initial-branch=main")
        install_driver(project.with_settings(), self.variables)
        driver = f'"{sys.executable}" -m polylock merge %O %A %B %P'
        self.git("config", "merge.polylock.driver", driver)
        self.lock("base")

    def write(self) -> None:
        """Write the project file: each place has lines of its own around it."""
        lines = ["[project]", 'name = "a"', 'version = "1"', "dependencies = ["]
        for place in PLACES:
            lines += [f"  # {place}", f"  # of {place}"]
            if place in self.requirements:
                lines.append(f'  "{self.requirements[place]}",')
            lines += [f"  # end of {place}", f"  # after {place}"]
        lines += ["]", "[tool.polylock]", 'python = "3.12"']
        for name, text in TARGETS.items():
            lines += [f"# target {name}", f"# of {name}"]
            if name in self.targets:
                lines += [f"[tool.polylock.targets.{name}]", text]
            lines += [f"# end of {name}", f"# after {name}"]
        self.project.write("\n".join(lines) + "\n")

    def lock(self, message: str, request: LockRequest | None = None) -> None:
        """Lock and commit."""
        self.write()
        self.project.lock(request)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def git(self, *arguments: str, check_code: bool = True) -> str:
        """Run git; return what it says."""
        done = subprocess.run(
            ("git", *arguments),
            cwd=self.project.directory,
            env=self.variables,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0 or not check_code, said
        return said

    def branch(self, name: str, changes: Mapping[str, str], *targets: str) -> None:
        """Make a branch from the base with other requirements and more targets."""
        self.git("checkout", "--quiet", "-B", name, "main")
        before = dict(self.requirements), list(self.targets)
        self.requirements.update(changes)
        self.targets = [t for t in TARGETS if t in {*self.targets, *targets}]
        self.lock(name)
        self.requirements, self.targets = before

    def merged(self, into: str, other: str) -> str:
        """Return the lock file after merging one branch into another."""
        self.git("checkout", "--quiet", "--detach", into)
        self.git("merge", "--quiet", "--no-edit", other)
        assert check(self.project.with_settings()).up_to_date
        return self.project.lock_path.read_text("utf-8")

    def pins(self) -> dict[tuple[str, str], str]:
        """Return the locked versions by target and project."""
        return {
            (target, name): pin.version
            for target, found in preferences(self.project.pylock).items()
            for name, pin in found.items()
        }


@pytest.fixture
def clone(project: Project) -> Clone:
    """Return a repository whose base locks nothing."""
    return Clone(project)


def test_two_branches_that_each_add_a_package(clone: Clone) -> None:
    """The merged lock file has both, answers the merged project, in either order."""
    clone.branch("left", {"one": "plainlib>=1.1"})
    clone.branch("right", {"three": "vecdemo>=2"})
    text = clone.merged("left", "right")
    assert {("box", "plainlib"), ("box", "vecdemo")} <= set(clone.pins())
    assert clone.merged("right", "left") == text


def test_pins_that_neither_branch_touched_stay(clone: Clone) -> None:
    """A newer version on the index is no reason to move what nobody asked about."""
    clone.requirements = {"one": "plainlib"}
    upgrades = parse_upgrades(["plainlib==1.0.0"])
    clone.lock("old pin", LockRequest(upgrade_packages=upgrades))
    assert clone.pins()["box", "plainlib"] == "1.0.0"
    clone.branch("left", {"two": "fallbackkit"})
    clone.branch("right", {"three": "vecdemo>=2"})
    clone.merged("left", "right")
    assert clone.pins()["box", "plainlib"] == "1.0.0"


def test_an_upgrade_of_one_branch_is_kept(clone: Clone) -> None:
    """The side that changed a pin since the common ancestor is the one that counts."""
    clone.requirements = {"one": "plainlib"}
    clone.lock("new pin")
    newest = clone.pins()["box", "plainlib"]
    clone.git("checkout", "--quiet", "-B", "left", "main")
    clone.lock("down", LockRequest(upgrade_packages=parse_upgrades(["plainlib==1.0"])))
    assert clone.pins()["box", "plainlib"] != newest
    clone.branch("right", {"three": "vecdemo>=2"})
    clone.merged("right", "left")
    assert clone.pins()["box", "plainlib"] == "1.0.0"


def test_a_target_and_a_package_from_different_branches(clone: Clone) -> None:
    """The new target gets the new package, though no branch had both."""
    clone.branch("left", {"one": "plainlib>=1.1"})
    clone.branch("right", {}, "mac")
    text = clone.merged("left", "right")
    assert {("box", "plainlib"), ("mac", "plainlib")} <= set(clone.pins())
    assert clone.merged("right", "left") == text


def test_a_rebase_calls_the_driver_too(clone: Clone) -> None:
    """Git names the other side elsewhere then."""
    clone.branch("left", {"one": "plainlib>=1.1"})
    clone.branch("right", {"three": "vecdemo>=2"})
    clone.git("checkout", "--quiet", "left")
    clone.git("rebase", "--quiet", "right")
    assert check(clone.project.with_settings()).up_to_date
    assert {("box", "plainlib"), ("box", "vecdemo")} <= set(clone.pins())


def test_a_conflict_in_the_project_file_comes_first(clone: Clone) -> None:
    """The lock file waits, unharmed; once the project is merged, it is merged too."""
    clone.branch("left", {"one": "plainlib>=1.1", "two": "fallbackkit"})
    clone.branch("right", {"one": "plainlib<1.2"})
    clone.git("checkout", "--quiet", "left")
    said = clone.git("merge", "--quiet", "--no-edit", "right", check_code=False)
    assert "cannot be merged before pyproject.toml is merged" in said
    assert "run `polylock merge`" in said
    assert "<<<<" not in clone.project.lock_path.read_text("utf-8")
    clone.requirements = {"one": "plainlib>=1.1,<1.2", "two": "fallbackkit"}
    clone.write()
    settings = clone.project.with_settings()
    merge_conflict(settings, clone.variables, Spy())
    assert check(settings).up_to_date
    assert clone.pins()["box", "plainlib"] == "1.1.0"
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", "merged")


def test_pins_that_both_branches_changed_are_named(clone: Clone) -> None:
    """The higher one is tried first, and whoever merges learns between which."""
    clone.branch("left", {"one": "plainlib==1.0.0"})
    clone.branch("right", {"one": "plainlib>=1.1"})
    clone.git("checkout", "--quiet", "left")
    clone.git("merge", "--quiet", "--no-edit", "right", check_code=False)
    clone.requirements = {"one": "plainlib>=1"}
    clone.write()
    spy = Spy()
    merge_conflict(clone.project.with_settings(), clone.variables, spy)
    assert spy.notes == [
        "plainlib was changed on both branches: 1.1.0 is tried before 1.0.0, for box"
    ]
    assert clone.pins()["box", "plainlib"] == "1.1.0"


def test_branches_without_a_solution_together(clone: Clone) -> None:
    """Git is told of a conflict, the reason is shown, and our side stays as it was."""
    clone.branch("left", {"one": "plainlib==1.0.0"})
    clone.branch("right", {"four": "plainlib-colors"})
    clone.git("checkout", "--quiet", "left")
    before = clone.project.lock_path.read_bytes()
    said = clone.git("merge", "--quiet", "--no-edit", "right", check_code=False)
    if "no solution" in said:
        assert clone.project.lock_path.read_bytes() == before
    else:
        assert check(clone.project.with_settings()).up_to_date


def test_no_conflict_is_an_error_of_usage(clone: Clone) -> None:
    """The hint says how git comes to call it."""
    with pytest.raises(UsageError, match="reports no conflict") as caught:
        merge_conflict(clone.project.with_settings(), clone.variables, Spy())
    assert "--install" in (caught.value.hint() or "")


def test_a_damaged_side_is_told(clone: Clone) -> None:
    """A lock file that cannot be read is no lock file to merge."""
    clone.branch("left", {"one": "plainlib>=1.1"})
    clone.branch("right", {"three": "vecdemo>=2"})
    clone.project.lock_path.write_text("lock-version = 1\n", "utf-8")
    clone.git("commit", "--quiet", "--all", "--message", "damage")
    clone.git("config", "--remove-section", "merge.polylock")
    clone.git("checkout", "--quiet", "left")
    clone.git("merge", "--quiet", "right", check_code=False)
    with pytest.raises(LockFileInvalid):
        merge_conflict(clone.project.with_settings(), clone.variables, Spy())


def test_installing_twice_writes_once(clone: Clone) -> None:
    """Attributes that are there stay, and lines of others as well."""
    path = clone.project.directory / ".gitattributes"
    path.write_text("*.bin binary\n" + path.read_text("utf-8"), "utf-8")
    before = path.read_text("utf-8")
    install_driver(clone.project.with_settings(), clone.variables)
    assert path.read_text("utf-8") == before
    assert before.count("merge=polylock") == 2


def test_merging_pins_does_not_depend_on_the_side() -> None:
    """One side's change, both sides' change, a removal and an addition."""
    old, new, newer = (Preference(version=v) for v in ("1.9", "1.10", "2.0"))
    a, b, c, d = map(canonicalize_name, "abcd")
    base = {a: old, b: old, c: old}
    left = {a: new, b: new, c: old, d: new}
    right = {a: old, b: newer}
    expected = {a: new, b: newer, d: new}
    assert merge_pins(base, left, right) == expected
    assert merge_pins(base, right, left) == expected


@pytest.mark.slow
def test_fifty_pairs_of_branches(clone: Clone) -> None:
    """Each result passes check, keeps what neither touched, and has no order."""
    chance = random.Random(825)
    clone.requirements = {"one": "plainlib", "two": "fallbackkit"}
    old = parse_upgrades(["plainlib==1.0.0"])
    clone.lock("start", LockRequest(upgrade_packages=old))
    start = clone.pins()
    for number in range(50):
        places = chance.sample(["two", "three", "four"], 3)
        left = {places[0]: chance.choice(CHOICES[places[0]])}
        right = {places[1]: chance.choice(CHOICES[places[1]])}
        targets = chance.sample(["wide", "mac"], 2)
        clone.branch("left", left, *targets[: chance.randint(0, 1)])
        on_left = clone.pins()
        clone.branch("right", right, *targets[1 : 1 + chance.randint(0, 1)])
        on_right = clone.pins()
        text = clone.merged("left", "right")
        merged = clone.pins()
        assert clone.merged("right", "left") == text, number
        for key, version in start.items():
            if on_left.get(key) == on_right.get(key) == version:
                assert merged[key] == version, (number, key)
