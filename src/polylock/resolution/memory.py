"""What earlier runs worked out, so that it is looked up and not worked out again.

Every table goes from content to what follows from it: a key holds the digest of all
that an answer depends on, and no name of a place whose content could change. So
nothing in here is ever out of date, whatever the indexes say today, and a memory that
is lost costs time alone. Whoever keeps one on disk keys it by ``Memory.rules()``: other
versions of polylock or packaging may answer otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import packaging

from polylock import __version__
from polylock.model.by_extra import ByExtra
from polylock.model.folding import NON_VARIANT, fold
from polylock.model.hashes import digest as content_digest
from polylock.model.markers import parse_marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.folding import SelectedVariant
    from polylock.model.markers import MarkerExpression
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target

__all__ = ["Held", "Memory", "TargetMemory", "digest", "held"]

_DIGEST_BYTES = 16

_Folded = tuple[int, str]
"""The position of a requirement that holds, and what is left open of its marker."""

Held = tuple["Requirement", "MarkerExpression | None"]
"""A requirement that holds, and what the target leaves open of its marker."""


class _Tables(msgspec.Struct, array_like=True):
    """The form kept on disk; a mask has its lowest byte first."""

    masks: dict[str, dict[str, bytes]] = {}
    wheels: dict[str, dict[str, int]] = {}
    requirements: dict[str, dict[str, tuple[_Folded, ...]]] = {}
    pythons: dict[str, dict[str, bool]] = {}


_decoder = msgspec.msgpack.Decoder(_Tables)
_encoder = msgspec.msgpack.Encoder()


class Memory:
    """Tables of answers that depend on nothing but their keys."""

    def __init__(self, content: bytes | memoryview = b"") -> None:
        """Begin with what ``encode`` gave, with nothing where it is damaged."""
        self._tables = _Tables()
        if content:
            try:
                self._tables = _decoder.decode(content)
            except msgspec.DecodeError:
                self._tables = _Tables()
        self.learned = 0
        """How many answers were worked out and not known before."""
        self.by_extra = ByExtra()
        """Which requirements to look at for an extra."""
        self._digests: dict[int, tuple[CoreMetadata, str]] = {}

    @staticmethod
    def rules() -> str:
        """Return what all answers depend on besides their keys."""
        return f"polylock {__version__}, packaging {packaging.__version__}"

    def encode(self) -> bytes:
        """Return the form to be kept."""
        return _encoder.encode(self._tables)

    def masks(self, fingerprint: str) -> dict[str, bytes]:
        """Return the masks of a list of versions by specifier text, to be added to."""
        return self._tables.masks.setdefault(fingerprint, {})

    def of_target(self, target: Target, *wishes: object) -> TargetMemory:
        """Return the tables of a target.

        ``wishes`` are whatever else decides which wheel of a release is taken.
        """
        environment = digest(
            sorted(target.marker_environment.items()), target.description.python
        )
        python = str(target.description.python)
        return TargetMemory(
            memory=self,
            target=target,
            wheels=self._tables.wheels.setdefault(
                digest(target.tags, python, *wishes), {}
            ),
            requirements=self._tables.requirements.setdefault(environment, {}),
            pythons=self._tables.pythons.setdefault(python, {}),
        )

    def key_of(self, metadata: CoreMetadata) -> str:
        """Return the digest of what core metadata requires, computed once a run."""
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
        """Whether the target's Python meets a ``requires-python``."""
        self.wheels = wheels
        """The position of the wheel taken of a release, by the release's digest."""

    def learned(self) -> None:
        """Count an answer that was not known before."""
        self._memory.learned += 1

    def requirements(self, metadata: CoreMetadata, extra: str) -> list[Held]:
        """Return what ``held`` does for a non-variant wheel."""
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


def held(
    requirements: Sequence[Requirement],
    target: Target,
    extra: str = "",
    variant: SelectedVariant = NON_VARIANT,
) -> Iterator[Held]:
    """Yield the requirements that hold on a target; of an extra, those that it adds."""
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
            continue  # the candidate itself asks for it
        condition = _condition(requirement, target, extra, variant)
        if condition is False:
            continue
        if extra and _condition(requirement, target, "", variant) is True:
            continue  # holds without the extra
        yield position, "" if condition is True else str(condition)


def _condition(
    requirement: Requirement, target: Target, extra: str, variant: SelectedVariant
) -> MarkerExpression | bool:
    marker = requirement.marker_expression
    if marker is None:
        return True
    return fold(marker, target, extra=extra, variant=variant)


def digest(*parts: object) -> str:
    """Return the digest of values whose ``repr`` says all about them."""
    content = repr(parts).encode()
    return content_digest(content, _DIGEST_BYTES)
