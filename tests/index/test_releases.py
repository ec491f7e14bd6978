"""Files sorted into releases, and what is kept of them on disk."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec
import pytest
from packaging.utils import canonicalize_name

from polylock.index.releases import IndexPage, decode_releases, encode_releases
from polylock.model.distributions import Releases, RemoteFile

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = canonicalize_name("My.Demo")


def _file(filename: str, **fields: object) -> RemoteFile:
    row = RemoteFile(filename, f"https://example.com/{filename}")
    return msgspec.structs.replace(row, **fields)


def _releases(files: Iterable[RemoteFile]) -> Releases:
    page = IndexPage(name=NAME, index="a", index_url="https://example.com/simple")
    return decode_releases(encode_releases(NAME, files), page)


def _wheel(version: str, **fields: object) -> RemoteFile:
    return _file(f"my_demo-{version}-py3-none-any.whl", **fields)


def test_versions_ascend_in_pep_440_order() -> None:
    """Not as text, and not in page order."""
    found = _releases(map(_wheel, ["1.10", "1.9", "1.10rc1", "1.10.dev1", "1.9+cpu"]))
    assert found.versions == ["1.9", "1.9+cpu", "1.10.dev1", "1.10rc1", "1.10"]
    assert found.finals == 0b10011


def test_the_page_is_described() -> None:
    """Name, index and base URL are those of the page."""
    found = _releases([_wheel("1.0")])
    assert (found.name, found.index) == ("my-demo", "a")
    assert found.index_url == "https://example.com/simple"
    assert found.release(0).index == "a"


def test_versions_are_normalized() -> None:
    """File names hold legal spellings that PEP 440 writes otherwise."""
    found = _releases([_wheel("v1.0.Post1"), _file("my-demo-1.0-2.tar.gz")])
    assert found.versions == ["1.0.post1", "1.0.post2"]


def test_equal_versions_are_one() -> None:
    """1.0 and 1.0.0 are the same version, under its shorter spelling."""
    found = _releases([_wheel("1.0.0"), _file("my_demo-1.0.tar.gz")])
    assert found.versions == ["1.0"]
    release = found.release(0)
    assert release.sdist is not None
    assert len(release.wheels) == 1


def test_a_local_version_is_recognised_in_both_spellings() -> None:
    """A wheel may write the plus as an underscore."""
    names = ["my_demo-1.0+cu130-py3-none-any.whl", "my_demo-1.0_cu130-cp312-abi3-x.whl"]
    found = _releases(map(_file, names))
    assert found.versions == ["1.0+cu130"]


def test_wheels_are_in_file_name_order() -> None:
    """Labels, build numbers and tags of one version come together."""
    names = [
        "my_demo-1.0-py3-none-any-z_label.whl",
        "my_demo-1.0-py3-none-any.whl",
        "my_demo-1.0-2-py3-none-any-x86_64_v3.whl",
        "My.Demo-1.0-cp312-cp312-win_amd64.whl",
    ]
    found = _releases(map(_file, names))
    assert [w.filename for w in found.release(0).wheels] == sorted(names)


@pytest.mark.parametrize(
    "filename",
    [
        "other-1.0-py3-none-any.whl",
        "my_demo-1.0-py3-none.whl",
        "my_demo-1.0-py3-none-any-UPPER.whl",
        "my_demo-1.0-1-py3-none-any-label-more.whl",
        "my_demo-nonsense-py3-none-any.whl",
        "my_demo-1.0.egg",
        "my_demo-1.0.exe",
        "my_demo-1.0.tar.bz2",
        "other-1.0.tar.gz",
        "my_demo.tar.gz",
        "my_demo-nonsense.zip",
        ".whl",
        "",
    ],
)
def test_other_files_are_left_out(filename: str) -> None:
    """What is no wheel or source distribution of the project makes no version."""
    assert _releases([_file(filename), _wheel("2.0")]).versions == ["2.0"]


def test_the_tar_is_preferred_to_the_zip() -> None:
    """One source distribution a release; hyphens in its name do not matter."""
    files = [_file("my-demo-1.0.zip"), _file("my-demo-1.0.tar.gz")]
    sdist = _releases(files).release(0).sdist
    assert sdist is not None
    assert sdist.filename == "my-demo-1.0.tar.gz"


def test_index_level_variant_metadata_is_attached() -> None:
    """The file belongs to its release and makes no release by itself."""
    names = ["my_demo-1.0-variants.json", "my_demo-2.0-variants.json"]
    found = _releases([*map(_file, names), _wheel("1.0")])
    assert found.versions == ["1.0"]
    variants_json = found.release(0).variants_json
    assert variants_json is not None
    assert variants_json.filename == "my_demo-1.0-variants.json"


def test_a_release_is_yanked_if_all_its_files_are() -> None:
    """One file that is not yanked keeps it."""
    found = _releases(
        [
            _wheel("1.0", yanked=""),
            _file("my_demo-1.0.tar.gz"),
            _wheel("2.0", yanked="bad"),
            _wheel("3.0"),
        ]
    )
    assert found.yanked == 0b010
    assert found.release(1).wheels[0].yanked == "bad"


def test_the_earliest_upload_counts() -> None:
    """Of the files that have a time; None where none has."""
    found = _releases(
        [
            _wheel("1.0", upload_time=7),
            _file("my_demo-1.0.tar.gz", upload_time=5),
            _file("my_demo-1.0.zip"),
            _wheel("2.0"),
        ]
    )
    assert found.earliest_upload == [5, None]


def test_the_order_of_the_page_does_not_matter() -> None:
    """The same files give the same bytes, repeated entries included."""
    files = [_wheel(f"1.{n}", size=n) for n in range(20)]
    files += [_file(f"my_demo-1.{n}.tar.gz") for n in range(20)]
    files += [_file("my_demo-1.3-py3-none-any.whl", url="https://example.org/x")]
    files += [_wheel("1.3.0"), _file("my_demo-1.3-variants.json")]
    expected = encode_releases(NAME, files)
    for seed in range(5):
        random.Random(seed).shuffle(files)
        assert encode_releases(NAME, files) == expected


def test_a_release_is_the_same_object_each_time() -> None:
    """Decoded when it is first visited, and once."""
    found = _releases([_wheel("1.0")])
    assert found.release(0) is found.release(0)


def test_a_project_without_files_has_no_versions() -> None:
    """An empty page is a project all the same."""
    found = _releases([])
    assert (found.versions, found.finals, found.yanked) == ([], 0, 0)


def test_many_versions_fit_the_masks() -> None:
    """Masks have as many bits as there are versions."""
    found = _releases(_wheel(f"1.{n}{'' if n % 2 else 'a1'}") for n in range(300))
    assert found.finals.bit_count() == 150
    assert found.finals >> 299 == 1
