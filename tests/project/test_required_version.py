"""``required-version``: the versions of polylock that a project accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock import __version__
from polylock.errors import ProjectError
from polylock.project.required_version import check_required_version
from polylock.toml_tables import Table

if TYPE_CHECKING:
    from fakes.projects import Load


def stating(specifier: object) -> Table:
    """Return ``[tool.polylock]`` with a required version."""
    values = {"required-version": specifier}
    return Table(values, path="p", parts=("tool", "polylock"))


def refused(specifier: object, running: str) -> ProjectError:
    """Return the error for a polylock of that version."""
    with pytest.raises(ProjectError) as caught:
        check_required_version(stating(specifier), running)
    return caught.value


@pytest.mark.parametrize("specifier", [f"=={__version__}", ">=0", "<999", "!=0.0.1"])
def test_a_version_that_fits(load: Load, specifier: str) -> None:
    """The key changes nothing of what is read."""
    text = f'[tool.polylock]\nrequired-version = "{specifier}"\n'
    assert load(text).inputs == load("").inputs


def test_another_version_is_refused_before_all_else(load: Load) -> None:
    """Keys that a later polylock may know are not looked at."""
    with pytest.raises(ProjectError) as caught:
        load('[tool.polylock]\nfrom-the-future = 1\nrequired-version = ">=999"\n')
    assert caught.value.key == "tool.polylock.required-version"
    assert "requires polylock >=999" in caught.value.problem
    assert f"this is polylock {__version__}" in caught.value.problem
    assert "uv tool install 'polylock>=999'" in (caught.value.hint() or "")


@pytest.mark.parametrize(
    ("specifier", "running"),
    [(">=0.2", "0.2.1"), (">=0.2", "0.3.dev1"), ("==0.2.*", "0.2.9+local")],
)
def test_pre_releases_and_builds_fit(specifier: str, running: str) -> None:
    """Versions are compared as PEP 440 says."""
    check_required_version(stating(specifier), running)


@pytest.mark.parametrize(
    ("specifier", "running"), [(">=0.2", "0.2.dev1"), ("~=0.2.3", "0.3")]
)
def test_a_version_that_does_not_fit(specifier: str, running: str) -> None:
    """The error has both."""
    problem = refused(specifier, running).problem
    assert specifier in problem
    assert problem.endswith(f"this is polylock {running}")


@pytest.mark.parametrize("text", ["0.2", "latest", ">="])
def test_what_is_no_specifier_is_refused(text: str) -> None:
    """The error shows one."""
    error = refused(text, "0.2")
    assert "not a version specifier" in error.problem
    assert 'required-version = ">=0.2"' in (error.hint() or "")
