"""Which target this machine is: the choice of ``auto`` and the hardware check."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from polylock.environment.discovery import (
    PythonRequest,
    find_python,
)
from polylock.environment.venv import is_environment, is_of, open_environment
from polylock.errors import (
    EnvironmentBroken,
    NoSuchTarget,
    NoTargetFits,
    TargetMismatch,
)
from polylock.lockfile.recorded_targets import locked_target
from polylock.model.markers import Combination
from polylock.model.target import PythonRelease
from polylock.providers.derive import build_target
from polylock.providers.detect import detect_machine
from polylock.providers.machine import HostMachine
from polylock.providers.satisfaction import missing
from polylock.values import Value, replace
from polylock.variants.supported import SupportedProperties

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from polylock.cache.store import Store
    from polylock.environment.interpreter import Interpreter
    from polylock.lockfile.pylock import Pylock
    from polylock.model.target import Target
    from polylock.providers.detect import DetectedMachine

__all__ = [
    "AUTO",
    "Choice",
    "Chooser",
    "Fit",
    "fits",
    "python_release",
    "target_of_this_machine",
    "this_machine",
]

AUTO = "auto"
"""The name that asks for the first target that this machine satisfies."""

_DETECTED = frozenset({"aarch64", "amd", "ascend", "intel", "nvidia", "tpu", "x86_64"})
_SWITCHED_ON = ("on",)


class Fit(Value, frozen=True, kw_only=True):
    """A target of the lock file, and what this machine lacks for it."""

    target: Target
    missing: tuple[str, ...]


def this_machine() -> DetectedMachine:
    """Look at this machine; raises UsageError where no target can name it."""
    return detect_machine(HostMachine(os.environ))


def bare_machine() -> DetectedMachine:
    """Return this machine as if it had no more than every one of its architecture.

    What satisfies a target without looking at the hardware does so with it.
    """
    return detect_machine(HostMachine(os.environ), hardware=False)


def python_release(interpreter: Interpreter) -> PythonRelease:
    """Return the Python of an environment as a target names it."""
    request = PythonRequest.parse(interpreter.version.partition("+")[0])
    major, minor = interpreter.release
    patch = request.patch if request is not None else None
    return PythonRelease(
        implementation=interpreter.implementation,
        major=major,
        minor=minor,
        patch=patch,
        free_threaded=interpreter.free_threaded,
    )


def fits(
    pylock: Pylock,
    machine: DetectedMachine,
    python: PythonRelease | None,
    *,
    only: str | None = None,
) -> list[Fit]:
    """Judge every target of a lock file, or one, in their order, for this machine.

    With ``python`` None each target's own Python is taken for granted: the
    environment is still to be made.
    """
    used = _used_features(pylock)
    found = []
    for record in pylock.polylock.targets if pylock.polylock else ():
        if only is not None and record.name != only:
            continue
        target = locked_target(record)
        wanted = replace(
            target,
            stated=_detectable(target.stated),
            derived=_that_matter(target.derived, used),
        )
        assumed = python or target.description.python
        here = build_target(machine.describe(assumed))
        found.append(Fit(target=target, missing=missing(wanted, here)))
    return found


class Choice(Value, frozen=True, kw_only=True):
    """A target, and the Python to install with.

    ``exists`` tells whether the environment is there: if not, ``interpreter`` is the
    one to make it with. ``checked`` tells that the hardware was looked at.
    ``environment`` holds the markers of the interpreter, None where the target is
    for another system than this one.
    """

    target: Target
    interpreter: Interpreter
    exists: bool
    checked: bool
    environment: Mapping[str, str] | None


class Chooser(Value, frozen=True, kw_only=True):
    """Finds the target and the Python for the environment at ``place``.

    ``python`` is the user's wish for a new environment, ``search_path`` where it is
    looked for, in the form of PATH.
    """

    pylock: Pylock
    place: Path
    python: str | None
    search_path: str
    store: Store

    def choose(
        self, name: str | None, *, remembered: str | None, forced: bool
    ) -> Choice:
        """Choose a target by name; ``auto`` or None: the remembered one, or the first.

        The hardware is looked at where a name is given or found here; a remembered
        choice was checked when it was made. Raises NoSuchTarget, TargetMismatch,
        EnvironmentBroken.
        """
        interpreter = self._existing()
        if self.pylock.polylock is None:
            return self._of_this_machine(interpreter)
        known = self.pylock.target_names
        if name is None and remembered in known:
            target = self._recorded(remembered or "")
            return self._with(target, interpreter, checked=False)
        if name is None or name == AUTO:
            return self._first(interpreter)
        if name not in known:
            raise NoSuchTarget("target", name, known)
        choice = self._with(self._recorded(name), interpreter, checked=not forced)
        if not forced:
            self.check(choice)
        return choice

    def check(self, choice: Choice) -> None:
        """Raise TargetMismatch where this machine lacks what the target needs."""
        if self.pylock.polylock is None:
            return
        python = python_release(choice.interpreter)
        lacks: tuple[str, ...] = ()
        # To look at the hardware takes 8 ms, which few targets need.
        for look in (bare_machine, this_machine):
            found = fits(self.pylock, look(), python, only=choice.target.name)
            lacks = tuple(clause for fit in found for clause in fit.missing)
            if not lacks:
                return
        raise TargetMismatch(choice.target.name, lacks)

    def _existing(self) -> Interpreter | None:
        if is_environment(self.place):
            found = open_environment(self.place, store=self.store)
            wanted = PythonRequest.parse(self.python) if self.python else None
            if wanted is not None and not wanted.accepts(found):
                raise EnvironmentBroken(
                    str(self.place),
                    f"has Python {found.version}, not {self.python}",
                    "remove the environment, or name another one with --venv",
                )
            return found
        return self._find(self.python) if self.python else None

    def _first(self, interpreter: Interpreter | None) -> Choice:
        """Return the first target that fits and whose Python is there."""
        python = python_release(interpreter) if interpreter else None
        found = fits(self.pylock, this_machine(), python)
        failure: EnvironmentBroken | None = None
        for fit in found:
            if fit.missing:
                continue
            try:
                return self._with(fit.target, interpreter, checked=True)
            except EnvironmentBroken as error:  # no such Python: the next target
                failure = failure or error
        if failure is not None:
            raise failure
        raise _none_fits(found)

    def _with(
        self, target: Target, interpreter: Interpreter | None, *, checked: bool
    ) -> Choice:
        wanted = target.description.python
        found = interpreter or self._find(str(wanted))
        here = python_release(found)
        if (here.minor_version, here.free_threaded, here.implementation) != (
            wanted.minor_version,
            wanted.free_threaded,
            wanted.implementation,
        ):
            # Not even forced: wheels for another Python would not import.
            lacks = f"Python {wanted}: the environment has {here}"
            raise TargetMismatch(target.name, [lacks])
        markers = found.marker_environment
        own = target.marker_environment
        same = markers.get("sys_platform") == own.get("sys_platform")
        return Choice(
            target=target,
            interpreter=found,
            # Another process may have made the environment since the Python was
            # looked up: then this one is not its Python, and not to be changed.
            exists=is_environment(self.place) and is_of(found, self.place),
            checked=checked,
            environment=markers if same else None,
        )

    def _of_this_machine(self, interpreter: Interpreter | None) -> Choice:
        """Take this machine for the target of a lock file that records none."""
        found = interpreter or self._suitable()
        description = this_machine().describe(python_release(found))
        return self._with(build_target(description), found, checked=True)

    def _suitable(self) -> Interpreter:
        """Return a Python that the lock file names in ``environments``, else any."""
        for version in _python_versions(self.pylock):
            with suppress(EnvironmentBroken):
                return self._find(version)
        return self._find("3")

    def _recorded(self, name: str) -> Target:
        records = self.pylock.polylock.targets if self.pylock.polylock else ()
        return next(locked_target(r) for r in records if r.name == name)

    def _find(self, request: str) -> Interpreter:
        return find_python(request, search_path=self.search_path, store=self.store)


def _used_features(pylock: Pylock) -> set[tuple[str, str]]:
    """Return the (namespace, feature) pairs of every variant in the lock file."""
    return {
        (namespace, feature)
        for package in pylock.packages
        if package.variants_json is not None
        for properties in package.variants_json.get("variants", {}).values()
        for namespace, features in properties.items()
        for feature in features
    }


def _python_versions(pylock: Pylock) -> list[str]:
    """Return the versions that some environment of a lock file is for."""
    found: dict[str, None] = {}
    pending = list(reversed(pylock.environments or ()))
    while pending:
        marker = pending.pop()
        if isinstance(marker, Combination):
            pending.extend(reversed(marker.operands))
        elif (marker.field, marker.operator) == ("python_version", "=="):
            found[marker.value] = None
    return [version for version in found if PythonRequest.parse(version)]


def target_of_this_machine(pylock: Pylock) -> str:
    """Return the first target that this machine is; raises NoTargetFits."""
    found = fits(pylock, this_machine(), None)
    for fit in found:
        if not fit.missing:
            return fit.target.name
    raise _none_fits(found)


def _none_fits(found: list[Fit]) -> NoTargetFits:
    reasons = [f"{fit.target.name}: {'; '.join(fit.missing[:3])}" for fit in found]
    return NoTargetFits(AUTO, reasons or ["the lock file names no targets"])


def _detectable(stated: SupportedProperties) -> SupportedProperties:
    """Leave out namespaces that no built-in provider can look for on a machine.

    The user's own list is all that is known of such a namespace, here as there.
    """
    return SupportedProperties(
        {
            namespace: features
            for namespace, features in stated.namespaces.items()
            if namespace in _DETECTED
        }
    )


def _that_matter(
    derived: SupportedProperties, used: set[tuple[str, str]]
) -> SupportedProperties:
    """Leave out single CPU instructions that no locked variant asks for.

    A virtual machine often hides a few of the instructions that its processor has;
    the level tells what matters, unless a wheel asks for the very instruction.
    """

    def kept(
        namespace: str, features: Mapping[str, tuple[str, ...]]
    ) -> dict[str, tuple[str, ...]]:
        return {
            feature: values
            for feature, values in features.items()
            if values != _SWITCHED_ON or (namespace, feature) in used
        }

    return SupportedProperties(
        {
            namespace: kept(namespace, features)
            for namespace, features in derived.namespaces.items()
        }
    )
