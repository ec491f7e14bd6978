"""Reasons for a locked package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.lock_texts import lock_text, package_text, settings_for
from polylock.errors import UsageError
from polylock.operations.inspect.why import why
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.workspace import Project


def test_name_is_normalized(tmp_path: Path) -> None:
    """Any spelling of a project is understood."""
    text = lock_text(package_text("my-lib"), requirements=("my-lib",))
    assert (
        why(settings_for(tmp_path, text), "My.Lib", SilentReporter()).name == "my-lib"
    )


def test_choice_is_told_by_target(locked_demo: Project) -> None:
    """Each target has its label and the properties that decided it."""
    found = why(locked_demo.with_settings(), "tensordemo", SilentReporter()).to_json()[
        "targets"
    ]
    labels = {each["target"]: each["label"] for each in found}
    assert labels["h100"] == "cuda13.0"
    assert labels["mi300x"] == "rocm6.4"
    decided = {each["target"]: each["decided-by"] for each in found}
    assert decided["h100"][0] == "nvidia :: cuda_version_lower_bound :: 13.0"
    assert decided["server-v2"] == []


def test_targets_that_agree_are_one_group(locked_demo: Project) -> None:
    """The same version, label, properties and chains: the same reason."""
    groups = why(locked_demo.with_settings(), "vecdemo", SilentReporter()).grouped()
    assert [targets for targets, _ in groups] == [
        ["h100", "mi300x", "server-v4"],
        ["a100"],
        ["server-v2"],
        ["mac-m3"],
    ]


def test_project_that_is_not_locked_yet(locked_demo: Project) -> None:
    """The project requires it, and the lock file does not know: both are said."""
    text = (locked_demo.directory / "pyproject.toml").read_text("utf-8")
    locked_demo.write(text.replace("dependencies = [", 'dependencies = ["zebra", ', 1))
    with pytest.raises(UsageError, match="zebra is not locked yet") as caught:
        why(locked_demo.with_settings(), "zebra", SilentReporter())
    assert "the project requires it" in str(caught.value)
    assert caught.value.hint() == "run `polylock lock`"


def test_unknown_project_is_an_error(tmp_path: Path) -> None:
    """Far from every name, the error says where names are listed."""
    text = lock_text(package_text("a"), requirements=("a",))
    with pytest.raises(UsageError, match="zebra is not locked") as caught:
        why(settings_for(tmp_path, text), "zebra", SilentReporter())
    assert caught.value.hint() == "`polylock tree` lists all packages"
