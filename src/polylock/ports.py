"""What the core needs from the world, and what the world tells a person.

The layers below ``operations`` take these; ``operations`` hands in the real ones and
tests hand in fakes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import (
        Release,
        Releases,
        RemoteFile,
        Unusable,
    )
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.variants.variant_json import VariantMetadata

__all__ = [
    "Guess",
    "PackageSource",
    "Provisioner",
    "Reporter",
    "SdistBuilder",
    "SilentReporter",
]


class PackageSource(Protocol):
    """Where releases and their metadata come from.

    Every method answers the same thing each time it is asked in one run, whatever
    the order of questions, and may be called from one thread only; what it does in
    the background is its own business.
    """

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the versions of a project on the index that serves it to a target.

        Raises ProjectNotFound where no index has it, IndexRequestError where one
        cannot be asked.
        """
        ...

    def variant_metadata(self, release: Release) -> VariantMetadata | Unusable:
        """Return the combined variant metadata of a release with variant wheels."""
        ...

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the core metadata of just this file, never of a sibling."""
        ...

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        """Say why a source distribution is of no use, where that is known unopened.

        ``core_metadata`` would say that it is unusable as well, and costs its download.
        """
        ...

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Begin to fetch what a solve with these requirements will likely need.

        ``guess`` names the file that the solver would take; its dependencies are
        fetched in turn. May do nothing; must not change any later answer.
        """
        ...


class Guess(Protocol):
    """Names the file that the solver would take for one requirement alone."""

    def __call__(
        self, releases: Releases, requirement: Requirement, target: Target
    ) -> tuple[Release, RemoteFile] | None:
        """Return the release and its file, None where there is no candidate."""
        ...


class SdistBuilder(Protocol):
    """Builds source distributions; runs the code that is in them."""

    def metadata(self, path: Path, filename: str) -> CoreMetadata:
        """Return the core metadata that the wheel built from a file would have.

        ``filename`` is the file's own name, whatever ``path`` is called in a cache.
        Raises BuildFailed, FileCorrupt.
        """
        ...

    def wheel(self, path: Path, filename: str, destination: Path) -> Path:
        """Build a wheel into a directory; return its path.

        Raises BuildFailed, FileCorrupt.
        """
        ...


class Provisioner(Protocol):
    """Puts distributions into an environment that is made for one purpose."""

    def provision(self, requirements: Sequence[str], directory: Path) -> Path:
        """Install what the requirements (PEP 508 texts) ask for, and nothing else.

        ``directory`` is a virtual environment; returns its Python. May be called
        again with more requirements. Raises NoSolution, ProjectNotFound, and what
        fetching and installing raise.
        """
        ...


class Reporter(Protocol):
    """Told of what happens, so that a person can be; must not raise."""

    def solving(self, target: str) -> None:
        """Tell that the solve of a target begins."""

    def solved(self, target: str, packages: int) -> None:
        """Tell that a target is solved, with the number of its packages."""

    def trying(self, target: str, package: str, tries: int) -> None:
        """Tell that a candidate of a package is tried, and how many were before.

        Is called thousands of times where requirements conflict.
        """

    def backtracking(self, target: str, package: str) -> None:
        """Tell that the candidate of a package was given up."""

    def fetching(self, what: str, size: int | None) -> None:
        """Tell that a download of ``size`` bytes begins; None: not known."""

    def received(self, what: str, count: int) -> None:
        """Tell that further ``count`` bytes of a download have come."""

    def fetched(self, what: str) -> None:
        """Tell that a download is complete and verified."""

    def building(self, name: str, version: str) -> None:
        """Tell that a source distribution is being built."""

    def installing(self, name: str, version: str) -> None:
        """Tell that a distribution was installed."""

    def removing(self, name: str, version: str) -> None:
        """Tell that a distribution was removed."""

    def noting(self, message: str) -> None:
        """Tell a fact about the work that is no cause for concern."""

    def warning(self, message: str) -> None:
        """Tell something that the user should know; the work goes on."""


class SilentReporter:
    """A Reporter that says nothing."""

    def solving(self, target: str) -> None:
        """Ignore."""

    def solved(self, target: str, packages: int) -> None:
        """Ignore."""

    def trying(self, target: str, package: str, tries: int) -> None:
        """Ignore."""

    def backtracking(self, target: str, package: str) -> None:
        """Ignore."""

    def fetching(self, what: str, size: int | None) -> None:
        """Ignore."""

    def received(self, what: str, count: int) -> None:
        """Ignore."""

    def fetched(self, what: str) -> None:
        """Ignore."""

    def building(self, name: str, version: str) -> None:
        """Ignore."""

    def installing(self, name: str, version: str) -> None:
        """Ignore."""

    def removing(self, name: str, version: str) -> None:
        """Ignore."""

    def noting(self, message: str) -> None:
        """Ignore."""

    def warning(self, message: str) -> None:
        """Ignore."""
