"""The static metadata of a tree, and when its fingerprint changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.repositories import source_tree
from polylock.build.tree import fingerprint, static_metadata

if TYPE_CHECKING:
    from pathlib import Path

SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "b"\n'


def write(tree: Path, project: str, system: str = SYSTEM) -> Path:
    """Write pyproject.toml with a ``[project]`` table."""
    (tree / "pyproject.toml").write_text(f"{system}[project]\n{project}", "utf-8")
    return tree


def test_static_metadata_is_read(tmp_path: Path) -> None:
    """Requirements of extras are under their extra, and markers stay."""
    tree = write(
        tmp_path,
        'name = "A_b"\nversion = "1.0.0-rc1"\nrequires-python = ">=3.11"\n'
        "dependencies = [\"c>=1; os_name == 'nt'\"]\n"
        "[project.optional-dependencies]\nX = [\"d; os_name == 'nt'\", 'e']\n",
    )
    found = static_metadata(tree)
    assert found is not None
    assert (found.name, found.version) == ("A_b", "1.0.0rc1")
    assert found.requires_python == ">=3.11"
    assert found.provides_extra == ("x",)
    markers = [each.marker for each in found.requires_dist]
    assert markers[0] == "os_name == 'nt'"
    assert "extra" in markers[1]
    assert "os_name" in markers[1]
    assert "extra" in markers[2]


@pytest.mark.parametrize(
    ("project", "system"),
    [
        ('name = "a"\ndynamic = ["version"]\n', SYSTEM),
        ('name = "a"\nversion = "1"\ndynamic = ["dependencies"]\n', SYSTEM),
        ('name = "a"\nversion = "1"\n', ""),
        ('name = "a"\nversion = "one"\n', SYSTEM),
        ('name = "a"\nversion = 1\n', SYSTEM),
        ('version = "1"\n', SYSTEM),
        ('name = "a"\nversion = "1"\ndependencies = ["?"]\n', SYSTEM),
        ('name = "a"\nversion = "1"\ndependencies = [1]\n', SYSTEM),
        ("name =", SYSTEM),
    ],
)
def test_all_else_is_for_the_backend(tmp_path: Path, project: str, system: str) -> None:
    """Dynamic or malformed, and where the backend may be one that reads no table."""
    assert static_metadata(write(tmp_path, project, system)) is None


def test_a_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    """The same files give the same value wherever they lie."""
    one = source_tree(tmp_path / "one", "a")
    other = source_tree(tmp_path / "other", "a")
    assert fingerprint(one, editable=False) == fingerprint(other, editable=False)
    (other / "src" / "a" / "new.py").write_text("", "utf-8")
    assert fingerprint(one, editable=False) != fingerprint(other, editable=False)
    assert fingerprint(one, editable=True) == fingerprint(other, editable=True)


@pytest.mark.parametrize(
    "path",
    [
        ".git/HEAD",
        "build/lib/a.py",
        "a.egg-info/PKG-INFO",
        "a/__pycache__/a.pyc",
        "src/a/fast.so",
        "env/pyvenv.cfg",
    ],
)
def test_what_a_build_leaves_does_not_count(tmp_path: Path, path: str) -> None:
    """Else each build would ask for the next one."""
    tree = source_tree(tmp_path, "a")
    before = fingerprint(tree, editable=False)
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text("x", "utf-8")
    assert fingerprint(tree, editable=False) == before
