"""``polylock index`` builds an index and serves it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fakes.wheels import build_wheel

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_build_says_what_it_made(polylock: CommandLine) -> None:
    """The counts are on stderr, stdout stays empty."""
    build_wheel(polylock.directory / "wheels", "one", "1.0")
    build_wheel(polylock.directory / "wheels", "two", "1.0")
    ran = polylock.succeed("index", "build", "wheels", "--output", "site")
    assert ": 2 projects, 2 wheels, 0 releases with variants" in ran.err
    assert not ran.out
    assert (polylock.directory / "site" / "simple" / "one").is_dir()


def test_serve_prints_its_url_first(polylock: CommandLine) -> None:
    """The one line on stdout can be given to --index-url."""
    build_wheel(polylock.directory, "one", "1.0")
    polylock.succeed("index", "build", ".")
    told = polylock.succeed("index", "serve", ".", "--for", "0").out
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/simple/\n", told)


def test_folder_that_is_missing_is_an_error(polylock: CommandLine) -> None:
    """Neither command makes one."""
    assert polylock("index", "build", "nowhere").code == 2
    assert polylock("index", "serve", "nowhere").code == 2


GPU = {"nvidia": {"cuda_version_lower_bound": ["13.0"]}}


def test_lint_of_a_right_index_is_0(polylock: CommandLine) -> None:
    """A note does not change the exit code."""
    build_wheel(polylock.directory / "wheels", "one", "1.0", label="gpu", variant=GPU)
    polylock.succeed("index", "build", "wheels", "--output", "site")
    ran = polylock.succeed("index", "lint", "site")
    assert "one 1.0\n  note schema-draft: " in ran.out
    assert ran.err == (
        "checked 1 project, 1 release, 1 wheel (1 opened): "
        "0 errors, 0 warnings, 1 note\n"
    )


def test_lint_exits_with_3_for_a_warning(polylock: CommandLine) -> None:
    """The finding has its cause, its file, what to do, and who says so."""
    wheels = polylock.directory / "wheels"
    for tag in ("cp312-cp312", "cp313-cp313"):
        build_wheel(wheels, "one", "1.0", tag=f"{tag}-macosx_110_0_arm64")
    ran = polylock("index", "lint", "wheels")
    assert ran.code == 3
    assert ran.out == (
        "one 1.0\n"
        "  warning tag-impossible: no machine installs a wheel for macosx_110_0_arm64: "
        "there is no such macOS (11.0 is written 11_0)\n"
        "    one-1.0-cp312-cp312-macosx_110_0_arm64.whl and 1 other\n"
        "    next: build the wheel again with the right tag\n"
        "    Platform compatibility tags\n"
    )


def test_lint_shows_control_characters(polylock: CommandLine) -> None:
    """A key of the metadata could clear the screen, or forge a line."""
    document = '{"$schema": "https://example.com/v0.1.1.json", "a\\u001b[2J\\nb": 1, '
    document += '"default-priorities": {"namespace": ["nvidia"]}, "variants": {}}'
    polylock.write(document, "one-1.0-variants.json")
    ran = polylock("index", "lint", ".")
    assert ran.code == 3
    assert "\x1b" not in ran.out
    assert '["a\\x1b[2J\\nb"]' in ran.out
    listed = polylock("index", "lint", ".", "--json")
    assert "\x1b" not in listed.out
    assert listed.json["findings"][1]["kind"] == "key-unknown"


def test_simulate_prints_machines_and_reasons(polylock: CommandLine) -> None:
    """1 is what a machine takes; below are those that take no label with properties."""
    for label, variant in (("gpu", GPU), ("null", {})):
        build_wheel(
            polylock.directory / "wheels",
            "one",
            "1.0",
            label=label,
            variant=variant,
            namespaces=["nvidia"],
        )
    ran = polylock.succeed(
        "index", "simulate", "wheels", "one", "--presets", "h100,grace"
    )
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[0] == "machine gpu null download"
    assert lines[2].startswith("h100 1 2 ")
    assert lines[3].startswith("grace - 1 ")
    told = "gpu: needs nvidia :: cuda_version_lower_bound :: 13.0, and the target"
    assert lines[5:] == [
        f"null on 1 machine: {told} supports no nvidia property",
        "grace",
    ]


def test_simulate_writes_a_page(polylock: CommandLine) -> None:
    """Instead of the table; it needs nothing else."""
    build_wheel(polylock.directory / "wheels", "one", "1.0")
    ran = polylock.succeed(
        "index", "simulate", "wheels", "one", "--presets", "h100", "--html", "page.html"
    )
    assert ran.err == "wrote page.html: one 1.0 on 1 machine\n"
    assert not ran.out
    page = polylock.read("page.html")
    assert page.startswith("<!doctype html>")
    assert '"project":"one"' in page


def test_append_says_what_is_new(polylock: CommandLine) -> None:
    """The labels, what was there, and what to upload to a host."""
    for folder, label, variant in (("old", "gpu", GPU), ("new", "null", {})):
        build_wheel(
            polylock.directory / folder,
            "one",
            "1.0",
            label=label,
            variant=variant,
            namespaces=["nvidia"],
        )
    polylock.succeed("index", "build", "old", "--output", "site")
    ran = polylock.succeed(
        "index", "build", "new", "--append", "site", "--output", "upload"
    )
    assert ran.err == (
        "added 1 file to upload, 0 there already\n"
        "  new label one 1.0 null\n"
        "  upload files/one/one-1.0-py3-none-any-null.whl\n"
        "  upload files/one/one-1.0-py3-none-any-null.whl.metadata\n"
        "  upload files/one/one-1.0-variants.json\n"
        "  upload simple/one/index.html\n"
        "  upload simple/one/index.json\n"
    )
    again = polylock("index", "build", "new", "--append", "site", "--modified-times")
    assert again.code == 2
    assert "is for an index that is built whole" in again.err
