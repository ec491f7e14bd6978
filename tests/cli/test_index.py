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
