"""Several indexes as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.wheels import build_wheel
from polylock.cache.store import Store
from polylock.index.combined import CombinedIndex
from polylock.index.directory import DirectoryIndex
from polylock.model.inputs import IndexLocation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TORCH = canonicalize_name("torch")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return the directory of the indexes."""
    return tmp_path


def index(place: Path, name: str, versions: Sequence[str]) -> DirectoryIndex:
    """Return an index with versions of torch."""
    directory = place / name
    directory.mkdir()
    for version in versions:
        build_wheel(directory, "torch", version)
    location = IndexLocation(name=name, url=directory.as_uri(), format="flat")
    return DirectoryIndex(location, Store(place / "cache"))


def test_versions_are_in_order_and_each_is_of_its_own_index(place: Path) -> None:
    """Local versions sort as PEP 440 says; masks follow the new positions."""
    newer = index(place, "torch-cu130", ["2.9.0+cu130", "2.10.0rc1+cu130"])
    older = index(place, "torch-cu128", ["2.8.0+cu128", "2.9.0+cu128"])
    combined = CombinedIndex([(newer, ("",)), (older, ("",))])
    found = combined.releases(TORCH)
    assert found is not None
    wanted = ["2.8.0+cu128", "2.9.0+cu128", "2.9.0+cu130", "2.10.0rc1+cu130"]
    assert list(found.versions) == wanted
    assert found.finals == 0b0111
    assert found.yanked == 0
    releases = [found.release(position) for position in range(4)]
    assert [each.version for each in releases] == wanted
    assert [each.index for each in releases] == [
        "torch-cu128",
        "torch-cu128",
        "torch-cu130",
        "torch-cu130",
    ]
    assert [each.index_url for each in releases[1:3]] == [older.url, newer.url]
    assert found.index == combined.name == "torch-cu130, torch-cu128"
    assert found.fingerprint
    again = combined.cached_releases(TORCH)
    assert getattr(again, "fingerprint", None) == found.fingerprint


def test_the_first_index_serves_a_version_that_several_have(place: Path) -> None:
    """``3.5`` and ``3.5.0`` are one version."""
    first = index(place, "first", ["3.5"])
    second = index(place, "second", ["3.5.0", "3.4.0"])
    found = CombinedIndex([(first, ("",)), (second, ("",))]).releases(TORCH)
    assert found is not None
    assert [found.release(at).index for at in range(2)] == ["second", "first"]


def test_specifiers_limit_what_a_part_may_serve(place: Path) -> None:
    """They are about public versions; any of them suffices."""
    versions = ["2.7.0+cu128", "2.8.0+cu128", "2.11.0rc1+cu128", "2.11.0+cu128"]
    part = index(place, "torch-cu128", versions)
    combined = CombinedIndex([(part, ("<2.8", ">=2.11"))])
    found = combined.releases(TORCH)
    assert found is not None
    assert list(found.versions) == ["2.7.0+cu128", "2.11.0+cu128"]
    assert combined.name == "torch-cu128 (<2.8 or >=2.11)"


def test_a_project_that_no_part_has_is_absent(place: Path) -> None:
    """Parts that lack it do not count."""
    empty = index(place, "empty", [])
    other = index(place, "other", ["1.0"])
    assert CombinedIndex([(empty, ("",))]).releases(TORCH) is None
    found = CombinedIndex([(empty, ("",)), (other, ("",))]).releases(TORCH)
    assert found is not None
    assert list(found.versions) == ["1.0"]
