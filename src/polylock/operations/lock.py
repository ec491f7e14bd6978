"""``polylock lock``: resolve the project for every target and write the lock file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from polylock.errors import UsageError
from polylock.lockfile.assemble import assemble
from polylock.lockfile.encode import encode
from polylock.lockfile.freshness import differences
from polylock.lockfile.records import record_target
from polylock.lockfile.select import preferences
from polylock.model.pins import Preference
from polylock.model.requirements import Requirement
from polylock.operations.context import Context
from polylock.operations.files import write_atomically
from polylock.operations.workspace import open_workspace, read_lock
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.lockfile.pylock import Pylock
    from polylock.model.inputs import Inputs
    from polylock.model.pins import Resolution
    from polylock.network.client import Traffic
    from polylock.operations.workspace import Workspace
    from polylock.ports import Reporter
    from polylock.project.settings import Settings
    from polylock.resolution.solve import Effort

__all__ = ["LockOutcome", "LockRequest", "lock", "parse_upgrades"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest:
    """How to lock.

    ``upgrade`` forgets all earlier pins, ``upgrade_packages`` those of the projects
    in it; a value is the version wanted, None the best. ``dry_run`` writes nothing.
    """

    upgrade: bool = False
    upgrade_packages: Mapping[NormalizedName, str | None] = field(default_factory=dict)
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutcome:
    """What came of it; ``efforts`` is empty where the lock file was still true."""

    path: Path
    pylock: Pylock
    previous: Pylock | None
    changed: bool
    dry_run: bool
    efforts: Mapping[str, Effort] = field(default_factory=dict)
    traffic: Traffic | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``lock --json`` (schemas/lock.schema.json)."""
        return {
            "path": str(self.path),
            "changed": self.changed,
            "written": self.changed and not self.dry_run,
            "packages": len(self.pylock.packages),
            "targets": [
                {
                    "name": name,
                    "rounds": effort.rounds,
                    "rejected": effort.rejected,
                    "expanded": effort.expanded,
                }
                for name, effort in self.efforts.items()
            ],
            "requests": self.traffic.requests if self.traffic else 0,
            "received": self.traffic.received if self.traffic else 0,
        }


def parse_upgrades(texts: Sequence[str]) -> dict[NormalizedName, str | None]:
    """Read ``NAME`` or ``NAME==V``; raises UsageError for anything else."""
    found: dict[NormalizedName, str | None] = {}
    for text in texts:
        name, equals, version = (part.strip() for part in text.partition("=="))
        try:
            if equals:
                Version(version)
            found[canonicalize_name(name, validate=True)] = version if equals else None
        except (InvalidName, InvalidVersion) as error:
            raise UsageError(
                f"{text!r} is not NAME or NAME==VERSION",
                "for example: --upgrade-package numpy==2.3.4",
            ) from error
    return found


def lock(settings: Settings, request: LockRequest, reporter: Reporter) -> LockOutcome:
    """Lock the project.

    A lock file that answers the project is left as it is and no index is asked.
    Otherwise the pins that still hold are kept. The file is written at the end, in
    one step; after an error the old one is untouched.

    Raises ProjectError, LockFileInvalid, NoSolution, ProjectNotFound,
    IndexRequestError, CacheUnusable.
    """
    workspace = open_workspace(settings)
    previous = read_lock(workspace.lock_path)
    inputs = workspace.project.inputs
    keeps = not (request.upgrade or request.upgrade_packages)
    if (
        previous is not None
        and keeps
        and not differences(previous, inputs, workspace.targets)
    ):
        return LockOutcome(
            path=workspace.lock_path,
            pylock=previous,
            previous=previous,
            changed=False,
            dry_run=request.dry_run,
        )
    with Context(settings, inputs, reporter) as context:
        solver = Solver(
            inputs=_wanted(workspace, request),
            source=context.source,
            reporter=reporter,
            preferences=_preferences(workspace, previous, request),
        )
        solution = solver.solve(workspace.targets)
        resolutions = [_hashed(found, context) for found in solution.resolutions]
        traffic = context.traffic
    pylock = assemble(inputs, workspace.targets, resolutions)
    text = encode(pylock)
    changed = previous is None or encode(previous) != text
    if changed and not request.dry_run:
        write_atomically(workspace.lock_path, text)
    return LockOutcome(
        path=workspace.lock_path,
        pylock=pylock,
        previous=previous,
        changed=changed,
        dry_run=request.dry_run,
        efforts=solution.efforts,
        traffic=traffic,
    )


def _wanted(workspace: Workspace, request: LockRequest) -> Inputs:
    """Return the inputs of this run: a version asked for constrains it alone."""
    inputs = workspace.project.inputs
    asked = tuple(
        Requirement(name=name, specifier=f"=={version}")
        for name, version in sorted(request.upgrade_packages.items())
        if version is not None
    )
    return replace(inputs, constraints=(*inputs.constraints, *asked))


def _preferences(
    workspace: Workspace, previous: Pylock | None, request: LockRequest
) -> Mapping[str, Mapping[NormalizedName, Preference]]:
    """Return the pins to keep, by target.

    Of a target that is described otherwise than it was only the versions are kept:
    its best artifact may be another one now.
    """
    if previous is None or previous.polylock is None or request.upgrade:
        return {}
    recorded = {target.name: target for target in previous.polylock.targets}
    kept: dict[str, dict[NormalizedName, Preference]] = {}
    for target in workspace.targets:
        found = preferences(previous).get(target.name, {})
        same = recorded.get(target.name) == record_target(target)
        kept[target.name] = {
            name: preference if same else Preference(version=preference.version)
            for name, preference in found.items()
            if name not in request.upgrade_packages
        }
    return kept


def _hashed(resolution: Resolution, context: Context) -> Resolution:
    """Give every file that the index left without a secure hash its own.

    Such files are downloaded, for a lock file without a hash protects nobody.
    """
    pins = {
        name: replace(pin, file=context.with_hash(pin.file))
        for name, pin in resolution.pins.items()
    }
    return replace(resolution, pins=pins)
