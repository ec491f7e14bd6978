"""Carry a plan out: fetch everything, then change the environment.

The order is what makes an interrupted run harmless. Nothing is touched before every
archive is there and every place to write to is known to be free to use. Then the old
goes, then the new comes, each distribution with a partial RECORD from its first
change to its last, so that the next run knows what to clean up.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from polylock.environment.installed import read_installed
from polylock.errors import ArchiveDamaged, EnvironmentBroken
from polylock.installation.archive import TREE, read_manifest
from polylock.installation.link import Linker, LinkMode
from polylock.installation.place import Placement, place
from polylock.installation.plan import plan_sync
from polylock.installation.uninstall import (
    Boundary,
    listed_files,
    refuse_unremovable,
    uninstall,
)
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.environment.installed import InstalledDistribution
    from polylock.environment.interpreter import Interpreter
    from polylock.installation.plan import PlanEntry, SyncPlan, WantedDistribution
    from polylock.ports import Reporter

__all__ = ["FetchArchives", "Outcome", "execute"]
