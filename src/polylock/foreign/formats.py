"""Lock files of other tools; the name and the keys of a file decide its format."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from polylock.errors import ForeignLockInvalid, LockFileInvalid
from polylock.foreign.pdm_lock import read_pdm_lock
from polylock.foreign.pipfile_lock import read_pipfile_lock
from polylock.foreign.poetry_lock import read_poetry_lock
from polylock.foreign.pylock_file import read_pylock_pins
from polylock.foreign.requirements_file import Include, read_requirements
from polylock.foreign.uv_lock import read_uv_lock
from polylock.toml_tables import InvalidToml, Table, key_path, parse_toml

if TYPE_CHECKING:
    from polylock.foreign.pins import ForeignLock

__all__ = ["read_foreign_lock"]

_REQUIREMENTS = (".txt", ".in", ".pip")
_CONFLICT_MARKER = re.compile(r"^(<<<<<<<|>>>>>>>)( |$)", re.MULTILINE)


def read_foreign_lock(content: bytes, path: str, include: Include) -> ForeignLock:
    """Read a lock file of another tool; ``path`` names it in messages.

    Raises ForeignLockInvalid, also for an unknown format or version.
    """
    try:
        if path.lower().endswith(_REQUIREMENTS):
            return read_requirements(content, path, include)
        return _read_document(content, path)
    except LockFileInvalid as error:
        raise ForeignLockInvalid(error.path, error.key, error.problem) from error


def _read_document(content: bytes, path: str) -> ForeignLock:
    document, text = _document(content, path)
    top = Table(document, path=path, refusal=_refusal)
    metadata = document.get("metadata")
    keys = metadata if isinstance(metadata, dict) else {}
    if "_meta" in document:
        return read_pipfile_lock(top)
    if "lock-version" in document:
        return read_pylock_pins(text, path)
    if "lock-version" in keys:
        return read_poetry_lock(top)
    if "lock_version" in keys:
        return read_pdm_lock(top)
    if "version" in document and {"package", "requires-python"} & document.keys():
        return read_uv_lock(top)
    raise LockFileInvalid(
        path,
        "",
        "is not a supported lock file: uv.lock, poetry.lock, pdm.lock, "
        "Pipfile.lock, pylock.toml, or requirements in a .txt file",
    )


def _document(content: bytes, path: str) -> tuple[dict[str, Any], str]:
    """Return the tables of JSON or TOML, and their text."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise LockFileInvalid(path, "", "is not UTF-8") from error
    conflict = _CONFLICT_MARKER.search(text)
    if conflict is not None:
        line = text.count("\n", 0, conflict.start()) + 1
        problem = f"line {line} is a merge conflict marker of git"
        raise LockFileInvalid(path, "", problem)
    try:
        if text.lstrip().startswith("{"):
            found = json.loads(text)
            return (found if isinstance(found, dict) else {}), text
        return parse_toml(text), text
    except json.JSONDecodeError as error:
        raise LockFileInvalid(path, "", f"is not JSON: {error}") from error
    except InvalidToml as error:
        raise LockFileInvalid(path, key_path(*error.parts), str(error)) from error
    except RecursionError as error:
        raise LockFileInvalid(path, "", "is nested too deeply") from error
    except ValueError as error:
        # Python refuses integers of more than 4,300 digits.
        problem = "has an integer of more than 64 bits"
        raise LockFileInvalid(path, "", problem) from error


def _refusal(path: str, key: str, problem: str, _advice: str | None) -> LockFileInvalid:
    return LockFileInvalid(path, key, problem)
