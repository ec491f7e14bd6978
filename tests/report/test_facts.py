"""What the page of the report tells, from lock files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.lock_texts import lock_text, package_text, settings_for
from fakes.report_locks import TARGETS, large_lock
from polylock.errors import UsageError
from polylock.report.facts import page_facts

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.report.facts import PageFacts, ProjectFacts

DIGEST = "ab" * 32


@pytest.fixture(name="large")
def _large(tmp_path: Path) -> PageFacts:
    return page_facts(settings_for(tmp_path, large_lock()))


def _row(facts: PageFacts, name: str) -> ProjectFacts:
    return next(each for each in facts.projects if each.name == name)


def test_targets_and_projects_are_in_order(large: PageFacts) -> None:
    """Targets as the lock file ranks them, projects by name."""
    assert large.names == tuple(TARGETS)
    names = [project.name for project in large.projects]
    assert names == sorted(names)
    assert large.targets[0].machine == "linux-x86_64, glibc-2.34, Python 3.12"
    assert large.targets[6].machine == "macos-arm64, macOS 14.0, Python 3.12"


def test_targets_with_one_file_share_a_build(large: PageFacts) -> None:
    """The label's reason goes with it, and what most targets have is group 0."""
    framework = _row(large, "framework")
    first = framework.installed[0]
    assert (first.label, first.targets) == ("cuda13.0", ("h100", "rtx-workstation"))
    assert first.reason == ("nvidia :: cuda_version_lower_bound :: 13.0",)
    assert first.group == 0
    assert {each.label: each.group for each in framework.installed} == {
        "cuda13.0": 0,
        "x86_64_v3": 1,
        "cuda12.8": 2,
        "rocm6.4": 3,
        "null": 4,
    }
    assert framework.has_variants
    assert not _row(large, "arrays").has_variants


def test_differences_are_told_apart(large: PageFacts) -> None:
    """A version, a variant, or that a target installs nothing."""
    found = {
        project.name: differences
        for project in large.projects
        if (differences := project.differs(large.names))
    }
    assert found == {
        "arrays": ("version",),
        "framework": ("variant",),
        "runtime-cuda": ("presence",),
        "runtime-rocm": ("presence",),
    }


def test_local_version_counts_as_a_variant(tmp_path: Path) -> None:
    """``1.0+cpu`` and ``1.0+gpu`` are one version, built for different machines."""
    second = '[[tool.polylock.targets]]\nname = "mac"\nplatform = "macos-aarch64"\n'
    packages = [
        package_text("a", version=version, more=f'marker = "{marker}"\n')
        for version, marker in (
            ("1.0+cpu", "sys_platform == 'darwin'"),
            ("1.0+gpu", "sys_platform != 'darwin'"),
        )
    ]
    text = lock_text(*packages, requirements=("a",))
    text += second + 'macos = "14.0"\npython = "3.12"\n'
    facts = page_facts(settings_for(tmp_path, text))
    assert facts.projects[0].differs(facts.names) == ("variant",)


def test_whole_set_has_each_file_once(tmp_path: Path, large: PageFacts) -> None:
    """Its size is that of different files, a target's that of its own."""
    together = sum(target.size for target in large.targets)
    assert together > large.fat_size > max(target.size for target in large.targets)
    arrays = _row(large, "arrays").files
    assert sum(file.size or 0 for file in arrays) == 4 * 18_000_000
    alone = page_facts(settings_for(tmp_path, large_lock(), target="h100"))
    assert alone.fat_size == alone.targets[0].size == large.targets[0].size


def test_hardware_saves_what_others_of_the_system_install(large: PageFacts) -> None:
    """Builds for other systems are no matter of hardware, nor what nobody else has."""
    saved = {each.name: large.saved_by_hardware(each) for each in large.targets}
    other_labels = 903_000_000 + 1_204_000_000 + 184_000_000
    assert saved["h100"] == other_labels + 640_000_000
    assert saved["h100"] == saved["rtx-workstation"]
    assert saved["grace-hopper"] == saved["mac-m3"] == saved["windows-cpu"] == 0


def test_edges_name_their_targets(large: PageFacts) -> None:
    """Who requires a project, where, and how the project file comes to it."""
    runtime = _row(large, "runtime-rocm")
    assert [(edge.name, edge.targets) for edge in runtime.required_by] == [
        ("framework", ("mi300x",))
    ]
    assert runtime.chains == ((("framework", "runtime-rocm"), ("mi300x",)),)
    requires = {e.name: e.targets for e in _row(large, "framework").requires}
    assert requires["runtime-rocm"] == ("mi300x",)
    assert requires["attr-api"] == tuple(TARGETS)
    assert [edge.name for edge in _row(large, "attr-client").places] == ["group test"]


def test_secrets_and_paths_of_a_machine_are_left_out(tmp_path: Path) -> None:
    """No user, password, query or absolute path reaches the page."""
    secret = "https://user:secret@example.com/simple/?token=secret#secret"
    direct = (
        f'[[packages]]\nname = "b"\narchive = {{ url = "https://u:secret@example.com/b-'
        f'1.zip?sig=secret", hashes = {{ sha256 = "{DIGEST}" }} }}\n'
    )
    tree = '[[packages]]\nname = "c"\ndirectory = { path = "/home/secret/c" }\n'
    near = '[[packages]]\nname = "d"\ndirectory = { path = "../d" }\n'
    commit = (
        '[[packages]]\nname = "e"\nvcs = { type = "git", url = '
        f'"https://u:secret@example.com/e.git", commit-id = "{"c" * 40}" }}\n'
    )
    packages = package_text("a", more=f'index = "{secret}"\n')
    text = lock_text(packages, direct, tree, near, commit, requirements=("a",))
    facts = page_facts(settings_for(tmp_path, text))
    assert "secret" not in repr(facts)
    (a,), (b,), (c,), (d,), (e,) = (each.installed for each in facts.projects)
    assert a.index == "https://example.com/simple/"
    assert (b.file.name, b.file.place) == ("b-1.zip", "https://example.com/b-1.zip")
    assert b.file.is_linked
    assert (c.file.name, c.file.place, c.file.size) == ("c", "", None)
    assert (d.file.place, d.file.is_linked) == ("../d", False)
    assert e.file.hashes == (("git", "c" * 40),)
    assert facts.targets[0].unknown == 4


def test_lock_file_of_another_tool_is_refused(tmp_path: Path) -> None:
    """It names no targets, so there is nothing to put side by side."""
    text = lock_text(package_text("a")).partition("[tool.polylock]")[0]
    with pytest.raises(UsageError, match="names no targets"):
        page_facts(settings_for(tmp_path, text))
