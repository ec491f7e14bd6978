"""``polylock verify`` compares with the index and exits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_an_index_that_agrees(demo: CommandLine) -> None:
    """Exit code 0, stdout empty, the counts on stderr unless quiet."""
    ran = demo.succeed("verify", "--download")
    assert ran.out == ""
    assert ran.err.endswith(" files: agree with the indexes\n")
    assert demo.succeed("verify", "-q").err == ""


def test_each_disagreement_is_a_line(demo: CommandLine) -> None:
    """Exit code 3; the line names project, version, file and targets."""
    path = demo.directory / "pylock.toml"
    text = path.read_text("utf-8")
    at = text.index("sha256 = ") + len("sha256 = ") + 1
    path.write_text(text[:at] + "0" * 64 + text[at + 64 :], "utf-8")
    ran = demo("verify")
    assert ran.code == 3
    (line,) = ran.out.splitlines()
    assert f"sha256:{'0' * 64}, the index has sha256:{text[at : at + 64]} [" in line
    assert "do not all agree" in ran.err


def test_offline_is_an_error_of_usage(demo: CommandLine) -> None:
    """The cache has no say."""
    ran = demo("verify", "--offline")
    assert ran.code == 2
    assert "--offline" in ran.err
