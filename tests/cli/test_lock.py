"""``polylock lock`` says what it did, and what became of imported pins."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from fakes.sdists import in_tree

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from fakes.command_line import CommandLine

PROJECT = """\
[project]
name = "demo"
version = "1"
dependencies = ["plainlib"]
[tool.polylock.targets.box]
platform = "linux-x86_64"
python = "3.12"
"""


def test_imported_pins_are_told(polylock: CommandLine) -> None:
    """How many were kept, and each that was not, with the reason."""
    polylock.write(PROJECT)
    polylock.write(
        "plainlib==1.0.0\nplainlib-colors==9\nother==1\n-e .\n", "requirements.txt"
    )
    ran = polylock.succeed("lock", "--pins-from", "requirements.txt")
    assert ran.err.splitlines()[-3:] == [
        "wrote pylock.toml: 1 package for 1 target",
        "requirements.txt: 1 pin kept, 2 not needed",
        "  line 4 is not a pin: it is a direct reference",
    ]
    polylock.write("plainlib==0.1\n", "requirements.txt")
    ran = polylock.succeed("lock", "--upgrade", "--pins-from", "requirements.txt")
    assert ran.err.splitlines()[-2:] == [
        "requirements.txt: 0 pins kept, 1 not",
        (
            "  plainlib 0.1 is 1.1.0 for box: the index does not have it: it has 1.0.0 "
            "to 2.0.0"
        ),
    ]
    assert "requirements.txt" not in polylock.read("pylock.toml")


def test_imports_as_json(polylock: CommandLine) -> None:
    """The same is in the document, and nothing of it on stderr."""
    polylock.write(PROJECT)
    polylock.write("plainlib==0.1\n", "a.txt")
    polylock.write("plainlib==1.0.0\nx\n", "b.txt")
    ran = polylock.succeed(
        "lock", "--json", "-q", "--pins-from", "a.txt", "--pins-from", "b.txt"
    )
    first, second = ran.json["imports"]
    assert first["dropped"] == [
        {
            "name": "plainlib",
            "version": "0.1",
            "taken": "1.1.0",
            "targets": ["box"],
            "reason": "the index does not have it: it has 1.0.0 to 2.0.0",
        }
    ]
    assert (second["path"], second["kept"], second["unneeded"]) == ("b.txt", 0, 0)
    assert second["skipped"] == [
        {"name": "x", "reason": "its line does not pin one version"}
    ]
    assert ran.err == ""


def test_an_answer_with_imported_pins_is_not_remembered(polylock: CommandLine) -> None:
    """A lock with nothing to do says so each time anew: it read another file."""
    polylock.write(PROJECT)
    path = polylock.write("plainlib==1.0.0\n", "requirements.txt")
    polylock.succeed("lock", "--pins-from", "requirements.txt")
    for _ in range(2):
        ran = polylock.succeed("lock", "--pins-from", "requirements.txt")
        assert ran.err.splitlines() == [
            "pylock.toml is up to date: 1 package for 1 target",
            "no pins were imported: use --upgrade to discard existing pins",
        ]
    path.write_text("plainlib=1\n", "utf-8")
    ran = polylock("lock", "--pins-from", "requirements.txt")
    assert ran.code == 2
    assert ran.err.startswith("error: requirements.txt: line 1: 'plainlib=1' is not")


TWO = (
    PROJECT
    + """\
[tool.polylock.targets.mac]
platform = "macos-arm64"
python = "3.12"
"""
)


def test_what_changed_is_told(polylock: CommandLine) -> None:
    """A first lock has no changes; later ones end with each, targets gathered."""
    polylock.write(TWO.replace('"plainlib"', '"plainlib==1.0.0"'))
    ran = polylock.succeed("lock")
    assert ran.err.splitlines()[-1] == "wrote pylock.toml: 1 package for 2 targets"
    polylock.write(TWO.replace('"plainlib"', "\"plainlib; sys_platform == 'linux'\""))
    expected = ["  removed plainlib 1.0.0 on mac"]
    ran = polylock.succeed("lock")
    assert ran.err.splitlines()[-1:] == expected
    polylock.write(TWO)
    ran = polylock.succeed("lock")
    assert ran.err.splitlines()[-1:] == ["  added plainlib 1.0.0 on mac"]


def test_a_dry_run_tells_what_would_change(polylock: CommandLine) -> None:
    """Before anything is written one reads what an upgrade would bring, and where."""
    polylock.write(TWO.replace('"plainlib"', '"plainlib==1.0.0"'))
    polylock.succeed("lock")
    polylock.write(TWO)
    polylock.succeed("lock")
    before = polylock.read("pylock.toml")
    ran = polylock.succeed("lock", "--upgrade", "--dry-run")
    assert ran.err.splitlines()[-3:] == [
        "would write pylock.toml: 2 packages for 2 targets",
        "  plainlib 1.0.0 -> 1.1.0",
        "  added plainlib-posix 1.1.0",
    ]
    assert polylock.read("pylock.toml") == before
    found = polylock.succeed("lock", "--upgrade", "--dry-run", "--json").json
    assert [each["target"] for each in found["changes"]] == ["box", "mac"]
    change = found["changes"][0]["changes"][0]
    assert (change["kind"], change["after"]["version"]) == ("version", "1.1.0")
    ran = polylock.succeed("lock", "--upgrade-package", "plainlib==1.0.0")
    assert ran.err.splitlines()[-1].startswith("pylock.toml is unchanged")


def test_targets_that_come_and_go(polylock: CommandLine) -> None:
    """A new target is told with its size, one that is gone by its name."""
    polylock.write(PROJECT)
    polylock.succeed("lock")
    polylock.write(TWO)
    ran = polylock.succeed("lock")
    assert ran.err.splitlines()[-1] == "  new target mac: 2 packages"
    polylock.write(PROJECT)
    ran = polylock.succeed("lock")
    assert ran.err.splitlines()[-1] == "  mac is no longer a target"


def test_a_lock_that_changes_no_file_says_so(polylock: CommandLine) -> None:
    """Settings are recorded, so the file is written, and nothing is installed anew."""
    polylock.write(PROJECT)
    polylock.succeed("lock")
    polylock.write(PROJECT + '[tool.polylock]\nalign = "independent"\n')
    ran = polylock.succeed("lock")
    assert ran.err.splitlines()[-2:] == [
        "wrote pylock.toml: 2 packages for 1 target",
        "  the files of all targets are unchanged",
    ]


def test_a_requirement_on_the_project_itself_is_told(polylock: CommandLine) -> None:
    """Nothing is installed for it, which a wrong name of the project explains."""
    polylock.write(
        PROJECT.replace('"demo"', '"Plain_Lib"').replace("plainlib", "plain.lib")
    )
    ran = polylock.succeed("lock")
    (told,) = [line for line in ran.err.splitlines() if line.startswith("note: ")]
    assert "the project requires plain-lib, which is the project itself" in told
    assert polylock.succeed("lock", "--upgrade", "-q").err == ""
    found = polylock.succeed("lock", "--upgrade", "--json").json["notes"]
    assert [each["finding"]["kind"] for each in found] == ["requires-project"]


def test_ten_notes_and_how_many_more(polylock: CommandLine) -> None:
    """A person is shown the first ones; the document has all."""
    missing = ", ".join(f"x{number}" for number in range(12))
    polylock.write(PROJECT.replace('"plainlib"', f'"plainlib[{missing}]"'))
    lines = polylock.succeed("lock").err.splitlines()
    notes = [line for line in lines if line.startswith("note: ")]
    assert len(notes) == 11
    assert notes[-1].startswith("note: 2 more notes")
    assert len(polylock.succeed("lock", "--upgrade", "--json").json["notes"]) == 12


FOREIGN = """\
lock-version = "1.0"
created-by = "pip"

[[packages]]
name = "plainlib"
version = "1.0.0"

[[packages.wheels]]
url = "https://files.example.com/plainlib-1.0.0-py3-none-any.whl"
hashes = {sha256 = "HASH"}
"""


def test_the_lock_file_of_another_tool_is_not_overwritten(
    polylock: CommandLine,
) -> None:
    """Its pins are offered; only --force does without them."""
    polylock.write(PROJECT)
    polylock.succeed("lock", "--upgrade-package", "plainlib==1.0.0")
    own = tomllib.loads(polylock.read("pylock.toml"))
    digest = own["packages"][0]["wheels"][0]["hashes"]["sha256"]
    foreign = FOREIGN.replace("HASH", digest)
    polylock.write(foreign, "pylock.toml")
    ran = polylock("lock")
    assert ran.code == 2
    assert "pylock.toml was not written by polylock" in ran.err
    assert "`polylock lock --pins-from pylock.toml` imports its pins" in ran.err
    assert polylock("lock", "--upgrade").code == 2
    polylock.succeed("lock", "--dry-run")
    assert polylock.read("pylock.toml") == foreign
    ran = polylock.succeed("lock", "--pins-from", "pylock.toml")
    assert "pylock.toml: 1 pin kept" in ran.err
    polylock.write(foreign, "pylock.toml")
    polylock.succeed("lock", "--force")
    versions = [
        p["version"] for p in tomllib.loads(polylock.read("pylock.toml"))["packages"]
    ]
    assert versions[0] == "1.1.0"


def test_builds_are_allowed_by_an_option_or_an_answer(
    polylock: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal nobody is asked; ``no`` leaves everything as it was."""
    files = tmp_path / "sdists"
    in_tree(files, "spark", "4.0", built_requires=["py4j"])
    in_tree(files, "py4j", "0.10")
    text = PROJECT.replace('"plainlib"', '"spark"').replace(
        "[tool.polylock.targets.box]",
        f'[[tool.polylock.index]]\nname = "files"\nurl = "{files.as_uri()}"\n'
        'format = "flat"\n[tool.polylock.targets.box]',
    )
    polylock.write(text)
    ran = polylock("lock")
    assert ran.code == 1
    assert "must be built to know what it requires" in ran.err
    assert "hint: `polylock lock --allow-build spark` names it" in ran.err
    assert ran.out == ""
    asked: list[str] = []
    answers = [True, False]

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr("polylock.cli.prompts.on_terminal", lambda: True)
    monkeypatch.setattr("click.confirm", confirm)
    ran = polylock("lock")
    assert ran.code == 1
    assert asked == ["Add it to build-package and go on?"] * 2
    assert "py4j must be built to be locked" in ran.err
    assert polylock.read("pyproject.toml") == text
    answers += [True, True]
    ran = polylock.succeed("lock")
    assert "wrote pylock.toml: 2 packages for 1 target" in ran.err
    found = tomllib.loads(polylock.read("pyproject.toml"))["tool"]["polylock"]
    assert found["build-package"] == ["py4j", "spark"]
    polylock.write(text)
    polylock.succeed("lock", "--allow-build", "spark", "--allow-build=py4j")
    answers += [True]
    polylock.write(text)
    assert polylock("lock", "--upgrade", "--json").code == 1
    assert answers == [True]
