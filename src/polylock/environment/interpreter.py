"""A Python installation: its markers, the data of its tags, and its paths.

Nothing is taken from the Python that runs polylock: ``_probe.py`` runs inside the
Python in question and says. The answer is kept by path, time and size of the
executable, for starting a Python costs more than all the rest of a no-op sync.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from polylock.cache.entries import digest
from polylock.cache.store import Bucket
from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from polylock.cache.store import Store

__all__ = ["PROBE_FILE", "Interpreter", "Scheme", "VenvScheme", "probe"]

logger = logging.getLogger(__name__)

PROBE_FILE = Path(__file__).with_name("_probe.py")
"""What runs in a Python to ask it."""

_MARK = b"polylock-probe:"
"""``_probe.MARK``; importing the script would cost its imports."""

_TIMEOUT = 60
"""Seconds; a cold start on a network disk can take many."""


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute paths of the installation scheme (``sysconfig``).

    The headers of a distribution go into a directory of its name under ``headers``.
    """

    purelib: str
    platlib: str
    scripts: str
    data: str
    headers: str
    include: str
    stdlib: str


class VenvScheme(msgspec.Struct, frozen=True, kw_only=True):
    """Paths that a virtual environment of this Python has, relative to it, with /."""

    purelib: str
    platlib: str
    scripts: str
    data: str


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """What a Python says about itself.

    ``version`` is the full version, ``3.14.0c1`` for a release candidate.
    ``platform`` is ``sysconfig``'s, ``linux-x86_64``. ``libc`` is ``glibc``, ``musl``
    or None; ``libc_version`` and ``macos_version`` have major and minor part.
    ``externally_managed`` is PEP 668's mark.
    """

    executable: str
    prefix: str
    base_prefix: str
    base_executable: str
    implementation: str
    version: str
    abi_flags: str
    free_threaded: bool
    debug: bool
    platform: str
    pointer_bits: int
    libc: str | None
    libc_version: str | None
    macos_version: str | None
    marker_environment: dict[str, str]
    scheme: Scheme
    venv_scheme: VenvScheme
    externally_managed: bool

    @property
    def release(self) -> tuple[int, int]:
        """Return (major, minor) of the Python language version."""
        major, minor, *_ = self.version.split(".")
        return int(major), int(minor)

    @property
    def is_virtual(self) -> bool:
        """Return whether this is the Python of a virtual environment (PEP 405)."""
        return self.prefix != self.base_prefix

    @property
    def site_directories(self) -> tuple[Path, ...]:
        """Return the directories that hold distributions, each once."""
        return tuple(
            dict.fromkeys((Path(self.scheme.purelib), Path(self.scheme.platlib)))
        )


def probe(
    executable: Path, *, store: Store | None = None, anew: bool = False
) -> Interpreter:
    """Ask a Python about itself, or take what it said before, unless ``anew``.

    A kept answer counts while executable, ``pyvenv.cfg``, kernel and C library are
    the same; an older one is simply not found. Raises EnvironmentBroken where the
    executable is missing, does not run, or is no Python.
    """
    key = _key(executable)
    ask = store is None or anew
    kept = None if ask or store is None else store.read(Bucket.INTERPRETERS, key)
    if kept is not None:
        try:
            return msgspec.json.decode(kept, type=Interpreter)
        except msgspec.MsgspecError:
            logger.debug("kept probe of %s cannot be read", executable)
    data = _run(executable)
    try:
        interpreter = msgspec.json.decode(data, type=Interpreter)
    except msgspec.MsgspecError as error:
        raise EnvironmentBroken(
            str(executable), f"the Python gave an unusable answer: {error}", _ADVICE
        ) from error
    if store is not None:
        store.write(Bucket.INTERPRETERS, key, data)
    return interpreter


_ADVICE = (
    "check that it is a working Python 3.8 or later, or name another with --python"
)


def _key(executable: Path) -> str:
    """Return the cache key of a probe.

    A virtual environment's executable is a link to another Python's: the path is
    taken as given, time and size from the file it leads to.
    """
    facts: list[object] = [os.fspath(executable.absolute()), *_host()]
    for path in (executable, executable.parent.parent / "pyvenv.cfg", PROBE_FILE):
        try:
            status = path.stat()
        except OSError as error:
            if path is executable:
                raise EnvironmentBroken(
                    str(executable), "there is no such Python", _ADVICE
                ) from error
            facts.append(None)
        else:
            facts += [status.st_mtime_ns, status.st_size]
    return digest(msgspec.json.encode(facts))


def _host() -> list[str]:
    """Return what else decides tags and markers: kernel and C library.

    A home directory, cache included, may be shared by machines and containers.
    """
    # ``platform`` would do, at 10 ms more for its import.
    facts: list[str] = []
    uname = getattr(os, "uname", None)
    if uname is not None:
        facts += [*uname()]
        del facts[1]  # the host's name decides nothing
    with suppress(AttributeError, OSError, ValueError):  # not glibc
        facts.append(os.confstr("CS_GNU_LIBC_VERSION") or "")
    return facts


def _run(executable: Path) -> bytes:
    """Run the probe and return its JSON."""
    import subprocess  # noqa: PLC0415  # 10 ms that a no-op sync does not pay

    # ``-I``: neither PYTHON* variables nor the user's site directory nor the current
    # directory have a say. ``-S`` would be faster, but before Python 3.14 it is the
    # site module that recognises a virtual environment.
    command = [os.fspath(executable), "-I", os.fspath(PROBE_FILE)]
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        problem = f"the Python gave no answer in {_TIMEOUT} seconds"
        raise EnvironmentBroken(str(executable), problem, _ADVICE) from error
    except OSError as error:
        problem = f"the Python cannot be run: {error.strerror}"
        raise EnvironmentBroken(str(executable), problem, _ADVICE) from error
    for line in answer.stdout.splitlines():
        _, mark, data = line.partition(_MARK)
        if mark:
            return data
    lines = answer.stderr.decode("utf-8", "replace").strip().splitlines()
    said = f": {lines[-1]}" if lines else ""
    problem = f"the Python failed with exit code {answer.returncode}{said}"
    raise EnvironmentBroken(str(executable), problem, _ADVICE)
