"""The distributions of an environment are read from directory names."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from polylock.environment.direct_url import DirectUrl, VcsInfo
from polylock.environment.installed import Form, Origin, WheelKind, read_installed
from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from pathlib import Path

WHEEL = "Wheel-Version: 1.0\nBuild: 7\nTag: py2.py3-none-any\nTag: py3-none-win32\n"

ROWS = "demo/__init__.py,,\n"


def add(site: Path, name: str, **files: str) -> Path:
    """Make a .dist-info directory with files; ``_`` in their names is a dot."""
    info = site / name
    info.mkdir(parents=True)
    for file, content in files.items():
        (info / file.replace("_json", ".json")).write_text(content)
    return info


def test_read_what_polylock_installed(tmp_path: Path) -> None:
    """The locked file and its label are known; WHEEL is not read."""
    origin = {"filename": "torch.whl", "sha256": "a", "variant_label": "cu130"}
    info = add(
        tmp_path,
        "Torch_Vision-2.9.0+cu130.dist-info",
        RECORD=ROWS,
        WHEEL=WHEEL,
        INSTALLER="polylock\n",
        polylock_json=json.dumps(origin),
        variant_json="{}",
    )
    (found,) = read_installed([tmp_path])
    assert (found.name, found.version) == ("torch-vision", "2.9.0+cu130")
    assert found.path == info
    assert found.form is Form.DIST_INFO
    assert found.is_complete
    assert found.is_variant
    assert found.origin == Origin(
        filename="torch.whl", sha256="a", variant_label="cu130"
    )
    assert found.kind is None


def test_read_what_another_installer_installed(tmp_path: Path) -> None:
    """Tags are expanded, and build number and installer are read."""
    add(tmp_path, "demo-1.0.dist-info", RECORD=ROWS, WHEEL=WHEEL, INSTALLER="pip\n")
    (found,) = read_installed([tmp_path])
    assert found.kind == WheelKind(
        frozenset({"py2-none-any", "py3-none-any", "py3-none-win32"}), "7"
    )
    assert found.installer == "pip"
    assert found.origin is None
    assert not found.is_variant


def test_read_what_is_incomplete(tmp_path: Path) -> None:
    """Without RECORD a distribution is not complete, with nothing at all neither."""
    add(tmp_path, "a-1.0.dist-info", METADATA="")
    add(tmp_path, "b-1.0.dist-info")
    assert [found.is_complete for found in read_installed([tmp_path])] == [False, False]


@pytest.mark.parametrize("emptied", ["RECORD", "polylock_json"])
def test_read_what_a_power_cut_has_emptied(tmp_path: Path, emptied: str) -> None:
    """A file that is there and holds nothing was not written to its end."""
    files = {"RECORD": ROWS, "polylock_json": '{"filename": "a.whl", "sha256": "a"}'}
    add(tmp_path, "a-1.0.dist-info", **{**files, emptied: ""})
    add(tmp_path, "b-1.0.dist-info", **files)
    assert [found.is_complete for found in read_installed([tmp_path])] == [False, True]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("odd-1.0.egg-info", "odd-1.0.egg-info/PKG-INFO,,"),
        ("odd-1.0.egg-info", '"odd-1.0.egg-info/a,b",,'),
        ("odd.egg-link", "odd.egg-link,sha256=x,3"),
        ("Odd_Thing-1.0-py3.12.egg", "Odd_Thing-1.0-py3.12.egg/EGG-INFO/PKG-INFO,,"),
    ],
)
@pytest.mark.parametrize("record", ["RECORD", "RECORD.partial"])
def test_legacy_marks_that_a_record_lists(
    tmp_path: Path, name: str, row: str, record: str
) -> None:
    """They are files of that distribution, others stand for themselves."""
    info = add(tmp_path, "demo-1.0.dist-info")
    (info / record).write_text(f"demo/__init__.py,,\n{row}\n")
    for each in (name, f"x{name}"):
        if row.startswith((f"{name}/", f'"{name}/')):
            (tmp_path / each).mkdir()
        else:
            (tmp_path / each).touch()
    found = [one.path.name for one in read_installed([tmp_path])]
    assert found == ["demo-1.0.dist-info", f"x{name}"]


@pytest.mark.parametrize("content", ["[]", '{"filename": 1}', "{"])
def test_read_when_our_file_is_damaged(tmp_path: Path, content: str) -> None:
    """What polylock installed and someone changed is not complete."""
    add(tmp_path, "a-1.0.dist-info", RECORD=ROWS, WHEEL=WHEEL, polylock_json=content)
    (found,) = read_installed([tmp_path])
    assert found.origin is None
    assert not found.is_complete
    assert found.kind is not None


def test_read_direct_urls(tmp_path: Path) -> None:
    """The source of a distribution that came from no index is known."""
    url = {
        "url": "https://example.com/a.git",
        "vcs_info": {"vcs": "git", "commit_id": "abc", "requested_revision": "main"},
        "unknown": 1,
    }
    add(tmp_path, "a-1.0.dist-info", RECORD=ROWS, direct_url_json=json.dumps(url))
    add(tmp_path, "b-1.0.dist-info", RECORD=ROWS, direct_url_json="{")
    a, b = read_installed([tmp_path])
    assert a.direct_url == DirectUrl(
        url="https://example.com/a.git",
        vcs_info=VcsInfo(vcs="git", commit_id="abc", requested_revision="main"),
    )
    assert b.direct_url == DirectUrl(url="")


@pytest.mark.parametrize(
    ("entry", "form", "version"),
    [
        ("Old_Thing-1.0.egg-info", Form.EGG_INFO, "1.0"),
        ("Old_Thing-1.0-py3.12.egg-info", Form.EGG_INFO, "1.0"),
        ("Old-Thing.egg-link", Form.EGG_LINK, ""),
        ("Old_Thing-1.0-py3.12.egg", Form.EGG, "1.0"),
    ],
)
def test_read_legacy_forms(
    tmp_path: Path, entry: str, form: Form, version: str
) -> None:
    """Legacy forms are told as such, be they files or directories."""
    if form is Form.EGG_LINK:
        entry = entry.replace("-", "_", 1)
    (tmp_path / entry).touch()
    (found,) = read_installed([tmp_path])
    assert (found.name, found.form, found.version) == ("old-thing", form, version)


def test_read_passes_over_what_is_no_distribution(tmp_path: Path) -> None:
    """Left-overs of pip, files, and names without a version are none."""
    for name in ("~umpy-2.0.dist-info", "demo", "noversion.dist-info", ".dist-info"):
        add(tmp_path, name)
    (tmp_path / "file-1.0.dist-info").touch()
    (tmp_path / "module.py").touch()
    assert read_installed([tmp_path]) == ()


def test_read_is_sorted_and_merges_nothing(tmp_path: Path) -> None:
    """Two versions of one project are two entries, in order of names."""
    for name in ("b-1.0", "a-2.0", "a-1.0"):
        add(tmp_path, f"{name}.dist-info", RECORD=ROWS)
    found = read_installed([tmp_path])
    assert [(each.name, each.version) for each in found] == [
        ("a", "1.0"),
        ("a", "2.0"),
        ("b", "1.0"),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a privilege there")
def test_read_when_one_directory_is_a_link_to_the_other(tmp_path: Path) -> None:
    """lib64 is often a link to lib: a distribution is there once."""
    add(tmp_path / "lib", "a-1.0.dist-info", RECORD=ROWS)
    (tmp_path / "lib64").symlink_to(tmp_path / "lib")
    found = read_installed([tmp_path / "lib", tmp_path / "lib64"])
    assert len(found) == 1


def test_read_when_a_directory_is_missing(tmp_path: Path) -> None:
    """A directory that is not there holds nothing."""
    assert read_installed([tmp_path / "gone"]) == ()


def test_read_when_a_directory_is_a_file(tmp_path: Path) -> None:
    """What cannot be read is an error that names it."""
    (tmp_path / "site").touch()
    with pytest.raises(EnvironmentBroken, match="cannot be read"):
        read_installed([tmp_path / "site"])
