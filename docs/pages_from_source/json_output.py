"""``reference/json-output.md``: what each ``--json`` prints, from the schemas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pages_from_source.command_line import commands
from pages_from_source.markdown import block, code, link, page, table
from pages_from_source.prose import prose
from pages_from_source.schema import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pages_from_source.command_line import Described
    from pages_from_source.schema import Schema

__all__ = ["json_output_page"]

_HEAD = """\
# JSON output

With `--json` a command prints only one JSON document to stdout. Every key is present
unless this page says otherwise, and there are no other keys. `schemas/` in the
repository has a JSON Schema (2020-12) of each document, which the tests compare with
the output. New versions of polylock may add keys.

In the tables, `items[].name` is a key of each item of a list, and `<name>` is a key
that the project chooses. A document that is a list starts with `[]`. Sizes are in
bytes. The examples come from a small project; their lists are cut after two items."""

_TARGET = link("keys of a target", "project-file.md", "Keys of a target")


def json_output_page() -> str:
    """Return the reference of all documents."""
    found = [each for each in commands() if _prints_json(each)]
    listed = (f"- {link(code(_title(each)), '', _title(each))}" for each in found)
    sections = (part for each in found for part in _section(each))
    return page([_HEAD, "\n".join(listed), *sections])


def _prints_json(described: Described) -> bool:
    return any(option.name == "as_json" for option in described.options())


def _title(described: Described) -> str:
    return f"{described.heading} --json"


def _section(described: Described) -> Iterator[str]:
    name = described.name.replace(" ", "-")
    plain = read_schema(name)
    linked = {
        each: _TARGET if each in {"target", "table"} else f"*{each}*"
        for each in plain.document.get("$defs", {})
    }
    schema = read_schema(name, linked)
    yield f"## `{_title(described)}`"
    meaning = prose(plain.meaning(plain.document))
    yield f"{meaning} Schema: `schemas/{name}.schema.json`."
    yield _table(schema, schema.document)
    for each, words in linked.items():
        if words != _TARGET:
            yield f"Each {words}:"
            yield _table(schema, schema.definition(each))
    for example in plain.document["examples"]:
        yield block("json", json.dumps(example, indent=2, ensure_ascii=False))


def _table(schema: Schema, node: dict[str, object]) -> str:
    rows = ((key, value, prose(text)) for key, value, text in schema.rows(node))
    return table(("key", "value", "meaning"), rows)
