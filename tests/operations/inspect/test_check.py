"""What ``check`` says after each kind of edit: offline, without a clock or solver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.operations.inspect.check import check

if TYPE_CHECKING:
    from fakes.workspace import Project


def told(project: Project, old: str, new: str) -> list[str]:
    """Edit the project file and return what check tells, without an index."""
    path = project.directory / "pyproject.toml"
    text = path.read_text("utf-8")
    assert old in text
    project.write(text.replace(old, new, 1))
    outcome = check(
        project.with_settings(index_url="http://127.0.0.1:9/", offline=True)
    )
    assert outcome.up_to_date is not bool(outcome.differences)
    assert outcome.error().exit_code == 3
    return [str(difference) for difference in outcome.differences]


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ('"blasx",', '"blasx >=1",', ["blasx"]),
        ('  "blasx",\n', "", ["blasx"]),
        ('"blasx",', '"blasx", "plainlib-testing",', ["plainlib-testing"]),
        ('["plainlib-testing"]', '["plainlib-testing", "plainlib"]', ["test"]),
        ('test = ["plainlib-testing"]', "", ["test"]),
        ("[dependency-groups]", '[dependency-groups]\nlint = ["plainlib"]', ["lint"]),
        (
            "[dependency-groups]",
            '[project.optional-dependencies]\nfast = ["plainlib"]\n[dependency-groups]',
            ["fast"],
        ),
        ('requires-python = ">=3.11"', 'requires-python = ">=3.12"', ["3.12"]),
        ('driver = "13.0"', 'driver = "12.8"', ["h100", "cuda_version_lower_bound"]),
        ('libc = "glibc-2.17"', 'libc = "glibc-2.28"', ["server-v2", "glibc-2.17"]),
        ('macos = "14.0"', 'macos = "13.0"', ["mac-m3", "14.0"]),
        ('cpu = "zen3"', 'cpu = "zen4"', ["a100", "x86_64"]),
        ('python = "3.12"', 'python = "3.13"', ["3.13"]),
        ("targets.mac-m3", "targets.mac", ["mac-m3"]),
        (
            'python = "3.12"',
            'python = "3.12"\nconstraint-dependencies = ["plainlib <1.2"]',
            ["plainlib<1.2"],
        ),
        (
            'python = "3.12"',
            'python = "3.12"\noverride-dependencies = ["plainlib ==1.1.0"]',
            ["plainlib==1.1.0"],
        ),
        ('python = "3.12"', 'python = "3.12"\nresolution = "lowest"', ["lowest"]),
        ('python = "3.12"', 'python = "3.12"\nprerelease = "allow"', ["allow"]),
        (
            'python = "3.12"',
            'python = "3.12"\nexclude-newer = "2026-01-01T00:00:00Z"',
            ["2026-01-01"],
        ),
        (
            'python = "3.12"',
            'python = "3.12"\nexclude-variants = ["nvidia"]',
            ["nvidia"],
        ),
        ('python = "3.12"', 'python = "3.12"\ndefault-target = "h100"', ["h100"]),
        (
            'python = "3.12"',
            (
                'python = "3.12"\n[[tool.polylock.index]]\nname = "own"\n'
                'url = "https://wheels.example.com/simple"'
            ),
            ["own"],
        ),
        (
            'runs-on = "gpu-a100"',
            'runs-on = "gpu-a100"\ndependencies = ["plainlib-testing"]',
            ["a100", "plainlib-testing"],
        ),
    ],
)
def test_each_edit_is_told(
    locked_demo: Project, old: str, new: str, names: list[str]
) -> None:
    """Every edit that could change a pin is told in a line that names it."""
    lines = told(locked_demo, old, new)
    assert lines
    for name in names:
        assert any(name in line for line in lines), lines


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version = "1.0.0"', 'version = "1.0.1"'),
        ("[tool.polylock]", "# a comment\n[tool.polylock]"),
        ('"vecdemo >=2",\n  "tensordemo >=3"', '"tensordemo>=3",\n  "vecdemo>=2"'),
        ('runs-on = "gpu-a100"', 'runs-on = "gpu"'),
        ('"plainlib[color] >=1.1"', '"Plainlib [Color]>=1.1"'),
    ],
    ids=["version", "comment", "order", "runner", "spelling"],
)
def test_edits_that_change_no_pin_are_not_told(
    locked_demo: Project, old: str, new: str
) -> None:
    """The version, comments, order and spelling are nothing to the lock file."""
    assert told(locked_demo, old, new) == []


def test_order_of_the_targets_is_told(locked_demo: Project) -> None:
    """The order is their priority for ``auto``."""
    path = locked_demo.directory / "pyproject.toml"
    *head, mac = path.read_text("utf-8").rstrip().split("\n\n")
    last = head.pop()
    locked_demo.write("\n\n".join([*head, mac, last]) + "\n")
    assert check(locked_demo.with_settings()).differences


def test_a_pin_edited_by_hand_is_told(locked_demo: Project) -> None:
    """A version in the lock file that a requirement excludes is told."""
    text = locked_demo.lock_path.read_text("utf-8")
    locked_demo.lock_path.write_text(
        text.replace(
            'name = "vecdemo"\nversion = "2.0.0"', 'name = "vecdemo"\nversion = "1.0.0"'
        ).replace("vecdemo-2.0.0", "vecdemo-1.0.0"),
        "utf-8",
    )
    lines = [str(d) for d in check(locked_demo.with_settings()).differences]
    assert any("vecdemo" in line for line in lines), lines


def test_a_lock_file_that_is_not_there_is_told(demo: Project) -> None:
    """Without a lock file nothing is up to date."""
    outcome = check(demo.with_settings())
    assert not outcome.exists
    assert not outcome.up_to_date


def test_a_lock_that_answers_is_left_alone(locked_demo: Project) -> None:
    """A second lock asks no index and writes nothing."""
    before = locked_demo.lock_path.stat()
    outcome = locked_demo.lock(index_url="http://127.0.0.1:9/")
    after = locked_demo.lock_path.stat()
    assert not outcome.changed
    assert not outcome.efforts
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
