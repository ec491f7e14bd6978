"""Core metadata, from wherever it is cheapest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.demo_index import World, large_wheel, reason_of
from fakes.odd_wheels import FILENAME, HOSTILE, REPAIRED, TAKEN, Forge
from fakes.server import Answer, Index, Server
from fakes.wheels import build_sdist, build_wheel
from polylock.cache.store import Bucket, Store
from polylock.errors import (
    FileCorrupt,
    HashMismatch,
    IndexRequestError,
    Offline,
)
from polylock.explain.reasons import NeedsBuild
from polylock.index.metadata_cache import origin_of
from polylock.index.repository import Repository
from polylock.installation.unpack import unpack
from polylock.model.core_metadata import CoreMetadata
from polylock.model.distributions import Release, RemoteFile, Unusable
from polylock.model.inputs import IndexLocation
from polylock.network.download import Downloader
from polylock.network.http_cache import CacheMode, HttpCache

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.network.client import Client


_LARGE = hashlib.shake_128(b"large").digest(8 << 20)
"""More than the first request fetches, and incompressible."""


@pytest.fixture
def world(server: Server, store: Store, client: Client) -> World:
    """Make an index without any project."""
    return World(server, Index(server), store, client)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Build demo 1.0, which requires dep."""
    return large_wheel(tmp_path)


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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 500, 501, 502, 0])
def test_a_refused_range_leads_to_the_whole_wheel(
    world: World, wheel: Path, status: int
) -> None:
    """Only what the request without a range is answered is said, or used."""
    world.serve([wheel])
    path = world.index.file(wheel.name)
    world.server.change(path, to_ranges=status)
    found, _ = world.read()
    assert _names(found) == ["dep"]
    assert "range" not in world.server.requests(path)[-1].headers


def test_a_file_that_is_gone_does_not_speak_for_its_server(
    world: World, wheel: Path
) -> None:
    """A range of the next wheel is still requested, so that it is not fetched whole."""
    world.serve([wheel])
    path = world.index.file(wheel.name)
    reader = world.reader()
    release = world.release()
    good = world.server.routes[path]
    world.server.change(path, status=404)
    with pytest.raises(IndexRequestError, match="404"):
        reader.core_metadata(release, release.wheels[0])
    world.server.routes[path] = good
    world.server.log.clear()
    assert _names(reader.core_metadata(release, release.wheels[0])) == ["dep"]
    assert ["range" in request.headers for request in world.server.log] == [True]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_wheel_that_is_compressed_on_the_way_is_read(
    world: World, wheel: Path, coding: str, *, ranges: bool
) -> None:
    """A server that compresses whatever it sends costs the whole wheel, no more."""
    world.serve([wheel])
    world.server.change(world.index.file(wheel.name), compressed=coding, ranges=ranges)
    assert _names(world.read()[0]) == ["dep"]


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
    key = f"core {origin_of(world.release().wheels[0])}"
    assert world.store.read(Bucket.METADATA, key) is not None
    world.store.write(Bucket.METADATA, key, b"\x91\xc1")
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
        (b"Name: demo\nVersion: 1.0\nAuthor: \xe9\n", "METADATA is not UTF-8"),
    ],
)
def test_bad_metadata_is_a_value_with_a_reason(
    world: World, tmp_path: Path, metadata: bytes, reason: str
) -> None:
    """The search continues without the file; the reason is cached like metadata."""
    world.serve([build_wheel(tmp_path, "demo", "1.0", metadata=metadata)])
    found, _ = world.read()
    assert reason in reason_of(found)
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
    assert "the archive is damaged" in reason_of(found)
    assert world.read() == (found, [])


def test_a_wheel_without_metadata_is_unusable(world: World, wheel: Path) -> None:
    """An archive that is no wheel inside."""
    broken = wheel.with_name("demo-2.0-py3-none-any.whl")
    content = wheel.read_bytes()
    broken.write_bytes(content.replace(b"demo-1.0.dist-info", b"demo-1.0.dist-oops"))
    world.serve([broken])
    assert "0 .dist-info directories, not one" in reason_of(world.read()[0])


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


def test_a_file_beside_without_end_is_unusable(world: World, wheel: Path) -> None:
    """METADATA of more than 16 MiB is no METADATA, and is not read to its end."""
    world.serve([wheel], row={"core-metadata": True})
    path = f"{world.index.file(wheel.name)}.metadata"
    world.server.routes[path] = Answer(body=bytes(1 << 26))
    assert "more than" in reason_of(world.read()[0])
    assert world.client.traffic.received < 1 << 25


def test_static_metadata_of_an_sdist_is_read(world: World, tmp_path: Path) -> None:
    """Nothing is built for it."""
    world.serve([build_sdist(tmp_path, "demo", "1.0", requires=["dep"])])
    assert _names(world.read()[0]) == ["dep"]


def test_of_a_large_sdist_the_front_is_fetched(world: World, tmp_path: Path) -> None:
    """Nothing after PKG-INFO is requested."""
    sdist = build_sdist(
        tmp_path, "demo", "1.0", requires=["dep"], after=_LARGE, compression=0
    )
    world.serve([sdist])
    received = world.client.traffic.received
    found, asked = world.read()
    assert (_names(found), asked) == (["dep"], [world.index.file(sdist.name)])
    assert world.client.traffic.received - received < sdist.stat().st_size / 2
    assert world.read() == (found, [])


def test_of_a_large_sdist_without_ranges_the_rest_is_left(
    world: World, tmp_path: Path
) -> None:
    """The response is closed as soon as it had PKG-INFO."""
    sdist = build_sdist(
        tmp_path, "demo", "1.0", requires=["dep"], after=_LARGE, compression=0
    )
    world.serve([sdist])
    path = world.index.file(sdist.name)
    world.server.change(path, ranges=False)
    received = world.client.traffic.received
    found, asked = world.read()
    assert (_names(found), asked) == (["dep"], [path])
    assert world.client.traffic.received - received < sdist.stat().st_size / 2


@pytest.mark.parametrize("status", [400, 403, 405, 500, 501])
def test_a_refused_range_leads_to_the_whole_source_distribution(
    world: World, tmp_path: Path, status: int
) -> None:
    """As for wheels."""
    sdist = build_sdist(
        tmp_path, "demo", "1.0", requires=["dep"], after=_LARGE, compression=0
    )
    world.serve([sdist])
    world.server.change(world.index.file(sdist.name), to_ranges=status)
    found, _ = world.read()
    assert _names(found) == ["dep"]
    assert "range" not in world.server.log[-1].headers


@pytest.mark.parametrize("ranges", [True, False])
def test_pkg_info_far_behind_is_found(
    world: World, tmp_path: Path, *, ranges: bool
) -> None:
    """Where the front does not have it, the file is read up to it."""
    sdist = build_sdist(
        tmp_path, "demo", "1.0", requires=["dep"], before=_LARGE, compression=0
    )
    world.serve([sdist])
    path = world.index.file(sdist.name)
    world.server.change(path, ranges=ranges)
    found, asked = world.read()
    assert (_names(found), asked) == (["dep"], [path] * (2 if ranges else 1))


def test_a_large_sdist_that_is_damaged_is_unusable(
    world: World, tmp_path: Path
) -> None:
    """It is known of the whole alone, for the front ends anywhere."""
    sdist = build_sdist(tmp_path, "demo", "1.0", before=_LARGE, compression=0)
    sdist.write_bytes(sdist.read_bytes()[: 1 << 21])
    world.serve([sdist])
    assert "the archive is damaged" in reason_of(world.read()[0])


def test_a_part_of_a_large_sdist_that_nobody_asked_for(
    world: World, tmp_path: Path
) -> None:
    """A server that gives parts of its own accord is at fault."""
    sdist = build_sdist(tmp_path, "demo", "1.0", before=_LARGE, compression=0)
    world.serve([sdist])
    path = world.index.file(sdist.name)
    world.server.change(path, body=sdist.read_bytes()[: 1 << 20], status=206)
    with pytest.raises(IndexRequestError, match="206"):
        world.read()


def test_a_large_sdist_that_is_not_there(world: World, tmp_path: Path) -> None:
    """An error status is no file."""
    sdist = build_sdist(tmp_path, "demo", "1.0", after=_LARGE, compression=0)
    world.serve([sdist])
    world.server.change(world.index.file(sdist.name), status=404)
    with pytest.raises(IndexRequestError, match="404"):
        world.read()


def test_a_large_sdist_offline(world: World, tmp_path: Path) -> None:
    """Nothing is requested; a file in the cache is read there."""
    sdist = build_sdist(
        tmp_path, "demo", "1.0", requires=["dep"], after=_LARGE, compression=0
    )
    world.serve([sdist])
    release = world.release()
    assert release.sdist is not None
    reader = world.reader(mode=CacheMode.OFFLINE)
    with pytest.raises(Offline):
        reader.core_metadata(release, release.sdist)
    Downloader(world.store, world.client).fetch(release.sdist)
    assert _names(reader.core_metadata(release, release.sdist)) == ["dep"]


def test_dynamic_metadata_of_an_sdist_is_unusable(world: World, tmp_path: Path) -> None:
    """What a build may change is not relied on."""
    sdist = build_sdist(tmp_path, "demo", "1.0", dynamic=["Requires-Dist"])
    world.serve([sdist])
    assert "must be built" in reason_of(world.read()[0])


def test_dynamic_metadata_is_asked_of_the_builder(world: World, tmp_path: Path) -> None:
    """Built metadata counts for one run: builds depend on the project's settings."""
    sdist = build_sdist(tmp_path, "demo", "1.0", dynamic=["Requires-Dist"])
    world.serve([sdist])
    release = world.release()
    assert release.sdist is not None
    answers: list[CoreMetadata | Unusable] = [
        Unusable(NeedsBuild()),
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
    assert "of other 1.0" in reason_of(found[2])
    assert world.reader(build=build).cached_core_metadata(release.sdist) is None
    assert world.reader().cached_core_metadata(release.sdist) == Unusable(NeedsBuild())
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


def _claims(world: World, wheel: Path, *, path: str, metadata: bytes | None) -> Release:
    """Let an index of another path offer the wheel's hash with what is its own."""
    other = Index(world.server, path)
    row = None if metadata is None else {"core-metadata": True}
    other.add("demo", [wheel], row=row)
    if metadata is not None:
        beside = f"{other.file(wheel.name)}.metadata"
        world.server.routes[beside] = Answer(body=metadata)
    location = IndexLocation(name="a", url=other.url)
    cache = HttpCache(world.store, world.client, mode=CacheMode.REFRESH)
    found = Repository(location, cache).releases(canonicalize_name("demo"))
    assert found is not None
    return found.release(0)


def test_metadata_that_one_index_claims_answers_for_no_other(
    world: World, wheel: Path
) -> None:
    """The hash of a wheel is no proof of the file that lies beside it."""
    world.serve([wheel])
    evil = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: evil\n"
    claimed = _claims(world, wheel, path="/evil", metadata=evil)
    assert claimed.wheels[0].hashes == world.release().wheels[0].hashes
    assert _names(world.reader().core_metadata(claimed, claimed.wheels[0])) == ["evil"]
    assert _names(world.read()[0]) == ["dep"]


def test_a_range_of_one_index_answers_for_no_other(
    world: World, wheel: Path, tmp_path: Path
) -> None:
    """The end of a file that was read by ranges was compared with no hash."""
    world.serve([wheel])
    claimed = _claims(world, wheel, path="/evil", metadata=None)
    large = {"demo/data": bytes(100_000) + hashlib.sha256(b"x").digest() * 4000}
    (tmp_path / "evil").mkdir()
    other = build_wheel(
        tmp_path / "evil", "demo", "1.0", requires=["evil"], files=large
    )
    path = Index(world.server, "/evil").file(wheel.name)
    world.server.change(path, body=other.read_bytes())
    assert _names(world.reader().core_metadata(claimed, claimed.wheels[0])) == ["evil"]
    assert _names(world.read()[0]) == ["dep"]


def test_a_claimed_hash_of_metadata_is_compared_though_it_was_read_before(
    world: World, wheel: Path
) -> None:
    """A page with another hash is another page: the cached metadata is not used."""
    world.serve([wheel], row={"core-metadata": True})
    path = f"{world.index.file(wheel.name)}.metadata"
    world.server.routes[path] = Answer(body=b"Name: demo\nVersion: 1.0\n")
    assert _names(world.read()[0]) == []
    world.serve([wheel], row={"core-metadata": {"sha256": "0" * 64}})
    world.server.routes[path] = Answer(body=b"Name: demo\nVersion: 1.0\n")
    with pytest.raises(HashMismatch, match=r"\.metadata"):
        world.read()


def test_a_pack_of_a_project_has_no_metadata_of_another_index(
    world: World, wheel: Path
) -> None:
    """Keys of packed metadata hold the place and the claims of the page."""
    world.serve([wheel])
    evil = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: evil\n"
    claimed = _claims(world, wheel, path="/evil", metadata=evil)
    honest = world.release()
    keys = {origin_of(each.wheels[0]) for each in (claimed, honest)}
    assert len(keys) == 2
    assert origin_of(honest.wheels[0]) != origin_of(honest.wheels[0], "somebody")


@pytest.mark.parametrize("case", HOSTILE)
def test_what_no_sync_would_install_is_not_locked(
    world: World, tmp_path: Path, case: str
) -> None:
    """The central directory and what came with it are asked, by the same rules."""
    forge = Forge()
    HOSTILE[case][0](forge)
    world.serve([forge.write(tmp_path)])
    found, asked = world.read()
    assert isinstance(found, Unusable)
    assert reason_of(found)
    assert len(asked) == 1
    with pytest.raises(FileCorrupt):
        unpack(tmp_path / FILENAME, tmp_path, filename=FILENAME)


@pytest.mark.parametrize("case", [*REPAIRED, *TAKEN])
def test_what_a_sync_installs_is_locked(
    world: World, tmp_path: Path, case: str
) -> None:
    """A wheel that is repaired, or is right and unusual, has its metadata."""
    forge = Forge()
    spoil = TAKEN[case] if case in TAKEN else REPAIRED[case][0]
    spoil(forge)
    world.serve([forge.write(tmp_path)])
    found, asked = world.read()
    assert isinstance(found, CoreMetadata)
    assert len(asked) == 1


def test_a_wheel_with_the_dist_info_of_another_is_refused(
    world: World, tmp_path: Path
) -> None:
    """Also in a large wheel: the central directory names both."""
    forge = Forge()
    forge.add("demo/large", _LARGE)
    forge.add("other-1.0.dist-info/METADATA", b"Name: other\nVersion: 1.0\n")
    wheel = forge.write(tmp_path)
    world.serve([wheel])
    found, asked = world.read()
    assert "2 .dist-info directories" in reason_of(found)
    assert len(asked) == 1


def test_a_local_version_that_metadata_lacks_is_told(
    world: World, tmp_path: Path
) -> None:
    """The file 1.0+cpu whose METADATA says 1.0 is no file of either version."""
    wheel = build_wheel(tmp_path, "demo", "1.0")
    local = wheel.rename(tmp_path / "demo-1.0+cpu-py3-none-any.whl")
    content = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
    digest = {"sha256": hashlib.sha256(content).hexdigest()}
    world.serve([local], row={"core-metadata": digest})
    path = f"{world.index.file(local.name)}.metadata"
    world.server.routes[path] = Answer(body=content)
    found, _ = world.read()
    assert reason_of(found) == (
        "its metadata is of demo 1.0, its file name of demo 1.0+cpu"
    )
