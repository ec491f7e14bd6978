"""One target's table, key by key, into values; each fault names its key path."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from polylock.errors import ProjectError
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
)
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
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["TargetTable", "parse_python", "unknown_name"]

_PYTHON = re.compile(
    r"(?P<implementation>cpython|pypy)?(?P<major>[0-9])\.(?P<minor>[0-9]{1,2})"
    r"(?:\.(?P<patch>[0-9]{1,3}))?(?P<threads>t)?"
)
_LIBC = re.compile(r"(glibc|musl)-([0-9]{1,3})\.([0-9]{1,3})")
_VERSION = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})")
_GFX = re.compile(r"gfx[0-9]{3,4}[0-9a-f]?")
_DEVICE_IP = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")
_ARCHITECTURES = {
    "x86_64": Architecture.X86_64,
    "amd64": Architecture.X86_64,
    "aarch64": Architecture.AARCH64,
    "arm64": Architecture.AARCH64,
}
_PLATFORM_ADVICE = (
    "write linux, macos or windows, a hyphen, and x86_64 or aarch64: linux-x86_64"
)
_LEVEL_NAMES = {f"x86-64-{level}": level for level in X86_64_LEVELS}
_FIRST_FREE_THREADED = 13
_HARDWARE_SYSTEMS = {
    "nvidia": (OperatingSystem.LINUX, OperatingSystem.WINDOWS),
    "intel": (OperatingSystem.LINUX, OperatingSystem.WINDOWS),
    "amd": (OperatingSystem.LINUX,),
    "ascend": (OperatingSystem.LINUX,),
    "tpu": (OperatingSystem.LINUX,),
}


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Return advice for a name that does not exist: the close ones, or all."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"there are: {', '.join(names)}" if names else "there are none"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTable:
    """A table of the project file, and the words for what is wrong in it."""

    path: str
    key: str
    values: Mapping[str, Any]

    def fail(self, key: str, problem: str, advice: str | None = None) -> NoReturn:
        """Raise ProjectError for a key of this table."""
        place = f"{self.key}.{key}" if key else self.key
        raise ProjectError(self.path, place, problem, advice)

    def table(self, key: str) -> TargetTable:
        """Return a table inside this one."""
        value = self.values[key]
        if not isinstance(value, dict):
            self.fail(key, f"must be a table, not {_kind(value)}")
        return TargetTable(path=self.path, key=f"{self.key}.{key}", values=value)

    def check_keys(self, allowed: Collection[str]) -> None:
        """Refuse a key that is not allowed."""
        for key in self.values:
            if key not in allowed:
                advice = f"allowed keys: {', '.join(allowed)}"
                close = difflib.get_close_matches(key, list(allowed), n=1)
                if close:
                    advice = f"did you mean {close[0]}? {advice}"
                self.fail(key, "unknown key", advice)

    def string(self, key: str, *, default: str | None = None) -> str | None:
        """Return a string, the default where the key is missing."""
        value = self.values.get(key, default)
        if value is not None and not isinstance(value, str):
            advice = f'write {key} = "{value}"' if _is_number(value) else None
            self.fail(key, f"must be a string, not {_kind(value)}", advice)
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        """Return a list of strings, empty where the key is missing."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            self.fail(key, f"must be a list of strings, not {_kind(value)}")
        for position, item in enumerate(value):
            if not isinstance(item, str):
                advice = f'write "{item}"' if _is_number(item) else None
                problem = f"must be a string, not {_kind(item)}"
                self.fail(f"{key}[{position}]", problem, advice)
        return tuple(value)

    def platform(self) -> tuple[OperatingSystem, Architecture]:
        """Return ``platform``, which every target has, itself or inherited."""
        text = self.string("platform")
        if text is None:
            self.fail(
                "platform",
                "is missing",
                f"{_PLATFORM_ADVICE}; or name a preset or another target to extend",
            )
        system, _, architecture = text.partition("-")
        if system not in set(OperatingSystem) or (
            architecture.lower() not in _ARCHITECTURES
        ):
            self.fail("platform", f"{text!r} is not a platform", _PLATFORM_ADVICE)
        return OperatingSystem(system), _ARCHITECTURES[architecture.lower()]

    def libc(self, system: OperatingSystem) -> str | None:
        """Return ``libc``, on Linux alone."""
        text = self.string("libc")
        if system is not OperatingSystem.LINUX:
            if text is not None:
                self.fail("libc", f"does not fit {system}", "libc is for Linux targets")
            return None
        text = text or DEFAULT_LIBC
        found = _LIBC.fullmatch(text)
        if found is None:
            advice = "write glibc-2.34 or musl-1.2, the oldest version to support"
            self.fail("libc", f"{text!r} is not a C library and version", advice)
        return f"{found[1]}-{int(found[2])}.{int(found[3])}"

    def macos(self, system: OperatingSystem, architecture: Architecture) -> str | None:
        """Return ``macos``, on macOS alone."""
        text = self.string("macos")
        if system is not OperatingSystem.MACOS:
            if text is not None:
                self.fail(
                    "macos", f"does not fit {system}", "macos is for macOS targets"
                )
            return None
        text = text or DEFAULT_MACOS[architecture]
        found = _VERSION.fullmatch(text)
        if found is None or int(found[1]) < 10:
            advice = 'write the oldest version to support, as in macos = "14.0"'
            self.fail("macos", f"{text!r} is not a macOS version", advice)
        if architecture is Architecture.AARCH64 and int(found[1]) < 11:
            self.fail("macos", f"{text} never ran on arm64", "macOS 11.0 was the first")
        return f"{int(found[1])}.{int(found[2])}"

    def cpu(self, architecture: Architecture) -> Cpu | None:
        """Return ``cpu``: a name, a level, or a table of level and features."""
        value = self.values.get("cpu")
        if value is None:
            return None
        if isinstance(value, str):
            return self._cpu_name("cpu", value, architecture)
        table = self.table("cpu")
        table.check_keys(("microarchitecture", "level", "features"))
        name, level = table.string("microarchitecture"), table.string("level")
        if name is not None and level is not None:
            table.fail("level", "a processor has either a microarchitecture or a level")
        base = Cpu()
        if name is not None:
            base = table._cpu_name("microarchitecture", name, architecture)  # noqa: SLF001  # the same class
        if level is not None:
            base = Cpu(level=table._cpu_level(level, architecture))  # noqa: SLF001  # the same class
        known = (
            X86_64_FEATURES if architecture is Architecture.X86_64 else AARCH64_FEATURES
        )
        features = table.strings("features")
        for position, feature in enumerate(features):
            if feature.removeprefix("-") not in known:
                place = f"features[{position}]"
                advice = unknown_name(feature.removeprefix("-"), known)
                table.fail(place, f"no {architecture} feature named {feature}", advice)
        return Cpu(
            microarchitecture=base.microarchitecture,
            level=base.level,
            features=features,
        )

    def _cpu_name(self, key: str, name: str, architecture: Architecture) -> Cpu:
        if name in _LEVEL_NAMES:
            if architecture is not Architecture.X86_64:
                self.fail(key, f"{name} is not an {architecture} processor")
            return Cpu(level=_LEVEL_NAMES[name])
        names = _cpu_names(architecture)
        if name not in names:
            self.fail(
                key,
                f"no {architecture} processor named {name!r}",
                unknown_name(name, names),
            )
        return Cpu(microarchitecture=name)

    def _cpu_level(self, level: str, architecture: Architecture) -> str:
        if architecture is Architecture.X86_64:
            levels = tuple(reversed(X86_64_LEVELS))
        else:
            versions = [name for name in _cpu_names(architecture) if "armv" in name]
            levels = ("8a", *(name.removeprefix("armv") for name in versions))
        if level not in levels:
            self.fail(
                "level",
                f"no {architecture} level named {level!r}",
                f"there are: {', '.join(levels)}",
            )
        return level

    def _hardware(self, key: str, system: OperatingSystem) -> TargetTable | None:
        """Return the table of an accelerator; None where there is none."""
        value = self.values.get(key, False)
        if value is False:
            return None
        if system not in _HARDWARE_SYSTEMS[key]:
            systems = " and ".join(_HARDWARE_SYSTEMS[key])
            self.fail(key, f"does not fit {system}", f"{key} is for {systems} targets")
        if not isinstance(value, dict):
            self.fail(key, f"must be false or a table, not {_kind(value)}")
        return self.table(key)

    def nvidia(self, system: OperatingSystem) -> NvidiaGpu | None:
        """Return ``nvidia``."""
        table = self._hardware("nvidia", system)
        if table is None:
            return None
        table.check_keys(("driver", "compute"))
        driver = table._version("driver", "the CUDA version that the driver offers")  # noqa: SLF001  # the same class
        oldest, newest = (CUDA_MAJORS[-1], 0), (CUDA_MAJORS[0], CUDA_MINORS[0])
        if not oldest <= _pair(driver) <= newest:
            table.fail(
                "driver",
                f"CUDA {driver} is outside 11.0 to 15.20, which the nvidia provider "
                "knows",
                "give the CUDA version that `nvidia-smi` shows, not the driver's own; "
                "other lists go under properties.nvidia",
            )
        compute = table.strings("compute")
        for position, capability in enumerate(compute):
            if not _VERSION.fullmatch(capability):
                place = f"compute[{position}]"
                problem = f"{capability!r} is not a compute capability"
                table.fail(place, problem, 'write compute = ["9.0"]')
        return NvidiaGpu(driver=driver, compute=compute)

    def amd(self, system: OperatingSystem) -> AmdGpu | None:
        """Return ``amd``."""
        table = self._hardware("amd", system)
        if table is None:
            return None
        table.check_keys(("rocm", "gfx"))
        rocm = table._version("rocm", "the ROCm version")  # noqa: SLF001  # the same class
        gfx = table._matching("gfx", _GFX, 'a gfx architecture such as "gfx942"')  # noqa: SLF001  # the same class
        return AmdGpu(rocm=rocm, gfx=gfx)

    def intel(self, system: OperatingSystem) -> IntelGpu | None:
        """Return ``intel``."""
        table = self._hardware("intel", system)
        if table is None:
            return None
        table.check_keys(("device-ip",))
        device_ip = table._matching("device-ip", _DEVICE_IP, 'an IP such as "20.1.0"')  # noqa: SLF001  # the same class
        return IntelGpu(device_ip=device_ip)

    def ascend(self, system: OperatingSystem) -> AscendNpu | None:
        """Return ``ascend``."""
        table = self._hardware("ascend", system)
        if table is None:
            return None
        table.check_keys(("npu", "driver", "cann"))
        found = {}
        for key in ("npu", "driver", "cann"):
            value = table.string(key)
            if value is not None and not is_feature_value(value):
                table.fail(key, f"{value!r} is not a feature value")
            found[key] = value
        npu = found["npu"]
        if npu is None:
            table.fail("npu", "is missing", 'write the NPU type, as in npu = "910b"')
        return AscendNpu(npu=npu, driver=found["driver"], cann=found["cann"])

    def tpu(self, system: OperatingSystem) -> bool:
        """Return ``tpu``."""
        value = self.values.get("tpu", False)
        if not isinstance(value, bool):
            self.fail("tpu", f"must be true or false, not {_kind(value)}")
        if value and system not in _HARDWARE_SYSTEMS["tpu"]:
            self.fail("tpu", f"does not fit {system}", "tpu is for linux targets")
        return value

    def properties(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Return ``properties``: namespace to feature to values, the best first."""
        if "properties" not in self.values:
            return {}
        root = self.table("properties")
        lists: dict[str, dict[str, tuple[str, ...]]] = {}
        for namespace in root.values:
            if not is_namespace(namespace) or namespace == ABI_DEPENDENCY:
                advice = "a namespace is of a-z, 0-9 and _, and not abi_dependency"
                root.fail(namespace, "is not a namespace for a target", advice)
            features = root.table(namespace)
            lists[namespace] = {}
            for feature in features.values:
                if not is_feature_name(feature):
                    features.fail(feature, "is not a feature name")
                values = features.strings(feature)
                if not values or not all(is_feature_value(value) for value in values):
                    features.fail(feature, "must list feature values, the best first")
                lists[namespace][feature] = tuple(dict.fromkeys(values))
        return lists

    def runs_on(self) -> tuple[str, ...]:
        """Return ``runs-on``, one label or several."""
        value = self.values.get("runs-on", [])
        return (value,) if isinstance(value, str) else self.strings("runs-on")

    def dependencies(self) -> tuple[str, ...]:
        """Return ``dependencies``, each a valid requirement."""
        texts = self.strings("dependencies")
        for position, text in enumerate(texts):
            try:
                Requirement.parse(text)
            except InvalidRequirement as error:
                problem = f"{text!r} is not a requirement"
                self.fail(f"dependencies[{position}]", problem, str(error))
        return texts

    def _version(self, key: str, meaning: str) -> str:
        text = self.string(key)
        if text is None:
            self.fail(key, "is missing", f"{key} is {meaning}")
        found = _VERSION.fullmatch(text)
        if found is None:
            self.fail(key, f"{text!r} is not a version X.Y", f"{key} is {meaning}")
        return f"{int(found[1])}.{int(found[2])}"

    def _matching(
        self, key: str, pattern: re.Pattern[str], what: str
    ) -> tuple[str, ...]:
        texts = self.strings(key)
        if not texts:
            self.fail(key, "must list at least one", f"give {what}")
        for position, text in enumerate(texts):
            if not pattern.fullmatch(text):
                self.fail(f"{key}[{position}]", f"{text!r} is not {what}")
        return texts


def parse_python(text: str) -> PythonRelease | None:
    """Parse ``3.12``, ``3.12.7``, ``3.13t``, ``pypy3.11``; None where it is none."""
    found = _PYTHON.fullmatch(text)
    if found is None:
        return None
    release = PythonRelease(
        implementation=found["implementation"] or "cpython",
        major=int(found["major"]),
        minor=int(found["minor"]),
        patch=None if found["patch"] is None else int(found["patch"]),
        free_threaded=found["threads"] is not None,
    )
    possible = release.implementation == "cpython" and (
        (release.major, release.minor) >= (3, _FIRST_FREE_THREADED)
    )
    if release.major != 3 or (release.free_threaded and not possible):
        return None
    return release


def _cpu_names(architecture: Architecture) -> tuple[str, ...]:
    import archspec.cpu  # 27 ms, and only where a target names a processor

    return tuple(
        name
        for name, target in archspec.cpu.TARGETS.items()
        if target.family.name == architecture.value
    )


def _pair(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _kind(value: object) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "a string"),
        (list, "a list"),
        (dict, "a table"),
    )
    return next(
        (name for kind, name in kinds if isinstance(value, kind)),
        f"a {type(value).__name__}",
    )
