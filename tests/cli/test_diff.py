"""``polylock diff`` tells what changed for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.lock_texts import lock_text, package_text
from fakes.repositories import git_repository

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.command_line import CommandLine

_WHEEL = (
    '[[packages]]\nname = "a"\nversion = "1.0"\nmarker = "{marker}"\n'
    'wheels = [{{ url = "https://files.example.com/a-1.0-{tag}.whl", size = {size}, '
    'hashes = {{ sha256 = "{digest}" }} }}]\n'
)
TWO_TARGETS = (
    lock_text(
        _WHEEL.format(
            marker="sys_platform == 'linux'",
            tag="py3-none-any",
            size=10,
            digest="0" * 64,
        ),
        _WHEEL.format(
            marker="sys_platform == 'win32'",
            tag="py3-none-win_amd64",
            size=20,
            digest="1" * 64,
        ),
    )
    .replace('["box"]', '["left", "right"]')
    .replace('name = "box"', 'name = "left"')
    + '[[tool.polylock.targets]]\nname = "right"\nplatform = "windows-x86_64"\n'
    'python = "3.12"\n'
)
"""Two targets, each with a wheel of its own."""
FOREIGN = 'lock-version = "1.0"\ncreated-by = "other"\npackages = []\n'


def test_equal_lock_files_have_no_differences(demo: CommandLine) -> None:
    """A line says so for all targets."""
    told = demo.succeed("diff", "pylock.toml").out
    assert told == "no change for h100, mac, here\n"


def test_changes_are_told_by_target(demo: CommandLine) -> None:
    """Added, removed, another version, another variant; the download size as well."""
    demo.write(demo.read("pylock.toml"), "old.toml")
    text = demo.read().replace('"fallbackkit"', '"vecdemo"')
    demo.write(text.replace('driver = "13.0"', 'driver = "12.8"'))
    demo.succeed("lock")
    lines = demo.succeed("diff", "old.toml", "--target", "h100").out.splitlines()
    assert lines[0].startswith("h100: 4 changes, download ")
    assert " -> " in lines[0]
    assert lines[1:] == [
        "  - fallbackkit             1.3.0 (avx512)",
        "  ~ tensordemo              3.1.0 (cuda13.0) -> 3.1.0 (cuda12.8)",
        "  ~ tensordemo-cuda-runtime 13.0.1 -> 12.8.2, older",
        "  + vecdemo                 2.0.0 (x86_64_v4)",
    ]


def test_same_changes_are_told_together(tmp_path: Path, polylock: CommandLine) -> None:
    """One list for targets with the same changes, and two files need no project."""
    two = TWO_TARGETS.replace("[[packages]]", package_text("b") + "[[packages]]", 1)
    polylock.write(two, "old.toml")
    new = two.replace("a-1.0", "a-2.0").replace('"1.0"\nmarker', '"2.0"\nmarker')
    polylock.write(new, "new.toml")
    told = polylock.succeed("diff", "old.toml", "new.toml").out
    assert told == (
        "left, right: 1 change\n"
        "  ~ a 1.0 -> 2.0\n"
        "  download for left 110 B as before\n"
        "  download for right 120 B as before\n"
    )
    assert not (tmp_path / "pylock.toml").exists()


def test_two_named_lock_files(demo: CommandLine) -> None:
    """With both named, the project's lock file plays no part."""
    demo.write(demo.read("pylock.toml"), "old.toml")
    text = demo.read("pylock.toml")
    demo.write(
        text.replace("'h100' in", "'h200' in")
        .replace('  "h100",\n', "")
        .replace('  "here",\n', '  "h200",\n  "here",\n')
        .replace('target = "h100"', 'target = "h200"')
        .replace('name = "h100"\nplatform', 'name = "h200"\nplatform'),
        "new.toml",
    )
    told = demo.succeed("diff", "old.toml", "new.toml").out.splitlines()
    assert told[0].startswith("h200: new target, ")
    assert told[0].endswith("in 9 packages")
    assert told[2] == "h100: no longer a target"
    assert told[4] == "no change for mac, here"


def test_file_that_changed_under_the_same_name_is_seen(demo: CommandLine) -> None:
    """Another hash is another file, though version and label are the same."""
    old = demo.read("pylock.toml")
    at = old.index('sha256 = "', old.index('name = "plainlib-colors"\nversion'))
    digest = old[at + 10 : at + 74]
    demo.write(old.replace(digest, "0" * 64), "old.toml")
    told = demo.succeed("diff", "old.toml", "--target", "mac").out
    assert "  ~ plainlib-colors 1.0.1, another file\n" in told
    assert "as before" in told


def test_missing_and_foreign_lock_files_are_refused(demo: CommandLine) -> None:
    """Each error names the file."""
    ran = demo("diff", "nowhere.toml")
    assert ran.code == 2
    assert "nowhere.toml does not exist" in ran.err
    demo.write(FOREIGN, "other.toml")
    ran = demo("diff", "other.toml")
    assert ran.code == 2
    assert "other.toml was not written by polylock" in ran.err


def test_unknown_target_is_refused(demo: CommandLine) -> None:
    """A target that neither side has is a misspelling."""
    ran = demo("diff", "pylock.toml", "--target", "h1")
    assert ran.code == 2
    assert "there are: h100, mac, here" in ran.err


def test_commits_are_compared_by_their_names(demo: CommandLine) -> None:
    """A revision stands for the lock file as git has it, before or after."""
    git_repository(demo.directory, tag="first")
    demo.write(demo.read().replace('"fallbackkit"', '"vecdemo"'))
    demo.succeed("lock")
    uncommitted = demo.succeed("diff", "HEAD", "--target", "mac").out
    assert "- fallbackkit" in uncommitted
    git_repository(demo.directory)
    assert demo.succeed("diff", "first", "HEAD", "--target", "mac").out == uncommitted
    assert demo.succeed("diff", "HEAD").out.startswith("no change for ")


def test_what_is_neither_file_nor_commit_is_named(demo: CommandLine) -> None:
    """No repository, a misspelt revision, or a commit without a lock file."""
    ran = demo("diff", "HAED")
    assert ran.code == 2
    assert "error: HAED is neither a file nor a commit\nhint: give a lock" in ran.err
    demo.write(demo.read("pylock.toml"), "kept.toml")
    (demo.directory / "pylock.toml").unlink()
    git_repository(demo.directory)
    demo.write(demo.read("kept.toml"), "pylock.toml")
    ran = demo("diff", "HEAD")
    assert ran.code == 2
    assert "error: the commit HEAD has no pylock.toml" in ran.err
