"""The metadata block of a script (PEP 723), which is read like a project file.

``dependencies`` and ``requires-python`` are at the top of the block, and its
``[tool.polylock]`` has the targets. The script itself is no project: it has no name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.cache.regular_files import read_regular

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

__all__ = [
    "KEYS_OF_SCRIPT",
    "InvalidBlock",
    "block_of",
    "is_script",
    "lock_name",
    "states_targets",
]

_START = "# /// script"
_END = "# ///"
_SUFFIXES = (".py", ".pyw")
KEYS_OF_SCRIPT = ("dependencies", "requires-python", "tool")
"""The keys at the top of a block (PEP 723)."""


class InvalidBlock(ValueError):
    """A script without a block, or with one that PEP 723 does not allow."""


def is_script(path: str | PathLike[str]) -> bool:
    """Return True if a file is a script of Python, by its name."""
    return str(path).lower().endswith(_SUFFIXES)


def lock_name(script: Path) -> str:
    """Return the name of a script's lock file, which has no dot inside (PEP 751)."""
    return f"pylock.{script.name.replace('.', '-')}.toml"


def block_of(text: str) -> str:
    """Return the metadata block of a script, as TOML.

    PEP 723, "Specification": the block ends with the last line ``# ///`` of the comment
    that it begins. Raises InvalidBlock if there is none, or more than one.
    """
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line == _START]
    blocks = []
    after = 0
    for start in starts:
        if start < after:
            continue  # inside the block before
        end = start + 1
        while end < len(lines) and (lines[end] == "#" or lines[end].startswith("# ")):
            end += 1
        closing = [n for n in range(start + 1, end) if lines[n] == _END]
        if not closing:
            raise InvalidBlock(f"the block in line {start + 1} has no end: {_END}")
        after = closing[-1] + 1
        blocks.append(lines[start + 1 : closing[-1]])
    if not blocks:
        raise InvalidBlock(f"has no metadata block, which begins with {_START}")
    if len(blocks) > 1:
        raise InvalidBlock(f"has {len(blocks)} blocks {_START}")
    return "".join(f"{line[2:]}\n" for line in blocks[0])


def states_targets(path: Path) -> bool | None:
    """Return whether the block of a script has ``[tool.polylock]``, None without block.

    A file that cannot be read has none: Python will report it. Raises InvalidBlock for
    a block that PEP 723 does not allow, or that is not TOML.
    """
    from polylock.toml_tables import InvalidToml, parse_toml  # noqa: PLC0415 - scripts alone

    try:
        text = read_regular(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    if _START not in text.splitlines():
        return None
    try:
        document = parse_toml(block_of(text))
    except InvalidToml as error:
        raise InvalidBlock(f"the block {error}") from error
    tool = document.get("tool")
    return isinstance(tool, dict) and "polylock" in tool
