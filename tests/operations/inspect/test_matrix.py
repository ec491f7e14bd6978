"""Jobs for CI services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.errors import LockFileOutdated, UsageError
from polylock.operations.inspect.cache_key import cache_keys
from polylock.operations.inspect.matrix import github_matrix, gitlab_matrix, matrix

if TYPE_CHECKING:
    from fakes.workspace import Project


def test_jobs_follow_the_project(locked_demo: Project) -> None:
    """Order and runners are the project's, keys the lock file's."""
    jobs = matrix(locked_demo.with_settings())
    keys = cache_keys(locked_demo.with_settings())
    assert [job.target for job in jobs] == [key.target for key in keys]
    assert [job.cache_key for job in jobs] == [key.key for key in keys]
    assert jobs[0].runs_on == ("gpu-h100",)
    assert github_matrix(jobs)["include"][0]["runs-on"] == "gpu-h100"
    assert gitlab_matrix(jobs)[-1]["RUNS_ON"] == "macos-latest"


def test_runner_is_no_reason_to_lock(locked_demo: Project) -> None:
    """Where a job runs is not in the lock file, and may change without it."""
    path = locked_demo.directory / "pyproject.toml"
    locked_demo.write(path.read_text("utf-8").replace('"gpu-h100"', '["gpu", "fast"]'))
    jobs = matrix(locked_demo.with_settings())
    assert github_matrix(jobs)["include"][0]["runs-on"] == ["gpu", "fast"]
    assert gitlab_matrix(jobs)[0]["RUNS_ON"] == "gpu fast"


def test_lock_file_must_answer_the_project(demo: Project) -> None:
    """Neither a missing one nor one that is out of date gives keys."""
    with pytest.raises(UsageError, match="does not exist"):
        matrix(demo.with_settings())
    demo.lock()
    path = demo.directory / "pyproject.toml"
    demo.write(path.read_text("utf-8").replace('"blasx",', '"blasx>=1",'))
    with pytest.raises(LockFileOutdated):
        matrix(demo.with_settings())
