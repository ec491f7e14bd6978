"""Reads the keys of a target's table: system, Python, hardware and properties.

Each function takes the whole table and raises ProjectError with the key path.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, NoReturn

from polylock.model.platforms import DEFAULT_LIBC, DEFAULT_MACOS
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.model.target import (
    AmdGpu,
    Architecture,
    AscendNpu,
    Cpu,
    IntelGpu,
    NvidiaGpu,
    OperatingSystem,
    PythonRelease,
    usual_platform,
)
from polylock.model.visible_text import is_visible
from polylock.toml_tables import Table, close_names, suggestion, toml_type
from polylock.values import replace
from polylock.variants.catalogue import (
    AARCH64_FEATURES,
    CUDA_MAJORS,
    CUDA_MINORS,
    X86_64_FEATURES,
    X86_64_LEVELS,
)
from polylock.variants.properties import (
    is_feature_name,
    is_feature_value,
    is_namespace,
)
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Collection


__all__ = [
    "MAJOR_MINOR",
    "PYTHON_ADVICE",
    "parse_python",
    "preset_advice",
    "read_amd",
    "read_ascend",
    "read_cpu",
    "read_dependencies",
    "read_intel",
    "read_libc",
    "read_macos",
    "read_nvidia",
    "read_platform",
    "read_properties",
    "read_python",
    "read_runs_on",
    "read_tpu",
    "read_venv",
    "refuse",
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
_GFX = r"gfx[0-9][0-9a-f]{2,3}"
_GFX_MEANING = 'a gfx architecture such as "gfx942"'
_DEVICE_IP = r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"
_DEVICE_IP_MEANING = 'the IP version of a device such as "20.1.0"'


def read_cpu(table: Table, architecture: Architecture) -> Cpu | None:
    """Return ``cpu``: a name, a level, or a table with features added or removed.

    None, if the key is missing, means the baseline of the architecture.
    """
    value = table.values.get("cpu")
    if value is None:
        return None
    if isinstance(value, str):
        return _cpu_by_name(table, "cpu", value, architecture)
    if not isinstance(value, dict):
        raise table.wrong_type("a string or a table", "cpu", found=value)
    inside = table.inside(value, "cpu")
    inside.refuse_unknown(("microarchitecture", "level", "features"))
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
        advice = suggestion(name, (*levels, *names))
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
            advice = suggestion(name, known)
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
    major, minor = _version(inside, "driver", "the CUDA version of the driver")
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
        if not re.fullmatch(MAJOR_MINOR, capability):
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
            advice = "a feature value consists of a-z, 0-9, _ and ."
            refuse(inside, f"{value!r} is not a feature value", key, advice=advice)
    npu = inside.string("npu")
    if npu is None:
        refuse(inside, "is missing", "npu", advice='write npu = "910b"')
    return AscendNpu(
        npu=npu, driver=inside.string("driver"), cann=inside.string("cann")
    )


def read_tpu(table: Table, system: OperatingSystem) -> bool:
    """Return ``tpu``: whether the target has a TPU."""
    if table.boolean("tpu"):
        _check_system(table, "tpu", system)
    return table.boolean("tpu")


def _accelerator(
    table: Table, key: str, system: OperatingSystem, keys: tuple[str, ...]
) -> Table | None:
    """Return the table of an accelerator, None if the target has none."""
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
    inside.refuse_unknown(keys)
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
    found = re.fullmatch(MAJOR_MINOR, text)
    if found is None:
        problem = f"{text!r} is not a version of two numbers"
        refuse(table, problem, key, advice=f'{key} is {meaning}, as in "13.0"')
    return int(found[1]), int(found[2])


def _matching(table: Table, key: str, pattern: str, meaning: str) -> tuple[str, ...]:
    texts = table.strings(key)
    if not texts:
        refuse(table, "must list at least one", key, advice=f"give {meaning}")
    for position, text in enumerate(texts):
        if not re.fullmatch(pattern, text):
            refuse(table, f"{text!r} is not {meaning}", key, position)
    return texts


MAJOR_MINOR = r"([0-9]{1,3})\.([0-9]{1,3})"
"""A version of two numbers."""

PYTHON_ADVICE = 'write python = "3.12", "3.12.7", "3.13t" or "pypy3.11", or a list'

_PYTHON = (
    r"(?P<implementation>cpython|pypy)?3\.(?P<minor>[0-9]{1,2})"
    r"(?:\.(?P<patch>[0-9]{1,3}))?(?P<threads>t)?"
)
_FIRST_FREE_THREADED = 13
_NEWEST_MINOR = 20  # one a year: 3.15 is of 2026
_LIBC = r"(glibc|musl)-([0-9]{1,3})\.([0-9]{1,3})"
_PLATFORM_ADVICE = (
    "write linux, macos or windows, a hyphen, and x86_64 or aarch64: linux-x86_64"
)
_ARCHITECTURES = {
    "x86_64": Architecture.X86_64,
    "amd64": Architecture.X86_64,
    "aarch64": Architecture.AARCH64,
    "arm64": Architecture.AARCH64,
}
_FIRST_MACOS = {Architecture.X86_64: 10, Architecture.AARCH64: 11}


def refuse(
    table: Table, problem: str, *inside: str | int, advice: str | None = None
) -> NoReturn:
    """Raise ProjectError for a key path inside a table."""
    raise table.error(problem, *inside, advice=advice)


def preset_advice(name: str, known: Collection[str]) -> str:
    """Return advice for an unknown preset: the closest ones, else how to list them."""
    from polylock.project.presets import find_name  # noqa: PLC0415 - for a wrong name

    if (meant := find_name(name)) is not None:
        return f"did you mean {meant}?"
    if close_names(name, known):
        return suggestion(name, known)
    return (
        f"`polylock targets presets` lists all {len(known)}, "
        "`polylock targets presets WORD` those with a word"
    )


def read_platform(table: Table) -> tuple[OperatingSystem, Architecture]:
    """Return ``platform``, which every target must have or inherit."""
    text = table.string("platform")
    if text is None:
        advice = f"{_PLATFORM_ADVICE}; or name a preset, or another target to extend"
        refuse(table, "is missing", "platform", advice=advice)
    system, _, architecture = text.partition("-")
    if system not in set(OperatingSystem) or (
        architecture.lower() not in _ARCHITECTURES
    ):
        problem = f"{text!r} is not a platform"
        refuse(table, problem, "platform", advice=_PLATFORM_ADVICE)
    return OperatingSystem(system), _ARCHITECTURES[architecture.lower()]


def read_libc(table: Table, system: OperatingSystem) -> str | None:
    """Return ``libc``, by default glibc-2.28; None for other systems than Linux."""
    text = table.string("libc")
    if system is not OperatingSystem.LINUX:
        if text is not None:
            problem = f"does not fit a {system} target"
            refuse(table, problem, "libc", advice="libc is for Linux targets")
        return None
    text = text or DEFAULT_LIBC
    found = re.fullmatch(_LIBC, text)
    if found is None:
        advice = "write glibc-2.34 or musl-1.2: the oldest version to support"
        problem = f"{text!r} is not a C library with its version"
        refuse(table, problem, "libc", advice=advice)
    return f"{found[1]}-{int(found[2])}.{int(found[3])}"


def read_macos(
    table: Table, system: OperatingSystem, architecture: Architecture
) -> str | None:
    """Return ``macos``, by default 14.0; None for other systems than macOS."""
    text = table.string("macos")
    if system is not OperatingSystem.MACOS:
        if text is not None:
            problem = f"does not fit a {system} target"
            refuse(table, problem, "macos", advice="macos is for macOS targets")
        return None
    text = text or DEFAULT_MACOS
    found = re.fullmatch(MAJOR_MINOR, text)
    if found is None:
        advice = 'write the oldest version to support, as in macos = "14.0"'
        refuse(table, f"{text!r} is not a macOS version", "macos", advice=advice)
    if int(found[1]) < _FIRST_MACOS[architecture]:
        advice = f"macOS {_FIRST_MACOS[architecture]} was the first"
        platform = usual_platform(f"{system}-{architecture}")
        problem = f"macOS {text} does not run on {platform.partition('-')[2]}"
        refuse(table, problem, "macos", advice=advice)
    return f"{int(found[1])}.{int(found[2])}"


def read_python(value: object, table: Table, *inside: str | int) -> PythonRelease:
    """Return the Python of a value in the project file."""
    if not isinstance(value, str):
        # A float cannot distinguish 3.1 from 3.10.
        text = "3.10" if value == 3.1 else value
        advice = f'write "{text}"' if isinstance(value, float) else PYTHON_ADVICE
        problem = f"must be a string, not {toml_type(value)}"
        refuse(table, problem, *inside, advice=advice)
    python = parse_python(value)
    if python is None:
        problem = f"{value!r} is not a Python that a target can name"
        refuse(table, problem, *inside, advice=PYTHON_ADVICE)
    return python


def parse_python(text: str) -> PythonRelease | None:
    """Return the Python of ``3.12``, ``3.12.7``, ``3.13t`` or ``pypy3.11``, else None.

    A Python that will not be released for years is a typing error and None too: no
    package has wheels for it.
    """
    found = re.fullmatch(_PYTHON, text)
    if found is None:
        return None
    implementation = found["implementation"] or "cpython"
    minor = int(found["minor"])
    if minor > _NEWEST_MINOR:
        return None
    free_threaded = found["threads"] is not None
    if free_threaded and (implementation != "cpython" or minor < _FIRST_FREE_THREADED):
        return None
    return PythonRelease(
        implementation=implementation,
        major=3,
        minor=minor,
        patch=None if found["patch"] is None else int(found["patch"]),
        free_threaded=free_threaded,
    )


def read_properties(table: Table) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return ``properties``: values by namespace and feature, the best first."""
    root = table.table("properties")
    lists: dict[str, dict[str, tuple[str, ...]]] = {}
    for namespace in root.values:
        if not is_namespace(namespace) or namespace == ABI_DEPENDENCY:
            advice = "a namespace consists of a-z, 0-9 and _, and not abi_dependency"
            problem = "is not a namespace that a target can state"
            refuse(root, problem, namespace, advice=advice)
        features = root.table(namespace)
        lists[namespace] = {}
        for feature in features.values:
            if not is_feature_name(feature):
                advice = "the name of a feature consists of a-z, 0-9 and _"
                refuse(features, "is not a feature name", feature, advice=advice)
            values = features.strings(feature)
            if not values or not all(is_feature_value(value) for value in values):
                advice = 'write a list such as ["v2", "v1"], of a-z, 0-9, _ and .'
                problem = "must list feature values, the best first"
                refuse(features, problem, feature, advice=advice)
            lists[namespace][feature] = tuple(dict.fromkeys(values))
    return lists


def read_venv(table: Table) -> str | None:
    """Return ``venv``, the path of the target's environment."""
    text = table.string("venv")
    if text is not None and (not PurePath(text).name or not all(map(is_visible, text))):
        refuse(
            table, f"{text!r} is not a path", "venv", advice='write: venv = ".venv-gpu"'
        )
    return text


def read_runs_on(table: Table) -> tuple[str, ...]:
    """Return ``runs-on``, one label or more."""
    value = table.values.get("runs-on", [])
    if isinstance(value, (str, list)):
        return (value,) if isinstance(value, str) else table.strings("runs-on")
    raise table.wrong_type("a string or an array of strings", "runs-on", found=value)


def read_dependencies(table: Table) -> tuple[str, ...]:
    """Return ``dependencies``, each a valid requirement."""
    texts = table.strings("dependencies")
    for position, text in enumerate(texts):
        try:
            Requirement.parse(text)
        except InvalidRequirement as error:
            problem = f"{text!r} is not a requirement"
            refuse(table, problem, "dependencies", position, advice=str(error))
    return texts
