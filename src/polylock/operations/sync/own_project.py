"""The project itself as something to install: editable, where it can be built.

It is in no lock file: neither its version nor its code decides what is locked. Without
``[build-system]`` a project is a list of requirements and not a distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.build.policy import forbidding_policy
from polylock.build.tree import BUILD_FILES
from polylock.environment.direct_url import DirectUrl, DirInfo
from polylock.errors import UsageError
from polylock.installation.plan import WantedDistribution
from polylock.operations.builds.trees import SourceTrees
from polylock.values import replace

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.operations.context import Context
    from polylock.operations.sync.installables import Installables
    from polylock.project.pyproject import ProjectFile

__all__ = ["build_files", "with_own_project"]


def build_files(project: ProjectFile) -> tuple[Path, ...]:
    """Return the files by which a sync sees that the project has changed.

    While none of them changes or appears, it is as it was installed.
    """
    return tuple(project.path.parent / name for name in BUILD_FILES)


def with_own_project(
    found: Installables, project: ProjectFile, context: Context
) -> Installables:
    """Return what is to be installed, and the project itself (PEP 660).

    It takes the place of a locked package of its name, which something that depends
    on the project asked the index for. Raises SourceUnusable where it cannot be read,
    UsageError where the project forbids to run its own backend.
    """
    name = project.name
    if name is None or not project.has_build_system:
        return found
    policy = forbidding_policy(project.inputs, name)
    if policy is not None:
        raise UsageError(
            f"{name} itself would be installed, and {policy} in [tool.polylock] "
            "forbids to run its build backend",
            "--no-install-project leaves it out",
        )
    directory = project.path.parent.resolve()
    tree = SourceTrees(context=context).directory(name, directory, editable=True)
    own = WantedDistribution(
        name=name,
        version=None,
        filename=f"{name} @ .",
        sha256=tree.key,
        direct_url=DirectUrl(url=directory.as_uri(), dir_info=DirInfo(editable=True)),
        requested=True,
    )
    return replace(
        found,
        wanted=(*(one for one in found.wanted if one.name != name), own),
        files={key: file for key, file in found.files.items() if key != name},
        trees={**found.trees, name: tree},
    )
