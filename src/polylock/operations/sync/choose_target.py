"""The target and the Python of a sync: asked for, remembered, or found."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from polylock.environment.discovery import PythonRequest, find_python
from polylock.environment.venv import is_environment, is_of, open_environment
from polylock.errors import (
    EnvironmentBroken,
    NoSuchTarget,
    TargetMismatch,
    UsageError,
)
from polylock.lockfile.record import locked_target
from polylock.model.markers import Combination
from polylock.operations.machine import (
    AUTO,
    bare_machine,
    fits,
    none_fits,
    python_release,
    this_machine,
)
from polylock.providers.derive import build_target
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from polylock.cache.store import Store
    from polylock.environment.interpreter import Interpreter
    from polylock.lockfile.pylock import Pylock
    from polylock.model.target import PythonRelease, Target

__all__ = ["Choice", "Chooser"]


class Choice(Value, frozen=True, kw_only=True):
    """A target, and the Python to install with.

    ``exists`` tells whether the environment is there: if not, ``interpreter`` is the
    one to make it with. ``replaced`` is the version of the Python of an environment
    that is to be made anew, None where none is. ``checked`` tells that the hardware
    was looked at. ``environment`` holds the markers of the interpreter, None where the
    target is for another system than this one.
    """

    target: Target
    interpreter: Interpreter
    exists: bool
    checked: bool
    environment: Mapping[str, str] | None
    replaced: str | None = None


class _Pythons(Value, frozen=True, kw_only=True):
    """The Python of the environment, and the one to take for every target, if any."""

    there: Interpreter | None
    taken: Interpreter | None


class Chooser(Value, frozen=True, kw_only=True):
    """Finds the target and the Python for the environment at ``place``.

    ``python`` is the user's wish for a new environment, ``search_path`` where it is
    looked for, in the form of PATH. ``created`` tells that polylock made what is at
    ``place``, so that it may make it anew with another Python.
    """

    pylock: Pylock
    place: Path
    created: bool = False
    python: str | None
    search_path: str
    store: Store

    def choose(
        self, name: str | None, *, remembered: str | None, forced: bool
    ) -> Choice:
        """Choose a target by name; ``auto`` or None: the remembered one, or the first.

        The hardware is looked at where a name is given or found here; a remembered
        choice was checked when it was made. Raises NoSuchTarget, TargetMismatch,
        EnvironmentBroken, UsageError where the Python that was asked for is not that
        of the target.
        """
        pythons = self._pythons()
        if self.pylock.polylock is None:
            return self._of_this_machine(pythons)
        known = self.pylock.target_names
        if name is None and remembered in known:
            target = self._recorded(remembered or "")
            return self._with(target, pythons, checked=False)
        if name is None or name == AUTO:
            return self._first(pythons)
        if name not in known:
            raise NoSuchTarget("target", name, known)
        choice = self._with(self._recorded(name), pythons, checked=not forced)
        if not forced:
            self.check(choice)
        return choice

    def check(self, choice: Choice) -> None:
        """Raise TargetMismatch where this machine lacks what the target needs."""
        lacks = self.lacks(choice)
        if lacks:
            raise TargetMismatch(choice.target.name, lacks)

    def lacks(self, choice: Choice) -> tuple[str, ...]:
        """Return what this machine lacks for the target, a clause each."""
        if self.pylock.polylock is None:
            return ()
        python = python_release(choice.interpreter)
        lacks: tuple[str, ...] = ()
        # To look at the hardware takes 8 ms, which few targets need.
        for look in (bare_machine, this_machine):
            found = fits(self.pylock, look(), python, only=choice.target.name)
            lacks = tuple(clause for fit in found for clause in fit.missing)
            if not lacks:
                break
        return lacks

    def _pythons(self) -> _Pythons:
        there = None
        if is_environment(self.place):
            there = open_environment(self.place, store=self.store)
            wanted = PythonRequest.parse(self.python) if self.python else None
            if wanted is None or wanted.accepts(there):
                return _Pythons(there=there, taken=there)
            if not self.created:
                raise EnvironmentBroken(
                    str(self.place),
                    f"has Python {there.version}, not {self.python}",
                    "remove the environment, or name another one with --venv",
                )
        taken = self._find(self.python) if self.python else None
        return _Pythons(there=there, taken=taken)

    def _first(self, pythons: _Pythons) -> Choice:
        """Return the first target that fits and whose Python is there."""
        python = python_release(pythons.taken) if pythons.taken else None
        found = fits(self.pylock, this_machine(), python)
        failure: EnvironmentBroken | None = None
        for fit in found:
            if fit.missing:
                continue
            try:
                return self._with(fit.target, pythons, checked=True)
            except EnvironmentBroken as error:  # no such Python: the next target
                failure = failure or error
        if failure is not None:
            raise failure
        if python is not None:
            # With its own Python a target may fit: that is then what has to be said,
            # or to be done.
            for fit in fits(self.pylock, this_machine(), None):
                if not fit.missing:
                    return self._with(fit.target, pythons, checked=True)
        raise none_fits(found)

    def _with(self, target: Target, pythons: _Pythons, *, checked: bool) -> Choice:
        wanted = target.description.python
        found = pythons.taken or self._find(str(wanted))
        if found is pythons.there and self.created and not self.python:
            found = self._python_for(wanted, found)
        if not _is_release(python_release(found), wanted):
            # Not even forced: wheels for another Python would not import.
            raise self._other_python(target, found)
        markers = found.marker_environment
        own = target.marker_environment
        same = markers.get("sys_platform") == own.get("sys_platform")
        there = pythons.there
        return Choice(
            target=target,
            interpreter=found,
            # Another process may have made the environment since the Python was
            # looked up: then this one is not its Python, and not to be changed.
            exists=is_environment(self.place) and is_of(found, self.place),
            checked=checked,
            environment=markers if same else None,
            replaced=there.version if there and found is not there else None,
        )

    def _python_for(self, wanted: PythonRelease, there: Interpreter) -> Interpreter:
        """Return the environment's Python, or the one to make it anew with.

        Another patch release than the target's will do where there is no better.
        """
        request = PythonRequest.parse(str(wanted))
        if request is None or request.accepts(there):
            return there
        try:
            return self._find(str(wanted))
        except EnvironmentBroken:
            if _is_release(python_release(there), wanted):
                return there
            raise

    def _other_python(
        self, target: Target, found: Interpreter
    ) -> EnvironmentBroken | UsageError:
        """Return the error of a Python that is not that of the target."""
        wanted, here = target.description.python, python_release(found)
        named = f"target {target.name} is for Python {wanted}"
        if self.python:
            return UsageError(
                f"--python {self.python}: {named}, this is {here}",
                "leave --python and POLYLOCK_PYTHON out: the target says which it "
                "wants, by `python` in the project file",
            )
        return EnvironmentBroken(
            str(self.place),
            f"has Python {here}, and {named}",
            "polylock did not make this environment and leaves it as it is: remove "
            "it, or name another one with --venv",
        )

    def _of_this_machine(self, pythons: _Pythons) -> Choice:
        """Take this machine for the target of a lock file that records none."""
        found = pythons.taken or self._suitable()
        description = this_machine().describe(python_release(found))
        pythons = replace(pythons, taken=found)
        return self._with(build_target(description), pythons, checked=True)

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


def _is_release(here: PythonRelease, wanted: PythonRelease) -> bool:
    """Return whether wheels for one Python are for the other: any patch release."""
    return (here.minor_version, here.free_threaded, here.implementation) == (
        wanted.minor_version,
        wanted.free_threaded,
        wanted.implementation,
    )


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
