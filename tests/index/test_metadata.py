"""Core metadata and variant metadata, from wherever it is cheapest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from fakes.server import Answer, Index, Server
from fakes.wheels import build_sdist, build_wheel, variants_json
from polylock.cache.store import Bucket, Store
from polylock.errors import (
    HashMismatch,
    IndexRequestError,
    Offline,
)
from polylock.index.metadata import MetadataReader
from polylock.index.repository import Repository
from polylock.model.core_metadata import CoreMetadata
from polylock.model.distributions import Release, RemoteFile, Unusable
from polylock.model.inputs import IndexLocation
from polylock.network.download import Downloader
from polylock.network.http_cache import CacheMode, HttpCache
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from polylock.network.client import Client

X86 = {"x86_64": {"level": ["v3"]}}
PRIORITY = ("x86_64", "aarch64")
VARIANTS_JSON = "/files/demo-1.0-variants.json"
ARM = {"aarch64": {"version": ["8.4a"]}}


@dataclass
class World:
    """An index with one project, and readers that share a cache."""

    server: Server
    index: Index
    store: Store
    client: Client

    def serve(self, files: Sequence[Path], **keywords: Any) -> None:  # noqa: ANN401
        """Put demo with these files on the index."""
        self.index.add("demo", files, **keywords)

    def release(self) -> Release:
        """Return the only release of demo."""
        cache = HttpCache(self.store, self.client, mode=CacheMode.REFRESH)
        location = IndexLocation(name="a", url=self.index.url)
        found = Repository(location, cache).releases(canonicalize_name("demo"))
        assert found is not None
        assert len(found.versions) == 1
        self.server.log.clear()
        return found.release(0)

    def reader(
        self,
        mode: CacheMode = CacheMode.NORMAL,
        build: Callable[[Release, RemoteFile], CoreMetadata | Unusable] | None = None,
    ) -> MetadataReader:
        """Return the reader of a new run."""
        return MetadataReader(
            self.store,
            self.client,
            http_cache=HttpCache(self.store, self.client, mode=mode),
            downloader=Downloader(self.store, self.client, mode=mode),
            sdist_metadata=build,
        )

    def read(
        self, mode: CacheMode = CacheMode.NORMAL
    ) -> tuple[CoreMetadata | Unusable, list[str]]:
        """Read the metadata of demo's first file; return the paths asked for too."""
        release = self.release()
        file = release.wheels[0] if release.wheels else release.sdist
        assert file is not None
        found = self.reader(mode).core_metadata(release, file)
        return found, [received.path for received in self.server.log]

    def variants(
        self, mode: CacheMode = CacheMode.NORMAL
    ) -> tuple[VariantMetadata | Unusable, list[str]]:
        """Read the variant metadata of demo; return the paths asked for too."""
        release = self.release()
        found = self.reader(mode).variant_metadata(release)
        return found, [received.path for received in self.server.log]


@pytest.fixture
def world(server: Server, store: Store, client: Client) -> World:
    """Make an index without any project."""
    return World(server, Index(server), store, client)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Build demo 1.0, which requires dep."""
    large = {"demo/data": bytes(100_000) + hashlib.sha256(b"x").digest() * 4000}
    return build_wheel(tmp_path, "demo", "1.0", requires=["dep>=1"], files=large)


def _reason(found: object) -> str:
    assert isinstance(found, Unusable)
    return found.reason


def _names(found: CoreMetadata | Unusable) -> list[str]:
    assert isinstance(found, CoreMetadata)
    return [requirement.name for requirement in found.requires_dist]


def test_the_file_beside_the_wheel_is_preferred(world: World, wheel: Path) -> None:
    """What the index offers by PEP 658 costs one small request, and one only."""
    content = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: other\n"
    world.serve(
        [wheel], row={"core-metadata": {"sha256": hashlib.sha256(content).hexdigest()}}
    )
    path = f"{world.index.file(wheel.name)}.metadata"
    world.server.routes[path] = Answer(body=content)
    found, asked = world.read()
    assert (_names(found), asked) == (["other"], [path])
    assert world.read() == (found, [])


def test_a_wrong_hash_of_the_file_beside_is_an_error(world: World, wheel: Path) -> None:
    """Replaced metadata must not quietly lead to another version."""
    world.serve([wheel], row={"core-metadata": {"sha256": "0" * 64}})
    path = f"{world.index.file(wheel.name)}.metadata"
    world.server.routes[path] = Answer(body=b"Name: demo\nVersion: 1.0\n")
    with pytest.raises(HashMismatch, match=r"\.metadata"):
        world.read()


def test_a_missing_file_beside_is_overcome(world: World, wheel: Path) -> None:
    """An index that promises too much costs a ranged read."""
    world.serve([wheel], row={"core-metadata": True})
    found, asked = world.read()
    path = world.index.file(wheel.name)
    assert (_names(found), asked) == (["dep"], [f"{path}.metadata", path])


def test_ranges_are_enough(world: World, wheel: Path) -> None:
    """Without PEP 658 the end of the wheel is read, not all of it."""
    world.serve([wheel])
    received = world.client.traffic.received
    found, asked = world.read()
    assert (_names(found), asked) == (["dep"], [world.index.file(wheel.name)])
    assert world.client.traffic.received - received < wheel.stat().st_size + 1000
    assert "range" in world.server.log[0].headers


def test_the_wheel_is_fetched_where_ranges_do_not_work(
    world: World, tmp_path: Path
) -> None:
    """It is verified and stays in the cache; its server is not tried again."""
    large = {"demo/data": hashlib.shake_128(b"x").digest(300_000)}
    wheel = build_wheel(tmp_path, "demo", "1.0", requires=["dep"], files=large)
    world.serve([wheel])
    path = world.index.file(wheel.name)
    world.server.change(path, ranges=False)
    found, asked = world.read()
    assert (_names(found), asked) == (["dep"], [path, path])
    release = world.release()
    downloader = Downloader(world.store, world.client, mode=CacheMode.OFFLINE)
    assert downloader.fetch(release.wheels[0]).path.read_bytes() == wheel.read_bytes()


def test_a_wheel_in_the_cache_needs_no_request(world: World, wheel: Path) -> None:
    """A downloaded wheel is read on disk, offline too."""
    world.serve([wheel])
    Downloader(world.store, world.client).fetch(world.release().wheels[0])
    found, asked = world.read(CacheMode.OFFLINE)
    assert (_names(found), asked) == (["dep"], [])


def test_a_wheel_without_hash_is_known_by_its_url(world: World, wheel: Path) -> None:
    """A page without hashes costs no second request either."""
    world.serve([wheel], hashes=False)
    world.read()
    found, asked = world.read()
    assert (_names(found), asked) == (["dep"], [])


def test_offline_reads_what_is_kept(world: World, wheel: Path) -> None:
    """Kept metadata is there; what was never read is an error."""
    world.serve([wheel])
    with pytest.raises(Offline, match=wheel.name):
        world.read(CacheMode.OFFLINE)
    world.read()
    assert _names(world.read(CacheMode.OFFLINE)[0]) == ["dep"]


def test_a_damaged_entry_is_read_again(world: World, wheel: Path) -> None:
    """An entry that does not decode is replaced."""
    world.serve([wheel])
    world.read()
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    world.store.write(Bucket.METADATA, f"core sha256:{sha256}", b"\x91\xc1")
    found, asked = world.read()
    assert (_names(found), len(asked)) == (["dep"], 1)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        (b"Name: demo\n", "Version is missing"),
        (b"Name: demo\nVersion: 1.0\nRequires-Dist: a b c\n", "bad Requires-Dist"),
        (b"Name: other\nVersion: 1.0\n", "its metadata is of other 1.0"),
        (b"Name: demo\nVersion: 2.0\n", "its metadata is of demo 2.0"),
        (b"Name: demo\nVersion: nonsense\n", "its metadata is of demo nonsense"),
    ],
)
def test_bad_metadata_is_a_value_with_a_reason(
    world: World, tmp_path: Path, metadata: bytes, reason: str
) -> None:
    """The search goes on without the file; the reason is kept like an answer."""
    world.serve([build_wheel(tmp_path, "demo", "1.0", metadata=metadata)])
    found, _ = world.read()
    assert reason in _reason(found)
    assert world.read() == (found, [])


def test_equal_versions_in_other_spelling_agree(world: World, tmp_path: Path) -> None:
    """1.0 and 1.0.0 are the same version; names are normalized."""
    metadata = b"Name: DEMO\nVersion: 1.0.0\n"
    world.serve([build_wheel(tmp_path, "demo", "1.0", metadata=metadata)])
    assert _names(world.read()[0]) == []


def test_a_corrupt_wheel_is_a_value_with_a_reason(world: World, tmp_path: Path) -> None:
    """What is no archive has no metadata, and that is remembered."""
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(b"not a zip archive")
    world.serve([path])
    found, _ = world.read()
    assert "the archive is damaged" in _reason(found)
    assert world.read() == (found, [])


def test_a_wheel_without_metadata_is_unusable(world: World, wheel: Path) -> None:
    """An archive that is no wheel inside."""
    broken = wheel.with_name("demo-2.0-py3-none-any.whl")
    content = wheel.read_bytes()
    broken.write_bytes(content.replace(b"demo-1.0.dist-info", b"demo-1.0.dist-oops"))
    world.serve([broken])
    assert "not one .dist-info" in _reason(world.read()[0])


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_failed_request_raises(world: World, wheel: Path, status: int) -> None:
    """A network problem is no property of the file and is not kept."""
    world.serve([wheel])
    path = world.index.file(wheel.name)
    world.server.change(path, status=status)
    with pytest.raises(IndexRequestError, match=str(status)):
        world.read()
    world.server.change(path, status=200)
    assert _names(world.read()[0]) == ["dep"]


def test_static_metadata_of_an_sdist_is_read(world: World, tmp_path: Path) -> None:
    """Nothing is built for it."""
    world.serve([build_sdist(tmp_path, "demo", "1.0", requires=["dep"])])
    assert _names(world.read()[0]) == ["dep"]


def test_dynamic_metadata_of_an_sdist_is_unusable(world: World, tmp_path: Path) -> None:
    """What a build may change is not relied on."""
    sdist = build_sdist(tmp_path, "demo", "1.0", dynamic=["Requires-Dist"])
    world.serve([sdist])
    assert "dynamic" in _reason(world.read()[0])


def _variant_wheels(directory: Path) -> list[Path]:
    return [
        build_wheel(
            directory,
            "demo",
            "1.0",
            label=label,
            variant=variant,
            tag=tag,
            namespaces=PRIORITY,
        )
        for label, variant, tag in (
            ("fast", X86, "py3-none-any"),
            ("arm", ARM, "py3-none-any"),
            ("arm", ARM, "py2-none-any"),
        )
    ] + [build_wheel(directory, "demo", "1.0")]


def _index_level(
    world: World, *, hashed: bool, content: bytes | None = None
) -> dict[str, Any]:
    document = variants_json({"fast": X86, "arm": ARM}, namespaces=PRIORITY)
    content = content or json.dumps(document).encode()
    world.server.routes[VARIANTS_JSON] = Answer(body=content)
    digest = {"sha256": hashlib.sha256(content).hexdigest()} if hashed else {}
    return {
        "filename": "demo-1.0-variants.json",
        "url": f"{world.server.url}{VARIANTS_JSON}",
        "hashes": digest,
    }


def _labels(found: VariantMetadata | Unusable) -> list[str]:
    assert isinstance(found, VariantMetadata)
    return sorted(found.variants)


@pytest.mark.parametrize("hashed", [True, False])
def test_index_level_metadata_is_preferred(
    world: World,
    tmp_path: Path,
    *,
    hashed: bool,
) -> None:
    """One request for all labels, and none while it is fresh."""
    row = _index_level(world, hashed=hashed)
    world.serve(_variant_wheels(tmp_path), rows=[row])
    found, asked = world.variants()
    assert (_labels(found), asked) == (["arm", "fast"], [VARIANTS_JSON])
    assert world.variants() == (found, [])
    assert world.reader().has_variant_metadata(world.release())


def test_index_level_metadata_that_changed_is_asked_for_anew(
    world: World, tmp_path: Path
) -> None:
    """The hash on the page says when the file is another one."""
    wheels = _variant_wheels(tmp_path)
    world.serve(wheels, rows=[_index_level(world, hashed=True)])
    world.variants()
    content = json.dumps(variants_json({"fast": X86})).encode()
    row = _index_level(world, hashed=True, content=content)
    world.serve(wheels, rows=[row])
    found, asked = world.variants()
    assert (_labels(found), len(asked)) == (["fast"], 1)


def test_index_level_metadata_with_a_wrong_hash_is_unusable(
    world: World, tmp_path: Path
) -> None:
    """The release loses its variants; the reason names the file."""
    row = _index_level(world, hashed=True)
    row["hashes"] = {"sha256": "0" * 64}
    world.serve(_variant_wheels(tmp_path), rows=[row])
    assert "demo-1.0-variants.json" in _reason(world.variants()[0])


def test_bad_index_level_metadata_is_unusable(world: World, tmp_path: Path) -> None:
    """Invalid JSON costs the release its variants, with a reason."""
    row = _index_level(world, hashed=True, content=b"{")
    world.serve(_variant_wheels(tmp_path), rows=[row])
    assert _reason(world.variants()[0])


def test_one_wheel_a_label_is_read_without_index_level_metadata(
    world: World, tmp_path: Path
) -> None:
    """Each label costs a ranged read, once; the plain wheel none."""
    world.serve(_variant_wheels(tmp_path))
    assert not world.reader().has_variant_metadata(world.release())
    found, asked = world.variants()
    assert _labels(found) == ["arm", "fast"]
    assert [path.rpartition("/")[2] for path in asked] == [
        "demo-1.0-py2-none-any-arm.whl",
        "demo-1.0-py3-none-any-fast.whl",
    ]
    assert world.variants(CacheMode.OFFLINE) == (found, [])
    assert world.reader().has_variant_metadata(world.release())


def test_index_level_metadata_that_is_gone_is_replaced_by_wheels(
    world: World, tmp_path: Path
) -> None:
    """A page may list a file that is no longer there."""
    row = _index_level(world, hashed=False)
    world.serve(_variant_wheels(tmp_path), rows=[row])
    del world.server.routes[VARIANTS_JSON]
    assert _labels(world.variants()[0]) == ["arm", "fast"]


def test_reading_core_metadata_of_a_variant_wheel_keeps_its_variant_json(
    world: World, tmp_path: Path
) -> None:
    """Both lie in the same bytes, so the second costs nothing."""
    world.serve([build_wheel(tmp_path, "demo", "1.0", label="fast", variant=X86)])
    _, asked = world.read()
    assert len(asked) == 1
    found, asked = world.variants()
    assert (_labels(found), asked) == (["fast"], [])


def test_a_variant_wheel_without_variant_json_is_unusable(
    world: World, wheel: Path
) -> None:
    """The reason names the wheel, and is kept."""
    labelled = wheel.with_name("demo-1.0-py3-none-any-fast.whl")
    labelled.write_bytes(wheel.read_bytes())
    world.serve([labelled])
    found, _ = world.variants()
    assert _reason(found) == f"{labelled.name}: variant.json is missing"
    assert world.variants() == (found, [])


def test_contradictory_variant_json_is_unusable(world: World, tmp_path: Path) -> None:
    """Wheels that describe one label differently cost the release its variants."""
    both = variants_json({"fast": X86, "arm": ARM}, namespaces=PRIORITY)
    lie = variants_json({"fast": ARM, "arm": ARM}, namespaces=["aarch64"])
    wheels = [
        build_wheel(
            tmp_path,
            "demo",
            "1.0",
            label=label,
            variant_json=json.dumps(document).encode(),
        )
        for label, document in (("fast", both), ("arm", lie))
    ]
    world.serve(wheels)
    assert _reason(world.variants()[0])


def test_a_release_without_variant_wheels_has_no_variant_metadata(
    world: World,
) -> None:
    """Asking for it all the same is answered."""
    release = Release(
        name=canonicalize_name("demo"),
        version="1.0",
        index="a",
        wheels=(RemoteFile("demo-1.0-py3-none-any.whl", "https://example.com/x"),),
    )
    assert _reason(world.reader().variant_metadata(release))


def test_dynamic_metadata_is_asked_of_the_builder(world: World, tmp_path: Path) -> None:
    """Its answer counts for one run: whether it may build is not the file's to say."""
    sdist = build_sdist(tmp_path, "demo", "1.0", dynamic=["Requires-Dist"])
    world.serve([sdist])
    release = world.release()
    assert release.sdist is not None
    answers: list[CoreMetadata | Unusable] = [
        Unusable("not allowed"),
        CoreMetadata(name="demo", version="1.0", requires_python=">=3"),
        CoreMetadata(name="other", version="1.0"),
    ]
    asked = []

    def build(release: Release, file: RemoteFile) -> CoreMetadata | Unusable:
        asked.append((release.name, file.filename))
        return answers[len(asked) - 1]

    found = [
        world.reader(build=build).core_metadata(release, release.sdist) for _ in answers
    ]
    assert asked == [("demo", sdist.name)] * 3
    assert found[:2] == answers[:2]
    assert "of other 1.0" in _reason(found[2])
    assert world.reader(build=build).cached_core_metadata(release.sdist) is None
    assert "dynamic" in _reason(world.reader().cached_core_metadata(release.sdist))
    assert len(world.server.requests(world.index.file(sdist.name))) == 1


def test_the_builder_is_not_asked_for_static_metadata(
    world: World, tmp_path: Path
) -> None:
    """Nor for a wheel."""

    def build(release: Release, file: RemoteFile) -> CoreMetadata | Unusable:
        pytest.fail(f"{release.name}: {file.filename}")

    world.serve([build_sdist(tmp_path, "demo", "1.0", requires=["dep"])])
    release = world.release()
    assert release.sdist is not None
    found = world.reader(build=build).core_metadata(release, release.sdist)
    assert _names(found) == ["dep"]
