"""A JSON Schema as table rows: key, value, meaning."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages_from_source.markdown import code, code_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SCHEMAS", "Schema", "read_schema"]

SCHEMAS = Path(__file__).parents[2] / "schemas"

_Node = dict[str, Any]

_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "table",
    "array": "list",
}


def read_schema(
    name: str, linked: Mapping[str, str] | None = None, *, written: bool = True
) -> Schema:
    """Read a schema of ``schemas/`` by its name without suffixes."""
    text = (SCHEMAS / f"{name}.schema.json").read_text("utf-8")
    return Schema(document=json.loads(text), linked=linked or {}, written=written)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A schema, and which of its definitions are described elsewhere.

    ``linked`` maps the name of a definition to its replacement, usually a link; other
    definitions are described where they are used. ``written`` is true for documents
    that polylock writes, where a key may be missing, and false for those that people
    write, who need to know the required keys.
    """

    document: _Node
    linked: Mapping[str, str] = field(default_factory=dict)
    written: bool = True

    def definition(self, name: str) -> _Node:
        """Return a definition."""
        found: _Node = self.document["$defs"][name]
        return found

    def resolved(self, node: _Node) -> _Node:
        """Return a node merged with the definition that it refers to."""
        name = _named(node)
        return {**self.definition(name), **node} if name else node

    def value(self, node: _Node) -> str:
        """Return the values that a node allows, in words."""
        name = _named(node)
        if name in self.linked:
            return self.linked[name]
        node = self.resolved(node)
        if "const" in node:
            return code(json.dumps(node["const"]))
        if "enum" in node:
            return code_list(json.dumps(each) for each in node["enum"])
        kind = node.get("type")
        if isinstance(kind, list):
            return " or ".join(_TYPES[each] for each in kind)
        return self._of_type(kind, node) if kind else self._one_of(node)

    def _of_type(self, kind: str, node: _Node) -> str:
        if kind == "array":
            return f"list of {_plural(self.value(node['items']))}"
        if kind == "object" and isinstance(node.get("additionalProperties"), dict):
            return f"table: by name {self.value(node['additionalProperties'])}"
        return _TYPES[kind]

    def _one_of(self, node: _Node) -> str:
        """Return the values of a node with alternatives, in words."""
        if "if" in node:  # a list of them, or the only one
            return f"{self.value(node['then'])}, or {self.value(node['else'])}"
        choices = node.get("oneOf") or node.get("anyOf") or node.get("allOf") or ()
        return ", or ".join(dict.fromkeys(self.value(each) for each in choices))

    def rows(self, node: _Node, path: str = "") -> Iterator[tuple[str, str, str]]:
        """Yield key, value and meaning of each key below a node, outer ones first.

        ``items[].name`` is a key of each item, ``targets.<name>`` any key.
        """
        node = self.resolved(node)
        for inner in self._tables(node):
            required = inner.get("required", ())
            for key, value in inner.get("properties", {}).items():
                place = f"{path}.{key}" if path else key
                words = self.value(value) + self._need(key in required)
                yield code(place), words, self.meaning(value)
                if _named(value) not in self.linked:
                    yield from self.rows(value, place)
            more = inner.get("additionalProperties")
            if isinstance(more, dict) and _named(more) not in self.linked:
                yield from self.rows(more, f"{path}.<name>" if path else "<name>")
            items = inner.get("items")
            if isinstance(items, dict) and _named(items) not in self.linked:
                yield from self.rows(items, f"{path}[]")

    def _need(self, required: bool) -> str:  # noqa: FBT001 - the only thing it is told
        if self.written:
            return "" if required else ", may be missing"
        return ", required" if required else ""

    def meaning(self, node: _Node) -> str:
        """Return the description of a node."""
        text: str = self.resolved(node).get("description", "")
        return text

    def _tables(self, node: _Node) -> Iterator[_Node]:
        """Yield a node and its alternatives."""
        yield node
        for word in ("oneOf", "anyOf"):
            for each in node.get(word, ()):
                if "properties" in each:
                    yield each


def _plural(words: str) -> str:
    """Return the plural of a value's name, also inside a link."""
    if words == "table":
        return "tables"
    return re.sub(
        r"^\[([^\]]+?)(y?)\]", lambda m: f"[{m[1]}{'ies' if m[2] else 's'}]", words
    )


def _named(node: _Node) -> str:
    """Return the name of the definition that a node refers to, or an empty string."""
    return str(node.get("$ref", "")).rpartition("/")[2]
