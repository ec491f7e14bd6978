"""A fake machine with scripted answers."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylock.providers.command import CommandHangs
from polylock.providers.level_zero import DeviceProperties, IpVersion

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from polylock.providers.machine import CpuidRegisters

__all__ = ["FakeLevelZero", "FakeMachine", "FakeNvml"]


@dataclass(kw_only=True)
class FakeMachine:
    """Returns the given answers, and None for everything else.

    The key of a command is its words joined by spaces; commands in ``hanging`` never
    end. A directory lists the names of the ``files`` in it.
    """

    system: str = "Linux"
    machine: str = "x86_64"
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    hanging: Collection[str] = ()
    libraries: Mapping[str, Any] = field(default_factory=dict)
    registers: Mapping[tuple[int, int], CpuidRegisters] = field(default_factory=dict)
    glibc: str | None = "2.39"
    macos: str | None = None
    root: Path = Path("/nowhere")

    def read_text(self, path: str) -> str | None:
        """Return the text of a file of the script."""
        return self.files.get(path)

    def list_names(self, path: str) -> tuple[str, ...]:
        """Return what lies in a directory of the script."""
        inside = f"{path}/"
        names = {
            file.removeprefix(inside).partition("/")[0]
            for file in self.files
            if file.startswith(inside)
        }
        return tuple(sorted(names))

    def run(self, *command: str) -> str | None:
        """Return the output of a command of the script."""
        words = " ".join(command)
        if words in self.hanging:
            raise CommandHangs(command[0], 20)
        return self.commands.get(words)

    def load_library(self, name: str) -> Any | None:  # noqa: ANN401  # as the port
        """Return a library of the script."""
        return self.libraries.get(name)

    def cpuid(self, leaf: int, subleaf: int) -> CpuidRegisters | None:
        """Return the registers of the script."""
        return self.registers.get((leaf, subleaf))

    def glibc_version(self) -> str | None:
        """Return the scripted version."""
        return self.glibc

    def macos_version(self) -> str | None:
        """Return the scripted version."""
        return self.macos


class FakeNvml:
    """NVIDIA's management library, with the C functions that detection calls.

    A capability of None is a device whose capability call fails. ``statuses`` gives
    other return codes than 0, by name of the function: init, driver, version,
    version_v2, count, handle, shutdown.
    """

    def __init__(
        self,
        version: int = 13000,
        capabilities: Sequence[tuple[int, int] | None] = (),
        /,
        **statuses: int,
    ) -> None:
        self.version = version
        self.capabilities = capabilities
        self.statuses = statuses
        self.shut_down = False
        self.lost: set[int] = set()
        """The GPUs that cannot be opened any more."""

    def nvmlInitWithFlags(self, _flags: int) -> int:  # noqa: N802  # NVML's name
        """Begin."""
        return self.statuses.get("init", 0)

    def nvmlShutdown(self) -> int:  # noqa: N802  # NVML's name
        """End."""
        self.shut_down = True
        return self.statuses.get("shutdown", 0)

    def nvmlSystemGetDriverVersion(self, text: Any, _length: Any) -> int:  # noqa: ANN401, N802  # C values; NVML's name
        """Write the version of the driver."""
        text.value = b"580.1"
        return self.statuses.get("driver", 0)

    def nvmlSystemGetCudaDriverVersion_v2(self, version: Any) -> int:  # noqa: ANN401, N802  # a C pointer; NVML's name
        """Write the CUDA version of libcuda."""
        version._obj.value = self.version
        return self.statuses.get("version_v2", 0)

    def nvmlSystemGetCudaDriverVersion(self, version: Any) -> int:  # noqa: ANN401, N802  # a C pointer; NVML's name
        """Write the CUDA version, known or guessed."""
        version._obj.value = self.version
        return self.statuses.get("version", 0)

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: ANN401, N802  # a C pointer; NVML's name
        """Write the number of GPUs."""
        count._obj.value = len(self.capabilities)
        return self.statuses.get("count", 0)

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, device: Any) -> int:  # noqa: ANN401, N802  # C values; NVML's name
        """Write a handle, which is the index and one."""
        device._obj.value = index.value + 1
        if index.value in self.lost:
            return 15
        return self.statuses.get("handle", 0)

    def nvmlDeviceGetCudaComputeCapability(  # noqa: N802  # NVML's name
        self,
        device: Any,  # noqa: ANN401  # a C value
        major: Any,  # noqa: ANN401  # a C pointer
        minor: Any,  # noqa: ANN401  # a C pointer
    ) -> int:
        """Write the compute capability of a device."""
        capability = self.capabilities[device.value - 1]
        if capability is None:
            return 999
        major._obj.value, minor._obj.value = capability
        return 0


class FakeLevelZero:
    """Intel's library, with the C functions that detection calls.

    ``drivers`` are the IP versions of the devices of each driver, as numbers.
    ``results`` gives other results than 0 by name of the function. ``old`` is a
    library before version 1.10, which starts drivers by another call.
    """

    def __init__(
        self,
        drivers: Sequence[Sequence[int]] = (),
        *,
        old: bool = False,
        **results: int,
    ) -> None:
        self.drivers = drivers
        self.results = results
        if old:
            self.zeInit = self._init
            self.zeDriverGet = self._drivers
        else:
            self.zeInitDrivers = self._init_drivers

    def zeDeviceGet(self, driver: Any, count: Any, handles: Any) -> int:  # noqa: ANN401, N802  # C values; its name
        """Write the devices of a driver: its number times 100, and theirs."""
        devices = self.drivers[driver.value - 1]
        if handles is None:
            count._obj.value = len(devices)
        else:
            for index in range(len(devices)):
                handles[index] = driver.value * 100 + index
        return self.results.get("zeDeviceGet", 0)

    def zeDeviceGetProperties(self, device: Any, properties: Any) -> int:  # noqa: ANN401, N802  # C values; its name
        """Write the IP version into the structure that the properties lead to."""
        found: DeviceProperties = properties._obj
        assert found.stype == 3
        extension = ctypes.cast(
            ctypes.c_void_p(found.next), ctypes.POINTER(IpVersion)
        ).contents
        assert extension.stype == 0x1000F
        extension.ip_version = self.drivers[device.value // 100 - 1][device.value % 100]
        return self.results.get("zeDeviceGetProperties", 0)

    def _init_drivers(self, count: Any, handles: Any, wanted: Any) -> int:  # noqa: ANN401  # C values
        assert wanted._obj.flags == 1
        return self._drivers(count, handles, "zeInitDrivers")

    def _init(self, flags: Any) -> int:  # noqa: ANN401  # a C value
        assert flags.value == 1
        return self.results.get("zeInit", 0)

    def _drivers(self, count: Any, handles: Any, name: str = "zeDriverGet") -> int:  # noqa: ANN401  # C values
        if handles is None:
            count._obj.value = len(self.drivers)
        else:
            for index in range(len(self.drivers)):
                handles[index] = index + 1
        return self.results.get(name, 0)
