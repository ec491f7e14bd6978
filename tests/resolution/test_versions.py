"""Masks agree with packaging."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from polylock.resolution.versions import (
    VersionTable,
    names_prerelease,
    positions,
    satisfies,
)

if TYPE_CHECKING:
    from polylock.model.distributions import Releases


def table(*versions: str) -> tuple[VersionTable, list[str]]:
    """Return a table of these versions and their texts in ascending order."""
    ordered = [str(v) for v in sorted({Version(version) for version in versions})]
    finals = sum(
        1 << at for at, v in enumerate(ordered) if not Version(v).is_prerelease
    )
    releases = SimpleNamespace(versions=ordered, finals=finals, fingerprint="")
    return VersionTable(cast("Releases", releases)), ordered


def chosen(mask: int, ordered: list[str]) -> list[str]:
    """Return the versions whose bits are set."""
    return [version for at, version in enumerate(ordered) if mask >> at & 1]


EVERY_KIND = (
    "0.9",
    "1.0.dev1",
    "1.0a1",
    "1.0rc1",
    "1.0",
    "1.0+cpu",
    "1.0.post1",
    "1.0.1",
    "1.1.dev0",
    "1.1",
    "2",
    "2.0.post1.dev3",
    "10.0",
    "1!0.5",
)


@pytest.mark.parametrize(
    "specifier",
    [
        ">1.0",
        ">=1.0",
        "<1.0",
        "<=1.0",
        "==1.0",
        "==1.0+cpu",
        "!=1.0",
        "==1.*",
        "!=1.0.*",
        "~=1.0",
        "~=1.0.1",
        "===1.0",
        ">1.0.post0",
        "<1.0rc1",
        ">=2,<10,!=2.0",
        "==1!0.*",
        ">1!0",
        "",
    ],
)
def test_mask_is_what_contains_answers(specifier: str) -> None:
    """A mask has the bit of each version that ``contains`` accepts."""
    versions, ordered = table(*EVERY_KIND)
    wanted = SpecifierSet(specifier)
    expected = [v for v in ordered if wanted.contains(v, prereleases=True)]
    assert expected == chosen(versions.mask(specifier), ordered)


@pytest.mark.property
def test_mask_is_what_contains_answers_for_random_versions() -> None:
    """10,000 random specifiers over random versions: no difference."""
    source = random.Random(20261122)

    def version() -> str:
        numbers = [source.choice((0, 0, 1, 2, 3, 10)) for _ in range(4)]
        text = ".".join(map(str, numbers[: source.randint(1, 4)]))
        text = source.choice(("", "", "", "1!")) + text
        text += source.choice(("", "", "", "a1", "b2", "rc1"))
        text += source.choice(("", "", "", ".post0", ".post2"))
        text += source.choice(("", "", "", "", ".dev1"))
        return text + source.choice(("", "", "", "+cpu", "+cu118", "+1"))

    compared = 0
    while compared < 10_000:
        versions, ordered = table(*(version() for _ in range(20)))
        for _ in range(20):
            operator = source.choice(
                ("==", "!=", "<", "<=", ">", ">=", "~=", "===", "==*", "!=*")
            )
            text = version()
            if operator.endswith("*"):
                text = operator[:-1] + Version(text).base_version + ".*"
            elif operator in {"==", "!=", "==="}:
                text = operator + text
            else:
                text = operator + text.partition("+")[0]
            try:
                wanted = SpecifierSet(text)
            except InvalidSpecifier:
                continue
            expected = [v for v in ordered if wanted.contains(v, prereleases=True)]
            assert expected == chosen(versions.mask(text), ordered), text
            compared += 1


def test_finals_are_the_versions_that_are_no_prereleases() -> None:
    """The table knows which bits are pre-releases, and which texts name one."""
    versions, ordered = table("1.0", "2.0rc1", "3.0.dev1", "3.0.post1")
    assert chosen(versions.finals, ordered) == ["1.0", "3.0.post1"]
    assert names_prerelease(">=2.0rc1")
    assert not names_prerelease(">=2.0")


def test_positions_go_from_the_highest_or_the_lowest() -> None:
    """Bits are listed in the order in which versions are tried."""
    assert list(positions(0b10110)) == [4, 2, 1]
    assert list(positions(0b10110, lowest_first=True)) == [1, 2, 4]


def test_position_finds_a_version_in_any_spelling() -> None:
    """1.0.0 is the version that the table has as 1.0."""
    versions, _ = table("0.9", "1.0")
    assert versions.position("1.0.0") == 1
    assert versions.position("1.1") is None


def test_unreadable_requires_python_is_met_by_nothing() -> None:
    """A specifier from before PEP 440 rules a file out instead of failing."""
    assert not satisfies(">=3.6.*", "3.12.999")
    assert satisfies(">=3.6", "3.12.999")
