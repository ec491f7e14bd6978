"""What is read from a pylock.toml, of whichever tool."""

from __future__ import annotations

import pytest

from fakes.foreign import TARGETS, parse, recorded, versions_for
from polylock.errors import ForeignLockInvalid

HEAD = 'lock-version = "1.0"\ncreated-by = "other"\n'


def test_each_target_gets_the_version_of_its_marker() -> None:
    """Of several versions the one counts whose marker holds there."""
    lock = recorded("pylock.uv.toml")
    assert lock.tool == "uv"
    assert versions_for(lock, "linux-py311")["lib"] == "1.0"
    assert versions_for(lock, "linux")["lib"] == "2.0"
    assert versions_for(lock, "windows")["split"] == "1.0"
    (tool,) = (pin for pin in lock.pins if pin.name == "tool")
    assert list(tool.files) == ["tool-1.5-py3-none-any.whl"]


def test_a_target_takes_its_own_pins_from_a_lock_with_the_same_target() -> None:
    """In a lock file of polylock a group of the target's name is that target."""
    wheel = 'wheels = [{{ name = "a-{0}-py3-none-any.whl", url = "https://x/{0}", '
    wheel += 'hashes = {{ sha256 = "0{0}" }} }}]\n'
    text = HEAD + "".join(
        f'[[packages]]\nname = "a"\nversion = "{version}"\n'
        f"marker = \"'{group}' in dependency_groups\"\n{wheel.format(version)}"
        for version, group in [("1", "linux"), ("2", "other")]
    )
    lock = parse(text, "pylock.toml")
    assert versions_for(lock, "linux") == {"a": "1"}
    assert versions_for(lock, "windows") == {"a": "2"}
    assert set(TARGETS) >= {"linux", "windows"}


def test_what_comes_from_no_index_is_named() -> None:
    """A tree has no version that an index could have."""
    text = HEAD + '[[packages]]\nname = "a"\ndirectory = { path = "a" }\n'
    assert [entry.name for entry in parse(text, "pylock.toml").skipped] == ["a"]


def test_bad_version() -> None:
    """A version that is none is an error."""
    text = HEAD + (
        '[[packages]]\nname = "a"\nversion = "one"\n'
        'sdist = { url = "https://x/a.zip", hashes = { sha256 = "00" } }\n'
    )
    with pytest.raises(ForeignLockInvalid, match="version: 'one' is not a version"):
        parse(text, "pylock.toml")


def test_unknown_version() -> None:
    """Another major version of the format is an error."""
    with pytest.raises(ForeignLockInvalid, match="lock-version: "):
        parse(HEAD.replace("1.0", "2.0") + "packages = []\n", "pylock.toml")
