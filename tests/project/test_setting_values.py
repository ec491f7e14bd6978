"""How a value given for a setting is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polylock.errors import UsageError
from polylock.project.setting_values import index_url_problem
from polylock.project.settings import load_settings


def given(name: str, value: object, **environ: str) -> object:
    """Return a setting whose flag was given with this value."""
    return getattr(load_settings({name: value}, environ, None), name)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("threads", 3, 3),
        ("threads", "3", 3),
        ("timeout", 3, 3.0),
        ("timeout", "0.5", 0.5),
        ("verbosity", -1, -1),
        ("offline", "On", True),
        ("offline", "0", False),
        ("groups", ["Dev_Tools", "a", "dev.tools"], ("a", "dev-tools")),
        ("groups", (), ()),
        ("extras", "b,a", ("a", "b")),
        ("venv", Path("x"), Path("x")),
        ("venv", "x/y", Path("x/y")),
        ("target", "auto", "auto"),
    ],
)
def test_flags(name: str, value: object, expected: object) -> None:
    """A flag's value may be text or have its type already."""
    assert given(name, value) == expected


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("threads", "many", "--threads: must be a whole number, not 'many'"),
        ("threads", 65, "--threads: must be from 1 to 64, not 65"),
        ("threads", 1.5, "--threads: must be a whole number, not a float"),
        ("timeout", "nan", "--timeout: must be from 0.1 to 3600, not nan"),
        ("timeout", "0", "--timeout: must be from 0.1 to 3600, not 0"),
        ("offline", "maybe", "--offline: must be true or false, not 'maybe'"),
        ("groups", "a,,b", "--group: '' is not a valid name"),
        ("groups", ["-"], "--group: '-' is not a valid name"),
        ("groups", [1], "--group: must hold names, not an integer"),
        ("target", "", "--target: is empty"),
        ("target", 1, "--target: must be a name, not an integer"),
        ("link_mode", "hardlnk", "--link-mode: must be one of auto, clone"),
    ],
)
def test_faults(name: str, value: object, problem: str) -> None:
    """A bad value is reported with the flag that has it."""
    with pytest.raises(UsageError) as caught:
        given(name, value)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    ("typed", "expected"), [("Linux_x86_64", "linux-x86-64"), ("../../x", "../../x")]
)
def test_a_target_is_a_name_or_what_was_typed(typed: str, expected: str) -> None:
    """A message about a target that cannot exist shows what was typed."""
    assert given("target", typed) == expected


def test_fault_in_the_environment() -> None:
    """A bad value of a variable is reported with the variable's name."""
    with pytest.raises(UsageError, match=r"^POLYLOCK_THREADS: must be"):
        load_settings({}, {"POLYLOCK_THREADS": "x"}, None)


def test_passwords_are_not_repeated() -> None:
    """A bad index URL is refused without its password."""
    with pytest.raises(UsageError) as caught:
        given("index_url", "ftp://user:secret@index.example.com")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("~", Path("/home/me")),
        ("~/cache", Path("/home/me/cache")),
        ("~other/cache", Path("~other/cache")),
        ("a~/b", Path("a~/b")),
    ],
)
def test_home(text: str, expected: Path) -> None:
    """The tilde is the home directory of the environment that was handed in."""
    assert given("cache_dir", text, HOME="/home/me") == expected


def test_paths_of_the_user_file(tmp_path: Path) -> None:
    """A relative path in the user's file is relative to that file."""
    path = tmp_path / "config.toml"
    path.write_text('cache-dir = "here"\n', encoding="utf-8")
    assert load_settings({}, {}, path).cache_dir == tmp_path / "here"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://index.example.com/simple/", None),
        ("http://127.0.0.1:8000/", None),
        ("https://user:password@index.example.com", None),
        ("file:///srv/simple", None),
        ("https://", "is not the base URL of an index"),
        ("file://", "is not the base URL of an index"),
        ("https://index.example.com/simple#a", "is not the base URL of an index"),
        ("https://index.example.com/sim ple", "is not the base URL of an index"),
        ("https://index.example.com:x/", "is not a valid URL"),
        ("https://[::1/", "is not a valid URL"),
        ("index.example.com", "must begin with one of http://, https://, file://"),
    ],
)
def test_index_url(url: str, problem: str | None) -> None:
    """The base URL of an index has a scheme that is known, and a place."""
    found: Any = index_url_problem(url)
    assert found == problem
