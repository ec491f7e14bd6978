"""Several indexes as one source: who serves whom, and fetching ahead."""

from __future__ import annotations

import hashlib
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from fakes.server import Answer, Index, Server
from fakes.wheels import build_wheel, variants_json
from polylock.cache.store import Store
from polylock.errors import IndexRequestError, Offline, ProjectNotFound
from polylock.index.source import PackageIndexes
from polylock.model.core_metadata import CoreMetadata
from polylock.model.distributions import Unusable
from polylock.model.inputs import IndexLocation, IndexSource, Inputs
from polylock.model.requirements import Requirement
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    Target,
    TargetDescription,
)
from polylock.network.http_cache import CacheMode
from polylock.variants.supported import SupportedProperties
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.network.client import Client

DEMO = canonicalize_name("demo")
X86 = {"x86_64": {"level": ["v3"]}}


def _target(
    name: str = "cpu",
    *,
    stated: SupportedProperties | None = None,
    derived: SupportedProperties | None = None,
) -> Target:
    return Target(
        description=TargetDescription(
            name=name,
            system=OperatingSystem.LINUX,
            architecture=Architecture.X86_64,
            python=PythonRelease(major=3, minor=12),
        ),
        marker_environment={"sys_platform": "linux", "python_version": "3.12"},
        tags=("py3-none-any",),
        stated=stated or SupportedProperties(),
        derived=derived or SupportedProperties(),
    )


CPU = _target()


def _newest(
    releases: Releases, requirement: Requirement, target: Target
) -> tuple[Release, RemoteFile] | None:
    """Guess the first wheel of the newest version."""
    assert requirement.name == releases.name
    assert target.name
    if not releases.versions:
        return None
    release = releases.release(len(releases.versions) - 1)
    return (release, release.wheels[0]) if release.wheels else None


class World:
    """Two indexes on one server, and sources that share a cache."""

    def __init__(
        self, server: Server, store: Store, client: Client, wheels: Path
    ) -> None:
        self.server = server
        self.first = Index(server, "/first")
        self.second = Index(server, "/second")
        self.client = client
        self._store = store
        self._wheels = wheels
        self._open: list[PackageIndexes] = []

    def add(
        self,
        index: Index,
        name: str,
        version: str = "1.0",
        **keywords: Any,  # noqa: ANN401 - those of build_wheel
    ) -> None:
        """Serve one wheel of a project."""
        directory = self._wheels / index.url.rpartition("/")[2]
        index.add(name, [build_wheel(directory, name, version, **keywords)])

    def source(
        self,
        *,
        mode: CacheMode = CacheMode.NORMAL,
        explicit: bool = False,
        sources: Mapping[str, tuple[IndexSource, ...]] | None = None,
    ) -> PackageIndexes:
        """Open a source over both indexes; ``explicit`` is of the second."""
        inputs = Inputs(
            indexes=(
                IndexLocation(name="first", url=self.first.url),
                IndexLocation(name="second", url=self.second.url, explicit=explicit),
            ),
            sources=sources or {},
        )
        made = PackageIndexes(self._store, self.client, inputs=inputs, mode=mode)
        self._open.append(made)
        return made

    def close(self) -> None:
        """Close all sources."""
        for source in self._open:
            source.close()

    @property
    def asked(self) -> list[str]:
        """Return the paths asked for, sorted: threads come in any order."""
        return sorted(received.path for received in self.server.log)


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


def test_an_empty_page_is_a_project(world: World) -> None:
    """An index that knows the name serves it, even with no files."""
    world.first.add("demo")
    world.add(world.second, "demo")
    assert world.source().releases(DEMO, CPU).versions == []


def test_a_project_on_no_index_is_not_found(world: World) -> None:
    """The error names the indexes that were asked."""
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
            _target("special"),
            _target("derived", derived=nvidia),
            _target("stated", stated=nvidia),
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
    assert source.releases(DEMO, _target("other")) is found
    release = found.release(0)
    metadata = source.core_metadata(release, release.wheels[0])
    assert source.core_metadata(release, release.wheels[0]) is metadata
    assert isinstance(metadata, CoreMetadata)
    assert len(world.asked) == 2


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


def _solve(source: PackageIndexes, *, names: Sequence[str] = "abc") -> list[str]:
    """Ask as a solver does, one after the other."""
    asked = []
    for name in names:
        found = source.releases(canonicalize_name(name), CPU)
        release = found.release(0)
        metadata = source.core_metadata(release, release.wheels[0])
        assert isinstance(metadata, CoreMetadata)
        asked.append(f"{metadata.name} {metadata.version}")
    return asked


def test_prefetch_crawls_what_the_target_needs(world: World) -> None:
    """Folded markers and the extras asked for decide; each thing is asked once."""
    expected = _chain(world)
    source = world.source()
    source.prefetch([Requirement.parse("a[wanted]")], CPU, _newest)
    assert _solve(source) == ["a 1.0", "b 1.0", "c 1.0"]
    # The crawl may still be on its way to what the solver did not ask for.
    for name in ("maybe", "wanted"):
        _solve_one(source, name)
    assert world.asked == expected


def _solve_one(source: PackageIndexes, name: str) -> None:
    release = source.releases(canonicalize_name(name), CPU).release(0)
    source.core_metadata(release, release.wheels[0])


def test_prefetch_overlaps_its_requests(world: World) -> None:
    """While the first answer is awaited, other roots are fetched in threads."""
    roots = [f"p{number}" for number in range(6)]
    for name in roots:
        world.add(world.first, name)
    source = world.source()
    source.prefetch([Requirement(name) for name in roots], CPU, _newest)
    world.server.change("/first/p0/", delay=0.3)
    source.releases(canonicalize_name("p0"), CPU)
    pages = {path for path in world.asked if path.startswith("/first/")}
    assert pages == {f"/first/{name}/" for name in roots}


def test_a_warm_run_crawls_nothing(world: World) -> None:
    """What the cache answers starts no thread, no request and no guess."""
    _chain(world)
    first = world.source()
    first.prefetch([Requirement("a")], CPU, _newest)
    _solve(first)
    first.close()
    asked = len(world.asked)

    def refuse(
        releases: Releases, requirement: Requirement, target: Target
    ) -> tuple[Release, RemoteFile] | None:
        raise AssertionError(releases, requirement, target)

    for mode in (CacheMode.NORMAL, CacheMode.OFFLINE):
        warm = world.source(mode=mode)
        warm.prefetch([Requirement("a")], CPU, refuse)
        assert _solve(warm) == ["a 1.0", "b 1.0", "c 1.0"]
    assert len(world.asked) == asked


def test_a_later_prefetch_joins_the_crawl(world: World) -> None:
    """The requirements of a further target are fetched ahead as well."""
    world.add(world.first, "a")
    world.add(world.first, "b")
    source = world.source()
    source.prefetch([Requirement("a")], CPU, _newest)
    source.releases(canonicalize_name("a"), CPU)
    source.prefetch([Requirement("b")], _target("other"), _newest)
    source.releases(canonicalize_name("b"), CPU)
    assert world.asked.count("/first/b/") == 1


def test_errors_of_the_crawl_wait_until_they_are_asked_for(world: World) -> None:
    """A missing project or a broken index matters only to a solver that needs it."""
    world.add(world.first, "a", requires=["missing", "broken", "b"])
    world.add(world.first, "b")
    world.server.routes["/first/broken/"] = Answer(status=403)
    source = world.source()
    source.prefetch([Requirement("a")], CPU, _newest)
    assert _solve(source, names="ab") == ["a 1.0", "b 1.0"]
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
        source.prefetch([Requirement("a", extras=("wanted",))], CPU, _newest)
        answers.add(tuple(_solve(source)))
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
        chosen = _newest(releases, requirement, target)
        if chosen is None or chosen[0].variants_json is None:
            return chosen
        metadata = source.variant_metadata(chosen[0])
        assert isinstance(metadata, VariantMetadata)
        wheel = next(w for w in chosen[0].wheels if "fast" in w.filename)
        return chosen[0], wheel

    return guess


def test_a_guess_may_ask_for_variant_metadata(world: World, tmp_path: Path) -> None:
    """The guess is made again when the metadata is there; the crawl goes on from it."""
    _variants(world, tmp_path)
    source = world.source()
    source.prefetch([Requirement("demo")], CPU, _guess_by_variants(source))
    release = source.releases(DEMO, CPU).release(0)
    assert isinstance(source.variant_metadata(release), VariantMetadata)
    _solve_one(source, "fast-dep")
    assert world.asked.count("/files/demo-1.0-variants.json") == 1
    assert world.asked.count("/first/fast-dep/") == 1


def test_variant_metadata_in_the_cache_starts_no_crawl(
    world: World, tmp_path: Path
) -> None:
    """A warm run with variants is a warm run."""
    _variants(world, tmp_path)
    source = world.source()
    source.variant_metadata(source.releases(DEMO, CPU).release(0))
    asked = len(world.asked)
    warm = world.source()
    warm.prefetch([Requirement("unheard-of")], CPU, _newest)
    found = warm.variant_metadata(warm.releases(DEMO, CPU).release(0))
    assert isinstance(found, VariantMetadata)
    assert len(world.asked) == asked


def test_offline_answers_from_the_cache_or_not_at_all(world: World) -> None:
    """What is missing is an error that names the page; nothing is asked."""
    world.add(world.first, "demo")
    offline = world.source(mode=CacheMode.OFFLINE)
    offline.prefetch([Requirement("demo")], CPU, _newest)
    with pytest.raises(Offline, match="/first/demo/"):
        offline.releases(DEMO, CPU)
    assert world.asked == []
    _solve(world.source(), names=["demo"])
    assert _solve(world.source(mode=CacheMode.OFFLINE), names=["demo"])


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
    source.prefetch([Requirement("a")], CPU, _newest)
    release = source.releases(canonicalize_name("a"), CPU).release(0)
    assert isinstance(source.core_metadata(release, release.wheels[0]), Unusable)
