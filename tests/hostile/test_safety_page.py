"""The page on safety names every kind of hostile file and answer that is tested."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "reference" / "safety.md"


def kinds(file: str, table: str) -> Collection[str]:
    """Return the kinds of a table of a test module."""
    spec = spec_from_file_location(f"of_{Path(file).stem}", TESTS / file)
    assert spec is not None
    assert spec.loader is not None
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Collection[str] = getattr(module, table)
    return found


TABLES = [
    ("Wheels", "installation/test_unpack.py", "HOSTILE"),
    ("Source distributions", "build/test_sdist.py", "HOSTILE"),
    ("Answers of servers", "hostile/test_servers.py", "ANSWERS"),
    ("Streams of bytes", "hostile/test_servers.py", "STREAMS"),
    ("Input without bounds", "hostile/test_limits.py", "KINDS"),
    ("What a lock file may not say", "lockfile/test_read.py", "REFUSED"),
    ("Lock files that were changed", "operations/inspect/test_vouching.py", "CHANGES"),
    ("Words", "cli/test_hostile_words.py", "PLACES"),
    ("A second .dist-info", "installation/test_execute.py", "SECOND_INFOS"),
    ("In the way", "installation/test_execute.py", "IN_THE_WAY"),
    ("Edits of the lock file", "hostile/lock_edits.py", "EDITS"),
    ("Damage in the cache", "installation/test_link.py", "DAMAGES"),
]


@pytest.mark.parametrize(("title", "file", "table"), TABLES)
def test_the_page_names_and_counts_every_kind(
    title: str, file: str, table: str
) -> None:
    """Each kind of a table is in its section, whose heading has their number."""
    page = PAGE.read_text("utf-8")
    names = kinds(file, table)
    heading = f"### {title}: {len(names)} kinds"
    assert heading in page
    section = page.partition(heading)[2].partition("\n#")[0]
    listed = re.sub(r"\s+", " ", section.partition("`\n\n")[2].partition(".\n")[0])
    assert listed.split("; ") == list(names)


def test_the_page_has_every_limit() -> None:
    """The table has each limit as the code does, and no other."""
    limits: Any = kinds("hostile/test_limits.py", "LIMITS")
    table = PAGE.read_text("utf-8").partition("| ---: |\n")[2].partition("\n\n")[0]
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()]
    assert {name: int(text.replace(",", "")) for name, text in rows} == limits


def test_the_page_counts_all_of_them() -> None:
    """At least 50 kinds, and the sum is right."""
    total = sum(len(kinds(file, table)) for _, file, table in TABLES)
    assert total >= 50
    assert f"The {total} kinds" in " ".join(PAGE.read_text("utf-8").split())
