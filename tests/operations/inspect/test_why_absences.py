"""Why a target does not install a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.gpu_index import TEXT, gpu_project
from polylock.errors import UsageError
from polylock.operations.inspect.why import why
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.workspace import Project


@pytest.fixture
def gpu(tmp_path: Path) -> Iterator[Project]:
    """Return the project of ``fakes.gpu_index``, locked."""
    with gpu_project(tmp_path) as project:
        yield project


def refusals(project: Project, name: str, **settings: object) -> tuple[str, ...]:
    """Return why the target with the GPU does not install a name."""
    chosen = project.with_settings(target="box", **settings)
    reason = why(chosen, name, SilentReporter()).reasons["box"]
    assert reason.node is None
    return reason.refusals


def test_marker_that_does_not_hold(gpu: Project) -> None:
    """The requirement of the project is told with its marker."""
    (told,) = refusals(gpu, "windows-only")
    assert (
        told
        == "the project requires it if sys_platform == 'win32', which is false here"
    )


def test_requirement_of_another_target(gpu: Project) -> None:
    """The target that has it for itself is named."""
    (told,) = refusals(gpu, "for-macs")
    assert told == "the project requires it only on the target mac"


def test_group_and_extra_that_were_not_asked_for(gpu: Project) -> None:
    """With a group named, another group and an extra do not count."""
    (told,) = refusals(gpu, "plotter", groups=("test",))
    assert told == "the extra plots requires it and is not included"
    (told,) = refusals(gpu, "tester", extras=("plots",))
    assert told == "the group test requires it and is not included"


def test_extra_of_a_package_that_nothing_asks_for(gpu: Project) -> None:
    """What an installed package requires under an extra is told."""
    gpu.write(TEXT.replace("nvidia = {", 'variants = { gpu = "" }\nnvidia = {'))
    gpu.lock()
    (told,) = refusals(gpu, "helper")
    assert told == (
        "gpu 2.0 requires it if extra == 'more', which nothing here requires"
    )


def test_override_that_takes_it_away(gpu: Project) -> None:
    """An override whose marker does not hold is the reason."""
    override = "override-dependencies = [\"gpu; sys_platform == 'never'\"]\n"
    gpu.write(TEXT.replace("[tool.polylock]\n", f"[tool.polylock]\n{override}"))
    gpu.lock()
    told = refusals(gpu, "gpu")
    assert told[0].startswith("override-dependencies replaces every requirement on it")


def test_nothing_requires_it(gpu: Project) -> None:
    """A name that nobody would require is an error with a hint."""
    with pytest.raises(UsageError, match="helpr is not locked: nothing requires it"):
        why(gpu.with_settings(), "helpr", SilentReporter())
