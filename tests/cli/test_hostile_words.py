"""Whatever a lock file, an index or a server says, no line of output is forged by it.

Every message there is, with a hostile value in every field.
"""

from __future__ import annotations

import inspect
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

import polylock.errors
from polylock.cli.diagnostics import show_error, show_warning
from polylock.cli.invocation import json_line, json_text
from polylock.cli.progress import TerminalReporter
from polylock.cli.tables import Table
from polylock.cli.terminal import shown, style
from polylock.errors import PolylockError
from polylock.explain.reasons import Yanked
from polylock.explain.words import details
from polylock.model.reasons import Rejection
from polylock.model.visible_text import is_visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.command_line import CommandLine

HOSTILE = "::warning::x\n::error::y\r\x1b[31m\x1b[2J\x07\x9b1m\u202e##[error]z\u2028w"
"""A value that starts lines, clears a terminal and speaks to CI services."""


def _kinds(base: type[PolylockError]) -> Iterator[type[PolylockError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


REJECTED = Rejection(Yanked(HOSTILE), label=HOSTILE, file=HOSTILE)
KINDS = sorted(set(_kinds(PolylockError)), key=lambda kind: kind.__name__)


def _made(kind: type[PolylockError]) -> PolylockError:
    """Return an error of a kind whose fields are hostile as far as they can be."""
    parameters = list(inspect.signature(kind).parameters.values())
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return kind(**{name: _value(kind, name) for name in kind._fields()})
    values = {
        each.name: _hostile(str(each.annotation))
        for each in parameters
        if "StatedBy" not in str(each.annotation)
    }
    return kind(**values)


def _value(kind: type[PolylockError], name: str) -> object:
    annotations = [inspect.get_annotations(base) for base in kind.__mro__]
    return _hostile(str(next(found[name] for found in annotations if name in found)))


def _hostile(annotation: str) -> object:
    if "Rejection" in annotation:
        return (REJECTED,)
    if "Sequence" in annotation:
        return (HOSTILE, HOSTILE)
    if "int" in annotation:
        return 503
    return HOSTILE


def _harmless(text: str, lines: int) -> None:
    assert text.endswith("\n")
    found = text[:-1].split("\n")
    assert len(found) == lines
    for line in found:
        assert is_visible(line)
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_there_are_errors_of_every_module() -> None:
    """The walk below misses none that is raised."""
    public = {
        value
        for value in vars(polylock.errors).values()
        if isinstance(value, type) and issubclass(value, PolylockError)
    }
    assert public - {PolylockError} <= set(KINDS)
    assert len(KINDS) > 20


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_is_the_lines_that_it_has(
    kind: type[PolylockError], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its sentence, its details and its hint are a line each."""
    error = _made(kind)
    show_error(error)
    lines = 1 + len(details(error)) + (1 if error.hint() else 0)
    _harmless(capsys.readouterr().err, lines)


def test_a_warning_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is in it."""
    show_warning(HOSTILE)
    _harmless(capsys.readouterr().err, 1)


EVENTS = [
    name
    for name, method in vars(TerminalReporter).items()
    if inspect.isfunction(method) and not name.startswith("_") and name != "close"
]


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_one_line_at_most(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every method of the reporter, with a hostile value for every text."""
    with TerminalReporter() as reporter:
        method = getattr(reporter, name)
        parameters = inspect.signature(method).parameters.values()
        values: list[Any] = [
            1 << 30 if "int" in str(each.annotation) else HOSTILE for each in parameters
        ]
        method(*values)
    told = capsys.readouterr().err
    if told:
        _harmless(told, 1)


def test_cells_of_tables_stay_in_their_row(capsys: pytest.CaptureFixture[str]) -> None:
    """A table has as many lines as rows, a header and a rule."""
    table = Table(["name", HOSTILE])
    table.add([HOSTILE, "x"])
    table.add(["y", HOSTILE], strong=False)
    _harmless(table.text(), 4)
    assert capsys.readouterr().err == ""


def test_styles_of_our_own_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """All other escapes beside them are shown as text."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    styled = style("a", "error")
    assert styled != "a"
    assert shown(f"{styled}\x1b[2J\n") == f"{styled}\\x1b[2J\\n"
    assert shown(styled + "\x1b]0;x\x07") == styled + "\\x1b]0;x\\x07"


def test_json_holds_no_character_that_acts() -> None:
    """It is the same data, in letters that do nothing to a terminal."""
    for text in (json_text({"a": HOSTILE}), json_line({"a": HOSTILE}) + "\n"):
        assert json.loads(text) == {"a": HOSTILE}
        assert all(is_visible(line) for line in text.split("\n"))
    assert json_line({"a": "größe"}) == '{"a": "größe"}'


def test_a_line_of_the_log_is_one_line(
    demo: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Records are formatted by the same function."""
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers.clear()
    try:
        demo.succeed("check", "-v")
        (handler,) = root.handlers
        record = logging.LogRecord("x", 20, "", 1, "%s", (HOSTILE,), None)
        _harmless(handler.format(record) + "\n", 1)
    finally:
        root.handlers[:] = before
    capsys.readouterr()


def test_a_forged_line_does_not_reach_a_requirements_file(demo: CommandLine) -> None:
    """An index or a target of the lock file adds no option to what is exported."""
    forged = "\\n--extra-index-url http://127.0.0.1:9/\\n# "
    text = demo.read("pylock.toml")
    index = text.partition('index = "')[2].partition('"')[0]
    demo.write(text.replace(f'"{index}"', f'"{index}{forged}"'), "pylock.toml")
    ran = demo("export", "--target", "h100", "--format", "requirements")
    lines = [line for line in ran.out.split("\n") if line.lstrip().startswith("--ext")]
    assert lines == []
    assert ran.code == 0 or ran.out == ""


def test_no_value_adds_an_output_to_a_step(demo: CommandLine, tmp_path: Path) -> None:
    """What is written for GitHub Actions is one line an output."""
    text = demo.read("pylock.toml")
    demo.write(text.replace('"h100"', '"h\\nkey=evil"'), "pylock.toml")
    written = tmp_path / "outputs"
    demo.set("GITHUB_OUTPUT", str(written))
    demo("cache-key", "--target", "h\nkey=evil", "--github-output")
    if written.exists():
        names = [line.partition("=")[0] for line in written.read_text().splitlines()]
        assert names == ["target", "key", "prefix"]


PLACES = (
    "errors",
    "warnings",
    "events",
    "tables",
    "styled text",
    "JSON",
    "logs",
    "requirements files",
    "outputs of steps",
)
"""What the page on safety counts."""
