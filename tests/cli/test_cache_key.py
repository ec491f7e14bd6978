"""``polylock cache-key`` prints keys for CI services."""

from __future__ import annotations

import json
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


def test_github_output_gets_target_key_and_prefix(demo: CommandLine) -> None:
    """They are added to what earlier steps wrote."""
    output = demo.write("before=1\n", "output.txt")
    demo.set("GITHUB_OUTPUT", str(output))
    key = demo.succeed("cache-key", "--target", "mac", "--github-output").out.strip()
    lines = demo.read("output.txt").splitlines()
    assert lines[:3] == ["before=1", "target=mac", f"key={key}"]
    assert lines[3] == "prefix=" + key.rpartition("-")[0] + "-"


def test_github_output_says_which_target_auto_is(demo: CommandLine) -> None:
    """A job that does not know its machine learns the name by which it was locked."""
    demo.set("GITHUB_OUTPUT", str(demo.directory / "output.txt"))
    demo.succeed("cache-key", "--target", "auto", "--github-output")
    assert demo.read("output.txt").startswith("target=here\nkey=polylock-1-here-")


def test_github_output_of_every_target_is_json(demo: CommandLine) -> None:
    """Without a target both outputs are texts for ``fromJSON``, by target."""
    demo.set("GITHUB_OUTPUT", str(demo.directory / "output.txt"))
    printed = demo.succeed("cache-key", "--github-output").out
    found = dict(line.split("=", 1) for line in demo.read("output.txt").splitlines())
    keys = json.loads(found["keys"])
    assert keys == dict(line.split("\t") for line in printed.splitlines())
    prefixes = json.loads(found["prefixes"])
    assert list(prefixes) == ["h100", "mac", "here"]
    assert all(keys[name].startswith(prefixes[name]) for name in keys)


def test_github_output_needs_a_file(demo: CommandLine) -> None:
    """Outside GitHub Actions, and where it cannot be written, the error says so."""
    ran = demo("cache-key", "--target", "mac", "--github-output")
    assert (ran.code, ran.out) == (2, "")
    assert "GITHUB_OUTPUT is not set" in ran.err
    demo.set("GITHUB_OUTPUT", str(demo.directory / "absent" / "output.txt"))
    ran = demo("cache-key", "--target", "mac", "--github-output")
    assert (ran.code, "cannot be written" in ran.err) == (2, True)
