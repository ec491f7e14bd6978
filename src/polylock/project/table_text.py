"""New tables of a project file as text, laid out as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.toml_tables import key_path

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["block_text", "is_header", "value_text"]

_WIDTH = 88
_INLINE = {("project", "license"), ("project", "readme")}
_TABLES_OF_TABLES = {("project", "entry-points"), ("tool", "polylock", "targets")}
_HEADERS_OF_POLYLOCK = ("sources", "targets", "workspace")
_TABLES_OF_POLYLOCK = ("index", "dependency-metadata")


def is_header(keys: tuple[str, ...], value: object) -> bool:
    """Return True if a value gets a header of its own, ``[a.b]`` or ``[[a.b]]``."""
    in_polylock = keys[:2] == ("tool", "polylock")
    if isinstance(value, list):
        return in_polylock and len(keys) == 3 and keys[2] in _TABLES_OF_POLYLOCK
    if not isinstance(value, dict) or keys in _INLINE:
        return False
    if len(keys) <= 2:
        return True
    if in_polylock and len(keys) == 3:
        return keys[2] in _HEADERS_OF_POLYLOCK
    return keys[:-1] in _TABLES_OF_TABLES


def block_text(keys: tuple[str, ...], value: object) -> str:
    """Return a table with its header, or an array of tables; ends in an empty line."""
    if isinstance(value, list):
        return "".join(_table(keys, each, "[[{}]]") for each in value)
    assert isinstance(value, dict)
    return _table(keys, value, "[{}]")


def _table(keys: tuple[str, ...], values: Mapping[str, object], header: str) -> str:
    own: list[str] = []
    inner: list[str] = []
    for key, value in values.items():
        if is_header((*keys, key), value):
            inner.append(block_text((*keys, key), value))
        else:
            own.append(f"{key_path(key)} = {value_text(value, len(key) + 3)}\n")
    if inner and not own:
        return "".join(inner)
    return f"{header.format(key_path(*keys))}\n{''.join(own)}\n{''.join(inner)}"


def value_text(value: object, column: int = 0) -> str:
    """Return a value as TOML; an array that is too long for a line is broken."""
    if isinstance(value, list):
        items = [value_text(each) for each in value]
        line = f"[{', '.join(items)}]"
        if column + len(line) <= _WIDTH:
            return line
        return "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    if isinstance(value, dict):
        pairs = [f"{key_path(key)} = {value_text(each)}" for key, each in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    import tomlkit  # 40 ms, and only edits need it

    return tomlkit.item(value).as_string()
