"""Several indexes as one source: which index serves a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.server import Answer, Server
from fakes.two_indexes import CPU, World, make_target, newest, solve
from polylock.errors import (
    IndexRequestError,
    Offline,
    ProjectNotFound,
    ProjectPageRefused,
)
from polylock.index.source import PackageIndexes
from polylock.model.core_metadata import CoreMetadata
from polylock.model.distributions import Unusable
from polylock.model.inputs import IndexLocation, IndexSource, Inputs
from polylock.model.requirements import Requirement
from polylock.network.http_cache import CacheMode
from polylock.variants.properties import SupportedProperties

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from polylock.cache.store import Store
    from polylock.network.client import Client

DEMO = canonicalize_name("demo")


@pytest.fixture
def world(
    server: Server, store: Store, client: Client, tmp_path: Path
) -> Iterator[World]:
    """Make two empty indexes."""
    made = World(server, store, client, tmp_path / "wheels")
    yield made
    made.close()


def test_the_first_index_that_has_the_project_serves_it(world: World) -> None:
    """A higher version on a later index does not count (dependency confusion)."""
    world.add(world.first, "demo", "1.0")
    world.add(world.second, "demo", "99.0")
    found = world.source().releases(DEMO, CPU)
    assert (found.index, found.versions) == ("first", ["1.0"])
    assert world.asked == ["/first/demo/"]


def test_a_later_index_serves_what_the_first_lacks(world: World) -> None:
    """In the user's order."""
    world.add(world.second, "demo")
    found = world.source().releases(DEMO, CPU)
    assert found.index == "second"
    assert found.release(0).index == "second"


def test_an_index_that_fails_is_not_passed_over(world: World) -> None:
    """While the private index is down, the public one must not step in."""
    world.server.routes["/first/demo/"] = Answer(status=500)
    world.add(world.second, "demo", "99.0")
    with pytest.raises(IndexRequestError, match="500"):
        world.source().releases(DEMO, CPU)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_page_is_an_error_that_names_the_way(
    world: World, status: int
) -> None:
    """The next index is not asked: the project may be there for who may see it."""
    world.server.routes["/first/demo/"] = Answer(status=status)
    world.add(world.second, "demo", "99.0")
    with pytest.raises(ProjectPageRefused, match=str(status)) as caught:
        world.source().releases(DEMO, CPU)
    hint = caught.value.hint()
    assert hint is not None
    for part in ("index first", f"absent = [{status}]", "explicit = true"):
        assert part in hint


def test_an_index_may_answer_403_for_what_it_lacks(world: World) -> None:
    """Where the project file says so, the next index serves it, offline too."""
    world.server.routes["/first/demo/"] = Answer(status=403)
    world.add(world.second, "demo", "2.0")
    assert world.source(absent=(403,)).releases(DEMO, CPU).index == "second"
    offline = world.source(absent=(403,), mode=CacheMode.OFFLINE)
    assert offline.releases(DEMO, CPU).index == "second"


def test_what_absent_made_known_is_no_answer_without_it(world: World) -> None:
    """Once the key is gone, the refusal is an error again."""
    world.server.routes["/first/demo/"] = Answer(status=403)
    world.add(world.second, "demo", "2.0")
    world.source(absent=(403,)).releases(DEMO, CPU)
    with pytest.raises(ProjectPageRefused):
        world.source().releases(DEMO, CPU)


def test_an_empty_page_is_a_project(world: World) -> None:
    """An index that knows the name serves it, even with no files."""
    world.first.add("demo")
    world.add(world.second, "demo")
    assert world.source().releases(DEMO, CPU).versions == []


def test_a_project_on_no_index_is_not_found(world: World) -> None:
    """The error names the indexes that were searched."""
    with pytest.raises(ProjectNotFound, match="demo was not found") as caught:
        world.source().releases(DEMO, CPU)
    assert caught.value.indexes == [world.first.url, world.second.url]


def test_an_explicit_index_serves_only_who_names_it(world: World) -> None:
    """Under ``sources``, and then alone."""
    world.add(world.second, "demo")
    with pytest.raises(ProjectNotFound) as caught:
        world.source(explicit=True).releases(DEMO, CPU)
    assert caught.value.indexes == [world.first.url]
    sources = {"demo": (IndexSource(index="second"),)}
    found = world.source(explicit=True, sources=sources).releases(DEMO, CPU)
    assert found.index == "second"


def test_a_named_index_is_the_only_one(world: World) -> None:
    """An index named under ``sources`` that lacks the project ends the search."""
    world.add(world.first, "demo")
    sources = {"demo": (IndexSource(index="second"),)}
    with pytest.raises(ProjectNotFound) as caught:
        world.source(sources=sources).releases(DEMO, CPU)
    assert caught.value.indexes == [world.second.url]


def test_the_first_entry_that_fits_the_target_counts(world: World) -> None:
    """By the target's name or by the properties it supports, stated or derived."""
    world.add(world.first, "demo", "1.0")
    world.add(world.second, "demo", "2.0")
    wanted = "nvidia :: cuda :: 13.0"
    nvidia = SupportedProperties({"nvidia": {"cuda": ("13.0", "12.9")}})
    sources = {
        "demo": (
            IndexSource(index="second", properties=(wanted,)),
            IndexSource(index="second", targets=("special",)),
            IndexSource(index="second", properties=("nonsense",)),
            IndexSource(index="first"),
        )
    }
    source = world.source(sources=sources)
    answers = {
        target.name: source.releases(DEMO, target).index
        for target in (
            CPU,
            make_target("special"),
            make_target("derived", derived=nvidia),
            make_target("stated", stated=nvidia),
        )
    }
    assert answers == {
        "cpu": "first",
        "special": "second",
        "derived": "second",
        "stated": "second",
    }


def test_without_an_entry_that_fits_the_usual_order_holds(world: World) -> None:
    """A target that no entry is for looks where any project is looked for."""
    world.add(world.first, "demo")
    sources = {"demo": (IndexSource(index="second", targets=("other",)),)}
    assert world.source(sources=sources).releases(DEMO, CPU).index == "first"


def test_an_answer_is_the_same_object_each_time(world: World) -> None:
    """Targets share pages and metadata, and each costs one request."""
    world.add(world.first, "demo", requires=["dep"])
    source = world.source()
    found = source.releases(DEMO, CPU)
    assert source.releases(DEMO, make_target("other")) is found
    release = found.release(0)
    metadata = source.core_metadata(release, release.wheels[0])
    assert source.core_metadata(release, release.wheels[0]) is metadata
    assert isinstance(metadata, CoreMetadata)
    assert len(world.asked) == 2


def test_offline_answers_from_the_cache_or_not_at_all(world: World) -> None:
    """A cache miss is an error that names the page; no request is made."""
    world.add(world.first, "demo")
    offline = world.source(mode=CacheMode.OFFLINE)
    offline.prefetch([Requirement("demo")], CPU, newest)
    with pytest.raises(Offline, match="/first/demo/"):
        offline.releases(DEMO, CPU)
    assert world.asked == []
    solve(world.source(), names=["demo"])
    assert solve(world.source(mode=CacheMode.OFFLINE), names=["demo"])


def test_a_refused_connection_is_an_error(store: Store, client: Client) -> None:
    """No server at all."""
    source = PackageIndexes(
        store,
        client,
        inputs=Inputs(
            indexes=(IndexLocation(name="gone", url="http://127.0.0.1:9/simple"),)
        ),
    )
    with source, pytest.raises(IndexRequestError, match="cannot reach"):
        source.releases(DEMO, CPU)


def test_unusable_metadata_is_an_answer(world: World) -> None:
    """A broken wheel is a value with a reason, and the crawl passes it."""
    world.add(world.first, "a", metadata=b"nothing")
    source = world.source()
    source.prefetch([Requirement("a")], CPU, newest)
    release = source.releases(canonicalize_name("a"), CPU).release(0)
    assert isinstance(source.core_metadata(release, release.wheels[0]), Unusable)
