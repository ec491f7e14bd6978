"""``polylock report`` is a table of projects and targets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fakes.server import Index, Server
from fakes.wheels import build_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.command_line import CommandLine


def test_projects_down_and_targets_across(demo: CommandLine) -> None:
    """A label in parentheses, a dash where nothing is installed, sums at the end."""
    lines = demo.succeed("report").out.splitlines()
    rows = {line.split()[0]: line for line in lines if not line.startswith("-")}
    assert rows["project"].split() == ["project", "h100", "mac", "here"]
    assert rows["tensordemo"].split()[1:5] == ["3.1.0", "(cuda13.0)", "3.1.0", "(null)"]
    assert rows["tensordemo-compiler"].split()[1:] == ["1.1.0", "-", "-"]
    assert rows["projects"].split()[1] == "9"
    assert rows["download"].split()[2] == "kB"


def test_one_target_has_one_column(demo: CommandLine) -> None:
    """With a group named, what only others need is left out."""
    told = demo.succeed("report", "--target", "h100", "--group", "test").out
    assert told.splitlines()[0].split() == ["project", "h100"]
    assert "plainlib-testing" in told
    assert "abikit" not in told


def test_narrow_terminal_folds_the_columns(demo: CommandLine) -> None:
    """Columns that do not fit are below the others, each block with its header."""
    demo.set("COLUMNS", "50")
    lines = demo.succeed("report").out.splitlines()
    assert max(map(len, lines)) <= 50
    assert sum(line.startswith("project ") for line in lines) > 1


def test_page_is_written_instead_of_the_table(demo: CommandLine) -> None:
    """The file is told on stderr; stdout has nothing."""
    told = demo.succeed("report", "--html", "report.html")
    assert told.out == ""
    assert told.err.startswith("wrote report.html: ")
    assert told.err.endswith("projects for 3 targets\n")
    page = (demo.directory / "report.html").read_text("utf-8")
    assert '"label":"cuda13.0"' in page
    assert demo.succeed("report", "-q", "--html", "report.html").err == ""


def test_page_and_json_go_together(demo: CommandLine) -> None:
    """The document is on stdout, the page in its file."""
    told = demo.succeed("report", "--target", "mac", "--html", "a.html", "--json")
    assert [each["name"] for each in json.loads(told.out)["targets"]] == ["mac"]
    assert "h100" not in (demo.directory / "a.html").read_text("utf-8")


def test_page_that_cannot_be_written_is_an_error(demo: CommandLine) -> None:
    """The message names the file."""
    told = demo("report", "--html", "missing/report.html")
    assert told.code == 2
    assert "report.html" in told.err


CHOSEN = """\
[project]
name = "demo"
version = "1"
dependencies = ["plainlib==1.2.0"]
[tool.polylock]
prefer-variants = ["tensordemo@cuda13.0"]
[tool.polylock.targets.box]
platform = "linux-x86_64"
python = "3.12"
[tool.polylock.targets.other]
platform = "linux-x86_64"
python = "3.12"
"""


def test_notes_on_the_lock_follow_the_table(polylock: CommandLine) -> None:
    """They are those of ``lock``, of the targets shown, and asked for with newer."""
    polylock.write(CHOSEN)
    polylock.succeed("lock")
    yanked = "plainlib 1.2.0 on box is yanked"
    told = polylock.succeed("report", "--outdated", "--target", "box").out
    assert f"note: {yanked}" in told
    document = polylock.succeed("report", "--outdated", "--json").json
    pin, setting = document["notes"]
    assert (pin["project"], pin["targets"]) == ("plainlib", ["box", "other"])
    assert setting["key"] == "tool.polylock.prefer-variants"
    assert setting["targets"] == []
    assert "tensordemo@cuda13.0" in setting["text"]
    polylock.succeed("report", "--outdated", "--html", "report.html")
    assert "is yanked" in polylock.read("report.html")
    assert polylock.succeed("report", "--json").json["notes"] is None
    assert "yanked" not in polylock.succeed("report").out


def test_no_notes_on_a_lock_that_is_out_of_date(polylock: CommandLine) -> None:
    """A solve of the changed project would be about another lock file."""
    polylock.write(CHOSEN)
    polylock.succeed("lock")
    polylock.write(CHOSEN.replace("==1.2.0", ">=1"))
    ran = polylock.succeed("report", "--outdated", "--json")
    assert ran.json["notes"] is None
    assert "no notes on a lock file that is out of date" in ran.err


def test_a_pin_that_was_yanked_since_is_told(
    polylock: CommandLine, tmp_path: Path
) -> None:
    """A new lock would take another, and the notes are on the lock that there is."""
    wheels = [build_wheel(tmp_path, "numpy", version) for version in ("2.3", "2.4")]
    with Server() as server:
        index = Index(server)
        index.add("numpy", wheels)
        polylock.set("POLYLOCK_INDEX_URL", index.url)
        polylock.write(CHOSEN.replace("plainlib==1.2.0", "numpy"))
        polylock.succeed("lock")
        page = server.routes[index.page("numpy")].body
        document = json.loads(page)
        document["files"][1]["yanked"] = "wrong results"
        server.change(index.page("numpy"), body=json.dumps(document).encode())
        told = polylock.succeed("report", "--outdated", "--refresh").out
    assert (
        "note: numpy 2.4 on box, other is yanked (wrong results); "
        "`polylock lock --upgrade-package numpy` locks another version"
    ) in told
