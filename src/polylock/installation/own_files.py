"""The files of an environment that no distribution may install or remove.

A RECORD may list any file of the environment. A distribution that lists
``../../../bin/python`` must neither install nor remove it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.model.own_names import is_interpreter, is_mark

if TYPE_CHECKING:
    from polylock.environment.interpreter import Interpreter

__all__ = ["OwnFiles"]

_MADE_WITH_IT = frozenset({".gitignore", "cachedir.tag"})
_SCRIPTS_MADE_WITH_IT = re.compile(r"(de)?activate(_this)?(\..*)?", re.IGNORECASE)


class OwnFiles:
    """The environment's own files, compared by directory with links resolved.

    A resolved directory is cached: most wheels put their files into the same few.
    """

    def __init__(self, interpreter: Interpreter) -> None:
        self._resolved: dict[str, str] = {}
        self._prefix = self.real_directory(interpreter.prefix)
        self._scripts = self.real_directory(interpreter.scheme.scripts)

    def real_directory(self, directory: str) -> str:
        """Return the real path of a directory that may not exist, links resolved."""
        found = self._resolved.get(directory)
        if found is None:
            # A str, and the directory may not exist.
            from os.path import realpath  # noqa: PLC0415, TID251 - as said above

            found = self._resolved[directory] = realpath(directory)
        return found

    def is_vital(self, directory: str, name: str) -> bool:
        """Return True if a file is the environment's Python or a marker file.

        ``directory`` is a result of ``real_directory``.
        """
        if is_interpreter(name) and directory == self._scripts:
            return True
        return is_mark(name) and directory == self._prefix

    def is_own(self, directory: str, name: str) -> bool:
        """Return True if a file was created with the environment."""
        return (
            self.is_vital(directory, name)
            or (directory == self._prefix and name.casefold() in _MADE_WITH_IT)
            or (
                directory == self._scripts
                and _SCRIPTS_MADE_WITH_IT.fullmatch(name) is not None
            )
        )
