"""Invalid version specifiers: what is repaired, and what is not clear."""

from __future__ import annotations

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.model.specifier_repairs import repaired_specifier

REPAIRED = {
    ">=1.0.*": ">=1.0",
    ">=2.*": ">=2",
    "<3.4.*": "<3.4",
    ">=2.7,!=3.0*,!=3.1*": ">=2.7,!=3.0.*,!=3.1.*",
    ">=3.0*": ">=3.0",
    ">=7.2.0<8.0.0": ">=7.2.0,<8.0.0",
    ">=1 <2": ">=1,<2",
    "!=~5.0,>=4.12": "!=5.0.*,>=4.12",
    ">= '2.7'": ">= 2.7",
    ">=3.6'": ">=3.6",
    ">dev": ">0.0.0.dev0",
    ">=9.0.0a1.0": ">=9.0.0a1",
}
"""What published metadata says, and what it means."""

UNCLEAR = ["~=1.0.*", "==1.0.*.*", ">=1.0-dev.x", ">=one", "1.0", "=>1.0", "^1.0", "'"]
"""What has no one meaning: no tool reads all of them alike."""


@pytest.mark.parametrize("text", REPAIRED)
def test_a_specifier_that_is_invalid_and_clear_is_repaired(text: str) -> None:
    """Packaging refuses it as written, and takes what it means."""
    with pytest.raises(InvalidSpecifier):
        SpecifierSet(text)
    assert repaired_specifier(text) == REPAIRED[text]
    assert SpecifierSet(REPAIRED[text]) is not None


@pytest.mark.parametrize("text", UNCLEAR)
def test_a_specifier_that_is_not_clear_stays_invalid(text: str) -> None:
    """No meaning is guessed."""
    assert repaired_specifier(text) is None


@pytest.mark.parametrize(
    "text",
    ["==1.0.*", "!=2.*", "~=1.4", ">=1,<2", "===1.0*", "==1.0+local", ">=1!2.0a1", ""],
)
def test_a_valid_specifier_stays_as_it_is(text: str) -> None:
    """Nothing is normalized on the way."""
    assert repaired_specifier(text) == text


def metadata(line: str) -> CoreMetadata:
    """Return metadata with one requirement."""
    return CoreMetadata.parse(f"Name: a\nVersion: 1\nRequires-Dist: {line}\n".encode())


@pytest.mark.parametrize("text", REPAIRED)
@pytest.mark.parametrize(
    "form", ["dep{}", "dep ({})", "dep[x] {}", "dep {} ; python_version >= '3.7'"]
)
def test_requirements_of_metadata_are_repaired(text: str, form: str) -> None:
    """With extras, markers and parentheses; markers keep their quotes."""
    expected = Requirement.parse(form.format(REPAIRED[text]))
    assert metadata(form.format(text)).requires_dist == (expected,)


def test_commas_of_requirements_are_repaired() -> None:
    """Packaging takes them in a set of specifiers, and not in a requirement."""
    expected = Requirement.parse("dep>=3.6,<4")
    assert metadata("dep >=3.6,,<4").requires_dist == (expected,)
    assert metadata("dep (,>=3.6,<4,)").requires_dist == (expected,)


@pytest.mark.parametrize("text", UNCLEAR)
def test_metadata_that_is_not_clear_is_invalid(text: str) -> None:
    """The line is named, as it is written."""
    with pytest.raises(InvalidCoreMetadata) as caught:
        metadata(f"dep {text}")
    assert caught.value.line == f"Requires-Dist: dep {text}"


@pytest.mark.parametrize("text", ["dep @ https://example.com/a>=1.0.*", "dep>=1; x ="])
def test_urls_and_markers_are_not_repaired(text: str) -> None:
    """Only version specifiers have faults with one meaning."""
    if "@" in text:
        assert metadata(text).requires_dist[0].url is not None
        return
    with pytest.raises(InvalidCoreMetadata):
        metadata(text)


@pytest.mark.parametrize("text", [*REPAIRED, *UNCLEAR])
def test_the_project_itself_must_be_right(text: str) -> None:
    """What the user writes is an error that the user can mend."""
    with pytest.raises(InvalidRequirement):
        Requirement.parse(f"dep {text}")
