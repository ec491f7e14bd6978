"""No edit of the lock file alone changes what runs without a word.

What an edit would change is judged by an oracle that knows nothing of polylock:
``oracle.installed_set`` works out by PEP 751 which files are installed. Where that is
as before, the edit may pass. Else ``check``, ``verify`` or ``sync`` has to refuse it.
"""

from __future__ import annotations

import copy
import hashlib
import os
import sys
import tomllib
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from fakes.repositories import source_tree
from fakes.server import Answer, Index
from fakes.toml_text import toml_text
from fakes.wheels import build_sdist, build_wheel
from fakes.workspace import Project, Spy, this_target
from hostile.lock_edits import EDITS, Offer
from oracle.installed_set import installed_sets
from polylock.errors import PolylockError
from polylock.operations.inspect.check import check
from polylock.operations.inspect.verify import verify
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.server import Server

NUMBER = int(os.environ.get("POLYLOCK_EDITS", "500"))
KNOWN = {"an older release"}
"""What the lock file alone may say: which release, of those that meet all that is
required and whose files the index has. Its project has published each of them."""

PROJECTS = {"alpha": ["gamma"], "beta": [], "gamma": []}


class World:
    """A project that was locked and synced, and what an attacker offers."""

    def __init__(self, server: Server, root: Path) -> None:
        self.root = root
        self.server = server
        index = Index(server)
        listed, elsewhere = {}, {}
        for name, requires in {**PROJECTS, "evil": []}.items():
            wheels = []
            for version in ("1.0", "2.0") if name in PROJECTS else ("6.6",):
                wheel = build_wheel(root / "good", name, version, requires=requires)
                wheels.append(wheel)
                listed[wheel.name] = self.entry(
                    wheel, server.url + index.file(wheel.name)
                )
                mine = build_wheel(
                    root / "bad",
                    name,
                    version,
                    requires=requires,
                    files={f"{name}/__init__.py": "EVIL = True\n"},
                )
                elsewhere[wheel.name] = self.offer(mine)
            index.add(name, wheels)
        self.project = Project(
            directory=root / "project",
            index_url=f"{index.url}/",
            settings={"python": sys.executable},
        )
        self.project.write(
            '[project]\nname = "app"\nversion = "1"\n'
            'dependencies = ["alpha", "beta>=2"]\n'
            f"{this_target()}"
            '[tool.polylock.targets.other]\nplatform = "macos-aarch64"\n'
            'python = "3.12"\n'
        )
        self.project.lock()
        self.project.sync(target="here")
        self.good = self.project.lock_path.read_text("utf-8")
        self.document: dict[str, Any] = tomllib.loads(self.good)
        self.expected = installed_sets(self.good)
        self.installed = self.found()
        for place in (self.project.directory / "attack", root / "attack"):
            source_tree(place, "alpha", "2.0")
        sdist = self.offer(build_sdist(root / "bad", "alpha", "2.0"))
        self.offered = Offer(
            listed=listed,
            elsewhere=elsewhere,
            directory="attack",
            archive={"url": sdist["url"], "hashes": sdist["hashes"]},
            sdist=sdist,
            bad=(root / "bad").as_posix(),
        )

    def entry(self, path: Path, url: str) -> dict[str, Any]:
        """Return a file as a lock file has it."""
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        return {
            "name": path.name,
            "url": url,
            "size": len(content),
            "hashes": {"sha256": digest},
        }

    def offer(self, path: Path) -> dict[str, Any]:
        """Put a file at an address of the attacker's."""
        place = f"/elsewhere/{path.name}"
        self.server.routes[place] = Answer(body=path.read_bytes())
        return self.entry(path, self.server.url + place)

    def found(self) -> dict[str, tuple[object, str]]:
        """Return what is installed: versions, origins, and the code of each."""
        return {
            name: (one.origin, self.code(one.path.parent / name))
            for name, one in self.project.installed().items()
        }

    def code(self, package: Path) -> str:
        """Return the code of a package."""
        return "".join(f.read_text() for f in sorted(package.glob("*.py")))

    def changes_nothing(self, document: dict[str, Any]) -> bool:
        """Return True if each target gets the same files, by the oracle.

        The targets are those of the project, whatever the edit says of them.
        """
        edited = copy.deepcopy(document)
        if edited["tool"]["polylock"] != self.document["tool"]["polylock"]:
            return False
        try:
            return installed_sets(toml_text(edited)) == self.expected
        except (KeyError, ValueError, IndexError, TypeError):
            return False

    def answer(self, document: dict[str, Any]) -> str:
        """Return what becomes of an edit."""
        if self.changes_nothing(document):
            return "nothing changes"
        self.project.lock_path.write_text(toml_text(document), "utf-8")
        settings = self.project.with_settings(target="here")
        try:
            if not check(settings).up_to_date:
                return "check"
            for download in (False, True):
                outcome = verify(self.project.with_settings(), Spy(), download=download)
                if outcome.disagreements:
                    return "verify"
            self.project.sync(target="here")
        except PolylockError as error:
            return f"refused: {type(error).__name__}"
        if self.found() == self.installed:
            return "nothing changes"
        self.project.lock_path.write_text(self.good, "utf-8")
        self.project.sync(SyncOptions(reinstall=True), target="here")
        return "THROUGH"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX environments")
def test_edits_of_the_lock_file_are_refused_or_change_nothing(
    server: Server, tmp_path: Path
) -> None:
    """Random edits of every kind, alone and in twos."""
    world = World(server, tmp_path)
    random = Random(13)
    answers: dict[str, Counter[str]] = {}
    through = []
    for number in range(NUMBER):
        document = copy.deepcopy(world.document)
        kinds = [list(EDITS)[number % len(EDITS)]]
        if random.random() < 0.2:
            kinds.append(random.choice(list(EDITS)))
        try:
            for kind in kinds:
                EDITS[kind](document, world.offered, random)
        except (KeyError, IndexError):
            kinds = kinds[:1]  # the second has nothing to change any more
        found = world.answer(document)
        answers.setdefault(kinds[0], Counter())[found.partition(":")[0]] += 1
        if found == "THROUGH" and not KNOWN & set(kinds):
            through.append((number, kinds, toml_text(document)))
    for kind, counts in answers.items():
        print(f"{kind}: {dict(counts)}")  # noqa: T201 - evidence
    assert not through, through[:3]
    assert all(set(counts) - {"nothing changes"} for counts in answers.values())
