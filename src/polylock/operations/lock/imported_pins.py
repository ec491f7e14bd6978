"""Import the pins of other tools' lock files as preferences, and report on them.

They rank below the pins of the lock file. The result does not record their origin: it
is the same as with a lock file of the same versions.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylock.cache.regular_files import read_regular
from polylock.errors import (
    ForeignHashDiffers,
    ForeignLockInvalid,
    LockFileInvalid,
)
from polylock.explain.reasons import (
    AlignedWith,
    ConflictsWithPins,
    OlderPinKept,
    Reason,
    Unopposed,
)
from polylock.explain.words import clause
from polylock.foreign.formats import read_foreign_lock
from polylock.foreign.pins import ForeignLock, ForeignPin, Skipped, pins_for
from polylock.foreign.requirements_file import read_requirement_texts
from polylock.model.pins import Pin, Preference, Resolution
from polylock.resolution.versions import public
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.explain.why_not import WhyNot
    from polylock.model.target import Target
    from polylock.resolution.solve import Solver

    Preferences = Mapping[str, Mapping[NormalizedName, Preference]]

__all__ = [
    "DroppedPin",
    "ImportReport",
    "ImportedPins",
    "read_pins",
    "read_requirement_lines",
]


class DroppedPin(Value, frozen=True, kw_only=True):
    """A pin that some targets need and did not keep, with the reason."""

    name: NormalizedName
    version: str
    taken: str
    targets: tuple[str, ...]
    reason: Reason

    def to_json(self) -> dict[str, Any]:
        """Return the pin as a part of ``lock --json``."""
        return {
            "name": self.name,
            "version": self.version,
            "taken": self.taken,
            "targets": list(self.targets),
            "reason": clause(self.reason),
        }


class ImportReport(Value, frozen=True, kw_only=True):
    """The result for the pins of one file.

    A pin is a version of a project. ``kept`` counts the pins kept by every target that
    needs the project; ``unneeded`` those whose project no target of theirs needs,
    without projects that an earlier file pins.
    """

    path: str
    tool: str
    kept: int
    dropped: tuple[DroppedPin, ...]
    unneeded: int
    skipped: tuple[Skipped, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the report as a part of ``lock --json``."""
        return {
            "path": self.path,
            "tool": self.tool,
            "kept": self.kept,
            "dropped": [pin.to_json() for pin in self.dropped],
            "unneeded": self.unneeded,
            "skipped": [
                {"name": entry.name, "reason": entry.reason} for entry in self.skipped
            ],
        }


class _Use(Value, frozen=True, kw_only=True):
    """A pin, and the resolution of a target that needs its project."""

    pin: ForeignPin
    resolution: Resolution

    @property
    def taken(self) -> Pin:
        return self.resolution.pins[self.pin.name]

    @property
    def is_kept(self) -> bool:
        """Return True if the version was kept; ``2.9.0+cpu`` counts as ``2.9.0``."""
        return public(self.taken.version) == public(self.pin.version)


class ImportedPins(Value, frozen=True, kw_only=True):
    """Lock files of other tools; the first one that pins a project wins."""

    locks: tuple[ForeignLock, ...]

    def preferences(self, targets: Iterable[Target]) -> Preferences:
        """Return the versions to prefer, by target."""
        return {
            target.name: {
                name: Preference(version=pin.version)
                for name, (_, pin) in self._by_name(target).items()
            }
            for target in targets
        }

    def report(
        self,
        resolutions: Sequence[Resolution],
        own: Preferences,
        solver: Solver,
    ) -> tuple[ImportReport, ...]:
        """Compare the resolutions with the imported pins.

        ``own`` are the pins of the lock file by target, ``solver`` is the one that was
        used. Raises ForeignHashDiffers if the hash of a pinned file differs on the
        index.
        """
        uses: dict[str, list[_Use]] = {lock.path: [] for lock in self.locks}
        warnings: dict[str, None] = {}
        for resolution in resolutions:
            for name, (path, pin) in self._by_name(resolution.target).items():
                if name in resolution.pins:
                    use = _Use(pin=pin, resolution=resolution)
                    uses[path].append(use)
                    warnings.update(dict.fromkeys(_check_hashes(use, path)))
        for warning in warnings:
            solver.reporter.warning(warning)
        reasons = _Reasons(own, solver)
        found: list[ImportReport] = []
        earlier: set[NormalizedName] = set()
        for lock in self.locks:
            found.append(_report(lock, uses[lock.path], reasons, earlier))
            earlier.update(pin.name for pin in lock.pins)
        return tuple(found)

    def _by_name(self, target: Target) -> dict[NormalizedName, tuple[str, ForeignPin]]:
        found: dict[NormalizedName, tuple[str, ForeignPin]] = {}
        for lock in self.locks:
            for name, pin in pins_for(lock, target).items():
                found.setdefault(name, (lock.path, pin))
        return found


class _Reasons:
    """Finds the reasons why targets have another version than the pinned one."""

    def __init__(self, own: Preferences, solver: Solver) -> None:
        self._own = own
        self._solver = solver
        self._explainers: dict[str, WhyNot] = {}

    def all(self, uses: Sequence[_Use], kept: Sequence[_Use]) -> Iterator[Reason]:
        """Yield the reason for each pin that was not kept."""
        found = [self._of_target(use) for use in uses]
        dropped = list(zip(uses, found, strict=True))
        for use, reason in dropped:
            yield reason or self._of_others(use, dropped, kept)

    def _of_target(self, use: _Use) -> Reason | None:
        own = self._own.get(use.resolution.target.name, {}).get(use.pin.name)
        if own is not None and own.version == use.taken.version:
            return OlderPinKept(own.version)
        return self._explainer(use.resolution).by_itself(use.pin.name, use.pin.version)

    def _explainer(self, resolution: Resolution) -> WhyNot:
        # Imported only if a pin was not kept.
        from polylock.explain.pinned_target import pinned_target  # noqa: PLC0415
        from polylock.explain.why_not import WhyNot  # noqa: PLC0415

        target = resolution.target.name
        if target not in self._explainers:
            inputs, source = self._solver.inputs, self._solver.source
            pinned = pinned_target(resolution, inputs)
            self._explainers[target] = WhyNot(pinned, inputs=inputs, source=source)
        return self._explainers[target]

    def _of_others(
        self,
        use: _Use,
        dropped: Iterable[tuple[_Use, Reason | None]],
        kept: Sequence[_Use],
    ) -> Reason:
        """Return the reason for a target that could have the version by itself."""
        name, taken = use.pin.name, public(use.taken.version)
        others = [each for each, reason in dropped if reason is not None]
        same = [
            each.resolution.target.name
            for each in (*others, *kept)
            if each.pin.name == name and public(each.taken.version) == taken
        ]
        if same and self._solver.inputs.align != "independent":
            return AlignedWith(tuple(same), taken)
        found = self._explainer(use.resolution).version(name, use.pin.version)
        return ConflictsWithPins() if isinstance(found, Unopposed) else found


def read_pins(paths: Sequence[Path]) -> ImportedPins:
    """Read lock files of other tools; raises ForeignLockInvalid."""
    unique = dict.fromkeys(paths)
    return ImportedPins(locks=tuple(map(_read_lock, unique)))


def _read_lock(path: Path) -> ForeignLock:
    try:
        content = _content(path)
    except LockFileInvalid as error:
        raise ForeignLockInvalid(error.path, error.key, error.problem) from error
    return read_foreign_lock(content, str(path), _include)


def read_requirement_lines(path: Path) -> tuple[list[str], bool]:
    """Return the requirements of a file, and whether each names one version.

    Raises ForeignLockInvalid.
    """
    try:
        return read_requirement_texts(_content(path), str(path), _include)
    except LockFileInvalid as error:
        raise ForeignLockInvalid(error.path, error.key, error.problem) from error


def _include(path: str, named: str) -> tuple[str, bytes]:
    """Read a file that a requirements file includes, relative to it."""
    if "://" in named:
        raise LockFileInvalid(path, "", "is on the network and is not fetched")
    found = Path(path).parent / named
    return str(found), _content(found)


def _content(path: Path) -> bytes:
    try:
        return read_regular(path)
    except FileNotFoundError as error:
        raise LockFileInvalid(str(path), "", "does not exist") from error
    except OSError as error:
        problem = error.strerror or str(error)
        raise LockFileInvalid(str(path), "", f"cannot be read: {problem}") from error


def _check_hashes(use: _Use, path: str) -> Iterator[str]:
    """Compare the chosen file with the hashes of the pin; yield warnings.

    A pinned file of the same name must have a pinned hash, else ForeignHashDiffers is
    raised. If the pin has hashes without file names, the file may have been uploaded
    later or be a variant wheel: this is a warning.
    """
    pin, taken = use.pin, use.taken
    if taken.direct is not None or taken.version != pin.version:
        return
    file = taken.file
    found = {name: value.lower() for name, value in file.hashes.items()}
    for wanted in sorted(pin.files.get(file.filename, ())):
        algorithm, _, value = wanted.partition(":")
        if found.get(algorithm, value) != value:
            raise ForeignHashDiffers(
                path=path,
                name=pin.name,
                version=pin.version,
                filename=file.filename,
                wanted=wanted,
                found=f"{algorithm}:{found[algorithm]}",
            )
    known = {f"{algorithm}:{value}" for algorithm, value in found.items()}
    algorithms = {text.partition(":")[0] for text in pin.hashes}
    if algorithms & found.keys() and not known & pin.hashes:
        yield (
            f"{path} pins {pin.name} {pin.version} with hashes that do not include "
            f"{file.filename}: it may have been uploaded later"
        )


def _report(
    lock: ForeignLock,
    uses: Sequence[_Use],
    reasons: _Reasons,
    earlier: Collection[NormalizedName],
) -> ImportReport:
    kept = [use for use in uses if use.is_kept]
    dropped = tuple(_dropped([use for use in uses if not use.is_kept], kept, reasons))
    used = {(use.pin.name, use.pin.version) for use in uses}
    lost = {(pin.name, pin.version) for pin in dropped}
    every = {(pin.name, pin.version) for pin in lock.pins if pin.name not in earlier}
    return ImportReport(
        path=lock.path,
        tool=lock.tool,
        kept=len(used - lost),
        dropped=dropped,
        unneeded=len(every - used),
        skipped=lock.skipped,
    )


def _dropped(
    uses: Sequence[_Use], kept: Sequence[_Use], reasons: _Reasons
) -> Iterator[DroppedPin]:
    """Yield the dropped pins, with targets of the same version and reason together."""
    groups: dict[tuple[NormalizedName, str, str, Reason], list[str]] = {}
    for use, reason in zip(uses, reasons.all(uses, kept), strict=True):
        key = (use.pin.name, use.pin.version, use.taken.version, reason)
        groups.setdefault(key, []).append(use.resolution.target.name)
    in_order = sorted(groups.items(), key=lambda item: item[0][:3])
    for (name, version, taken, reason), targets in in_order:
        yield DroppedPin(
            name=name,
            version=version,
            taken=taken,
            targets=tuple(targets),
            reason=reason,
        )
