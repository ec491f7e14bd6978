"""The installed distributions of an environment (PEP 376, 610, 627).

Scans site-packages and each ``.dist-info`` directory once; name and version come from
the name of the directory, so no METADATA is read. A distribution that polylock
installed has a small file that names the locked file; for others the WHEEL file gives
the kind of wheel.
"""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import NormalizedName, canonicalize_name

from polylock.environment.direct_url import DirectUrl
from polylock.errors import EnvironmentBroken
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


__all__ = [
    "ORIGIN_FILE",
    "PARTIAL_RECORD",
    "Form",
    "InstalledDistribution",
    "Origin",
    "WheelKind",
    "read_installed",
]

ORIGIN_FILE = "polylock.json"
"""Name of the file in ``.dist-info`` that names the installed locked file."""

PARTIAL_RECORD = "RECORD.partial"
"""RECORD of a distribution that is being installed or removed.

It lists at least the files that exist, so an interrupted change can be undone.
"""


class Form(enum.StrEnum):
    """The form of a distribution on disk; all but ``dist-info`` are legacy."""

    DIST_INFO = "dist-info"
    EGG_INFO = "egg-info"
    EGG_LINK = "egg-link"
    EGG = "egg"


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The locked file that a distribution was installed from.

    ``filename`` and ``sha256`` are those in the lock: of the source distribution, if
    the wheel was built from one. ``tops`` are the names of its modules and packages in
    site-packages: one that was deleted is noticed without reading RECORD.
    """

    filename: str
    sha256: str
    variant_label: str | None = None
    tops: tuple[str, ...] = ()


class WheelKind(Value, frozen=True):
    """The expanded tags and the build number in the WHEEL file."""

    tags: frozenset[str]
    build: str


class InstalledDistribution(Value, frozen=True, kw_only=True):
    """A distribution in an environment.

    ``version`` is as its directory spells it. ``path`` is the ``.dist-info``
    directory, or the legacy file or directory. ``is_complete`` is false if RECORD is
    missing, as after an interrupted installation or removal, if RECORD or polylock's
    file is empty, as after a power failure, or if a top-level module or package was
    deleted. ``origin`` is None if another
    installer installed it; ``kind`` is None if polylock did, or if WHEEL cannot be
    read. ``is_variant`` means that it has a ``variant.json`` (PEP 825).
    """

    name: NormalizedName
    version: str
    path: Path
    form: Form = Form.DIST_INFO
    is_complete: bool = True
    installer: str = ""
    origin: Origin | None = None
    direct_url: DirectUrl | None = None
    kind: WheelKind | None = None
    is_variant: bool = False


def read_installed(
    directories: Iterable[Path],
    known: Mapping[str, InstalledDistribution] | None = None,
) -> tuple[InstalledDistribution, ...]:
    """Return the distributions in site-packages directories, by name and path.

    ``known`` are distributions that need not be read again, by path. Two versions of
    one project are two entries. Left-overs of pip (``~umpy-2.0.dist-info``) are not
    distributions, nor are directories whose name has no version. Raises
    EnvironmentBroken for a directory that cannot be read; one that does not exist is
    empty.
    """
    found: list[InstalledDistribution] = []
    seen: set[tuple[int, int]] = set()
    names: set[str] = set()
    for directory in directories:
        try:
            status = directory.stat()
            # ``lib64`` is a link to ``lib`` in many environments.
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            found.extend(_without_owned(list(_scan(directory, names, known or {}))))
        except FileNotFoundError:
            continue
        except OSError as error:
            place = error.filename or directory
            raise EnvironmentBroken(
                str(place), f"cannot be read: {error.strerror}"
            ) from error
    whole = (_without_deleted(one, names) for one in found)
    return tuple(sorted(whole, key=lambda entry: (entry.name, entry.path)))


def _without_deleted(
    one: InstalledDistribution, names: set[str]
) -> InstalledDistribution:
    """Return a distribution, incomplete if one of its top-level names is not there."""
    if one.origin is None or names.issuperset(one.origin.tops):
        return one
    return replace(one, is_complete=False)


def _scan(
    directory: Path, names: set[str], known: Mapping[str, InstalledDistribution]
) -> Iterator[InstalledDistribution]:
    """Yield the distributions of a directory, and add the names in it to ``names``."""
    with os.scandir(directory) as entries:
        for entry in entries:
            names.add(entry.name)
            stem, dot, suffix = entry.name.rpartition(".")
            if not dot or suffix not in _FORMS or stem.startswith("~"):
                continue
            form = Form(suffix)
            name, version = _split(stem, form)
            if not name:
                continue
            if form is Form.DIST_INFO:
                if entry.path in known:
                    yield known[entry.path]
                elif entry.is_dir() and version:
                    yield _read(entry.path, name, version)
            else:
                yield InstalledDistribution(
                    name=canonicalize_name(name),
                    version=version,
                    path=Path(entry.path),
                    form=form,
                )


def _without_owned(
    found: list[InstalledDistribution],
) -> list[InstalledDistribution]:
    """Return the distributions without legacy entries that another one owns.

    Some wheels have a ``*.egg-info`` beside their ``.dist-info``. RECORD lists it, so
    it is a file of that distribution and not another installation.
    """
    legacy = [one for one in found if one.form is not Form.DIST_INFO]
    if not legacy:
        return found
    rows = b"\n".join(
        (b"\n" + record.read_bytes()).replace(b'\n"', b"\n")
        for one in found
        if one.form is Form.DIST_INFO
        for record in (one.path / "RECORD", one.path / PARTIAL_RECORD)
        if record.is_file()
    )
    owned = {
        one.path
        for one in legacy
        if b"\n" + os.fsencode(one.path.name) + (b"/" if one.path.is_dir() else b",")
        in rows
    }
    return [one for one in found if one.path not in owned]


_FORMS = frozenset(form.value for form in Form)


def _split(stem: str, form: Form) -> tuple[str, str]:
    """Split ``name-version`` or ``name-version-py3.12`` into name and version."""
    if form is not Form.DIST_INFO:
        name, _, rest = stem.partition("-")
        return name, rest.partition("-py")[0]
    name, _, version = stem.rpartition("-")
    return name, version


def _read(place: str, name: str, version: str) -> InstalledDistribution:
    """Read a ``.dist-info``; paths are str, as every sync reads each of them."""
    files = os.listdir(place)  # noqa: PTH208 - as above
    path = Path(place)
    origin = _origin(f"{place}{os.sep}{ORIGIN_FILE}") if ORIGIN_FILE in files else None
    foreign = origin is None
    return InstalledDistribution(
        name=canonicalize_name(name),
        version=version,
        path=path,
        is_complete="RECORD" in files
        and os.stat(f"{place}{os.sep}RECORD").st_size > 0  # noqa: PTH116 - as above
        and (origin is not None or ORIGIN_FILE not in files),
        installer=_installer(path) if foreign and "INSTALLER" in files else "",
        origin=origin,
        direct_url=_direct_url(path) if "direct_url.json" in files else None,
        kind=_kind(path) if foreign and "WHEEL" in files else None,
        is_variant="variant.json" in files,
    )


_origins = msgspec.json.Decoder(Origin)


def _origin(path: str) -> Origin | None:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as in `_read`
        content = file.read()
    try:
        return _origins.decode(content)
    except msgspec.MsgspecError:
        return None


def _direct_url(path: Path) -> DirectUrl:
    content = (path / "direct_url.json").read_bytes()
    try:
        return msgspec.json.decode(content, type=DirectUrl)
    except msgspec.MsgspecError:
        return DirectUrl(url="")


def _installer(path: Path) -> str:
    content = (path / "INSTALLER").read_text(encoding="utf-8", errors="replace")
    return content.strip()


def _kind(path: Path) -> WheelKind:
    """Read the fields Tag and Build of WHEEL (PEP 427)."""
    tags: set[str] = set()
    build = ""
    text = (path / "WHEEL").read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        match key.strip().lower(), colon:
            case "tag", ":":
                tags.update(_expand(value.strip()))
            case "build", ":":
                build = value.strip()
            case _:
                pass
    return WheelKind(frozenset(tags), build)


def _expand(tag: str) -> Iterator[str]:
    """Expand a compressed tag set (PEP 425), which some build backends write."""
    parts = tag.split("-")
    if len(parts) != 3:
        return
    for python in parts[0].split("."):
        for abi in parts[1].split("."):
            for platform in parts[2].split("."):
                yield f"{python}-{abi}-{platform}"
