"""Labels that are built against another project, from the project file to the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.operations.chosen import Chosen
from polylock.operations.inspect.check import check
from polylock.operations.inspect.selection import selections
from polylock.operations.lock.request import LockRequest

if TYPE_CHECKING:
    from fakes.workspace import Project

TARGETS = """
[tool.polylock]
python = "3.12"
[tool.polylock.targets.fast]
platform = "linux-x86_64"
cpu = { level = "v3" }
[tool.polylock.targets.plain]
platform = "linux-x86_64"
"""


def text(*requirements: str) -> str:
    """Return a project file for a target with x86-64-v3 and one without."""
    listed = ", ".join(f'"{requirement}"' for requirement in requirements)
    return f"""[project]
name = "demo"
version = "1"
requires-python = ">=3.12"
dependencies = [{listed}]
{TARGETS}"""


def installed(project: Project, target: str) -> dict[str, str]:
    """Return what a target installs from the lock file: version and label."""
    (found,) = selections(
        project.pylock, project.lock_path, target=target, chosen=Chosen()
    )
    return {
        each.package.name: f"{each.package.version} {each.variant_label or ''}".strip()
        for each in found.selected
    }


def test_a_label_and_its_dependency_are_locked_together(project: Project) -> None:
    """A target that the label fits takes its version of the dependency, and says so."""
    project.write(text("abikit", "abikit-plugin"))
    project.lock()

    assert installed(project, "fast") == {
        "abikit": "2.1.0",
        "abikit-plugin": "1.0.0 abikit2.1",
    }
    written = project.lock_path.read_text("utf-8")
    assert "abi_dependency :: abikit :: 2.1" in written
    assert check(project.with_settings()).up_to_date
    assert not project.lock().changed


def test_targets_agree_on_the_version_that_a_label_needs(project: Project) -> None:
    """A target without the label takes the version of the one that has it."""
    project.write(text("abikit", "abikit-plugin"))
    project.lock()
    assert installed(project, "plain") == {
        "abikit": "2.1.0",
        "abikit-plugin": "1.0.0",
    }


def test_a_locked_pair_stays_until_an_upgrade(project: Project) -> None:
    """The pair is kept when its limit is gone, and an upgrade finds the better one."""
    project.write(text("abikit<2.1", "abikit-plugin"))
    project.lock()
    old = {"abikit": "2.0.4", "abikit-plugin": "1.0.0 abikit2.0"}
    assert installed(project, "fast") == old
    project.write(text("abikit", "abikit-plugin"))
    project.lock()
    assert installed(project, "fast") == old
    project.lock(LockRequest(upgrade=True))
    assert installed(project, "fast")["abikit-plugin"] == "1.0.0 abikit2.1"


def test_a_locked_dependency_gets_its_label(project: Project) -> None:
    """A plugin that is new to a lock takes the label for the version that is there."""
    project.write(text("abikit<2.1"))
    project.lock()
    project.write(text("abikit", "abikit-plugin"))
    project.lock()
    assert installed(project, "fast") == {
        "abikit": "2.0.4",
        "abikit-plugin": "1.0.0 abikit2.0",
    }
