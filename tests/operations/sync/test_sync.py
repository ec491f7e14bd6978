"""Sync an environment from a lock file of the fixture index."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.pythons import sites_of, this_python
from fakes.server import Answer, Server
from fakes.this_machine import VARIABLE
from fakes.wheels import build_wheel
from fakes.workspace import Project, Spy, this_target
from polylock.environment.installed import read_installed
from polylock.environment.venv import (
    EnvironmentState,
    create,
    read_state,
    write_state,
)
from polylock.errors import (
    EnvironmentBroken,
    HashMismatch,
    IndexRequestError,
    LockFileOutdated,
    NoSuchTarget,
    NoTargetFits,
    SizeMismatch,
    TargetMismatch,
    UsageError,
)
from polylock.operations.sync.choose_target import Chooser
from polylock.operations.sync.sync import SyncOptions, sync

if TYPE_CHECKING:
    from polylock.environment.interpreter import Interpreter

DEMO = Path(__file__).parents[3] / "fixtures" / "demo" / "pyproject.toml"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
LINUX = sys.platform == "linux" and os.uname().machine == "x86_64"  # compiled for it
PATH = os.environ.get("PATH", "")

LINUX_LABELS = {"abikit-plugin": "abikit2.1", "blasx": "openblas"}
DEMO_LABELS: dict[str, dict[str, str]] = {
    "h100": {
        **LINUX_LABELS,
        "fallbackkit": "avx512",
        "tensordemo": "cuda13.0",
        "vecdemo": "x86_64_v4",
    },
    "a100": {**LINUX_LABELS, "tensordemo": "cuda12.8", "vecdemo": "x86_64_v3"},
    "mi300x": {
        **LINUX_LABELS,
        "fallbackkit": "avx512",
        "tensordemo": "rocm6.4",
        "vecdemo": "x86_64_v4",
    },
    "server-v4": {**LINUX_LABELS, "tensordemo": "null", "vecdemo": "x86_64_v4"},
    "server-v2": {**LINUX_LABELS, "tensordemo": "null", "vecdemo": "x86_64_v2"},
    "mac-m3": {"blasx": "openblas", "tensordemo": "null", "vecdemo": "null"},
}
"""The variants that each target of the demo installs."""

pytestmark = pytest.mark.skipif(not LINUX, reason="the targets are x86-64 Linux")


@pytest.fixture(autouse=True)
def _machine_of_level_3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be the Linux machine that the targets without a GPU are for, but server-v4."""
    monkeypatch.setenv(VARIABLE, "v3")


def use(project: Project, text: str) -> None:
    """Write a project for the Python that runs the tests."""
    project.write(re.sub(r'(?m)^python = ".*"$', f'python = "{HERE}"', text))
    project.settings["python"] = sys.executable


@pytest.fixture(scope="module")
def locked_once(tmp_path_factory: pytest.TempPathFactory, index_url: str) -> Project:
    """Lock the demo project for the Python that runs the tests."""
    directory = tmp_path_factory.mktemp("here") / "project"
    project = Project(directory=directory, index_url=index_url)
    use(project, DEMO.read_text("utf-8"))
    project.lock()
    return project


@pytest.fixture
def locked(project: Project, locked_once: Project) -> Project:
    """Return that project, with what locking left in the cache."""
    root = project.directory.parent
    shutil.copytree(locked_once.directory.parent, root, dirs_exist_ok=True)
    project.settings.update(locked_once.settings)
    return project


def installed(project: Project) -> dict[str, str]:
    """Return what the environment's own Python says is installed."""
    program = (
        "import json; from importlib.metadata import distributions;"
        "print(json.dumps({d.name: d.version for d in distributions()}))"
    )
    found: dict[str, str] = json.loads(project.run(program))
    return found


def test_auto_takes_the_first_target_that_this_machine_is(locked: Project) -> None:
    """No GPU and no v4 here: the first CPU target whose level there is is taken."""
    outcome = locked.sync()
    assert outcome.target == "server-v2"
    assert locked.run("import vecdemo; print(vecdemo.build())") == "x86-64-v2"
    program = "import vecdemo; print(vecdemo.dot([1.0, 2.0], [3.0, 4.0]))"
    assert locked.run(program) == "11.0"


def test_the_environment_is_exactly_the_locked_set(locked: Project) -> None:
    """What is installed is what the target locks, no more and no less."""
    outcome = locked.sync(target="server-v2")
    wanted = {e.name: e.wanted.version for e in outcome.plan.install if e.wanted}
    assert installed(locked) == wanted
    locked.sync(groups=("test",))
    assert "plainlib-testing" in installed(locked)


def test_the_choice_sticks(locked: Project) -> None:
    """A later call without flags works for the same target, groups and extras."""
    locked.sync(target="server-v2", groups=("test",))
    outcome = locked.sync()
    assert outcome.target == "server-v2"
    assert outcome.plan.is_empty
    forgotten = locked.sync(SyncOptions(forget=True, search_path=PATH))
    assert forgotten.target == "server-v2"
    assert "plainlib-testing" not in installed(locked)


def of_groups(project: Project, *, default: str = "") -> None:
    """Lock a project with the groups dev, docs and test, and synced groups."""
    use(
        project,
        '[project]\nname = "app"\nversion = "1"\ndependencies = ["plainlib-colors"]\n'
        '[dependency-groups]\ndev = ["vecdemo"]\ndocs = ["fallbackkit"]\n'
        f'test = ["plainlib-testing"]\n[tool.polylock]\n{default}\n{this_target()}',
    )
    project.lock()


def test_the_group_dev_is_installed_unless_told_otherwise(project: Project) -> None:
    """As uv has it; ``default-groups`` names others, and an empty list none."""
    of_groups(project)
    outcome = project.sync()
    assert outcome.groups == ("dev",)
    assert "vecdemo" in installed(project)
    assert project.sync(no_default_groups=True).groups == ()
    assert "vecdemo" not in installed(project)
    assert project.sync().groups == ()  # the choice sticks
    of_groups(project, default='default-groups = ["docs", "test"]')
    assert project.sync(SyncOptions(forget=True, search_path=PATH)).groups == (
        "docs",
        "test",
    )
    of_groups(project, default="default-groups = []")
    assert project.sync().groups == ()


def test_a_change_of_default_groups_needs_a_new_lock(project: Project) -> None:
    """What every machine installs is in the lock file, for images without project."""
    of_groups(project)
    text = (project.directory / "pyproject.toml").read_text("utf-8")
    project.write(
        text.replace("[tool.polylock]", "[tool.polylock]\ndefault-groups = []")
    )
    with pytest.raises(LockFileOutdated) as caught:
        project.sync()
    assert any("default-groups" in line for line in caught.value.differences)
    project.lock()
    assert project.sync().groups == ()
    alone = project.directory.parent / "image" / "pylock.toml"
    alone.parent.mkdir()
    shutil.copyfile(project.lock_path, alone)
    assert project.sync(project=None, lock_file=alone).groups == ()


def test_a_group_alone_has_neither_project_nor_its_dependencies(
    project: Project,
) -> None:
    """What the group shares with the project stays: plainlib-colors is of both."""
    of_groups(project)
    project.sync()
    outcome = project.sync(only_groups=("test",))
    assert outcome.groups == ("test",)
    assert set(installed(project)) == {
        "plainlib",
        "plainlib-colors",
        "plainlib-posix",
        "plainlib-testing",
    }
    project.sync(only_groups=("docs",))
    assert set(installed(project)) == {"fallbackkit"}
    assert project.sync().plan.is_empty


def test_run_adds_a_group_and_takes_none_away(project: Project) -> None:
    """As the commands of a day follow each other."""
    of_groups(project)
    adding = SyncOptions(adding=True, search_path=PATH)
    project.sync(groups=("docs",))
    assert project.sync(adding, groups=("test",)).groups == ("dev", "docs", "test")
    assert project.sync(adding).plan.is_empty
    assert project.sync(groups=("test",)).groups == ("dev", "test")


def test_a_package_can_be_left_out(project: Project) -> None:
    """For an image that has it already; a name that is not locked is an error."""
    of_groups(project)
    project.sync()
    outcome = project.sync(no_install_packages=("Plainlib_Colors",))
    assert [entry.name for entry in outcome.plan.remove] == ["plainlib-colors"]
    with pytest.raises(UsageError, match="vecdmo is not locked") as caught:
        project.sync(no_install_packages=("vecdmo",))
    assert "vecdemo" in str(caught.value.advice)
    assert "plainlib-colors" in {e.name for e in project.sync().plan.install}


def test_a_choice_that_a_killed_sync_did_not_write_is_written(locked: Project) -> None:
    """All may be installed by then: the next sync writes what is missing."""
    locked.sync()
    place = locked.directory / ".venv"
    expected = read_state(place)
    write_state(place, EnvironmentState(created=True))
    assert locked.sync().plan.is_empty
    assert read_state(place) == expected


def test_a_second_sync_does_nothing_and_imports_no_client(locked: Project) -> None:
    """A no-op sync touches nothing and never imports httpx or rich."""
    locked.sync(target="server-v2")
    state = {
        path: path.stat().st_mtime_ns
        for path in sorted((locked.directory / ".venv").rglob("*"))
    }
    program = (
        "import sys; from polylock.cli.main import run; code = run(['sync', '-q']);"
        "heavy = {'httpx', 'rich', 'filelock'} & set(sys.modules);"
        "print(code, sorted(heavy))"
    )
    environment = {
        **os.environ,
        "POLYLOCK_CACHE_DIR": str(locked.with_settings().cache_dir),
        "POLYLOCK_INDEX_URL": str(locked.index_url),
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=locked.directory,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "0 []"
    assert state == {
        path: path.stat().st_mtime_ns
        for path in sorted((locked.directory / ".venv").rglob("*"))
    }


def test_another_target_replaces_its_variants_alone(locked: Project) -> None:
    """From one target to another only what differs is replaced."""
    locked.sync(target="server-v2")
    forced = SyncOptions(force_target=True, search_path=PATH)
    outcome = locked.sync(forced, target="server-v4")
    changed = {e.name for e in (*outcome.plan.reinstall, *outcome.plan.install)}
    assert changed == {"vecdemo"}
    assert not outcome.plan.remove


def test_a_machine_that_lacks_something_is_refused(locked: Project) -> None:
    """No GPU here: exit code 4, what is missing is told, nothing is made."""
    with pytest.raises(TargetMismatch) as caught:
        locked.sync(target="h100")
    assert caught.value.exit_code == 4
    assert any("nvidia" in line for line in caught.value.missing)
    assert not (locked.directory / ".venv").exists()
    with pytest.raises(TargetMismatch) as foreign:
        locked.sync(target="mac-m3")
    assert any("macos" in line for line in foreign.value.missing)


def test_a_machine_that_no_target_describes_is_told_how_to_become_one(
    project: Project,
) -> None:
    """Each target is named with what is missing for it, and the hint adds this one."""
    project.write(
        '[project]\nname = "a"\nversion = "1"\n[tool.polylock]\npython = "3.13"\n'
        '[tool.polylock.targets.a]\nplatform = "macos-arm64"\n'
        '[tool.polylock.targets.b]\nplatform = "windows-x86_64"\n'
    )
    project.lock()

    with pytest.raises(NoTargetFits) as caught:
        project.sync()

    assert str(caught.value) == "this machine is none of the targets"
    assert [line.partition(":")[0] for line in caught.value.missing] == ["a", "b"]
    assert "targets add --here" in (caught.value.hint() or "")
    assert caught.value.exit_code == 4


def test_force_target_builds_for_another_machine(locked: Project) -> None:
    """An image for a machine with a GPU can be built on one without."""
    forced = SyncOptions(force_target=True, search_path=PATH)
    outcome = locked.sync(forced, target="h100")
    assert outcome.target == "h100"
    assert locked.run("import tensordemo; print(tensordemo.build())") == "cuda13.0"


@pytest.mark.parametrize("name", DEMO_LABELS)
def test_each_demo_target_gets_its_labels(locked: Project, name: str) -> None:
    """Forced, a sync installs just the variants that were locked for the target."""
    forced = SyncOptions(force_target=True, search_path=PATH)
    locked.sync(forced, target=name, no_install_project=True)
    found = {
        each.name: each.origin.variant_label
        for each in read_installed(sites_of(locked.directory / ".venv"))
        if each.origin is not None and each.origin.variant_label is not None
    }
    assert found == DEMO_LABELS[name]


def test_auto_says_why_no_target_fits(project: Project) -> None:
    """Each target is named with what this machine lacks for it."""
    use(
        project,
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["tensordemo"]\n'
        f'[tool.polylock]\npython = "{HERE}"\n'
        '[tool.polylock.targets.mac]\nplatform = "macos-arm64"\n'
        '[tool.polylock.targets.gpu]\nplatform = "linux-x86_64"\n'
        'nvidia = { driver = "13.0", compute = ["9.0"] }\n',
    )
    project.lock()
    with pytest.raises(TargetMismatch) as caught:
        project.sync()
    assert [line.partition(":")[0] for line in caught.value.missing] == ["mac", "gpu"]


CPU_V4 = f"""
[tool.polylock.targets.big]
platform = "linux-x86_64"
python = "{HERE}"
cpu = "x86-64-v4"
"""
CPU_V2 = CPU_V4.replace("big", "small").replace("v4", "v2")


def test_a_target_that_describes_more_than_is_locked_is_noted_once(
    project: Project,
) -> None:
    """Nothing that is locked needs level v4, so a v3 machine may install it.

    PEP 825, "Variant properties": what counts are the properties of the wheel.
    """
    head = '[project]\nname = "a"\nversion = "1"\ndependencies = ["plainlib"]\n'
    project.write(head + CPU_V4)
    project.settings["python"] = sys.executable
    project.lock()
    spy = Spy()
    options = SyncOptions(search_path=PATH)
    for _ in range(2):
        done = sync(project.with_settings(target="big"), options, spy)
        assert done.target == "big"
    (note,) = spy.notes
    assert "target big describes more than this machine has" in note
    assert "x86_64 :: level :: v4: this machine offers v3, v2, v1" in note
    # Of two that can be installed, `auto` takes the one that is this machine.
    project.write(head + CPU_V4 + CPU_V2)
    project.lock()
    assert sync(project.with_settings(target="auto"), options, spy).target == "small"
    assert len(spy.notes) == 1


def test_a_lock_that_is_out_of_date_is_refused_unless_frozen(locked: Project) -> None:
    """The differences are told; ``frozen`` installs what is locked all the same."""
    text = (locked.directory / "pyproject.toml").read_text("utf-8")
    locked.write(text.replace('"blasx",', ""))
    with pytest.raises(LockFileOutdated) as caught:
        locked.sync()
    assert caught.value.exit_code == 3
    assert any("blasx" in line for line in caught.value.differences)
    locked.sync(SyncOptions(frozen=True, search_path=PATH), target="server-v2")
    assert "blasx" in installed(locked)


def test_the_lock_file_alone_is_enough(locked: Project) -> None:
    """An image with nothing but the lock file can be synced."""
    (locked.directory / "pyproject.toml").unlink()
    locked.sync(project=None, lock_file=locked.lock_path, target="server-v2")
    assert "vecdemo" in installed(locked)


def test_dry_run_tells_and_changes_nothing(locked: Project) -> None:
    """The plan of a dry run is that of the sync that follows."""
    dry = SyncOptions(dry_run=True, search_path=PATH)
    planned = locked.sync(dry, target="server-v2")
    assert not (locked.directory / ".venv").exists()
    done = locked.sync(target="server-v2")
    assert [e.name for e in planned.plan.install] == [e.name for e in done.plan.install]


def test_offline_from_the_cache(locked: Project, tmp_path: Path) -> None:
    """A second environment needs no network."""
    locked.sync(target="server-v2")
    locked.sync(target="server-v2", venv=tmp_path / "second", offline=True)
    assert (tmp_path / "second" / "pyvenv.cfg").is_file()


def test_an_unknown_target_or_a_missing_lock_is_told(demo: Project) -> None:
    """The message names the targets there are, or the command to run."""
    with pytest.raises(UsageError) as missing:
        demo.sync()
    assert "polylock lock" in str(missing.value.hint())
    demo.lock()
    with pytest.raises(NoSuchTarget) as unknown:
        demo.sync(target="b200")
    assert unknown.value.exit_code == 2
    assert "h100" in str(unknown.value.hint())


def test_a_directory_that_is_no_environment_is_left_alone(locked: Project) -> None:
    """A directory with other things in it is never turned into an environment."""
    precious = locked.directory / ".venv" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work", "utf-8")
    with pytest.raises(EnvironmentBroken):
        locked.sync(target="server-v2")
    assert precious.read_text("utf-8") == "years of work"


def test_a_python_of_another_environment_is_never_changed(
    locked: Project, tmp_path: Path
) -> None:
    """A Python that installs elsewhere is refused: all that is there would go."""
    other = tmp_path / "other"
    create(other, this_python())
    before = sorted(other.rglob("*"))
    place = locked.directory / ".venv"
    (place / "bin").mkdir(parents=True)
    (place / "pyvenv.cfg").write_text("home = /nowhere\n", "utf-8")
    launcher = place / "bin" / "python"
    launcher.write_text(f'#!/bin/sh\nexec {other}/bin/python "$@"\n', "utf-8")
    launcher.chmod(0o755)
    with pytest.raises(EnvironmentBroken):
        locked.sync(target="server-v2")
    assert sorted(other.rglob("*")) == before


def test_an_environment_that_appears_meanwhile_is_taken_for_itself(
    locked: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Python that would have made it is not the one that is synced."""
    other = tmp_path / "other"
    create(other, this_python())
    before = sorted(other.rglob("*"))
    place = locked.directory / ".venv"
    locked.settings["python"] = str(other / "bin" / "python")
    looked_up = Chooser._find

    def slow(chooser: Chooser, request: str) -> Interpreter:
        found = looked_up(chooser, request)
        create(place, found)  # as another process does in this very moment
        return found

    monkeypatch.setattr(Chooser, "_find", slow)
    locked.sync(target="server-v2")
    assert "vecdemo" in installed(locked)
    assert sorted(other.rglob("*")) == before


def test_a_damaged_cache_is_mended(locked: Project) -> None:
    """A wheel that rots in the cache is fetched again, not installed."""
    locked.sync(target="server-v2")
    cache = locked.with_settings().cache_dir
    wheels = [p for p in cache.rglob("*") if p.is_file() and p.stat().st_size > 500]
    assert wheels
    for path in wheels:
        if path.read_bytes()[:2] == b"PK":
            path.chmod(0o644)
            path.write_bytes(b"PK" + b"\0" * (path.stat().st_size - 2))
    for archives in cache.glob("archives*"):
        shutil.rmtree(archives)
    shutil.rmtree(locked.directory / ".venv")
    locked.sync(target="server-v2")
    assert locked.run("import vecdemo; print(vecdemo.build())") == "x86-64-v2"


class Lying:
    """A project whose one wheel is served other than it was when it was locked."""

    def __init__(self, project: Project, tmp_path: Path) -> None:
        self.project = project
        wheel = build_wheel(tmp_path, "liar", "1.0")
        self.content = wheel.read_bytes()
        self.path = f"/files/{wheel.name}"
        self.page = f'<a href="{self.path}">{wheel.name}</a>'.encode()
        use(
            project,
            '[project]\nname = "a"\nversion = "1"\ndependencies = ["liar"]\n'
            f'[tool.polylock]\npython = "{HERE}"\n'
            '[tool.polylock.targets.here]\nplatform = "linux-x86_64"\n',
        )

    def sync_from(self, answer: Answer) -> None:
        """Lock an honest file, then sync from an empty cache and this answer."""
        with Server() as server:
            server.routes["/simple/liar/"] = Answer(
                body=self.page, content_type="text/html"
            )
            server.routes[self.path] = Answer(body=self.content)
            url = f"{server.url}/simple/"
            self.project.lock(index_url=url)
            server.routes[self.path] = answer
            other = self.project.directory.parent / "other-cache"
            self.project.sync(index_url=url, cache_dir=other, timeout=2)


def test_a_wheel_with_another_hash_is_refused(project: Project, tmp_path: Path) -> None:
    """Other bytes of the same size: nothing is installed."""
    lying = Lying(project, tmp_path)
    with pytest.raises(HashMismatch) as caught:
        lying.sync_from(Answer(body=lying.content[:-1] + b"x"))
    assert "liar-1.0" in str(caught.value)
    assert "since it was locked" in str(caught.value.hint())
    assert installed(project) == {}


@pytest.mark.parametrize("change", [b"", b"longer"])
def test_a_wheel_with_another_size_is_refused(
    project: Project, tmp_path: Path, change: bytes
) -> None:
    """A shorter or longer file: nothing is installed."""
    lying = Lying(project, tmp_path)
    body = lying.content + change if change else lying.content[:-10]
    with pytest.raises(SizeMismatch):
        lying.sync_from(Answer(body=body))
    assert installed(project) == {}


def test_a_truncated_download_is_refused(project: Project, tmp_path: Path) -> None:
    """A connection that breaks every time is told; the environment is untouched."""
    lying = Lying(project, tmp_path)
    with pytest.raises((IndexRequestError, SizeMismatch)):
        lying.sync_from(Answer(body=lying.content, truncate=100))
    assert installed(project) == {}


def test_files_can_be_links_into_the_cache(locked: Project) -> None:
    """Such an environment works, is as locked the next time, and is emptied cleanly."""
    forced = SyncOptions(force_target=True, search_path=PATH)
    locked.sync(forced, target="server-v2", link_mode="symlink")
    environment = locked.directory / ".venv"
    (module,) = environment.rglob("plainlib/__init__.py")
    assert module.is_symlink()
    assert locked.run("import plainlib; print('imported')") == "imported"
    again = locked.sync(forced, target="server-v2", link_mode="symlink")
    assert again.plan.is_empty
    cached = module.resolve()
    use(
        locked,
        '[project]\nname = "a"\nversion = "1"\n[tool.polylock]\n' + this_target(),
    )
    locked.lock()
    locked.sync(SyncOptions(force_target=True, forget=True, search_path=PATH))
    assert not list(environment.rglob("plainlib*"))
    assert cached.is_file()
