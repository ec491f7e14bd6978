"""The port by which detection inspects a machine, and this machine.

Every method returns None for something missing: a file, a command that cannot be
started, a library that does not load. Only a command that does not end raises, as it is
worth a warning. Tests replay recorded results.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "CpuidRegisters",
    "HostMachine",
    "Machine",
    "ask",
    "ignore",
    "stand_in",
    "this_host",
]

_COMMAND_SECONDS = 20.0
_ANSWER_BYTES = 4 << 20
_TEXT_BYTES = 16 << 20
_X86_MACHINES = ("AMD64", "x86_64")

CpuidRegisters = tuple[int, int, int, int]
"""The results of the cpuid instruction in eax, ebx, ecx and edx."""


class Machine(Protocol):
    """A machine that can be inspected."""

    @property
    def system(self) -> str:
        """The name of the operating system: ``Linux``, ``Darwin``, ``Windows``."""
        ...

    @property
    def machine(self) -> str:
        """The name of the processor family as the system spells it: ``AMD64``."""
        ...

    @property
    def root(self) -> Path:
        """The root of its file system, with devices and drivers."""
        ...

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables, which may name installation directories."""
        ...

    def read_text(self, path: str) -> str | None:
        """Return the text of a file, None if it cannot be read."""
        ...

    def list_names(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory, sorted; empty if it cannot be read."""
        ...

    def run(self, *command: str) -> str | None:
        """Return the output of a command, both streams; None if it cannot run.

        The exit status is ignored: some commands print an answer and still fail. Raises
        CommandHangs if it does not end.
        """
        ...

    def load_library(self, name: str) -> Any | None:  # noqa: ANN401  # functions of any name
        """Return a shared library whose functions are its attributes, or None."""
        ...

    def cpuid(self, leaf: int, subleaf: int) -> CpuidRegisters | None:
        """Return a cpuid leaf; None if the processor is not x86-64."""
        ...

    def glibc_version(self) -> str | None:
        """Return the version of glibc, ``2.39``, None with another C library."""
        ...

    def macos_version(self) -> str | None:
        """Return the version of macOS, ``14.5``."""
        ...


def ignore(_warning: str) -> None:
    """Ignore a warning."""


def ask(
    machine: Machine,
    warn: Callable[[str], None],
    programs: str | Sequence[str],
    *arguments: str,
) -> str | None:
    """Return the output of the first of several programs that can be run, or None.

    If it does not end, warn and return None: the same program in another directory
    would not end either.
    """
    from polylock.providers.command import CommandHangs  # noqa: PLC0415 - as below

    for program in (programs,) if isinstance(programs, str) else programs:
        try:
            answer = machine.run(program, *arguments)
        except CommandHangs as error:
            warn(str(error))
            return None
        if answer is not None:
            return answer
    return None


class HostMachine:
    """The machine that runs this process."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = dict(variables or {})
        self._cpuid: Callable[[int, int], Any] | None = None

    @property
    def system(self) -> str:
        """The name of the operating system."""
        return platform.system()

    @property
    def machine(self) -> str:
        """The name of the processor family as the system spells it."""
        return platform.machine()

    @property
    def root(self) -> Path:
        """The root of its file system."""
        return Path("/")

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables that were passed in."""
        return self._variables

    def read_text(self, path: str) -> str | None:
        """Return the text of a file, None if it cannot be read."""
        try:
            with Path(path).open("rb") as file:
                return file.read(_TEXT_BYTES).decode("utf-8", errors="replace")
        except (OSError, ValueError):
            return None

    def list_names(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory, sorted; empty if it cannot be read."""
        try:
            return tuple(sorted(os.listdir(path)))  # noqa: PTH208 - names, no paths
        except (OSError, ValueError):
            return ()

    def run(self, *command: str) -> str | None:
        """Return the output of a command, both streams; None if it cannot run."""
        # 4 ms with subprocess, only to detect hardware.
        import shutil  # noqa: PLC0415

        from polylock.providers.command import run_command  # noqa: PLC0415

        try:
            # A lookup is cheaper than a failing start, and on Windows a start would
            # search the current directory too.
            program = shutil.which(command[0], path=self._variables.get("PATH"))
        except ValueError:  # a null byte
            return None
        if program is None:
            return None
        answer = run_command(
            (program, *command[1:]), seconds=_COMMAND_SECONDS, limit=_ANSWER_BYTES
        )
        return None if answer is None else answer.text

    def load_library(self, name: str) -> Any | None:  # noqa: ANN401  # see Machine
        """Return a shared library whose functions are its attributes, or None."""
        import ctypes  # noqa: PLC0415 - 1 ms, only to detect hardware

        try:
            return ctypes.CDLL(name)
        except (OSError, ValueError):
            return None

    def cpuid(self, leaf: int, subleaf: int) -> CpuidRegisters | None:
        """Return a cpuid leaf; None if the processor is not x86-64."""
        if self.machine not in _X86_MACHINES:
            return None  # archspec would run x86-64 machine code
        try:
            if self._cpuid is None:
                import archspec.vendor.cpuid.cpuid as native  # with archspec, 27 ms

                self._cpuid = native.CPUID().registers_for
            found = self._cpuid(leaf, subleaf)
        except Exception:  # noqa: BLE001  # the system may refuse executable memory
            return None
        return found.eax, found.ebx, found.ecx, found.edx

    def glibc_version(self) -> str | None:
        """Return the version of glibc, None with another C library."""
        try:
            # glibc returns "glibc 2.39"; other C libraries do not know the name.
            name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        except (AttributeError, OSError, ValueError):
            return None
        return version if name == "glibc" and version else None

    def macos_version(self) -> str | None:
        """Return the version of macOS.

        A Python linked against an old SDK gets 10.16 for 11 and later.
        """
        version = platform.mac_ver()[0]
        if version.startswith("10.16"):
            output = self.run(
                *("/usr/bin/env", "SYSTEM_VERSION_COMPAT=0"),
                *("/usr/bin/sw_vers", "-productVersion"),
            )
            version = (output or "").strip() or version
        return version or None


_stand_in: Callable[[], Machine] | None = None


def this_host() -> Machine:
    """Return the machine that runs this process, or its replacement in tests."""
    return HostMachine(os.environ) if _stand_in is None else _stand_in()


def stand_in(replay: Callable[[], Machine] | None) -> None:
    """Replace the machine of this process, as tests do; None restores it.

    Only code can do so, no variable, option or file: wheels for the wrong machine would
    be installed.
    """
    global _stand_in  # noqa: PLW0603 - a process runs on one machine
    _stand_in = replay
