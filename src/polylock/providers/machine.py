"""The machine that is looked at: what a detection may ask of it.

Every probe answers None for "there is no such thing": a missing file, a command that
is not there or fails, a library that does not load. So detection is a matter of
reading answers, and tests replay them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

__all__ = ["HostMachine", "Machine"]

_COMMAND_SECONDS = 20


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

    def read_text(self, path: str) -> str | None:
        """Return the text of a file, None where it cannot be read."""
        ...

    def run(self, *command: str) -> str | None:
        """Return what a command wrote to both streams; None where it cannot run.

        The exit status is not looked at: some commands answer and still fail.
        """
        ...

    def load_library(self, name: str) -> Any | None:  # noqa: ANN401  # functions of any name
        """Return a shared library whose functions are its attributes, or None."""
        ...

    def glibc_version(self) -> str | None:
        """Return the version of glibc, ``2.39``, None where there is another libc."""
        ...

    def macos_version(self) -> str | None:
        """Return the version of macOS, ``14.5``."""
        ...

    def archspec_name(self) -> str | None:
        """Return archspec's name for the processor, by archspec's own probes."""
        ...


class HostMachine:
    """The machine that runs this process."""

    @property
    def system(self) -> str:
        """The name of the operating system."""
        import platform  # noqa: PLC0415 - 2 ms, where the hardware is looked at

        return platform.system()

    @property
    def machine(self) -> str:
        """The name of the processor family as the system spells it."""
        import platform  # noqa: PLC0415 - as above

        return platform.machine()

    def read_text(self, path: str) -> str | None:
        """Return the text of a file, None where it cannot be read."""
        try:
            return Path(path).read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            return None

    def run(self, *command: str) -> str | None:
        """Return what a command wrote to both streams; None where it cannot run."""
        import subprocess  # noqa: PLC0415 - as above

        try:
            answer = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_COMMAND_SECONDS,
            )
        except (OSError, ValueError, subprocess.SubprocessError):
            return None
        return answer.stdout.decode("utf-8", errors="replace")

    def load_library(self, name: str) -> Any | None:  # noqa: ANN401  # see Machine
        """Return a shared library whose functions are its attributes, or None."""
        import ctypes  # noqa: PLC0415 - as above

        try:
            return ctypes.CDLL(name)
        except OSError:
            return None

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
        import platform  # noqa: PLC0415 - as above

        return platform.mac_ver()[0] or None

    def archspec_name(self) -> str | None:
        """Return archspec's name for the processor, by archspec's own probes."""
        import warnings  # noqa: PLC0415  # with archspec, which warns instead of failing

        import archspec.cpu  # 27 ms, and only where asked

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return str(archspec.cpu.host().name)
            except Exception:  # noqa: BLE001  # its probes raise what they like
                return None
