"""Results of earlier runs that are looked up instead of computed again.

Tables are keyed by content: a key is the digest of everything that its value depends
on, and never a URL whose content could change. So no entry is ever out of date,
whatever the indexes serve today, and a lost memory costs nothing but time. A memory on
disk is keyed by ``Memory.rules()``: other versions of polylock or packaging may compute
other values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import packaging

from polylock import __version__
from polylock.model.by_extra import ByExtra
from polylock.model.folding import NON_VARIANT, SelectedVariant, fold
from polylock.model.hashes import digest as content_digest
from polylock.model.markers import MarkerExpression, parse_marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target

__all__ = ["Applicable", "Memory", "TargetMemory", "applicable", "digest"]

_DIGEST_BYTES = 16

_Folded = tuple[int, str]
"""The position of a requirement that applies, and the open part of its marker."""

Applicable = tuple["Requirement", "MarkerExpression | None"]
"""A requirement that applies, and the open part of its marker."""


class _Tables(msgspec.Struct, array_like=True):
    """The form on disk; masks are little-endian."""

    masks: dict[str, dict[str, bytes]] = {}
    wheels: dict[str, dict[str, int]] = {}
    requirements: dict[str, dict[str, tuple[_Folded, ...]]] = {}
    pythons: dict[str, dict[str, bool]] = {}


_decoder = msgspec.msgpack.Decoder(_Tables)
_encoder = msgspec.msgpack.Encoder()


class Memory:
    """Tables whose values depend on nothing but their keys."""

    def __init__(self, content: bytes | memoryview = b"") -> None:
        """Read what ``encode`` returned; damaged content counts as empty."""
        self._tables = _Tables()
        if content:
            try:
                self._tables = _decoder.decode(content)
            except msgspec.DecodeError:
                self._tables = _Tables()
        self.learned = 0
        """The number of entries added since it was read."""
        self.by_extra = ByExtra()
        """The index of requirements by extra."""
        self._digests: dict[int, tuple[CoreMetadata, str]] = {}

    @staticmethod
    def rules() -> str:
        """Return the versions on which all values depend besides their keys."""
        return f"polylock {__version__}, packaging {packaging.__version__}"

    def encode(self) -> bytes:
        """Return the form for the disk."""
        return _encoder.encode(self._tables)

    def masks(self, fingerprint: str) -> dict[str, bytes]:
        """Return the masks of a list of versions by specifier text; a table to fill."""
        return self._tables.masks.setdefault(fingerprint, {})

    def of_target(self, target: Target, *settings: object) -> TargetMemory:
        """Return the tables of a target.

        ``settings`` are whatever else decides which wheel of a release is taken.
        """
        environment = digest(
            sorted(target.marker_environment.items()), target.description.python
        )
        python = str(target.description.python)
        return TargetMemory(
            memory=self,
            target=target,
            wheels=self._tables.wheels.setdefault(
                digest(target.tags, python, *settings), {}
            ),
            requirements=self._tables.requirements.setdefault(environment, {}),
            pythons=self._tables.pythons.setdefault(python, {}),
        )

    def key_of(self, metadata: CoreMetadata) -> str:
        """Return the digest of the requirements in core metadata, cached for a run."""
        known = self._digests.get(id(metadata))
        if known is None:
            content = _encoder.encode(metadata.requires_dist)
            known = metadata, content_digest(content, _DIGEST_BYTES)
            self._digests[id(metadata)] = known
        return known[1]


class TargetMemory:
    """The tables of one target; see ``Memory``."""

    __slots__ = ("_memory", "_requirements", "_target", "pythons", "wheels")

    def __init__(
        self,
        *,
        memory: Memory,
        target: Target,
        wheels: dict[str, int],
        requirements: dict[str, tuple[_Folded, ...]],
        pythons: dict[str, bool],
    ) -> None:
        self._memory = memory
        self._target = target
        self._requirements = requirements
        self.pythons = pythons
        """True if the target's Python meets a ``requires-python``, by its text."""
        self.wheels = wheels
        """The position of the best wheel of a release, by the release's digest."""

    def learned(self) -> None:
        """Count an entry that was added."""
        self._memory.learned += 1

    def requirements(self, metadata: CoreMetadata, extra: str) -> list[Applicable]:
        """Return the result of ``applicable`` for a non-variant wheel, cached."""
        every = metadata.requires_dist
        if not every:
            return []
        key = f"{self._memory.key_of(metadata)} {extra}"
        known = self._requirements.get(key)
        if known is None:
            places = self._memory.by_extra.positions(metadata, extra)
            known = tuple(_positions(every, self._target, extra, places=places))
            self._requirements[key] = known
            self._memory.learned += 1
        return [
            (every[position], parse_marker(left) if left else None)
            for position, left in known
        ]


def applicable(
    requirements: Sequence[Requirement],
    target: Target,
    extra: str = "",
    variant: SelectedVariant = NON_VARIANT,
) -> Iterator[Applicable]:
    """Yield the requirements that apply to a target; for an extra, those it adds."""
    for position, left in _positions(requirements, target, extra, variant):
        yield requirements[position], parse_marker(left) if left else None


def _positions(
    requirements: Sequence[Requirement],
    target: Target,
    extra: str,
    variant: SelectedVariant = NON_VARIANT,
    *,
    places: Iterable[int] | None = None,
) -> Iterator[_Folded]:
    for position in range(len(requirements)) if places is None else places:
        requirement = requirements[position]
        if extra and "extra" not in requirement.marker:
            continue  # it belongs to the candidate without the extra
        condition = _condition(requirement, target, extra, variant)
        if condition is False:
            continue
        if extra and _condition(requirement, target, "", variant) is True:
            continue  # it applies without the extra
        yield position, "" if condition is True else str(condition)


def _condition(
    requirement: Requirement, target: Target, extra: str, variant: SelectedVariant
) -> MarkerExpression | bool:
    marker = requirement.marker_expression
    if marker is None:
        return True
    return fold(marker, target, extra=extra, variant=variant)


def digest(*parts: object) -> str:
    """Return the digest of values that their ``repr`` describes in full."""
    content = repr(parts).encode()
    return content_digest(content, _DIGEST_BYTES)
