"""``reference/lock-file.md``: what polylock adds to a lock file, from its schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages_from_source.markdown import block, link, page, table
from pages_from_source.prose import prose
from pages_from_source.schema import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lock_file_page"]

_HEAD = """\
# The lock file's own tables

`pylock.toml` is a lock file of PEP 751, with `[packages.variants-json]` of PEP 825.
polylock adds two tables that PEP 751 leaves to tools. `polylock check`,
`--target auto` and the hardware check use them, and people read them; other
installers do not need them. [The lock file](../explanation/lock-file.md) explains the
rest of the file. Do not edit it; `polylock lock` rewrites it.

Default values are left out of `[tool.polylock]`."""

_RECORD = "[tool.polylock]"
_TARGET = "[[tool.polylock.targets]]"
_FEATURES = "Lists of properties"
_PACKAGE = "[packages.tool.polylock]"

_LINKED = {
    "target": link("target", "", _TARGET),
    "features": link("lists of properties", "", _FEATURES),
}

_EXAMPLE = """\
name = "cpu"
platform = "linux-x86_64"
libc = "glibc-2.28"
python = "3.13"
derived-properties = [
  { namespace = "x86_64", feature = "level", values = ["v3", "v2", "v1"] },
]"""

_PACKAGE_EXAMPLE = """\
variants = [
  { target = "cpu", label = "x86_64_v3", decided-by = ["x86_64 :: level :: v3"] },
]"""


def lock_file_page() -> str:
    """Return the reference of polylock's tables."""
    return page([_HEAD, *_sections(), _TAIL])


def _sections() -> Iterator[str]:
    schema = read_schema("pylock-tool-polylock", _LINKED)
    for title, name, example in (
        (_RECORD, "record", ""),
        (_TARGET, "target", _EXAMPLE),
        (_FEATURES, "features", ""),
        (_PACKAGE, "package", _PACKAGE_EXAMPLE),
    ):
        node = schema.definition(name)
        yield f"## {title if title == _FEATURES else f'`{title}`'}"
        yield prose(schema.meaning(node))
        rows = ((key, value, prose(text)) for key, value, text in schema.rows(node))
        yield table(("key", "value", "meaning"), rows)
        yield block("toml", example) if example else ""


_TAIL = """\
Programs can use `schemas/pylock-tool-polylock.schema.json` in the repository."""
