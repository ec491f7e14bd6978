"""``polylock why`` explains a locked project."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_chains_lead_to_the_project(demo: CommandLine) -> None:
    """Each direct requirer has its shortest chain; the project's own wish is first."""
    told = demo.succeed("why", "plainlib-colors", "--target", "h100").out
    assert told.splitlines() == [
        "h100: plainlib-colors 1.0.1",
        "  required by plainlib > plainlib-colors",
        "  required by plainlib-testing > plainlib-colors",
    ]
    told = demo.succeed("why", "plainlib_testing", "--target", "h100").out
    assert "  required by the group test\n" in told


def test_variant_is_explained(demo: CommandLine) -> None:
    """The properties that decided are told, the weightiest first."""
    told = demo.succeed("why", "tensordemo", "--target", "h100").out
    assert told.splitlines() == [
        "h100: tensordemo 3.1.0 (cuda13.0)",
        "  required by the project",
        "  variant cuda13.0, decided by",
        "    nvidia :: cuda_version_lower_bound :: 13.0",
        "    nvidia :: sm_arch :: 90_real",
        "  labels of 3.1.0",
        "    cuda13.0: chosen",
        (
            "    cuda12.8: lost to cuda13.0 on nvidia :: cuda_version_lower_bound: "
            "13.0 is preferred to 12.0"
        ),
        (
            "    null: lost to cuda13.0, which has nvidia :: cuda_version_lower_bound "
            ":: 13.0, while this one has no property"
        ),
        (
            "    rocm6.4: needs one of amd :: gfx_arch :: gfx1100, gfx908, gfx90a, "
            "gfx942, and the target supports no amd property"
        ),
    ]


def test_null_variant_needs_nothing(demo: CommandLine) -> None:
    """The null variant is no property's merit."""
    told = demo.succeed("why", "tensordemo", "--target", "mac").out
    assert "  variant null, which needs no property\n" in told


def test_variants_that_were_passed_over_are_mentioned(demo: CommandLine) -> None:
    """A plain wheel beside variants that do not fit is said to be one."""
    text = demo.read().replace('cpu = "sapphirerapids"', 'cpu = "x86-64-v2"')
    demo.write(text)
    demo.succeed("lock")
    told = demo.succeed("why", "fallbackkit", "--target", "h100").out
    assert "the wheel without a variant" in told
    (target,) = demo.succeed("why", "fallbackkit", "--target", "h100", "--json").json[
        "targets"
    ]
    assert target["variants-passed-over"] is True
    assert target["label"] is None


def test_package_without_variants_is_not_explained_by_one(demo: CommandLine) -> None:
    """Nothing is said of variants where there was no choice."""
    told = demo.succeed("why", "plainlib").out
    assert "variant" not in told
    assert "labels" not in told


def test_targets_with_the_same_answer_share_it(demo: CommandLine) -> None:
    """Targets that agree share a block, those without the project another."""
    told = demo.succeed("why", "plainlib").out
    assert told.startswith("h100, mac, here: plainlib 1.1.0\n")
    told = demo.succeed("why", "tensordemo-compiler").out
    assert "\n\nmac, here: not installed\n  tensordemo 3.1.0 (null) requires it" in told


def test_project_that_is_not_locked(demo: CommandLine) -> None:
    """The error suggests the name that was probably meant, else where to look."""
    ran = demo("why", "tensordmo")
    assert (ran.code, ran.out) == (2, "")
    assert "tensordmo is not locked" in ran.err
    assert "did you mean tensordemo?" in ran.err
    assert "nothing requires it" in ran.err
    assert "polylock tree" in demo("why", "zzz").err


def test_newer_versions_and_notes_are_told(demo: CommandLine) -> None:
    """What kept newer versions out, and what could not be told, are lines."""
    told = demo.succeed("why", "plainlib", "--target", "h100").out
    assert "  newer versions\n    2.0.0: requires Python >=3.99\n" in told
    assert "    1.2.0: yanked: loses the last line of a file\n" in told
    told = demo.succeed("why", "plainlib", "--offline", "--cache-dir", "nothing").out
    assert "  note: other versions and variants are unknown" in told


def test_project_that_a_target_does_not_install(demo: CommandLine) -> None:
    """The reason is the answer, and no failure."""
    told = demo.succeed("why", "tensordemo-compiler", "--target", "mac").out
    assert "'nvidia' in variant_namespaces, which is false here" in told
    (target,) = demo.succeed(
        "why", "tensordemo-compiler", "--target", "mac", "--json"
    ).json["targets"]
    assert target["installed"] is False
    assert len(target["not-required-because"]) == 1


CHOSEN = """\
[project]
name = "demo"
version = "1"
dependencies = ["plainlib==1.2.0"]
[[tool.polylock.index]]
name = "house"
url = "URL"
[tool.polylock.sources]
plainlib = [
  { index = "house", targets = ["other"] },
  { index = "house", properties = ["x86_64 :: level :: v1"] },
]
[tool.polylock.targets.box]
platform = "linux-x86_64"
python = "3.12"
[tool.polylock.targets.other]
platform = "macos-arm64"
python = "3.12"
"""


def test_a_yanked_pin_and_the_entry_of_sources_that_fits(
    polylock: CommandLine, index_url: str
) -> None:
    """Why this file and from there: the index yanked it, and the second entry fits."""
    polylock.write(CHOSEN.replace("URL", index_url))
    polylock.succeed("lock")
    lines = polylock.succeed("why", "plainlib", "--target", "box").out.splitlines()
    told = [line.strip() for line in lines if "note: " in line]
    file = "plainlib-1.2.0-py3-none-any.whl"
    assert told == [
        f"note: {file} is yanked: loses the last line of a file",
        "note: sources: entry 1, index house, is for target other",
        "note: sources: entry 2, index house, fits",
    ]
