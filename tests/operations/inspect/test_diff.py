"""Two lock files compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.lock_texts import lock_text, package_text, settings_for
from polylock.lockfile.changes import ChangeKind
from polylock.operations.inspect.diff import LockDiff, diff

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789012345678901234567890123456789"
VCS = (
    '[[packages]]\nname = "a"\nvcs = {{ type = "git", '
    'url = "https://git.example.com/a", commit-id = "{commit}" }}\n'
)
DIRECTORY = (
    '[[packages]]\nname = "a"\ndirectory = {{ path = "a", editable = {flag} }}\n'
)
ARCHIVE = (
    '[[packages]]\nname = "a"\narchive = {{ url = "https://files.example.com/a.zip", '
    'size = {size}, hashes = {{ sha256 = "{digest}" }} }}\n'
)


def _diff(directory: Path, old: str, new: str) -> LockDiff:
    before = directory / "old.toml"
    before.write_text(lock_text(old), encoding="utf-8")
    return diff(settings_for(directory, lock_text(new)), before)


def _kinds(found: LockDiff) -> list[ChangeKind]:
    return [change.kind for target in found.targets for change in target.changes]


def test_sources_without_version_are_told_apart(tmp_path: Path) -> None:
    """Another commit, another way to install a tree, another archive: another file."""
    for text, first, second in (
        (VCS, {"commit": COMMIT}, {"commit": COMMIT[::-1]}),
        (DIRECTORY, {"flag": "true"}, {"flag": "false"}),
        (
            ARCHIVE,
            {"digest": "a" * 64, "size": 100},
            {"digest": "b" * 64, "size": 2300},
        ),
    ):
        old, new = text.format(**first), text.format(**second)
        assert _kinds(_diff(tmp_path, old, new)) == [ChangeKind.FILE]
        assert _kinds(_diff(tmp_path, old, old)) == []


def test_sizes_are_of_all_files(tmp_path: Path) -> None:
    """Before and after, what one target downloads."""
    old = package_text("a") + package_text("b")
    found = _diff(tmp_path, old, package_text("a", version="2.0"))
    assert found.targets[0].sizes == (200, 100)
    assert _kinds(found) == [ChangeKind.VERSION, ChangeKind.REMOVED]
    assert found.targets[0].state == "changed"


def test_named_side_wins_over_the_project(tmp_path: Path) -> None:
    """With two paths the settings name nothing but the target."""
    settings = settings_for(tmp_path, lock_text(package_text("a")))
    other = tmp_path / "other.toml"
    other.write_text(lock_text(package_text("b")), encoding="utf-8")
    assert _kinds(diff(settings, other, other)) == []
