"""Builds a static simple index from a folder of wheels and source distributions.

The result is plain files, which any web server can serve::

    simple/index.html            simple/index.json
    simple/NAME/index.html       simple/NAME/index.json
    files/NAME/FILE              files/NAME/FILE.metadata      (PEP 658)
    files/NAME/NAME-VERSION-variants.json                      (PEP 825)

The same folder gives the same bytes on every machine: the order of the directory and
the times of its files do not matter.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from polylock.errors import FilesInvalid, UsageError
from polylock.index.distribution_file import (
    DistributionFile,
    InvalidDistribution,
    read_distribution,
)
from polylock.toml_tables import parse_toml
from polylock.values import Value, field
from polylock.variants.properties import NULL_LABEL
from polylock.variants.property_checks import FeatureUnknown, property_faults
from polylock.variants.variant_json import (
    InvalidVariantMetadata,
    VariantMetadata,
    combine,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


__all__ = [
    "BuiltIndex",
    "InvalidFacts",
    "ListedFile",
    "StaticFacts",
    "UploadTimes",
    "build_index",
    "json_entry",
    "label_problems",
    "listed_file",
    "metadata_json",
    "page_link",
    "project_html",
    "project_json",
    "read_folder",
    "root_html",
    "root_json",
]

FACTS_FILENAME = "index.toml"


class InvalidFacts(ValueError):
    """``index.toml`` cannot be read; the text is the reason."""


class StaticFacts(Value, frozen=True, kw_only=True):
    """Upload times, in UTC, and yanked files with reasons (PEP 592, PEP 700).

    An index gives them for files that do not contain them; they are in ``index.toml``::

        [upload-times]
        "demo==1.0" = 2026-01-31T12:00:00Z
        "demo-1.0-py3-none-any.whl" = 2026-02-01T12:00:00Z

        [yanked]
        "demo==0.9" = "does not start on Windows"

    The keys are file names and normalized releases, ``name==version``; a file name
    wins.
    """

    upload_times: Mapping[str, datetime] = field(default_factory=dict)
    yanked: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> StaticFacts:
        """Return the facts in a file, none if it is missing; raises InvalidFacts."""
        try:
            document = parse_toml(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise InvalidFacts(str(error)) from error
        unknown = sorted(document.keys() - {"upload-times", "yanked"})
        if unknown:
            raise InvalidFacts(
                f"unknown key {unknown[0]}; known are upload-times, yanked"
            )
        return cls(
            upload_times={
                key: _time(f"upload-times.{key}", value)
                for key, value in _table(document, "upload-times")
            },
            yanked={
                key: _reason(f"yanked.{key}", value)
                for key, value in _table(document, "yanked")
            },
        )

    def upload_time(self, file: DistributionFile) -> datetime | None:
        """Return the upload time of a file, None if it is not given."""
        by_release = self.upload_times.get(file.release)
        return self.upload_times.get(file.filename, by_release)

    def yank(self, file: DistributionFile) -> str | None:
        """Return the reason of a yanked file, None if it is not yanked."""
        return self.yanked.get(file.filename, self.yanked.get(file.release))

    def unmatched(self, files: Iterable[DistributionFile]) -> list[str]:
        """Return the key paths that match none of these files, sorted."""
        known: set[str] = set()
        for file in files:
            known |= {file.filename, file.release}
        return sorted(
            [f"upload-times.{key}" for key in self.upload_times if key not in known]
            + [f"yanked.{key}" for key in self.yanked if key not in known]
        )


def _table(document: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise InvalidFacts(f"{name} must be a table")
    for key, value in table.items():
        yield _normalized(f"{name}.{key}", key), value


def _normalized(place: str, key: str) -> str:
    project, equals, version = key.partition("==")
    if not equals:
        return key
    try:
        return f"{canonicalize_name(project)}=={Version(version)}"
    except ValueError as error:
        raise InvalidFacts(f"{place}: {version!r} is not a version") from error


def _time(place: str, value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidFacts(f"{place} must be a date and time with an offset")
    return value.astimezone(UTC)


def _reason(place: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidFacts(f"{place} must be a string, the reason or an empty one")
    return value


_API_VERSION = "1.1"
"""PEP 700: sizes and the list of versions are there."""

_HTML = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="pypi:repository-version" content="{version}">
<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
{links}</body>
</html>
"""


class ListedFile(Value, frozen=True, kw_only=True):
    """A file on a project page; ``url`` is relative to the page.

    ``metadata_sha256`` is None if the file has no metadata file (PEP 658), ``yanked``
    if it is not yanked. ``upload_time`` is in UTC.
    """

    filename: str
    url: str
    size: int
    sha256: str
    requires_python: str | None = None
    metadata_sha256: str | None = None
    upload_time: datetime | None = None
    yanked: str | None = None


def project_json(
    name: NormalizedName, versions: Sequence[str], files: Iterable[ListedFile]
) -> bytes:
    """Return a project page as JSON (PEP 691)."""
    return _json(
        {
            "meta": {"api-version": _API_VERSION},
            "name": name,
            "versions": list(versions),
            "files": [json_entry(file) for file in files],
        }
    )


def project_html(name: NormalizedName, files: Iterable[ListedFile]) -> bytes:
    """Return a project page as HTML (PEP 503)."""
    return _html(f"Links for {name}", (f"{page_link(file)}\n" for file in files))


def root_json(names: Iterable[NormalizedName]) -> bytes:
    """Return the list of projects as JSON (PEP 691)."""
    return _json(
        {
            "meta": {"api-version": _API_VERSION},
            "projects": [{"name": name} for name in names],
        }
    )


def root_html(names: Iterable[NormalizedName]) -> bytes:
    """Return the list of projects as HTML (PEP 503)."""
    links = (f'<a href="{name}/">{name}</a><br>\n' for name in names)
    return _html("Simple index", links)


def page_link(file: ListedFile) -> str:
    """Return the link to a file on a page in HTML (PEP 503, PEP 658, PEP 592)."""
    return f"<a {' '.join(_html_attributes(file))}>{escape(file.filename)}</a><br>"


def json_entry(file: ListedFile) -> dict[str, Any]:
    """Return the entry of a file on a page in JSON (PEP 691, PEP 700)."""
    entry: dict[str, Any] = {
        "filename": file.filename,
        "url": file.url,
        "hashes": {"sha256": file.sha256},
        "size": file.size,
    }
    if file.requires_python is not None:
        entry["requires-python"] = file.requires_python
    if file.metadata_sha256 is not None:
        entry["core-metadata"] = {"sha256": file.metadata_sha256}
    if file.upload_time is not None:
        entry["upload-time"] = file.upload_time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if file.yanked is not None:
        entry["yanked"] = file.yanked or True
    return entry


def _html_attributes(file: ListedFile) -> Iterator[str]:
    yield f'href="{escape(file.url)}#sha256={file.sha256}"'
    if file.requires_python is not None:
        yield f'data-requires-python="{escape(file.requires_python)}"'
    if file.metadata_sha256 is not None:
        # PEP 714: the second spelling is for older clients.
        yield f'data-core-metadata="sha256={file.metadata_sha256}"'
        yield f'data-dist-info-metadata="sha256={file.metadata_sha256}"'
    if file.yanked is not None:
        yield f'data-yanked="{escape(file.yanked)}"'


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _html(title: str, links: Iterable[str]) -> bytes:
    page = _HTML.format(version=_API_VERSION, title=escape(title), links="".join(links))
    return page.encode()


UploadTimes = Literal["recorded", "modified"]
"""``recorded``: only those in ``index.toml``. ``modified``: also the modification times
of other files, which makes the result differ between two copies of a folder."""

_PARTS = ("files", "simple")
_DISTRIBUTION_SUFFIXES = (".whl", ".tar.gz", ".zip")


class BuiltIndex(Value, frozen=True, kw_only=True):
    """The project names and file counts of a built index.

    ``skipped`` are the files of the folder that are not distributions, by name.
    """

    directory: Path
    projects: tuple[NormalizedName, ...]
    wheels: int
    sdists: int
    variant_releases: int
    skipped: tuple[str, ...]


def build_index(
    source: Path,
    destination: Path | None = None,
    *,
    upload_times: UploadTimes = "recorded",
    lenient: bool = False,
) -> BuiltIndex:
    """Build the index of a folder, in another folder or by default in itself.

    ``simple`` and ``files`` of an earlier index are replaced at the end; other content
    of the destination stays. With ``lenient`` a label may need a feature that no
    provider of its namespace reports.

    Raises UsageError if the source is not a folder of distributions or the destination
    has other content; FilesInvalid, with a line for each file, if there are files that
    must not be added to an index. Nothing is written then.
    """
    destination = destination or source
    _check_directories(source, destination)
    files, facts, skipped = read_folder(source)
    variants = _variants(source, files, lenient=lenient)
    if upload_times == "modified":
        facts = _with_modification_times(facts, files)
    _write(destination, files, facts, variants)
    return BuiltIndex(
        directory=destination,
        projects=tuple(dict.fromkeys(file.name for file in files)),
        wheels=sum(file.metadata is not None for file in files),
        sdists=sum(file.metadata is None for file in files),
        variant_releases=len(variants),
        skipped=skipped,
    )


def read_folder(
    source: Path,
) -> tuple[list[DistributionFile], StaticFacts, tuple[str, ...]]:
    """Return the distributions of a folder, their facts, and the names of the rest.

    Sorted by project, version and name. Raises UsageError for a folder without any,
    FilesInvalid with a line for each file that must not be added to an index.
    """
    paths = sorted(path for path in source.iterdir() if path.is_file())
    candidates = [p for p in paths if p.name.endswith(_DISTRIBUTION_SUFFIXES)]
    if not candidates:
        raise UsageError(
            f"{source} holds no wheel and no source distribution",
            "name the folder that has the .whl files",
        )
    files, facts = _read(source, candidates)
    files.sort(key=lambda file: (file.name, file.version, file.filename))
    skipped = tuple(
        path.name
        for path in paths
        if path not in candidates and path.name != FACTS_FILENAME
    )
    return files, facts, skipped


def _check_directories(source: Path, destination: Path) -> None:
    if not source.is_dir():
        raise UsageError(f"{source} is not a folder", "name the folder of the wheels")
    if destination.exists() and not destination.is_dir():
        raise UsageError(f"{destination} is not a folder", "name another destination")
    occupied = [part for part in _PARTS if (destination / part).exists()]
    if occupied and not (destination / "simple" / "index.json").is_file():
        raise UsageError(
            f"{destination} has {occupied[0]}, which is not part of an index",
            "name an empty folder, or one with an earlier index",
        )


def _read(
    source: Path, paths: Iterable[Path]
) -> tuple[list[DistributionFile], StaticFacts]:
    files: list[DistributionFile] = []
    problems: list[str] = []
    for path in paths:
        try:
            files.append(read_distribution(path))
        except InvalidDistribution as error:
            problems.append(f"{path.name}: {error}")
    facts = StaticFacts()
    try:
        facts = StaticFacts.read(source / FACTS_FILENAME)
    except InvalidFacts as error:
        problems.append(f"{FACTS_FILENAME}: {error}")
    if not problems:
        problems.extend(
            f"{FACTS_FILENAME}: {key} names no file and no release of the folder"
            for key in facts.unmatched(files)
        )
    if problems:
        raise FilesInvalid(str(source), problems)
    return files, facts


def _variants(
    source: Path, files: Iterable[DistributionFile], *, lenient: bool
) -> dict[tuple[NormalizedName, Version], bytes]:
    """Return the combined metadata of releases (PEP 825, "Metadata consistency").

    Wheels are added one by one, so that an inconsistent one can be named.
    """
    combined: dict[tuple[NormalizedName, Version], VariantMetadata] = {}
    problems: list[str] = []
    for file in files:
        if file.variant is None:
            continue
        problems.extend(
            f"{file.filename}: {problem}"
            for problem in label_problems(file.variant, lenient=lenient)
        )
        release = (file.name, file.version)
        earlier = [combined[release]] if release in combined else []
        try:
            combined[release] = combine([*earlier, file.variant])
        except InvalidVariantMetadata as error:
            problems.append(
                f"{file.filename}: disagrees with the other wheels of its release: "
                f"{error}"
            )
            continue
        problems.extend(
            f"{file.filename}: label {label} has the properties of label {other}: each "
            "label must have its own"
            for each in earlier
            for label, other in _twins(file.variant, each)
        )
    if problems:
        raise FilesInvalid(str(source), problems)
    return {
        release: metadata_json(metadata.document)
        for release, metadata in combined.items()
    }


def _twins(one: VariantMetadata, other: VariantMetadata) -> Iterator[tuple[str, str]]:
    """Yield the labels of ``one`` with the properties of another label of ``other``.

    PEP 825, "Variant label": "Every variant label MUST uniquely correspond to a
    specific set of variant properties". Those without any have a problem of their own.
    """
    for label, properties in one.variants.items():
        for name, known in other.variants.items():
            if name != label and properties and _sets(properties) == _sets(known):
                yield label, name


def _sets(
    properties: Mapping[str, Mapping[str, Iterable[str]]],
) -> dict[tuple[str, str], frozenset[str]]:
    return {
        (namespace, feature): frozenset(values)
        for namespace, features in properties.items()
        for feature, values in features.items()
    }


def metadata_json(document: Mapping[str, Any]) -> bytes:
    """Return the content of an index-level file."""
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def label_problems(metadata: VariantMetadata, *, lenient: bool) -> Iterator[str]:
    """Yield the problems of readable properties of labels."""
    for label, properties in metadata.variants.items():
        if not properties and label != NULL_LABEL:
            # PEP 825, "Variant label": null "always corresponds to the variant with
            # zero properties", and a label "MUST uniquely correspond to a specific set
            # of variant properties".
            yield (
                f"label {label} has no properties: the only label without is "
                f"{NULL_LABEL}"
            )
    for fault in () if lenient else property_faults(metadata):
        if isinstance(fault, FeatureUnknown):
            meant = f", did you mean {fault.close}?" if fault.close else ""
            yield (
                f"label {fault.label} needs {fault.namespace} :: {fault.feature}, "
                f"which no provider of {fault.namespace} reports{meant} "
                "(--lenient to accept)"
            )


def _with_modification_times(
    facts: StaticFacts, files: Iterable[DistributionFile]
) -> StaticFacts:
    times = {
        file.filename: datetime.fromtimestamp(int(file.path.stat().st_mtime), tz=UTC)
        for file in files
        if facts.upload_time(file) is None
    }
    return StaticFacts(
        upload_times={**facts.upload_times, **times}, yanked=facts.yanked
    )


def _write(
    destination: Path,
    files: Sequence[DistributionFile],
    facts: StaticFacts,
    variants: dict[tuple[NormalizedName, Version], bytes],
) -> None:
    """Write the new index beside the earlier one, then replace that."""
    destination.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".index-", dir=destination))
    try:
        new = work / "new"
        names: list[NormalizedName] = []
        for name, group in groupby(files, key=lambda file: file.name):
            names.append(name)
            _write_project(new, name, list(group), facts, variants)
        _write_pages(new / "simple", root_html(names), root_json(names))
        old = work / "old"
        old.mkdir()
        for part in _PARTS:
            if (destination / part).exists():
                (destination / part).rename(old / part)
            (new / part).rename(destination / part)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_project(
    root: Path,
    name: NormalizedName,
    files: Sequence[DistributionFile],
    facts: StaticFacts,
    variants: dict[tuple[NormalizedName, Version], bytes],
) -> None:
    directory = root / "files" / name
    directory.mkdir(parents=True)
    versions: list[str] = []
    listed: list[ListedFile] = []
    for version, group in groupby(files, key=lambda file: file.version):
        versions.append(str(version))
        content = variants.get((name, version))
        if content is not None:
            filename = f"{name.replace('-', '_')}-{version}-variants.json"
            (directory / filename).write_bytes(content)
            listed.append(
                ListedFile(
                    filename=filename,
                    url=_url(name, filename),
                    size=len(content),
                    sha256=hashlib.sha256(content).hexdigest(),
                )
            )
        for file in group:
            shutil.copyfile(file.path, directory / file.filename)
            if file.metadata is not None:
                beside = directory / f"{file.filename}.metadata"
                beside.write_bytes(file.metadata)
            listed.append(listed_file(file, facts, _url(name, file.filename)))
    _write_pages(
        root / "simple" / name,
        project_html(name, listed),
        project_json(name, versions, listed),
    )


def listed_file(file: DistributionFile, facts: StaticFacts, url: str) -> ListedFile:
    """Return a file as a page lists it, under a URL relative to the page."""
    return ListedFile(
        filename=file.filename,
        url=url,
        size=file.size,
        sha256=file.sha256,
        requires_python=file.requires_python,
        metadata_sha256=(
            None if file.metadata is None else hashlib.sha256(file.metadata).hexdigest()
        ),
        upload_time=facts.upload_time(file),
        yanked=facts.yank(file),
    )


def _url(name: NormalizedName, filename: str) -> str:
    """Return the URL relative to the project page, so that the index can be moved."""
    return f"../../files/{quote(name)}/{quote(filename)}"


def _write_pages(directory: Path, html: bytes, json_page: bytes) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "index.html").write_bytes(html)
    (directory / "index.json").write_bytes(json_page)
