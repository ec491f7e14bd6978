"""Direct sources: a URL, path or git repository instead of an index (PEP 508, 610).

A direct reference (``name @ URL``) and an entry of ``[tool.polylock.sources]`` are
equivalent; both become one of the classes here. Paths are POSIX-style and
relative to the project file; in a URL such a path is written ``file:../lib``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from polylock.model.hashes import strongest, weak
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DIRECT_KEYS",
    "ArchiveSource",
    "DirectSource",
    "DirectorySource",
    "GitSource",
    "InvalidDirectSource",
    "is_archive",
    "parse_direct_url",
    "relative_url",
    "source_of_table",
    "table_of_source",
]

DIRECT_KEYS = ("path", "url", "git", "rev", "tag", "branch", "subdirectory", "editable")
"""The keys of an entry of ``sources`` that names no index."""

RevisionKind = Literal["rev", "tag", "branch"]

_ARCHIVE_SUFFIXES = (".whl", ".tar.gz", ".zip")
_SCP = re.compile(r"[^/\\:]+@[^/\\:]+:")
_GIT_SCHEMES = ("https", "http", "ssh", "git", "file")


class InvalidDirectSource(ValueError):
    """A direct source that is invalid or ambiguous; the message is a clause."""


class ArchiveSource(Value, frozen=True, kw_only=True, tag=True):
    """A wheel or an archive of a source tree; ``url`` or ``path`` is set.

    ``subdirectory`` is the path of the tree in the archive's top directory.
    ``checksum`` is ``md5=…`` if the project gives another hash than SHA-256: it is
    verified when the file is read, and the SHA-256 of the file is locked.
    """

    url: str | None = None
    path: str | None = None
    sha256: str | None = None
    checksum: str | None = None
    subdirectory: str | None = None

    def __str__(self) -> str:
        return self.url or self.path or ""


class DirectorySource(Value, frozen=True, kw_only=True, tag=True):
    """A source tree on disk."""

    path: str
    editable: bool = False
    subdirectory: str | None = None

    def __str__(self) -> str:
        return self.path


class GitSource(Value, frozen=True, kw_only=True, tag=True):
    """A source tree in a git repository; ``url`` or ``path`` is set.

    ``revision`` is None for the default branch. ``kind`` is its kind; ``rev`` may be a
    tag, a branch or a commit.
    """

    url: str | None = None
    path: str | None = None
    revision: str | None = None
    kind: RevisionKind = "rev"
    subdirectory: str | None = None

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        return f"git+{self.url or self.path}{revision}"


DirectSource = ArchiveSource | DirectorySource | GitSource


def is_archive(name: str) -> bool:
    """Return True if a path, or a URL without its fragment, names a wheel or sdist."""
    return name.endswith(_ARCHIVE_SUFFIXES)


def parse_direct_url(text: str) -> DirectSource:
    """Parse the URL of a direct reference; raises InvalidDirectSource."""
    url, _, fragment = text.partition("#")  # urldefrag makes "file:a" "file:///a"
    options = dict(parse_qsl(fragment))
    table: dict[str, str | bool] = {}
    if subdirectory := options.get("subdirectory"):
        table["subdirectory"] = subdirectory
    if url.startswith("git+"):
        place, revision = _revision(url.removeprefix("git+"))
        table["git"] = _local_path(place) or place
        if revision:
            table["rev"] = revision
        return source_of_table(table)
    path = _local_path(url)
    if path is not None:
        table["path"] = path
    else:
        table["url"] = url
    hashes = [f"{key}={options[key]}" for key in options if _is_algorithm(key)]
    hashes.sort(key=lambda each: not each.startswith("sha256="))
    return source_of_table(table, hashes[0] if hashes else "")


def _is_algorithm(key: str) -> bool:
    return key.startswith(("md5", "sha", "blake"))


def _revision(url: str) -> tuple[str, str]:
    """Split a git URL into the URL and the revision after the ``@`` of its path."""
    scheme, colon, rest = url.partition(":")
    authority, slash, path = rest.removeprefix("//").partition("/")
    if not rest.startswith("//"):
        head, at, revision = rest.rpartition("@")
        return (f"{scheme}{colon}{head}", revision) if at else (url, "")
    head, at, revision = path.rpartition("@")
    if not at:
        return url, ""
    return f"{scheme}://{authority}{slash}{head}", unquote(revision)


def _local_path(url: str) -> str | None:
    """Return the path of a relative ``file:`` URL, None for any other URL."""
    if not url.startswith("file:") or url.startswith("file:/"):
        return None
    return unquote(url.removeprefix("file:"))


def source_of_table(
    table: Mapping[str, str | bool], checksum: str = ""
) -> DirectSource:
    """Return the source of a table with DIRECT_KEYS; raises InvalidDirectSource.

    ``checksum`` is ``sha256=…``, if it is not in the fragment of ``url``.
    """
    places = [key for key in ("path", "url", "git") if key in table]
    if len(places) != 1:
        raise InvalidDirectSource("needs one of index, path, url and git")
    subdirectory = _subdirectory(table.get("subdirectory"))
    revisions = [key for key in ("rev", "tag", "branch") if key in table]
    if revisions and places != ["git"]:
        raise InvalidDirectSource(f"{revisions[0]} is only valid with git")
    place = str(table[places[0]])
    if not place or place.startswith("-"):
        raise InvalidDirectSource(f"{places[0]} is {place!r}")
    editable = bool(table.get("editable"))
    if editable and (places != ["path"] or is_archive(place)):
        raise InvalidDirectSource("editable is only valid with the path of a directory")
    if places == ["git"]:
        return _git(place, table, subdirectory)
    if places == ["path"]:
        if not is_archive(place):
            return DirectorySource(
                path=place, editable=editable, subdirectory=subdirectory
            )
        sha256, other = _hashes(checksum)
        return ArchiveSource(
            path=place, sha256=sha256, checksum=other, subdirectory=subdirectory
        )
    url, _, fragment = place.partition("#")
    if not url.startswith(("https://", "http://")):
        raise InvalidDirectSource(
            f"the URL is not https, http, file or git+: {_without_user(url)}"
        )
    if not is_archive(urlsplit(url).path):
        raise InvalidDirectSource(
            f"the URL does not end in .whl, .tar.gz or .zip: {_without_user(url)}"
        )
    sha256, other = _hashes(checksum or fragment)
    return ArchiveSource(
        url=url, sha256=sha256, checksum=other, subdirectory=subdirectory
    )


def _git(
    place: str, table: Mapping[str, str | bool], subdirectory: str | None
) -> GitSource:
    kinds: tuple[RevisionKind, ...] = ("rev", "tag", "branch")
    given = [kind for kind in kinds if kind in table]
    if len(given) > 1:
        raise InvalidDirectSource(f"has both {given[0]} and {given[1]}")
    kind = given[0] if given else "rev"
    revision = str(table[kind]) if given else None
    if revision is not None and (not revision or revision.startswith("-")):
        raise InvalidDirectSource(f"{kind} is {revision!r}")
    is_url = "://" in place
    if is_url and urlsplit(place).scheme not in _GIT_SCHEMES:
        raise InvalidDirectSource(f"git over {urlsplit(place).scheme} is not supported")
    if not is_url and ("::" in place or _SCP.match(place)):
        raise InvalidDirectSource(
            "the repository is not a URL; write ssh://git@host/path for git@host:path"
        )
    return GitSource(
        url=place if is_url else None,
        path=None if is_url else place,
        revision=revision,
        kind=kind,
        subdirectory=subdirectory,
    )


def _subdirectory(value: str | bool | None) -> str | None:  # noqa: FBT001 - TOML's
    if value is None:
        return None
    text = str(value).replace("\\", "/").strip("/")
    if not text or any(part in {"", ".", ".."} for part in text.split("/")):
        raise InvalidDirectSource(f"subdirectory {value!r} is not inside the tree")
    return text


def _hashes(text: str) -> tuple[str | None, str | None]:
    """Return the SHA-256 of a fragment, and its checksum of another kind."""
    if not text:
        return None, None
    algorithm, _, value = text.partition("=")
    value = value.lower()
    known = strongest({algorithm: value}) or weak({algorithm: value})
    if known is None:
        raise InvalidDirectSource(
            f"#{text} is not a hash: write #sha256= and 64 digits, or sha512, sha384, "
            "sha1 or md5 with its number of digits"
        )
    return (value, None) if algorithm == "sha256" else (None, f"{algorithm}={value}")


def _without_user(url: str) -> str:
    return re.sub(r"(?<=://)[^/?#\s]*@", "", url)


def table_of_source(source: DirectSource) -> dict[str, str | bool]:
    """Return the table of a source, its keys in the order of PEP 751."""
    table: dict[str, str | bool] = {}
    match source:
        case ArchiveSource():
            checksum = f"#{source.checksum}" if source.checksum else ""
            if source.sha256:
                checksum = f"#sha256={source.sha256}"
            if source.url is not None:
                table["url"] = source.url + checksum
            else:
                table["path"] = source.path or ""
        case DirectorySource():
            table["path"] = source.path
            if source.editable:
                table["editable"] = True
        case GitSource():
            table["git"] = source.url or source.path or ""
            if source.revision:
                table[source.kind] = source.revision
    if source.subdirectory:
        table["subdirectory"] = source.subdirectory
    return table


def relative_url(path: str) -> str:
    """Return the ``file:`` URL of a path relative to the project file."""
    return f"file:{quote(path)}"
