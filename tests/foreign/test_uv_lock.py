"""What is read from uv.lock."""

from __future__ import annotations

import pytest

from fakes.foreign import parse, recorded, versions_for
from polylock.errors import ForeignLockInvalid

HEAD = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n'


def entry(name: str, version: str, source: str, more: str = "") -> str:
    """Write an entry."""
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n'
        f"source = {{ {source} }}\n{more}\n"
    )


@pytest.mark.parametrize(
    ("target", "lib", "split"),
    [("linux-py311", "1.0", "2.0"), ("linux", "2.0", "2.0"), ("windows", "2.0", "1.0")],
)
def test_each_target_gets_the_version_of_its_fork(
    target: str, lib: str, split: str
) -> None:
    """Of several versions the one counts whose resolution markers hold there."""
    found = versions_for(recorded("uv.lock"), target)
    assert found == {
        "fastlib": "0.9",
        "helper": "1.1",
        "lib": lib,
        "split": split,
        "tester": "7.0",
        "tool": "1.5",
        "winonly": "1.2",
    }


def test_the_project_itself_is_passed_over_in_silence() -> None:
    """Neither a pin nor something to tell is made of the project's own entry."""
    lock = recorded("uv.lock")
    assert lock.tool == "uv"
    assert not lock.skipped
    assert "demo" not in {pin.name for pin in lock.pins}


def test_extras_that_exclude_each_other_give_the_newest() -> None:
    """Where no marker tells versions apart the newest one is preferred."""
    assert versions_for(recorded("uv-conflicts.lock")) == {"accel": "2.0+cu13"}


def test_hashes_come_with_the_names_of_files() -> None:
    """Each file of a version is known by its name, also one with a local version."""
    (pin,) = (p for p in recorded("uv-conflicts.lock").pins if p.version == "2.0+cpu")
    ((name, hashes),) = pin.files.items()
    assert name == "accel-2.0+cpu-py3-none-any.whl"
    assert all(value.startswith("sha256:") for value in hashes)


def test_what_comes_from_no_index_is_named() -> None:
    """A commit, a URL and a path are no pins, and it is said what they are."""
    text = (
        HEAD
        + '[manifest]\nmembers = ["app", "part"]\n'
        + entry("app", "1", 'editable = "."')
        + entry("part", "1", 'editable = "parts/part"')
        + entry("a", "1", 'git = "https://git.example.com/a?rev=main#0123abc"')
        + entry("b", "1", 'url = "https://example.com/b-1-py3-none-any.whl"')
        + entry("c", "1", 'directory = "../c"')
        + entry("d", "1.0", 'registry = "https://index.example.com/simple"')
    )
    lock = parse(text)
    assert [pin.name for pin in lock.pins] == ["d"]
    assert {entry.name: entry.reason for entry in lock.skipped} == {
        "a": "it comes from git",
        "b": "it comes from a URL",
        "c": "it comes from a directory",
    }


def test_a_tree_without_a_version_is_no_error() -> None:
    """The version of a source tree is left out where a build decides it."""
    text = HEAD + '[[package]]\nname = "a"\nsource = { directory = "a" }\n'
    assert not parse(text).pins


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('version = 2\nrequires-python = ">=3.9"\n', "version: is 2, and only 1"),
        ('version = "1"\nrequires-python = ">=3.9"\n', "version: must be an integer"),
        (HEAD + '[[package]]\nname = "a"\n', "package[0].source: is missing"),
        (
            HEAD + '[[package]]\nname = "a"\nsource = { registry = "x" }\n',
            "package[0].version: is missing",
        ),
        (HEAD + entry("a b", "1", 'registry = "x"'), "package[0].name: 'a b' is not"),
        (HEAD + entry("a", "one", 'registry = "x"'), "package[0].version: 'one' is"),
        (
            HEAD + entry("a", "1", 'registry = "x"', 'resolution-markers = ["win"]'),
            "package[0].resolution-markers[0]: ",
        ),
        (
            HEAD + entry("a", "1", 'registry = "x"', 'sdist = { path="a", hash="0" }'),
            "package[0].sdist.hash: '0' is not ALGORITHM:VALUE",
        ),
        (HEAD + "package = 1\n", "package: must be an array"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(text: str, problem: str) -> None:
    """A version that is not known and a broken entry are errors with a key path."""
    with pytest.raises(ForeignLockInvalid) as caught:
        parse(text)
    assert str(caught.value).startswith(f"uv.lock: {problem}")
    assert caught.value.exit_code == 2
