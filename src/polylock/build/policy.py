"""Whose build backend may run: what the project says of source distributions."""

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
    """Say why no backend may be run for a project while locking, None if it may.

    By default locking runs no code that came from an index: ``build = "local"`` is
    for paths and version control.
    """
    if forbidding_policy(inputs, name) is None and (
        inputs.build == "all" or name in inputs.build_packages
    ):
        return None
    return Unusable(NeedsBuild(inputs.forbidding_build(name) or "build-package"))


def require_allowed(inputs: Inputs, name: NormalizedName, version: str | None) -> None:
    """Raise BuildForbidden where a locked source distribution must not be built.

    What was locked was agreed to, so only a plain no counts.
    """
    policy = forbidding_policy(inputs, name)
    if policy is not None:
        raise BuildForbidden(name, version or "(unversioned)", policy)


def forbidding_policy(inputs: Inputs, name: NormalizedName) -> str | None:
    """Return what forbids to build a project, as the project file has it, or None."""
    match inputs.forbidding_build(name):
        case "no-build-package":
            return f'no-build-package = ["{name}"]'
        case "build":
            return 'build = "none"'
        case None:
            return None
