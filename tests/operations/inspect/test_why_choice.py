"""Newer versions, an index that changed, and what cannot be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fakes.gpu_index import LINUX, TEXT, changed_variants, gpu_project
from fakes.wheels import build_wheel
from fakes.workspace import Project
from polylock.explain.reasons import HeldBack, NoFile
from polylock.explain.words import clause
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.operations.inspect.why import Evidence, Why, why
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


ALIGNED = """
[project]
name = "app"
version = "1"
dependencies = ["kernel"]
[tool.polylock]
python = "3.12"
[tool.polylock.targets.box]
platform = "linux-x86_64"
[tool.polylock.targets.mac]
platform = "macos-arm64"
"""


@pytest.fixture
def gpu(tmp_path: Path) -> Iterator[Project]:
    """Return the project of ``fakes.gpu_index``, locked."""
    with gpu_project(tmp_path) as project:
        yield project


def asked(project: Project, name: str = "gpu", **settings: object) -> Why:
    """Ask why for the target with the GPU."""
    return why(project.with_settings(target="box", **settings), name, SilentReporter())


def evidence(project: Project, name: str = "gpu", **settings: object) -> Evidence:
    """Return what was found for the target with the GPU."""
    return asked(project, name, **settings).reasons["box"].evidence


def test_newer_versions_have_their_reasons(gpu: Project) -> None:
    """A constraint, a pre-release, no wheel, and requirements that contradict."""
    found = {each.versions: clause(each.reason) for each in evidence(gpu).newer}
    assert found.pop("6.0") == "constraint-dependencies has gpu<6"
    assert found.pop("5.0rc1") == "pre-releases are not admitted"
    assert "no wheel fits box" in found.pop("4.0")
    assert found.pop("3.0") == (
        "requires runtime>=13, and the project requires runtime<13"
    )
    assert not found


def test_requirement_of_the_project_keeps_a_version_out(gpu: Project) -> None:
    """Who asks for what is told, with the place."""
    (newer,) = evidence(gpu, "runtime").newer
    assert (newer.versions, clause(newer.reason)) == (
        "13.0",
        "the project requires runtime<13",
    )


def test_version_that_came_later_is_told_to_be_there(gpu: Project) -> None:
    """What nothing speaks against may be newer than the lock file."""
    gpu.write(TEXT.replace(', "runtime <13"', ""))
    (newer,) = evidence(gpu, "runtime").newer
    assert clause(newer.reason) == "the project requires runtime<13"  # as it was locked
    (note,) = asked(gpu, "runtime").notes
    assert "polylock check" in note


def test_offline_tells_what_it_cannot_tell(gpu: Project) -> None:
    """With the cache of the lock labels are told; without it, a note says so."""
    assert evidence(gpu, offline=True).labels == evidence(gpu).labels
    empty = gpu.directory.parent / "empty"
    found = evidence(gpu, offline=True, cache_dir=empty)
    assert not found.labels
    assert "are unknown" in found.notes[0]


def test_index_that_says_otherwise_now(gpu: Project) -> None:
    """A label whose properties changed since is named."""
    index = gpu.directory.parent / "index"
    (document,) = index.rglob("gpu-2.0-variants.json")
    document.write_bytes(changed_variants())
    _forget_hashes(index)
    found = evidence(gpu, refresh=True, cache_dir=gpu.directory.parent / "fresh")
    assert any("the properties of cu12 differ" in note for note in found.notes), found
    assert ("cu12", None) in {(each.label, each.reason) for each in found.labels}


def test_file_and_version_that_are_gone(gpu: Project) -> None:
    """A locked file or version that the index has no more is told."""
    index = gpu.directory.parent / "index"
    fresh = gpu.directory.parent / "fresh"
    _remove(index, "cu12")
    found = evidence(gpu, refresh=True, cache_dir=fresh)
    assert any(n.endswith("cu12.whl") and "no longer has" in n for n in found.notes), (
        found
    )
    _remove(index, "gpu-2.0")
    found = evidence(gpu, refresh=True, cache_dir=fresh)
    assert "it no longer has version 2.0" in found.notes[0]


def test_without_a_project_file_no_index_is_asked(gpu: Project) -> None:
    """A lock file alone names no index: the chains are told, and a note."""
    alone = gpu.directory.parent / "alone" / "pylock.toml"
    alone.parent.mkdir()
    alone.write_bytes(gpu.lock_path.read_bytes())
    found = why(
        gpu.with_settings(project=None, lock_file=alone, index_url=None),
        "gpu",
        SilentReporter(),
    )
    assert found.reasons["box"].places == ("project",)
    assert "no index was asked" in found.notes[0]


def _rewrite(index: Path, keep: str | None) -> None:
    """Change the JSON page of gpu; drop files with ``keep`` in their names."""
    page = index / "gpu" / "index.json"
    pages = [page] if page.exists() else list(index.rglob("gpu/*json*"))
    for path in pages:
        if path.name.endswith("variants.json"):
            continue
        document = json.loads(path.read_text("utf-8"))
        for entry in document["files"]:
            if entry["filename"].endswith("variants.json"):
                entry["hashes"] = {}
                entry.pop("size", None)
        if keep is not None:
            document["files"] = [
                entry for entry in document["files"] if keep not in entry["filename"]
            ]
        path.write_text(json.dumps(document), "utf-8")


def _forget_hashes(index: Path) -> None:
    _rewrite(index, None)


def _remove(index: Path, part: str) -> None:
    _rewrite(index, part)


@pytest.fixture
def aligned(tmp_path: Path) -> Iterator[Project]:
    """Return a project locked where only Linux could have the newest version."""
    wheels, index = tmp_path / "wheels", tmp_path / "index"
    build_wheel(wheels, "kernel", "1.0")
    build_wheel(wheels, "kernel", "2.0", tag=LINUX)
    build_index(wheels, index)
    with IndexServer(index) as server:
        project = Project(directory=tmp_path / "project", index_url=server.url)
        project.write(ALIGNED)
        project.lock()
        yield project


def test_version_kept_back_for_another_target_names_it(aligned: Project) -> None:
    """Alignment is told as the reason, with what the other target lacks."""
    (newer,) = evidence(aligned, "kernel").newer
    assert newer.versions == "2.0"
    no_file = NoFile("mac", ("manylinux_2_17_x86_64",), is_near=False)
    assert newer.reason == HeldBack("mac", no_file)
