"""What fuzzing found once is taken well ever after, and so are seeds and their kin."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from fuzz.corpus_files import complaint, corpus
from fuzz.mutations import mutated
from fuzz.parsers import PARSERS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.name)
def test_what_was_found_is_taken_well(path: Path) -> None:
    """Each file of the corpus ends in no error but those that its parser promises."""
    name = path.name.rpartition("-")[0]
    assert complaint(name, path.read_bytes()) is None


@pytest.mark.parametrize("name", PARSERS)
def test_seeds_are_good(name: str) -> None:
    """Changes begin with input that the parser takes."""
    for seed in PARSERS[name].seeds:
        assert complaint(name, seed) is None
    PARSERS[name].read(PARSERS[name].seeds[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_changed_input_is_taken_well(name: str) -> None:
    """A few thousand changes of each seed, the same ones every time."""
    random = Random(1)
    seeds = PARSERS[name].seeds
    for _ in range(2000):
        content = mutated(seeds, random)
        assert complaint(name, content) is None, content[:2000]
