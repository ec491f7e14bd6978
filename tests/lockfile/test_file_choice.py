"""The choice of a package's file for a target."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.resolutions import make_target
from polylock.errors import NothingToInstall
from polylock.explain.reasons import PropertyUnmet
from polylock.explain.words import details
from polylock.lockfile.file_choice import FileChooser
from polylock.lockfile.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
)
from polylock.model.reasons import Rejection

HASHES = {"sha256": "00"}
TARGET = make_target("t", derived={"x86_64": {"level": ("v3", "v2", "v1")}})
LINUX = "cp312-cp312-manylinux_2_28_x86_64"


def package(*filenames: str, **fields: Any) -> Package:  # noqa: ANN401 - any field of a package
    """Return a package with these wheels."""
    wheels = tuple(
        PackageWheel(url=f"https://e.example.com/{name}", hashes=HASHES)
        for name in filenames
    )
    return Package(name="x", version="1", wheels=wheels, **fields)  # type: ignore[arg-type]


def document(**variants: dict[str, dict[str, list[str]]]) -> dict[str, Any]:
    """Return a variants-json with these labels."""
    return {
        "$schema": "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json",
        "default-priorities": {"namespace": ["x86_64", "abi_dependency"]},
        "variants": variants,
    }


def chosen(entry: Package, **versions: str) -> tuple[str, str | None]:
    """Return file name and label of the choice."""
    file, label = FileChooser(target=TARGET, versions=versions).choose(entry)
    assert isinstance(file, PackageWheel | PackageSdist)
    return file.filename, label


def test_best_tag_wins_and_then_the_build_number() -> None:
    """Without variants it is the order of the tags, then the larger build number."""
    universal, native = "x-1-py3-none-any.whl", f"x-1-{LINUX}.whl"
    later = f"x-1-10-{LINUX}.whl"

    assert chosen(package(universal, native)) == (native, None)
    assert chosen(package(native, f"x-1-9-{LINUX}.whl", later)) == (later, None)


def test_best_label_wins_over_the_plain_wheel() -> None:
    """Variant wheels come in the order of PEP 825, the plain wheel after them."""
    names = [f"x-1-{LINUX}{label}.whl" for label in ("", "-v2", "-v3", "-v4", "-null")]
    levels = {level: {"x86_64": {"level": [level]}} for level in ("v2", "v3", "v4")}

    entry = package(*names, variants_json=document(**levels, null={}))

    assert chosen(entry) == (f"x-1-{LINUX}-v3.whl", "v3")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "v2: not in the variant metadata"),
        ({"variants_json": {"$schema": 1}}, "v2: bad variants-json: "),
        ({"variants_json": document()}, "v2: not in the variant metadata"),
    ],
)
def test_bad_metadata_costs_the_variants_alone(
    fields: dict[str, Any], reason: str
) -> None:
    """The non-variant wheel is taken; without one the error says why."""
    variant, plain = f"x-1-{LINUX}-v2.whl", f"x-1-{LINUX}.whl"

    assert chosen(package(variant, plain, **fields)) == (plain, None)
    with pytest.raises(NothingToInstall) as caught:
        chosen(package(variant, **fields))
    assert details(caught.value)[0].startswith(reason)


def test_abi_dependency_is_asked_of_what_is_installed() -> None:
    """A wheel that was built against torch 2.9 needs torch 2.9 beside it."""
    built = {"t29": {"abi_dependency": {"torch": ["2.9"]}}}
    entry = package(f"x-1-{LINUX}-t29.whl", variants_json=document(**built))

    assert chosen(entry, torch="2.9.1+cpu")[1] == "t29"
    assert chosen(entry)[1] == "t29"
    with pytest.raises(NothingToInstall) as caught:
        chosen(entry, torch="2.10")
    assert caught.value.rejected == [
        Rejection(
            PropertyUnmet("abi_dependency", "torch", ("2.9",), ("2.10",), gap="abi"),
            "t29",
        )
    ]


def test_sdist_is_taken_where_no_wheel_fits() -> None:
    """An sdist is the last choice."""
    sdist = PackageSdist(url="https://e.example.com/x-1.tar.gz", hashes=HASHES)

    assert chosen(package("x-1-cp312-cp312-win_amd64.whl", sdist=sdist)) == (
        "x-1.tar.gz",
        None,
    )


@pytest.mark.parametrize(
    "source",
    [
        {"vcs": PackageVcs(type="git", url="https://e.example.com", commit_id="a")},
        {"directory": PackageDirectory(path=".")},
        {"archive": PackageArchive(url="https://e.example.com/x.zip", hashes=HASHES)},
    ],
)
def test_direct_source_is_taken_as_it_is(source: dict[str, Any]) -> None:
    """A source tree or archive needs no choice."""
    chooser = FileChooser(target=TARGET, versions={})

    assert chooser.choose(package(**source)) == (*source.values(), None)
