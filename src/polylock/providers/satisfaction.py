"""The differences between the description of a target and a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.target import Target, TargetDescription, usual_platform
from polylock.providers import amd, intel, nvidia

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


__all__ = ["missing_hardware", "missing_system", "offer", "one_of"]

_ANY_OF = {("amd", feature) for feature in amd.MULTI_VALUE} | {
    ("intel", feature) for feature in intel.MULTI_VALUE
}
"""Features for which a machine must support any value of the target."""

_NOT_REQUIRED = {("nvidia", "cuda_version_upper_bound")}
"""Features that a machine need not support: a newer driver is fine too."""

_ON = ("on",)
_SHOWN_VALUES = 4


def missing_system(target: Target, machine: Target) -> tuple[str, ...]:
    """Return the clauses of what a machine lacks to install for a target at all.

    They are about the operating system, the processor family, the C library, the
    version of macOS and the Python. ``machine`` is the detected target.
    """
    wanted, found = target.description, machine.description
    return (*_platform(wanted, found), *_python(wanted, found))


def missing_hardware(
    target: Target, machine: Target, *, namespaces: Collection[str] | None = None
) -> tuple[str, ...]:
    """Return the described properties that a machine lacks, one clause each.

    ``namespaces`` are those that count; None means all of the target.
    """
    lists = _lists(target)
    asked = set(lists if namespaces is None else namespaces)
    architecture = target.description.architecture
    if architecture is not machine.description.architecture:
        asked.discard(architecture.value)  # reported as the processor
    return tuple(_hardware(lists, _lists(machine), asked))


def _processor(description: TargetDescription) -> str:
    """Return the usual name of the processor family on its system."""
    platform = f"{description.system}-{description.architecture}"
    return usual_platform(platform).partition("-")[2]


def _platform(wanted: TargetDescription, found: TargetDescription) -> Iterator[str]:
    if wanted.system is not found.system:
        yield f"operating system {wanted.system}: this machine runs {found.system}"
    if wanted.architecture is not found.architecture:
        here, there = (_processor(description) for description in (found, wanted))
        yield f"processor {there}: this machine has {here}"
    if wanted.system is not found.system:
        return
    if wanted.libc is not None:
        family, _, version = wanted.libc.partition("-")
        here_family, _, here_version = (found.libc or "").partition("-")
        if family != here_family or _numbers(version) > _numbers(here_version):
            here = found.libc or "an unknown C library"
            yield f"C library {wanted.libc} or newer: this machine has {here}"
    if wanted.macos is not None and _numbers(wanted.macos) > _numbers(
        found.macos or ""
    ):
        here = found.macos or "an unknown version"
        yield f"macOS {wanted.macos} or newer: this machine has {here}"


def _python(wanted: TargetDescription, found: TargetDescription) -> Iterator[str]:
    want, have = wanted.python, found.python
    same = (want.implementation, want.minor_version, want.free_threaded) == (
        have.implementation,
        have.minor_version,
        have.free_threaded,
    )
    if not same or (want.patch is not None and want.patch != have.patch):
        yield f"Python {want}: this environment has {have}"


def _hardware(
    wanted: Mapping[str, Mapping[str, tuple[str, ...]]],
    found: Mapping[str, Mapping[str, tuple[str, ...]]],
    namespaces: Collection[str],
) -> Iterator[str]:
    for namespace in sorted(set(wanted) & set(namespaces)):
        offers = found.get(namespace, {})
        switches = []
        for feature, values in wanted[namespace].items():
            if (namespace, feature) in _NOT_REQUIRED or not values:
                continue
            offered = offers.get(feature, ())
            needed = _needed(namespace, feature, values)
            if not set(needed).isdisjoint(offered):
                continue
            if needed == _ON and not offered:
                switches.append(feature)
                continue
            what = one_of(needed)
            yield f"{namespace} :: {feature} :: {what}: {offer(offered)}"
        if switches:
            # A processor can lack dozens: one clause for all of them.
            what = _shown(tuple(switches))
            them = "it" if len(switches) == 1 else "them"
            yield f"{namespace} :: {what} :: on: this machine does not offer {them}"


def _needed(namespace: str, feature: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of which the machine must support one."""
    if (namespace, feature) in _ANY_OF:
        return values
    if namespace == "nvidia" and feature in nvidia.MULTI_VALUE:
        real = tuple(value for value in values if value.endswith("_real"))
        return real[:1] or values[:1]
    return values[:1]


def one_of(values: tuple[str, ...]) -> str:
    """Return values of which any would do; the first ones, and how many more."""
    more = len(values) - _SHOWN_VALUES
    shown = " or ".join(values[:_SHOWN_VALUES])
    return f"{shown} or {more} more" if more > 0 else shown


def offer(values: tuple[str, ...]) -> str:
    """Return the clause that says which values of a feature a machine supports."""
    if not values:
        return "this machine does not offer it"
    return f"this machine offers {_shown(values)}"


def _shown(values: tuple[str, ...]) -> str:
    more = ", …" if len(values) > _SHOWN_VALUES else ""
    return f"{', '.join(values[:_SHOWN_VALUES])}{more}"


def _lists(target: Target) -> dict[str, Mapping[str, tuple[str, ...]]]:
    return {**target.derived.namespaces, **target.stated.namespaces}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
