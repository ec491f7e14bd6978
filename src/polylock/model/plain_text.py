"""Text of others, made safe to show: no character that hides or turns its line."""

from __future__ import annotations

import re

__all__ = ["visible"]

# Control characters, and those that turn or hide the text around them: a name with
# one of them could be read as another.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


def visible(text: str) -> str:
    r"""Write characters that cannot be seen as TOML writes them: ``\u202E``."""
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04X}", text)
