"""What the ``.dist-info`` files of a wheel say (PEP 427, entry points)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.installation.archive import EntryPoint
from polylock.model.member_names import RefusedArchive, check_path

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["header", "parse_entry_points", "parse_wheel_file"]

_WHEEL_MAJOR = "1"
_OBJECT = re.compile(
    r"(?P<module>[^\s:\[]+)\s*:\s*(?P<attribute>[^\s\[]+)\s*(?:\[.*\])?\s*"
)
_SECTIONS = {"console_scripts": False, "gui_scripts": True}


def header(text: str, name: str) -> str | None:
    """Return the first header of a name in a text of mail headers, None without.

    Only the head of METADATA is wanted, twice a wheel: the mail parser of the
    standard library takes 20 times as long, for folding and charsets that neither
    file has there.
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
    """Return whether the root goes to purelib, having checked the format's version.

    Raises RefusedArchive for a major version other than 1 (PEP 427, "a wheel
    installer should … abort if the major version is greater").
    """
    version = header(text, "Wheel-Version")
    if version is None:
        raise RefusedArchive("WHEEL names no Wheel-Version")
    if version.partition(".")[0] != _WHEEL_MAJOR:
        raise RefusedArchive(f"its Wheel-Version is {version}, not 1.x")
    return (header(text, "Root-Is-Purelib") or "").lower() == "true"


def parse_entry_points(text: str) -> Iterator[EntryPoint]:
    """Yield the scripts that entry_points.txt asks for.

    Names become file names and objects become Python code, so both are checked.
    Raises RefusedArchive.
    """
    from configparser import Error, RawConfigParser  # noqa: PLC0415 - only to unpack

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
                yield _entry_point(name, value, is_gui=is_gui)


def _entry_point(name: str, value: str, *, is_gui: bool) -> EntryPoint:
    check_path(name)
    if "/" in name:
        raise RefusedArchive(f"entry point {name!a} is no file name")
    match = _OBJECT.fullmatch(value)
    if match is None or not all(
        part.isidentifier()
        for group in match.groupdict().values()
        for part in group.split(".")
    ):
        raise RefusedArchive(
            f"entry point {name!a} calls {value!a}, which is no module:object"
        )
    return EntryPoint(name, match["module"], match["attribute"], is_gui)
