"""The keys of a target's table that say what hardware it has, as values.

Each function takes the whole table and raises ProjectError with the key path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.model.target import (
    AmdGpu,
    Architecture,
    AscendNpu,
    Cpu,
    IntelGpu,
    NvidiaGpu,
    OperatingSystem,
)
from polylock.project.target_values import (
    MAJOR_MINOR,
    check_keys,
    close_names,
    refuse,
)
from polylock.toml_tables import toml_type
from polylock.values import replace
from polylock.variants.catalogue import (
    AARCH64_FEATURES,
    CUDA_MAJORS,
    CUDA_MINORS,
    X86_64_FEATURES,
    X86_64_LEVELS,
)
from polylock.variants.properties import is_feature_value

if TYPE_CHECKING:
    from polylock.toml_tables import Table

__all__ = [
    "read_amd",
    "read_ascend",
    "read_cpu",
    "read_intel",
    "read_nvidia",
    "read_tpu",
]

_SYSTEMS = {
    "nvidia": (OperatingSystem.LINUX, OperatingSystem.WINDOWS),
    "intel": (OperatingSystem.LINUX, OperatingSystem.WINDOWS),
    "amd": (OperatingSystem.LINUX,),
    "ascend": (OperatingSystem.LINUX,),
    "tpu": (OperatingSystem.LINUX,),
}
_LEVEL_NAMES = {f"x86-64-{level}": level for level in X86_64_LEVELS}
_FEATURES = {
    Architecture.X86_64: X86_64_FEATURES,
    Architecture.AARCH64: AARCH64_FEATURES,
}
_OLDEST_CUDA = (CUDA_MAJORS[-1], 0)
_NEWEST_CUDA = (CUDA_MAJORS[0], CUDA_MINORS[0])
_GFX = re.compile(r"gfx[0-9][0-9a-f]{2,3}")
_GFX_MEANING = 'a gfx architecture such as "gfx942"'
_DEVICE_IP = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")
_DEVICE_IP_MEANING = 'the IP version of a device such as "20.1.0"'


def read_cpu(table: Table, architecture: Architecture) -> Cpu | None:
    """Return ``cpu``: a name, a level, or a table with features added or removed.

    None, where the key is missing, is the baseline of the architecture.
    """
    value = table.values.get("cpu")
    if value is None:
        return None
    if isinstance(value, str):
        return _cpu_by_name(table, "cpu", value, architecture)
    if not isinstance(value, dict):
        raise table.wrong_type("a string or a table", "cpu", found=value)
    inside = table.inside(value, "cpu")
    check_keys(inside, ("microarchitecture", "level", "features"))
    name, level = inside.string("microarchitecture"), inside.string("level")
    if name is not None and level is not None:
        refuse(inside, "give either a microarchitecture or a level, not both")
    cpu = Cpu()
    if name is not None:
        cpu = _cpu_by_name(inside, "microarchitecture", name, architecture)
    if level is not None:
        cpu = Cpu(level=_cpu_level(inside, level, architecture))
    return replace(cpu, features=_cpu_features(inside, architecture))


def _cpu_by_name(table: Table, key: str, name: str, architecture: Architecture) -> Cpu:
    if architecture is Architecture.X86_64 and name in _LEVEL_NAMES:
        return Cpu(level=_LEVEL_NAMES[name])
    names = _cpu_names(architecture)
    if name not in names:
        levels = tuple(_LEVEL_NAMES) if architecture is Architecture.X86_64 else ()
        advice = close_names(name, (*levels, *names))
        problem = f"no {architecture} processor is named {name!r}"
        refuse(table, problem, key, advice=advice)
    return Cpu(microarchitecture=name)


def _cpu_level(table: Table, level: str, architecture: Architecture) -> str:
    levels: tuple[str, ...] = tuple(reversed(X86_64_LEVELS))
    if architecture is Architecture.AARCH64:
        names = [name for name in _cpu_names(architecture) if name.startswith("armv")]
        levels = ("8a", *(name.removeprefix("armv") for name in names))
    if level not in levels:
        advice = f"there are: {', '.join(levels)}"
        problem = f"{architecture} has no level {level!r}"
        refuse(table, problem, "level", advice=advice)
    return level


def _cpu_features(table: Table, architecture: Architecture) -> tuple[str, ...]:
    features = table.strings("features")
    known = _FEATURES[architecture]
    for position, feature in enumerate(features):
        name = feature.removeprefix("-")
        if name not in known:
            problem = f"no {architecture} feature is named {name!r}"
            advice = close_names(name, known)
            refuse(table, problem, "features", position, advice=advice)
    return features


def _cpu_names(architecture: Architecture) -> tuple[str, ...]:
    import archspec.cpu  # 27 ms, and only where a target names a processor

    return tuple(
        name
        for name, target in archspec.cpu.TARGETS.items()
        if target.family.name == architecture.value
    )


def read_nvidia(table: Table, system: OperatingSystem) -> NvidiaGpu | None:
    """Return ``nvidia``: the driver's CUDA version and all compute capabilities."""
    inside = _accelerator(table, "nvidia", system, ("driver", "compute"))
    if inside is None:
        return None
    major, minor = _version(inside, "driver", "the CUDA version the driver offers")
    if not _OLDEST_CUDA <= (major, minor) <= _NEWEST_CUDA:
        advice = (
            "give the CUDA version that nvidia-smi shows, not the driver's own; the "
            "nvidia provider knows 11.0 to 15.20, and other lists can be stated under "
            "properties.nvidia"
        )
        problem = f"CUDA {major}.{minor} is outside 11.0 to 15.20"
        refuse(inside, problem, "driver", advice=advice)
    compute = inside.strings("compute")
    for position, capability in enumerate(compute):
        if not MAJOR_MINOR.fullmatch(capability):
            problem = f"{capability!r} is not a compute capability"
            advice = 'write compute = ["9.0"]'
            refuse(inside, problem, "compute", position, advice=advice)
    return NvidiaGpu(driver=f"{major}.{minor}", compute=compute)


def read_amd(table: Table, system: OperatingSystem) -> AmdGpu | None:
    """Return ``amd``: the ROCm version and the gfx architectures, the best first."""
    inside = _accelerator(table, "amd", system, ("rocm", "gfx"))
    if inside is None:
        return None
    major, minor = _version(inside, "rocm", "the ROCm version")
    gfx = _matching(inside, "gfx", _GFX, _GFX_MEANING)
    return AmdGpu(rocm=f"{major}.{minor}", gfx=gfx)


def read_intel(table: Table, system: OperatingSystem) -> IntelGpu | None:
    """Return ``intel``: the IP versions of the devices, in their order."""
    inside = _accelerator(table, "intel", system, ("device-ip",))
    if inside is None:
        return None
    versions = _matching(inside, "device-ip", _DEVICE_IP, _DEVICE_IP_MEANING)
    return IntelGpu(device_ip=versions)


def read_ascend(table: Table, system: OperatingSystem) -> AscendNpu | None:
    """Return ``ascend``: the NPU type, and the driver and CANN versions."""
    inside = _accelerator(table, "ascend", system, ("npu", "driver", "cann"))
    if inside is None:
        return None
    for key in inside.values:
        value = inside.string(key)
        if value is not None and not is_feature_value(value):
            advice = "a feature value is of a-z, 0-9, _ and ."
            refuse(inside, f"{value!r} is not a feature value", key, advice=advice)
    npu = inside.string("npu")
    if npu is None:
        refuse(inside, "is missing", "npu", advice='write npu = "910b"')
    return AscendNpu(
        npu=npu, driver=inside.string("driver"), cann=inside.string("cann")
    )


def read_tpu(table: Table, system: OperatingSystem) -> bool:
    """Return ``tpu``: whether the target has one."""
    if table.boolean("tpu"):
        _check_system(table, "tpu", system)
    return table.boolean("tpu")


def _accelerator(
    table: Table, key: str, system: OperatingSystem, keys: tuple[str, ...]
) -> Table | None:
    """Return the table of an accelerator, None where the target has none."""
    value = table.values.get(key, False)
    if value is False:
        return None
    if not isinstance(value, dict):
        example = ", ".join(f"{name} = …" for name in keys)
        advice = f"write {key} = {{ {example} }}"
        problem = f"must be false or a table, not {toml_type(value)}"
        refuse(table, problem, key, advice=advice)
    _check_system(table, key, system)
    inside = table.inside(value, key)
    check_keys(inside, keys)
    return inside


def _check_system(table: Table, key: str, system: OperatingSystem) -> None:
    if system not in _SYSTEMS[key]:
        problem = f"does not fit a {system} target"
        systems = " and ".join(_SYSTEMS[key])
        advice = f"{key} is for {systems} targets: leave it out, or {key} = false"
        refuse(table, problem, key, advice=advice)


def _version(table: Table, key: str, meaning: str) -> tuple[int, int]:
    text = table.string(key)
    if text is None:
        refuse(table, "is missing", key, advice=f"{key} is {meaning}")
    found = MAJOR_MINOR.fullmatch(text)
    if found is None:
        problem = f"{text!r} is not a version of two numbers"
        refuse(table, problem, key, advice=f'{key} is {meaning}, as in "13.0"')
    return int(found[1]), int(found[2])


def _matching(
    table: Table, key: str, pattern: re.Pattern[str], meaning: str
) -> tuple[str, ...]:
    texts = table.strings(key)
    if not texts:
        refuse(table, "must list at least one", key, advice=f"give {meaning}")
    for position, text in enumerate(texts):
        if not pattern.fullmatch(text):
            refuse(table, f"{text!r} is not {meaning}", key, position)
    return texts
