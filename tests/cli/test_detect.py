"""``polylock detect`` describes this machine."""

from __future__ import annotations

import sys
import tomllib
from typing import TYPE_CHECKING

from fakes.server import Index
from fakes.this_machine import VARIABLE
from fakes.wheels import build_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.command_line import CommandLine
    from fakes.server import Server


def test_printed_target_can_be_pasted(polylock: CommandLine) -> None:
    """What goes to stdout is a table of TOML that a project file takes as it is."""
    told = polylock.succeed("detect", "--python", "3.12").out
    polylock.write(f'[project]\nname = "demo"\n\n{told}')
    (listed,) = polylock.succeed("targets", "list", "--json").json
    found = polylock.succeed("detect", "--python", "3.12", "--json").json
    assert found["written"] is None
    assert (listed["name"], listed["target"]) == (found["name"], found["target"])


def test_python_is_the_running_one_unless_said(polylock: CommandLine) -> None:
    """It is written down, so that the file means the same elsewhere."""
    found = polylock.succeed("detect", "--json").json
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert found["target"]["python"].startswith(running)


def test_write_adds_it_to_the_project(demo: CommandLine) -> None:
    """Under the name that is given, after the others, comments kept."""
    ran = demo.succeed("detect", "--write", "mine", "--python", "3.12")
    assert "added target mine to pyproject.toml" in ran.err
    assert not ran.out
    assert "# what the tests need" in demo.read()
    targets = tomllib.loads(demo.read())["tool"]["polylock"]["targets"]
    assert list(targets)[-1] == "mine"
    assert targets["mine"] | targets["here"] | {"python": "3.12"} == targets["mine"]


def test_write_refuses_a_name_that_is_taken(demo: CommandLine) -> None:
    """The file stays as it is."""
    before = demo.read()
    ran = demo("detect", "--write", "h100", "--python", "3.12")
    assert ran.code == 2
    assert "is declared already" in ran.err
    assert demo.read() == before


def test_write_needs_a_project(polylock: CommandLine) -> None:
    """Without one the error says what writes one."""
    ran = polylock("detect", "--write", "mine")
    assert ran.code == 2
    assert "polylock init" in ran.err


def test_python_must_be_one(polylock: CommandLine) -> None:
    """A word that is no Python is refused before anything is printed."""
    ran = polylock("detect", "--python", "snake")
    assert (ran.code, ran.out) == (2, "")
    assert "3.13t" in ran.err


def test_what_does_not_answer_is_a_warning(polylock: CommandLine) -> None:
    """It goes to stderr and into the document; the target is printed all the same."""
    polylock.set(VARIABLE, "nvml-init-fails")
    ran = polylock.succeed("detect", "--json")
    (driver,) = ran.json["warnings"]
    assert "the driver is not loaded" in driver
    assert f"warning: {driver}" in ran.err


def test_options_of_a_provider_need_one(polylock: CommandLine) -> None:
    """They say nothing by themselves."""
    ran = polylock("detect", "--provider-namespace", "fruit")
    assert ran.code == 2
    assert "--trust-provider NAME" in ran.err


def test_provider_that_no_index_has_is_an_error(polylock: CommandLine) -> None:
    """It is the same error as for any other project."""
    ran = polylock("detect", "--trust-provider", "no-such-variant-provider")
    assert (ran.code, ran.out) == (1, "")
    assert "no-such-variant-provider" in ran.err


def test_trusted_provider_is_printed_with_the_target(
    polylock: CommandLine, server: Server, tmp_path: Path
) -> None:
    """Its lists stand under properties; with --write they go into the project file."""
    code = (
        "class Config:\n name = 'kind'\n values = ['pear']\n multi_value = False\n"
        "namespace = 'fruit'\n"
        "def get_supported_configs(): return [Config]\n"
    )
    wheel = build_wheel(
        tmp_path / "files", "fruit-provider", "1.0", files={"fruit_provider.py": code}
    )
    index = Index(server)
    index.add("fruit-provider", [wheel])
    polylock.set("POLYLOCK_INDEX_URL", index.url)
    asked = ("detect", "--trust-provider", "fruit-provider==1.0", "--python", "3.12")
    told = polylock.succeed(*asked).out
    assert 'properties = { fruit = { kind = ["pear"] } }' in told
    polylock.write('[project]\nname = "demo"\n')
    polylock.succeed(*asked, "--write", "mine")
    (listed,) = polylock.succeed("targets", "list", "--json").json
    assert listed["target"]["properties"] == {"fruit": {"kind": ["pear"]}}
    shown = polylock.succeed("targets", "show", "mine").out
    assert "fruit :: kind :: pear (stated)" in shown
