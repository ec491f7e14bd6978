"""What the user asks for cannot be: by command line, project file or lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors.base import PolylockError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ForeignHashDiffers",
    "ForeignLockInvalid",
    "LockFileInvalid",
    "LockFileOutdated",
    "NoSolution",
    "NoSuchTarget",
    "ProjectError",
    "UsageError",
]


class UsageError(PolylockError):
    """The command line asks for something that cannot be."""

    exit_code = 2

    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return self.problem


class ProjectError(PolylockError):
    """A value in the project file is missing, unknown or wrong.

    ``key`` is the dotted key path, ``tool.polylock.targets.h100.cpu``, or the
    empty string where the file as a whole is meant.
    """

    exit_code = 2

    path: str
    key: str
    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return _at_key(self.path, self.key, self.problem)


class LockFileInvalid(PolylockError):
    """The lock file cannot be read; ``key`` is the key path, ``packages[3].name``."""

    usual_hint = "restore it from version control, or delete it and run `polylock lock`"

    path: str
    key: str
    problem: str
    advice: str | None = None

    def __str__(self) -> str:
        return _at_key(self.path, self.key, self.problem)


class ForeignLockInvalid(PolylockError):
    """A lock file of another tool cannot be read; ``key`` may be ``line 12``."""

    exit_code = 2
    usual_hint = "give a file as its own tool writes it, or lock without --pins-from"

    path: str
    key: str
    problem: str

    def __str__(self) -> str:
        return _at_key(self.path, self.key, self.problem)


class ForeignHashDiffers(PolylockError):
    """The index has other bytes under the name of a file than the pin's hash says."""

    path: str
    name: str
    version: str
    filename: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.name} {self.version}: {self.filename} has another hash on the "
            f"index than in {self.path}"
        )

    def details(self) -> Sequence[str]:
        return (f"{self.path}: {self.wanted}", f"the index: {self.found}")

    def hint(self) -> str | None:
        return (
            "a published file must not change: do not trust it before you know why; "
            f"if the index builds {self.name} itself, take {self.name} out of "
            f"{self.path}"
        )


class LockFileOutdated(PolylockError):
    """The lock file does not answer the project; a difference a line."""

    exit_code = 3
    listed = "differences"
    usual_hint = "run `polylock lock`"

    path: str
    differences: Sequence[str]

    def __str__(self) -> str:
        return f"{self.path} is out of date"


class NoSuchTarget(PolylockError):
    """A target, group or extra that was asked for does not exist."""

    exit_code = 2

    kind: str
    name: str
    known: Sequence[str]
    advice: str | None = None

    def __str__(self) -> str:
        return f"no {self.kind} named {self.name}"

    def hint(self) -> str | None:
        if self.advice:
            return self.advice
        known = ", ".join(self.known)
        return f"there are: {known}" if known else f"there is no {self.kind} at all"


class NoSolution(PolylockError):
    """The requirements of a target contradict each other or the index.

    ``explanation`` holds the causes, a line each, made by
    ``polylock.explain.conflict``.
    """

    listed = "explanation"

    target: str
    explanation: Sequence[str]
    advice: str | None = None

    def __str__(self) -> str:
        return f"no solution for target {self.target}"


def _at_key(path: str, key: str, problem: str) -> str:
    """Return a sentence about a value of a file, or about the file as a whole."""
    return f"{path}: {key}: {problem}" if key else f"{path}: {problem}"
