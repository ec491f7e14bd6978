"""``index lint`` on indexes of every form, good and bad ones."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from fakes.server import JSON, Answer, Index, Server
from fakes.wheels import build_wheel, variants_json
from polylock.errors import IndexRequestError, Offline, ProjectNotFound, UsageError
from polylock.index_server.lint import FindingKind
from polylock.index_server.static_build import build_index
from polylock.operations.publish import index_pages
from polylock.operations.publish.lint import Linted, lint
from polylock.ports import SilentReporter
from polylock.project.settings import Settings
from polylock.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

V3 = {"x86_64": {"level": ["v3"]}}
GPU = {"x86_64": {"level": ["v3"]}, "nvidia": {"cuda_version_lower_bound": ["13.0"]}}
NOTES = {FindingKind.SCHEMA_DRAFT}
HTML = "text/html"


@pytest.fixture(name="settings")
def _settings(tmp_path: Path) -> Settings:
    return Settings(cache_dir=tmp_path / "cache")


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with Server() as server:
        yield server


def kinds(found: Linted) -> list[str]:
    """Return what is found, without the note on drafts."""
    return [each.kind.value for each in found.findings if each.kind not in NOTES]


def check(place: str, settings: Settings, *names: str, **options: bool) -> Linted:
    """Lint an index."""
    return lint(place, names, settings, SilentReporter(), **options)


def wheels(directory: Path) -> list[Path]:
    """Build a release with two labels, without a fault."""
    order = ["nvidia", "x86_64"]
    return [
        build_wheel(directory, "demo", "1.0", label="v3", variant=V3, namespaces=order),
        build_wheel(
            directory, "demo", "1.0", label="gpu", variant=GPU, namespaces=order
        ),
        build_wheel(directory, "demo", "1.0"),
    ]


def index_level(directory: Path, variants: Mapping[str, Any]) -> Path:
    """Write an index-level file of demo 1.0."""
    path = directory / "demo-1.0-variants.json"
    document = variants_json(variants, namespaces=["nvidia", "x86_64"])
    path.write_text(json.dumps(document), "utf-8")
    return path


def served(server: Server, directory: Path, **options: Any) -> Index:  # noqa: ANN401 - of ``Index.add``
    """Serve the release, and a root page that lists it."""
    built = wheels(directory)
    index = Index(server)
    level = index_level(directory, {"v3": V3, "gpu": {**GPU}})
    index.add("demo", [*built, level], **options)
    names = {"meta": {"api-version": "1.1"}, "projects": [{"name": "demo"}]}
    body = json.dumps(names).encode()
    server.routes["/simple/"] = Answer(body=body, content_type=JSON)
    return index


def test_built_index_has_no_fault(tmp_path: Path, settings: Settings) -> None:
    """As a directory, as its ``simple``, and before it was built: nothing is wrong."""
    wheels(tmp_path / "wheels")
    build_index(tmp_path / "wheels", tmp_path / "site")
    for place in ("site", "site/simple", "wheels"):
        found = check(str(tmp_path / place), settings)
        assert kinds(found) == []
        assert (found.projects, found.releases, found.wheels) == (1, 1, 3)
        assert found.opened == 2
        assert not found.is_wrong


def test_served_index_has_no_fault(
    tmp_path: Path, settings: Settings, server: Server
) -> None:
    """The wheels are opened by range requests, and no whole one is fetched."""
    index = served(server, tmp_path)
    found = check(index.url, settings)
    assert kinds(found) == []
    assert found.opened == 2
    whole = [r for r in server.log if r.path.endswith(".whl") and r.status == 200]
    assert whole == []


def test_wheel_that_differs_from_the_index_is_found(
    tmp_path: Path, settings: Settings, server: Server
) -> None:
    """Only opening it shows that; ``opens_wheels`` false leaves it out."""
    built = wheels(tmp_path)
    index = Index(server)
    index.add("demo", [*built, index_level(tmp_path, {"v3": V3, "gpu": V3 | {}})])
    assert kinds(check(index.url, settings, "demo")) == [
        "labels-alike",
        "wheel-differs",
    ]
    quick = check(index.url, settings, "demo", opens_wheels=False)
    assert kinds(quick) == ["labels-alike"]
    assert quick.opened == 0


def test_metadata_that_changed_under_its_hash_is_found(
    tmp_path: Path, settings: Settings, server: Server
) -> None:
    """Installers refuse such a file; lint takes nothing from the cache."""
    index = served(server, tmp_path)
    assert kinds(check(index.url, settings)) == []
    path = index.file("demo-1.0-variants.json")
    server.change(path, body=server.routes[path].body + b"\n")
    assert kinds(check(index.url, settings)) == ["index-file-hash"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("demo-1.0-variants.json", ["file-unreadable"]),
        ("demo-1.0-py3-none-any-v3.whl", ["file-unreadable"]),
    ],
)
def test_files_that_are_not_there_are_found(
    path: str, found: list[str], tmp_path: Path, settings: Settings, server: Server
) -> None:
    """The page lists them, and the server has none."""
    index = served(server, tmp_path)
    server.change(index.file(path), status=404)
    assert kinds(check(index.url, settings)) == found


def test_damaged_wheel_is_a_finding(
    tmp_path: Path, settings: Settings, server: Server
) -> None:
    """Its directory cannot be read."""
    index = served(server, tmp_path)
    server.change(index.file("demo-1.0-py3-none-any-v3.whl"), body=b"x" * 500)
    assert kinds(check(index.url, settings)) == ["file-unreadable"]


def test_large_wheel_without_ranges_is_not_fetched(
    tmp_path: Path, settings: Settings, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel of torch has a gigabyte; the note says that it was not compared."""
    monkeypatch.setattr(index_pages, "_SMALL", 10)
    index = served(server, tmp_path)
    for label in ("v3", "gpu"):
        name = f"demo-1.0-py3-none-any-{label}.whl"
        server.change(index.file(name), to_ranges=501, ranges=False)
    found = check(index.url, settings)
    assert kinds(found) == ["wheel-not-opened"]
    assert found.findings[1].files == (
        "demo-1.0-py3-none-any-gpu.whl",
        "demo-1.0-py3-none-any-v3.whl",
    )
    assert not found.is_wrong


def test_small_wheel_without_ranges_is_fetched(
    tmp_path: Path, settings: Settings, server: Server
) -> None:
    """Then it is opened as usual."""
    index = served(server, tmp_path)
    server.change(
        index.file("demo-1.0-py3-none-any-gpu.whl"), to_ranges=501, ranges=False
    )
    assert check(index.url, settings).opened == 2


def test_root_page_in_html_lists_the_projects(
    tmp_path: Path, settings: Settings, server: Server
) -> None:
    """Links to pages count, whatever their text."""
    index = served(server, tmp_path)
    body = b'<a href="demo/">Demo</a> <a>nothing</a> <a href="http://[">bad</a>'
    server.routes["/simple/"] = Answer(body=body, content_type=HTML)
    assert check(index.url, settings).projects == 1


def test_page_with_links_to_all_files_is_an_index(
    tmp_path: Path, settings: Settings, server: Server
) -> None:
    """Without an index-level file its variants are not found by installers."""
    for path in wheels(tmp_path):
        server.routes[f"/all/{path.name}"] = Answer(body=path.read_bytes())
    links = "".join(
        f'<a href="{escape(path.name)}">x</a>' for path in tmp_path.glob("*.whl")
    )
    server.routes["/all/"] = Answer(body=links.encode(), content_type=HTML)
    found = check(f"{server.url}/all", settings)
    assert kinds(found) == ["index-file-missing"]
    assert found.opened == 2


def test_names_limit_what_is_read(
    tmp_path: Path, settings: Settings, server: Server
) -> None:
    """The root page is not asked for, and may be missing."""
    index = served(server, tmp_path)
    del server.routes["/simple/"]
    assert check(index.url, settings, "Demo").projects == 1
    with pytest.raises(ProjectNotFound):
        check(index.url, settings, "other")
    with pytest.raises(UsageError, match="does not list its projects"):
        check(index.url, settings)


def test_an_index_of_very_many_projects_needs_names(
    settings: Settings, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody lints a public index as a whole."""
    monkeypatch.setattr(index_pages, "MOST_PROJECTS", 2)
    projects = [{"name": f"p{number}"} for number in range(3)]
    body = json.dumps({"projects": projects}).encode()
    server.routes["/simple/"] = Answer(body=body, content_type=JSON)
    with pytest.raises(UsageError, match="the index has 3 projects"):
        check(f"{server.url}/simple", settings)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", JSON),
        (b'{"projects": 5}', JSON),
        (b"[" * 100_000, JSON),
        (b"hello", "text/plain"),
    ],
)
def test_root_page_that_is_none_is_an_error(
    body: bytes, content_type: str, settings: Settings, server: Server
) -> None:
    """The message has the URL."""
    server.routes["/simple/"] = Answer(body=body, content_type=content_type)
    with pytest.raises(IndexRequestError, match=r"127\.0\.0\.1"):
        check(f"{server.url}/simple", settings)


def test_offline_asks_nothing(settings: Settings, server: Server) -> None:
    """An index on a server cannot be checked then, a directory can."""
    with pytest.raises(Offline):
        check(f"{server.url}/simple", replace(settings, offline=True), "demo")
    assert server.log == []


def test_place_must_be_there(tmp_path: Path, settings: Settings) -> None:
    """A directory is named by its path."""
    with pytest.raises(UsageError, match="is not a directory"):
        check(str(tmp_path / "nowhere"), settings)
    with pytest.raises(UsageError, match="is a file URL"):
        check(tmp_path.as_uri(), settings)


def test_credentials_reach_the_index_and_not_the_output(
    tmp_path: Path, settings: Settings, server: Server
) -> None:
    """Those of the URL are sent, and are not shown."""
    index = served(server, tmp_path)
    for path in list(server.routes):
        server.change(path, credentials="me:secret")
    url = index.url.replace("http://", "http://me:secret@")
    found = check(url, settings)
    assert kinds(found) == []
    assert "secret" not in json.dumps(found.to_json())


def test_a_page_cannot_name_files_of_this_machine(
    tmp_path: Path, settings: Settings, server: Server
) -> None:
    """A server must not decide what is read from the disk of its client."""
    (path,) = [each for each in wheels(tmp_path) if "-v3" in each.name]
    index = Index(server)
    index.add(
        "demo", rows=[{"filename": path.name, "url": path.as_uri(), "hashes": {}}]
    )
    assert check(index.url, settings, "demo").wheels == 0
