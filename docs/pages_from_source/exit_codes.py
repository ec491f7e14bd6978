"""``reference/exit-codes.md``: exit codes, from the classes of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages_from_source.markdown import anchor, block, code, page, table
from polylock import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ENDINGS", "endings_of", "exit_codes_page"]

_HEAD = """\
# Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | failed: no solution, network, hash, file |
| 2 | wrong usage, or an invalid project file |
| 3 | the lock file is out of date, or an environment or index differs |
| 4 | this machine does not satisfy the target |
| 130 | interrupted by Ctrl-C |

An error is a line on stderr, with details below it and a hint if there is a next step.
An error leaves no half-written file. If a program that reads stdout stops early, as
`head` does, polylock exits with code 1 and prints no error.

If there is no lock file, `check` exits with 3, as with one that is out of date: run
`polylock lock`. Every other command that needs a lock file exits with 2.

A script can distinguish the codes:"""

_SCRIPT = """\
polylock check -q
case $? in
  0) ;;
  3) echo "run polylock lock and commit pylock.toml" ;;
  *) exit 1 ;;
esac"""

_OUTDATED = "the lock file is out of date"
_NOT_HERE = (
    "this machine does not satisfy the target, unless `--force-target`, or satisfies "
    "none"
)
_NO_TARGET = "with `--target auto`, this machine satisfies no target"

ENDINGS: dict[str, dict[int, str]] = {
    "lock": {3: "with `--target`, the project has changed for another target too"},
    "sync": {
        3: f"{_OUTDATED}, unless `--frozen`; with `--check`, something would change",
        4: _NOT_HERE,
    },
    "run": {
        3: f"{_OUTDATED}, unless `--frozen` or `--no-sync`",
        4: _NOT_HERE,
    },
    "check": {3: f"{_OUTDATED}, or there is none"},
    "verify": {3: "an index differs from the lock file", 4: _NO_TARGET},
    "cache-key": {4: _NO_TARGET},
    "matrix": {3: _OUTDATED},
    "tree": {4: _NO_TARGET},
    "outdated": {3: "with `--exit-code`, something is outdated", 4: _NO_TARGET},
    "why": {4: _NO_TARGET},
    "report": {4: _NO_TARGET},
    "export": {4: _NO_TARGET},
    "index lint": {3: "there is an error or a warning"},
    "bundle": {3: f"{_OUTDATED}, unless `--frozen`", 4: _NO_TARGET},
}
"""The codes 3 and 4 by command; ``tests/cli/test_exit_codes.py`` tries each."""

_MEANINGS = {
    1: "Failed",
    2: "Usage or project file",
    3: "Out of date",
    4: "Not this machine",
}


def endings_of(command: str) -> list[tuple[int, str]]:
    """Return the exit codes that only some commands have, and when they occur."""
    return sorted(ENDINGS.get(command, {}).items())


def exit_codes_page() -> str:
    """Return the reference of exit codes."""
    sections = (part for number in _MEANINGS for part in _section(number))
    return page([_HEAD, block("shell", _SCRIPT), *sections, *_run()])


def _section(number: int) -> Iterator[str]:
    yield f"## {number}: {_MEANINGS[number]}"
    rows = [
        (code(name), _meaning(kind))
        for name, kind in sorted(
            (name, getattr(errors, name)) for name in errors.__all__
        )
        if kind is not errors.PolylockError and kind.exit_code == number
    ]
    yield table(("error", "when"), rows)
    found = [
        (f"[{code(name)}](commands.md#{anchor(f'polylock {name}')})", ends[number])
        for name, ends in ENDINGS.items()
        if number in ends
    ]
    yield table(("command", "when"), found) if found else ""


def _meaning(kind: type[errors.PolylockError]) -> str:
    """Return the first clause of the docstring of a class."""
    first = " ".join((kind.__doc__ or "").split("\n\n", maxsplit=1)[0].split())
    return first.partition(";")[0].removesuffix(".").replace("``", "`")


def _run() -> Iterator[str]:
    yield "## `polylock run`"
    yield (
        "Once the command has started, polylock exits with its exit code, whatever it "
        "is. If the command does not exist, the exit code is 2."
    )
