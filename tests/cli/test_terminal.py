"""What people see on a terminal, and that nobody else sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.screens import show_on
from polylock.__main__ import answer
from polylock.cli.terminal import folded, plain, style, wants_color, width_of

if TYPE_CHECKING:
    from fakes.command_line import CommandLine

ESCAPE = "\x1b["
SHOWN = [
    ("report",),
    ("tree",),
    ("tree", "--invert", "--package", "plainlib-colors"),
    ("why", "tensordemo", "--offline"),
    ("diff", "old.toml"),
    ("targets", "list"),
    ("targets", "presets"),
    ("cache", "size"),
]
"""Commands that are drawn, with the arguments that the demo project takes."""


@pytest.fixture
def changed(demo: CommandLine) -> CommandLine:
    """Lock the project, and keep a lock file with which it can be compared."""
    demo.write(demo.read("pylock.toml"), "old.toml")
    text = demo.read().replace('driver = "13.0"', 'driver = "12.8"')
    demo.write(text.replace('"fallbackkit"', '"vecdemo"'))
    demo.succeed("lock")
    return demo


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_nothing_is_wider_than_the_terminal(
    changed: CommandLine, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """Columns come below, cells and sentences are broken, and no word is lost."""
    for arguments in SHOWN:
        told = changed.succeed(*arguments).out
        with monkeypatch.context() as patch:
            screen, _ = show_on(patch, columns=columns)
            assert answer(arguments) == 0
        if arguments[0] not in {"diff", "tree"}:  # these are lines, and stay so
            widest = max(screen.lines, key=width_of)
            assert width_of(widest) <= columns, (arguments, widest)
        if columns >= 80:
            shown = set(plain(screen.getvalue()).split())
            words = {word for word in told.split() if word.strip("-")}
            assert words <= shown, arguments


@pytest.mark.parametrize("arguments", SHOWN, ids=" ".join)
def test_colours_are_for_who_wants_them(
    changed: CommandLine, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """A terminal gets them; a pipe, NO_COLOR, --no-color and TERM=dumb do not."""
    assert ESCAPE not in changed.succeed(*arguments).out
    cases: list[tuple[dict[str, str], tuple[str, ...], bool]] = [
        ({}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, (), False),
        ({"TERM": "dumb"}, (), False),
        ({}, ("--no-color",), False),
    ]
    texts = set()
    for variables, flags, colored in cases:
        with monkeypatch.context() as patch:
            screen, _ = show_on(patch, columns=100, **variables)
            assert answer((*arguments, *flags)) == 0
        assert (ESCAPE in screen.getvalue()) is colored, variables
        if variables.get("TERM") != "dumb":
            texts.add(plain(screen.getvalue()))
    assert len(texts) == 1  # colour changes nothing else


def test_dumb_terminal_is_written_to_as_a_pipe_is(
    changed: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor's terminal that knows no escape sequences gets plain tables."""
    told = changed.succeed("cache", "size").out
    screen, _ = show_on(monkeypatch, columns=80, TERM="dumb")
    assert answer(("cache", "size")) == 0
    assert screen.getvalue() == told


def test_forced_colours_need_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of a CI service shows them, and is no terminal."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert style("a", "error") == "a"
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert wants_color()
    assert plain(style("a", "error")) == "a" != style("a", "error")


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("名前", 4), ("é", 1), ("e\u0301", 1), ("\x1b[31;1mab\x1b[0m", 2)],
)
def test_width_is_that_on_the_screen(text: str, width: int) -> None:
    """East Asian letters take two columns, combining marks and styles none."""
    assert width_of(text) == width


def test_long_line_is_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes below is indented; a word that is too long stays in one piece."""
    line = "  one two three a-word-that-is-too-long-for-any-line four"
    assert folded(line) == line
    show_on(monkeypatch, columns=16)
    assert folded(line).splitlines() == [
        "  one two three",
        "    a-word-that-is-too-long-for-any-line",
        "    four",
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals like it")
def test_real_terminal_is_recognised(demo: CommandLine) -> None:
    """A process whose stdout is a terminal of 50 columns draws a table for it."""
    import fcntl  # noqa: PLC0415 - POSIX alone has these
    import pty  # noqa: PLC0415
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    ours, theirs = pty.openpty()
    size = struct.pack("HHHH", 24, 50, 0, 0)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)  # type: ignore[attr-defined,unused-ignore]  # POSIX alone has it
    ran = subprocess.Popen(
        [sys.executable, "-m", "polylock", "report", "--target", "h100"],
        cwd=demo.directory,
        env={**os.environ, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    written = b""
    try:
        while block := os.read(ours, 65536):
            written += block
    except OSError:
        pass  # Linux says so when the other side has closed
    finally:
        os.close(ours)
    _, err = ran.communicate(timeout=60)
    assert ran.returncode == 0, err
    text = written.decode()
    assert "─" in text
    assert f"{ESCAPE}36m(cuda13.0){ESCAPE}0m" in text
    assert max(map(width_of, text.splitlines())) <= 50
