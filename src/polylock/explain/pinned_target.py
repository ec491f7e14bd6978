"""The pins and root requirements of one target, from a solve or from a lock file.

Both are explained by ``why_not``, so a solve and a lock file give the same reasons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.explain.reasons import RootOrigin
from polylock.explain.screening import roots_of
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs, RootRequirement
    from polylock.model.pins import Resolution
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target

__all__ = ["Pinned", "PinnedTarget", "origin_of", "pinned_target"]


class Pinned(Value, frozen=True, kw_only=True):
    """One pinned project of a target.

    ``filename`` is empty for a direct source. ``extras`` are those in use, None if they
    are not known; ``requires`` are the projects that it depends on.
    """

    version: str
    filename: str = ""
    extras: tuple[str, ...] | None = ()
    requires: tuple[NormalizedName, ...] = ()


class PinnedTarget(Value, frozen=True, kw_only=True):
    """The pins of one target, and the project's own requirements there."""

    target: Target
    roots: tuple[tuple[RootOrigin, Requirement], ...]
    pins: Mapping[NormalizedName, Pinned]

    def dependents(self, name: str) -> Iterator[NormalizedName]:
        """Yield the projects whose pins depend on a project, sorted."""
        for other, pin in sorted(self.pins.items()):
            if name in pin.requires:
                yield other


def origin_of(root: RootRequirement) -> RootOrigin:
    """Return the place in the project of a root requirement."""
    if root.extra is not None:
        return RootOrigin("extra", root.extra)
    if root.group is not None:
        return RootOrigin("group", root.group)
    if root.target is not None:
        return RootOrigin("target", root.target)
    return RootOrigin()


def pinned_target(resolution: Resolution, inputs: Inputs) -> PinnedTarget:
    """Return the pins of a resolution."""
    target = resolution.target
    roots = [(origin_of(root), root.requirement) for root in roots_of(target, inputs)]
    pins = {
        name: Pinned(
            version=pin.version,
            filename="" if pin.direct is not None else pin.file.filename,
            extras=tuple(sorted({edge.extra for edge in pin.edges if edge.extra})),
            requires=tuple(dict.fromkeys(edge.name for edge in pin.edges)),
        )
        for name, pin in resolution.pins.items()
    }
    return PinnedTarget(target=target, roots=tuple(roots), pins=pins)
