"""Print facts about the Python that runs this file; standard library only.

Runs by path in any Python from 3.8 on, in isolated mode, and prints one line: a
mark and a JSON object, whose fields ``polylock.environment.interpreter`` decodes.
The mark distinguishes the line from output of a ``.pth`` file of that environment.

It imports neither ``json`` nor ``pathlib``, which takes 15 ms of 75.
"""

from __future__ import annotations

import os
import platform
import struct
import sys
import sysconfig

try:
    from _json import encode_basestring_ascii as quoted  # of CPython's ``json``
except ImportError:
    from json.encoder import encode_basestring_ascii as quoted

MARK = "polylock-probe:"
SCHEME_KEYS = ("purelib", "platlib", "scripts", "data", "include", "stdlib")


def full_version(info: tuple[int, int, int, str, int]) -> str:
    """Return ``3.12.7`` or ``3.14.0c1``, the version as PEP 508 formats it."""
    major, minor, micro, level, serial = info
    version = f"{major}.{minor}.{micro}"
    return version if level == "final" else f"{version}{level[0]}{serial}"


def marker_environment() -> dict[str, str]:
    """Return the marker environment as PEP 508 defines it."""
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": full_version(sys.implementation.version),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def elf_interpreter(path: str) -> str | None:
    """Return the dynamic loader of an ELF file, None if it has none.

    Field offsets are those of the ELF specification, classes 32 and 64.
    """
    with open(path, "rb") as file:
        identity = file.read(16)
        if len(identity) < 16 or identity[:4] != b"\x7fELF":
            return None
        wide, order = identity[4] == 2, "<" if identity[5] == 1 else ">"
        header = struct.unpack(
            order + ("HHIQQQIHHH" if wide else "HHIIIIIHHH"),
            file.read(42 if wide else 30),
        )
        offset, entry_size, count = header[4], header[8], header[9]
        for index in range(count):
            file.seek(offset + index * entry_size)
            entry = struct.unpack(
                order + ("IIQQQQ" if wide else "IIIII"), file.read(40 if wide else 20)
            )
            if entry[0] == 3:  # PT_INTERP
                start, size = (entry[2], entry[5]) if wide else (entry[1], entry[4])
                file.seek(start)
                return os.fsdecode(file.read(size)).rstrip("\0")
    return None


def musl_version(loader: str) -> str | None:
    """Return the version of musl, ``1.2``, None if the loader does not print it.

    The loader prints its version when it is run without a program; ``ldd`` is only
    a script around it and often not installed.
    """
    import subprocess  # noqa: PLC0415  # only musl needs it

    answer = subprocess.run(
        [loader],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    for line in answer.stderr.decode("utf-8", "replace").splitlines():
        if line.startswith("Version "):
            return ".".join(line.split()[1].split(".")[:2])
    return None


def glibc_version() -> str | None:
    """Return the version of glibc, ``2.34``, None if the C library is another."""
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):
        text = None
    if text and text.startswith("glibc "):
        return ".".join(text.split()[1].split(".")[:2])
    return None


def libc() -> tuple[str | None, str | None]:
    """Return (family, version) of the C library, both None except on Linux."""
    if platform.system() != "Linux":
        return None, None
    version = glibc_version()
    if version is not None:
        return "glibc", version
    try:
        loader = elf_interpreter(sys.executable)
        version = musl_version(loader) if loader and "musl" in loader else None
    except (OSError, struct.error):
        version = None
    return ("musl", version) if version else (None, None)


def macos_version() -> str | None:
    """Return the version of macOS, ``14.5``, None on other systems.

    A Python linked against an old SDK gets 10.16 instead of 11 and later; a child
    with SYSTEM_VERSION_COMPAT=0 gets the real version.
    """
    if platform.system() != "Darwin":
        return None
    version = platform.mac_ver()[0]
    if version.startswith("10.16"):
        import subprocess  # noqa: PLC0415  # only old builds need it

        version = subprocess.run(
            [sys.executable, "-sS", "-c", "import platform as p;print(p.mac_ver()[0])"],
            stdout=subprocess.PIPE,
            env={"SYSTEM_VERSION_COMPAT": "0"},
            check=True,
            text=True,
        ).stdout.strip()
    return ".".join(version.split(".")[:2])


def scheme() -> dict[str, str]:
    """Return the paths of the installation scheme by key."""
    paths = sysconfig.get_paths()
    found = {key: paths[key] for key in SCHEME_KEYS}
    found["headers"] = found["include"]
    if sys.prefix != sys.base_prefix:
        # ``include`` of a virtual environment is that of the base installation; pip
        # installs headers here instead, and so does polylock.
        major, minor, *_ = sys.version_info
        found["headers"] = os.path.join(
            sys.prefix, "include", "site", f"python{major}.{minor}"
        )
    return found


def venv_scheme() -> dict[str, str]:
    """Return the paths of a virtual environment of this Python, relative to it."""
    names = sysconfig.get_scheme_names()
    name = "venv" if "venv" in names else "nt" if os.name == "nt" else "posix_prefix"
    keys = ("base", "platbase", "installed_base", "installed_platbase")
    paths = sysconfig.get_paths(name, vars=dict.fromkeys(keys, sys.prefix))
    return {
        key: os.path.relpath(paths[key], sys.prefix).replace(os.sep, "/")
        for key in ("purelib", "platlib", "scripts", "data")
    }


def as_json(value: object) -> str:
    """Return tables, texts, numbers and None as JSON, in ASCII and with sorted keys."""
    if isinstance(value, dict):
        members = (f"{quoted(key)}: {as_json(value[key])}" for key in sorted(value))
        return "{" + ", ".join(members) + "}"
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def main() -> None:
    """Print the line."""
    family, version = libc()
    paths = scheme()
    marker = os.path.join(paths["stdlib"], "EXTERNALLY-MANAGED")
    answer = {
        "executable": sys.executable,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "base_executable": getattr(sys, "_base_executable", None) or sys.executable,
        "implementation": sys.implementation.name,
        "version": full_version(sys.version_info),
        "abi_flags": getattr(sys, "abiflags", ""),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "debug": bool(
            sysconfig.get_config_var("Py_DEBUG") or hasattr(sys, "gettotalrefcount")
        ),
        "platform": sysconfig.get_platform(),
        "pointer_bits": struct.calcsize("P") * 8,
        "libc": family,
        "libc_version": version,
        "macos_version": macos_version(),
        "marker_environment": marker_environment(),
        "scheme": paths,
        "venv_scheme": venv_scheme(),
        "externally_managed": os.path.isfile(marker),
    }
    print(MARK + as_json(answer))


if __name__ == "__main__":
    main()
