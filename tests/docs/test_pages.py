"""Every example of README.md and docs/ that can run does run, and prints what is shown.

``tests/pages`` says by which convention; ``make docs-output`` writes what commands
print into the pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pages.compare import agrees
from pages.hosts import ROOT, Hosts
from pages.markdown import Console, File, Hidden, Other, read_page
from pages.play import play, rewritten
from pages.session import Session, why_not_here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
RAN = tuple(
    page
    for page in PAGES
    if any(isinstance(s, Console | Hidden) for s in read_page(page.read_text("utf-8")))
)
HINDRANCES = (
    "a CI service",
    "a docker daemon",
    "a GPU",
    "a keyring",
    "a lock without variant wheels",
    "a package index",
    "a provider package",
    "a web service",
    "conda",
    "macOS",
)
"""What an example may need that the tests have not."""


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    """Serve what pages call example.com, for all pages of this process."""
    with Hosts(tmp_path_factory.mktemp("hosts")) as served:
        yield served


def _skip_unless_here(page: str) -> None:
    hindrance = why_not_here(page)
    if hindrance:
        pytest.skip(hindrance)


@pytest.fixture
def session(hosts: Hosts, tmp_path: Path) -> Iterator[Session]:
    """Make a terminal for pages that install nothing."""
    _skip_unless_here("")
    with Session(tmp_path, hosts, page="") as made:
        yield made


@pytest.mark.parametrize("page", RAN, ids=_name)
def test_page_shows_what_its_commands_print(
    page: Path, hosts: Hosts, tmp_path: Path
) -> None:
    """A page typed from top to bottom by a reader prints what the page shows."""
    text = page.read_text("utf-8")
    _skip_unless_here(text)

    with Session(tmp_path, hosts, page=text) as session:
        complaints = [each.complaint for each in play(text, session) if each.complaint]

    assert "\n".join(complaints) == ""


def test_what_is_not_run_says_why() -> None:
    """A block that is left out needs something tests do not have; those are few."""
    blocks = [
        (f"{_name(page)}:{step.line}", step)
        for page in PAGES
        for step in read_page(page.read_text("utf-8"))
        if isinstance(step, Console)
    ]
    left_out = {place: block.not_run for place, block in blocks if block.not_run}
    needs = tuple(f"needs {each}" for each in HINDRANCES)

    assert [p for p, reason in left_out.items() if not reason.startswith(needs)] == []
    assert len(left_out) < len(blocks) / 2


def test_output_that_is_not_compared_says_why() -> None:
    """A block whose output varies gives a reason of more than a word or two."""
    reasons = [
        step.varies
        for page in PAGES
        for step in read_page(page.read_text("utf-8"))
        if isinstance(step, Console) and step.varies
    ]

    assert [reason for reason in reasons if len(reason.split()) < 4] == []
    assert len(reasons) < 12


PAGE = """\
Write this into `a/settings.toml`:

```toml
x = 1
```

Add to `a/settings.toml`:

```toml
y = 2
```

```yaml
# .ci.yml
on: push
```

<!-- not shown:
$ export GREETING=hello
-->

The last line, from `a/settings.toml`:

```toml
y = 2
```

```console
$ cat a/settings.toml
x = 1

y = 2
$ cd a
$ echo $GREETING \\
  you
hello you
$ pwd
/home/you/project/a
```

<!-- not run: needs a GPU -->

```console
$ nvidia-smi
```

`[project]`:

```toml
z = 3
```
"""


def test_page_is_read_as_a_reader_reads_it() -> None:
    """Files are named by the sentence or the first line, and comments mark blocks."""
    steps = read_page(PAGE)

    files = [(s.name, s.appended) for s in steps if isinstance(s, File)]
    assert files == [
        ("a/settings.toml", False),
        ("a/settings.toml", True),
        (".ci.yml", False),
    ]
    consoles = [step for step in steps if isinstance(step, Console)]
    assert [len(block.commands) for block in consoles] == [4, 1]
    assert [block.not_run for block in consoles] == ["", "needs a GPU"]
    assert [step.text for step in steps if isinstance(step, Other)] == ["z = 3\n"]


def test_example_page_is_played(session: Session) -> None:
    """Files are written, directories and variables last, and the output is compared."""
    assert [each.complaint for each in play(PAGE, session) if each.complaint] == []


def test_excerpt_that_is_not_in_the_file_is_a_complaint(session: Session) -> None:
    """Lines one below the other have to stand so in the file; dots skip some."""
    page = "`a.txt`:\n\n```\none\ntwo\nthree\n```\n\nFrom `a.txt`:\n\n```\n{}\n```\n"

    def complaints(excerpt: str) -> list[str]:
        text = page.format(excerpt)
        return [each.complaint for each in play(text, session) if each.complaint]

    assert complaints("two\nthree") == []
    assert complaints("one\n...\nthree") == []
    assert complaints("one\nthree") == ["line 11: this is not in a.txt"]


def test_other_output_is_a_complaint_and_is_mended(session: Session) -> None:
    """A page that shows something else is told so, and written with what is printed."""
    page = "```console\n$ echo one\ntwo\n$ echo three\nthree\n```\n"

    played = list(play(page, session))

    assert "the page shows\n  two\n it prints\n  one" in played[0].complaint
    assert played[1].complaint == ""
    assert rewritten(page, played) == page.replace("two", "one")


def test_failure_that_is_not_shown_is_a_complaint(session: Session) -> None:
    """A command may fail where the page shows the error or asks for the exit code."""
    silent = "```console\n$ false\n```\n"
    asked = "```console\n$ false\n$ echo $?\n1\n```\n"
    told = "```console\n$ polylock lokc\n...\nError: No such command 'lokc'. \
Did you mean lock?\n```\n"

    def complaints(page: str) -> list[str]:
        return [each.complaint for each in play(page, session) if each.complaint]

    assert len(complaints(silent)) == 1
    assert complaints(asked) == []
    assert complaints(told) == []


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("a b", "a b", True),
        ("a b", "a c", False),
        ("a ...", "a b c", True),
        ("... c", "a b c", True),
        ("a ... c ... e", "a b c d e", True),
        ("a ... c", "a b d", False),
        ("...", "", True),
        ("a", "a b", False),
        ("", "a", False),
    ],
)
def test_elision_stands_for_any_lines(
    shown: str,
    printed: str,
    expected: bool,  # noqa: FBT001 - a case of the table
) -> None:
    """Three dots on a line stand for any lines, and for nothing else."""
    assert agrees(shown.split(), printed.split()) is expected


def test_times_and_the_release_are_not_compared() -> None:
    """Times, the patch release of Python and the release of polylock may be others."""
    assert agrees(["polylock 0.1.0 in 0.3 s"], ["polylock 1.20.0 in 12 s"])
    assert agrees(["Python 3.13.0"], ["Python 3.13.9"])
    assert not agrees(["demo 0.1.0"], ["demo 0.1.1"])


def test_hosts_of_the_pages_are_served_here(hosts: Hosts) -> None:
    """A URL of a known host leads to loopback and back; others stay."""
    page = "https://you:secret@wheels.example.com/simple/ https://a.example.com/x"

    here = hosts.served_here(page)

    assert here.startswith("http://you:secret@127.0.0.1:")
    assert here.endswith(" https://a.example.com/x")
    assert hosts.as_written(here) == page
