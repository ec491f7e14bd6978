"""Sets of versions as bit masks.

``SpecifierSet.contains`` over 1,800 versions for each of 2,000 specifiers takes three
seconds; a mask is computed once for each specifier text and then combined with ``&``.
A mask needs few comparisons: versions are sorted, so every clause is an interval of
positions, found by bisection. Only versions with the release segment of the clause need
the special rules of PEP 440 (post-releases after ``>``, pre-releases before ``<``,
local versions); for these few ``Specifier.contains`` is called.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.model.distributions import Releases
    from polylock.resolution.memory import Memory

__all__ = [
    "VersionTable",
    "names_prerelease",
    "parse_version",
    "positions",
    "public",
    "satisfies",
]

parse_version = lru_cache(maxsize=262144)(Version)
"""Parse a version once per distinct text."""


@lru_cache(maxsize=65536)
def _parse_specifier(text: str) -> SpecifierSet:
    return SpecifierSet(text)


@lru_cache(maxsize=65536)
def satisfies(specifier: str, version: str) -> bool:
    """Return True if a version meets a specifier set, pre-releases included.

    No version meets an invalid specifier: indexes hold files older than PEP 440, with
    a ``requires-python`` such as ``>=3.6.*``.
    """
    try:
        return _parse_specifier(specifier).contains(version, prereleases=True)
    except ValueError:
        return False


@lru_cache(maxsize=65536)
def public(version: str) -> str:
    """Return a normalized version without its local part."""
    return version.partition("+")[0]


def names_prerelease(specifier: str) -> bool:
    """Return True if a specifier set names a pre-release, which admits them."""
    return bool(_parse_specifier(specifier).prereleases)


class VersionTable:
    """The versions of one project, one bit for each; bit 0 is the lowest version."""

    def __init__(self, releases: Releases, memory: Memory | None = None) -> None:
        self._versions: Sequence[str] = releases.versions
        self._finals = releases.finals
        self._places: dict[str, int] | None = None
        self._masks: dict[str, int] = {"": (1 << len(releases.versions)) - 1}
        self._memory = memory if releases.fingerprint else None
        self._known: dict[str, bytes] = (
            {} if self._memory is None else self._memory.masks(releases.fingerprint)
        )

    @property
    def everything(self) -> int:
        """Return the mask of all versions."""
        return self._masks[""]

    def mask(self, specifier: str) -> int:
        """Return the mask of the versions that meet a specifier, pre-releases included.

        O(log n) version comparisons for the first call with a text, then a lookup.
        """
        mask = self._masks.get(specifier)
        if mask is None:
            known = self._known.get(specifier)
            if known is not None:
                mask = int.from_bytes(known, "little")
            else:
                mask = self._compute(specifier)
            self._masks[specifier] = mask
        return mask

    def _compute(self, specifier: str) -> int:
        mask = self.everything
        for clause in _parse_specifier(specifier):
            mask &= self._clause(clause)
        if self._memory is not None:
            size = (mask.bit_length() + 7) // 8
            self._known[specifier] = mask.to_bytes(size, "little")
            self._memory.learned += 1
        return mask

    @property
    def finals(self) -> int:
        """Return the mask of the versions that are not pre-releases."""
        return self._finals

    def position(self, version: str) -> int | None:
        """Return the position of a version, in any spelling; None if it is missing."""
        if self._places is None:
            self._places = {text: at for at, text in enumerate(self._versions)}
        place = self._places.get(version)
        if place is not None:
            return place
        wanted = parse_version(version)
        at = self._bisect(wanted)
        if at < len(self._versions) and self._version(at) == wanted:
            return at
        return None

    def _version(self, position: int) -> Version:
        return parse_version(self._versions[position])

    def _bisect(self, version: Version) -> int:
        return bisect_left(self._versions, version, key=parse_version)

    def _clause(self, clause: Specifier) -> int:
        operator, text = clause.operator, clause.version
        if operator == "===":
            return sum(
                1 << position
                for position, version in enumerate(self._versions)
                if version.lower() == text.lower()
            )
        if text.endswith(".*"):
            prefix = self._prefix(text[:-2])
            return prefix if operator == "==" else self.everything & ~prefix
        if operator == "~=":
            series = ".".join(str(n) for n in parse_version(text).release[:-1])
            epoch = parse_version(text).epoch
            prefix = self._prefix(f"{epoch}!{series}" if epoch else series)
            return prefix & self._clause(Specifier(f">={text}"))
        return self._comparison(clause)

    def _comparison(self, clause: Specifier) -> int:
        """Return the mask of ``==``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``."""
        operator = clause.operator
        wanted = parse_version(clause.version)
        epoch, release = wanted.epoch, _significant(wanted.release)
        first = self._bisect(
            parse_version(f"{epoch}!{wanted.base_version.rpartition('!')[2]}.dev0")
        )
        end = first
        mask = 0
        while end < len(self._versions):
            version = self._version(end)
            if version.epoch != epoch or _significant(version.release) != release:
                break
            if clause.contains(version, prereleases=True):
                mask |= 1 << end
            end += 1
        if operator in {"<", "<=", "!="}:
            mask |= (1 << first) - 1
        if operator in {">", ">=", "!="}:
            mask |= self.everything & ~((1 << end) - 1)
        return mask

    def _prefix(self, series: str) -> int:
        """Return the mask of ``==series.*``: from its first dev release to the next."""
        start = parse_version(f"{series}.dev0")
        *head, last = start.release
        following = ".".join(str(number) for number in (*head, last + 1))
        stop = parse_version(f"{start.epoch}!{following}.dev0")
        low, high = self._bisect(start), self._bisect(stop)
        return ((1 << high) - 1) & ~((1 << low) - 1)


def positions(mask: int, *, lowest_first: bool = False) -> Iterator[int]:
    """Yield the positions of the bits in a mask, the highest first by default."""
    while mask:
        if lowest_first:
            position = (mask & -mask).bit_length() - 1
        else:
            position = mask.bit_length() - 1
        yield position
        mask &= ~(1 << position)


def _significant(release: tuple[int, ...]) -> tuple[int, ...]:
    """Return a release without trailing zeros: 1.0 and 1 are the same (PEP 440)."""
    end = len(release)
    while end > 1 and release[end - 1] == 0:
        end -= 1
    return release[:end]
