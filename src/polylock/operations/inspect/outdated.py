"""``polylock outdated``: list outdated packages, and what holds each one back.

The reasons are those of ``why``, for the newest version.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from polylock.errors import PolylockError, UsageError
from polylock.explain.documents import document
from polylock.explain.words import clause
from polylock.model.cutoffs import dated
from polylock.model.visible_text import visible
from polylock.operations.builds.wiring import IndexContext
from polylock.operations.chosen import chosen_to_show
from polylock.operations.inspect.explainers import locked_explainers, locked_inputs
from polylock.operations.inspect.graph import locked_graphs
from polylock.operations.inspect.selection import (
    open_lock,
    require_record,
    selections,
    target_names,
)
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

    from polylock.explain.reasons import Reason
    from polylock.explain.why_not import WhyNot
    from polylock.model.distributions import Releases
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["Outdated", "OutdatedPin", "outdated"]


class OutdatedPin(Value, frozen=True, kw_only=True):
    """A package with a newer version, and the targets that have the locked version.

    ``allowed`` is the newest version that the project's own requirements and settings
    admit. ``newest`` is the newest version that is not yanked, and not a pre-release
    unless there is no final version. ``reason`` is why ``newest`` is not locked;
    ``problem`` is why the reason is unknown.
    """

    name: NormalizedName
    locked: str
    allowed: str
    newest: str
    reason: Reason | None
    targets: tuple[str, ...]
    problem: str = ""

    @property
    def held_back_by(self) -> str:
        """Return the reason in words."""
        if self.reason is not None:
            return clause(self.reason)
        return visible(self.problem)

    def to_json(self) -> dict[str, Any]:
        """Return an entry of ``outdated --json``."""
        return {
            "name": self.name,
            "targets": list(self.targets),
            "locked": self.locked,
            "allowed": self.allowed,
            "newest": self.newest,
            "held-back-by": self.held_back_by,
            "reason": None if self.reason is None else document(self.reason),
        }


class Outdated(Value, frozen=True, kw_only=True):
    """The outdated packages by name; ``notes`` are about the whole list."""

    pins: tuple[OutdatedPin, ...]
    notes: tuple[str, ...] = ()

    def of_target(self, target: str) -> dict[str, OutdatedPin]:
        """Return the outdated packages of one target, by name."""
        return {pin.name: pin for pin in self.pins if target in pin.targets}

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``outdated --json`` (outdated.schema.json)."""
        return {
            "outdated": [pin.to_json() for pin in self.pins],
            "notes": list(self.notes),
        }


def outdated(settings: Settings, reporter: Reporter) -> Outdated:
    """Compare the lock file with the indexes, for one target or for all.

    Raises UsageError, LockFileInvalid, NoSuchTarget, IndexRequestError, and
    ProjectNotFound if an index no longer has a project.
    """
    pylock, path = open_lock(settings)
    recorded = require_record(pylock, path, "run `polylock lock`").inputs
    chosen = chosen_to_show(settings, pylock)
    shown = target_names(pylock, settings.target, chosen=chosen)
    inputs, notes = locked_inputs(settings, pylock, path, recorded)
    # What `lock --upgrade` would take now.
    inputs = dated(inputs, time.time_ns() // 1000)
    if not inputs.indexes:
        raise UsageError(
            "there is no project file here to name the indexes",
            "run it where pyproject.toml is, or give --project",
        )
    graphs = locked_graphs(replace(settings, target=None))
    picked = tuple(selections(pylock, path, target=None, chosen=chosen))
    found: dict[tuple[Any, ...], list[str]] = {}
    with IndexContext(settings, inputs, reporter) as context:
        explainers = locked_explainers(graphs, picked, inputs, context.source)
        for explainer in explainers:
            if explainer.target.name in shown:
                others = [each for each in explainers if each is not explainer]
                for name in sorted(explainer.pinned.pins):
                    key = _compared(explainer, name, others)
                    if key is not None:
                        found.setdefault(key, []).append(explainer.target.name)
    pins = [
        OutdatedPin(
            name=name,
            locked=locked,
            allowed=allowed,
            newest=newest,
            reason=reason,
            problem=problem,
            targets=tuple(targets),
        )
        for (name, locked, allowed, newest, reason, problem), targets in found.items()
    ]
    pins.sort(key=lambda pin: (pin.name, shown.index(pin.targets[0])))
    return Outdated(pins=tuple(pins), notes=notes)


def _compared(
    explainer: WhyNot, name: NormalizedName, others: Sequence[WhyNot]
) -> tuple[Any, ...] | None:
    """Return the comparison of a package, equal for targets that share it.

    None means that the newest version is locked.
    """
    pin = explainer.pinned.pins[name]
    if not pin.filename:
        return None  # a direct source: no index has versions of it
    releases = explainer.source.releases(name, explainer.target)
    newest = _newest(releases)
    taken = explainer.availability.table(releases).position(pin.version)
    if newest is None or taken is None or newest <= taken:
        return None
    version = releases.versions[newest]
    reason: Reason | None = None
    problem = ""
    try:
        reason = explainer.version(name, version, others)
    except PolylockError as error:
        problem = f"unknown: {error}"
    allowed = explainer.newest_allowed(releases) or pin.version
    return name, pin.version, allowed, version, reason, problem


def _newest(releases: Releases) -> int | None:
    """Return the position of the newest version that is not yanked, final if any is."""
    there = (1 << len(releases.versions)) - 1
    mask = there & ~releases.yanked
    mask = (mask & releases.finals) or mask
    return mask.bit_length() - 1 if mask else None
