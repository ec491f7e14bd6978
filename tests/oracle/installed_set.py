"""What PEP 751 installs for a target of a lock file, computed with packaging only.

It uses no code of polylock, so that cache keys can be compared with it. It does not
compare labels of variant wheels: a lock file lists only the label that a target takes.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from collections.abc import Set as AbstractSet

__all__ = ["InstalledSet", "documented_key", "installed_sets"]

Installed = tuple[str, str, str, str]
"""Name, version, file, hash."""

_SYSTEMS = {
    "linux": ("posix", "linux", "Linux"),
    "macos": ("posix", "darwin", "Darwin"),
    "windows": ("nt", "win32", "Windows"),
}
_PATCHES = (0, 3, 7, 11, 99)
"""Where a target names no patch release, what any of these gets counts."""


@dataclass(frozen=True)
class InstalledSet:
    """What a target installs at the most, and the Python that it is installed for."""

    target: str
    python: tuple[str, str]
    packages: frozenset[Installed]


def installed_sets(
    text: str, groups: Collection[str] = (), extras: Collection[str] = ()
) -> dict[str, InstalledSet]:
    """Return what each target of a lock file installs, by its name."""
    pylock = tomllib.loads(text)
    found = {}
    for target in pylock["tool"]["polylock"]["targets"]:
        asked = {*groups, *pylock.get("default-groups", ())}
        asked -= {each["name"] for each in pylock["tool"]["polylock"]["targets"]}
        asked.add(target["name"])
        packages = frozenset(
            _installed(package, target)
            for package in pylock["packages"]
            if any(
                _holds(package.get("marker"), environment, asked, extras)
                for environment in _environments(target)
            )
        )
        python = (target["python"], target["platform"])
        found[target["name"]] = InstalledSet(target["name"], python, packages)
    return found


def documented_key(found: InstalledSet) -> str:
    """Return the key as docs/reference/cache-keys.md defines it.

    For sets without source trees, whose names need no escapes.
    """
    python, platform = found.python
    lines = ["polylock cache key 1", f"python\t{python}"]
    lines += sorted("\t".join(package) for package in found.packages)
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return f"polylock-1-{found.target}-{platform}-py{python}-{digest[:32]}"


def _holds(
    marker: str | None,
    environment: dict[str, str],
    groups: Collection[str],
    extras: Collection[str],
) -> bool:
    if marker is None:
        return True
    names: dict[str, AbstractSet[str]] = {
        "dependency_groups": frozenset(map(canonicalize_name, groups)),
        "extras": frozenset(map(canonicalize_name, extras)),
    }
    return _marker(marker).evaluate({**environment, **names}, context="lock_file")


_marker = lru_cache(maxsize=4096)(Marker)


def _environments(target: dict[str, Any]) -> Iterator[dict[str, str]]:
    system, _, machine = target["platform"].partition("-")
    os_name, sys_platform, platform_system = _SYSTEMS[system]
    if (system, machine) == ("macos", "aarch64"):
        machine = "arm64"
    release = target["python"].removesuffix("t").split(".")
    patches = [int(release[2])] if len(release) == 3 else _PATCHES
    minor = ".".join(release[:2])
    for patch in patches:
        yield {
            "os_name": os_name,
            "sys_platform": sys_platform,
            "platform_system": platform_system,
            "platform_machine": machine,
            "python_version": minor,
            "python_full_version": f"{minor}.{patch}",
            "implementation_name": "cpython",
            "implementation_version": f"{minor}.{patch}",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_version": "",
        }


def _installed(package: dict[str, Any], target: dict[str, Any]) -> Installed:
    name, version = package["name"], package.get("version", "")
    if vcs := package.get("vcs"):
        reference = vcs["type"] + _part(vcs)
        return name, version, reference, vcs["commit-id"].lower()
    if directory := package.get("directory"):
        editable = "editable" if directory.get("editable") else ""
        return name, version, directory["path"] + _part(directory), editable
    if archive := package.get("archive"):
        return name, version, _filename(archive) + _part(archive), _hash(archive)
    ranks = _ranks(target["platform"], target["python"], _release(target))
    fitting = []
    for wheel in package.get("wheels", ()):
        parts = _filename(wheel).removesuffix(".whl").split("-")
        build = parts.pop(2) if parts[2][0].isdecimal() else ""
        pythons, abis, platforms, *label = parts[2:]
        tags = {
            Tag(python, abi, platform)
            for python in pythons.split(".")
            for abi in abis.split(".")
            for platform in platforms.split(".")
        }
        rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
        if rank is not None:
            number = int("".join(c for c in build if c.isdecimal()) or -1)
            fitting.append(((not label, rank, -number), wheel))
    # The best tags; variants go before plain wheels, and a source comes last.
    fitting.sort(key=lambda each: each[0])
    file = fitting[0][1] if fitting else package["sdist"]
    return name, version, _filename(file), _hash(file)


def _part(tree: dict[str, Any]) -> str:
    part = tree.get("subdirectory")
    return f"#subdirectory={part}" if part else ""


def _filename(file: dict[str, Any]) -> str:
    if "name" in file:
        return str(file["name"])
    if "path" in file:
        return str(file["path"]).rpartition("/")[2]
    return unquote(urlsplit(file["url"]).path.rpartition("/")[2])


def _hash(file: dict[str, Any]) -> str:
    return str(file["hashes"]["sha256"]).lower()


def _release(target: dict[str, Any]) -> int:
    """Return the C library's minor release on Linux, the system's major on macOS."""
    system = target["platform"].partition("-")[0]
    if system == "linux":
        return int(target["libc"].rpartition(".")[2])
    return int(target["macos"].partition(".")[0]) if system == "macos" else 0


@cache
def _ranks(platform: str, python: str, release: int) -> dict[Tag, int]:
    """Return the places of all tags; a target is asked for each of its packages."""
    major, minor = map(int, python.removesuffix("t").split(".")[:2])
    platforms = list(_platforms(platform, release))
    abi = f"cp{major}{minor}" + "t" * python.endswith("t")
    tags = [
        *cpython_tags((major, minor), abis=[abi], platforms=platforms),
        *compatible_tags((major, minor), f"cp{major}{minor}", platforms),
    ]
    return {tag: rank for rank, tag in enumerate(tags)}


def _platforms(platform: str, release: int) -> Iterator[str]:
    system, _, machine = platform.partition("-")
    if system == "linux":
        for minor in range(release, 16, -1):
            yield f"manylinux_2_{minor}_{machine}"
        yield f"linux_{machine}"
    elif system == "macos":
        for major in range(release, 10, -1):
            yield f"macosx_{major}_0_{machine.replace('aarch64', 'arm64')}"
