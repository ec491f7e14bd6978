"""Choose the target and the Python of a sync: given, remembered or detected."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from polylock.environment.discovery import (
    PythonRequest,
    find_python,
    pinned_python,
)
from polylock.environment.interpreter import Interpreter, probe
from polylock.environment.venv import (
    is_environment,
    is_of,
    open_environment,
    python_version,
)
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
    Fit,
    bare_machine,
    fits,
    none_fits,
    python_release,
    this_machine,
)
from polylock.providers.derive import build_target
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from polylock.cache.store import Store
    from polylock.lockfile.pylock import Pylock
    from polylock.model.target import PythonRelease, Target
    from polylock.operations.chosen import Chosen
    from polylock.providers.detect import DetectedMachine

__all__ = ["Choice", "Chooser", "RecreationCause", "UnmetPin"]

RecreationCause = Literal["python", "gone", "moved"]
"""Another Python is wanted, the Python does not work, or the environment was moved."""


class Choice(Value, frozen=True, kw_only=True):
    """A target, and the Python to install with.

    Unless the environment ``exists``, ``interpreter`` is the one to create it with.
    ``replaced`` is the Python version of an environment to be recreated, else None;
    ``cause`` says why it is.
    ``checked`` means that the hardware was checked, and ``beyond`` is what the target
    describes and this machine lacks, without need of it. ``environment`` has the marker
    values of the interpreter, None if the target is for another system.
    """

    target: Target
    interpreter: Interpreter
    exists: bool
    checked: bool
    beyond: tuple[str, ...] = ()
    environment: Mapping[str, str] | None
    replaced: str | None = None
    cause: RecreationCause = "python"


class UnmetPin(Value, frozen=True, kw_only=True):
    """A version in a ``.python-version`` that a new environment does not have.

    ``allowed`` has the versions that the ``target``, or a lock file without targets, is
    for. It is empty if the version is one of these and was not found.
    """

    version: str
    target: str | None = None
    allowed: tuple[str, ...] = ()


class _Pythons(Value, frozen=True, kw_only=True):
    """The Python of the environment, and the one to use for every target, if any.

    ``gone`` is the version of an environment that has to be recreated in any case.
    """

    there: Interpreter | None
    taken: Interpreter | None
    gone: str | None = None
    cause: RecreationCause = "python"


class Chooser(Value, frozen=True, kw_only=True):
    """Finds the target and the Python for the environment at ``place``.

    ``chosen`` are the groups and extras that will be installed. ``python`` is the
    user's request for a new environment, ``search_path`` the PATH for finding it, and
    ``managed`` returns further places. ``created`` means that polylock created the
    environment and may recreate it, as it does if the environment was ``moved``: its
    scripts hold the old path. ``version_file`` is a ``.python-version``: it chooses
    among the Pythons that the target allows, for a new environment. ``meanwhile`` is
    called while a Python that is not known yet is started.
    """

    pylock: Pylock
    place: Path
    chosen: Chosen
    created: bool = False
    moved: bool = False
    python: str | None
    search_path: str
    managed: Callable[[], str] | None = None
    store: Store
    version_file: Path | None = None
    meanwhile: Callable[[], object] | None = None

    def choose(
        self, name: str | None, *, remembered: str | None, forced: bool
    ) -> Choice:
        """Choose a target by name; None: the remembered one, else the first that fits.

        ``auto`` is always the first that fits. The hardware is checked unless the
        target is remembered: then it was checked before. Raises NoSuchTarget,
        TargetMismatch, EnvironmentBroken, and UsageError if the requested Python is not
        that of the target.
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
        return choice if forced else self.check(choice)

    def check(self, choice: Choice) -> Choice:
        """Return the choice with what the target describes beyond this machine.

        Raises TargetMismatch if this machine cannot install what is locked.
        """
        fit = self._fit(choice)
        if fit.refused:
            raise TargetMismatch(choice.target.name, fit.refused)
        return replace(choice, beyond=fit.beyond)

    def lacks(self, choice: Choice) -> tuple[str, ...]:
        """Return the properties that this machine lacks for the lock, as clauses."""
        return self._fit(choice).refused

    def unmet_pin(self, choice: Choice) -> UnmetPin | None:
        """Return the version of the version file that a new environment lacks."""
        pinned = None if choice.exists or self.python else self._pinned()
        request = PythonRequest.parse(pinned or "")
        if pinned is None or request is None or request.accepts(choice.interpreter):
            return None
        target = None
        if self.pylock.polylock is None:
            versions = _python_versions(self.pylock)
            is_allowed = not versions or _minor(pinned) in versions
        else:
            target = choice.target.name
            versions = [str(choice.target.description.python)]
            is_allowed = f"{request}.".startswith(f"{versions[0]}.")
        allowed = () if is_allowed else tuple(versions)
        return UnmetPin(version=pinned, target=target, allowed=allowed)

    def _fit(self, choice: Choice) -> Fit:
        fit = Fit(target=choice.target)
        if self.pylock.polylock is None:
            return fit
        python = python_release(choice.interpreter)
        # Detecting the hardware takes 8 ms, which few targets need.
        for look in (bare_machine, this_machine):
            (fit,) = self._fits(look(), python, only=choice.target.name)
            if not (fit.refused or fit.beyond):
                break
        return fit

    def _fits(
        self,
        machine: DetectedMachine,
        python: PythonRelease | None,
        *,
        only: str | None = None,
    ) -> list[Fit]:
        return fits(self.pylock, machine, python, chosen=self.chosen, only=only)

    def _pythons(self) -> _Pythons:
        there = None
        taken = self._find(self.python) if self.python else None
        if is_environment(self.place):
            if self.moved and self.created:
                version = python_version(self.place)
                return _Pythons(there=None, taken=taken, gone=version, cause="moved")
            try:
                there = open_environment(
                    self.place, store=self.store, meanwhile=self.meanwhile
                )
            except EnvironmentBroken as error:
                if not self.created:
                    raise self._broken(error) from error
                version = python_version(self.place)
                return _Pythons(there=None, taken=taken, gone=version, cause="gone")
            wanted = PythonRequest.parse(self.python) if self.python else None
            if wanted is None or wanted.accepts(there):
                return _Pythons(there=there, taken=there)
            if not self.created:
                raise EnvironmentBroken(
                    str(self.place),
                    f"has Python {there.version}, not {self.python}",
                    "remove the environment, or name another one with --venv",
                )
        return _Pythons(there=there, taken=taken)

    def _broken(self, error: EnvironmentBroken) -> EnvironmentBroken:
        """Return the error of an environment that polylock may not recreate."""
        return EnvironmentBroken(
            str(self.place),
            f"its Python does not work: {error}",
            "polylock did not create this environment: remove it, or name another one "
            "with --venv",
        )

    def _first(self, pythons: _Pythons) -> Choice:
        """Return the first target that fits and whose Python is installed.

        A target that this machine satisfies wholly comes before one of which it can
        only install what is locked.
        """
        machine = this_machine()
        python = python_release(pythons.taken) if pythons.taken else None
        found = self._fits(machine, python)
        # A target may fit with its own Python: recreate the environment, or raise the
        # error that says so.
        others = self._fits(machine, None) if python is not None else []
        able, with_own = ([f for f in fs if not f.refused] for fs in (found, others))
        whole, whole_with_own = (
            [fit for fit in fits if not fit.beyond] for fits in (able, with_own)
        )
        ranked = [whole, whole_with_own, able, with_own]
        if self.python:  # the user's Python comes before a complete description
            ranked = [whole, able, whole_with_own, with_own]
        for candidates in ranked:
            failure: EnvironmentBroken | None = None
            for fit in candidates:
                try:
                    choice = self._with(fit.target, pythons, checked=True)
                except EnvironmentBroken as error:  # no such Python: try the next
                    failure = failure or error
                else:
                    return replace(choice, beyond=fit.beyond)
            if failure is not None:
                raise failure
        raise none_fits(found)

    def _with(self, target: Target, pythons: _Pythons, *, checked: bool) -> Choice:
        wanted = target.description.python
        found = pythons.taken or self._find_release(wanted)
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
            # Another process may have created the environment since the lookup, with
            # another Python. It then does not count as existing.
            exists=pythons.gone is None
            and is_environment(self.place)
            and is_of(found, self.place),
            checked=checked,
            environment=markers if same else None,
            replaced=there.version if there and found is not there else pythons.gone,
            cause=pythons.cause,
        )

    def _python_for(self, wanted: PythonRelease, there: Interpreter) -> Interpreter:
        """Return the environment's Python, or the one to recreate it with.

        Another patch release is accepted if there is no exact match.
        """
        request = PythonRequest.parse(str(wanted))
        if request is None or request.accepts(there):
            return there
        try:
            return self._find_release(wanted)
        except EnvironmentBroken:
            if _is_release(python_release(there), wanted):
                return there
            raise

    def _other_python(
        self, target: Target, found: Interpreter
    ) -> EnvironmentBroken | UsageError:
        """Return the error for a Python that is not that of the target."""
        wanted, here = target.description.python, python_release(found)
        named = f"target {target.name} is for Python {wanted}"
        if self.python:
            return UsageError(
                f"--python {self.python}: {named}, this is {here}",
                "omit --python and POLYLOCK_PYTHON: `python` in the project file sets "
                "the Python of the target",
            )
        return EnvironmentBroken(
            str(self.place),
            f"has Python {here}, and {named}",
            "polylock did not create this environment and does not change it: remove "
            "it, or name another one with --venv",
        )

    def _of_this_machine(self, pythons: _Pythons) -> Choice:
        """Use this machine as the target of a lock file without targets."""
        found = pythons.taken or self._suitable()
        description = this_machine().describe(python_release(found))
        pythons = replace(pythons, taken=found)
        return self._with(build_target(description), pythons, checked=True)

    def _suitable(self) -> Interpreter:
        """Return a Python of the lock file's ``environments``, else any Python 3."""
        versions = _python_versions(self.pylock)
        pinned = self._pinned()
        if pinned is not None and (not versions or _minor(pinned) in versions):
            versions.insert(0, pinned)
        for version in versions:
            with suppress(EnvironmentBroken):
                return self._find(version)
        return self._find("3")

    def _find_release(self, wanted: PythonRelease) -> Interpreter:
        """Return a Python for a target, the pinned one if the target allows it."""
        request, pinned = str(wanted), self._pinned()
        if pinned is not None and pinned.startswith(f"{request}."):
            with suppress(EnvironmentBroken):
                return self._find(pinned)
        return self._find(request)

    def _pinned(self) -> str | None:
        if self.version_file is None:
            return None
        pinned = pinned_python(self.version_file)
        return pinned if pinned and PythonRequest.parse(pinned) else None

    def _recorded(self, name: str) -> Target:
        records = self.pylock.polylock.targets if self.pylock.polylock else ()
        return next(locked_target(r) for r in records if r.name == name)

    def _find(self, request: str) -> Interpreter:
        found = find_python(
            request,
            search_path=self.search_path,
            managed=self.managed,
            store=self.store,
        )
        if is_of(found, self.place):
            # An activated environment is first on PATH, and may be recreated.
            return probe(Path(found.base_executable), store=self.store)
        return found


def _is_release(here: PythonRelease, wanted: PythonRelease) -> bool:
    """Return True if two Pythons differ at most in the patch release."""
    return (here.minor_version, here.free_threaded, here.implementation) == (
        wanted.minor_version,
        wanted.free_threaded,
        wanted.implementation,
    )


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _python_versions(pylock: Pylock) -> list[str]:
    """Return the Python versions in the ``environments`` of a lock file."""
    found: dict[str, None] = {}
    pending = list(reversed(pylock.environments or ()))
    while pending:
        marker = pending.pop()
        if isinstance(marker, Combination):
            pending.extend(reversed(marker.operands))
        elif (marker.field, marker.operator) == ("python_version", "=="):
            found[marker.value] = None
    return [version for version in found if PythonRequest.parse(version)]
