"""The options of a lock beyond the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from polylock.errors import UsageError
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from polylock.model.pins import Preference

__all__ = ["LockRequest", "parse_upgrades"]


class LockRequest(Value, frozen=True, kw_only=True):
    """The options of a lock.

    ``upgrade`` discards all pins, ``upgrade_packages`` those of its projects; a value
    is the wanted version, None the best. ``targets`` are the only ones to solve, empty
    for all. ``preferences`` are the pins to keep by target, None for those of the lock
    file. ``pins_from`` are lock files of other tools, whose pins rank below those.
    ``allowed_builds`` are projects that may be built from now on: their pins are
    discarded. ``dry_run`` writes nothing. ``force`` overwrites a lock file of another
    tool. A span of ``exclude-newer`` counts back from ``now``, in microseconds since
    1970 UTC, None for the clock's; unless something is upgraded, the time that the lock
    file has for it stays.
    """

    upgrade: bool = False
    upgrade_packages: Mapping[NormalizedName, str | None] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    preferences: Mapping[str, Mapping[NormalizedName, Preference]] | None = None
    pins_from: tuple[Path, ...] = ()
    allowed_builds: tuple[str, ...] = ()
    dry_run: bool = False
    now: int | None = None
    force: bool = False


def parse_upgrades(texts: Sequence[str]) -> dict[NormalizedName, str | None]:
    """Read ``NAME`` or ``NAME==V``; raises UsageError for anything else."""
    found: dict[NormalizedName, str | None] = {}
    for text in texts:
        name, equals, version = (part.strip() for part in text.partition("=="))
        try:
            if equals:
                Version(version)
            found[canonicalize_name(name, validate=True)] = version if equals else None
        except ValueError as error:
            raise UsageError(
                f"{text!r} is not NAME or NAME==VERSION",
                "for example: --upgrade-package numpy==2.3.4",
            ) from error
    return found
