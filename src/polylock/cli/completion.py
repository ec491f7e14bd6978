"""``polylock completion``: the script by which a shell completes command lines.

The scripts are click's. They call polylock with a variable that holds the words typed
so far, and ``complete`` prints the completions. A shell cannot show an error, so any
failure means no completions.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stderr, suppress
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from polylock.answer_cache.recall import COMPLETION
from polylock.cli.invocation import begin
from polylock.cli.options import Command, settings

if TYPE_CHECKING:
    from click.shell_completion import ShellComplete

__all__ = ["command", "complete"]

_PROGRAM = "polylock"
_SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion", cls=Command, epilog='Example: eval "$(polylock completion bash)"'
)
@settings()
@click.argument("shell", metavar="SHELL", type=click.Choice(_SHELLS))
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Print the script that lets bash, zsh or fish complete polylock's command lines.

    It completes commands, options and their values, targets, groups, extras, presets
    and locked projects. bash (4.4 or later) and zsh evaluate it as the example does, in
    .bashrc, or in .zshrc after compinit; for fish write it to
    ~/.config/fish/completions/polylock.fish.
    """
    begin(values)
    from click.shell_completion import ShellComplete  # noqa: PLC0415 - as below

    # ShellComplete's own source(): that of bash would start bash for its version.
    sys.stdout.write(ShellComplete.source(_completer(values["shell"])))
    return 0


def complete(instruction: str) -> int:
    """Print completions for an instruction such as ``bash_complete``."""
    shell, _, kind = instruction.partition("_")
    if shell not in _SHELLS or kind != "complete":
        return 1
    words = ""
    with redirect_stderr(StringIO()), suppress(Exception, SystemExit):
        words = _words(_completer(shell))
    sys.stdout.buffer.write(f"{words}\n".encode())
    return 0


def _words(completer: ShellComplete) -> str:
    """Return the completions in the shell's format, also for an option with ``=``.

    click splits ``--target=h`` only if it is one word, and completes the part after the
    sign. bash makes three words of it and replaces the last; zsh and fish replace all
    of it.
    """
    arguments, incomplete = completer.get_completion_args()
    joined = ["", *arguments]
    arguments = [
        word
        for before, word in zip(joined, arguments, strict=False)
        if not (word == "=" and before.startswith("--"))
    ]
    items = completer.get_completions(arguments, incomplete)
    option, sign, _ = incomplete.partition("=")
    if sign and option.startswith("--"):
        for item in items:
            if item.type == "plain":
                item.value = f"{option}={item.value}"
    return "\n".join(completer.format_completion(item) for item in items)


def _completer(shell: str) -> ShellComplete:
    # 5 ms that no other command pays.
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - see above

    from polylock.cli.main import cli  # noqa: PLC0415 - it imports this module

    found = get_completion_class(shell)
    assert found is not None
    return found(cli, {}, _PROGRAM, COMPLETION)
