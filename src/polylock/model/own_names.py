"""The names of an environment's own files, which no distribution may install.

Both who locks a wheel and who installs it ask here. What only an environment knows,
such as links in it, is in ``polylock.installation.own_files``.
"""

from __future__ import annotations

import re

__all__ = ["is_interpreter", "is_mark", "replaced_by_data"]

_INTERPRETER = re.compile(r"(pythonw?|pypyw?)[0-9.]*t?(\.exe)?", re.IGNORECASE)
_MARKS = frozenset({"pyvenv.cfg", "polylock.json"})
_SCRIPTS = frozenset({"bin", "scripts"})
"""The directory of scripts, on POSIX systems and on Windows."""


def is_interpreter(name: str) -> bool:
    """Return True if a file in the directory of scripts may be the Python."""
    return _INTERPRETER.fullmatch(name) is not None


def is_mark(name: str) -> bool:
    """Return True if a file at the top of an environment belongs to it."""
    folded = name.casefold()
    return folded in _MARKS or folded.startswith(".polylock")


def replaced_by_data(key: str, path: str) -> str | None:
    """Return the file of any environment that a file in ``.data`` would replace.

    ``path`` is relative to the directory of the scheme key. A file below such a name is
    in its way too.
    """
    top, _, rest = path.partition("/")
    if key == "scripts" and is_interpreter(top):
        return top
    if key == "data":
        name = rest.partition("/")[0]
        if is_mark(top):
            return top
        if top.casefold() in _SCRIPTS and is_interpreter(name):
            return name
    return None
