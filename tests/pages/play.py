"""Runs a page from top to bottom: writes its files, runs its commands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from pages.compare import ELISION, agrees
from pages.markdown import Command, Console, Excerpt, File, Hidden, read_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pages.session import Ran, Session

__all__ = ["Played", "play", "rewritten"]

_STATUS = "echo $?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A command of a page, and its result.

    ``block`` is None for a hidden command and for an excerpt. ``complaint`` is empty if
    the page matches the run.
    """

    block: Console | None
    command: Command
    ran: Ran
    complaint: str


def play(text: str, session: Session) -> Iterator[Played]:
    """Run a page and compare its output; continue after a complaint."""
    for step in read_page(text):
        match step:
            case File():
                session.write(step.name, step.text, appended=step.appended)
            case Excerpt():
                yield _compare_excerpt(step, session)
            case Hidden():
                for command in step.commands:
                    ran = session.type(command.text)
                    complaint = _failure(command, ran) if ran.code else ""
                    yield Played(
                        block=None, command=command, ran=ran, complaint=complaint
                    )
            case Console(not_run=""):
                yield from _play_block(step, session)
            case _:
                pass


def _compare_excerpt(excerpt: Excerpt, session: Session) -> Played:
    """Look for the lines in the file, but for indentation and commas at the end."""
    shown = tuple(excerpt.text.splitlines())
    ran = session.read(excerpt.name)
    expected = [_bare(session.expected(line)) for line in shown]
    printed = [_bare(session.compared(line)) for line in ran.lines]
    found = agrees([ELISION, *expected, ELISION], printed)
    command = Command(line=excerpt.line, typed=(), shown=shown)
    complaint = f"line {excerpt.line}: this is not in {excerpt.name}"
    return Played(
        block=None, command=command, ran=ran, complaint="" if found else complaint
    )


def _bare(line: str) -> str:
    return line.strip().rstrip(",")


def _play_block(block: Console, session: Session) -> Iterator[Played]:
    following = [command.text for command in block.commands[1:]]
    for command, after in zip_longest(block.commands, following, fillvalue=""):
        assert isinstance(command, Command)
        ran = session.type(command.text)
        shown = [session.expected(line) for line in command.shown]
        printed = [session.compared(line) for line in ran.lines]
        complaint = ""
        if not block.varies and not agrees(shown, printed):
            complaint = _difference(command, ran)
        elif ran.code and after != _STATUS and not _tells_of_failure(command):
            complaint = _failure(command, ran)
        yield Played(block=block, command=command, ran=ran, complaint=complaint)


def _tells_of_failure(command: Command) -> bool:
    return any("error" in line.lower() for line in command.shown)


def _failure(command: Command, ran: Ran) -> str:
    lines = "\n  ".join(ran.lines)
    return (
        f"line {command.line}: `{command.text}` ended with {ran.code}, and the page "
        f"shows neither an error nor `$ {_STATUS}` after it\n  {lines}"
    )


def _difference(command: Command, ran: Ran) -> str:
    shown = "\n  ".join(command.shown)
    lines = "\n  ".join(ran.lines)
    return (
        f"line {command.line}: `{command.text}`\n the page shows\n  {shown}\n"
        f" it prints\n  {lines}\n (`make docs-output` writes it into the page)"
    )


def rewritten(text: str, played: list[Played]) -> str:
    """Return a page with the real output; a block that matches is unchanged."""
    blocks = {each.block.start: each.block for each in played if each.block is not None}
    for start, block in sorted(blocks.items(), reverse=True):
        own = [each for each in played if each.block is block]
        if block.varies and all(each.command.shown for each in own):
            continue
        lines: list[str] = []
        for each in own:
            lines.append("$ " + "\n".join(each.command.typed))
            lines.extend(each.ran.lines if each.complaint else each.command.shown)
        text = text[:start] + "\n".join(lines) + "\n" + text[block.end :]
    return text
