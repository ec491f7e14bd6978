"""The content of a wheel's ``.dist-info`` files: WHEEL and entry_points.txt.

As with its members, both who locks a wheel and who installs it ask here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from polylock.model.archive_checks import WINDOWS, RefusedArchive, check_path
from polylock.model.own_names import is_interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Script", "header", "parse_entry_points", "parse_wheel_file"]

_WHEEL_MAJOR = "1"
_OBJECT = re.compile(
    r"(?P<module>[^\s:\[]+)\s*:\s*(?P<attribute>[^\s\[]+)\s*(?:\[.*\])?\s*"
)
_COMMENT = re.compile(r"\s+#.*")
_SECTIONS = {"console_scripts": False, "gui_scripts": True}


class Script(NamedTuple):
    """An entry point: the script ``name`` calls ``attribute`` of ``module``."""

    name: str
    module: str
    attribute: str
    is_gui: bool


def header(text: str, name: str) -> str | None:
    """Return the first mail header of a name in a text, or None.

    The mail parser of the standard library takes 20 times as long, for folding and
    charsets that METADATA and WHEEL do not use in the headers read here.
    """
    wanted = name.lower()
    for line in text.splitlines():
        if not line.strip():
            break
        key, colon, value = line.partition(":")
        if colon and key.strip().lower() == wanted:
            return value.strip()
    return None


def parse_wheel_file(text: str) -> bool:
    """Return True if the root goes to purelib, and check the version of the format.

    Raises RefusedArchive for a major version other than 1 (PEP 427, "a wheel
    installer should … abort if the major version is greater").
    """
    version = header(text, "Wheel-Version")
    if version is None:
        raise RefusedArchive("WHEEL names no Wheel-Version")
    if version.partition(".")[0] != _WHEEL_MAJOR:
        raise RefusedArchive(f"its Wheel-Version is {version}, not 1.x")
    return (header(text, "Root-Is-Purelib") or "").lower() == "true"


def parse_entry_points(text: str, *, windows: bool = WINDOWS) -> Iterator[Script]:
    """Yield the console and GUI scripts of entry_points.txt.

    Names become file names and objects become Python code, so both are checked; with
    ``windows`` a name that Windows reserves is refused. What follows white space and
    ``#`` is a comment, as for pip. Raises RefusedArchive.
    """
    from configparser import Error, RawConfigParser  # noqa: PLC0415 - few wheels

    parser = RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # its documented use
    try:
        parser.read_string(text)
    except Error as error:
        problem = str(error).partition("\n")[0]
        raise RefusedArchive(f"entry_points.txt cannot be read: {problem}") from error
    for section, is_gui in _SECTIONS.items():
        if parser.has_section(section):
            for name, value in parser.items(section):
                check_path(name, windows=windows)
                yield _script(name, value, is_gui=is_gui)


def _script(name: str, value: str, *, is_gui: bool) -> Script:
    if "/" in name:
        raise RefusedArchive(f"entry point {name!a} is not a file name")
    if is_interpreter(name):
        raise RefusedArchive(f"an entry point would replace {name} of the environment")
    match = _OBJECT.fullmatch(_COMMENT.sub("", value))
    if match is None or not all(
        part.isidentifier()
        for group in match.groupdict().values()
        for part in group.split(".")
    ):
        raise RefusedArchive(
            f"entry point {name!a} calls {value!a}, which is not module:object"
        )
    return Script(name, match["module"], match["attribute"], is_gui)
