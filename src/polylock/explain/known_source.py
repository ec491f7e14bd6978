"""A package source that can be closed: then it only repeats earlier results.

A note must cost no download and must not depend on the contents of a cache. So notes
use only what the solve has read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from polylock.errors import PolylockError
from polylock.model.distributions import Unusable
from polylock.model.reasons import NeedsBuild

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from packaging.utils import NormalizedName

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.ports import Guess, PackageSource
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["KnownSource", "NotKnown"]

T = TypeVar("T")


class NotKnown(PolylockError):
    """The solve has not read this."""

    subject: str

    def __str__(self) -> str:
        return f"{self.subject} was not read"


class KnownSource:
    """Implements PackageSource; once closed, anything that was not read is NotKnown.

    A project that was read for one target is known for all, except those in
    ``by_target``: they may come from another index on each.
    """

    def __init__(self, source: PackageSource, by_target: Collection[str] = ()) -> None:
        self._source = source
        self._by_target = frozenset(by_target)
        self._shared: dict[str, Releases] = {}
        self._is_open = True
        self._projects: dict[tuple[str, str], Releases] = {}
        self._variants: set[tuple[str, str, str]] = set()
        self._files: set[str] = set()
        self.has_unbuilt = False
        """Whether the metadata of a file needs a build that is not allowed."""

    def close(self) -> None:
        """Raise NotKnown from now on for everything that was not read before."""
        self._is_open = False

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the source's result; raises NotKnown if closed before it was read."""
        key = (name, target.name)
        known = self._projects.get(key)
        if known is None and not self._is_open:
            known = self._shared.get(name)
            if known is None:
                raise NotKnown(name)
        if known is None:
            known = self._projects[key] = self._source.releases(name, target)
            if name not in self._by_target:
                self._shared[name] = known
        return known

    def variant_metadata(
        self, release: Release, target: Target
    ) -> VariantMetadata | Unusable:
        """Return the source's result; raises NotKnown if closed before it was read."""
        key = (release.index, release.name, release.version)
        if self._is_open:
            self._variants.add(key)
        elif key not in self._variants:
            raise NotKnown(release.name)
        return self._source.variant_metadata(release, target)

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the source's result; raises NotKnown if closed before it was read."""
        if self._is_open:
            self._files.add(file.url)
        elif file.url not in self._files:
            raise NotKnown(file.filename)
        found = self._source.core_metadata(release, file)
        return self._watched(found)

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        """Return the source's result, which costs no download."""
        return self._watched(self._source.refusal(release, file))

    def _watched(self, found: T) -> T:
        if isinstance(found, Unusable) and isinstance(found.reason, NeedsBuild):
            self.has_unbuilt = True
        return found

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Prefetch while the source is open."""
        if self._is_open:
            self._source.prefetch(requirements, target, guess)
