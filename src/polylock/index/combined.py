"""Several indexes that serve a project together, each with some of its versions.

This is for the builds of torch, of which each index has those for one backend. All
these indexes are of one publisher, so this is no dependency confusion.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from polylock.index.releases import fingerprint
from polylock.index.repository import UNKNOWN, Unknown
from polylock.model.distributions import Release, Releases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

    from polylock.index.directory import DirectoryIndex
    from polylock.index.flat_page import FlatPage
    from polylock.index.repository import Repository

    Part = tuple[Repository | FlatPage | DirectoryIndex, tuple[str, ...]]

__all__ = ["CombinedIndex"]


class CombinedIndex:
    """The versions that any of several indexes has.

    Each part is an index, with specifiers for the versions that it may serve, any of
    which suffices. If several indexes have a version, the first one serves it.
    """

    explicit = True

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        self.name = ", ".join(map(_in_words, self._parts))
        self.url = ", ".join(index.url for index, _ in self._parts)

    def cached_releases(self, name: NormalizedName) -> Releases | Unknown | None:
        """Return the result of ``releases``, UNKNOWN if that takes a request."""
        found = []
        for index, _ in self._parts:
            releases = index.cached_releases(name)
            if isinstance(releases, Unknown):
                return UNKNOWN
            found.append(releases)
        return self._merged(name, found)

    def releases(self, name: NormalizedName) -> Releases | None:
        """Return the releases of a project, None if no index has it.

        Raises IndexRequestError, Offline and CacheUnusable.
        """
        with ThreadPoolExecutor(len(self._parts)) as pool:
            asked = [pool.submit(index.releases, name) for index, _ in self._parts]
            return self._merged(name, [each.result() for each in asked])

    def _merged(
        self, name: NormalizedName, found: Sequence[Releases | None]
    ) -> Releases | None:
        there = [
            (releases, specifiers)
            for releases, (_, specifiers) in zip(found, self._parts, strict=True)
            if releases is not None
        ]
        if not there:
            return None
        places: dict[Version, tuple[Releases, int]] = {}
        for releases, specifiers in there:
            for position, text in enumerate(releases.versions):
                version = Version(text)
                if version not in places and _admits(specifiers, version):
                    places[version] = releases, position
        order = [places[version] for version in sorted(places)]
        versions = [releases.versions[position] for releases, position in order]

        def load(position: int) -> Release:
            releases, place = order[position]
            return releases.release(place)

        return Releases(
            name=name,
            index=self.name,
            index_url=self.url,
            versions=versions,
            finals=_mask([releases.finals >> at & 1 for releases, at in order]),
            yanked=_mask([releases.yanked >> at & 1 for releases, at in order]),
            earliest_upload=[releases.earliest_upload[at] for releases, at in order],
            load=load,
            fingerprint=fingerprint("\n".join(versions).encode()),
        )


def _in_words(part: Part) -> str:
    index, specifiers = part
    limits = " or ".join(filter(None, specifiers))
    return f"{index.name} ({limits})" if limits else index.name


def _admits(specifiers: Sequence[str], version: Version) -> bool:
    public = Version(version.public)
    return any(
        SpecifierSet(specifier).contains(public, prereleases=True)
        for specifier in specifiers
    )


def _mask(bits: Sequence[int]) -> int:
    return sum(bit << position for position, bit in enumerate(bits))
