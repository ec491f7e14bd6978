"""Requirements files of ``pip freeze``, ``pip-compile`` and ``uv export``.

The format is pip's, without a version or a standard; its manual describes it
("Requirements File Format"). Lines are joined and comments removed in the same order as
in pip. A line that pins one version by ``==`` counts; options are ignored, except those
that name another file. Environment variables, which are for URLs, are not expanded.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Protocol

from packaging.version import Version

from polylock.errors import LockFileInvalid
from polylock.foreign.pins import ForeignLock, ForeignPin, Skipped, is_hash
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.model.markers import MarkerExpression

__all__ = [
    "Include",
    "RequirementsLine",
    "read_requirement_lines",
    "read_requirement_texts",
    "read_requirements",
]

_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTIONS = re.compile(r"\s+(?=--?[A-Za-z])")
_HASH = re.compile(r"--hash(?:=|\s+)(\S+)")
_OPTION = re.compile(
    r"(--[a-z][a-z0-9-]*|-[A-Za-z])(?:\s*=\s*|\s+|(?<=-[A-Za-z]))?(.*)"
)
_NAMED = re.compile(r"^([A-Za-z0-9._-]+)\s*(?:\[.*\])?\s*@\s|[#&]egg=([A-Za-z0-9._-]+)")
_PIN = re.compile(r"={2,3}([^,*]+)")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tar.bz2", ".tgz")
_OTHER_FILES = ("-r", "--requirement", "-c", "--constraint")
_EDITABLES = ("-e", "--editable")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),  # a redirection in PowerShell 5
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Include(Protocol):
    """Reads an included file."""

    def __call__(self, path: str, named: str) -> tuple[str, bytes]:
        """Return path and content of the file that ``path`` includes as ``named``.

        Raises LockFileInvalid, also for a URL: nothing is downloaded.
        """
        ...


class _Line(Value, frozen=True):
    """A logical line: its file and first line number, and its text without comments."""

    path: str
    number: int
    text: str

    def error(self, problem: str) -> LockFileInvalid:
        return LockFileInvalid(self.path, f"line {self.number}", problem)


class _Written(Value, frozen=True):
    """A requirement as ``text`` and parsed, with the options after it."""

    text: str
    requirement: Requirement
    options: str


class RequirementsLine(Value, frozen=True, kw_only=True):
    """A line of a requirements file, split into its parts.

    ``option`` is that of a line of options, with its ``value``. Otherwise ``value`` is
    a requirement, a path or a URL, and ``options`` are those that follow it.
    ``is_place`` says whether it is a path or a URL without a name before it.
    """

    number: int
    option: str | None
    value: str
    options: str = ""
    is_place: bool = False


def read_requirement_lines(content: bytes, path: str) -> list[RequirementsLine]:
    """Return the lines of one file, without those of the files that it includes.

    Raises LockFileInvalid.
    """
    found: list[RequirementsLine] = []
    for line in _logical_lines(_decoded(content, path), path):
        option = _option(line)
        if option is not None:
            found.append(
                RequirementsLine(number=line.number, option=option[0], value=option[1])
            )
            continue
        written, *options = _OPTIONS.split(line.text, maxsplit=1)
        is_place = written.endswith(_ARCHIVES) and "@" not in written
        try:
            Requirement.parse(written)
        except InvalidRequirement as error:
            if not (is_place or _is_place(written)):
                reason = str(error).partition("\n")[0]
                problem = f"{written!r} is not a requirement: {reason}"
                raise line.error(problem) from error
            is_place = True
        found.append(
            RequirementsLine(
                number=line.number,
                option=None,
                value=written,
                options="".join(options),
                is_place=is_place,
            )
        )
    return found


def read_requirements(content: bytes, path: str, include: Include) -> ForeignLock:
    """Read a file and those that it includes; raises LockFileInvalid.

    A file with requirements but no pin is an error.
    """
    pins: list[ForeignPin] = []
    skipped: list[Skipped] = []
    for line in _all_lines(content, path, include, (path,)):
        found = _entry(line)
        if isinstance(found, ForeignPin):
            pins.append(found)
        elif found is not None:
            skipped.append(found)
    if skipped and not pins:
        problem = "pins nothing: no line is NAME==VERSION"
        raise LockFileInvalid(path, "", problem)
    return ForeignLock(path=path, tool="pip", pins=tuple(pins), skipped=tuple(skipped))


def read_requirement_texts(
    content: bytes, path: str, include: Include
) -> tuple[list[str], bool]:
    """Return the requirements as written, and whether each pins one version.

    Options, paths and URLs are omitted. Raises LockFileInvalid.
    """
    found: list[str] = []
    pinned = True
    for line in _all_lines(content, path, include, (path,)):
        entry = _requirement(line)
        if isinstance(entry, _Written):
            found.append(entry.text)
            pinned = pinned and isinstance(_pin(line, entry), ForeignPin)
    return found, pinned and bool(found)


def _all_lines(
    content: bytes, path: str, include: Include, parents: tuple[str, ...]
) -> Iterator[_Line]:
    """Yield the lines of a file, with those of other files for ``-r`` and ``-c``."""
    for line in _logical_lines(_decoded(content, path), path):
        option = _option(line)
        if option is None or option[0] not in _OTHER_FILES:
            yield line
            continue
        try:
            other, found = include(path, option[1])
        except LockFileInvalid as error:
            raise line.error(f"{option[1]}: {error.problem}") from error
        if other in parents:
            raise line.error(f"{option[1]} includes itself")
        yield from _all_lines(found, other, include, (*parents, other))


def _decoded(content: bytes, path: str) -> str:
    mark, encoding = next(
        ((m, e) for m, e in _BYTE_ORDER_MARKS if content.startswith(m)), (b"", "utf-8")
    )
    try:
        return content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise LockFileInvalid(path, "", "is not UTF-8") from error


def _logical_lines(text: str, path: str) -> Iterator[_Line]:
    """Join lines that end in a backslash, then remove comments, as pip does.

    A comment ends a joined line, even if it ends in a backslash.
    """
    parts: list[str] = []
    first = 0
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        first = first if parts else number
        is_comment = line.lstrip().startswith("#")
        joined = line.endswith("\\") and not is_comment
        parts.append(f" {line}" if is_comment else line.removesuffix("\\"))
        if joined and number < len(lines):
            continue
        whole = _COMMENT.sub("", "".join(parts)).strip()
        parts = []
        if whole:
            yield _Line(path, first, whole)


def _option(line: _Line) -> tuple[str, str] | None:
    """Return an option and its value, None for a line without one."""
    if not line.text.startswith("-"):
        return None
    found = _OPTION.fullmatch(line.text)
    if found is None:
        raise line.error(f"{line.text!r} is neither an option nor a requirement")
    value = found[2].strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    return found[1], value


def _entry(line: _Line) -> ForeignPin | Skipped | None:
    found = _requirement(line)
    return _pin(line, found) if isinstance(found, _Written) else found


def _requirement(line: _Line) -> _Written | Skipped | None:
    """Return the requirement of a line, None for an option."""
    option = _option(line)
    if option is not None:
        if option[0] not in _EDITABLES:
            return None
        return _direct(line, option[1])
    written, *options = _OPTIONS.split(line.text, maxsplit=1)
    if written.endswith(_ARCHIVES):
        return _direct(line, written)
    try:
        requirement = Requirement.parse(written)
    except InvalidRequirement as error:
        if _is_place(written):
            return _direct(line, written)
        reason = str(error).partition("\n")[0]
        raise line.error(f"{written!r} is not a requirement: {reason}") from error
    if requirement.url is not None:
        return _direct(line, written)
    return _Written(written, requirement, "".join(options))


def _pin(line: _Line, found: _Written) -> ForeignPin | Skipped:
    requirement = found.requirement
    pinned = _PIN.fullmatch(requirement.specifier)
    if pinned is None:
        reason = "its line does not pin one version"
        return Skipped(name=requirement.name, reason=reason)
    try:
        version = str(Version(pinned[1]))
    except ValueError as error:
        raise line.error(f"{pinned[1]!r} is not a version") from error
    marker = requirement.marker_expression
    markers: tuple[MarkerExpression, ...] = () if marker is None else (marker,)
    return ForeignPin(
        name=requirement.normalized_name,
        version=version,
        markers=markers,
        hashes=_hashes(line, found.options),
    )


def _hashes(line: _Line, options: str) -> frozenset[str]:
    found = {text.lower() for text in _HASH.findall(options)}
    for text in found:
        if not is_hash(text):
            raise line.error(f"{text!r} is not ALGORITHM:VALUE")
    return frozenset(found)


def _is_place(text: str) -> bool:
    """Return True if a requirement is a URL or a path, which pip accepts too."""
    first = text.split(maxsplit=1)[0]
    return (
        "://" in first
        or first.startswith((".", "/", "~", "file:"))
        or ("/" in first and "@" not in first)
        or "\\" in first
    )


def _direct(line: _Line, text: str) -> Skipped:
    """Return a skipped direct reference without its URL, which may have a password."""
    found = _NAMED.search(text)
    name = found[1] or found[2] if found else f"line {line.number}"
    return Skipped(name=name, reason="it is a direct reference")
