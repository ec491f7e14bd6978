"""TOML text to tables, in time and memory that grow with its length alone.

``tomllib`` takes a minute for one key of 16,000 dotted parts, since it walks the whole
path for each part; it ends in RecursionError for arrays in arrays, and in a ValueError
of its own kind for a number of more digits than Python reads.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

__all__ = ["DEEPEST_KEY", "LARGEST_TOML", "parse_toml"]

LARGEST_TOML = 1 << 26
"""Characters of a file; the largest lock files of large projects have 2 ** 24."""

DEEPEST_KEY = 64
"""Parts of a dotted key; that of the deepest table which means anything has six."""

_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+"""
_DEEP = re.compile(rf"(?<![A-Za-z0-9_\-\"'])(?:{_PART}\.[ \t]*+){{{DEEPEST_KEY}}}")


def parse_toml(text: str) -> dict[str, Any]:
    """Return the document; raises tomllib.TOMLDecodeError for all that is wrong."""
    if len(text) > LARGEST_TOML:
        raise tomllib.TOMLDecodeError(f"it has more than {LARGEST_TOML} characters")
    if "." in text and _DEEP.search(text) is not None:
        raise tomllib.TOMLDecodeError(f"a key has more than {DEEPEST_KEY} parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        problem = "it nests too deeply"
        raise tomllib.TOMLDecodeError(problem) from None
    except ValueError as error:  # a number of too many digits, a date that is none
        raise tomllib.TOMLDecodeError(str(error)) from error
