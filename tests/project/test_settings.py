"""Settings from flags, environment, the user's file and defaults."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs
import pytest

from polylock.errors import UsageError
from polylock.project.setting_values import Kind
from polylock.project.settings import (
    SETTINGS,
    Settings,
    default_index_url,
    default_user_file,
    load_settings,
)


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    """Return a user's configuration file that sets three keys."""
    path = tmp_path / "polylock" / "config.toml"
    path.parent.mkdir()
    path.write_text('threads = 3\ntimeout = 4\nlink-mode = "copy"\n', encoding="utf-8")
    return path


def test_defaults() -> None:
    """Without anything said, every setting has its default."""
    settings = load_settings({}, {}, None)
    assert settings == Settings(cache_dir=settings.cache_dir)
    assert settings.cache_dir.is_absolute()
    assert settings.threads == 8
    assert settings.index_url is None


def test_precedence(user_file: Path) -> None:
    """A flag beats the environment, which beats the user's file, which the default."""
    environ = {"POLYLOCK_THREADS": "5", "POLYLOCK_TIMEOUT": "6"}
    settings = load_settings({"threads": 7}, environ, user_file)
    assert (settings.threads, settings.timeout, settings.link_mode) == (7, 6.0, "copy")
    assert settings.compile is False


def test_flags_that_were_not_given(user_file: Path) -> None:
    """A flag that is None and an empty variable say nothing."""
    settings = load_settings({"threads": None}, {"POLYLOCK_THREADS": ""}, user_file)
    assert settings.threads == 3


def test_an_off_flag_counts() -> None:
    """A flag that is false is given, and beats the environment."""
    environ = {"POLYLOCK_OFFLINE": "1"}
    assert load_settings({}, environ, None).offline is True
    assert load_settings({"offline": False}, environ, None).offline is False


def test_missing_user_file(tmp_path: Path) -> None:
    """The user's file need not exist."""
    settings = load_settings({}, {}, tmp_path / "config.toml")
    assert settings.threads == 8


def test_every_setting_from_the_environment() -> None:
    """Every setting can be given by its variable."""
    samples = {
        Kind.TEXT: "text",
        Kind.NAME: "A_a",
        Kind.URL: "https://index.example.com/simple",
        Kind.PATH: "some/pylock.toml",
        Kind.SWITCH: "yes",
        Kind.NAMES: "b, A_a",
        Kind.WHOLE: "2",
        Kind.SECONDS: "2.5",
    }
    expected = {
        Kind.TEXT: "text",
        Kind.NAME: "a-a",
        Kind.URL: "https://index.example.com/simple",
        Kind.PATH: Path("some/pylock.toml"),
        Kind.SWITCH: True,
        Kind.NAMES: ("a-a", "b"),
        Kind.WHOLE: 2,
        Kind.SECONDS: 2.5,
    }
    for definition in SETTINGS:
        choice = definition.choices[-1] if definition.choices else None
        text = choice or samples[definition.kind]
        settings = load_settings({}, {definition.environment: text}, None)
        found = getattr(settings, definition.name)
        assert found == (choice or expected[definition.kind]), definition.name


def test_the_table_defines_every_field() -> None:
    """Each field of Settings has a definition, save those found in other ways."""
    names = {definition.name for definition in SETTINGS}
    assert names == set(Settings.__struct_fields__) - {
        "index_variables",
        "netrc",
    }
    for spelled in ("flag", "environment"):
        assert len({getattr(setting, spelled) for setting in SETTINGS}) == len(SETTINGS)


def test_unknown_flag() -> None:
    """A flag without a definition is a mistake of the caller."""
    with pytest.raises(LookupError, match="thread"):
        load_settings({"thread": 1}, {}, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thread = 3\n", "{file}: thread: is not a known key"),
        ('project = "x"\n', "{file}: project: is not a known key"),
        ('threads = "3"\n', "{file}: threads: must be a whole number, not a string"),
        ("threads = true\n", "{file}: threads: must be a whole number, not a boolean"),
        ("threads = 0\n", "{file}: threads: must be from 1 to 64, not 0"),
        ("offline = 1\n", "{file}: offline: must be true or false, not an integer"),
        ("cache-dir = 1\n", "{file}: cache-dir: must be a path, not an integer"),
        ('index-url = "x"\n', "{file}: index-url: must begin with one of"),
        ('link-mode = "junction"\n', "{file}: link-mode: must be one of auto, clone"),
        ("threads = \n", "{file}: is not TOML: Invalid value"),
    ],
)
def test_faults_in_the_user_file(tmp_path: Path, text: str, message: str) -> None:
    """A fault in the user's file is reported with the file and the key."""
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_settings({}, {}, path)
    assert str(caught.value).startswith(message.format(file=path))


def test_close_key_is_suggested(tmp_path: Path) -> None:
    """An unknown key of the user's file comes with the one that is like it."""
    path = tmp_path / "config.toml"
    path.write_text("link_mode = 'copy'\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_settings({}, {}, path)
    assert caught.value.hint() == "did you mean link-mode?"


def test_unreadable_user_file(tmp_path: Path) -> None:
    """A directory in place of the user's file is an error, not a traceback."""
    with pytest.raises(UsageError, match="cannot be read"):
        load_settings({}, {}, tmp_path)


def test_no_color() -> None:
    """Any value of NO_COLOR counts; POLYLOCK_NO_COLOR has priority."""
    assert load_settings({}, {"NO_COLOR": "0"}, None).no_color is True
    assert load_settings({}, {"NO_COLOR": ""}, None).no_color is False
    environ = {"NO_COLOR": "1", "POLYLOCK_NO_COLOR": "0"}
    assert load_settings({}, environ, None).no_color is False


def test_credentials_are_collected_and_never_shown() -> None:
    """The variables of indexes are kept, and stand in no representation."""
    environ = {
        "POLYLOCK_INDEX_MY_INDEX_USERNAME": "me",
        "POLYLOCK_INDEX_MY_INDEX_PASSWORD": "secret-1",
        "POLYLOCK_INDEX_URL": "https://user:secret-2@index.example.com/simple",
        "OTHER_PASSWORD": "secret-3",
    }
    settings = load_settings({}, environ, None)
    assert settings.index_variables == {
        "POLYLOCK_INDEX_MY_INDEX_USERNAME": "me",
        "POLYLOCK_INDEX_MY_INDEX_PASSWORD": "secret-1",
    }
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"NETRC": "some/netrc", "HOME": "/home/me"}, Path("some/netrc")),
        ({"HOME": "/home/me"}, Path("/home/me/.netrc")),
        ({}, None),
    ],
)
def test_netrc(environ: dict[str, str], expected: Path | None) -> None:
    """The netrc file is the one of NETRC, else the one in the home directory."""
    assert load_settings({}, environ, None).netrc == expected


def test_lock_path(tmp_path: Path) -> None:
    """The lock file is beside the project file unless another is named."""
    project = tmp_path / "pyproject.toml"
    assert load_settings({}, {}, None).lock_path(project) == tmp_path / "pylock.toml"
    named = load_settings({"lock_file": "x/pylock.dev.toml"}, {}, None)
    assert named.lock_path(project) == Path("x/pylock.dev.toml")


def test_default_user_file() -> None:
    """The user's file lies in a directory of polylock's own."""
    path = default_user_file({})
    assert path.name == "config.toml"
    assert "polylock" in path.parts


def test_default_index_is_a_simple_api() -> None:
    """The default index has an https URL of a simple API."""
    url = default_index_url()
    assert url.startswith("https://")
    assert url.rstrip("/").endswith("/simple")


@pytest.mark.skipif(sys.platform != "linux", reason="platformdirs is asked elsewhere")
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("XDG_CACHE_HOME", "/caches"),
        ("XDG_CACHE_HOME", "relative"),
        ("XDG_CACHE_HOME", ""),
        ("XDG_CONFIG_HOME", "/configuration/"),
        ("XDG_CONFIG_HOME", "relative"),
        ("HOME", "/home/of/another"),
        ("HOME", "relative"),
        ("HOME", ""),
    ],
)
def test_directories_are_those_of_platformdirs(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """Directories without platformdirs are those of platformdirs."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    configuration = platformdirs.user_config_path("polylock", appauthor=False)
    cache = platformdirs.user_cache_path("polylock", appauthor=False)
    assert default_user_file(os.environ) == configuration / "config.toml"
    assert load_settings({}, os.environ, None).cache_dir == cache
