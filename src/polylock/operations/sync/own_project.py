"""Install the project itself, as editable, if it can be built.

The project is not in its lock file: its version and code do not affect the lock.
Without ``[build-system]`` a project is a list of requirements, not a distribution.
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
    """Return the files that show whether the project must be reinstalled.

    It need not while none of them changes or appears.
    """
    return tuple(project.path.parent / name for name in BUILD_FILES)


def with_own_project(
    found: Installables, project: ProjectFile, context: Context
) -> Installables:
    """Add the project itself, as editable (PEP 660) unless the settings say otherwise.

    It replaces a locked package of the same name, which is locked if a dependency
    requires the project. Raises SourceUnusable if it cannot be read, UsageError if the
    project forbids its own build backend.
    """
    name = project.name
    if name is None or not project.has_build_system:
        return found
    policy = forbidding_policy(project.inputs, name)
    if policy is not None:
        raise UsageError(
            f"{name} itself cannot be installed: {policy} in [tool.polylock] forbids "
            "its build backend",
            "add --no-install-project",
        )
    directory = project.path.parent.resolve()
    editable = not context.settings.no_editable
    trees = SourceTrees(context=context, locked=found.locked)
    tree = trees.directory(name, directory, editable=editable)
    own = WantedDistribution(
        name=name,
        version=None,
        filename=f"{name} @ .",
        sha256=tree.key,
        direct_url=DirectUrl(
            url=directory.as_uri(), dir_info=DirInfo(editable=editable)
        ),
        requested=True,
    )
    return replace(
        found,
        wanted=(*(one for one in found.wanted if one.name != name), own),
        files={key: file for key, file in found.files.items() if key != name},
        trees={**found.trees, name: tree},
    )
