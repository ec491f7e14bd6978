"""Documents as TOML, for tests that edit them as data."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

__all__ = ["toml_text"]


def toml_text(document: dict[str, Any]) -> str:
    """Return a document as TOML, one line for each of its keys.

    A nested table is an inline table, and each entry of an array is on its own line.
    """
    return "".join(f"{_key(k)} = {_value(v)}\n" for k, v in document.items())


def _key(key: str) -> str:
    return json.dumps(key)


def _value(value: Any) -> str:  # noqa: ANN401 - any value of TOML
    match value:
        case dict():
            inside = ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items())
            return f"{{ {inside} }}"
        case list():
            return "[" + ",".join(f"\n  {_value(each)}" for each in value) + "\n]"
        case datetime():
            return value.isoformat()
        case _:
            return json.dumps(value)  # texts, numbers, booleans: as JSON has them
