"""Variant metadata, from the index-level file or from the wheels."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from fakes.demo_index import World, large_wheel, reason_of
from fakes.resolutions import make_target
from fakes.server import Answer, Index, Server
from fakes.wheels import build_wheel, variants_json
from polylock.model.distributions import Release, RemoteFile, Unusable
from polylock.network.http_cache import CacheMode
from polylock.variants.variant_json import LARGEST, VariantMetadata

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.cache.store import Store
    from polylock.network.client import Client

LINUX = make_target("linux")
X86 = {"x86_64": {"level": ["v3"]}}
PRIORITY = ("x86_64", "aarch64")
VARIANTS_JSON = "/files/demo-1.0-variants.json"
ARM = {"aarch64": {"version": ["8.4a"]}}


@pytest.fixture
def world(server: Server, store: Store, client: Client) -> World:
    """Make an index without any project."""
    return World(server, Index(server), store, client)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Build demo 1.0, which requires dep."""
    return large_wheel(tmp_path)


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
    assert world.variant_files().is_known(world.release(), LINUX)


def test_index_level_metadata_that_changed_is_asked_for_anew(
    world: World, tmp_path: Path
) -> None:
    """A new hash on the page means that the file has changed."""
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
    assert "demo-1.0-variants.json" in reason_of(world.variants()[0])


def test_bad_index_level_metadata_is_unusable(world: World, tmp_path: Path) -> None:
    """Invalid JSON costs the release its variants, with a reason."""
    row = _index_level(world, hashed=True, content=b"{")
    world.serve(_variant_wheels(tmp_path), rows=[row])
    assert reason_of(world.variants()[0])


@pytest.mark.parametrize("hashed", [True, False])
def test_index_level_metadata_without_end_is_not_read_to_it(
    world: World, tmp_path: Path, *, hashed: bool
) -> None:
    """It costs the release its variants, with a reason, and no more than its limit."""
    row = _index_level(world, hashed=hashed, content=bytes(4 * LARGEST))
    world.serve(_variant_wheels(tmp_path), rows=[row])
    reason = reason_of(world.variants()[0])
    assert (
        reason == f"demo-1.0-variants.json: the response has more than {LARGEST} bytes"
    )
    assert world.client.traffic.received < 2 * LARGEST


@pytest.mark.parametrize("broken", [b"{", None])
def test_the_metadata_of_candidates_counts(
    world: World, tmp_path: Path, broken: bytes | None
) -> None:
    """A wheel for another machine costs this one nothing, whatever is in it.

    PEP 825, "Installing a package from an index", step 5: "the combined metadata can
    instead be read from the candidate wheels".
    """
    other = "py3-none-macosx_11_0_arm64"  # comes first by its name
    wheels = [
        build_wheel(
            tmp_path, "demo", "1.0", label="fast", variant=X86, namespaces=PRIORITY
        ),
        build_wheel(
            tmp_path,
            "demo",
            "1.0",
            tag=other.replace("py3", "py2.py3"),
            label="fast",
            variant={"x86_64": {"level": ["v4"]}},
            variant_json=broken,
        ),
        build_wheel(
            tmp_path,
            "demo",
            "1.0",
            tag=other,
            label="mac",
            variant=ARM,
            variant_json=broken,
            namespaces=["aarch64", "x86_64"],
        ),
    ]
    world.serve(wheels)
    found, _ = world.variants()
    assert _labels(found) == ["fast"]
    assert isinstance(found, VariantMetadata)
    assert found.variants["fast"] == {"x86_64": {"level": ("v3",)}}


def test_one_wheel_a_label_is_read_without_index_level_metadata(
    world: World, tmp_path: Path
) -> None:
    """Each label costs a ranged read, once; the plain wheel none."""
    world.serve(_variant_wheels(tmp_path))
    assert not world.variant_files().is_known(world.release(), LINUX)
    found, asked = world.variants()
    assert _labels(found) == ["arm", "fast"]
    assert [path.rpartition("/")[2] for path in asked] == [
        "demo-1.0-py3-none-any-arm.whl",
        "demo-1.0-py3-none-any-fast.whl",
    ]
    assert world.variants(CacheMode.OFFLINE) == (found, [])
    assert world.variant_files().is_known(world.release(), LINUX)


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
    assert reason_of(found) == f"{labelled.name}: variant.json is missing"
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
    assert reason_of(world.variants()[0])


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
    assert reason_of(world.variant_files().metadata(release, LINUX))
