"""From the description of a target to markers, tags and supported properties.

Nothing here depends on this machine: a description gives the same target everywhere.
"""

from __future__ import annotations

from polylock.model.platforms import compatibility_tags, marker_environment
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    Target,
    TargetDescription,
)
from polylock.providers import cpu
from polylock.variants.properties import SupportedProperties

__all__ = ["build_target", "derive"]


def build_target(description: TargetDescription) -> Target:
    """Return the target of a description."""
    return Target(
        description=description,
        marker_environment=marker_environment(description),
        tags=compatibility_tags(description),
        stated=SupportedProperties(description.properties),
        derived=derive(description),
    )


def derive(description: TargetDescription) -> SupportedProperties:
    """Return the properties that the built-in providers support on such a machine.

    A namespace without its hardware is omitted. NVIDIA's and Intel's providers work on
    Linux and Windows; AMD's, Ascend's and TPU's on Linux.
    """
    namespaces: dict[str, dict[str, tuple[str, ...]]] = {}
    if description.architecture is Architecture.X86_64:
        namespaces["x86_64"] = cpu.derive_x86_64(description.cpu)
    else:
        namespaces["aarch64"] = cpu.derive_aarch64(description.cpu)
    if description.system is not OperatingSystem.MACOS:
        if description.nvidia is not None:
            # Only the module of a namespace that the machine has.
            from polylock.providers import nvidia  # noqa: PLC0415

            namespaces["nvidia"] = nvidia.derive(description.nvidia)
        if description.intel is not None:
            from polylock.providers import intel  # noqa: PLC0415 - as above

            namespaces["intel"] = intel.derive(description.intel)
    if description.system is OperatingSystem.LINUX:
        if description.amd is not None:
            from polylock.providers import amd  # noqa: PLC0415 - as above

            namespaces["amd"] = amd.derive(description.amd)
        if description.ascend is not None:
            from polylock.providers import ascend  # noqa: PLC0415 - as above

            namespaces["ascend"] = ascend.derive(description.ascend)
        if description.tpu:
            from polylock.providers import tpu  # noqa: PLC0415 - as above

            namespaces["tpu"] = tpu.derive()
    return SupportedProperties(
        {namespace: features for namespace, features in namespaces.items() if features}
    )
