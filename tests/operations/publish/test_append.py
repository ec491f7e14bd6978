"""``index build --append`` on indexes of every form."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from fakes.server import Answer, Server
from fakes.wheels import build_wheel, variants_json
from polylock.errors import FilesInvalid, UsageError
from polylock.index_server.lint_words import Level, level
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.operations.publish.append import Appended, append
from polylock.operations.publish.lint import lint
from polylock.ports import SilentReporter
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

V3 = {"x86_64": {"level": ["v3"]}}
V4 = {"x86_64": {"level": ["v4"]}}
GPU = {"nvidia": {"cuda_version_lower_bound": ["13.0"]}}
ORDER = ["nvidia", "x86_64"]
LEVEL = "demo-1.0-variants.json"


@pytest.fixture(name="settings")
def _settings(tmp_path: Path) -> Settings:
    return Settings(cache_dir=tmp_path / "cache")


def labelled(
    directory: Path,
    label: str,
    variant: Mapping[str, Mapping[str, Sequence[str]]],
    version: str = "1.0",
) -> Path:
    """Build a variant wheel of demo."""
    return build_wheel(
        directory, "demo", version, label=label, variant=variant, namespaces=ORDER
    )


def added(
    wheels: Path, place: Path | str, settings: Settings, output: Path | None = None
) -> Appended:
    """Append a folder to an index."""
    return append(wheels, str(place), settings, SilentReporter(), output=output)


def snapshot(directory: Path) -> dict[str, bytes]:
    """Return the content of every file below a directory."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def faults(place: Path | str, settings: Settings) -> list[str]:
    """Return what lint finds, without notes."""
    found = lint(str(place), (), settings, SilentReporter())
    return [e.kind.value for e in found.findings if level(e) is not Level.NOTE]


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> Path:
    """Build an index with the label v3 of demo."""
    labelled(tmp_path / "old", "v3", V3)
    build_wheel(tmp_path / "old", "demo", "1.0")
    build_index(tmp_path / "old", tmp_path / "site")
    return tmp_path / "site"


def rows(site: Path, form: str = "json") -> Sequence[Any]:
    """Return the entries of the page of demo, sorted."""
    page = (site / "simple" / "demo" / f"index.{form}").read_text("utf-8")
    if form == "json":
        return sorted(json.loads(page)["files"], key=lambda each: each["filename"])
    return sorted(line for line in page.splitlines() if line.startswith("<a"))


def test_extended_index_is_that_of_all_wheels(
    tmp_path: Path, site: Path, settings: Settings
) -> None:
    """Apart from the order of its pages, which keep theirs."""
    new = tmp_path / "new"
    labelled(new, "gpu", GPU)
    build_wheel(new, "other", "2.0")
    found = added(new, site, settings)
    assert (found.wheels, found.present) == (2, 0)
    assert found.labels == ("demo 1.0 gpu",)
    every = tmp_path / "every"
    shutil.copytree(tmp_path / "old", every)
    shutil.copytree(new, every, dirs_exist_ok=True)
    build_index(every, tmp_path / "whole")
    whole, extended = snapshot(tmp_path / "whole"), snapshot(site)
    pages = {"simple/demo/index.html", "simple/demo/index.json"}
    assert set(whole) == set(extended)
    differ = {name for name in whole if whole[name] != extended[name]}
    assert differ <= pages
    for form in ("json", "html"):
        assert rows(site, form) == rows(tmp_path / "whole", form)
    assert faults(site, settings) == []


def test_second_run_writes_nothing(
    tmp_path: Path, site: Path, settings: Settings
) -> None:
    """The same wheels are there already."""
    labelled(tmp_path / "new", "gpu", GPU)
    added(tmp_path / "new", site, settings)
    before = snapshot(site)
    again = added(tmp_path / "new", site, settings)
    assert snapshot(site) == before
    assert (again.wheels, again.present, again.written) == (0, 1, ())


def test_index_at_a_url_gives_the_files_to_upload(
    tmp_path: Path, site: Path, settings: Settings
) -> None:
    """In their places; laid over the index they extend it, in both forms."""
    labelled(tmp_path / "new", "gpu", GPU)
    before = snapshot(site)
    with IndexServer(site) as server:
        found = added(tmp_path / "new", server.url, settings, tmp_path / "upload")
    assert snapshot(site) == before
    wheel = "files/demo/demo-1.0-py3-none-any-gpu.whl"
    assert found.written == (
        wheel,
        f"{wheel}.metadata",
        f"files/demo/{LEVEL}",
        "simple/demo/index.html",
        "simple/demo/index.json",
    )
    assert set(snapshot(tmp_path / "upload")) == set(found.written)
    shutil.copytree(tmp_path / "upload", site, dirs_exist_ok=True)
    with IndexServer(site) as server:
        assert faults(server.url, settings) == []


def test_index_at_a_url_needs_an_output(tmp_path: Path, settings: Settings) -> None:
    """Nothing can be written there."""
    labelled(tmp_path, "v3", V3)
    with pytest.raises(UsageError, match="cannot be written"):
        added(tmp_path, "https://example.com/simple", settings)


def static_host(server: Server, folder: Path) -> None:
    """Serve a folder as a static host does, a page as its index.html."""
    for path, content in snapshot(folder).items():
        kind = "text/html" if path.endswith(".html") else "application/octet-stream"
        answer = Answer(body=content, content_type=kind)
        server.routes[f"/w/{path}"] = answer
        if path.endswith("index.html"):
            server.routes[f"/w/{path.removesuffix('index.html')}"] = answer


def foreign(tmp_path: Path, document: Any) -> Path:  # noqa: ANN401 - JSON
    """Write an index of another tool: pages in HTML, the files beside them."""
    folder = tmp_path / "foreign" / "demo"
    wheel = labelled(folder, "v3", V3)
    level_file = folder / LEVEL
    level_file.write_text(json.dumps(document, indent=4), "utf-8")
    (folder / "index.html").write_text(
        f"<html>\n<body>\n<a href='{LEVEL}'>{LEVEL}</a>\n"
        f"<a href='{wheel.name}'>{wheel.name}</a>\n</body></html>\n",
        "utf-8",
    )
    (folder.parent / "index.html").write_text('<a href="demo/">demo</a>\n', "utf-8")
    return folder.parent


def test_page_of_another_tool_keeps_what_it_has(
    tmp_path: Path, settings: Settings
) -> None:
    """Its labels without wheels and its unknown keys too; at a URL the same."""
    document = variants_json({"v3": V3, "v4": V4}, namespaces=ORDER) | {"mine": [1]}
    folder = foreign(tmp_path, document)
    labelled(tmp_path / "new", "gpu", GPU)
    with Server() as server:
        static_host(server, folder)
        there = added(
            tmp_path / "new", f"{server.url}/w/", settings, tmp_path / "upload"
        )
    page = (folder / "demo" / "index.html").read_text("utf-8")
    here = added(tmp_path / "new", folder, settings)
    assert here.written == there.written
    for path in there.written:
        content = (tmp_path / "upload" / path).read_bytes()
        assert content == (folder / path).read_bytes()
    kept = json.loads((folder / "demo" / LEVEL).read_text("utf-8"))
    assert list(kept["variants"]) == ["gpu", "v3", "v4"]
    assert kept["mine"] == [1]
    extended = (folder / "demo" / "index.html").read_text("utf-8").splitlines()
    changed = [line for line in page.splitlines() if line not in extended]
    assert changed == [f"<a href='{LEVEL}'>{LEVEL}</a>"]
    assert faults(folder, settings) == ["key-unknown", "label-unused"]


def test_index_level_file_without_news_keeps_its_bytes(
    tmp_path: Path, settings: Settings
) -> None:
    """Also one that is unsorted and indented as nothing here would write it."""
    unsorted = {
        "x86_64": {"level": ["v3"]},
        "nvidia": {"sm_arch": ["90_real", "100_real"]},
    }
    document = variants_json({"v3": V3, "z": unsorted}, namespaces=ORDER)
    folder = foreign(tmp_path, document)
    before = (folder / "demo" / LEVEL).read_bytes()
    labelled(tmp_path / "new", "v3", V3)
    other = build_wheel(
        tmp_path / "new",
        "demo",
        "1.0",
        tag="py3-none-win_amd64",
        label="v3",
        variant=V3,
        namespaces=ORDER,
    )
    (tmp_path / "new" / "demo-1.0-py3-none-any-v3.whl").unlink()
    found = added(tmp_path / "new", folder, settings)
    names = ("index.html", other.name, f"{other.name}.metadata")
    assert found.written == tuple(sorted(f"demo/{name}" for name in names))
    assert (folder / "demo" / LEVEL).read_bytes() == before


def refused(wheels: Path, place: Path, settings: Settings) -> str:
    """Return why nothing is added, sure that nothing is written."""
    before = snapshot(place)
    with pytest.raises(FilesInvalid) as caught:
        added(wheels, place, settings)
    assert snapshot(place) == before
    return "\n".join(caught.value.details())


def test_label_that_means_other_properties_is_refused(
    tmp_path: Path, site: Path, settings: Settings
) -> None:
    """PEP 825, "Variants": "the same keys MUST always correspond" to the same."""
    build_wheel(
        tmp_path / "new",
        "demo",
        "1.0",
        tag="py3-none-win_amd64",
        label="v3",
        variant=V4,
        namespaces=ORDER,
    )
    why = refused(tmp_path / "new", site, settings)
    assert "demo-1.0-py3-none-win_amd64-v3.whl: disagrees with the index" in why
    assert "variants.v3: differs between wheels" in why


def test_other_order_of_namespaces_is_refused(
    tmp_path: Path, site: Path, settings: Settings
) -> None:
    """PEP 825, "Default priorities": the longer list starts with the shorter."""
    build_wheel(
        tmp_path / "new",
        "demo",
        "1.0",
        label="gpu",
        variant=GPU,
        namespaces=ORDER[::-1],
    )
    assert "default-priorities.namespace" in refused(tmp_path / "new", site, settings)


def test_other_file_of_a_name_is_refused(
    tmp_path: Path, site: Path, settings: Settings
) -> None:
    """A file on an index never changes; what no page lists is not replaced either."""
    build_wheel(tmp_path / "new", "demo", "1.0", files={"demo/new.py": "x"})
    assert "another file of this name" in refused(tmp_path / "new", site, settings)
    shutil.rmtree(tmp_path / "new")
    path = labelled(tmp_path / "new", "gpu", GPU)
    (site / "files" / "demo" / path.name).write_bytes(b"other")
    assert "which no page lists" in refused(tmp_path / "new", site, settings)


def test_missing_index_level_file_is_made_from_the_wheels(
    tmp_path: Path, site: Path, settings: Settings
) -> None:
    """Those of the index too, so that no label is lost (PEP 825)."""
    wanted = (site / "files" / "demo" / LEVEL).read_bytes()
    for form in ("html", "json"):
        path = site / "simple" / "demo" / f"index.{form}"
        text = path.read_text("utf-8")
        if form == "json":
            page = json.loads(text)
            page["files"] = [e for e in page["files"] if e["filename"] != LEVEL]
            path.write_text(json.dumps(page), "utf-8")
        else:
            lines = [line for line in text.splitlines() if LEVEL not in line]
            path.write_text("\n".join(lines), "utf-8")
    (site / "files" / "demo" / LEVEL).unlink()
    assert faults(site, settings) == ["index-file-missing"]
    found = added(tmp_path / "old", site, settings)
    assert (found.wheels, found.present) == (0, 2)
    assert (site / "files" / "demo" / LEVEL).read_bytes() == wanted
    assert faults(site, settings) == []


def test_wheel_of_the_index_that_cannot_be_read_is_named(
    tmp_path: Path, settings: Settings
) -> None:
    """Its label would be lost."""
    folder = foreign(tmp_path, {})
    page = folder / "demo" / "index.html"
    page.write_text(
        '<a href="demo-1.0-py3-none-any-v3.whl">x</a>'
        '<a href="demo-1.0-py3-none-any-v4.whl">x</a>',
        "utf-8",
    )
    labelled(tmp_path / "new", "gpu", GPU)
    why = refused(tmp_path / "new", folder, settings)
    assert "demo-1.0-py3-none-any-v4.whl: " in why
    assert "there is no such file" in why


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "is not JSON"), (b"{}", "$schema"), (None, "there is no such file")],
)
def test_index_level_file_that_cannot_be_read_is_not_replaced(
    content: bytes | None, message: str, tmp_path: Path, settings: Settings
) -> None:
    """Labels would be lost."""
    folder = foreign(tmp_path, {})
    path = folder / "demo" / LEVEL
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    labelled(tmp_path / "new", "gpu", GPU)
    assert f"{LEVEL}: " in (why := refused(tmp_path / "new", folder, settings))
    assert message in why


@pytest.mark.parametrize("place", ["https://example.org/", "/", "../../", "%2e%2e/x/"])
def test_index_level_file_outside_of_the_index_is_not_written(
    place: str, tmp_path: Path, settings: Settings
) -> None:
    """A page cannot choose a path on the disk of its client."""
    document = json.dumps(variants_json({"v3": V3}, namespaces=ORDER)).encode()
    labelled(tmp_path / "new", "gpu", GPU)
    with Server() as server:
        link = f'<a href="{place}{LEVEL}">x</a>'
        for path in (f"/{LEVEL}", f"/a/{LEVEL}", f"/a/x/{LEVEL}", f"/{place}{LEVEL}"):
            server.routes[path] = Answer(body=document)
        server.routes["/a/b/demo/"] = Answer(
            body=link.encode(), content_type="text/html"
        )
        with pytest.raises(FilesInvalid):
            added(tmp_path / "new", f"{server.url}/a/b", settings, tmp_path / "upload")
    assert not (tmp_path / "upload").exists()


def test_folder_of_files_gets_its_index_level_file(
    tmp_path: Path, settings: Settings
) -> None:
    """Beside the wheels; it has no pages."""
    labelled(tmp_path / "flat", "v3", V3)
    labelled(tmp_path / "new", "gpu", GPU)
    found = added(tmp_path / "new", tmp_path / "flat", settings)
    assert found.written == ("demo-1.0-py3-none-any-gpu.whl", LEVEL)
    kept = json.loads((tmp_path / "flat" / LEVEL).read_text("utf-8"))
    assert list(kept["variants"]) == ["gpu", "v3"]
    assert faults(tmp_path / "flat", settings) == []
