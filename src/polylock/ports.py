"""Ports: the protocols by which the core reaches indexes, builds and the user.

The layers below ``operations`` take these. ``operations`` passes the real ones, tests
pass fakes.
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
    """The source of releases and their metadata.

    In one run a method returns the same result for the same arguments, whatever the
    order of calls. It is not thread-safe; it may fetch in background threads.
    """

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the versions of a project on the index that serves it to a target.

        Raises ProjectNotFound if no index has it, IndexRequestError if a request
        fails.
        """
        ...

    def variant_metadata(
        self, release: Release, target: Target
    ) -> VariantMetadata | Unusable:
        """Return the combined variant metadata of a release with variant wheels.

        Without a file of the index it is that of the wheels, first of all of those that
        fit the target by their tags.
        """
        ...

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the core metadata of this very file, never of a sibling."""
        ...

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        """Return the reason against a source distribution if it is known unopened.

        ``core_metadata`` would return the same, at the cost of a download.
        """
        ...

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Start to fetch what a solve of these requirements will likely need.

        ``guess`` picks the file that the solver would take; its dependencies are
        fetched in turn. May do nothing; must not change any later result.
        """
        ...


class Guess(Protocol):
    """Picks the file that the solver would take for one requirement alone."""

    def __call__(
        self, releases: Releases, requirement: Requirement, target: Target
    ) -> tuple[Release, RemoteFile] | None:
        """Return the release and its file, None if there is no candidate."""
        ...


class SdistBuilder(Protocol):
    """Builds source distributions, which runs their code."""

    def metadata(self, path: Path, filename: str) -> CoreMetadata:
        """Return the core metadata of the wheel that a file builds.

        ``filename`` is the name of the file on the index; ``path`` may have another.
        Raises BuildFailed, FileCorrupt.
        """
        ...

    def wheel(self, path: Path, filename: str, destination: Path) -> Path:
        """Build a wheel into a directory; return its path.

        Raises BuildFailed, FileCorrupt.
        """
        ...


class Provisioner(Protocol):
    """Installs distributions into the environment of a build or a provider plugin."""

    def provision(self, requirements: Sequence[str], directory: Path) -> Path:
        """Install the requirements (PEP 508) and their dependencies; return the Python.

        ``directory`` is a virtual environment. May be called again with more
        requirements. Raises NoSolution, ProjectNotFound, and the errors of fetching
        and installing.
        """
        ...


class Reporter(Protocol):
    """Receives the progress of an operation for display; must not raise."""

    def solving(self, target: str) -> None:
        """Report that the solve of a target begins."""

    def solved(self, target: str, packages: int) -> None:
        """Report that a target is solved, with its number of packages."""

    def trying(self, target: str, package: str, tries: int) -> None:
        """Report that a candidate of a package is tried, after ``tries`` others.

        Called thousands of times where requirements conflict.
        """

    def backtracking(self, target: str, package: str) -> None:
        """Report that the candidate of a package was discarded."""

    def expecting(self, files: int, size: int | None) -> None:
        """Report how many files will be downloaded, and their bytes if known."""

    def fetching(self, what: str, size: int | None) -> None:
        """Report that a download of ``size`` bytes begins; None if that is unknown."""

    def received(self, what: str, count: int) -> None:
        """Report that ``count`` more bytes of a download arrived."""

    def fetched(self, what: str) -> None:
        """Report that a download is complete and verified."""

    def building(self, name: str, version: str) -> None:
        """Report that the build of a source distribution begins."""

    def installing(self, name: str, version: str) -> None:
        """Report that a distribution was installed."""

    def removing(self, name: str, version: str) -> None:
        """Report that a distribution was removed."""

    def noting(self, message: str) -> None:
        """Show a fact that needs no action."""

    def warning(self, message: str) -> None:
        """Show a warning; the operation continues."""


class SilentReporter:
    """A Reporter that shows nothing."""

    def solving(self, target: str) -> None:
        """Ignore."""

    def solved(self, target: str, packages: int) -> None:
        """Ignore."""

    def trying(self, target: str, package: str, tries: int) -> None:
        """Ignore."""

    def backtracking(self, target: str, package: str) -> None:
        """Ignore."""

    def expecting(self, files: int, size: int | None) -> None:
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
