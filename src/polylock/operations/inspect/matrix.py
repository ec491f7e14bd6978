"""``polylock matrix``: a CI job for each target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.errors import LockFileOutdated
from polylock.operations.chosen import chosen_by
from polylock.operations.inspect.cache_key import key_of
from polylock.operations.inspect.selection import selections
from polylock.operations.workspace import open_workspace, require_lock
from polylock.values import Value

if TYPE_CHECKING:
    from polylock.project.settings import Settings

__all__ = ["Job", "github_matrix", "gitlab_matrix", "matrix"]


class Job(Value, frozen=True, kw_only=True):
    """One job; ``runs_on`` are the labels of its runner, possibly none."""

    target: str
    runs_on: tuple[str, ...]
    python: str
    cache_key: str
    cache_prefix: str

    def to_json(self) -> dict[str, Any]:
        """Return a job of ``matrix --json`` (schemas/matrix.schema.json).

        ``runs-on`` has the form of GitHub Actions: a label or a list of labels.
        """
        runs_on: str | list[str] | None = list(self.runs_on) or None
        if len(self.runs_on) == 1:
            runs_on = self.runs_on[0]
        return {
            "target": self.target,
            "runs-on": runs_on,
            "python": self.python,
            "cache-key": self.cache_key,
            "cache-prefix": self.cache_prefix,
        }


def matrix(settings: Settings) -> tuple[Job, ...]:
    """Return a job for each target of the project, in order.

    Raises ProjectError, LockFileInvalid, and LockFileOutdated: the cache keys of an
    outdated lock file would be wrong.
    """
    workspace = open_workspace(settings)
    pylock = require_lock(workspace.lock_path)
    found = workspace.differences(pylock)
    if found:
        lines = [str(difference) for difference in found]
        raise LockFileOutdated(str(workspace.lock_path), lines)
    keys = {
        selection.target.name: key_of(selection)
        for selection in selections(
            pylock,
            workspace.lock_path,
            target=None,
            chosen=chosen_by(settings, pylock),
        )
    }
    return tuple(
        Job(
            target=target.name,
            runs_on=target.description.runs_on,
            python=str(target.description.python),
            cache_key=keys[target.name].key,
            cache_prefix=keys[target.name].prefix,
        )
        for target in workspace.targets
    )


def github_matrix(jobs: tuple[Job, ...]) -> dict[str, Any]:
    """Return the value of ``strategy.matrix`` of GitHub Actions, for ``fromJSON``."""
    return {"include": [job.to_json() for job in jobs]}


def gitlab_matrix(jobs: tuple[Job, ...]) -> list[dict[str, str]]:
    """Return the value of GitLab's ``parallel:matrix``, which has variables.

    GitLab would make a job per item of a list, so the labels of a runner are one text.
    """
    return [
        {
            "TARGET": job.target,
            "RUNS_ON": " ".join(job.runs_on),
            "PYTHON": job.python,
            "CACHE_KEY": job.cache_key,
            "CACHE_PREFIX": job.cache_prefix,
        }
        for job in jobs
    ]
