"""Lock files of other tools, and targets to read them for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from polylock.errors import LockFileInvalid
from polylock.foreign.formats import read_foreign_lock
from polylock.foreign.pins import ForeignLock, pins_for
from polylock.project.targets import parse_targets
from polylock.providers.derive import build_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.model.target import Target

__all__ = ["DATA", "TARGETS", "parse", "recorded", "versions_for"]

DATA = Path(__file__).parents[1] / "data" / "foreign"

_TABLES = {
    "linux-py311": {"platform": "linux-x86_64", "python": "3.11"},
    "linux": {"platform": "linux-x86_64", "python": "3.12"},
    "windows": {"platform": "windows-x86_64", "python": "3.13"},
}

TARGETS: Mapping[str, Target] = {
    description.name: build_target(description)
    for description in parse_targets(
        _TABLES,
        path="pyproject.toml",
        default_python=None,
        reserved=[],
        requires_python="",
    )
}


def parse(
    text: str | bytes, path: str = "uv.lock", files: Mapping[str, str] | None = None
) -> ForeignLock:
    """Read text as the file of this name; ``files`` are others that it may name."""

    def include(path: str, named: str) -> tuple[str, bytes]:
        if files is None or named not in files:
            raise LockFileInvalid(named, "", f"does not exist beside {path}")
        return named, files[named].encode()

    content = text if isinstance(text, bytes) else text.encode()
    return read_foreign_lock(content, path, include)


def recorded(name: str) -> ForeignLock:
    """Read one of the files that the tools have written."""
    return parse((DATA / name).read_bytes(), name)


def versions_for(lock: ForeignLock, target: str = "linux") -> dict[str, str]:
    """Return the versions that are for a target, by name."""
    found = pins_for(lock, TARGETS[target])
    return {str(name): pin.version for name, pin in sorted(found.items())}
