"""The user's say in the choice of a label, from the project file to the lock file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fakes.gpu_index import changed_variants, gpu_project
from polylock.errors import LockFileInvalid, NoSolution, ProjectError
from polylock.operations.inspect.check import check

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.workspace import Project

TEXT = """
[project]
name = "app"
version = "1"
dependencies = ["vecdemo"]
[tool.polylock]
python = "3.12"
[tool.polylock.targets.v4]
platform = "linux-x86_64"
cpu = {{ level = "v4" }}
[tool.polylock.targets.pinned]
extends = "v4"
{pin}
[tool.polylock.targets.heir]
extends = "pinned"
"""


def labels(project: Project) -> dict[str, str]:
    """Return the label of vecdemo by target."""
    return {
        choice.target: choice.label
        for package in project.pylock.packages
        for choice in package.variants
    }


def test_pin_is_locked_recorded_and_inherited(project: Project) -> None:
    """The pinned target and its heir take the label; the lock file says why."""
    project.write(TEXT.format(pin='variants = { VecDemo = "x86_64_v2" }'))
    project.lock()
    expected = {"v4": "x86_64_v4", "pinned": "x86_64_v2", "heir": "x86_64_v2"}
    assert labels(project) == expected
    text = project.lock_path.read_text("utf-8")
    assert text.count("vecdemo@x86_64_v2") == 2
    assert not project.lock().changed


def test_change_of_a_pin_makes_the_lock_outdated(project: Project) -> None:
    """``check`` names target and project, and the next lock chooses anew."""
    project.write(TEXT.format(pin='variants = { vecdemo = "x86_64_v2" }'))
    project.lock()
    project.write(TEXT.format(pin=""))
    found = [str(each) for each in check(project.with_settings()).differences]
    assert any("pinned: variant of vecdemo" in line for line in found), found
    project.lock()
    assert set(labels(project).values()) == {"x86_64_v4"}


def test_empty_label_is_the_plain_wheel(project: Project) -> None:
    """The release that has a plain wheel is taken, though an older one."""
    project.write(TEXT.format(pin='variants = { vecdemo = "" }'))
    project.lock()
    found = {(str(p.name), p.version) for p in project.pylock.packages}
    assert ("vecdemo", "1.0.0") in found


def test_unknown_label_is_told_with_those_there_are(project: Project) -> None:
    """The message lists the labels and the hint names the key."""
    project.write(TEXT.format(pin='variants = { vecdemo = "cu130" }'))
    with pytest.raises(NoSolution) as caught:
        project.lock()
    told = "\n".join([str(caught.value), *caught.value.details()])
    assert "there is: null, x86_64_v2, x86_64_v3, x86_64_v4" in told
    assert "tool.polylock.targets.pinned.variants.vecdemo" in str(caught.value.hint())


@pytest.mark.parametrize(
    ("pin", "problem"),
    [
        ('variants = { vecdemo = "A" }', "is not a variant label"),
        ("variants = { vecdemo = 1 }", "must be a label"),
        ('variants = ["vecdemo@x"]', "must be a table"),
        ('variants = { "-x" = "a" }', "is not the name of a project"),
        ('variants = { a_b = "a", a-b = "b" }', "names a-b twice"),
    ],
)
def test_bad_pin_is_refused(project: Project, pin: str, problem: str) -> None:
    """The error names the key of the target."""
    project.write(TEXT.format(pin=pin))
    with pytest.raises(ProjectError, match=problem) as caught:
        project.lock()
    assert "tool.polylock.targets.pinned.variants" in str(caught.value)


def test_bad_pin_in_a_lock_file_is_refused(project: Project) -> None:
    """What is no project and label is told by its place."""
    project.write(TEXT.format(pin='variants = { vecdemo = "x86_64_v2" }'))
    project.lock()
    text = project.lock_path.read_text("utf-8")
    project.lock_path.write_text(text.replace("vecdemo@x86_64_v2", "vecdemo"), "utf-8")
    with pytest.raises(LockFileInvalid, match=r"variants\[0\]"):
        project.lock()


def test_refresh_notices_that_the_locked_label_no_longer_fits(tmp_path: Path) -> None:
    """The index corrected the properties of the label that is locked.

    PEP 825, "Index-level metadata": "This file SHOULD NOT be considered immutable".
    """
    with gpu_project(tmp_path) as project:
        assert choice(project) == "cu12"
        index = tmp_path / "index"
        page = index / "simple" / "gpu" / "index.json"
        listed = json.loads(page.read_text("utf-8"))
        for entry in listed["files"]:
            if entry["filename"].endswith(".json"):
                (index / "files" / "gpu" / entry["filename"]).write_bytes(
                    changed_variants()
                )
                entry["hashes"] = {}
                del entry["size"]
        page.write_text(json.dumps(listed), "utf-8")
        assert not project.lock().changed
        assert project.lock(refresh=True).changed
        assert choice(project) == "cu11"
        assert not project.lock(refresh=True).changed


def choice(project: Project) -> str:
    """Return the label of gpu that target box installs."""
    (found,) = (
        choice.label
        for package in project.pylock.packages
        for choice in package.variants
        if package.name == "gpu" and choice.target == "box"
    )
    return found
