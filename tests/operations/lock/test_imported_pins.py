"""Pins of other tools' lock files: how they rank, and what is said of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, Spy
from polylock.errors import ForeignHashDiffers, ForeignLockInvalid, UsageError
from polylock.explain.words import clause
from polylock.operations.inspect.check import check
from polylock.operations.lock.lock import LockOutcome, lock
from polylock.operations.lock.request import LockRequest, parse_upgrades
from polylock.report.document import report_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TEXT = """
[project]
name = "demo"
version = "1"
dependencies = [{requires}]
[tool.polylock]
python = "3.12"
{settings}
[tool.polylock.targets.linux]
platform = "linux-x86_64"
[tool.polylock.targets.windows]
platform = "windows-x86_64"
[tool.polylock.targets.old]
platform = "linux-x86_64"
python = "3.11"
"""
VERSIONS = ("1.0", "1.5", "2.0", "3.0")


@dataclass(kw_only=True)
class World:
    """A project, an index for it, and files of other tools."""

    project: Project
    wheels: Mapping[str, Path]

    def write(self, requires: str = '"app", "lib"', settings: str = "") -> None:
        """Write the project file."""
        self.project.write(TEXT.format(requires=requires, settings=settings))

    def pins(
        self, text: str, name: str = "requirements.txt", *, hashes: bool = False
    ) -> Path:
        """Write a file of another tool; a line may be given its hash."""
        lines = [
            f"{line} --hash=sha256:{self.sha256(line.strip())}" if hashes else line
            for line in text.splitlines()
        ]
        path = self.project.directory / name
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    def sha256(self, pin: str) -> str:
        """Return the hash of the wheel of ``NAME==VERSION``."""
        return hashlib.sha256(self.wheels[pin].read_bytes()).hexdigest()

    def uv_lock(self, *entries: tuple[str, str], more: str = "") -> Path:
        """Write a uv.lock with these versions and their hashes."""
        parts = ['version = 1\nrequires-python = ">=3.9"\n']
        for name, version in entries:
            wheel = self.wheels[f"{name}=={version}"]
            digest = self.sha256(f"{name}=={version}")
            parts.append(
                f'[[package]]\nname = "{name}"\nversion = "{version}"\n'
                f'source = {{ registry = "https://index.example.com/simple" }}\n{more}'
                f'wheels = [{{ url = "https://index.example.com/{wheel.name}", '
                f'hash = "sha256:{digest}" }}]\n'
            )
        path = self.project.directory / "uv.lock"
        path.write_text("\n".join(parts), "utf-8")
        return path

    def lock(self, *paths: Path, **options: object) -> LockOutcome:
        """Lock with pins from these files."""
        return self.project.lock(LockRequest(pins_from=paths, **options))  # type: ignore[arg-type]  # options of the request

    @property
    def locked(self) -> dict[str, dict[str, str]]:
        """Return the locked versions by target and name."""
        found = report_document(self.project.with_settings(), {})
        return {
            target.name: {
                project.name: build.version or "source"
                for project in found.projects
                if (build := project.build_for(target.name)) is not None
            }
            for target in found.targets
        }


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return a world in which each project has four versions.

    ``app`` 2.0 and later require ``lib>=2``; ``part`` has no wheel but for Windows
    in 1.0, and 3.0 of it needs Python 3.12.
    """
    index, wheels = Index(server), {}
    files: dict[str, list[Path]] = {}
    for version in VERSIONS:
        new = version >= "2"
        for name, options in {
            "app": {"requires": ["lib>=2" if new else "lib"]},
            "lib": {},
            "part": {
                "tag": "py3-none-win_amd64" if version == "1.0" else "py3-none-any",
                "requires_python": ">=3.12" if version == "3.0" else None,
            },
        }.items():
            wheel = build_wheel(tmp_path / "wheels", name, version, **options)  # type: ignore[arg-type]  # each its own
            files.setdefault(name, []).append(wheel)
            wheels[f"{name}=={version}"] = wheel
    for name, paths in files.items():
        index.add(name, paths)
    project = Project(directory=tmp_path / "project", index_url=index.url)
    made = World(project=project, wheels=wheels)
    made.write()
    return made


def dropped(outcome: LockOutcome) -> list[tuple[str, str, Sequence[str], str]]:
    """Return what was not kept: pin, version taken, targets, reason."""
    return [
        (f"{pin.name}=={pin.version}", pin.taken, pin.targets, clause(pin.reason))
        for each in outcome.imports
        for pin in each.dropped
    ]


ALL = ("linux", "windows", "old")


def test_versions_are_kept_and_the_lock_answers(world: World) -> None:
    """What was pinned elsewhere is locked here, and there is nothing to be done."""
    outcome = world.lock(world.uv_lock(("app", "1.5"), ("lib", "1.0"), ("part", "2.0")))
    assert set(map(str, world.locked)) == set(ALL)
    assert all(v == {"app": "1.5", "lib": "1.0"} for v in world.locked.values())
    (found,) = outcome.imports
    assert (found.tool, found.kept, found.unneeded) == ("uv", 2, 1)
    assert not found.dropped
    assert not check(world.project.with_settings()).differences


def test_nothing_of_the_import_is_in_the_lock(world: World) -> None:
    """The bytes are those of a lock that had these pins from a lock before it."""
    world.lock(world.uv_lock(("app", "1.5"), ("lib", "1.0")))
    imported = world.project.lock_path.read_bytes()
    world.project.lock_path.unlink()
    world.write(settings='constraint-dependencies = ["app==1.5", "lib==1.0"]')
    world.project.lock()
    world.write()
    world.project.lock()
    assert world.project.lock_path.read_bytes() == imported
    assert b"uv" not in imported


def test_pins_of_the_lock_file_come_first(world: World) -> None:
    """A file of another tool counts for what the lock file does not have."""
    world.write('"lib"')
    world.lock(world.pins("lib==2.0"))
    world.write('"lib", "app"')
    outcome = world.lock(world.pins("lib==1.0\napp==1.5"))
    assert world.locked["linux"] == {"app": "1.5", "lib": "2.0"}
    assert dropped(outcome) == [
        ("lib==1.0", "2.0", ALL, "2.0 is locked, and pins are kept while they fit")
    ]


def test_a_lock_file_that_answers_is_left_as_it_is(world: World) -> None:
    """Nothing is imported until the pins of the lock file are let go of."""
    world.project.lock()
    before = world.project.lock_path.read_bytes()
    path = world.pins("lib==2.0")
    outcome = world.lock(path)
    assert not outcome.changed
    assert not outcome.imports
    assert outcome.basis is None  # it would not know of the other file
    assert world.project.lock_path.read_bytes() == before
    world.lock(path, upgrade=True)
    assert world.locked["linux"]["lib"] == "2.0"


def test_one_project_can_be_imported_anew(world: World) -> None:
    """With --upgrade-package the pin of one project is taken and the rest stays."""
    world.project.lock()
    path = world.pins("lib==2.0\napp==2.0")
    world.lock(path, upgrade_packages=parse_upgrades(["lib"]))
    assert world.locked["linux"] == {"app": "3.0", "lib": "2.0"}


def test_the_first_file_counts(world: World) -> None:
    """Of several files the first that pins a project decides."""
    first, second = world.pins("lib==2.0"), world.pins("lib==1.0\napp==2.0", "b.txt")
    outcome = world.lock(first, second)
    assert world.locked["linux"] == {"app": "2.0", "lib": "2.0"}
    assert [(each.kept, each.unneeded) for each in outcome.imports] == [(1, 0), (1, 0)]


def test_targets_that_differ_in_the_other_lock_differ_here(world: World) -> None:
    """One version for all is not sought where another tool's lock has several."""
    path = world.pins(
        "lib==1.0 ; sys_platform == 'win32'\nlib==1.5 ; sys_platform != 'win32'"
    )
    world.write('"lib"')
    world.lock(path)
    expected = {"linux": {"lib": "1.5"}, "windows": {"lib": "1.0"}}
    assert world.locked == {**expected, "old": {"lib": "1.5"}}
    world.write('"lib", "part"')  # and it stays so
    world.project.lock()
    assert world.locked["windows"]["lib"] == "1.0"
    assert world.locked["linux"]["lib"] == "1.5"


def test_one_target_alone(world: World) -> None:
    """With --target the others keep what they have and nothing is said of them."""
    world.write('"lib"', settings='constraint-dependencies = ["lib<3"]')
    world.project.lock()
    world.write('"lib"', settings='constraint-dependencies = ["lib<3"]')
    outcome = world.lock(world.pins("lib==1.0"), targets=("windows",), upgrade=True)
    assert {name: v["lib"] for name, v in world.locked.items()} == {
        "linux": "2.0",
        "windows": "1.0",
        "old": "2.0",
    }
    assert outcome.imports[0].kept == 1


def test_without_writing(world: World) -> None:
    """A dry run says what would be kept."""
    outcome = world.lock(world.pins("lib==2.0"), dry_run=True)
    assert outcome.imports[0].kept == 1
    assert not world.project.lock_path.exists()


@pytest.mark.parametrize(
    ("requires", "settings", "pin", "expected"),
    [
        (
            '"lib>=2"',
            "",
            "lib==1.0",
            ("3.0", ALL, "the project requires lib>=2"),
        ),
        (
            '"app", "lib"',
            'constraint-dependencies = ["app>=2"]',
            "lib==1.0",
            ("3.0", ALL, "app 3.0 requires lib>=2"),
        ),
        (
            '"lib", "app"',
            'constraint-dependencies = ["lib<2"]',
            "app==2.0",
            ("1.5", ALL, "requires lib>=2, and constraint-dependencies has lib<2"),
        ),
        (
            '"lib"',
            'constraint-dependencies = ["lib>1"]',
            "lib==1.0",
            ("3.0", ALL, "constraint-dependencies has lib>1"),
        ),
        (
            '"lib"',
            "",
            "lib==4.0",
            ("3.0", ALL, "the index does not have it: it has 1.0 to 3.0"),
        ),
        (
            '"part"',
            "",
            "part==1.0",
            ("2.0", ("old",), "no wheel fits old: there are some for win_amd64"),
        ),
        (
            '"part"',
            'align = "independent"',
            "part==1.0",
            ("3.0", ("linux",), "no wheel fits linux: there are some for win_amd64"),
        ),
        ('"part"', "", "part==3.0", ("2.0", ("old",), "requires Python >=3.12")),
        (
            '"part"',
            "",
            "part==3.0",
            (
                "2.0",
                ("linux", "windows"),
                "old must have 2.0, and align requires one version",
            ),
        ),
    ],
)
def test_reasons(
    world: World,
    requires: str,
    settings: str,
    pin: str,
    expected: tuple[str, Sequence[str], str],
) -> None:
    """Each pin that could not be kept is named with what is in its way."""
    world.write(requires, settings=settings)
    found = dropped(world.lock(world.pins(pin)))
    assert (pin, *expected) in found


def test_same_file_name_with_other_bytes_is_refused(world: World) -> None:
    """A published file that has changed since is an error, and nothing is written."""
    path = world.uv_lock(("app", "1.5"), ("lib", "1.0"))
    text = path.read_text("utf-8")
    digest = world.sha256("lib==1.0")
    path.write_text(text.replace(digest, "0" * 64), "utf-8")
    with pytest.raises(
        ForeignHashDiffers, match=r"lib 1.0: the hash of lib-1.0-py3-none-any\.whl"
    ):
        world.lock(path)
    assert not world.project.lock_path.exists()


def test_the_same_hash_in_capitals_is_the_same(world: World) -> None:
    """Hexadecimal digits have no case."""
    world.write('"lib"')
    path = world.uv_lock(("lib", "1.0"))
    digest = world.sha256("lib==1.0")
    text = path.read_text("utf-8").replace(digest, digest.upper())
    path.write_text(text, "utf-8")
    assert world.lock(path).imports[0].kept == 1


@pytest.mark.parametrize("known", [True, False])
def test_hashes_without_names(*, world: World, known: bool) -> None:
    """A file that none of a line's hashes is of is told once, and locked."""
    world.write('"lib"')
    path = world.pins("lib==1.0", hashes=True)
    if not known:
        text = path.read_text("utf-8").replace(world.sha256("lib==1.0"), "0" * 64)
        path.write_text(text, "utf-8")
    spy = Spy()
    lock(world.project.with_settings(), LockRequest(pins_from=(path,)), spy)
    assert world.locked["linux"]["lib"] == "1.0"
    told = [warning for warning in spy.warnings if "lib-1.0-py3-none-any" in warning]
    assert len(told) == (0 if known else 1)


def test_requirements_name_files_beside_them(world: World) -> None:
    """What ``-r`` names is looked for where the file is, and nothing is fetched."""
    folder = world.project.directory / "requirements"
    folder.mkdir()
    (folder / "base.txt").write_text("lib==2.0\n", "utf-8")
    path = world.pins("-r requirements/base.txt\napp==2.0")
    assert world.lock(path).imports[0].kept == 2
    with pytest.raises(ForeignLockInvalid, match=r"line 1: https://.*is not fetched"):
        world.lock(world.pins("-r https://example.com/base.txt\napp==2.0"))


@pytest.mark.parametrize(
    ("name", "problem"), [("none.lock", "does not exist"), (".", "cannot be read: ")]
)
def test_files_that_cannot_be_read(world: World, name: str, problem: str) -> None:
    """A path that leads to no file is an error of usage, before anything is asked."""
    path = world.project.directory / name
    with pytest.raises(ForeignLockInvalid, match=problem) as caught:
        world.lock(path)
    assert caught.value.exit_code == 2
    assert not world.project.lock_path.exists()


def test_a_broken_file_is_told_also_where_it_would_not_count(world: World) -> None:
    """A lock file that answers the project does not hide the error."""
    world.project.lock()
    with pytest.raises(ForeignLockInvalid):
        world.lock(world.pins("lib=1"))


def test_the_lock_file_itself_is_refused(world: World) -> None:
    """Its pins are kept without being asked for."""
    world.project.lock()
    with pytest.raises(UsageError, match="is the lock file to be written"):
        world.lock(world.project.lock_path)
