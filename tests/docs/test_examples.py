"""README.md and docs/: their TOML is valid and their command lines exist."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from fakes.projects import load_text
from pages.markdown import Console, File, read_page
from polylock.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pages.markdown import Step

ROOT = Path(__file__).resolve().parents[2]
NOT_PLAYED = (ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md")
PAGES = (
    ROOT / "README.md",
    *NOT_PLAYED,
    *sorted((ROOT / "docs").rglob("*.md")),
)
PROJECT_SCHEMA = ROOT / "schemas" / "tool-polylock.schema.json"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`(polylock(?: [^`]+)?)`(?!`)")
_COMMAND = re.compile(
    r"(?:^\s*(?:\$|- run:|run:|-|#)?\s*|\$\()(polylock [^#\n]*)", re.MULTILINE
)
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
_OUTPUT = re.compile(r"\s+(?:>|&&)\s.*$|\)\".*$")


@dataclass(frozen=True)
class Example:
    """A piece of a page, and where it begins."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def _blocks() -> Iterator[Example]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for found in _FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Example(page, line, found[1], found[2])


def _steps() -> Iterator[tuple[Path, Step]]:
    for page in PAGES:
        for step in read_page(page.read_text("utf-8")):
            yield page, step


def _projects() -> Iterator[Example]:
    """Yield projects and pieces of them, but for what is added to a file and so run."""
    added = {
        (page, step.line)
        for page, step in _steps()
        if isinstance(step, File) and step.appended
    }
    for block in _blocks():
        if (
            block.language == "toml"
            and "[tool.polylock" in block.text
            and (block.page, block.line) not in added
        ):
            yield block


def _command_lines() -> Iterator[Example]:
    """Yield what is typed or run by CI, but for what ``test_pages`` runs."""
    ran = {
        (page, step.line)
        for page, step in _steps()
        if isinstance(step, Console) and not step.not_run and page not in NOT_PLAYED
    }
    for block in _blocks():
        if block.language not in {"toml", "tree", "text"}:
            if (block.page, block.line) in ran:
                continue
            for found in _COMMAND.finditer(block.text):
                yield Example(block.page, block.line, "", found[1])


def _spans() -> Iterator[Example]:
    for page in PAGES:
        text = page.read_text("utf-8")
        text = _FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)
        for found in _SPAN.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Example(page, line, "", found[1])


def _arguments(text: str) -> list[str]:
    """Return the words of a command line, without the word polylock."""
    text = _OUTPUT.sub("", _EXPRESSION.sub("EXPRESSION", text))
    return shlex.split(text)[1:]


def _parse(arguments: list[str]) -> None:
    """Have click parse a command line and run nothing; raises click's errors."""
    command: click.Command = cli
    context = click.Context(cli, info_name="polylock")
    words = list(arguments)
    while isinstance(command, click.Group) and words:
        name, *rest = words
        found = command.get_command(context, name)
        if found is None:
            if name.startswith("-"):
                break
            raise click.UsageError(f"no such command: {name}", context)
        command, words = found, rest
        context = click.Context(command, info_name=name, parent=context)
    if words or not isinstance(command, click.Group):
        command.make_context(command.name, words, parent=context.parent)


@pytest.mark.parametrize("block", list(_projects()), ids=str)
def test_toml_example_is_a_valid_project(block: Example, tmp_path: Path) -> None:
    """A TOML block with ``[tool.polylock]`` loads as a project file."""
    text = block.text
    if "[project]" not in text:
        text = f'[project]\nname = "example"\nversion = "1"\n\n{text}'
    member = tmp_path / "packages" / "web" / "pyproject.toml"
    member.parent.mkdir(parents=True)
    member.write_text('[project]\nname = "member"\nversion = "1"\n', "utf-8")

    loaded = load_text(tmp_path, text)

    assert loaded.descriptions


def _read(language: str, text: str) -> None:
    """Read a block by its language; raises what the parser raises."""
    whole = re.sub(r"^\s*\.\.\.\n", "", text, flags=re.MULTILINE)  # an excerpt
    match language:
        case "toml":
            tomllib.loads(whole)
        case "json":
            json.loads(whole)
        case "python":
            compile(text, "example", "exec")
        case "yaml":
            pytest.importorskip("yaml").safe_load(text)
        case _:
            raise AssertionError(language)


@pytest.mark.parametrize(
    "block",
    [b for b in _blocks() if b.language in {"json", "python", "toml", "yaml"}],
    ids=str,
)
def test_block_is_of_its_language(block: Example) -> None:
    """TOML, JSON, YAML and Python can be read."""
    _read(block.language, block.text)


@pytest.mark.parametrize("example", list(_command_lines()), ids=str)
def test_command_line_in_a_block_is_complete(example: Example) -> None:
    """A command line in a code block names a command, its options and arguments."""
    _parse(_arguments(example.text))


@pytest.mark.parametrize("example", list(_spans()), ids=str)
def test_command_in_a_sentence_exists(example: Example) -> None:
    """A command in a sentence exists with its options, if not with all arguments."""
    with suppress(click.MissingParameter):  # `polylock index build` is a name
        _parse(_arguments(example.text))


@pytest.mark.parametrize(
    "text",
    [
        "polylock lokc",
        "polylock lock --upgrade-all",
        "polylock cache shrink",
        "polylock targets show",
        "polylock sync --link-mode junction",
    ],
)
def test_wrong_command_lines_are_found(text: str) -> None:
    """A misspelt command, option or choice, or a missing argument, is an error."""
    with pytest.raises(click.UsageError):
        _parse(_arguments(text))


def test_the_pages_have_examples() -> None:
    """The patterns that look for examples find them."""
    readme = ROOT / "README.md"

    assert any(block.page == readme for block in _projects())
    page = ROOT / "docs" / "how-to" / "github-actions.md"
    found = {tuple(_arguments(e.text)) for e in _command_lines() if e.page == page}
    key = ("cache-key", "--target", "cpu", "--group", "test", "--github-output")
    assert key in found
    assert len(list(_spans())) > 10


def _keys(node: Any) -> Iterator[str]:  # noqa: ANN401  # JSON
    """Yield the names of all properties that a schema describes."""
    if isinstance(node, list):
        for value in node:
            yield from _keys(value)
    elif isinstance(node, dict):
        for word, value in node.items():
            if word == "properties":
                yield from value
            if word == "examples":
                continue
            named = word in {"properties", "$defs"}
            yield from _keys(list(value.values()) if named else value)


def test_every_key_of_the_project_is_documented() -> None:
    """The reference names every key of ``[tool.polylock]`` as code."""
    schema = json.loads(PROJECT_SCHEMA.read_text("utf-8"))
    page = (ROOT / "docs" / "reference" / "project-file.md").read_text("utf-8")
    code = " ".join(re.findall(r"`([^`\n]+)`", page))

    missing = [
        key
        for key in sorted(set(_keys(schema)))
        if not re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", code)
    ]

    assert missing == []


_LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """A relative link names a file, and its fragment a heading of that file."""
    broken = []
    for target, fragment in _LINK.findall(page.read_text("utf-8")):
        if "://" in target:
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (fragment and fragment not in _anchors(path)):
            broken.append(f"{target}#{fragment}")

    assert broken == []


def _anchors(page: Path) -> set[str]:
    """Return the fragments of a page's headings, as code forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }
