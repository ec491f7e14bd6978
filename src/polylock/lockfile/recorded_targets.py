"""Targets to their records and back; the other machine need not be at hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.lockfile.records import LockedFeature, LockedTarget
from polylock.model.platforms import compatibility_tags, marker_environment
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    Target,
    TargetDescription,
)
from polylock.variants.properties import SupportedProperties

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "InvalidRecord",
    "describe",
    "locked_target",
    "record_target",
    "supported_of",
]

_PYTHON = re.compile(
    r"(?P<implementation>[a-z]*)(?P<major>\d+)\.(?P<minor>\d+)"
    r"(?:\.(?P<patch>\d+))?(?P<threads>t?)"
)
_LIBC = re.compile(r"(glibc|musl)-\d+\.\d+")
_MACOS = re.compile(r"\d+(\.\d+)?")
_IMPLEMENTATIONS = {"cpython", "pypy"}
_ARCHITECTURES = {"arm64": "aarch64", "amd64": "x86_64"}


class InvalidRecord(ValueError):
    """A recorded target that describes no machine; the reason is its text."""


def record_target(target: Target) -> LockedTarget:
    """Return what a lock file says of a target."""
    description = target.description
    return LockedTarget(
        name=description.name,
        platform=f"{description.system}-{description.architecture}",
        python=str(description.python),
        libc=description.libc,
        macos=description.macos,
        stated=_features(target.stated),
        derived=_features(target.derived),
        variants=description.variants,
    )


def describe(record: LockedTarget) -> TargetDescription:
    """Return the description that the record keeps.

    It has no hardware: the lists that follow from it were derived when the lock file
    was written. The stated lists are its ``properties``.

    Raises InvalidRecord where a value describes no machine.
    """
    system, architecture = _platform(record.platform)
    if record.libc is not None and not _LIBC.fullmatch(record.libc):
        raise InvalidRecord(f"unknown libc {record.libc!r}")
    if record.macos is not None and not _MACOS.fullmatch(record.macos):
        raise InvalidRecord(f"unknown macOS version {record.macos!r}")
    return TargetDescription(
        name=record.name,
        system=system,
        architecture=architecture,
        python=_python(record.python),
        libc=record.libc,
        macos=record.macos,
        properties=supported_of(record.stated).namespaces,
        variants=record.variants,
    )


def locked_target(record: LockedTarget) -> Target:
    """Return the target as it was locked, derived lists included.

    Raises InvalidRecord where a value describes no machine.
    """
    description = describe(record)
    return Target(
        description=description,
        marker_environment=marker_environment(description),
        tags=compatibility_tags(description),
        stated=supported_of(record.stated),
        derived=supported_of(record.derived),
    )


def supported_of(features: Iterable[LockedFeature]) -> SupportedProperties:
    """Return the ordered lists that the recorded features stand for."""
    namespaces: dict[str, dict[str, tuple[str, ...]]] = {}
    for entry in features:
        known = namespaces.setdefault(entry.namespace, {})
        if entry.feature is not None:
            known[entry.feature] = entry.values
    return SupportedProperties(namespaces)


def _features(supported: SupportedProperties) -> tuple[LockedFeature, ...]:
    entries: list[LockedFeature] = []
    for namespace in sorted(supported.namespaces):
        features = supported.namespaces[namespace]
        if not features:
            entries.append(LockedFeature(namespace=namespace))
        entries.extend(
            LockedFeature(namespace=namespace, feature=feature, values=tuple(values))
            for feature, values in features.items()
        )
    return tuple(entries)


def _platform(text: str) -> tuple[OperatingSystem, Architecture]:
    system, _, architecture = text.partition("-")
    try:
        return OperatingSystem(system), Architecture(
            _ARCHITECTURES.get(architecture, architecture)
        )
    except ValueError as error:
        raise InvalidRecord(f"unknown platform {text!r}") from error


def _python(text: str) -> PythonRelease:
    match = _PYTHON.fullmatch(text)
    implementation = "" if match is None else match["implementation"] or "cpython"
    if match is None or implementation not in _IMPLEMENTATIONS:
        raise InvalidRecord(f"unknown Python {text!r}")
    patch = match["patch"]
    return PythonRelease(
        implementation=implementation,
        major=int(match["major"]),
        minor=int(match["minor"]),
        patch=None if patch is None else int(patch),
        free_threaded=bool(match["threads"]),
    )
