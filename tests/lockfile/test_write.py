"""The text of lock files, byte for byte."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from fakes.lock_scenarios import SCENARIOS
from polylock.lockfile.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from polylock.lockfile.read import read_pylock
from polylock.lockfile.write import pylock_text
from polylock.values import replace

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_encode_writes_the_golden_file(name: str) -> None:
    """The same resolutions give the same bytes, those of the golden file."""
    text = pylock_text(SCENARIOS[name]().assemble())

    assert text == (GOLDEN / f"{name}.toml").read_bytes().decode()


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_encode_is_undone_by_decode(name: str) -> None:
    """What was written is read back as it was, and written again the same."""
    pylock = SCENARIOS[name]().assemble()

    again = read_pylock(pylock_text(pylock), "pylock.toml")

    assert again == pylock
    assert pylock_text(again) == pylock_text(pylock)


def test_encode_does_not_mind_the_order_of_packages() -> None:
    """Packages given in another order give the same text."""
    pylock = SCENARIOS["platforms"]().assemble()

    assert pylock_text(
        replace(pylock, packages=tuple(reversed(pylock.packages)))
    ) == pylock_text(pylock)


def test_encode_sorts_versions_as_versions() -> None:
    """2.9 comes before 2.10."""
    wheel = PackageWheel(url="https://example.com/x", hashes={"sha256": "0"})
    packages = tuple(
        Package(name="a", version=version, wheels=(wheel,))  # type: ignore[arg-type]
        for version in ("2.10", "2.9")
    )

    document = tomllib.loads(pylock_text(Pylock(created_by="t", packages=packages)))

    assert [package["version"] for package in document["packages"]] == ["2.9", "2.10"]


def test_encode_keeps_sources_and_the_data_of_other_tools() -> None:
    """A lock file of another tool loses nothing by being read and written."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    archive = PackageArchive(
        url="https://example.com/a.zip",
        size=3,
        upload_time=moment,
        hashes={"sha512": "1", "sha256": "0"},
        subdirectory="sub",
    )
    pylock = Pylock(
        created_by="another",
        packages=(
            Package(name="a", archive=archive),  # type: ignore[arg-type]
            Package(
                name="b",  # type: ignore[arg-type]
                directory=PackageDirectory(path="../b", editable=True),
                attestation_identities=({"kind": "Publisher", "claims": [1, 2.5]},),
                tool={"x": {"deep": {"b": [{"c": 1}], "a": moment}}},
            ),
            Package(
                name="c",  # type: ignore[arg-type]
                vcs=PackageVcs(
                    type="git", url="https://example.com/c.git", commit_id="abc"
                ),
                tool={"plain": 1, "list": [{"a": 1}], "z": {}},
            ),
        ),
        tool={"quoted key.": {"run-on": datetime(2026, 1, 2)}},  # noqa: DTZ001
    )

    again = read_pylock(pylock_text(pylock), "pylock.toml")

    assert again == pylock
    found = again.packages[0].archive
    assert found is not None
    assert found.upload_time is not None
    assert found.upload_time.tzinfo is UTC


def test_encode_writes_an_empty_lock_file() -> None:
    """A project without packages has a lock file that can be read."""
    pylock = Pylock(created_by="polylock")

    assert pylock_text(pylock) == (
        'lock-version = "1.0"\ncreated-by = "polylock"\npackages = []\n'
    )
    assert read_pylock(pylock_text(pylock), "pylock.toml") == pylock
