"""Processors: the ``x86_64`` and ``aarch64`` namespaces (PEP 850, built in).

The lists follow from archspec's description of a microarchitecture, as in
provider-variant-x86-64 and provider-variant-aarch64. One result differs: a processor
below level v2 has ``level :: v1``, as in uv; the published provider returns nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.model.target import Architecture, Cpu
from polylock.providers.machine import Machine, ignore
from polylock.variants.catalogue import (
    AARCH64_FEATURES,
    AARCH64_NEWEST_VERSION,
    X86_64_FEATURES,
    X86_64_LEVEL_FEATURES,
    X86_64_LEVELS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


__all__ = ["derive_aarch64", "derive_x86_64", "detect"]

_BASELINE = Cpu()


def derive_x86_64(cpu: Cpu | None) -> dict[str, tuple[str, ...]]:
    """Return the features of the ``x86_64`` namespace, the most preferred first."""
    cpu = cpu or _BASELINE
    if cpu.microarchitecture is None:
        level = cpu.level or "v1"
        number = int(level[1:])
        features = [
            feature
            for lower in X86_64_LEVELS[-number:]
            for feature in X86_64_LEVEL_FEATURES[lower]
        ]
    else:
        target = _target(cpu.microarchitecture)
        level = target.generic.name.removeprefix("x86_64").removeprefix("_") or "v1"
        number = min(int(level[1:]), len(X86_64_LEVELS))
        features = target.features
    lists = {"level": X86_64_LEVELS[-number:]}
    return lists | _switched_on(cpu, features, X86_64_FEATURES)


def derive_aarch64(cpu: Cpu | None) -> dict[str, tuple[str, ...]]:
    """Return the features of the ``aarch64`` namespace, the most preferred first."""
    cpu = cpu or _BASELINE
    name = cpu.microarchitecture
    if name is None:
        if cpu.level in {None, "8a"}:
            return {"version": ("8a",)} | _switched_on(cpu, (), AARCH64_FEATURES)
        name = f"armv{cpu.level}"
    target = _target(name)
    generic = target.generic
    # The published provider knows no later version. The versions are those of the
    # newest it knows: 9.0 descends from 8.5, and a later 9.x would add 8.6.
    newest = _target(f"armv{AARCH64_NEWEST_VERSION}")
    if newest in generic.ancestors:
        generic = newest
    versions = [_version(node.name) for node in (generic, *generic.ancestors)]
    return {"version": tuple(versions)} | _switched_on(
        cpu, target.features, AARCH64_FEATURES
    )


def detect(
    machine: Machine,
    architecture: Architecture,
    warn: Callable[[str], None] = ignore,
) -> Cpu | None:
    """Return the processor of a machine, None if nothing is known of it.

    The closest archspec name is chosen by vendor, part and flags, as by archspec and
    the published providers. Further flags are added: a virtual machine may hide one
    flag of a microarchitecture, which makes archspec fall back to a generic level.
    """
    # 1 ms, not needed to derive properties.
    from polylock.providers.cpu_identity import identify  # noqa: PLC0415

    found = identify(machine, architecture, warn)
    if found is None:
        return None
    name = found.name
    if name is None:
        name = _nearest(architecture, found.flags, found.vendor, found.part)
    return _named(name, architecture, found.flags)


def _nearest(
    architecture: Architecture, flags: Collection[str], vendor: str, part: str
) -> str:
    """Return the most specific archspec name whose features are all present."""
    root = _target(architecture.value)
    fitting = [
        target
        for target in _targets().values()
        if (target == root or root in target.ancestors)
        and target.vendor in {vendor, "generic"}
        and target.features.issubset(flags)
        # The generic AArch64 versions list no features, so all would seem to fit.
        and (target == root or target.vendor != "generic" or target.features)
    ]
    generic = max(
        (target for target in fitting if target.vendor == "generic"), key=_depth
    )
    same_part = [target for target in fitting if part and target.cpu_part == part]
    specific = [
        target for target in same_part or fitting if generic in target.ancestors
    ]
    return str(max(specific, key=_depth, default=generic).name)


def _depth(target: Any) -> tuple[int, int, str]:  # noqa: ANN401  # archspec is untyped
    return len(target.ancestors), len(target.features), target.name


def _named(name: str, architecture: Architecture, flags: Collection[str]) -> Cpu | None:
    if name not in _targets():
        return None
    target = _target(name)
    if target.family.name != architecture.value:
        return None
    known = X86_64_FEATURES if architecture is Architecture.X86_64 else AARCH64_FEATURES
    extra = tuple(
        feature
        for feature in known
        if feature in flags and feature not in target.features
    )
    if target.vendor == "generic":
        level = name.removeprefix("x86_64").removeprefix("_").removeprefix("armv")
        base = "v1" if architecture is Architecture.X86_64 else "8a"
        return Cpu(level=base if name == architecture.value else level, features=extra)
    return Cpu(microarchitecture=name, features=extra)


def _switched_on(
    cpu: Cpu, features: Collection[str], known: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    removed = {name[1:] for name in cpu.features if name.startswith("-")}
    present = {*features, *cpu.features} - removed
    return {feature: ("on",) for feature in known if feature in present}


def _version(name: str) -> str:
    return "8a" if name == Architecture.AARCH64 else name.removeprefix("armv")


def _targets() -> Any:  # noqa: ANN401  # archspec is untyped
    import archspec.cpu  # 27 ms, only for a named CPU

    return archspec.cpu.TARGETS


def _target(name: str) -> Any:  # noqa: ANN401  # archspec is untyped
    return _targets()[name]
