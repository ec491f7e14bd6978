"""Install by two processes; run with a scenario and a directory as arguments.

A process of its own, since one with threads, as a test runner has, never forks.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.installations import WheelDirectory, make_interpreter, snapshot
from fakes.wheels import build_wheel
from polylock.environment.exclusive import exclusive
from polylock.errors import ArchiveDamaged
from polylock.installation.archive import TREE, read_manifest
from polylock.installation.forked_linking import put_all
from polylock.installation.link import Linker, LinkMode
from polylock.installation.place import Placement
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    def link_files(self, source: Path, target: Path, files: Sequence[str]) -> None:
        """Link, and tell the other process."""
        self.trees += 1
        if os.getpid() != self.first:
            if self.fails:
                super().link_files(source, target, files[:1])
                self.sign.touch()
                raise RuntimeError("in the second process")
            super().link_files(source, target, files)
            self.sign.touch()
            return
        if self.trees > 1:
            _wait_for(self.sign)
        super().link_files(source, target, files)


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
        return [
            Placement(
                wanted=wanted,
                archive=(archive := self.wheels.archive(wanted)),
                manifest=read_manifest(archive, filename="", sha256=""),
                interpreter=interpreter,
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
    """See two processes make what one does, and tell of it in order."""
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
    """See that the first does what the second leaves undone."""
    installation = Installation(root)
    expected = installation.expected()
    linker = Waiting(root, fails=True)
    put_all(installation.placements(root / "env"), linker, lambda _: None, worthwhile=0)
    assert linker.sign.exists()
    assert snapshot(root / "env") == expected


def damaged(root: Path) -> None:
    """See that an error is raised in the first process, and none is left."""
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

    def link_files(self, source: Path, target: Path, files: Sequence[str]) -> None:
        """Link one tree in the second process, slowly."""
        self.trees += 1
        if os.getpid() == self.first:
            if self.trees > 1:
                _wait_for(self.root / "second")
                os._exit(77)
            super().link_files(source, target, files)
            return
        (self.root / "second").touch()
        time.sleep(0.3)
        super().link_files(source, target, files)
        with (self.root / "linked").open("a") as file:
            file.write(".")


def killed(root: Path) -> None:
    """See a second process that is left alone end with its tree, the lock held."""
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


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.002)


if __name__ == "__main__":
    scenarios = {"same": same, "failing": failing_second}
    scenarios |= {"damaged": damaged, "killed": killed}
    scenarios[sys.argv[1]](Path(sys.argv[2]))
