"""Reading a project file as a whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.projects import BOX as LONE_BOX
from fakes.projects import load_text
from polylock.errors import ProjectError
from polylock.model.direct import DirectorySource
from polylock.model.inputs import DEFAULT_INDEX, IndexLocation
from polylock.project.pyproject import find_project, load_project, project_path
from polylock.project.settings import Settings, default_index_url

if TYPE_CHECKING:
    from fakes.projects import Load

PROJECT = '[project]\nname = "demo"\nversion = "1"\n'
BOX = 'platform = "linux-x86_64"\npython = "3.12"\n'


def failure(path: Path) -> ProjectError:
    """Return the error that loading the file raises."""
    with pytest.raises(ProjectError) as caught:
        load_project(path, settings=Settings(cache_dir=path.parent))
    return caught.value


def test_targets_are_in_order(load: Load) -> None:
    """The order of the targets is that of the file: their priority."""
    targets = "".join(f"[tool.polylock.targets.{name}]\n{BOX}" for name in "zab")
    project = load(PROJECT, targets=targets)
    assert [description.name for description in project.descriptions] == ["z", "a", "b"]


def test_default_python(load: Load) -> None:
    """``python`` counts for the targets that name none."""
    project = load(
        PROJECT + '[tool.polylock]\npython = ["3.12", "3.13t"]\n',
        targets='[tool.polylock.targets.a]\nplatform = "linux-x86_64"\n'
        f"[tool.polylock.targets.b]\n{BOX}",
    )
    assert project.default_python == ("3.12", "3.13t")
    names = [description.name for description in project.descriptions]
    assert names == ["a-py312", "a-py313t", "b"]


def test_build_system(load: Load) -> None:
    """The project can be built if the file has a build system."""
    assert load(PROJECT + '[build-system]\nrequires = ["flit"]\n').has_build_system
    assert not load(PROJECT).has_build_system


def test_no_targets(load: Load) -> None:
    """Without targets nothing is assumed: the error shows how to declare one."""
    with pytest.raises(ProjectError, match="no target is declared") as caught:
        load(PROJECT, targets="")
    assert caught.value.key == "tool.polylock.targets"
    advice = caught.value.hint() or ""
    assert "polylock init" in advice
    assert "polylock targets add PRESET" in advice


@pytest.mark.parametrize(
    "other",
    ["[dependency-groups]\nBox = []\n", "[project.optional-dependencies]\nbox = []\n"],
)
def test_target_named_like_a_group_or_an_extra(load: Load, other: str) -> None:
    """A target must not share its name with a group or an extra."""
    with pytest.raises(ProjectError, match="a dependency group or an extra"):
        load(PROJECT + other)


def test_default_index(load: Load) -> None:
    """A project without indexes has the one of the settings."""
    expected = IndexLocation(name="default", url="https://index.example.com/simple")
    assert load(PROJECT).inputs.indexes == (expected,)


def test_index_of_pip(tmp_path: Path) -> None:
    """Without a setting the default index is the one that pip's code names."""
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.polylock.targets.box]\n{BOX}", encoding="utf-8")
    project = load_project(path, settings=Settings(cache_dir=tmp_path))
    (index,) = project.inputs.indexes
    assert index == IndexLocation(name=DEFAULT_INDEX, url=default_index_url())
    assert index.url.startswith("https://")


def test_missing_file(tmp_path: Path) -> None:
    """A missing file is an error that names the command that writes one."""
    error = failure(tmp_path / "pyproject.toml")
    assert error.problem == "does not exist"
    assert "polylock init" in (error.hint() or "")


def test_directory_instead_of_file(tmp_path: Path) -> None:
    """A directory is named as such, with the file that was probably meant."""
    error = failure(tmp_path)
    assert error.problem == "is a directory"
    assert str(tmp_path / "pyproject.toml") in (error.hint() or "")


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="permissions do not bind this user",
)
def test_unreadable_file(tmp_path: Path) -> None:
    """A file that may not be read is an error with the system's reason."""
    path = tmp_path / "pyproject.toml"
    path.touch(mode=0)
    assert "cannot be read" in failure(path).problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a = 1\nb = \n", "is not TOML: Invalid value (at line 2"),
        (b"a = 1\nb = '\xff'\n", "is not UTF-8 at line 2"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
        ("a = 1".encode("utf-16"), "is not UTF-8 at line 1"),
    ],
)
def test_content_that_is_not_toml(tmp_path: Path, content: bytes, problem: str) -> None:
    """Content that cannot be parsed is an error that names the line."""
    path = tmp_path / "pyproject.toml"
    path.write_bytes(content)
    error = failure(path)
    assert error.problem.startswith(problem)
    assert str(path) in str(error)


def test_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark, as editors on Windows write it, is skipped."""
    path = tmp_path / "pyproject.toml"
    text = f"[tool.polylock.targets.box]\n{BOX}".replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    project = load_project(path, settings=Settings(cache_dir=tmp_path))
    assert [description.name for description in project.descriptions] == ["box"]


def test_nothing_else_is_read(load: Load) -> None:
    """Tables of other tools may hold anything."""
    assert load('[tool.other]\nx = 1\n[tool.poly]\ny = "z"\n').name is None


def test_find_project(tmp_path: Path) -> None:
    """The nearest project file upwards is found; a directory of the name is none."""
    (tmp_path / "a" / "b" / "pyproject.toml").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    assert find_project(tmp_path / "a" / "b") == tmp_path / "pyproject.toml"
    (tmp_path / "a" / "pyproject.toml").touch()
    assert find_project(tmp_path / "a" / "b") == tmp_path / "a" / "pyproject.toml"


def test_no_project_to_find(tmp_path: Path) -> None:
    """Where no directory above has a project file, the error says what to do."""
    root = Path(tmp_path.anchor)
    with pytest.raises(ProjectError, match="here or in a directory above") as caught:
        find_project(root)
    assert "--project" in (caught.value.hint() or "")


def test_project_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named project is a file or the directory that has it."""
    path = tmp_path / "a" / "pyproject.toml"
    path.parent.mkdir()
    path.touch()
    monkeypatch.chdir(path.parent)
    for named in (None, path.parent, path, Path("pyproject.toml")):
        settings = Settings(cache_dir=tmp_path, project=named)
        assert project_path(settings) == path


def test_the_root_is_a_source_for_the_members_that_require_it(tmp_path: Path) -> None:
    """An index may have a project of the same name, which is another one."""
    for name, required in (("app", "demo"), ("other", "six")):
        directory = tmp_path / "packages" / name
        directory.mkdir(parents=True)
        (directory / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "1"\n'
            f'dependencies = ["{required}"]\n[build-system]\nrequires = []\n',
            encoding="utf-8",
        )
    workspace = '[tool.polylock.workspace]\nmembers = ["packages/{}"]\n'
    found = load_text(tmp_path, PROJECT + workspace.format("*") + LONE_BOX)
    (source,) = found.inputs.sources["demo"]
    assert isinstance(source.direct, DirectorySource)
    assert (source.direct.path, source.direct.editable) == (".", True)
    alone = load_text(tmp_path, PROJECT + workspace.format("other") + LONE_BOX)
    assert "demo" not in alone.inputs.sources
