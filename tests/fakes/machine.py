"""A machine that answers from a script."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FakeMachine", "FakeNvml"]


@dataclass(kw_only=True)
class FakeMachine:
    """Answers with what it was given, and with None for all else."""

    system: str = "Linux"
    machine: str = "x86_64"
    files: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, Any] = field(default_factory=dict)
    glibc: str | None = "2.39"
    macos: str | None = None
    archspec: str | None = None

    def read_text(self, path: str) -> str | None:
        """Return the text of a file of the script."""
        return self.files.get(path)

    def run(self, *command: str) -> str | None:
        """Return the output of a command of the script, words joined by spaces."""
        return self.commands.get(" ".join(command))

    def load_library(self, name: str) -> Any | None:  # noqa: ANN401  # as the port
        """Return a library of the script."""
        return self.libraries.get(name)

    def glibc_version(self) -> str | None:
        """Return the scripted version."""
        return self.glibc

    def macos_version(self) -> str | None:
        """Return the scripted version."""
        return self.macos

    def archspec_name(self) -> str | None:
        """Return the scripted name."""
        return self.archspec


class FakeNvml:
    """NVIDIA's management library, with the C functions that detection calls.

    A capability of None is a device whose capability call fails. ``statuses`` gives
    other return codes than 0, by name of the function.
    """

    def __init__(
        self,
        version: int = 13000,
        capabilities: tuple[tuple[int, int] | None, ...] = (),
        **statuses: int,
    ) -> None:
        self.version = version
        self.capabilities = capabilities
        self.statuses = statuses
        self.shut_down = False

    def nvmlInitWithFlags(self, _flags: int) -> int:  # noqa: N802  # NVML's name
        """Begin."""
        return self.statuses.get("init", 0)

    def nvmlShutdown(self) -> int:  # noqa: N802  # NVML's name
        """End."""
        self.shut_down = True
        return 0

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
        return 0

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
