"""Fetching ahead of a solver."""

from __future__ import annotations

import hashlib
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from fakes.server import Answer, Server
from fakes.two_indexes import CPU, World, make_target, newest, solve
from fakes.wheels import build_wheel, variants_json
from polylock.cache.store import Store
from polylock.errors import IndexRequestError, ProjectNotFound
from polylock.model.requirements import Requirement
from polylock.network.http_cache import CacheMode
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from polylock.index.source import PackageIndexes
    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.target import (
        Target,
    )
    from polylock.network.client import Client

DEMO = canonicalize_name("demo")
X86 = {"x86_64": {"level": ["v3"]}}


@pytest.fixture
def world(
    server: Server, store: Store, client: Client, tmp_path: Path
) -> Iterator[World]:
    """Make two empty indexes."""
    made = World(server, store, client, tmp_path / "wheels")
    yield made
    made.close()


def _chain(world: World) -> list[str]:
    """Serve a -> b -> c and side branches; return what a crawl from a asks for."""
    world.add(
        world.first,
        "a",
        requires=[
            "b",
            "never; sys_platform == 'win32'",
            "rare; extra == 'rare'",
            "wanted; extra == 'wanted'",
            "maybe; platform_release >= '5'",
            "direct @ https://example.com/direct-1.0-py3-none-any.whl",
        ],
    )
    world.add(world.first, "b", requires=["c", "a"])
    for name in ("c", "never", "rare", "wanted", "maybe", "direct"):
        world.add(world.first, name)
    reached = ["a", "b", "c", "maybe", "wanted"]
    pages = [f"/first/{name}/" for name in reached]
    files = [world.first.file(f"{name}-1.0-py3-none-any.whl") for name in reached]
    return sorted(pages + files)


def test_prefetch_crawls_what_the_target_needs(world: World) -> None:
    """Folded markers and requested extras decide; each request is made once."""
    expected = _chain(world)
    source = world.source()
    source.prefetch([Requirement.parse("a[wanted]")], CPU, newest)
    assert solve(source) == ["a 1.0", "b 1.0", "c 1.0"]
    # The crawl may still be on its way to what the solver did not ask for.
    for name in ("maybe", "wanted"):
        _solve_one(source, name)
    assert world.asked == expected


def _solve_one(source: PackageIndexes, name: str) -> None:
    release = source.releases(canonicalize_name(name), CPU).release(0)
    source.core_metadata(release, release.wheels[0])


def test_prefetch_overlaps_its_requests(world: World) -> None:
    """During the first request, other roots are fetched in threads."""
    roots = [f"p{number}" for number in range(6)]
    for name in roots:
        world.add(world.first, name)
    source = world.source()
    source.prefetch([Requirement(name) for name in roots], CPU, newest)
    world.server.change("/first/p0/", delay=0.3)
    source.releases(canonicalize_name("p0"), CPU)
    pages = {path for path in world.asked if path.startswith("/first/")}
    assert pages == {f"/first/{name}/" for name in roots}


def test_a_warm_run_crawls_nothing(world: World) -> None:
    """A cache hit starts no thread, no request and no guess."""
    _chain(world)
    first = world.source()
    first.prefetch([Requirement("a")], CPU, newest)
    solve(first)
    first.close()
    asked = len(world.asked)

    def refuse(
        releases: Releases, requirement: Requirement, target: Target
    ) -> tuple[Release, RemoteFile] | None:
        raise AssertionError(releases, requirement, target)

    for mode in (CacheMode.NORMAL, CacheMode.OFFLINE):
        warm = world.source(mode=mode)
        warm.prefetch([Requirement("a")], CPU, refuse)
        assert solve(warm) == ["a 1.0", "b 1.0", "c 1.0"]
    assert len(world.asked) == asked


def test_a_later_prefetch_joins_the_crawl(world: World) -> None:
    """The requirements of a further target are fetched ahead as well."""
    world.add(world.first, "a")
    world.add(world.first, "b")
    source = world.source()
    source.prefetch([Requirement("a")], CPU, newest)
    source.releases(canonicalize_name("a"), CPU)
    source.prefetch([Requirement("b")], make_target("other"), newest)
    source.releases(canonicalize_name("b"), CPU)
    assert world.asked.count("/first/b/") == 1


def test_errors_of_the_crawl_wait_until_they_are_asked_for(world: World) -> None:
    """A missing project or a broken index matters only to a solver that needs it."""
    world.add(world.first, "a", requires=["missing", "broken", "b"])
    world.add(world.first, "b")
    world.server.routes["/first/broken/"] = Answer(status=403)
    source = world.source()
    source.prefetch([Requirement("a")], CPU, newest)
    assert solve(source, names="ab") == ["a 1.0", "b 1.0"]
    with pytest.raises(ProjectNotFound):
        source.releases(canonicalize_name("missing"), CPU)
    for _ in range(2):
        with pytest.raises(IndexRequestError, match="403"):
            source.releases(canonicalize_name("broken"), CPU)


def test_a_guess_of_nothing_ends_its_branch(world: World) -> None:
    """Without a file there is nothing more to fetch."""
    _chain(world)
    source = world.source()
    source.prefetch([Requirement("a")], CPU, lambda *_: None)
    source.releases(canonicalize_name("a"), CPU)
    assert world.asked == ["/first/a/"]


def test_answers_do_not_depend_on_the_order_of_replies(
    world: World, tmp_path: Path
) -> None:
    """With random delays every run gives the same versions, files and metadata."""
    _chain(world)
    answers = set()
    for seed in range(4):
        shuffle = random.Random(seed)
        for path in sorted(world.server.routes):
            world.server.change(path, delay=shuffle.random() / 100)
        store = Store(tmp_path / f"cache-{seed}")
        fresh = World(world.server, store, world.client, tmp_path)
        source = fresh.source()
        source.prefetch([Requirement("a", extras=("wanted",))], CPU, newest)
        answers.add(tuple(solve(source)))
        fresh.close()
    assert len(answers) == 1


def _variants(world: World, directory: Path) -> None:
    wheels = [
        build_wheel(
            directory, "demo", "1.0", label="fast", variant=X86, requires=["fast-dep"]
        ),
        build_wheel(directory, "demo", "1.0"),
    ]
    content = json.dumps(variants_json({"fast": X86})).encode()
    path = "/files/demo-1.0-variants.json"
    world.server.routes[path] = Answer(body=content)
    row = {
        "filename": "demo-1.0-variants.json",
        "url": f"{world.server.url}{path}",
        "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
    }
    world.first.add("demo", wheels, rows=[row])
    world.add(world.first, "fast-dep")


def _guess_by_variants(source: PackageIndexes) -> Callable[..., Any]:
    def guess(
        releases: Releases, requirement: Requirement, target: Target
    ) -> tuple[Release, RemoteFile] | None:
        chosen = newest(releases, requirement, target)
        if chosen is None or chosen[0].variants_json is None:
            return chosen
        metadata = source.variant_metadata(chosen[0], CPU)
        assert isinstance(metadata, VariantMetadata)
        wheel = next(w for w in chosen[0].wheels if "fast" in w.filename)
        return chosen[0], wheel

    return guess


def test_a_guess_may_ask_for_variant_metadata(world: World, tmp_path: Path) -> None:
    """The guess is repeated when the metadata is fetched; then the crawl continues."""
    _variants(world, tmp_path)
    source = world.source()
    source.prefetch([Requirement("demo")], CPU, _guess_by_variants(source))
    release = source.releases(DEMO, CPU).release(0)
    assert isinstance(source.variant_metadata(release, CPU), VariantMetadata)
    _solve_one(source, "fast-dep")
    assert world.asked.count("/files/demo-1.0-variants.json") == 1
    assert world.asked.count("/first/fast-dep/") == 1


def test_variant_metadata_in_the_cache_starts_no_crawl(
    world: World, tmp_path: Path
) -> None:
    """A warm run with variants is a warm run."""
    _variants(world, tmp_path)
    source = world.source()
    source.variant_metadata(source.releases(DEMO, CPU).release(0), CPU)
    asked = len(world.asked)
    warm = world.source()
    warm.prefetch([Requirement("unheard-of")], CPU, newest)
    found = warm.variant_metadata(warm.releases(DEMO, CPU).release(0), CPU)
    assert isinstance(found, VariantMetadata)
    assert len(world.asked) == asked
