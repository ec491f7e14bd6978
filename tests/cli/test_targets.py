"""``polylock targets`` lists, shows and adds."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from polylock.project.presets import preset_names

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_list_has_a_row_a_target(demo: CommandLine) -> None:
    """Platform, Python, processor, GPU and runner, in the order of priority."""
    rows = demo.succeed("targets", "list").out.splitlines()[2:]
    assert [row.split()[0] for row in rows] == ["h100", "mac", "here"]
    assert "linux-x86_64 glibc-2.34" in rows[0]
    assert "sapphirerapids" in rows[0]
    assert "nvidia 9.0 (CUDA 13.0)" in rows[0]
    assert "macos-arm64 14.0" in rows[1]
    assert "baseline" in rows[1]
    assert "self-hosted, macos" in rows[1]


def test_list_without_targets_says_what_to_do(polylock: CommandLine) -> None:
    """The error shows the commands that declare one."""
    polylock.write('[project]\nname = "demo"\n')
    ran = polylock("targets", "list")
    assert ran.code == 2
    assert "polylock init" in ran.err
    assert "polylock targets add" in ran.err


def test_show_derives_markers_tags_and_properties(demo: CommandLine) -> None:
    """Every value of every feature is shown, and how many tags there are."""
    told = demo.succeed("targets", "show", "h100").out
    found = demo.succeed("targets", "show", "h100", "--json").json
    assert told.startswith("[tool.polylock.targets.h100]\n")
    assert "\n  sys_platform == 'linux'\n" in told
    assert f"tags: {len(found['tags'])}, the best first\n  {found['tags'][0]}" in told
    assert "\n  nvidia :: sm_arch :: 90_real, " in told
    assert "\n  x86_64 :: level :: v4, v3, v2, v1\n" in told
    assert "avx512_bf16" in told.partition("x86_64, on: ")[2]
    environment = found["marker-environment"]
    assert environment["python_version"] == "3.12"
    assert "python_full_version" not in environment


def test_show_takes_stated_lists_for_derived_ones(demo: CommandLine) -> None:
    """What the user says of a namespace is all that counts there, and is marked."""
    text = demo.read().replace(
        'cpu = "sapphirerapids"',
        'cpu = "sapphirerapids"\nproperties = { x86_64 = { level = ["v2", "v1"] } }',
    )
    demo.write(text)
    told = demo.succeed("targets", "show", "h100").out
    assert "  x86_64 :: level :: v2, v1 (stated)\n" in told
    assert "x86_64, on:" not in told


def test_show_of_an_unknown_target(demo: CommandLine) -> None:
    """The error names those that there are."""
    ran = demo("targets", "show", "h1")
    assert (ran.code, ran.out) == (2, "")
    assert "there are: h100, mac, here" in ran.err


def test_presets_are_listed(polylock: CommandLine) -> None:
    """No project is needed to see them."""
    told = polylock.succeed("targets", "presets").out
    rows = told.splitlines()[2:]
    assert [row.split()[0] for row in rows] == list(preset_names())
    row = next(row for row in rows if row.startswith("mi300x "))
    assert 'amd = { rocm = "7.1", gfx = ["gfx942"] }' in row
    assert any(row.endswith(" (not confirmed)") for row in rows)


def test_presets_are_found_by_words(polylock: CommandLine) -> None:
    """What is no name is searched for in names, values and purposes."""
    told = polylock.succeed("targets", "presets", "ci arm").out
    assert "github-ubuntu-24.04-arm" in told
    assert "graviton3" not in told
    found = polylock.succeed("targets", "presets", "gfx942", "--json").json
    assert "mi300x" in [preset["name"] for preset in found]


def test_one_preset_is_shown_ready_to_paste(polylock: CommandLine) -> None:
    """By its name: the table, the source, and what could not be confirmed."""
    told = polylock.succeed("targets", "presets", "aws-p5").out
    assert told.startswith('[tool.polylock.targets.aws-p5]\nplatform = "linux-x86_64"')
    assert "source: " in told
    assert "not confirmed: the processor's generation" in told
    assert "polylock targets add aws-p5" in told
    (found,) = polylock.succeed("targets", "presets", "h100", "--json").json
    assert (found["name"], found["unconfirmed"]) == ("h100", None)
    ran = polylock("targets", "presets", "h1000")
    assert ran.code == 2
    assert "h100" in ran.err


def test_add_keeps_comments_and_comes_last(demo: CommandLine) -> None:
    """A preset is named, with its Python; the rest of the file stays as it is."""
    before = demo.read()
    ran = demo.succeed("targets", "add", "graviton3", "--python", "3.12")
    after = demo.read()
    assert after.startswith(before.rstrip())
    assert "# what the tests need" in after
    targets = tomllib.loads(after)["tool"]["polylock"]["targets"]
    assert list(targets)[-1] == "graviton3"
    assert targets["graviton3"] == {"preset": "graviton3", "python": "3.12"}
    assert "polylock lock" in ran.err
    assert not ran.out


def test_add_leaves_the_python_to_the_project(demo: CommandLine) -> None:
    """Where the project has a default, the target names none."""
    demo.write(
        demo.read().replace(
            "[tool.polylock.targets.h100]",
            '[tool.polylock]\npython = "3.12"\n\n[tool.polylock.targets.h100]',
        )
    )
    added = demo.succeed("targets", "add", "t4", "--name", "small", "--json").json
    assert added["table"] == {"preset": "t4", "nvidia": {"driver": "13.0"}}
    assert added["targets"] == ["small"]


@pytest.mark.parametrize(
    ("called", "preset"),
    [("A100", "a100"), ("RTX 4090", "rtx4090"), ("macbook", "macos-arm64")],
)
def test_add_takes_a_preset_as_people_call_it(
    demo: CommandLine, called: str, preset: str
) -> None:
    """The project file has the name as it is spelled."""
    added = demo.succeed("targets", "add", called, "--name", "other", "--json").json
    assert added["table"]["preset"] == preset


def test_add_asks_which_preset_is_meant(demo: CommandLine) -> None:
    """Words that fit several presets add none; the message names some."""
    before = demo.read()
    ran = demo("targets", "add", "gpu")
    assert ran.code == 2
    assert "'gpu' matches " in ran.err
    assert "t4, v100, a100" in ran.err
    assert "`polylock targets presets gpu` shows them" in ran.err
    assert demo.read() == before


@pytest.mark.parametrize(
    ("preset", "line"),
    [
        ("h100", 'nvidia = {driver = "13.0"} # assumed; `nvidia-smi` shows'),
        ("mi300x", 'amd = {rocm = "7.1"} # assumed; /opt/rocm/.info/version'),
        ("macos-arm64", 'macos = "14.0" # assumed; `sw_vers -productVersion`'),
    ],
)
def test_add_writes_out_what_is_assumed(
    demo: CommandLine, preset: str, line: str
) -> None:
    """A driver, a ROCm or a macOS, and how to read that of one's own machine."""
    demo.succeed("targets", "add", preset, "--name", "other")
    assert line in demo.read()


def test_add_assumes_nothing_of_a_runner(demo: CommandLine) -> None:
    """What a runner has is what its service says."""
    demo.succeed("targets", "add", "github-macos-15", "--name", "other")
    assert "assumed" not in demo.read()


def test_add_this_machine(demo: CommandLine) -> None:
    """With --here what was detected is written out, under the name that is given."""
    added = demo.succeed(
        "targets", "add", "--here", "--name", "mine", "--python", "3.12", "--json"
    ).json
    assert added["targets"] == ["mine"]
    assert added["table"]["python"] == "3.12"
    assert "mine" in demo.succeed("targets", "list").out


def test_add_refuses_what_cannot_be(demo: CommandLine) -> None:
    """The file is as it was after each error, and each says what to do."""
    before = demo.read()
    for arguments, words in (
        (["h100"], "is declared already"),
        (["h1000"], "did you mean h100"),
        ([], "give either a preset or --here"),
        (["t4", "--here"], "give either a preset or --here"),
        (["t4", "--python", "3.9"], "outside requires-python"),
        (["t4", "--python", "three"], "'three' is not a Python"),
        (["t4", "--name", "test"], "name of a dependency group or an extra"),
        (["t4", "--name", "Not_Good"], "not a valid name for a target"),
    ):
        ran = demo("targets", "add", *arguments)
        assert ran.code == 2, arguments
        assert words in ran.err
    assert demo.read() == before


def test_target_is_named_as_its_preset_is(demo: CommandLine) -> None:
    """Names are compared as PEP 503 compares them, as those of groups are."""
    demo.succeed("targets", "add", "linux-x86_64")
    demo.succeed("lock")
    for command in ("cache-key", "tree", "export"):
        demo.succeed(command, "--target", "Linux_X86_64")
    demo.succeed("lock", "--target", "linux-x86_64", "--dry-run")
    assert (
        "targets.linux-x86-64]" in demo.succeed("targets", "show", "linux-x86_64").out
    )
