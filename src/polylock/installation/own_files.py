"""The files that are an environment's own: no distribution brings or removes them.

A RECORD may list anything that lies in the environment, and what lists
``../../../bin/python`` must neither put it there nor take it away.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.environment.venv import LOCK_FILE, STATE_FILE

if TYPE_CHECKING:
    from polylock.environment.interpreter import Interpreter

__all__ = ["OwnFiles", "real_directory"]

_INTERPRETER = re.compile(r"(pythonw?|pypyw?)[0-9.]*t?(\.exe)?", re.IGNORECASE)
_MARKS = frozenset({"pyvenv.cfg", STATE_FILE, LOCK_FILE})
_MADE_WITH_IT = frozenset({".gitignore", "cachedir.tag"})
_SCRIPTS_MADE_WITH_IT = re.compile(r"(de)?activate(_this)?(\..*)?", re.IGNORECASE)


class OwnFiles:
    """What in an environment belongs to it; places are compared, links followed."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._prefix = real_directory(interpreter.prefix)
        self._scripts = real_directory(interpreter.scheme.scripts)

    def is_vital(self, directory: str, name: str) -> bool:
        """Return whether a file is the environment's Python, or a mark of its.

        ``directory`` is as ``real_directory`` has it.
        """
        if _INTERPRETER.fullmatch(name) and directory == self._scripts:
            return True
        folded = name.casefold()
        is_mark = folded in _MARKS or folded.startswith(".polylock")
        return is_mark and directory == self._prefix

    def is_own(self, directory: str, name: str) -> bool:
        """Return whether a file came with the environment, and stays with it."""
        return (
            self.is_vital(directory, name)
            or (directory == self._prefix and name.casefold() in _MADE_WITH_IT)
            or (
                directory == self._scripts
                and _SCRIPTS_MADE_WITH_IT.fullmatch(name) is not None
            )
        )


def real_directory(directory: str) -> str:
    """Return where a directory really is or would be, links on the way followed."""
    from os.path import realpath  # noqa: PLC0415, TID251 - a str, and it may not exist

    return realpath(directory)
