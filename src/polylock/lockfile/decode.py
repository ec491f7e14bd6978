"""TOML to ``Pylock``; an error names its key path, ``packages[3].wheels[0].hashes``.

Lock files of other tools are read as well: what PEP 751 allows is accepted, and what
it does not know is passed over.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from polylock.errors import LockFileInvalid
from polylock.lockfile.decode_record import decode_choices, decode_record
from polylock.lockfile.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    PinnedFile,
    Pylock,
    last_component,
)
from polylock.lockfile.tables import Table
from polylock.model.filenames import InvalidFilename, SdistFilename, WheelFilename
from polylock.model.markers import Atom, InvalidMarker, parse_marker
from polylock.model.toml_text import parse_toml
from polylock.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from packaging.utils import NormalizedName

    from polylock.model.markers import MarkerExpression

__all__ = ["decode"]

_CONFLICT_MARKER = re.compile(r"^(<{7}|={7}|>{7}|\|{7})( |$)")
_CONFLICT_ADVICE = (
    "take either side as it is and run `polylock lock`, which mends the rest; "
    "`polylock merge --install` lets git do so the next time"
)
_MAJOR = 1
_PINNED = ("sdist", "wheels")
_DIRECT = ("vcs", "directory", "archive")

_Pinned = TypeVar("_Pinned", bound=PinnedFile)


def decode(content: bytes | str, path: str) -> Pylock:
    """Read a lock file; ``path`` is its name for people.

    Raises LockFileInvalid.
    """
    document = _document(content, path)
    top = Table(document, path)
    version = _lock_version(top)
    if "packages" not in document:
        raise top.error("packages", "is missing")
    packages = tuple(_package(table) for table in top.tables("packages"))
    tool, ours = _tool(top)
    return Pylock(
        lock_version=version,
        environments=_environments(top),
        requires_python=_specifier(top, "requires-python"),
        extras=_names(top, "extras"),
        dependency_groups=top.optional_texts("dependency-groups"),
        default_groups=top.optional_texts("default-groups"),
        created_by=top.text("created-by"),
        packages=packages,
        polylock=None if ours is None else decode_record(ours),
        tool=tool,
    )


def _document(content: bytes | str, path: str) -> Mapping[str, Any]:
    try:
        text = content if isinstance(content, str) else content.decode()
    except UnicodeDecodeError as error:
        bad_line = error.object.count(b"\n", 0, error.start) + 1
        raise LockFileInvalid(path, "", f"line {bad_line} is not UTF-8") from error
    try:
        # The newlines of a checkout on Windows are no part of any value here.
        return parse_toml(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        for number, line in enumerate(text.splitlines(), start=1):
            if _CONFLICT_MARKER.match(line):
                problem = f"line {number} is a merge conflict marker of git"
                advice = _CONFLICT_ADVICE
                raise LockFileInvalid(path, "", problem, advice) from error
        raise LockFileInvalid(path, "", f"is not TOML: {error}") from error


def _lock_version(top: Table) -> str:
    """Check the version: an unknown major is an error, a newer minor is not."""
    text = top.text("lock-version")
    try:
        version = Version(text)
    except ValueError as error:
        raise top.error("lock-version", f"{text!r} is not a version") from error
    if version.major != _MAJOR:
        raise top.error(
            "lock-version", f"version {text} is not supported, only {_MAJOR}.x is"
        )
    return text


def _environments(top: Table) -> tuple[MarkerExpression, ...] | None:
    texts = top.optional_texts("environments")
    if texts is None:
        return None
    return tuple(
        _marker(top, f"environments[{position}]", text)
        for position, text in enumerate(texts)
    )


def _marker(table: Table, key: str, text: str) -> MarkerExpression:
    try:
        marker = parse_marker(text)
    except InvalidMarker as error:
        reason = str(error).splitlines()[0]
        raise table.error(key, f"is not a marker: {reason}") from error
    if "variant_" in text and _has_variant_field(marker):
        # PEP 825: "they cannot occur in packages.marker or in the top-level
        # environments key, neither of which is scoped to a selected wheel".
        raise table.error(key, "must not use a variant marker")
    return marker


def _has_variant_field(marker: MarkerExpression) -> bool:
    if isinstance(marker, Atom):
        return marker.field.startswith("variant_")
    return any(_has_variant_field(operand) for operand in marker.operands)


@lru_cache(maxsize=4096)
def _is_specifier(text: str) -> bool:
    try:
        SpecifierSet(text)
    except ValueError:
        return False
    return True


def _specifier(table: Table, key: str) -> str | None:
    text = table.optional_text(key)
    if text is not None and not _is_specifier(text):
        raise table.error(key, f"{text!r} is not a version specifier")
    return text


def _names(table: Table, key: str) -> tuple[str, ...] | None:
    names = table.optional_texts(key)
    for position, name in enumerate(names or ()):
        if canonicalize_name(name) != name:
            raise table.error(f"{key}[{position}]", f"{name!r} is not normalized")
    return names


def _tool(table: Table) -> tuple[dict[str, Any], Table | None]:
    """Return what other tools say, and ``tool.polylock`` apart."""
    tool = table.table("tool")
    if tool is None:
        return {}, None
    others = {key: value for key, value in tool.data.items() if key != "polylock"}
    return others, tool.table("polylock")


def _package(table: Table) -> Package:
    name = table.text("name")
    if canonicalize_name(name, validate=False) != name:
        raise table.error("name", f"{name!r} is not a normalized name")
    version = table.optional_text("version")
    marker = table.optional_text("marker")
    if version is not None:
        _version(table, "version", version)
    tool, ours = _tool(table)
    variants_json = table.table("variants-json")
    package = Package(
        name=cast("NormalizedName", name),
        version=version,
        marker=None if marker is None else _marker(table, "marker", marker),
        requires_python=_specifier(table, "requires-python"),
        dependencies=table.documents("dependencies"),
        vcs=_vcs(table),
        directory=_directory(table),
        archive=_archive(table),
        index=table.optional_text("index"),
        sdist=_sdist(table, name, version),
        wheels=tuple(_wheel(t, name, version) for t in table.tables("wheels")),
        attestation_identities=table.documents("attestation-identities"),
        variants_json=None if variants_json is None else variants_json.data,
        variants=() if ours is None else decode_choices(ours),
        tool=tool,
    )
    for identity in table.tables("attestation-identities"):
        identity.text("kind")
    _check_sources(package, table)
    return package


def _check_sources(package: Package, table: Table) -> None:
    """PEP 751: files of an index, or else just one of vcs, directory, archive."""
    given = [key for key in (*_PINNED, *_DIRECT) if table.data.get(key)]
    direct = [key for key in given if key in _DIRECT]
    if len(direct) > 1 or (direct and len(given) > 1):
        raise table.error("", f"{package.name} has conflicting sources: {given}")
    if not direct and package.sdist is None and not package.wheels:
        raise table.error("", f"{package.name} has no source to install from")


def _vcs(package: Table) -> PackageVcs | None:
    table = package.table("vcs")
    if table is None:
        return None
    _require_location(table)
    return PackageVcs(
        type=table.text("type"),
        url=table.optional_text("url"),
        path=table.optional_text("path"),
        requested_revision=table.optional_text("requested-revision"),
        commit_id=table.text("commit-id"),
        subdirectory=table.optional_text("subdirectory"),
    )


def _directory(package: Table) -> PackageDirectory | None:
    table = package.table("directory")
    if table is None:
        return None
    return PackageDirectory(
        path=table.text("path"),
        editable=table.boolean("editable"),
        subdirectory=table.optional_text("subdirectory"),
    )


def _archive(package: Table) -> PackageArchive | None:
    table = package.table("archive")
    if table is None:
        return None
    _require_location(table)
    return PackageArchive(
        url=table.optional_text("url"),
        path=table.optional_text("path"),
        size=table.size("size"),
        upload_time=table.moment("upload-time"),
        hashes=_hashes(table),
        subdirectory=table.optional_text("subdirectory"),
    )


def _sdist(package: Table, name: str, version: str | None) -> PackageSdist | None:
    table = package.table("sdist")
    if table is None:
        return None
    sdist = _pinned(table, PackageSdist)
    _check_filename(table, SdistFilename.parse, sdist.filename, (name, version))
    return sdist


def _wheel(table: Table, name: str, version: str | None) -> PackageWheel:
    wheel = _pinned(table, PackageWheel)
    if wheel.name is not None and wheel.name == last_component(wheel.path, wheel.url):
        wheel = replace(wheel, name=None)
    _check_filename(table, WheelFilename.parse, wheel.filename, (name, version))
    return wheel


def _pinned(table: Table, kind: type[_Pinned]) -> _Pinned:
    url, path = table.optional_text("url"), table.optional_text("path")
    _require_location(table)
    return kind(
        name=table.optional_text("name"),
        upload_time=table.moment("upload-time"),
        url=url,
        path=path,
        size=table.size("size"),
        hashes=_hashes(table),
    )


def _check_filename(
    table: Table,
    parse: Callable[[str], WheelFilename | SdistFilename],
    filename: str,
    package: tuple[str, str | None],
) -> None:
    try:
        parsed = parse(filename)
    except InvalidFilename as error:
        raise table.error("name", str(error)) from error
    name, version = package
    if parsed.name != name:
        raise table.error("name", f"{filename} is not a file of {name}")
    if version is None or parsed.version == version:
        return
    if _version(table, "name", parsed.version) != _version(table, "name", version):
        raise table.error("name", f"{filename} is not a file of {name} {version}")


def _version(table: Table, key: str, text: str) -> Version:
    try:
        return Version(text)
    except ValueError as error:
        raise table.error(key, f"{text!r} is not a version") from error


def _require_location(table: Table) -> None:
    if not table.data.get("url") and not table.data.get("path"):
        raise table.error("", "has neither url nor path")


def _hashes(table: Table) -> dict[str, str]:
    hashes = table.table("hashes")
    if hashes is None:
        raise table.error("hashes", "is missing")
    if not hashes.data:
        raise table.error("hashes", "is empty; every file needs a hash")
    return {algorithm: hashes.text(algorithm) for algorithm in hashes.data}
