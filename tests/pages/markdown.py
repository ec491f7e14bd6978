"""The steps of a documentation page: files to write and commands to run.

The conventions (CONTRIBUTING.md, "Documentation"):

* a block after a sentence that ends with `` `NAME`: ``, or whose first line is the
  comment ``# NAME``, is that file; where the sentence says to *add to* it, its text
  goes to the end of it; after ``from `NAME`:`` it is an excerpt, and has to be there;
* a ``console`` block is typed line by line: ``$`` begins a command, a backslash at the
  end of a line goes on with the next, and what is below is what the command prints;
  a line of three dots stands for any lines;
* ``<!-- not run: REASON -->`` before a block leaves it out, ``<!-- output varies:
  REASON -->`` runs it and compares nothing, and a comment that begins with ``<!-- not
  shown:`` holds commands that are run and that no reader sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "Command",
    "Console",
    "Excerpt",
    "File",
    "Hidden",
    "Other",
    "Step",
    "read_page",
]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"^<!--\s*(.*?)\s*-->$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"`([\w.~/-]*\.[\w-]+|(?:[\w.~/-]*/)?Dockerfile)`:$")
_APPENDED = re.compile(r"\badd\b[^.]*\bto\b[^.]*`[^`]*`:$", re.IGNORECASE)
_EXCERPT = re.compile(r"\bfrom `[^`]*`:$", re.IGNORECASE)
_FIRST_LINE = re.compile(r"# ([\w./-]*\.\w+)\n")
_PROMPT = "$ "


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line, the output in the page, and its line number."""

    line: int
    typed: tuple[str, ...]
    shown: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return what a shell is given."""
        return "\n".join(line.removeprefix("> ") for line in self.typed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """A block of commands; ``start`` and ``end`` are its position in the text.

    ``not_run`` and ``varies`` are reasons, or empty.
    """

    line: int
    start: int
    end: int
    commands: tuple[Command, ...]
    not_run: str
    varies: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A block that is a file, or what is added to the end of one."""

    line: int
    name: str
    text: str
    appended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A block that is a part of a file which is there by then."""

    line: int
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """Commands in a comment."""

    line: int
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A block that is neither: a piece of a file, a table, a drawing."""

    line: int
    language: str
    text: str


Step = Console | Excerpt | File | Hidden | Other


def read_page(text: str) -> tuple[Step, ...]:
    """Return the steps of a page; raise ValueError if a block is malformed."""
    fences = [(found.start(), found) for found in _FENCE.finditer(text)]
    inside = [range(start, found.end()) for start, found in fences]
    comments = [
        (found.start(), found)
        for found in _COMMENT.finditer(text)
        if not any(found.start() in block for block in inside)
    ]
    steps: list[Step] = []
    marker = ""
    marked_until = 0
    for start, found in sorted(fences + comments, key=lambda pair: pair[0]):
        line = text.count("\n", 0, start) + 1
        if found.re is _COMMENT:
            marker, marked_until = found[1], found.end()
            if marker.startswith("not shown:"):
                body = marker.removeprefix("not shown:").strip("\n")
                steps.append(Hidden(line=line, commands=_commands(body, line + 1)))
            continue
        if text[marked_until:start].strip():
            marker = ""
        before = text[: marked_until if marker else start]
        steps.append(_block(found, line, before=before, marker=marker))
        marker = ""
    return tuple(steps)


def _block(found: re.Match[str], line: int, *, before: str, marker: str) -> Step:
    language, body = found[1], found[2]
    if language == "console":
        return Console(
            line=line,
            start=found.start(2),
            end=found.end(2),
            commands=_commands(body, line + 1),
            not_run=_reason(marker, "not run:"),
            varies=_reason(marker, "output varies:"),
        )
    sentence = _COMMENT.sub("", before).rstrip().rpartition("\n\n")[2]
    sentence = " ".join(sentence.split())
    named = _NAMED.search(sentence) or _FIRST_LINE.match(body)
    if named is None or _reason(marker, "not run:"):
        return Other(line=line, language=language, text=body)
    if _EXCERPT.search(sentence):
        return Excerpt(line=line, name=named[1], text=body)
    appended = _APPENDED.search(sentence) is not None
    return File(line=line, name=named[1], text=body, appended=appended)


def _reason(marker: str, kind: str) -> str:
    if not marker.startswith(kind):
        return ""
    return " ".join(marker.removeprefix(kind).split())


def _commands(body: str, first: int) -> tuple[Command, ...]:
    """Split a block at its prompts."""
    commands: list[Command] = []
    typed: list[str] = []
    shown: list[str] = []
    begun = first

    def end() -> None:
        if typed:
            while shown and not shown[-1]:
                shown.pop()
            commands.append(Command(line=begun, typed=tuple(typed), shown=tuple(shown)))

    for number, line in enumerate(body.splitlines(), first):
        if line.startswith(_PROMPT):
            end()
            typed, shown, begun = [line.removeprefix(_PROMPT)], [], number
        elif not typed:
            raise ValueError(f"line {number}: a console block begins with a prompt")
        elif typed[-1].endswith("\\") and not shown:
            typed.append(line)
        else:
            shown.append(line)
    end()
    return tuple(commands)
