"""The pins and root requirements of one target, from a solve or from a lock file.

``why_not`` reads these, so a solve and a lock file give the same reasons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.explain.reasons import RootAsker
from polylock.explain.screening import roots_of
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs, RootRequirement
    from polylock.model.pins import Resolution
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target

__all__ = ["Answer", "Pinned", "answer_of", "asker_of"]


class Pinned(Value, frozen=True, kw_only=True):
    """One pinned project of a target.

    ``filename`` is empty where no index had a say in it. ``extras`` are those in use,
    None where that is not known; ``requires`` are the projects that it depends on.
    """

    version: str
    filename: str = ""
    extras: tuple[str, ...] | None = ()
    requires: tuple[NormalizedName, ...] = ()


class Answer(Value, frozen=True, kw_only=True):
    """The pins of one target, and what the project itself requires there."""

    target: Target
    roots: tuple[tuple[RootAsker, Requirement], ...]
    pins: Mapping[NormalizedName, Pinned]

    def dependents(self, name: str) -> Iterator[NormalizedName]:
        """Yield the projects whose pins depend on a project, sorted."""
        for other, pin in sorted(self.pins.items()):
            if name in pin.requires:
                yield other


def asker_of(root: RootRequirement) -> RootAsker:
    """Return who in the project has a requirement."""
    if root.extra is not None:
        return RootAsker("extra", root.extra)
    if root.group is not None:
        return RootAsker("group", root.group)
    if root.target is not None:
        return RootAsker("target", root.target)
    return RootAsker()


def answer_of(resolution: Resolution, inputs: Inputs) -> Answer:
    """Return a resolution as an answer."""
    target = resolution.target
    roots = [(asker_of(root), root.requirement) for root in roots_of(target, inputs)]
    pins = {
        name: Pinned(
            version=pin.version,
            filename="" if pin.direct is not None else pin.file.filename,
            extras=tuple(sorted({edge.extra for edge in pin.edges if edge.extra})),
            requires=tuple(dict.fromkeys(edge.name for edge in pin.edges)),
        )
        for name, pin in resolution.pins.items()
    }
    return Answer(target=target, roots=tuple(roots), pins=pins)
