"""Tests of polylock.index_server.static_build."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from fakes.wheels import build_sdist, build_wheel
from polylock.errors import FilesInvalid, UsageError
from polylock.index_server.static_build import build_index

if TYPE_CHECKING:
    from pathlib import Path

V3 = {"x86_64": {"level": ["v3"]}}
V4 = {"x86_64": {"level": ["v4"]}}


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Return a folder with variants, plain wheels, an sdist and a local version."""
    folder = tmp_path / "wheels"
    build_wheel(folder, "fast-lib", "1.0", label="v3", variant=V3)
    build_wheel(folder, "fast-lib", "1.0", label="v4", variant=V4)
    build_wheel(folder, "fast-lib", "1.0")
    build_wheel(folder, "fast-lib", "0.9", requires_python=">=3.8")
    build_wheel(folder, "fast-lib", "1.10+cu130")
    build_sdist(folder, "plain", "2.0")
    (folder / "README.txt").write_text("no distribution")
    return folder


def _page(index: Path, name: str) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(
        (index / "simple" / name / "index.json").read_bytes()
    )
    return page


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_build_lists_every_file_by_version(wheels: Path, tmp_path: Path) -> None:
    """A page lists versions in PEP 440 order, with the variants file first in each."""
    built = build_index(wheels, tmp_path / "index")

    page = _page(tmp_path / "index", "fast-lib")
    assert page["versions"] == ["0.9", "1.0", "1.10+cu130"]
    assert [file["filename"] for file in page["files"]] == [
        "fast_lib-0.9-py3-none-any.whl",
        "fast_lib-1.0-variants.json",
        "fast_lib-1.0-py3-none-any-v3.whl",
        "fast_lib-1.0-py3-none-any-v4.whl",
        "fast_lib-1.0-py3-none-any.whl",
        "fast_lib-1.10+cu130-py3-none-any.whl",
    ]
    assert built.projects == ("fast-lib", "plain")
    assert (built.wheels, built.sdists, built.variant_releases) == (5, 1, 1)
    assert built.skipped == ("README.txt",)


def test_build_gives_each_file_its_true_size_and_hash(
    wheels: Path, tmp_path: Path
) -> None:
    """A file has the size and hash that the page gives for it."""
    build_index(wheels, tmp_path / "index")

    listed = 0
    for name in ("fast-lib", "plain"):
        here = tmp_path / "index" / "simple" / name
        for file in _page(tmp_path / "index", name)["files"]:
            path = here / file["url"].replace("%2B", "+")
            content = path.read_bytes()
            assert path.name == file["filename"]
            assert file["size"] == len(content)
            assert file["hashes"] == {"sha256": hashlib.sha256(content).hexdigest()}
            if file["filename"].endswith(".whl"):
                beside = path.with_name(f"{path.name}.metadata").read_bytes()
                digest = hashlib.sha256(beside).hexdigest()
                assert file["core-metadata"] == {"sha256": digest}
            else:
                assert "core-metadata" not in file
            listed += 1
    assert listed == 7


def test_build_combines_the_variant_metadata_of_a_release(
    wheels: Path, tmp_path: Path
) -> None:
    """The index-level file has all labels of the wheels (PEP 825)."""
    build_index(wheels, tmp_path / "index")

    files = tmp_path / "index" / "files" / "fast-lib"
    document = json.loads((files / "fast_lib-1.0-variants.json").read_bytes())
    assert document["variants"] == {"v3": V3, "v4": V4}
    assert document["default-priorities"] == {"namespace": ["x86_64"]}


def test_build_gives_the_same_bytes_again(wheels: Path, tmp_path: Path) -> None:
    """Neither the times of the files nor the place of the folder come in."""
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for path in sorted(wheels.iterdir(), reverse=True):
        shutil.copyfile(path, copy / path.name)
        os.utime(copy / path.name, (1, 1))

    build_index(wheels, tmp_path / "first")
    build_index(copy, tmp_path / "second")

    assert _tree(tmp_path / "first") == _tree(tmp_path / "second")


def test_build_replaces_an_earlier_index_and_nothing_else(
    wheels: Path, tmp_path: Path
) -> None:
    """Files that are no longer in the folder are removed; others stay."""
    index = tmp_path / "index"
    build_index(wheels, index)
    (index / "CNAME").write_text("wheels.example.com")
    (wheels / "plain-2.0.tar.gz").unlink()

    build_index(wheels, index)

    assert sorted(path.name for path in index.iterdir()) == ["CNAME", "files", "simple"]
    assert not (index / "simple" / "plain").exists()
    assert not (index / "files" / "plain").exists()


def test_build_into_the_folder_itself_can_be_repeated(wheels: Path) -> None:
    """The wheels and their index may share a folder."""
    build_index(wheels, wheels)
    first = _tree(wheels)

    build_index(wheels, wheels)

    assert _tree(wheels) == first


def test_build_takes_times_and_yanks_from_index_toml(
    wheels: Path, tmp_path: Path
) -> None:
    """Upload times and yanks come from index.toml."""
    (wheels / "index.toml").write_text(
        '[upload-times]\n"plain==2.0" = 2026-01-01T00:00:00Z\n'
        '[yanked]\n"fast-lib==0.9" = "slow"\n'
    )

    built = build_index(wheels, tmp_path / "index")

    plain = _page(tmp_path / "index", "plain")["files"][0]
    assert plain["upload-time"] == "2026-01-01T00:00:00.000000Z"
    fast = _page(tmp_path / "index", "fast-lib")["files"]
    assert fast[0]["yanked"] == "slow"
    assert all("yanked" not in file for file in fast[1:])
    assert "index.toml" not in built.skipped


def test_build_takes_modification_times_when_asked(
    wheels: Path, tmp_path: Path
) -> None:
    """On request, a file without a recorded time gets that of its last change."""
    for path in wheels.iterdir():
        os.utime(path, (1_767_225_600, 1_767_225_600))

    build_index(wheels, tmp_path / "index", upload_times="modified")

    times = {f.get("upload-time") for f in _page(tmp_path / "index", "plain")["files"]}
    assert times == {"2026-01-01T00:00:00.000000Z"}


def test_build_names_every_bad_file_and_writes_nothing(
    wheels: Path, tmp_path: Path
) -> None:
    """All errors are reported at once, and an earlier index is unchanged."""
    index = tmp_path / "index"
    build_index(wheels, index)
    before = _tree(index)
    (wheels / "broken-1.0-py3-none-any.whl").write_bytes(b"")
    (wheels / "bad.whl").write_bytes(b"")
    (wheels / "index.toml").write_text("times = 1")

    with pytest.raises(FilesInvalid) as caught:
        build_index(wheels, index)

    named = [line.partition(":")[0] for line in caught.value.details()]
    assert named == ["bad.whl", "broken-1.0-py3-none-any.whl", "index.toml"]
    assert _tree(index) == before


def test_build_names_a_key_of_index_toml_without_a_file(
    wheels: Path, tmp_path: Path
) -> None:
    """A yank of a release that is not there is a mistake."""
    (wheels / "index.toml").write_text('[yanked]\n"plain==9" = ""\n')

    with pytest.raises(FilesInvalid) as caught:
        build_index(wheels, tmp_path / "index")

    assert caught.value.details() == [
        "index.toml: yanked.plain==9 names no file and no release of the folder"
    ]


def test_build_names_the_wheel_that_contradicts_its_release(
    wheels: Path, tmp_path: Path
) -> None:
    """One label means one set of properties in a release (PEP 825)."""
    build_wheel(
        wheels, "fast-lib", "1.0", tag="py3-none-win_amd64", label="v4", variant=V3
    )

    with pytest.raises(FilesInvalid) as caught:
        build_index(wheels, tmp_path / "index")

    (line,) = caught.value.details()
    assert line.startswith("fast_lib-1.0-py3-none-win_amd64-v4.whl: disagrees")


def test_build_refuses_a_folder_without_distributions(tmp_path: Path) -> None:
    """An empty folder is a mistake, not an empty index."""
    with pytest.raises(UsageError, match="holds no wheel"):
        build_index(tmp_path, tmp_path / "index")


def test_build_refuses_a_source_that_is_not_there(tmp_path: Path) -> None:
    """A misspelt folder is named."""
    with pytest.raises(UsageError, match="missing is not a folder"):
        build_index(tmp_path / "missing", tmp_path / "index")


@pytest.mark.parametrize("part", ["simple", "files"])
def test_build_refuses_to_replace_what_it_did_not_make(
    wheels: Path, tmp_path: Path, part: str
) -> None:
    """A folder of the same name that is no index is not deleted."""
    mine = tmp_path / "index" / part / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")

    with pytest.raises(UsageError, match="not part of an index"):
        build_index(wheels, tmp_path / "index")

    assert mine.read_text() == "precious"


def variant_file(directory: Path, name: str) -> dict[str, Any]:
    """Return the index-level metadata of a built release."""
    path = directory / "files" / name / f"{name}-1.0-variants.json"
    return dict(json.loads(path.read_text("utf-8")))


def test_values_of_a_single_wheel_are_sorted(tmp_path: Path) -> None:
    """A release with one variant wheel follows the same rule as one with several.

    PEP 825, "Variants": "The third level values are sets of feature values, converted
    to lists and sorted lexically."
    """
    architectures = {"nvidia": {"sm_arch": ["90_real", "80_real", "100_real"]}}
    build_wheel(tmp_path / "w", "one", "1.0", label="cu", variant=architectures)
    build_index(tmp_path / "w", tmp_path / "out")
    assert variant_file(tmp_path / "out", "one")["variants"]["cu"] == {
        "nvidia": {"sm_arch": ["100_real", "80_real", "90_real"]}
    }


def test_a_dependency_is_spelled_as_the_schema_allows(tmp_path: Path) -> None:
    """A hyphen of a project name becomes an underscore.

    PEP 825, "Variant properties": "The namespace and feature name components MUST […]
    consist only of 0-9, a-z and _ ASCII characters".
    """
    variant = {"abi_dependency": {"flash-attn": ["2.8"]}}
    build_wheel(tmp_path / "w", "one", "1.0", label="abi", variant=variant)
    build_index(tmp_path / "w", tmp_path / "out")
    assert variant_file(tmp_path / "out", "one")["variants"]["abi"] == {
        "abi_dependency": {"flash_attn": ["2.8"]}
    }


def test_two_labels_with_the_same_properties_are_refused(tmp_path: Path) -> None:
    """In any order of values; the same label on two wheels is no second label.

    PEP 825, "Variant label": "Every variant label MUST uniquely correspond to a
    specific set of variant properties, which MUST be the same for all wheels using the
    same label within a single package version."
    """
    wheels = tmp_path / "w"
    values = ["80_real", "90_real"]
    for label, tag in (("cu", "cp312"), ("cu", "cp313"), ("gpu", "cp313")):
        values.reverse()
        build_wheel(
            wheels,
            "one",
            "1.0",
            label=label,
            tag=f"{tag}-{tag}-win_amd64",
            variant={"nvidia": {"sm_arch": values}},
        )
    with pytest.raises(FilesInvalid) as caught:
        build_index(wheels, tmp_path / "out")
    assert list(caught.value.problems) == [
        (
            "one-1.0-cp313-cp313-win_amd64-gpu.whl: label gpu has the properties of "
            "label cu: each label must have its own"
        )
    ]
    (wheels / "one-1.0-cp313-cp313-win_amd64-gpu.whl").unlink()
    assert build_index(wheels, tmp_path / "out").variant_releases == 1


@pytest.mark.parametrize(
    ("label", "variant", "problem"),
    [
        (
            "v3",
            {"x86_64": {"levle": ["v3"]}},
            (
                "label v3 needs x86_64 :: levle, which no provider of x86_64 reports, "
                "did you mean level? (--lenient to accept)"
            ),
        ),
        (
            "cpu",
            {},
            "label cpu has no properties: the only label without is null",
        ),
    ],
)
def test_a_label_that_means_nothing_is_refused(
    tmp_path: Path,
    label: str,
    variant: dict[str, dict[str, list[str]]],
    problem: str,
) -> None:
    """No installer would ever choose it as its author means it.

    PEP 825, "Variant label": null "always corresponds to the variant with zero
    properties", and a label "MUST uniquely correspond to a specific set" of them.
    PEP 850, "Providers": a provider supplies the "compatible features" of a namespace.
    """
    path = build_wheel(
        tmp_path / "w",
        "one",
        "1.0",
        label=label,
        variant=variant,
        namespaces=["x86_64"],
    )
    with pytest.raises(FilesInvalid) as caught:
        build_index(tmp_path / "w", tmp_path / "out")
    assert list(caught.value.problems) == [f"{path.name}: {problem}"]
    assert not (tmp_path / "out").exists()
    if variant:
        built = build_index(tmp_path / "w", tmp_path / "out", lenient=True)
        assert built.variant_releases == 1


def test_features_of_an_unknown_provider_are_accepted(tmp_path: Path) -> None:
    """Nobody but the provider knows which features its namespace has."""
    build_wheel(
        tmp_path / "w", "one", "1.0", label="a", variant={"myns": {"levle": ["1"]}}
    )
    assert build_index(tmp_path / "w", tmp_path / "out").variant_releases == 1
