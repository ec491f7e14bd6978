"""The machine that is looked at: what a detection may ask of it.

Every probe answers None for "there is no such thing": a missing file, a command that
is not there or cannot start, a library that does not load. A command that does not
end is told apart, for it is worth a warning. So detection is a matter of reading
answers, and tests replay them.
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
"""What the instruction cpuid leaves in eax, ebx, ecx and edx."""


class Machine(Protocol):
    """What detection may ask of a machine."""

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
        """The root of its file system, where devices show and drivers lie."""
        ...

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables, which may say where something is installed."""
        ...

    def read_text(self, path: str) -> str | None:
        """Return the text of a file, None where it cannot be read."""
        ...

    def list_names(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory, sorted; none where it cannot be read."""
        ...

    def run(self, *command: str) -> str | None:
        """Return what a command wrote to both streams; None where it cannot run.

        The exit status is not looked at: some commands answer and still fail. Raises
        CommandHangs where it does not end.
        """
        ...

    def load_library(self, name: str) -> Any | None:  # noqa: ANN401  # functions of any name
        """Return a shared library whose functions are its attributes, or None."""
        ...

    def cpuid(self, leaf: int, subleaf: int) -> CpuidRegisters | None:
        """Return what the processor says of itself; None where it is no x86-64."""
        ...

    def glibc_version(self) -> str | None:
        """Return the version of glibc, ``2.39``, None where there is another libc."""
        ...

    def macos_version(self) -> str | None:
        """Return the version of macOS, ``14.5``."""
        ...


def ignore(_warning: str) -> None:
    """Take a warning and do nothing, for callers whom none concerns."""


def ask(
    machine: Machine,
    warn: Callable[[str], None],
    programs: str | Sequence[str],
    *arguments: str,
) -> str | None:
    """Run a program of the machine, the first of several that is there.

    One that does not end is a warning and None: the same program from another place
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
        """The environment variables that it was given."""
        return self._variables

    def read_text(self, path: str) -> str | None:
        """Return the text of a file, None where it cannot be read."""
        try:
            with Path(path).open("rb") as file:
                return file.read(_TEXT_BYTES).decode("utf-8", errors="replace")
        except (OSError, ValueError):
            return None

    def list_names(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory, sorted; none where it cannot be read."""
        try:
            return tuple(sorted(os.listdir(path)))  # noqa: PTH208 - names, no paths
        except (OSError, ValueError):
            return ()

    def run(self, *command: str) -> str | None:
        """Return what a command wrote to both streams; None where it cannot run."""
        # 4 ms with subprocess, where the hardware is looked at.
        import shutil  # noqa: PLC0415

        from polylock.providers.command import run_command  # noqa: PLC0415

        try:
            # To start a process that cannot be costs more than to look for it, and on
            # Windows the current directory would be searched as well.
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
        import ctypes  # noqa: PLC0415 - 1 ms, where the hardware is looked at

        try:
            return ctypes.CDLL(name)
        except (OSError, ValueError):
            return None

    def cpuid(self, leaf: int, subleaf: int) -> CpuidRegisters | None:
        """Return what the processor says of itself; None where it is no x86-64."""
        if self.machine not in _X86_MACHINES:
            return None  # the instructions of another processor would be run
        try:
            if self._cpuid is None:
                import archspec.vendor.cpuid.cpuid as native  # with archspec, 27 ms

                self._cpuid = native.CPUID().registers_for
            found = self._cpuid(leaf, subleaf)
        except Exception:  # noqa: BLE001  # memory that may be run can be refused
            return None
        return found.eax, found.ebx, found.ecx, found.edx

    def glibc_version(self) -> str | None:
        """Return the version of glibc, None where there is another libc."""
        try:
            # glibc answers "glibc 2.39"; other libcs do not know the name.
            name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        except (AttributeError, OSError, ValueError):
            return None
        return version if name == "glibc" and version else None

    def macos_version(self) -> str | None:
        """Return the version of macOS."""
        return platform.mac_ver()[0] or None


_stand_in: Callable[[], Machine] | None = None


def this_host() -> Machine:
    """Return the machine that runs this process, or what stands in for it."""
    return HostMachine(os.environ) if _stand_in is None else _stand_in()


def stand_in(replay: Callable[[], Machine] | None) -> None:
    """Let this process take another machine for its own, as tests do; None ends that.

    Only code can say so, no variable, option or file: with a wrong answer wheels are
    installed that do not run.
    """
    global _stand_in  # noqa: PLW0603 - a process runs on one machine
    _stand_in = replay
