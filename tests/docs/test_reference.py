"""The pages of the reference that are made from the source."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # ships no py.typed
import pytest

from fakes.projects import load_text
from pages_from_source.command_line import EVERYWHERE, commands, setting_of
from pages_from_source.markdown import anchor, code, page, table
from pages_from_source.pages import PAGES, REFERENCE
from pages_from_source.prose import prose
from pages_from_source.schema import SCHEMAS, Schema
from polylock import errors
from polylock.project.presets import preset_names
from polylock.project.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PROJECT = json.loads((SCHEMAS / "tool-polylock.schema.json").read_text("utf-8"))
BOX = '\n[tool.polylock.targets.box]\nplatform = "linux-x86_64"\npython = "3.12"\n'


@pytest.mark.parametrize("name", PAGES)
def test_page_is_as_it_would_be_made_now(name: str) -> None:
    """What is committed is what ``make reference`` writes; run it if this fails."""
    assert (REFERENCE / name).read_text("utf-8") == PAGES[name]()


def _section(text: str, heading: str) -> str:
    """Return the part of a page below a heading, up to the next of its level."""
    level = heading.partition(" ")[0]
    assert f"\n{heading}\n" in text, heading
    return text.partition(f"\n{heading}\n")[2].partition(f"\n{level} ")[0]


def test_every_option_and_argument_of_every_command_is_described() -> None:
    """The section of a command names all that its ``--help`` does."""
    text = PAGES["commands.md"]()
    everywhere = _section(text, "## Options of every command")
    for described in commands():
        section = _section(text, f"## `{described.heading}`")
        for option in described.options():
            setting = setting_of(option)
            shared = setting is not None and setting.name in EVERYWHERE
            for spelling in option.opts[:1] if shared else option.opts:
                where = everywhere if shared else section
                spelt = "-v" if spelling == "--verbose" else spelling
                spelt = "-q" if spelling == "--quiet" else spelt
                assert f"`{spelt}`" in where, (described.name, spelling)
        for argument in described.arguments():
            metavar = argument.make_metavar(described.context).strip("[]")
            metavar = metavar.replace("|", r"\|")  # a cell of a table
            assert f"| `{metavar}` |" in section, (described.name, metavar)
        assert described.example() in section


def test_every_spelling_of_a_setting_is_there() -> None:
    """Every flag, variable and key of a setting stands in the reference."""
    text = PAGES["settings.md"]()
    for definition in SETTINGS:
        flags = definition.flag.split(", ")
        for spelling in (*flags, definition.environment, definition.key):
            assert spelling is None or f"`{spelling}`" in text


def test_every_preset_and_every_error_is_there() -> None:
    """Presets and errors stand in their pages once each."""
    known = preset_names()
    presets, codes = PAGES["presets.md"](), PAGES["exit-codes.md"]()
    assert [presets.count(f"\n| `{name}` |") for name in known] == [1] * len(known)
    names = [name for name in errors.__all__ if name != "PolylockError"]
    assert [codes.count(f"\n| `{name}` |") for name in names] == [1] * len(names)


def _described(node: Any, place: str = "") -> Iterator[tuple[str, bool]]:  # noqa: ANN401  # JSON
    """Yield the place of each key of a schema, and whether it says what it means."""
    if isinstance(node, list):
        for item in node:
            yield from _described(item, place)
    if not isinstance(node, dict):
        return
    is_table = node.get("type") == "object" or "oneOf" in node
    for key, value in node.items():
        if key == "properties" and is_table:
            for name, inner in value.items():
                told = "description" in inner or "$ref" in inner
                yield f"{place}.{name}", told or inner is False
                yield from _described(inner, f"{place}.{name}")
        elif key not in {"dependentSchemas", "not"}:
            yield from _described(value, place)


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda p: p.stem)
def test_every_key_of_a_schema_says_what_it_means(path: Path) -> None:
    """No cell of the reference is empty, and no editor shows a bare key."""
    found = dict(_described(json.loads(path.read_text("utf-8"))))
    assert found
    assert [place for place, told in found.items() if not told] == []


def _examples() -> Iterator[tuple[str, str, Any]]:
    for table_name, keys in (
        ("project", PROJECT["properties"]),
        ("target", PROJECT["$defs"]["target"]["properties"]),
    ):
        for key, node in keys.items():
            for example in node.get("examples", ()):
                yield table_name, key, example


def test_every_key_of_the_project_has_an_example() -> None:
    """The keys of the project and of a target each show at least one."""
    shown = {(where, key) for where, key, _ in _examples()}
    wanted = {("project", key) for key in PROJECT["properties"]}
    wanted |= {("target", key) for key in PROJECT["$defs"]["target"]["properties"]}
    assert shown == wanted


@pytest.mark.parametrize(("where", "key", "example"), list(_examples()))
def test_example_of_a_schema_is_valid_by_it(
    where: str, key: str, example: object
) -> None:
    """What an editor offers is accepted."""
    target: dict[str, object] = {"platform": "linux-x86_64", "python": "3.12"}
    if key in {"preset", "extends"}:
        target = {}
    project: dict[str, object] = {"targets": {"box": target}}
    (project if where == "project" else target)[key] = example
    jsonschema.Draft202012Validator(PROJECT).validate(project)


def _lines() -> Iterator[str]:
    """Yield each line of TOML that the page shows for a key of the project."""
    text = PAGES["project-file.md"]()
    keys = text.partition("\n## Keys of the project\n")[2]
    keys = keys.partition("\n## Keys of an index\n")[0]
    yield from re.findall(r"^```toml\n([^\[\n].*)\n```$", keys, re.MULTILINE)
    for line in re.findall(r"^Or `(.*)`\.$", keys, re.MULTILINE):
        yield from line.split("`, `")


@pytest.mark.parametrize("line", list(_lines()))
def test_line_of_the_page_is_read(line: str, tmp_path: Path) -> None:
    """An example of a key loads as part of a project file."""
    text = '[project]\nname = "demo"\nversion = "1"\n'
    text += "[dependency-groups]\ndev = []\ntest = []\n[tool.polylock]\n"
    member = tmp_path / "packages" / "web" / "pyproject.toml"
    member.parent.mkdir(parents=True)
    member.write_text('[project]\nname = "web"\nversion = "1"\n', "utf-8")
    box = BOX.replace("box", "cpu") if line.startswith("default-target") else BOX

    assert load_text(tmp_path, f"{text}{line}\n{box}").descriptions


def test_lines_of_the_page_are_found() -> None:
    """The patterns that look for examples find one for most keys."""
    assert len(list(_lines())) > 14


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see: polylock targets presets.", "see: `polylock targets presets`."),
        ("run polylock lock afterwards", "run `polylock lock` afterwards"),
        ("polylock itself", "polylock itself"),
        ("with --dry-run or not", "with `--dry-run` or not"),
        ("keys of [tool.polylock.targets.NAME], too", None),
        ("a label: name@label.", "a label: `name@label`."),
        ("in pylock.toml, PEP 751", "in `pylock.toml`, PEP 751"),
        ("POLYLOCK_INDEX_<NAME>_USERNAME", "`POLYLOCK_INDEX_<NAME>_USERNAME`"),
    ],
)
def test_code_in_a_plain_text_is_marked(text: str, expected: str | None) -> None:
    """Options, commands, files, tables and variables are code, words are not."""
    if expected is None:
        expected = "keys of `[tool.polylock.targets.NAME]`, too"
    assert prose(text) == expected


def test_tables_lose_empty_columns_and_keep_bars() -> None:
    """A column without a word is left out; a bar in a cell does not end it."""
    made = table(("a", "b", "c"), [("1|2", "", "x\ny"), ("3", "", "")])
    assert made == "| a | c |\n| --- | --- |\n| 1\\|2 | x y |\n| 3 |  |"


def test_pages_are_folded_but_not_within_code() -> None:
    """A long line is folded between words, an item below its text."""
    span = code("a b " * 12 + "c")
    made = page([f"- {'word ' * 12}{span} end", "", "| " + "x" * 99])
    first, second, gap, last = made.splitlines()
    assert (first, gap) == ("- " + "word " * 11 + "word", "")
    assert (second, last) == (f"  {span} end", "| " + "x" * 99)


def test_anchors_are_those_of_code_forges() -> None:
    """Letters are small, marks are gone, spaces are hyphens."""
    assert anchor("`polylock init --json`") == "polylock-init---json"


def test_schema_rows_say_required_keys_and_include_definitions() -> None:
    """Rows name nested keys by their place; a linked definition is not opened."""
    document: dict[str, Any] = {
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": {"type": "array", "items": {"$ref": "#/$defs/inner"}},
            "b": {"type": ["string", "null"], "description": "B."},
            "c": {"$ref": "#/$defs/far"},
        },
        "$defs": {
            "inner": {
                "type": "object",
                "properties": {"d": {"enum": ["x", "y"], "description": "D."}},
            },
            "far": {"type": "string", "description": "Far."},
        },
    }
    linked = {"far": "[far](#far)"}
    written = Schema(document=document, linked=linked)
    asked = Schema(document=document, linked=linked, written=False)
    assert list(written.rows(document)) == [
        ("`a`", "list of tables", ""),
        ("`a[].d`", '`"x"`, `"y"`, may be missing', "D."),
        ("`b`", "text or null, may be missing", "B."),
        ("`c`", "[far](#far), may be missing", "Far."),
    ]
    assert next(row[1] for row in asked.rows(document)) == "list of tables, required"
