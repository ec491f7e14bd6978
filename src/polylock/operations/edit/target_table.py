"""A target as a table of the project file: the reverse of reading one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polylock.lockfile.toml_values import key_text, value_text
from polylock.model.target import Architecture, Cpu, TargetDescription, usual_platform

__all__ = ["accelerators", "cpu_name", "platform_name", "table_text", "target_table"]


def target_table(description: TargetDescription) -> dict[str, Any]:
    """Return the keys of ``[tool.polylock.targets.NAME]`` as plain data.

    Values from a preset or another target are written out.
    """
    table: dict[str, Any] = {
        "platform": platform_name(description),
        "libc": description.libc,
        "macos": description.macos,
        "python": str(description.python),
        "cpu": _cpu(description.cpu, description.architecture),
        **_hardware(description),
        "properties": {
            namespace: {feature: list(values) for feature, values in features.items()}
            for namespace, features in description.properties.items()
        }
        or None,
        "runs-on": _one_or_many(description.runs_on),
        "dependencies": list(description.dependencies) or None,
        "variants": dict(description.variants) or None,
        "exclude-variants": _listed(description.exclude_variants),
        "prefer-variants": _listed(description.prefer_variants),
        "require-variants": {
            name: list(patterns)
            for name, patterns in description.require_variants.items()
        }
        or None,
    }
    return {key: value for key, value in table.items() if value is not None}


def table_text(name: str, table: Mapping[str, Any]) -> str:
    """Return the table as TOML, ready to paste into a project file."""
    lines = [f"[tool.polylock.targets.{key_text(name)}]"]
    lines += [f"{key_text(key)} = {value_text(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def platform_name(description: TargetDescription) -> str:
    """Return a name such as ``linux-x86_64``, with the system's own word for Arm."""
    return usual_platform(f"{description.system}-{description.architecture}")


def cpu_name(description: TargetDescription) -> str:
    """Return a short name of the processor, ``baseline`` if there is none."""
    cpu = description.cpu
    if cpu is None:
        return "baseline"
    name = cpu.microarchitecture or _level(cpu.level, description.architecture)
    return " ".join([name or "baseline", *_signed(cpu.features)])


def accelerators(description: TargetDescription) -> tuple[str, ...]:
    """Return a short name of each GPU or NPU: ``nvidia 9.0 (CUDA 13.0)``."""
    found = []
    if (nvidia := description.nvidia) is not None:
        compute = ", ".join(nvidia.compute) or "no GPU"
        found.append(f"nvidia {compute} (CUDA {nvidia.driver})")
    if (amd := description.amd) is not None:
        found.append(f"amd {', '.join(amd.gfx)} (ROCm {amd.rocm})")
    if (intel := description.intel) is not None:
        found.append(f"intel {', '.join(intel.device_ip)}")
    if (ascend := description.ascend) is not None:
        found.append(f"ascend {ascend.npu}")
    if description.tpu:
        found.append("tpu")
    return tuple(found)


def _hardware(description: TargetDescription) -> dict[str, Any]:
    nvidia, amd = description.nvidia, description.amd
    intel, ascend = description.intel, description.ascend
    return {
        "nvidia": nvidia and {"driver": nvidia.driver, "compute": list(nvidia.compute)},
        "amd": amd and {"rocm": amd.rocm, "gfx": list(amd.gfx)},
        "intel": intel and {"device-ip": list(intel.device_ip)},
        "ascend": ascend
        and {
            key: value
            for key, value in (
                ("npu", ascend.npu),
                ("driver", ascend.driver),
                ("cann", ascend.cann),
            )
            if value is not None
        },
        "tpu": description.tpu or None,
    }


def _cpu(cpu: Cpu | None, architecture: Architecture) -> str | dict[str, Any] | None:
    if cpu is None:
        return None
    if cpu.microarchitecture is not None and not cpu.features:
        return cpu.microarchitecture
    if architecture is Architecture.X86_64 and cpu.level and not cpu.features:
        return f"x86-64-{cpu.level}"
    table = {
        "microarchitecture": cpu.microarchitecture,
        "level": cpu.level,
        "features": list(cpu.features) or None,
    }
    return {key: value for key, value in table.items() if value is not None} or None


def _level(level: str | None, architecture: Architecture) -> str | None:
    if level is None:
        return None
    return f"x86-64-{level}" if architecture is Architecture.X86_64 else f"Arm {level}"


def _signed(features: tuple[str, ...]) -> list[str]:
    return [name if name.startswith("-") else f"+{name}" for name in features]


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _one_or_many(values: tuple[str, ...]) -> str | list[str] | None:
    if len(values) == 1:
        return values[0]
    return list(values) or None
