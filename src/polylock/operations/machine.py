"""Compare this machine with the targets of a lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.environment.discovery import PythonRequest
from polylock.errors import NoTargetFits
from polylock.lockfile.record import locked_target
from polylock.model.target import PythonRelease, Target
from polylock.providers.derive import build_target
from polylock.providers.detect import DetectedMachine, detect_machine
from polylock.providers.machine import this_host
from polylock.providers.satisfaction import missing
from polylock.values import Value, replace
from polylock.variants.properties import SupportedProperties

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.environment.interpreter import Interpreter
    from polylock.lockfile.pylock import Pylock

__all__ = [
    "AUTO",
    "Fit",
    "bare_machine",
    "fits",
    "none_fits",
    "python_release",
    "target_of_this_machine",
    "this_machine",
]

AUTO = "auto"
"""The value of ``--target`` for the first target that this machine satisfies."""

_DETECTED = frozenset({"aarch64", "amd", "ascend", "intel", "nvidia", "tpu", "x86_64"})
_SWITCHED_ON = ("on",)


class Fit(Value, frozen=True, kw_only=True):
    """A target of the lock file, and what this machine is missing for it."""

    target: Target
    missing: tuple[str, ...]


def this_machine() -> DetectedMachine:
    """Detect this machine; raises UsageError if no target can describe it."""
    return detect_machine(this_host())


def bare_machine() -> DetectedMachine:
    """Return this machine with only the baseline of its architecture.

    A target that this satisfies is also satisfied by the real hardware.
    """
    return detect_machine(this_host(), hardware=False)


def python_release(interpreter: Interpreter) -> PythonRelease:
    """Return the Python of an environment as a release of a target."""
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
    """Compare a machine with every target of a lock file in order, or with one.

    ``python`` None assumes each target's own Python, for an environment that does not
    exist yet.
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
            derived=_relevant(target.derived, used),
        )
        assumed = python or target.description.python
        here = build_target(machine.describe(assumed))
        found.append(Fit(target=target, missing=missing(wanted, here)))
    return found


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


def target_of_this_machine(pylock: Pylock) -> str:
    """Return the first target that this machine satisfies; raises NoTargetFits."""
    found = fits(pylock, this_machine(), None)
    for fit in found:
        if not fit.missing:
            return fit.target.name
    raise none_fits(found)


def none_fits(found: list[Fit]) -> NoTargetFits:
    """Return the error of a machine that satisfies none of the targets."""
    reasons = [f"{fit.target.name}: {'; '.join(fit.missing[:3])}" for fit in found]
    return NoTargetFits(AUTO, reasons or ["the lock file names no targets"])


def _detectable(stated: SupportedProperties) -> SupportedProperties:
    """Remove namespaces that no built-in provider can detect.

    The user's list is then the only source, for the target and for this machine.
    """
    return SupportedProperties(
        {
            namespace: features
            for namespace, features in stated.namespaces.items()
            if namespace in _DETECTED
        }
    )


def _relevant(
    derived: SupportedProperties, used: set[tuple[str, str]]
) -> SupportedProperties:
    """Remove CPU features that no locked variant requires.

    Virtual machines often hide a few CPU features. The level is sufficient unless a
    wheel requires a feature.
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
