"""Install by two processes; run with a scenario and a directory as arguments.

It runs in a separate process, because a process with threads, such as a test runner,
never forks.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from fakes.installations import WheelDirectory, first_of, make_interpreter, snapshot
from fakes.wheels import build_wheel
from polylock.environment.venv import exclusive
from polylock.errors import ArchiveDamaged
from polylock.installation.archive import TREE, TreeFiles, read_manifest
from polylock.installation.forked_linking import put_all
from polylock.installation.link import Linker, LinkMode
from polylock.installation.own_files import OwnFiles
from polylock.installation.place import Placement
from polylock.ports import SilentReporter

_NAMES = ("a", "b", "c", "d", "e", "f")
_SHARED = frozenset({"b", "e"})
"""Distributions that have one file in common: the later one's has to stay."""


class Waiting(Linker):
    """Lets the second process link a tree before the first goes on.

    The second ends, in the middle of a tree, where ``fails`` is true.
    """

    def __init__(self, root: Path, *, fails: bool = False) -> None:
        super().__init__(LinkMode.HARDLINK)
        self.sign = root / "second"
        self.first = os.getpid()
        self.fails = fails
        self.trees = 0

    def link_files(
        self, source: Path, target: Path, tree: TreeFiles, *, mode: int | None = None
    ) -> None:
        """Link, and tell the other process."""
        self.trees += 1
        if os.getpid() != self.first:
            if self.fails:
                super().link_files(source, target, first_of(tree, 1), mode=mode)
                self.sign.touch()
                raise RuntimeError("in the second process")
            super().link_files(source, target, tree, mode=mode)
            self.sign.touch()
            return
        if self.trees > 1:
            _wait_for(self.sign)
        super().link_files(source, target, tree, mode=mode)


class Installation:
    """Six wheels, and environments to install them into."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.wheels = WheelDirectory(root)
        self.wanted = [self.wheels.want(self._wheel(name)) for name in _NAMES]

    def _wheel(self, name: str) -> Path:
        files = {f"{name}/__init__.py": name, f"space/{name}.py": name}
        if name in _SHARED:
            files["space/__init__.py"] = name
        return build_wheel(
            self.root / "wheels",
            name,
            "1.0",
            files={**files, f"{name}-1.0.data/data/share/{name}.txt": name},
            entry_points=f"[console_scripts]\n{name} = {name}:v\n",
        )

    def placements(self, environment: Path) -> list[Placement]:
        """Return the wheels on their way into an environment."""
        interpreter = make_interpreter(environment)
        own = OwnFiles(interpreter)
        return [
            Placement(
                wanted=wanted,
                archive=(archive := self.wheels.archive(wanted)),
                manifest=read_manifest(archive, filename="", sha256=""),
                interpreter=interpreter,
                own=own,
            )
            for wanted in self.wanted
        ]

    def expected(self) -> object:
        """Return what one process makes."""
        environment = self.root / "env"
        for placement in self.placements(environment):
            placement.put(Linker(LinkMode.HARDLINK))
        found = snapshot(environment)
        environment.rename(self.root / "by one")
        return found


def same(root: Path) -> None:
    """Check that two processes install the same as one, and report in order."""
    installation = Installation(root)
    expected = installation.expected()
    told: list[str] = []
    linker = Waiting(root)
    put_all(
        installation.placements(root / "env"),
        linker,
        lambda one: told.append(one.wanted.name),
        worthwhile=0,
    )
    assert tuple(told) == _NAMES
    assert linker.sign.exists()
    assert linker.trees < len(_NAMES), "the second process has to have done some"
    assert snapshot(root / "env") == expected


def failing_second(root: Path) -> None:
    """Check that the first process finishes what the second leaves undone."""
    installation = Installation(root)
    expected = installation.expected()
    linker = Waiting(root, fails=True)
    put_all(installation.placements(root / "env"), linker, lambda _: None, worthwhile=0)
    assert linker.sign.exists()
    assert snapshot(root / "env") == expected


def damaged(root: Path) -> None:
    """Check that an error is raised in the first process, and no process is left."""
    installation = Installation(root)
    placements = installation.placements(root / "env")
    (placements[2].archive / TREE / "c/__init__.py").unlink()
    linker = Linker(LinkMode.HARDLINK)
    with pytest.raises(ArchiveDamaged, match=r"c/__init__\.py"):
        put_all(placements, linker, lambda _: None, worthwhile=0)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


class Slow(Linker):
    """The second process takes its time, and the first is killed meanwhile."""

    def __init__(self, root: Path) -> None:
        super().__init__(LinkMode.HARDLINK)
        self.root = root
        self.first = os.getpid()
        self.trees = 0

    def link_files(
        self, source: Path, target: Path, tree: TreeFiles, *, mode: int | None = None
    ) -> None:
        """Link one tree in the second process, slowly."""
        self.trees += 1
        if os.getpid() == self.first:
            if self.trees > 1:
                _wait_for(self.root / "second")
                os._exit(77)
            super().link_files(source, target, tree, mode=mode)
            return
        (self.root / "second").touch()
        time.sleep(0.3)
        super().link_files(source, target, tree, mode=mode)
        with (self.root / "linked").open("a") as file:
            file.write(".")


def killed(root: Path) -> None:
    """Check that an orphaned second process finishes its tree, holding the lock."""
    installation = Installation(root)
    child = os.fork()
    if child == 0:
        with exclusive(root, SilentReporter()):
            put_all(
                installation.placements(root / "env"),
                Slow(root),
                lambda _: None,
                worthwhile=0,
            )
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 77
    with exclusive(root, SilentReporter()):
        assert (root / "linked").read_text() == "."


_MOMENTS = 10


def second_killed(root: Path) -> None:
    """Check that the first process does the rest, wherever the second was killed."""
    installation = Installation(root)
    expected = installation.expected()
    kills = 0
    for moment in range(_MOMENTS):
        linker = Killed(root / f"sign{moment}", links=moment)
        placements = installation.placements(root / "env")
        put_all(placements, linker, lambda _: None, worthwhile=0)
        assert snapshot(root / "env") == expected
        shutil.rmtree(root / "env")
        kills += linker.sign.exists()
    assert kills == _MOMENTS, kills


class Killed(Linker):
    """The second process is killed after it has made a number of links."""

    def __init__(self, sign: Path, *, links: int) -> None:
        super().__init__(LinkMode.HARDLINK)
        self.sign = sign
        self.links = links
        self.first = os.getpid()
        self.trees = 0

    def link_files(
        self, source: Path, target: Path, tree: TreeFiles, *, mode: int | None = None
    ) -> None:
        """Link, in the second process no more than it lives for."""
        self.trees += 1
        if os.getpid() == self.first:
            if self.trees > 1:
                _wait_for(self.sign)
            super().link_files(source, target, tree, mode=mode)
            return
        count = len(tree.files)
        super().link_files(
            source, target, first_of(tree, min(self.links, count)), mode=mode
        )
        if self.links >= count:
            self.links -= count
            return
        self.sign.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.002)


if __name__ == "__main__":
    scenarios = {"same": same, "failing": failing_second}
    scenarios |= {"damaged": damaged, "killed": killed}
    scenarios |= {"second killed": second_killed}
    scenarios[sys.argv[1]](Path(sys.argv[2]))
