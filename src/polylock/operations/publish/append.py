"""``polylock index build --append``: wheels added to an index on any static host.

The index is a directory or a URL. Its pages and index-level files are read and
extended: what is there stays, and a label keeps its properties. Of an index at a URL
the files to upload are written, in the places that they have on the host.

::

    simple/NAME/index.html  simple/NAME/index.json   extended, in the forms that exist
    files/NAME/FILE                                  beside the page without ``simple``
"""

from __future__ import annotations

import hashlib
import shutil
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin

from polylock.cache.regular_files import file_digest
from polylock.errors import FilesInvalid, UsageError
from polylock.index_server.lint import OpenedFile, PublishedRelease, published_releases
from polylock.index_server.page_edits import (
    InvalidPageEdit,
    html_with_files,
    html_with_project,
    json_with_files,
    json_with_project,
)
from polylock.index_server.static_build import (
    ListedFile,
    label_problems,
    listed_file,
    metadata_json,
    project_html,
    project_json,
    read_folder,
)
from polylock.model.filenames import (
    InvalidFilename,
    WheelFilename,
    check_file_name,
)
from polylock.model.hashes import hash_value, sha256_of, strongest
from polylock.network.auth import redact
from polylock.operations.files import attempt
from polylock.operations.publish.index_pages import IndexPages
from polylock.operations.publish.lint import place_context
from polylock.values import Value
from polylock.variants.variant_json import (
    InvalidVariantMetadata,
    VariantMetadata,
    combine,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from polylock.index.distribution_file import DistributionFile
    from polylock.index_server.static_build import StaticFacts
    from polylock.model.distributions import RemoteFile
    from polylock.operations.publish.index_pages import Page
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["Appended", "append"]

_KNOWN_KEYS = {
    "$schema",
    "default-priorities",
    "providers",
    "static-properties",
    "variants",
}


class Appended(Value, frozen=True, kw_only=True):
    """What was added to an index.

    ``written`` are the files that were written below the directory, sorted. ``wheels``
    and ``sdists`` count the new ones, ``present`` those that were there. ``labels`` are
    new in index-level files: ``demo 1.0 cuda13``.
    """

    directory: Path
    projects: tuple[NormalizedName, ...]
    wheels: int
    sdists: int
    present: int
    variant_releases: int
    labels: tuple[str, ...]
    skipped: tuple[str, ...]
    written: tuple[str, ...]


class _Plan:
    """The files to write, by their path in the index, and what speaks against it."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes | Path] = {}
        self.pages: dict[str, bytes] = {}
        self.problems: list[str] = []
        self.labels: list[str] = []
        self.added: list[DistributionFile] = []
        self.releases = 0
        self.present = 0


class _Layout:
    """Where the files of an index are.

    ``base`` is the URL below which the index is, ``prefix`` the path of its pages
    there: ``simple/`` where files have a directory of their own.
    """

    def __init__(self, pages: IndexPages) -> None:
        self.is_flat = not pages.on_index
        split = pages.url.endswith("/simple/")
        self.base = urljoin(pages.url, "..") if split else pages.url
        self.prefix = "simple/" if split else ""

    def new(self, name: NormalizedName, filename: str) -> tuple[str, str]:
        """Return the path of a new file in the index, and its URL on the page."""
        if self.is_flat:
            return filename, quote(filename)
        if self.prefix:
            path = f"files/{name}/{filename}"
            return path, f"../../files/{quote(name)}/{quote(filename)}"
        return f"{name}/{filename}", quote(filename)

    def existing(self, url: str) -> str | None:
        """Return the path of a file that is in the index, None if it is elsewhere."""
        if not url.startswith(self.base):
            return None
        path = PurePosixPath(unquote(url[len(self.base) :].partition("?")[0]))
        try:
            for part in path.parts:
                check_file_name(part)
        except InvalidFilename:
            return None
        return str(path)


def append(
    source: Path,
    place: str,
    settings: Settings,
    reporter: Reporter,
    *,
    output: Path | None = None,
    lenient: bool = False,
) -> Appended:
    """Add the wheels and source distributions of a folder to an index.

    They are written into the index, or its changed files into ``output``, which an
    index at a URL needs. Raises UsageError, FilesInvalid with a line for each file that
    must not be added, IndexRequestError, Offline. Nothing is written then.
    """
    if not source.is_dir():
        raise UsageError(f"{source} is not a folder", "name the folder of the wheels")
    if "://" in place and output is None:
        raise UsageError(
            "an index at a URL cannot be written",
            "name a directory for the files to upload: --output DIRECTORY",
        )
    files, facts, skipped = read_folder(source)
    plan = _Plan()
    with place_context(place, settings, reporter) as context:
        pages = IndexPages(place, context)
        layout = _Layout(pages)
        for name, group in groupby(files, key=lambda file: file.name):
            new = (list(group), facts)
            _plan_project(plan, pages, layout, name, new, lenient=lenient)
        _plan_root(plan, pages, layout, [file.name for file in files])
        directory = output or _directory_of(pages, layout)
        if output is None:
            _check_unlisted(plan, directory)
    if plan.problems:
        raise FilesInvalid(str(source), plan.problems)
    _write(directory, plan)
    return Appended(
        directory=directory,
        projects=tuple(dict.fromkeys(file.name for file in files)),
        wheels=sum(file.metadata is not None for file in plan.added),
        sdists=sum(file.metadata is None for file in plan.added),
        present=plan.present,
        variant_releases=plan.releases,
        labels=tuple(plan.labels),
        skipped=skipped,
        written=tuple(sorted({*plan.contents, *plan.pages})),
    )


def _check_unlisted(plan: _Plan, directory: Path) -> None:
    """Add a problem for each new file that would replace another one."""
    for path, content in plan.contents.items():
        target = directory / path
        if (
            isinstance(content, Path)
            and target.is_file()
            and file_digest(target) != file_digest(content)
        ):
            plan.problems.append(
                f"{content.name}: {target} is another file, which no page lists"
            )


def _directory_of(pages: IndexPages, layout: _Layout) -> Path:
    return pages.root.parent if layout.prefix else pages.root


def _plan_project(
    plan: _Plan,
    pages: IndexPages,
    layout: _Layout,
    name: NormalizedName,
    new: tuple[list[DistributionFile], StaticFacts],
    *,
    lenient: bool,
) -> None:
    """Plan the files of a project, its index-level files, and its pages."""
    files, facts = new
    served = [] if layout.is_flat else pages.forms(name)
    rows = _rows(pages, layout, name, served)
    releases, _ = published_releases(name, rows, on_index=not layout.is_flat)
    by_version = {release.version: release for release in releases}
    known = {row.filename: row for row in rows}
    changed: list[ListedFile] = []
    for version, group in groupby(files, key=lambda file: str(file.version)):
        of_version = list(group)
        release = by_version.get(version)
        level = _plan_metadata(
            plan,
            pages,
            layout,
            release or PublishedRelease(name=name, version=version),
            of_version,
            lenient=lenient,
        )
        if level is not None:
            changed.append(level)
        for file in of_version:
            row = known.get(file.filename)
            if row is not None:
                _check_present(plan, file, row)
                continue
            path, url = layout.new(name, file.filename)
            plan.added.append(file)
            plan.contents[path] = file.path
            if file.metadata is not None and not layout.is_flat:
                plan.contents[f"{path}.metadata"] = file.metadata
            changed.append(listed_file(file, facts, url))
    if changed and not layout.is_flat:
        versions = sorted({file.version for file in files})
        _plan_pages(plan, layout, name, (served, changed, versions))


def _rows(
    pages: IndexPages, layout: _Layout, name: NormalizedName, served: Sequence[Page]
) -> list[RemoteFile]:
    if layout.is_flat:
        return pages.loose(name)
    return served[0].files if served else []


def _check_present(plan: _Plan, file: DistributionFile, row: RemoteFile) -> None:
    """Note a file that is there already; another one of its name is a problem."""
    there = sha256_of(row.hashes)
    path = _local(row)
    if there is None and path is not None:
        there = file_digest(path)
    if there == file.sha256:
        plan.present += 1
    elif there is None:
        plan.problems.append(
            f"{file.filename}: the index has such a file and tells no SHA-256 of it"
        )
    else:
        plan.problems.append(
            f"{file.filename}: the index has another file of this name; give the new "
            "one a build number, or a new version"
        )


def _local(row: RemoteFile) -> Path | None:
    from polylock.network.local_files import local_path  # noqa: PLC0415 - one use

    path = local_path(row.url)
    return path if path is not None and path.is_file() else None


def _plan_metadata(
    plan: _Plan,
    pages: IndexPages,
    layout: _Layout,
    release: PublishedRelease,
    files: Sequence[DistributionFile],
    *,
    lenient: bool,
) -> ListedFile | None:
    """Plan the index-level file of a release, None where nothing of it changes."""
    if not any(file.variant is not None for file in files):
        return None
    before, at_index = _metadata_before(plan, pages, release)
    combined = before
    for file in files:
        if file.variant is None:
            continue
        plan.problems.extend(
            f"{file.filename}: {problem}"
            for problem in label_problems(file.variant, lenient=lenient)
        )
        try:
            combined = combine([*([combined] if combined else []), file.variant])
        except InvalidVariantMetadata as error:
            plan.problems.append(
                f"{file.filename}: disagrees with the index or the other new wheels: "
                f"{error}"
            )
    if combined is None or plan.problems:
        return None
    plan.releases += 1
    old = set(before.variants) if before is not None else set()
    plan.labels += [
        f"{release.name} {release.version} {label}"
        for label in sorted(set(combined.variants) - old)
    ]
    if at_index is not None and before is not None and combine([before]) == combined:
        return None
    filename = f"{release.name.replace('-', '_')}-{release.version}-variants.json"
    path, url = layout.new(release.name, filename)
    if at_index is not None:
        filename, url = at_index.filename, at_index.url
        existing = layout.existing(at_index.url)
        if existing is None:
            plan.problems.append(
                f"{filename}: it is at {redact(at_index.url)}, outside of the index"
            )
            return None
        path = existing
    unknown = {} if before is None else before.document
    kept = {key: value for key, value in unknown.items() if key not in _KNOWN_KEYS}
    content = metadata_json({**combined.document, **kept})
    plan.contents[path] = content
    return ListedFile(
        filename=filename,
        url=url,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _metadata_before(
    plan: _Plan, pages: IndexPages, release: PublishedRelease
) -> tuple[VariantMetadata | None, RemoteFile | None]:
    """Return the metadata that the index has of a release, and its file.

    Where there is no index-level file, it is that of the variant wheels (PEP 825,
    "Index-level metadata"), each of which must be readable.
    """
    for opened in pages.opened(release.index_level[:1]):
        content = opened.content
        name = opened.file.filename
        if content is None:
            plan.problems.append(f"{name}: {opened.problem}")
            return None, opened.file
        wanted = strongest(opened.file.hashes)
        if wanted is not None and hash_value(wanted[0], content) != wanted[1]:
            plan.problems.append(
                f"{name}: its hash is not that on the page; see `polylock index lint`"
            )
        try:
            return VariantMetadata.decode(content), opened.file
        except InvalidVariantMetadata as error:
            plan.problems.append(f"{name}: {error}")
            return None, opened.file
    found: VariantMetadata | None = None
    for opened in pages.opened(release.wheels):
        label = WheelFilename.parse(opened.file.filename).variant_label
        if label is not None:
            found = _with_wheel(plan, found, opened, label)
    return found, None


def _with_wheel(
    plan: _Plan, found: VariantMetadata | None, opened: OpenedFile, label: str
) -> VariantMetadata | None:
    name = opened.file.filename
    if opened.content is None:
        why = opened.problem or opened.unopened or "variant.json is missing"
        plan.problems.append(f"{name}: {why}")
        return found
    try:
        own = VariantMetadata.decode_wheel(opened.content, label)
        return combine([*([found] if found else []), own])
    except InvalidVariantMetadata as error:
        plan.problems.append(f"{name}: {error}")
        return found


def _plan_pages(
    plan: _Plan,
    layout: _Layout,
    name: NormalizedName,
    edit: tuple[Sequence[Page], list[ListedFile], list[Version]],
) -> None:
    served, changed, versions = edit
    folder = f"{layout.prefix}{name}"
    if not served:
        plan.pages[f"{folder}/index.html"] = project_html(name, changed)
        texts = [str(version) for version in versions]
        plan.pages[f"{folder}/index.json"] = project_json(name, texts, changed)
    for page in served:
        try:
            plan.pages[f"{folder}/index.{page.form}"] = (
                json_with_files(page.content, changed, versions)
                if page.form == "json"
                else html_with_files(page.content, changed)
            )
        except InvalidPageEdit as error:
            plan.problems.append(f"{redact(page.url)}: {error}")


def _plan_root(
    plan: _Plan,
    pages: IndexPages,
    layout: _Layout,
    names: Sequence[NormalizedName],
) -> None:
    """Plan the list of projects, if there is one and it lacks some."""
    if layout.is_flat:
        return
    for page in pages.root_forms():
        content = page.content
        listed = pages.listed_on(page)
        add = json_with_project if page.form == "json" else html_with_project
        try:
            for name in dict.fromkeys(names):
                if name not in listed:
                    content = add(content, name)
        except InvalidPageEdit as error:
            plan.problems.append(f"{redact(page.url)}: {error}")
        if content != page.content:
            plan.pages[f"{layout.prefix}index.{page.form}"] = content


def _write(directory: Path, plan: _Plan) -> None:
    """Write the files, then the pages that list them; each replaces another at once."""
    for path, content in [*plan.contents.items(), *plan.pages.items()]:
        target = directory / path
        with attempt(f"write {target}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.part")
            if isinstance(content, Path):
                shutil.copyfile(content, temporary)
            else:
                temporary.write_bytes(content)
            temporary.replace(target)
