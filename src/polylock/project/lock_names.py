"""The names that a lock file may have (PEP 751, "File Name")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["format_of_name", "is_lock_name", "name_problem"]

_NAMED = re.compile(r"pylock\.[^.]+\.toml")
_RULE = "PEP 751 allows pylock.toml and pylock.NAME.toml, with a NAME without dots"
_FORMATS = {".txt": "requirements", ".in": "requirements", ".json": "cyclonedx"}


def is_lock_name(name: str) -> bool:
    """Return True if installers find a lock file by this name."""
    return name == "pylock.toml" or _NAMED.fullmatch(name) is not None


def name_problem(path: Path, option: str, name: str = "") -> tuple[str, str] | None:
    """Return what is wrong with the name of a lock file, and what to do; None if right.

    ``name`` is what to call it, by default what is left of its name.
    """
    if is_lock_name(path.name):
        return None
    if not path.name or path.name == "..":
        return (
            f"{option} {path}: this is a directory",
            f"name it {path / 'pylock.toml'}",
        )
    problem = f"{option} {path}: this is not the name of a lock file: {_RULE}"
    wanted = format_of_name(path.name)
    if wanted is not None:
        return (
            problem,
            f"`polylock export --format {wanted} -o {path}` writes such a file",
        )
    nearest = path.with_name(f"pylock.{name}.toml") if name else _nearest(path)
    return problem, f"name it {nearest}"


def _nearest(path: Path) -> Path:
    """Return the path of a lock file that is named like a path."""
    parts = re.sub(
        r"(?i)^(py|poly)?lock[.-]?|[.-]?(py|poly)?lock$",
        "",
        path.name.removesuffix(path.suffix),
    )
    inner = parts.replace(".", "-").strip("-")
    return path.with_name(f"pylock.{inner}.toml" if inner else "pylock.toml")


def format_of_name(name: str) -> str | None:
    """Return the format of ``export`` that the ending of a name asks for, if any."""
    return next((fmt for end, fmt in _FORMATS.items() if name.endswith(end)), None)
