"""Tests of polylock.index.distribution_file."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from fakes.wheels import build_sdist, build_wheel
from polylock.index.distribution_file import InvalidDistribution, read_distribution

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEVEL = {"x86_64": {"level": ["v3"]}}


def test_read_wheel_gives_what_an_index_says_of_it(tmp_path: Path) -> None:
    """A wheel's name and version are normalized, its METADATA is taken as it is."""
    path = build_wheel(
        tmp_path, "Plain-Lib", "1.0", requires_python=">=3.11", requires=["six"]
    )

    file = read_distribution(path)

    assert (file.name, file.version) == ("plain-lib", Version("1.0"))
    assert file.release == "plain-lib==1.0"
    assert file.requires_python == ">=3.11"
    assert file.size == path.stat().st_size
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with zipfile.ZipFile(path) as archive:
        member = archive.read("plain_lib-1.0.dist-info/METADATA")
    assert file.metadata == member
    assert file.variant is None


def test_read_variant_wheel_gives_its_variant_metadata(tmp_path: Path) -> None:
    """The label of the file name is the one that variant.json describes."""
    path = build_wheel(tmp_path, "fast", "1.0", label="v3", variant=LEVEL)

    variant = read_distribution(path).variant

    assert variant is not None
    assert variant.variants == {"v3": {"x86_64": {"level": ("v3",)}}}


def test_read_sdist_gives_no_metadata_file(tmp_path: Path) -> None:
    """A source distribution has name, version and hash, but no PEP 658 file."""
    path = build_sdist(tmp_path, "plain-lib", "2.0")

    file = read_distribution(path)

    assert (file.release, file.metadata) == ("plain-lib==2.0", None)
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_read_zip_sdist_finds_pkg_info(tmp_path: Path) -> None:
    """A source distribution may be a zip file too."""
    path = tmp_path / "old-0.1.zip"
    with zipfile.ZipFile(path, "w") as archive:
        text = "Metadata-Version: 1.2\nName: old\nVersion: 0.1\nRequires-Python: >=3\n"
        archive.writestr("old-0.1/PKG-INFO", text)

    assert read_distribution(path).requires_python == ">=3"


def _without(member: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        whole = build_wheel(folder / "whole", "demo", "1.0")
        path = folder / whole.name
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                if not name.endswith(member):
                    new.writestr(name, old.read(name))
        return path

    return make


def _named(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = build_wheel(folder / "named", "demo", "1.0")
        return path.rename(folder / name)

    return make


def _with_metadata(text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        return build_wheel(folder, "demo", "1.0", metadata=text.encode())

    return make


def _with_variant_json(label: str | None, content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        return build_wheel(
            folder, "demo", "1.0", label=label, variant_json=content.encode()
        )

    return make


def _document(namespaces: str, variants: str) -> str:
    return (
        '{"$schema": "https://example.com/v0.1.1.json", "default-priorities": '
        f'{{"namespace": [{namespaces}]}}, "variants": {{{variants}}}}}'
    )


def _bytes(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


def _empty_sdist(folder: Path) -> Path:
    path = folder / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("demo-1.0/README")
        archive.addfile(entry, io.BytesIO())
    return path


def _huge_metadata(folder: Path) -> Path:
    text = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\n"
    return build_wheel(folder, "demo", "1.0", metadata=text.encode() + b" " * 2**24)


HEAD = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_bytes("demo-1.0-py3-none-any.whl", b"no zip"), "cannot be read"),
        (_bytes("demo-1.0-py3-none-any.whl", b""), "cannot be read"),
        (_bytes("demo-1.0.tar.gz", b"no tar"), "cannot be read"),
        (_bytes("demo.whl", b""), "too few parts"),
        (_named("demo-one-py3-none-any.whl"), "'one' is not a version"),
        (_named("other-1.0-py3-none-any.whl"), "does not match the file name"),
        (_named("demo-1.1-py3-none-any.whl"), "does not match the file name"),
        (_named("demo-1.0-py3-none-any-V3.whl"), "invalid variant label V3"),
        (_named("demo-1.0-py3-none-any-v3.whl"), "label v3 but no variant.json"),
        (_without("/METADATA"), "METADATA is missing"),
        (_without("/RECORD"), "RECORD is missing"),
        (_without("/WHEEL"), "WHEEL is missing"),
        (_with_metadata("Name: demo\n\n"), "Version is missing"),
        (_with_metadata("Name: a\nVersion: 1.0\n\n"), "unlike its file name"),
        (_with_metadata(HEAD + "Requires-Dist: a b\n\n"), "bad Requires-Dist"),
        (_with_metadata(HEAD + "Requires-Python: 3\n\n"), "bad Requires-Python: 3"),
        (_with_variant_json(None, "{}"), "no variant label"),
        (_with_variant_json("v3", "{"), "is not JSON"),
        (
            _with_variant_json("v3", _document('"x86_64"', '"v4": {}')),
            "must hold v3 alone",
        ),
        (
            _with_variant_json(
                "v3", _document('"amd"', '"v3": {"x86_64": {"level": ["v3"]}}')
            ),
            "default-priorities.namespace must list x86_64",
        ),
        (_empty_sdist, "PKG-INFO is missing"),
        (_huge_metadata, "is larger than"),
    ],
)
def test_read_refuses_what_must_not_go_on_an_index(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    """Each error has a reason, and is never an exception of a library."""
    path = make(tmp_path)

    with pytest.raises(InvalidDistribution) as caught:
        read_distribution(path)

    assert reason in str(caught.value)


def test_read_accepts_abi_dependency_without_priority(tmp_path: Path) -> None:
    """abi_dependency must not be in the list of namespaces (PEP 850)."""
    content = _document(
        '"x86_64"',
        '"a": {"abi_dependency": {"demo": ["2.1"]}, "x86_64": {"level": ["v2"]}}',
    )
    path = _with_variant_json("a", content)(tmp_path)

    assert read_distribution(path).variant is not None


def test_read_gives_local_versions(tmp_path: Path) -> None:
    """A local version is written with an underscore in the wheel's names."""
    plain = build_wheel(tmp_path, "demo", "1.0+cu130")

    assert str(read_distribution(plain).version) == "1.0+cu130"
