"""Commands and options of other tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from polylock.cli import foreign_commands as habits
from polylock.cli.main import cli

if TYPE_CHECKING:
    from fakes.command_line import CommandLine

REFUSED = {
    "install": "`polylock sync` installs what is locked",
    "i": "`polylock sync` installs what is locked",
    "ci": "`polylock sync` installs what is locked",
    "pip install x": "`polylock sync`",
    "pip freeze": "`polylock export`",
    "reinstall": "`polylock sync`",
    "update": "`polylock lock --upgrade`",
    "upgrade": "`polylock lock --upgrade`",
    "up": "`polylock lock --upgrade`",
    "uninstall x": "`polylock remove NAME`",
    "compile": "`polylock lock` resolves",
    "freeze": "`polylock export --format requirements`",
    "list": "`polylock tree`",
    "ls": "`polylock tree`",
    "show x": "`polylock why NAME`",
    "info": "`polylock why NAME`",
    "inspect": "`polylock tree`",
    "download x": "`polylock bundle`",
    "search x": "polylock has no such command",
    "audit": "`polylock export --format cyclonedx`",
    "venv": "`polylock sync` creates the environment",
    "env use 3.12": "`polylock sync` creates the environment",
    "create": "`polylock init`",
    "shell": "`polylock run -- COMMAND`",
    "exec x": "`polylock run -- COMMAND`",
    "activate": "`polylock run -- COMMAND`",
    "task add x": "polylock has no tasks",
    "new x": "`polylock init`",
    "import x": "`polylock init --from`",
    "tool install x": "not tools",
    "global install x": "not tools",
    "python install 3.12": "installs no Python",
    "use 3.12": "installs no Python",
    "build": "builds and publishes no projects",
    "publish": "builds and publishes no projects",
    "upload x": "builds and publishes no projects",
    "version": "`polylock --version`",
    "self update": "polylock has no such command",
    "config x": "[tool.polylock]",
    "source add x": "[[tool.polylock.index]]",
    "auth login": "credentials come from netrc",
    "fix": "`polylock sync`",
    "clean": "`polylock cache clear`",
    "format": "polylock has no such command",
    "help": "`polylock --help`",
    "debug": "`polylock detect`",
    "plugin add x": "polylock has no such command",
    "cache clean": "`polylock cache clear`",
    "cache purge": "`polylock cache clear`",
    "cache list": "`polylock cache size`",
    "sync --upgrade": "then sync installs them",
    "sync -U": "then sync installs them",
    "sync -P x": "`polylock lock --upgrade-package NAME`",
    "sync --upgrade-package x": "`polylock lock --upgrade-package NAME`",
    "sync --inexact": "a sync is always exact",
    "sync --exact": "Leave it out",
    "sync --clean": "Leave it out",
    "sync --no-root": "Use --no-install-project.",
    "sync --no-self": "Use --no-install-project.",
    "sync --without dev": "Use --no-group NAME.",
    "sync --only dev": "Use --only-group NAME.",
    "sync -G test": "Use --group NAME.",
    "sync -E gpu": "Use --extra NAME.",
    "sync --extras gpu": "Use --extra NAME.",
    "sync --production": "Use --no-default-groups.",
    "sync --prod": "Use --no-default-groups.",
    "sync --compile-bytecode": "Use --compile.",
    "sync --reinstall-package x": "Use --reinstall.",
    "sync --force-reinstall": "Use --reinstall.",
    "sync --frozen-lockfile": "Use --frozen.",
    "sync --active": "--venv PATH names an environment",
    "sync --user": "--venv PATH names an environment",
    "sync --system": "--venv PATH names an environment",
    "sync --prefix x": "--venv PATH names an environment",
    "sync -t x": "Use --venv PATH",
    "sync --no-cache": "--cache-dir PATH names another cache",
    "sync --no-deps": "a lock file has every dependency",
    "sync --require-hashes": "Leave it out",
    "sync -r requirements.txt": "`polylock add`",
    "sync -e .": "editable = true",
    "sync --no-build": "build, no-build-package",
    "sync --only-binary x": "build, no-build-package",
    "sync --no-binary x": "no-binary-package",
    "sync --python-platform linux": "a target names its platform",
    "sync --platform linux": "a target names its platform",
    "sync --python-preference system": "installs no Python",
    "sync --no-python-downloads": "installs no Python",
    "sync --index x": "[[tool.polylock.index]]",
    "sync -i x": "Use --index-url.",
    "sync --default-index x": "Use --index-url.",
    "sync --extra-index-url x": "[[tool.polylock.index]]",
    "sync --find-links x": 'format = "flat"',
    "sync -f x": 'format = "flat"',
    "sync --no-index": "Use --offline.",
    "sync --trusted-host x": "certificates are checked",
    "sync --native-tls": "Leave it out",
    "sync --proxy x": "Use HTTPS_PROXY.",
    "sync --no-progress": "Leave it out",
    "sync --color never": "Use --no-color",
    "sync --directory x": "Use --project PATH.",
    "sync -C x": "Use --project PATH.",
    "sync --manifest-path x": "Use --project PATH.",
    "sync --output-format json": "Use --json.",
    "sync --preview": "variants need no preview",
    "sync --lockfile x": "Use --lock-file PATH.",
    "sync --torch-backend auto": 'torch-backend = "auto"',
    "run --with x -- y": "add it to a dependency group",
    "run --with-requirements x -- y": "add it to a dependency group",
    "run --isolated -- y": "add it to a dependency group",
    "run -e test -- y": "Use --target NAME or --group NAME.",
    "lock --regenerate": "Use --upgrade.",
    "lock --update": "Use --upgrade.",
    "lock --no-update": "pins that still hold are kept",
    "lock --update-reuse": "pins that still hold are kept",
    "lock --refresh-package x": "Use --refresh.",
    "lock --python 3.12": "python in [tool.polylock]",
    "lock -p 3.12": "python in [tool.polylock]",
    "lock --python-version 3.12": "python in [tool.polylock]",
    "lock --pre": 'prerelease = "allow"',
    "lock --prerelease allow": "prerelease",
    "lock --resolution lowest": "[tool.polylock]: resolution",
    "lock --exclude-newer x": "exclude-newer",
    "lock --fork-strategy x": "align",
    "lock --no-sources": "[tool.polylock.sources]",
    "lock --all-extras": "every extra is locked",
    "lock --group x": "every group is locked",
    "lock --universal": "all declared targets",
    "lock --generate-hashes": "every file is locked with its hash",
    "lock -S x": "[tool.polylock]: resolution",
    "lock -c x": "constraint-dependencies",
    "lock -o x": "Use --lock-file PATH.",
    "export -f requirements.txt": "Use --format.",
    "export --without-hashes": "Use --no-hashes.",
    "export --output-file x": "Use --output FILE.",
    "export --with-credentials": "credentials are never written",
    "export --no-emit-project": "the project itself is not exported",
    "export --no-header": "comments name the target",
    "tree --latest": "Use --outdated.",
    "tree --top-level": "Use --depth 0.",
    "tree --why": "`polylock why NAME`",
    "tree --reverse": "Use --invert.",
    "tree --show-sizes": "`polylock report`",
    "tree --universal": "every target is shown",
    "init --lib": "no code",
    "init --app": "no code",
}
"""Lines of other tools that are refused, with a part of the advice."""

ACCEPTED = (
    "lock -U",
    "lock -P x",
    "lock --check",
    "lock --locked",
    "sync --locked",
    "sync -p 3.12",
    "sync --dev",
    "sync --no-dev",
    "sync --only-dev",
    "sync --all-groups",
    "sync --all-extras",
    "sync --no-group dev",
    "sync --only-group dev",
    "sync --no-default-groups",
    "sync --no-editable",
    "sync --no-install-package x",
    "sync -q",
    "run --locked -- x",
    "run -p 3.12 -- x",
    "run --no-dev -- x",
    "run --no-sync -- x",
    "export --no-dev --target x",
    "export --no-hashes --target x --format requirements.txt",
    "export --target x --format pylock.toml",
    "export --target x --format cyclonedx1.6",
    "tree --no-dev",
    "-v lock",
    "-q sync",
    "--offline sync",
    "--project . lock",
    "--cache-dir=x lock",
    "--no-color -v cache size",
)
"""Lines of other tools that do here what they do there."""


@pytest.mark.parametrize("line", REFUSED)
def test_words_of_other_tools_are_known(polylock: CommandLine, line: str) -> None:
    """What does the same here is named, in a command line that is refused."""
    ran = polylock(*line.split())
    assert (ran.code, ran.out) == (2, "")
    assert REFUSED[line] in ran.err
    assert "Did you mean" not in ran.err


@pytest.mark.parametrize("line", ACCEPTED)
def test_habits_are_kept(polylock: CommandLine, line: str) -> None:
    """No option is unknown: what is missing here is the project or the lock file."""
    ran = polylock(*line.split())
    assert "Usage:" not in ran.err
    assert "No such" not in ran.err


def test_a_misspelled_word_gets_the_one_that_was_meant(polylock: CommandLine) -> None:
    """An option by its likeness, but not by a vague one."""
    assert "Did you mean --no-editable?" in polylock("sync", "--no-edtable").err
    assert "Did you mean size?" in polylock("cache", "siez").err
    assert "Did you mean" not in polylock("sync", "--wheelhouse").err


def test_settings_may_precede_the_command(demo: CommandLine) -> None:
    """Also one with a value, and before a command of a group."""
    assert (
        demo.succeed("--cache-dir", "elsewhere", "-q", "cache", "dir")
        .out.rstrip("\n")
        .endswith("elsewhere")
    )
    ran = demo("--frozen", "sync")
    assert ran.code == 2


def test_lock_check_is_check(demo: CommandLine) -> None:
    """The same words, data and exit code; nothing is written."""
    demo.succeed("lock")
    assert demo("lock", "--check") == demo("check")
    assert demo("lock", "--check", "--json") == demo("check", "--json")
    demo.succeed("add", "fallbackkit<9", "--no-lock")
    before = (demo.directory / "pylock.toml").read_bytes()
    ran = demo("lock", "--check")
    assert (ran.code, ran.err) == (3, demo("check").err)
    assert (demo.directory / "pylock.toml").read_bytes() == before
    ran = demo("lock", "--check", "--upgrade")
    assert (ran.code, "--check and --upgrade" in ran.err) == (2, True)


def test_frozen_and_locked_exclude_each_other(demo: CommandLine) -> None:
    """One installs a lock file that is out of date, the other refuses it."""
    assert demo("sync", "--frozen", "--locked").code == 2


def test_requirements_may_have_no_hashes(demo: CommandLine) -> None:
    """For a file that also names a source tree; other formats keep them."""
    demo.succeed("lock")
    arguments = ("export", "--target", "here", "--no-hashes", "--format")
    found = demo.succeed(*arguments, "requirements.txt").out
    assert "--hash" not in found
    assert "\\" not in found
    ran = demo(*arguments, "pylock")
    assert (ran.code, "--no-hashes" in ran.err) == (2, True)


def test_what_is_named_in_place_of_other_tools_words_exists() -> None:
    """Every command and option that is advised is one of polylock."""
    context = click.Context(cli)
    words = {"--", "--help", "--version"}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        words.add(name)
        words |= {flag for each in command.params for flag in each.opts}
    told = [*habits.COMMANDS.values(), *habits.EVERYWHERE.values()]
    for command_name, options in habits.OPTIONS.items():
        command = cli.get_command(context, command_name)
        assert command is not None
        known = {flag for each in command.params for flag in each.opts}
        assert not known & options.keys()
        told += options.values()
    for text in told:
        for flag in re.findall(r"(?<!\w)--[a-z-]*", text):
            assert flag in words
        for name in re.findall(r"`polylock ([a-z-]+)", text):
            assert name in words
    assert not habits.COMMANDS.keys() & set(cli.list_commands(context))
