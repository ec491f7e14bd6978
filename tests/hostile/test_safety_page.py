"""The page on safety names every kind of hostile file and answer that is tested."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.odd_wheels import (
    HOSTILE,
    PIP_INSTALLS,
    REPAIRED,
    TAKEN,
    UV_INSTALLS,
    UV_REFUSES,
)

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
    ("Source distributions", "build/test_sdist.py", "HOSTILE"),
    ("Answers of servers", "hostile/test_servers.py", "ANSWERS"),
    ("Streams of bytes", "hostile/test_servers.py", "STREAMS"),
    ("Indexes that are checked", "cli/test_hostile_indexes.py", "HOSTILE"),
    ("Input without bounds", "hostile/test_limits.py", "KINDS"),
    ("What a lock file may not say", "lockfile/test_read.py", "REFUSED"),
    ("Lock files that were changed", "operations/inspect/test_vouching.py", "CHANGES"),
    ("Words", "cli/test_hostile_words.py", "PLACES"),
    ("A second .dist-info", "installation/test_execute.py", "SECOND_INFOS"),
    (
        "Wheels in a bundle",
        "operations/exchange/test_plain_metadata.py",
        "LIES",
    ),
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


def rows(title: str) -> list[list[str]]:
    """Return the rows of the table in a section."""
    section = PAGE.read_text("utf-8").partition(f"### {title}")[2].partition("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def wheel_kinds() -> dict[str, tuple[str, bool, bool]]:
    """Return what becomes of each odd wheel, and whether pip and uv install it."""
    found = {
        name: ("refused", name in PIP_INSTALLS, name in UV_INSTALLS) for name in HOSTILE
    }
    found |= {name: ("repaired", True, name not in UV_REFUSES) for name in REPAIRED}
    return found | {name: ("taken", True, name not in UV_REFUSES) for name in TAKEN}


def test_the_page_says_what_becomes_of_every_wheel() -> None:
    """A row for each kind: what polylock does with it, what pip and uv do."""
    words = {True: "installs", False: "refuses"}
    expected = [
        [name, verdict, words[pip], words[uv]]
        for name, (verdict, pip, uv) in wheel_kinds().items()
    ]
    assert rows(f"Wheels: {len(expected)} kinds") == expected


def specifiers() -> dict[str, str]:
    """Return what each invalid specifier means."""
    file = "model/test_specifier_repairs.py"
    repaired: Any = kinds(file, "REPAIRED")
    return dict(repaired) | dict.fromkeys(kinds(file, "UNCLEAR"), "refused")


def test_the_page_has_every_repair_of_a_specifier() -> None:
    """Each with its meaning, and those that have none."""
    found = rows(f"Version specifiers: {len(specifiers())} kinds")
    assert {a.strip("`"): b.strip("`") for a, b in found} == specifiers()


def test_the_page_has_every_limit() -> None:
    """The table has each limit as the code does, and no other."""
    limits: Any = kinds("hostile/test_limits.py", "LIMITS")
    table = PAGE.read_text("utf-8").partition("| ---: |\n")[2].partition("\n\n")[0]
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()]
    assert {name: int(text.replace(",", "")) for name, text in rows} == limits


def test_the_page_counts_all_of_them() -> None:
    """At least 50 kinds, and the sum is right."""
    total = sum(len(kinds(file, table)) for _, file, table in TABLES)
    total += len(wheel_kinds()) + len(specifiers())
    assert total >= 50
    assert f"The {total} kinds" in " ".join(PAGE.read_text("utf-8").split())
