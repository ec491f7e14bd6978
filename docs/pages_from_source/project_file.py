"""``reference/project-file.md``: every key of ``[tool.polylock]``, from its schema."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pages_from_source.markdown import block, code, code_list, link, page, table
from pages_from_source.prose import prose
from pages_from_source.schema import read_schema
from polylock.lockfile.toml_values import key_text, value_text
from polylock.project.presets import preset_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pages_from_source.schema import Schema

__all__ = ["project_file_page"]

_HEAD = """\
# The project file

polylock reads `pyproject.toml`: from `[project]` the name, `requires-python`,
`dependencies` and `optional-dependencies`; from `[dependency-groups]` the groups
(PEP 735); and from `[tool.polylock]` the keys on this page. Only a target is required:

```toml
[tool.polylock.targets.laptop]
preset = "macos-arm64"
python = "3.13"
```

An unknown key or an invalid value is an error that names the file, the key path and
what is allowed. [Targets and project settings](../explanation/targets.md) explains
how the keys work together. Editors can use `schemas/tool-polylock.schema.json` in the
repository."""

_TOOL = "Keys of the project"
_TARGET = "Keys of a target"
_INDEX = "Keys of an index"
_SOURCE = "Keys of a source"
_VALUES = "Kinds of values"

_INTRODUCTIONS = {
    _TOOL: "Under `[tool.polylock]`, for all targets.",
    _TARGET: "Under `[tool.polylock.targets.NAME]`. The name consists of `a-z`, `0-9` "
    "and single hyphens, and differs from the project's groups and extras. The order "
    "of the targets is their priority.",
    _INDEX: "Under `[[tool.polylock.index]]`, in order of priority.",
    _SOURCE: "Under `[tool.polylock.sources]`: a table for a project, or a list of "
    "tables, of which polylock uses the first that fits the target. Set exactly one of "
    "`index`, `path`, `url` and `git`; with `git` at most one of `tag`, `branch` and "
    "`rev`.",
}

_ELSEWHERE = {
    "exclude-newer": "a date and time with an offset, a date, or a span such as "
    '"7 days"; TOML date or string',
    "exclude-newer-package": "table: by project as exclude-newer, or `false`",
    "index": f"list of {link('indexes', '', _INDEX)}",
    "sources": f"table: by project one or more {link('sources', '', _SOURCE)}",
    "targets": f"table: by name a {link('target', '', _TARGET)}",
    "preset": (
        f"the name of one of {len(preset_names())} {link('presets', 'presets.md')}"
    ),
    "properties": "table: by namespace, then by feature, list of text",
}
"""Values that the schema describes at length, by patterns, or in another section."""


_DEFAULTS = {
    "index": "the default index",
    "targets": "none, which is an error",
    "cpu": "the baseline of the architecture",
}
"""Defaults that are not a value of the key."""

_EXAMPLES = {
    "index": """\
[[tool.polylock.index]]
name = "variants"
url = "https://wheels.example.com/simple"

[[tool.polylock.index]]
name = "vendored"
url = "./wheels"
explicit = true

[tool.polylock.targets.box]
preset = "linux-x86_64"
python = "3.13\"""",
    "sources": """\
[[tool.polylock.index]]
name = "torch-cu130"
url = "https://wheels.example.com/cu130/simple"
explicit = true

[[tool.polylock.index]]
name = "torch-cpu"
url = "https://wheels.example.com/cpu/simple"
explicit = true

[tool.polylock.sources]
torch = [
  { index = "torch-cu130", properties = ["nvidia :: sm_arch :: 90_real"] },
  { index = "torch-cpu" },
]
gamma = { path = "../gamma", editable = true }

[tool.polylock.targets.box]
preset = "linux-x86_64"
python = "3.13\"""",
    "targets": """\
[tool.polylock.targets.cpu]
preset = "linux-x86_64-v3"
python = "3.13"

[tool.polylock.targets.h100]
preset = "h100"
libc = "glibc-2.34"
python = "3.13\"""",
}
"""Examples of keys whose values are tables; the tests load them."""


def project_file_page() -> str:
    """Return the reference of the project file."""
    schema = _schema()
    tool, target = schema.document, schema.definition("target")
    index, source = tool["properties"]["index"]["items"], schema.definition("source")
    parts = (
        *_section(_TOOL, tool, "`{}`"),
        *_short_section(_INDEX, index),
        *_short_section(_SOURCE, source),
        *_section(_TARGET, target, "`{}` of a target"),
        *_kinds(),
    )
    return page([_HEAD, *parts])


@cache
def _schema() -> Schema:
    definitions = read_schema("tool-polylock").document["$defs"]
    titles = {name: node["title"] for name, node in definitions.items()}
    linked = {name: link(title, "", title) for name, title in titles.items()}
    return read_schema("tool-polylock", linked, written=False)


def _section(title: str, node: dict[str, Any], heading: str) -> Iterator[str]:
    """Yield a section with a part for each key."""
    yield f"## {title}"
    yield _INTRODUCTIONS[title]
    keys = node["properties"]
    names = (link(code(key), "", heading.format(key)) for key in keys)
    yield "Keys: " + ", ".join(names) + "."
    for key, value in keys.items():
        yield f"### {heading.format(key)}"
        yield from _key(key, value)


def _key(key: str, node: dict[str, Any]) -> Iterator[str]:
    schema = _schema()
    yield prose(schema.meaning(node))
    facts = [f"- value: {_ELSEWHERE.get(key) or schema.value(node)}"]
    default = code(value_text(node["default"])) if "default" in node else "none"
    facts.append(f"- default: {_DEFAULTS.get(key, default)}")
    yield "\n".join(facts)
    if key not in _ELSEWHERE:
        yield _keys(node)
    if key in _EXAMPLES:
        yield block("toml", _EXAMPLES[key])
        return
    first, *others = (_line(key, each) for each in schema.resolved(node)["examples"])
    yield block("toml", first)
    yield f"Or {code_list(others)}." if others else ""


def _short_section(title: str, node: dict[str, Any]) -> Iterator[str]:
    """Yield a section with a row for each key."""
    yield f"## {title}"
    yield _INTRODUCTIONS[title]
    yield _keys(node)


def _keys(node: dict[str, Any]) -> str:
    rows = [(key, value, prose(text)) for key, value, text in _schema().rows(node)]
    return table(("key", "value", "meaning"), rows) if rows else ""


def _kinds() -> Iterator[str]:
    schema = _schema()
    yield f"## {_VALUES}"
    for name, node in schema.document["$defs"].items():
        if name in {"target", "source"}:
            continue
        yield f"### {node['title']}"
        text = prose(node["description"])
        examples = code_list(value_text(each) for each in node.get("examples", ()))
        yield f"{text} For example {examples}." if examples else text


def _line(key: str, example: Any) -> str:  # noqa: ANN401 - any value of TOML
    return f"{key_text(key)} = {value_text(example)}"
