"""After a command that changed something, the answer of the next one is known."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from polylock.answer_cache import recall as recalling
from polylock.answer_cache import remember as remembering
from polylock.answer_cache.recall import content_of
from polylock.answer_cache.remember import as_written
from polylock.cli.check import command as check_command
from polylock.cli.lock import NOT_OF_CHECK
from polylock.cli.lock import command as lock_command
from polylock.cli.run import command as run_command
from polylock.cli.sync import NOT_OF_RUN
from polylock.cli.sync import command as sync_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import click

    from fakes.command_line import CommandLine, Ran

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="nothing is remembered on Windows"
)

SYNC = ("sync", "--target", "here")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Note the commands that ``run`` would become, and stay in this process."""
    found: list[tuple[str, ...]] = []

    def execve(_path: object, command: tuple[str, ...], _variables: object) -> None:
        found.append(command)
        raise OSError("this process is still needed")

    monkeypatch.setattr(os, "execve", execve)
    return found


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust files that were written a moment ago, as these all were."""
    monkeypatch.setattr(remembering, "SETTLED", 0)


def recalled(demo: CommandLine, *arguments: str) -> Ran:
    """Run a command that must be answered from the cache."""
    assert recalling.recall(arguments) is not None, arguments
    return demo(*arguments)


def carried_out(demo: CommandLine, *arguments: str) -> Ran:
    """Run a command with an empty answer cache."""
    for found in demo.directory.parent.glob(f"**/{recalling.DIRECTORY}"):
        shutil.rmtree(found)
    assert recalling.recall(arguments) is None, arguments
    return demo(*arguments)


def change_project(demo: CommandLine) -> None:
    """Require one distribution less."""
    demo.write(demo.read().replace('"fallbackkit", ', ""))


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("options", [(), ("--json",), ("-q",)], ids=" ".join)
def test_after_a_sync_the_next_says_what_it_would(
    demo: CommandLine, options: tuple[str, ...]
) -> None:
    """The text and the JSON are those of a sync that finds nothing to do."""
    for first in (SYNC, ("sync", "--target=here", "--group=test")):
        demo.succeed(*first, *options)
        known = recalled(demo, *first, *options)
        assert known == carried_out(demo, *first, *options)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("options", [(), ("--json",), ("-q",)], ids=" ".join)
def test_after_a_lock_the_next_says_what_it_would(
    demo: CommandLine, options: tuple[str, ...]
) -> None:
    """So does a check with the same options, apart from the JSON."""
    change_project(demo)
    demo.succeed("lock", *options)
    check = ("check", *(each for each in options if each != "--json"))
    known = [recalled(demo, *each) for each in (("lock", *options), check)]
    assert known == [carried_out(demo, *each) for each in (("lock", *options), check)]


@pytest.mark.usefixtures("settled")
def test_after_a_sync_run_is_known_too(
    demo: CommandLine, begun: list[tuple[str, ...]]
) -> None:
    """It starts its command at once, with the options of that sync and no others."""
    demo.succeed(*SYNC)
    program = ("python", "-c", "pass")

    def becomes(*options: str) -> list[tuple[str, ...]]:
        begun.clear()
        recalling.recall(("run", *options, *program))
        return begun

    assert becomes("--target", "here") == [program]
    assert becomes("--target", "here", "--") == [program]
    assert becomes() == []
    assert becomes("--target", "here", "--frozen") == []


@pytest.mark.usefixtures("settled")
def test_after_a_run_that_synced_the_next_is_known(
    demo: CommandLine, begun: list[tuple[str, ...]]
) -> None:
    """Its environment was examined once it had been synced."""
    arguments = ("run", "--target", "here", "python", "-c", "pass")
    demo(*arguments)
    begun.clear()
    recalling.recall(arguments)
    assert begun == [("python", "-c", "pass")]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "arguments",
    [
        ("lock", "--upgrade"),
        ("lock", "--dry-run"),
        ("lock", "--upgrade-package", "plainlib"),
        ("lock", "--refresh"),
        (*SYNC, "--reinstall"),
        (*SYNC, "--hashes"),
        (*SYNC, "--forget"),
        (*SYNC, "-v"),
    ],
    ids=" ".join,
)
def test_a_command_that_asks_for_more_is_never_known(
    demo: CommandLine, arguments: tuple[str, ...]
) -> None:
    """The same arguments would do something again, or look further."""
    if arguments[0] == "lock":
        change_project(demo)
    demo.succeed(*arguments)
    assert recalling.recall(arguments) is None
    if arguments[0] == "lock":
        assert recalling.recall(("check",)) is None


@pytest.mark.usefixtures("settled")
def test_other_options_of_a_lock_are_no_check(demo: CommandLine) -> None:
    """``check`` has no --threads, so no lock with it answers a check."""
    change_project(demo)
    demo.succeed("lock", "--threads", "2")
    assert recalling.recall(("lock", "--threads", "2")) == 0
    assert recalling.recall(("check", "--threads", "2")) is None


def test_parameters_that_the_other_command_lacks_are_listed() -> None:
    """An option that ``run`` or ``check`` does not have is an error there."""

    def parameters(command: click.Command) -> set[str]:
        return {each.name or "" for each in command.params} - {"as_json"}

    run, check = parameters(run_command), parameters(check_command)
    assert parameters(sync_command) - run == NOT_OF_RUN
    assert parameters(lock_command) - check == NOT_OF_CHECK


def _change_origin(_: Path, found: Path) -> None:
    path = found / "polylock.json"
    path.write_bytes(path.read_bytes().replace(b'"sha256":"', b'"sha256":"f')[:-1])


CHANGES: dict[str, Callable[[Path, Path], object]] = {
    "the choice": lambda venv, _: (venv / "polylock.json").write_text("{}"),
    "pyvenv.cfg": lambda venv, _: (venv / "pyvenv.cfg").write_text("home = /x\n"),
    "no Python": lambda venv, _: (venv / "bin" / "python").unlink(),
    "another distribution": lambda _, d: (d.parent / "x-1.dist-info").mkdir(),
    "a legacy one": lambda _, d: (d.parent / "x.egg-link").touch(),
    "one less": lambda _, d: shutil.rmtree(d),
    "no RECORD": lambda _, d: (d / "RECORD").unlink(),
    "a partial RECORD": lambda _, d: (d / "RECORD.partial").touch(),
    "a source": lambda _, d: (d / "direct_url.json").write_text('{"url": "x:"}'),
    "another origin": _change_origin,
    "no origin": lambda _, d: (d / "polylock.json").unlink(),
    "a module less": lambda _, d: shutil.rmtree(d.parent / "fallbackkit"),
    "all of it": lambda venv, _: shutil.rmtree(venv),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_at_once_after_a_sync_counts(
    demo: CommandLine, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No clock is fine enough to tell it from the sync, so contents are compared.

    What the sync wrote is too recent for a comparison by time.
    """
    monkeypatch.setattr(remembering, "SETTLED", 50_000_000)
    time.sleep(0.1)  # project and lock file were written for this test
    demo.succeed(*SYNC)
    assert recalling.recall(SYNC) == 0
    venv = demo.directory / ".venv"
    (found,) = venv.glob("lib/*/site-packages/fallbackkit-*.dist-info")
    CHANGES[what](venv, found)
    assert recalling.recall(SYNC) is None


@pytest.mark.usefixtures("settled")
def test_a_lock_file_that_another_program_replaced_counts(demo: CommandLine) -> None:
    """It is compared with what the lock wrote, not with what was there afterwards."""
    change_project(demo)
    demo.succeed("lock")
    path = demo.directory / "pylock.toml"
    path.write_bytes(path.read_bytes() + b"# more\n")
    assert recalling.recall(("lock",)) is None
    assert recalling.recall(("check",)) is None


def test_what_is_recent_is_known_by_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory's content are the names in it; an old file is known by its state."""
    path, directory = tmp_path / "file", tmp_path / "directory"
    path.write_bytes(b"content")
    directory.mkdir()
    both = (str(path), str(directory))
    recent = as_written(both)
    assert [each for each, _ in recent.digests] == list(both)
    assert recent.states == ()
    before = content_of(str(directory))
    (directory / "new").touch()
    assert content_of(str(directory)) != before
    monkeypatch.setattr(remembering, "SETTLED", 0)
    time.sleep(0.05)  # the clock of a file system is coarse
    assert as_written(both).states == both
