"""``polylock cache-key`` prints keys for CI services."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_key_of_one_target_stands_alone(demo: CommandLine) -> None:
    """With a target the key is all that is printed; without, names come before."""
    key = demo.succeed("cache-key", "--target", "h100").out
    assert key.startswith("polylock-1-h100-linux-x86_64-py3.12-")
    assert f"h100\t{key}" in demo.succeed("cache-key").out


def test_prefix_is_the_beginning_of_the_key(demo: CommandLine) -> None:
    """It serves as a restore key."""
    key = demo.succeed("cache-key", "--target", "h100").out.strip()
    prefix = demo.succeed("cache-key", "--target", "h100", "--prefix").out.strip()
    assert key.startswith(prefix)
    assert prefix.endswith("-")


def test_github_output_gets_both(demo: CommandLine) -> None:
    """They are added to what earlier steps wrote."""
    output = demo.write("before=1\n", "output.txt")
    demo.set("GITHUB_OUTPUT", str(output))
    key = demo.succeed("cache-key", "--target", "mac", "--github-output").out.strip()
    lines = demo.read("output.txt").splitlines()
    assert lines[:2] == ["before=1", f"key={key}"]
    assert lines[2].startswith("prefix=polylock-1-mac-")


def test_github_output_needs_the_file_and_one_target(demo: CommandLine) -> None:
    """Each error is one of usage and says what to give."""
    ran = demo("cache-key", "--target", "mac", "--github-output")
    assert (ran.code, "GITHUB_OUTPUT is not set" in ran.err) == (2, True)
    demo.set("GITHUB_OUTPUT", "output.txt")
    ran = demo("cache-key", "--github-output")
    assert (ran.code, "--target NAME" in ran.err) == (2, True)
