"""The click group, and the one place where an exception becomes an exit code."""

from __future__ import annotations

import re
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from polylock import __version__
from polylock.answer_cache.recall import questions
from polylock.answer_cache.remember import Asked
from polylock.cli.diagnostics import show_error
from polylock.cli.options import Group
from polylock.errors import PolylockError
from polylock.project.setting_values import Kind
from polylock.project.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

__all__ = ["cli", "run"]

_COMMANDS = {
    "init": "Write this machine or presets as targets into a project file.",
    "add": "Add requirements to the project file.",
    "remove": "Remove requirements from the project file.",
    "targets": "List, show and add targets.",
    "lock": "Resolve the project for every target and write pylock.toml.",
    "sync": "Make an environment exactly what was locked for a target.",
    "run": "Run a command in the synced environment.",
    "check": "Compare the lock file with the project, offline.",
    "verify": "Compare the locked files with the indexes, online.",
    "cache-key": "Print a digest of exactly what a target would install.",
    "matrix": "Print the CI job matrix of the targets.",
    "tree": "Show the locked dependencies of a target as a tree.",
    "outdated": "List outdated packages, and what holds each one back.",
    "why": "Explain who requires a project and why a variant was chosen.",
    "diff": "Compare two lock files, target by target.",
    "export": "Write the lock of one target for other tools.",
    "bundle": "Write the files of a target into a directory, for offline use.",
    "merge": "Merge the lock files of two branches, also as git's merge driver.",
    "report": "Show the locked projects of every target in a table.",
    "detect": "Describe this machine as a target.",
    "variant": "Label wheels as variants, repack releases, show labels.",
    "index": "Build, check, try and serve an index with variants.",
    "cache": "Measure, verify, prune or clear the cache.",
    "completion": "Print the script that completes commands in a shell.",
}
"""Commands in the order of ``--help``. A command's module is imported when it runs:
all of them together would cost every call 100 ms."""


_LOUDNESS = re.compile(r"-[vq]+|--verbose|--quiet")
_ALIKE = 0.8
"""The least similarity of a misspelled option to a known one; 1.0 is equality."""


class _LazyGroup(Group):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._options_last(ctx, args))

    def _options_last(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move settings before the command behind it: ``polylock -v lock``."""
        if not args or not args[0].startswith("-"):
            return args
        given = 0
        takes = {each.flag: each.kind is not Kind.SWITCH for each in SETTINGS}
        while given < len(args):
            flag, equals, _ = args[given].partition("=")
            if flag not in takes and not _LOUDNESS.fullmatch(flag):
                break
            given += 2 if takes.get(flag) and not equals else 1
        if not 0 < given < len(args):
            return args
        command = self.get_command(ctx, args[given])
        words = 2 if isinstance(command, click.Group) else 1
        rest = args[given:]
        return [*rest[:words], *args[:given], *rest[words:]]

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"polylock.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - for shells

        # click's own imports every command: 200 ms for each tab.
        found = [
            CompletionItem(name, help=text)
            for name, text in _COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "terminal_width": 88},
    epilog="Example: polylock lock && polylock sync --target auto",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def cli() -> None:
    """Lock a Python project for every machine it runs on, and install exactly that."""


def _with_advice(error: click.ClickException) -> click.ClickException:
    """Return the error of an unknown option with advice, if there is any.

    click's own likeness is left out: for ``--no-editable`` it has been
    ``--no-install-project``.
    """
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return error
    from difflib import get_close_matches  # noqa: PLC0415 - for a mistake only

    from polylock.cli.foreign_commands import option_meant  # noqa: PLC0415 - as above

    command = error.ctx.command_path.partition(" ")[2]
    advice = option_meant(command, error.option_name)
    if advice is None:
        flags = [flag for each in error.ctx.command.params for flag in each.opts]
        close = get_close_matches(error.option_name, flags, n=1, cutoff=_ALIKE)
        advice = f"Did you mean {close[0]}?" if close else ""
    return click.UsageError(f"{error.message} {advice}".rstrip(), error.ctx)


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    asked = Asked(arguments, questions(tuple(arguments)), time.time_ns())
    try:
        result: Any = cli.main(
            list(arguments), prog_name="polylock", standalone_mode=False, obj=asked
        )
    except PolylockError as error:
        return show_error(error)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        _with_advice(error).show(sys.stderr)
        return 2
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("interrupted\n")
        return 130
    except BrokenPipeError:
        # The reader of stdout has exited, as in ``polylock tree | head``. Python would
        # report this again when it flushes stdout at exit.
        sys.stderr.close()
        return 1
    return result if isinstance(result, int) else 0
