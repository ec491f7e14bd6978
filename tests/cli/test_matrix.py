"""``polylock matrix`` feeds CI services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_github_matrix_is_one_line(demo: CommandLine) -> None:
    """It can be written to GITHUB_OUTPUT; targets are in their order."""
    told = demo.succeed("matrix").out
    assert told.count("\n") == 1
    jobs = json.loads(told)["include"]
    assert [job["target"] for job in jobs] == ["h100", "mac", "here"]
    assert [job["runs-on"] for job in jobs] == [
        "gpu-h100",
        ["self-hosted", "macos"],
        None,
    ]
    assert [job["python"] for job in jobs][:2] == ["3.12", "3.13"]


def test_keys_are_those_of_cache_key(demo: CommandLine) -> None:
    """A job finds the cache that another command would name, groups included."""
    for options in ([], ["--group", "test"]):
        jobs = demo.succeed("matrix", "--json", *options).json
        keys = demo.succeed("cache-key", "--json", *options).json
        assert [job["cache-key"] for job in jobs] == [key["key"] for key in keys]
        assert [job["cache-prefix"] for job in jobs] == [key["prefix"] for key in keys]


def test_gitlab_matrix_holds_variables(demo: CommandLine) -> None:
    """Every value is a text, for GitLab multiplies lists; all is one line for sed."""
    told = demo.succeed("matrix", "--format", "gitlab").out
    assert told.count("\n") == 1
    jobs = json.loads(told)
    assert [job["TARGET"] for job in jobs] == ["h100", "mac", "here"]
    assert [job["RUNS_ON"] for job in jobs] == ["gpu-h100", "self-hosted macos", ""]
    assert all(isinstance(value, str) for job in jobs for value in job.values())


def test_json_format_is_the_json_option(demo: CommandLine) -> None:
    """Both spellings give the same document."""
    by_format = demo.succeed("matrix", "--format", "json").out
    assert by_format == demo.succeed("matrix", "--json").out


def test_lock_file_that_is_out_of_date_is_refused(demo: CommandLine) -> None:
    """Its keys would name another set: exit code 3, and nothing on stdout."""
    demo.succeed("add", "vecdemo", "--no-lock")
    ran = demo("matrix")
    assert (ran.code, ran.out) == (3, "")
    assert "vecdemo" in ran.err
