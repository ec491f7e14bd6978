"""The policy on builds: for which projects a build backend may run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import BuildForbidden
from polylock.model.distributions import Unusable
from polylock.model.reasons import NeedsBuild

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs

__all__ = ["forbidding_policy", "refused_metadata", "require_allowed"]


def refused_metadata(inputs: Inputs, name: NormalizedName) -> Unusable | None:
    """Return the reason why no backend may run for a project while locking, or None.

    By default locking runs no code from an index: ``build = "local"`` allows only paths
    and version control.
    """
    if forbidding_policy(inputs, name) is None and (
        inputs.build == "all" or name in inputs.build_packages
    ):
        return None
    return Unusable(NeedsBuild(inputs.forbidding_build(name) or "build-package"))


def require_allowed(inputs: Inputs, name: NormalizedName, version: str | None) -> None:
    """Raise BuildForbidden if a locked source distribution must not be built.

    A locked file was accepted before, so only an explicit prohibition counts.
    """
    policy = forbidding_policy(inputs, name)
    if policy is not None:
        raise BuildForbidden(name, version or "(unversioned)", policy)


def forbidding_policy(inputs: Inputs, name: NormalizedName) -> str | None:
    """Return the line of the project file that forbids building a project, or None."""
    match inputs.forbidding_build(name):
        case "no-build-package":
            return f'no-build-package = ["{name}"]'
        case "build":
            return 'build = "none"'
        case None:
            return None
