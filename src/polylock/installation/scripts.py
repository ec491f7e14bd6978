"""Scripts: launchers for entry points, and shebangs of scripts in a wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import EnvironmentBroken
from polylock.values import Value

if TYPE_CHECKING:
    from installer.scripts import LauncherKind

    from polylock.installation.archive import EntryPoint

__all__ = ["Launcher", "launcher_kind", "make_launcher", "rewrite_shebang"]

_WINDOWS_KINDS: dict[str, LauncherKind] = {
    "win32": "win-ia32",
    "win-amd64": "win-amd64",
    "win-arm32": "win-arm",
    "win-arm64": "win-arm64",
}


class Launcher(Value, frozen=True):
    """An executable file for the scripts directory."""

    filename: str
    content: bytes


def launcher_kind(platform: str) -> LauncherKind:
    """Return the kind of launcher for ``sysconfig.get_platform()`` of a Python.

    Raises EnvironmentBroken for a Windows platform without a launcher.
    """
    if not platform.startswith("win"):
        return "posix"
    kind = _WINDOWS_KINDS.get(platform)
    if kind is None:
        problem = "there is no script launcher for this Windows"
        raise EnvironmentBroken(platform, problem)
    return kind


def make_launcher(
    entry_point: EntryPoint, executable: str, kind: LauncherKind
) -> Launcher:
    """Return the script that calls an entry point with the Python ``executable``.

    On Windows it is an ``.exe``, without a console for a GUI script.
    """
    if kind == "posix":
        content = _shebang(executable, windows=False) + _call(entry_point)
        return Launcher(entry_point.name, content)
    from installer.scripts import Script  # noqa: PLC0415 - 15 ms, with ``email``

    script = Script(
        entry_point.name,
        entry_point.module,
        entry_point.attribute,
        "gui" if entry_point.is_gui else "console",
    )
    return Launcher(*script.generate(executable, kind))


def _call(entry_point: EntryPoint) -> bytes:
    """Return the program that calls an entry point (entry points specification)."""
    first = entry_point.attribute.partition(".")[0]
    return (
        "import sys\n"
        f"from {entry_point.module} import {first}\n"
        'if __name__ == "__main__":\n'
        f"    sys.exit({entry_point.attribute}())\n"
    ).encode()


def rewrite_shebang(content: bytes, executable: str) -> bytes:
    """Return a script of a wheel with ``#!python`` replaced (PEP 427).

    "If the first line of a file in .data/scripts starts with exactly b'#!python',
    rewrite to point to the correct interpreter." This includes ``#!pythonw``.
    """
    if not content.startswith(b"#!python"):
        return content
    first, _, rest = content.partition(b"\n")
    windows = executable.lower().endswith(".exe")
    if windows and first.startswith(b"#!pythonw"):
        stem, separator, file = executable.rpartition("\\")
        executable = stem + separator + file.replace("python", "pythonw", 1)
    return _shebang(executable, windows=windows) + rest


def _shebang(executable: str, *, windows: bool) -> bytes:
    """Return the lines that start a Python script with an interpreter.

    The kernel accepts no space in the path, and Linux before 5.1 truncated the line at
    127 bytes. For such a path ``sh`` executes the second line; for Python the second
    and third lines are a string.
    """
    path = executable.encode()
    if windows or (b" " not in path and len(path) + 3 <= 127):
        return b"#!" + path + b"\n"
    import shlex  # noqa: PLC0415 - for few paths

    quoted = shlex.quote(executable).encode()
    return b"#!/bin/sh\n'''exec' " + quoted + b' "$0" "$@"\n' + b"' '''\n"
