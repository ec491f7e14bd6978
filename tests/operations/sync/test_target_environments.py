"""The key ``venv`` of a target: where its environment is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from fakes.workspace import this_target
from polylock.errors import EnvironmentBroken
from polylock.operations.sync.run import existing_environment
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from fakes.workspace import Project

OWN = ".venv-own"


@pytest.fixture
def two(project: Project) -> Project:
    """Return a locked project of two targets of this machine, one with ``venv``."""
    here = this_target()
    there = here.replace("targets.here]", "targets.other]")
    text = '[project]\nname = "demo"\nversion = "1"\ndependencies = ["plainlib"]\n'
    project.write(f'{text}{here}venv = "{OWN}"\n{there}')
    project.lock()
    return project


def test_a_target_has_its_own_environment(two: Project) -> None:
    """The other target keeps the usual place, and neither disturbs the other."""
    assert two.sync(target="here").environment == two.directory / OWN
    assert two.sync(target="other").environment == two.directory / ".venv"
    for target in ("here", "other"):
        assert two.sync(target=target).up_to_date


def test_the_lock_file_does_not_say_it(two: Project) -> None:
    """Where an environment is changes nothing of what is in it."""
    text = two.lock_path.read_text("utf-8")
    assert OWN not in text
    path = two.directory / "pyproject.toml"
    path.write_text(path.read_text("utf-8").replace(OWN, "elsewhere"), "utf-8")
    assert two.sync(target="here").environment == two.directory / "elsewhere"
    assert two.lock_path.read_text("utf-8") == text


@pytest.mark.parametrize("target", [None, "auto"])
def test_a_chosen_target_is_synced_where_it_belongs(
    two: Project, target: str | None
) -> None:
    """The target that is chosen for this machine decides, before any change."""
    outcome = two.sync(target=target)
    assert (outcome.target, outcome.environment) == ("here", two.directory / OWN)
    assert not (two.directory / ".venv").exists()


def test_without_a_target_the_environment_that_is_there_counts(two: Project) -> None:
    """That is ``.venv``, else the only one that a target has of its own."""
    two.sync(target="here")
    assert two.sync().target == "here"
    assert existing_environment(two.with_settings()) == two.directory / OWN
    two.sync(target="other")
    assert two.sync().target == "other"
    assert existing_environment(two.with_settings()) == two.directory / ".venv"
    with_target = two.with_settings(target="here")
    assert existing_environment(with_target) == two.directory / OWN


def test_the_option_wins(two: Project) -> None:
    """``--venv`` names the place for every target."""
    named = two.directory / "named"
    assert two.sync(target="here", venv=named).environment == named
    assert not (two.directory / OWN).exists()


def test_an_environment_moves_with_its_key(two: Project) -> None:
    """A target that gets ``venv`` leaves the usual place as it is."""
    two.sync(target="here", venv=two.directory / ".venv")
    outcome = two.sync()
    assert outcome.environment == two.directory / OWN
    assert (two.directory / ".venv" / "pyvenv.cfg").is_file()


def test_without_a_project_file_the_usual_place_counts(two: Project) -> None:
    """An image may have only the lock file, which does not say it."""
    (two.directory / "pyproject.toml").unlink()
    options = SyncOptions(frozen=True, search_path=os.environ.get("PATH", ""))
    outcome = two.sync(options, project=None, lock_file=two.lock_path, target="here")
    assert outcome.environment == two.directory / ".venv"


def test_run_without_sync_names_the_place_it_misses(two: Project) -> None:
    """The environment of the named target is missing, not the usual one."""
    with pytest.raises(EnvironmentBroken) as caught:
        existing_environment(two.with_settings(target="here"))
    assert caught.value.path == str(two.directory / OWN)
