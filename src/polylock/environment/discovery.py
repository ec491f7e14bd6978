"""Discovery of Python interpreters."""

from __future__ import annotations

import logging
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.cache.regular_files import read_regular
from polylock.environment.interpreter import Interpreter, probe
from polylock.errors import EnvironmentBroken, UsageError
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from polylock.cache.store import Store

__all__ = [
    "PythonRequest",
    "environment_python",
    "find_python",
    "managed_path",
    "pinned_python",
]

logger = logging.getLogger(__name__)

_VERSION = (
    r"(?:(?P<implementation>cpython|pypy|graalpy|python)-?)?"
    r"(?P<major>\d+)(?:\.(?P<minor>\d+)(?:\.(?P<patch>\d+))?)?(?P<threads>t)?"
)


class PythonRequest(Value, frozen=True, kw_only=True):
    """A request for a Python; a field that is None matches any value.

    ``implementation`` is ``sys.implementation.name``.
    """

    implementation: str = "cpython"
    major: int | None = None
    minor: int | None = None
    patch: int | None = None
    free_threaded: bool = False

    @classmethod
    def parse(cls, text: str) -> PythonRequest | None:
        """Parse ``3``, ``3.12``, ``3.12.7``, ``3.13t`` or ``pypy3.11``, else None."""
        match = re.fullmatch(_VERSION, text)
        if match is None:
            return None
        numbers = [match[part] for part in ("major", "minor", "patch")]
        major, minor, patch = (None if part is None else int(part) for part in numbers)
        implementation = match["implementation"]
        return cls(
            implementation="cpython"
            if implementation in {None, "python"}
            else implementation,
            major=major,
            minor=minor,
            patch=patch,
            free_threaded=match["threads"] is not None,
        )

    def __str__(self) -> str:
        prefix = "" if self.implementation == "cpython" else self.implementation
        numbers = (self.major, self.minor, self.patch)
        version = ".".join(str(part) for part in numbers if part is not None)
        return f"{prefix}{version}{'t' if self.free_threaded else ''}"

    def accepts(self, interpreter: Interpreter) -> bool:
        """Return True if an interpreter matches the request."""
        found = re.match(_RELEASE, interpreter.version)
        wanted = (self.major, self.minor, self.patch)
        return (
            found is not None
            and all(
                part is None or part == int(number)
                for part, number in zip(wanted, found.groups(), strict=True)
            )
            and self.implementation == interpreter.implementation
            and self.free_threaded == interpreter.free_threaded
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of such a Python on PATH, the most specific first."""
        stem = "python" if self.implementation == "cpython" else self.implementation
        threads = "t" if self.free_threaded else ""
        names: list[str] = []
        if self.major is not None:
            if self.minor is not None:
                names.append(f"{stem}{self.major}.{self.minor}{threads}")
            names.append(f"{stem}{self.major}{threads}")
        names += [f"{stem}{threads}", "python3", "python"]
        return tuple(dict.fromkeys(names))


_RELEASE = r"(\d+)\.(\d+)\.(\d+)"
_NAME = r"(?:python|pypy|graalpy)(?:\d+(?:\.\d+)?)?t?(?:\.exe)?"


def environment_python(path: Path, *, windows: bool = os.name == "nt") -> Path:
    """Return the path of the Python of a virtual environment, existing or not."""
    return path / "Scripts" / "python.exe" if windows else path / "bin" / "python"


def pinned_python(path: Path) -> str | None:
    """Return the first version in a ``.python-version`` of pyenv or uv, if any."""
    try:
        lines = read_regular(path).decode().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    words = (line.partition("#")[0].split() for line in lines)
    return next((found[0] for found in words if found), None)


def managed_path(
    variables: Mapping[str, str], *, home: Path | None = None, root: Path = Path("/")
) -> str:
    """Return the directories where uv, conda and Homebrew put Pythons, as PATH is.

    These are seldom on PATH. ``root`` is that of the file system. python-discovery
    (1.9) was rejected: it knows no conda and no Homebrew, and starts each Python by
    itself, with a cache of its own.
    """
    try:
        found = Path.home() if home is None else home
    except RuntimeError:  # a user without a home directory
        found = root
    directories = [
        *_of_uv(variables, found),
        *_of_conda(variables, found, root),
        *_of_homebrew(root),
    ]
    return os.pathsep.join(map(os.fspath, directories))


def _of_uv(variables: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Yield the directories of the Pythons that uv manages, the newest first."""
    own = variables.get("UV_PYTHON_INSTALL_DIR")
    data = variables.get("XDG_DATA_HOME") or home / ".local" / "share"
    roaming = variables.get("APPDATA")
    roots = [Path(own)] if own else [Path(data) / "uv" / "python"]
    if roaming and not own:
        roots.append(Path(roaming) / "uv" / "python")
    for each in roots:
        for version in reversed(_listed(each)):
            # A link named by the minor version leads to one of the others.
            if not version.is_symlink() and version.is_dir():
                yield version / "bin" if (version / "bin").is_dir() else version


def _of_conda(variables: Mapping[str, str], home: Path, root: Path) -> Iterator[Path]:
    """Yield the directories of conda's own environment and of those it has listed."""
    names = ("miniforge3", "mambaforge", "miniconda3", "anaconda3", "micromamba")
    prefixes = [
        variables.get("CONDA_PREFIX"),
        variables.get("MAMBA_ROOT_PREFIX"),
        *(home / name for name in names),
        *(root / "opt" / name for name in ("conda", *names)),
    ]
    with suppress(OSError, UnicodeDecodeError):
        text = (home / ".conda" / "environments.txt").read_text("utf-8")
        prefixes += [line.strip() for line in text.splitlines()]
    for prefix in dict.fromkeys(Path(each) for each in prefixes if each):
        if (prefix / "conda-meta").is_dir():
            yield prefix / "bin" if (prefix / "bin").is_dir() else prefix


def _of_homebrew(root: Path) -> Iterator[Path]:
    """Yield the directories of versions that Homebrew does not link, newest first."""
    prefixes = ("opt/homebrew", "usr/local", "home/linuxbrew/.linuxbrew")
    for prefix in prefixes:
        for formula in reversed(_listed(root / prefix / "opt")):
            if formula.name.startswith("python@"):
                yield formula / "bin"


def _listed(directory: Path) -> list[Path]:
    """Return the entries of a directory, the newest version last; none if missing."""
    try:
        return sorted(directory.iterdir(), key=_newest_last)
    except OSError:
        return []


def find_python(
    request: str,
    *,
    search_path: str,
    managed: Callable[[], str] | None = None,
    store: Store | None = None,
    windows: bool = os.name == "nt",
) -> Interpreter:
    """Return the Python that matches a request.

    ``request`` is a version (see ``PythonRequest.parse``), the path of an executable
    or of an environment, or a name on the search path; ``search_path`` has the form
    of PATH, and so does the result of ``managed``, which is called if none on PATH
    matches. A candidate that does not run or does not match is skipped: version
    managers have shims on PATH even for versions that are not selected.
    Raises EnvironmentBroken if there is none, UsageError for an empty request.
    """
    if not request:
        raise UsageError(
            "no Python is named", "give a version or a path: --python 3.12"
        )
    wanted = PythonRequest.parse(request)
    if wanted is None:
        return probe(_locate(request, search_path, windows=windows), store=store)
    found = _first(wanted, search_path, store, windows=windows)
    further = "" if found or managed is None else managed()
    if further:
        found = _first(wanted, further, store, windows=windows)
        search_path = f"{search_path}{os.pathsep}{further}"
    if found is not None:
        return found
    rejected = _every_python(search_path, store, windows=windows)
    others = f"found {', '.join(rejected)}" if rejected else "no Python is"
    raise EnvironmentBroken(
        f"Python {wanted}",
        f"is not on PATH ({others})",
        f"install Python {wanted}, or give the path of one with --python",
    )


def _first(
    wanted: PythonRequest, search_path: str, store: Store | None, *, windows: bool
) -> Interpreter | None:
    for candidate in _candidates(wanted, search_path, windows=windows):
        try:
            interpreter = probe(candidate, store=store)
        except EnvironmentBroken as error:
            logger.debug("skipped %s", error)
            continue
        if wanted.accepts(interpreter):
            return interpreter
    return None


def _locate(request: str, search_path: str, *, windows: bool) -> Path:
    path = Path(request)
    if path.is_dir():
        python = environment_python(path, windows=windows)
        if not python.exists():
            raise EnvironmentBroken(
                request, "is not a virtual environment", "name one, or an executable"
            )
        return python
    if path.exists():
        return path
    if len(path.parts) == 1:
        found = next(_on_path((request,), search_path, windows=windows), None)
        if found is not None:
            return found
    raise EnvironmentBroken(
        request, "there is no such Python", "give a version, or the path of a Python"
    )


def _candidates(
    wanted: PythonRequest, search_path: str, *, windows: bool
) -> Iterator[Path]:
    """Yield each executable that may match, once.

    A versioned name comes before a general one in an earlier directory: to get the
    version of a Python, it must be started.
    """
    seen: set[Path] = set()
    for path in _on_path(wanted.names, search_path, windows=windows):
        if path not in seen:
            seen.add(path)
            yield path
    further = _launcher(search_path) if windows else _behind_shims(wanted, search_path)
    for path in further:
        if path not in seen:
            seen.add(path)
            yield path


def _on_path(
    names: tuple[str, ...], search_path: str, *, windows: bool
) -> Iterator[Path]:
    directories = [Path(part) for part in search_path.split(os.pathsep) if part]
    for name in names:
        file = name + ".exe" if windows and not name.endswith(".exe") else name
        for directory in directories:
            path = directory / file
            if path.is_file() and (windows or os.access(path, os.X_OK)):
                yield path


def _behind_shims(wanted: PythonRequest, search_path: str) -> Iterator[Path]:
    """Yield the Pythons of a version manager whose shims are on the search path.

    pyenv and similar tools have ``shims`` beside ``versions``, and a shim runs only the
    selected version. The newest version comes first.
    """
    for part in search_path.split(os.pathsep):
        shims = Path(part)
        if shims.name != "shims":
            continue
        try:
            versions = list((shims.parent / "versions").iterdir())
        except OSError:
            continue
        for version in sorted(versions, key=_newest_last, reverse=True):
            directories = str(version / "bin")
            yield from _on_path(wanted.names[:1], directories, windows=False)


def _every_python(search_path: str, store: Store | None, *, windows: bool) -> list[str]:
    """Return all Pythons on the search path, the newest first, for an error.

    Every one of them is started, which is slow.
    """
    directories = [Path(part) for part in search_path.split(os.pathsep) if part]
    for shims in list(directories):
        if shims.name == "shims":
            directories += shims.parent.glob("versions/*/bin")
    paths = list(_launcher(search_path)) if windows else []
    for directory in directories:
        try:
            names = sorted(found.name for found in directory.iterdir())
        except OSError:
            continue
        paths += [directory / name for name in names if re.fullmatch(_NAME, name)]
    found: set[tuple[tuple[int, ...], str]] = set()
    for path in {path.resolve(): path for path in paths}.values():
        try:
            python = probe(path, store=store)
        except EnvironmentBroken:
            continue
        threads = "t" if python.free_threaded else ""
        release = tuple(map(int, re.findall(r"\d+", python.version)))
        found.add((release, f"{python.implementation} {python.version}{threads}"))
    return [text for _, text in sorted(found, reverse=True)]


def _newest_last(version: Path) -> tuple[tuple[int, ...], str]:
    return tuple(int(n) for n in re.findall(r"\d+", version.name)), version.name


def _launcher(search_path: str) -> Iterator[Path]:
    """Yield the Pythons that the launcher of Windows knows (PEP 397, ``-0p``)."""
    import subprocess  # noqa: PLC0415  # 10 ms, not needed by a no-op sync

    for launcher in _on_path(("py",), search_path, windows=True):
        try:
            answer = subprocess.run(
                [os.fspath(launcher), "-0p"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=20,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            logger.debug("skipped %s: %s", launcher, error)
            continue
        for line in answer.stdout.decode("utf-8", "replace").splitlines():
            # " -V:3.12 *        C:\\Python312\\python.exe"
            match = re.search(r"\s((?:[A-Za-z]:|/).*)$", line)
            if match is not None:
                yield Path(match[1].strip())
        return
