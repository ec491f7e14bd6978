"""``[build-system]`` and its defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.build.backend import BuildSystem, InvalidBuildSystem

if TYPE_CHECKING:
    from pathlib import Path


def read(tree: Path, text: str | bytes) -> BuildSystem:
    """Read a tree with this pyproject.toml."""
    content = text.encode() if isinstance(text, str) else text
    (tree / "pyproject.toml").write_bytes(content)
    return BuildSystem.read(tree)


def test_the_table_is_read(tmp_path: Path) -> None:
    """Requirements, backend and its path as written."""
    found = read(
        tmp_path,
        '[build-system]\nrequires = ["hatchling>=1"]\n'
        'build-backend = "hatchling.build"\nbackend-path = ["tools"]\n',
    )
    assert found == BuildSystem(
        requires=("hatchling>=1",),
        backend="hatchling.build",
        backend_path=("tools",),
    )


def test_without_a_table_setuptools_builds(tmp_path: Path) -> None:
    """PEP 517's legacy: a tree with setup.py, or a file without the table."""
    (tmp_path / "setup.py").touch()
    legacy = BuildSystem.read(tmp_path)
    assert legacy.backend == "setuptools.build_meta:__legacy__"
    assert legacy.requires == ("setuptools>=40.8.0",)
    assert read(tmp_path, '[project]\nname = "a"\n') == legacy


def test_without_a_backend_the_requirements_stay(tmp_path: Path) -> None:
    """The backend is that of setuptools, with the requirements of the table."""
    found = read(tmp_path, '[build-system]\nrequires = ["setuptools", "cython"]\n')
    assert found.backend == "setuptools.build_meta:__legacy__"
    assert found.requires == ("setuptools", "cython")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[build-system", "is not TOML"),
        (b"\xff", "is not UTF-8"),
        ("build-system = 1", "not a table"),
        ("[build-system]", "requires is missing"),
        ("[build-system]\nrequires = 'a'", "not a list"),
        ("[build-system]\nrequires = [1]", "not a list"),
        ("[build-system]\nrequires = ['!']", "not a requirement"),
        (
            "[build-system]\nrequires = ['a @ https://example.com/a.zip']",
            "direct reference",
        ),
        ("[build-system]\nrequires = []\nbuild-backend = 1", "not a string"),
        ("[build-system]\nrequires = []\nbuild-backend = ''", "not a string"),
        ("[build-system]\nrequires = []\nbackend-path = 'a'", "not a list"),
    ],
)
def test_a_wrong_table_is_told(tmp_path: Path, text: str | bytes, reason: str) -> None:
    """The reason names the key."""
    with pytest.raises(InvalidBuildSystem, match=reason):
        read(tmp_path, text)


def test_a_tree_that_nothing_can_build_is_told(tmp_path: Path) -> None:
    """Neither file is there."""
    with pytest.raises(InvalidBuildSystem, match=r"neither pyproject\.toml nor"):
        BuildSystem.read(tmp_path)
