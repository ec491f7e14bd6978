"""A distribution is removed with what its RECORD lists, and nothing else goes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from fakes.installations import make_interpreter, snapshot
from polylock.environment.installed import Form, InstalledDistribution
from polylock.errors import EnvironmentBroken
from polylock.installation.uninstall import (
    Boundary,
    listed_among,
    listed_files,
    refuse_unremovable,
    uninstall,
)
from polylock.values import replace


class Environment:
    """An environment with distributions that were put there by hand."""

    def __init__(self, root: Path) -> None:
        self.interpreter = make_interpreter(root)
        self.root = root
        self.site = Path(self.interpreter.scheme.purelib)
        self.boundary = Boundary([root, self.site, root / "bin"])
        self.before = snapshot(root)

    def add(
        self, name: str, files: list[str], *, extra_rows: str = ""
    ) -> InstalledDistribution:
        """Write files and a RECORD that lists them."""
        info = self.site / f"{name}-1.0.dist-info"
        info.mkdir()
        rows = [f"{info.name}/RECORD"]
        for file in files:
            path = self.site / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            rows.append(file)
        record = "".join(f'"{row}",,\n' for row in rows) + extra_rows
        (info / "RECORD").write_text(record)
        return InstalledDistribution(
            name=canonicalize_name(name), version="1.0", path=info
        )


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Return an environment without distributions."""
    return Environment(tmp_path / "env")


def test_uninstall_leaves_nothing(environment: Environment) -> None:
    """Files, scripts, compiled code and empty directories go."""
    demo = environment.add(
        "demo",
        ["demo/__init__.py", "demo/deep/er/x,y.txt", "alone.py", "../../../bin/demo"],
    )
    for cache, name in [
        ("demo/__pycache__", "__init__.cpython-312.pyc"),
        ("demo/__pycache__", "__init__.cpython-312.opt-1.pyc"),
        ("__pycache__", "alone.cpython-312.pyc"),
    ]:
        (environment.site / cache).mkdir(exist_ok=True)
        (environment.site / cache / name).touch()
    (demo.path / "unlisted").touch()
    assert uninstall(demo, environment.boundary) == []
    assert snapshot(environment.root) == environment.before


def test_uninstall_leaves_what_is_not_listed(environment: Environment) -> None:
    """Other files in the same directories, and other modules' compiled code, stay."""
    demo = environment.add("demo", ["space/demo.py"])
    environment.add("other", ["space/other.py"])
    cache = environment.site / "space" / "__pycache__"
    cache.mkdir()
    for name in ("demo.cpython-312.pyc", "other.cpython-312.pyc", "demonstration.pyc"):
        (cache / name).touch()
    uninstall(demo, environment.boundary)
    assert (environment.site / "space" / "other.py").exists()
    assert {p.name for p in cache.iterdir()} == {
        "other.cpython-312.pyc",
        "demonstration.pyc",
    }


def test_uninstall_leaves_what_is_shared(environment: Environment) -> None:
    """A file that another distribution lists as well stays."""
    demo = environment.add("demo", ["space/__init__.py", "space/demo.py"])
    other = environment.add("other", ["space/__init__.py"])
    uninstall(demo, environment.boundary, shared=frozenset(listed_files(other)))
    assert (environment.site / "space" / "__init__.py").exists()
    assert not (environment.site / "space" / "demo.py").exists()


def shared(
    environment: Environment,
    leaving: InstalledDistribution,
    staying: InstalledDistribution,
) -> set[str]:
    """Return the files of one that another lists as well."""
    paths = listed_files(leaving)
    found = listed_among(paths, str(environment.site), [staying])
    return {path for _, path, _ in found}


@pytest.mark.parametrize(
    ("files", "rows"),
    [
        (["space/__init__.py", "space/demo.py"], "space/__init__.py,,\n"),
        (["space/__init__.py"], '"space/__init__.py","sha256=x",1\n'),
        (["space/__init__.py"], "space\\__init__.py,,\n"),
        (["space/__init__.py"], "other/../space/__init__.py,,\r\n"),
        (["space/__init__.py"], "../site-packages/space/__init__.py,,"),
        (["space/__init__.py"], "{site}/space/__init__.py,,\n"),
        (["alone.py", "other.py"], "alone.py,,\nnot-alone.py,,\n"),
        (["../../../bin/demo"], "../../../bin/demo,,\n"),
        (["../../../bin/demo"], "../../../bin/other/../demo,,\n"),
        (['odd"name.py', "x,y.py"], '"odd""name.py",,\n"x,y.py",,\n'),
        ([f"m{number}.py" for number in range(20)], "m3.py,,\nm19.py,,\n"),
        (["ünï/a.py"], "ünï/a.py,,\n"),
        (["space/demo.py"], "elsewhere/space/demo.py,,\nspace/other.py,,\n"),
    ],
)
def test_listed_among_are_those_that_both_list(
    environment: Environment, files: list[str], rows: str
) -> None:
    """However RECORD spells a path, a file of both is found, and no other."""
    demo = environment.add("demo", [])
    listed = "".join('"{}",,\n'.format(file.replace('"', '""')) for file in files)
    (demo.path / "RECORD").write_text(listed, encoding="utf-8")
    other = environment.add("other", [])
    text = rows.format(site=environment.site.as_posix())
    (other.path / "RECORD").write_bytes(text.encode())
    expected = {*listed_files(demo)} & {*listed_files(other)}
    assert shared(environment, demo, other) == expected
    assert bool(expected) == ("elsewhere" not in rows)


def test_a_record_without_the_names_is_not_read_row_by_row(
    environment: Environment,
) -> None:
    """To replace one of many distributions must not parse the RECORD of each."""
    demo = environment.add("demo", ["demo/a.py"])
    other = environment.add("other", [])
    (other.path / "RECORD").write_text("this,is,no,row\n")
    assert shared(environment, demo, other) == set()
    with pytest.raises(EnvironmentBroken, match="4 columns"):
        shared(environment, other, demo)


@pytest.mark.parametrize(
    "row", ["../../../../precious", "{absolute}", "demo/../../../../../precious"]
)
def test_uninstall_when_record_leaves_the_environment(
    environment: Environment, tmp_path: Path, row: str
) -> None:
    """A file outside of the environment is named and stays, whatever RECORD says."""
    precious = tmp_path / "precious"
    precious.touch()
    path = row.format(absolute=precious.as_posix())
    demo = environment.add("demo", ["demo/a.py"], extra_rows=f"{path},,\n")
    assert [Path(left) for left in uninstall(demo, environment.boundary)] == [precious]
    assert precious.exists()
    assert snapshot(environment.root) == environment.before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a privilege there")
def test_uninstall_when_a_link_leaves_the_environment(
    environment: Environment, tmp_path: Path
) -> None:
    """A directory that is a link to elsewhere is not followed."""
    demo = environment.add("demo", ["demo/a.py"])
    elsewhere = tmp_path / "elsewhere"
    (environment.site / "demo").rename(elsewhere)
    (environment.site / "demo").symlink_to(elsewhere)
    left = uninstall(demo, environment.boundary)
    assert [Path(path).name for path in left] == ["a.py"]
    assert (elsewhere / "a.py").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a privilege there")
def test_uninstall_removes_links_not_what_they_lead_to(
    environment: Environment, tmp_path: Path
) -> None:
    """A listed file that is a link is removed as a link."""
    precious = tmp_path / "precious"
    precious.touch()
    demo = environment.add("demo", ["demo/a.py"])
    (environment.site / "demo" / "a.py").unlink()
    (environment.site / "demo" / "a.py").symlink_to(precious)
    assert uninstall(demo, environment.boundary) == []
    assert precious.exists()
    assert snapshot(environment.root) == environment.before


def test_uninstall_when_directories_are_listed(environment: Environment) -> None:
    """A row for a directory removes it only if it is empty."""
    demo = environment.add("demo", ["demo/a.py"], extra_rows="demo,,\nother,,\n")
    (environment.site / "other").mkdir()
    (environment.site / "other" / "file").touch()
    uninstall(demo, environment.boundary)
    assert not (environment.site / "demo").exists()
    assert (environment.site / "other" / "file").exists()


def test_uninstall_when_it_was_interrupted(environment: Environment) -> None:
    """A partial RECORD serves as RECORD."""
    demo = environment.add("demo", ["demo/a.py", "demo/b.py"])
    (demo.path / "RECORD").rename(demo.path / "RECORD.partial")
    (environment.site / "demo" / "a.py").unlink()
    uninstall(replace(demo, is_complete=False), environment.boundary)
    assert snapshot(environment.root) == environment.before


@pytest.mark.parametrize("installer", ["", "pip", "uv"])
def test_uninstall_without_record(environment: Environment, installer: str) -> None:
    """Of what was interrupted before RECORD, .dist-info is removed."""
    demo = environment.add("demo", [])
    (demo.path / "RECORD").unlink()
    broken = replace(demo, is_complete=False, installer=installer)
    uninstall(broken, environment.boundary)
    assert snapshot(environment.root) == environment.before


def test_refuse_what_another_tool_manages(environment: Environment) -> None:
    """Without RECORD, what an operating system's tool installed is left to it."""
    demo = environment.add("demo", [])
    (demo.path / "RECORD").unlink()
    managed = replace(demo, is_complete=False, installer="debian")
    with pytest.raises(EnvironmentBroken, match="installed by debian"):
        refuse_unremovable(managed)


@pytest.mark.parametrize("form", [Form.EGG_INFO, Form.EGG_LINK, Form.EGG])
def test_refuse_legacy_forms(tmp_path: Path, form: Form) -> None:
    """The legacy forms list no files: the user is told what to do."""
    legacy = InstalledDistribution(
        name=canonicalize_name("demo"),
        version="1.0",
        path=tmp_path / f"demo.{form}",
        form=form,
    )
    with pytest.raises(EnvironmentBroken, match=f"legacy form {form}") as caught:
        uninstall(legacy, Boundary([tmp_path]))
    assert "recreate the environment" in str(caught.value.hint())


@pytest.mark.parametrize("content", [b"a,b\n", b"\xff\xfe,,\n"])
def test_uninstall_when_record_is_unreadable(
    environment: Environment, content: bytes
) -> None:
    """A RECORD that is no RECORD is an error, and nothing is removed."""
    demo = environment.add("demo", ["demo/a.py"])
    (demo.path / "RECORD").write_bytes(content)
    with pytest.raises(EnvironmentBroken, match="RECORD"):
        uninstall(demo, environment.boundary)
    assert (environment.site / "demo" / "a.py").exists()
    assert (demo.path / "RECORD").exists()
