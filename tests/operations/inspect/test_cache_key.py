"""The key of a target changes if what it would install does, and only then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.this_machine import VARIABLE
from polylock.errors import NoSuchTarget, NoTargetFits, UsageError
from polylock.operations.inspect.cache_key import cache_keys
from polylock.operations.lock.request import LockRequest

if TYPE_CHECKING:
    from fakes.workspace import Project


GOLDEN = Path(__file__).parents[2] / "golden" / "cache-keys"


def keys(where: Project, **settings: object) -> dict[str, str]:
    """Return the key of every target, by its name."""
    found = cache_keys(where.with_settings(**settings))
    return {key.target: key.key for key in found}


def changed(project: Project, old: str, new: str) -> set[str]:
    """Edit the project, lock again, and name the targets whose key changed."""
    before = keys(project)
    path = project.directory / "pyproject.toml"
    text = path.read_text("utf-8")
    assert old in text
    project.write(text.replace(old, new))
    project.lock()
    after = keys(project)
    return {name for name in before if before[name] != after[name]}


def test_every_target_has_a_key_of_its_own(locked_demo: Project) -> None:
    """Six machines that install six different sets have six keys."""
    found = keys(locked_demo)
    assert list(found) == ["h100", "a100", "mi300x", "server-v4", "server-v2", "mac-m3"]
    assert len({key.rpartition("-")[2] for key in found.values()}) == 6
    assert found["h100"].startswith("polylock-1-h100-linux-x86_64-py3.12-")


def test_a_requirement_of_one_target_changes_its_key_alone(
    locked_demo: Project,
) -> None:
    """Editing what the A100 needs rebuilds the A100's environment and no other."""
    edited = changed(
        locked_demo,
        'runs-on = "gpu-a100"',
        'runs-on = "gpu-a100"\ndependencies = ["plainlib-testing"]',
    )
    assert edited == {"a100"}


def test_a_driver_changes_the_key_of_its_target_alone(locked_demo: Project) -> None:
    """A driver that is too old for CUDA 13 changes the H100's label and key."""
    assert changed(locked_demo, 'driver = "13.0"', 'driver = "12.8"') == {"h100"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version = "1.0.0"', 'version = "2.0.0"'),
        ('name = "demo"', 'name = "other"'),
        ('python = "3.12"', '# a comment\npython    =    "3.12"'),
        (
            '  "vecdemo >=2",\n  "tensordemo >=3",\n',
            '  "tensordemo>=3",\n  "vecdemo>=2",\n',
        ),
        ('runs-on = "gpu-a100"', 'runs-on = "another"'),
        (
            '[dependency-groups]\ntest = ["plainlib-testing"]',
            '[dependency-groups]\ntest = ["plainlib-testing", "plainlib"]',
        ),
    ],
    ids=["version", "name", "comment", "order", "runner", "group"],
)
def test_what_installs_nothing_else_changes_no_key(
    locked_demo: Project, old: str, new: str
) -> None:
    """The version, comments, order, runners and unused groups are not in a key."""
    assert changed(locked_demo, old, new) == set()


def test_a_processor_changes_the_key_of_its_target_alone(locked_demo: Project) -> None:
    """Without its CPU the A100 machine falls back to the baseline build."""
    assert changed(locked_demo, 'cpu = "zen3"\n', "") == {"a100"}


def test_another_python_changes_every_key(locked_demo: Project) -> None:
    """The Python of a target is part of its key although the files are the same."""
    assert len(changed(locked_demo, 'python = "3.12"', 'python = "3.13"')) == 6


def test_an_upgrade_of_one_package_changes_the_keys_of_those_who_install_it(
    demo: Project,
) -> None:
    """A pin that moves for the CUDA targets moves no other target's key."""
    text = (demo.directory / "pyproject.toml").read_text("utf-8")
    constrained = text.replace(
        "[tool.polylock]",
        '[tool.polylock]\nconstraint-dependencies = ["tensordemo-compiler <1.1"]',
    )
    demo.write(constrained)
    demo.lock()
    before = keys(demo)
    demo.write(text)
    demo.lock()
    assert keys(demo) == before  # the pin still holds
    demo.lock(LockRequest(upgrade=True))
    after = keys(demo)
    assert {n for n in before if before[n] != after[n]} == {"h100", "a100"}


def test_groups_and_extras_are_in_the_key(locked_demo: Project) -> None:
    """What a job installs beyond the base set is part of its key."""
    plain, tested = keys(locked_demo), keys(locked_demo, groups=("test",))
    assert all(plain[name] != tested[name] for name in plain)


def test_key_is_of_what_sync_installs(project: Project, demo: Project) -> None:
    """The default groups count, and the options of ``sync`` choose as they do there."""
    text = (demo.directory / "pyproject.toml").read_text("utf-8")
    project.write(text.replace("\ntest = [", "\ndev = ["))
    project.lock()
    plain, with_dev = keys(project, no_default_groups=True), keys(project)
    assert plain != with_dev
    assert keys(project, groups=("dev",)) == with_dev
    assert keys(project, all_groups=True) == with_dev
    assert keys(project, no_groups=("dev",)) == plain
    assert keys(project, only_groups=("dev",)) not in (plain, with_dev)


def test_key_needs_the_lock_file_alone(locked_demo: Project) -> None:
    """A CI step that has the lock file and no project file gets the same key."""
    before = keys(locked_demo)
    (locked_demo.directory / "pyproject.toml").unlink()
    found = keys(locked_demo, project=None, lock_file=locked_demo.lock_path)
    assert found == before


def test_unknown_target_and_missing_lock_are_told(demo: Project) -> None:
    """Errors name the targets there are, and the command to run."""
    with pytest.raises(UsageError) as missing:
        keys(demo)
    assert "polylock lock" in str(missing.value.hint())
    demo.lock()
    with pytest.raises(NoSuchTarget) as unknown:
        keys(demo, target="b200")
    assert "h100" in str(unknown.value.hint())


@pytest.mark.parametrize(
    ("machine", "target"),
    [
        ("v2", "server-v2"),
        ("v3", "server-v2"),
        ("v4", "server-v4"),
        ("nvml-h100-cuda130", "h100"),
        ("nvml-a100-mig", "a100"),
        ("rocm-mi300a", "mi300x"),
        ("darwin-sequoia-m3", "mac-m3"),
    ],
)
def test_auto_is_the_first_target_that_this_machine_is(
    locked_demo: Project, monkeypatch: pytest.MonkeyPatch, machine: str, target: str
) -> None:
    """Commands that read the lock file know ``auto`` as sync does."""
    monkeypatch.setenv(VARIABLE, machine)
    (name,) = keys(locked_demo, target="auto")
    assert name == target


@pytest.mark.parametrize("machine", ["v1", "aarch64"])
def test_a_machine_that_is_no_target_is_told(
    locked_demo: Project, monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    """What it lacks is said for each target."""
    monkeypatch.setenv(VARIABLE, machine)
    with pytest.raises(NoTargetFits) as told:
        keys(locked_demo, target="auto")
    assert [reason.partition(":")[0] for reason in told.value.missing] == [
        "h100",
        "a100",
        "mi300x",
        "server-v4",
        "server-v2",
        "mac-m3",
    ]


def test_keys_are_those_of_earlier_versions(project: Project) -> None:
    """Keys of every kind of source are as they were written down once.

    Where a change of the recipe is meant, its number changes with it, in the code, in
    docs/reference/cache-keys.md and here.
    """
    project.directory.mkdir()
    shutil.copy(GOLDEN / "pylock.toml", project.lock_path)
    recorded = json.loads((GOLDEN / "keys.json").read_text("utf-8"))
    made = {
        "": keys(project, project=None, lock_file=project.lock_path),
        "--group test": keys(project, groups=("test",)),
        "--extra docs": keys(project, extras=("docs",)),
    }
    assert made == recorded


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('subdirectory = "python"', 'subdirectory = "rust"'),
        ('subdirectory = "packages/core"', 'subdirectory = "packages/more"'),
        ("editable = true", "editable = false"),
        ('path = "libs/from-path"', 'path = "libs/from path"'),
        ('commit-id = "5af1', 'commit-id = "5af2'),
    ],
    ids=["of a commit", "of an archive", "editable", "path", "commit"],
)
def test_where_a_source_tree_lies_is_in_the_key(
    project: Project, old: str, new: str
) -> None:
    """Another part of the same archive or commit is another thing to install."""
    project.directory.mkdir()
    text = (GOLDEN / "pylock.toml").read_text("utf-8")
    assert old in text
    project.lock_path.write_text(text, "utf-8")
    before = keys(project)
    project.lock_path.write_text(text.replace(old, new), "utf-8")
    after = keys(project)
    assert [name for name in before if before[name] == after[name]] == []


def test_a_moved_archive_is_the_same_archive(project: Project) -> None:
    """Neither a mirror of files nor one of repositories changes a key."""
    project.directory.mkdir()
    text = (GOLDEN / "pylock.toml").read_text("utf-8")
    project.lock_path.write_text(text, "utf-8")
    before = keys(project)
    moved = text.replace("files.example.com/2.0/", "mirror.example.com/x/")
    moved = moved.replace("git.example.com", "mirror.example.com")
    assert moved != text
    project.lock_path.write_text(moved, "utf-8")
    assert keys(project) == before
