"""What this machine, an environment, the cache or a build cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors.base import PolylockError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.model.reasons import Rejection

__all__ = [
    "BuildFailed",
    "BuildForbidden",
    "CacheUnusable",
    "EnvironmentBroken",
    "NoTargetFits",
    "NothingToInstall",
    "ProviderFailed",
    "TargetMismatch",
]


class TargetMismatch(PolylockError):
    """This machine lacks something that the target needs; an item a line."""

    exit_code = 4
    listed = "missing"
    usual_hint = (
        "choose another target with --target, or build for the other machine "
        "with --force-target"
    )

    target: str
    missing: Sequence[str]

    def __str__(self) -> str:
        return f"this machine is not target {self.target}"


class NoTargetFits(TargetMismatch):
    """This machine lacks something for each target of the lock file."""

    usual_hint = (
        "add this machine with `polylock targets add --here`, or build for another "
        "with --target and --force-target"
    )

    def __str__(self) -> str:
        return "this machine is none of the targets"


class NothingToInstall(PolylockError):
    """A locked package has no file that the environment could install."""

    name: str
    version: str
    target: str
    rejected: Sequence[Rejection]

    def __str__(self) -> str:
        return f"{self.name} {self.version} has no file for target {self.target}"


class EnvironmentBroken(PolylockError):
    """An environment cannot be read, made or changed."""

    usual_hint = (
        "check the permissions and the free space there, then run the command "
        "again: it repairs what was interrupted"
    )

    path: str
    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class CacheUnusable(PolylockError):
    """The cache directory cannot be read or written."""

    usual_hint = (
        "check the permissions and the free space there, or choose another place "
        "with --cache-dir or POLYLOCK_CACHE_DIR"
    )

    path: str
    problem: str

    def __str__(self) -> str:
        return f"cache {self.path}: {self.problem}"


class BuildFailed(PolylockError):
    """A source distribution cannot be built.

    ``step`` says what failed, as a clause: ``build_wheel exited with status 1``.
    ``output`` holds the last lines of what the build wrote, or further facts.
    """

    listed = "output"
    usual_hint = (
        "the build may need a compiler or a library that is not here; "
        "constrain the project to a version that has a wheel for the target"
    )

    name: str
    version: str
    step: str
    output: Sequence[str] = ()
    advice: str | None = None

    def __str__(self) -> str:
        return f"cannot build {self.name} {self.version}: {self.step}"


class BuildForbidden(PolylockError):
    """A source distribution would have to be built, and the project forbids it.

    ``policy`` is the setting that does, as written: ``build = "none"``.
    """

    name: str
    version: str
    policy: str

    def __str__(self) -> str:
        return (
            f"{self.name} {self.version} is locked as a source distribution, "
            f"and {self.policy} in [tool.polylock] forbids to build it"
        )

    def hint(self) -> str | None:
        return (
            f"change {self.policy.partition(' ')[0]} in [tool.polylock], or "
            f"constrain {self.name} to a version that has a wheel for the target"
        )


class ProviderFailed(PolylockError):
    """A provider that the user trusts gave no usable answer.

    ``step`` says what failed, as a clause: ``it did not answer within 60 seconds``.
    ``output`` holds the last lines of what its plugin printed, or further facts.
    """

    listed = "output"
    usual_hint = (
        "without it, state the lists under properties of the target, or try "
        "another version: --trust-provider NAME==VERSION"
    )

    name: str
    step: str
    output: Sequence[str] = ()
    advice: str | None = None

    def __str__(self) -> str:
        return f"the provider {self.name} is of no use: {self.step}"
