"""Plain text of schemas and help, with code marked as code."""

from __future__ import annotations

import re
from functools import cache

from pages_from_source.command_line import commands
from pages_from_source.markdown import code

__all__ = ["prose"]


def prose(text: str) -> str:
    """Return a text as one paragraph, with code marked as code."""
    return _code().sub(lambda found: code(found[1]), " ".join(text.split()))


@cache
def _code() -> re.Pattern[str]:
    names = sorted((each.name for each in commands()), key=len, reverse=True)
    return re.compile(
        rf"""(?<![\w`/-])(
          --[a-z][a-z-]+                            # an option
        | --(?=[.,;])                               # what ends the options
        | polylock\ (?:{"|".join(re.escape(n) for n in names)})\b
        | \[+[\w.-]+\]+                            # a table of TOML
        | \w+\ ::\ \w+\ ::\ \w+                   # a property
        | [A-Z]+_[A-Z_<>]+                          # a variable
        | [\w.]+@[\w.]*\w                          # a label of a project
        | [\w.+]+==[\w.+]*\w
        | \#sha256=
        | ~/[\w./-]*\w                               # a file of the user
        | \.[a-z]+rc\b
        | \w+(?:-\w+)*\.(?:toml|json)
        | [a-z]+-(?:smi|groups|dependencies|py\d+)
        )""",
        re.VERBOSE,
    )
