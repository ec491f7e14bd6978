"""A Python interpreter: its markers, the data for its tags, and its paths.

Nothing is taken from the Python that runs polylock: ``_probe.py`` runs in the Python in
question. The result is cached by path, time and size of the executable, as to start a
Python costs more than the rest of a no-op sync.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from polylock.cache.entries import digest, host_facts
from polylock.cache.store import Bucket, Store
from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PROBE_FILE", "Interpreter", "Scheme", "VenvScheme", "probe"]

logger = logging.getLogger(__name__)

PROBE_FILE = Path(__file__).with_name("_probe.py")
"""The script that prints the facts about a Python."""

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
    """Paths of a virtual environment of this Python, relative to it, with ``/``."""

    purelib: str
    platlib: str
    scripts: str
    data: str


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a Python, as its probe prints them.

    ``version`` is the full version, ``3.14.0c1`` for a release candidate.
    ``platform`` is ``sysconfig``'s, ``linux-x86_64``. ``libc`` is ``glibc``, ``musl``
    or None; ``libc_version`` and ``macos_version`` have major and minor part.
    ``externally_managed`` means that it has PEP 668's marker file.
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
        """Return True if this is the Python of a virtual environment (PEP 405)."""
        return self.prefix != self.base_prefix

    @property
    def site_directories(self) -> tuple[Path, ...]:
        """Return the site-packages directories, each once."""
        return tuple(
            dict.fromkeys((Path(self.scheme.purelib), Path(self.scheme.platlib)))
        )


def probe(
    executable: Path,
    *,
    store: Store | None = None,
    refresh: bool = False,
    meanwhile: Callable[[], object] | None = None,
) -> Interpreter:
    """Return the facts about a Python, from the cache unless ``refresh`` is set.

    ``meanwhile`` is called if the Python must be started, while it runs: 50 ms.
    A cached result is valid while executable, ``pyvenv.cfg``, kernel and C library are
    unchanged: they are its key. Raises EnvironmentBroken if the executable is missing,
    does not run, or is not a Python.
    """
    key = _key(executable)
    kept = None
    if store is not None and not refresh:
        kept = store.read(Bucket.INTERPRETERS, key)
    if kept is not None:
        try:
            return msgspec.json.decode(kept, type=Interpreter)
        except msgspec.MsgspecError:
            logger.debug("the cached probe of %s is damaged", executable)
    data = _run(executable, meanwhile)
    try:
        interpreter = msgspec.json.decode(data, type=Interpreter)
    except msgspec.MsgspecError as error:
        raise EnvironmentBroken(
            str(executable), f"the Python printed an invalid answer: {error}", _ADVICE
        ) from error
    if store is not None:
        store.write(Bucket.INTERPRETERS, key, data)
    return interpreter


_ADVICE = (
    "check that it is a working Python 3.8 or later, or name another with --python"
)


def _key(executable: Path) -> str:
    """Return the cache key of a probe.

    The executable of a virtual environment is a link to another Python's: the path is
    used as given, time and size are those of the target of the link.
    """
    facts: list[object] = [os.fspath(executable.absolute()), *host_facts()]
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


def _run(executable: Path, meanwhile: Callable[[], object] | None) -> bytes:
    """Run the probe and return its JSON."""
    import subprocess  # noqa: PLC0415  # 10 ms, not needed by a no-op sync

    # ``-I`` ignores PYTHON* variables, the user's site directory and the current
    # directory. ``-S`` would be faster, but before Python 3.14 the site module
    # recognises virtual environments.
    command = [os.fspath(executable), "-I", os.fspath(PROBE_FILE)]
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                if meanwhile is not None:
                    meanwhile()
                out, err = process.communicate(timeout=_TIMEOUT)
            except BaseException:
                process.kill()
                raise
    except subprocess.TimeoutExpired as error:
        problem = f"the Python did not answer within {_TIMEOUT} seconds"
        raise EnvironmentBroken(str(executable), problem, _ADVICE) from error
    except OSError as error:
        problem = f"the Python cannot be run: {error.strerror}"
        raise EnvironmentBroken(str(executable), problem, _ADVICE) from error
    for line in out.splitlines():
        _, mark, data = line.partition(_MARK)
        if mark:
            return data
    lines = err.decode("utf-8", "replace").strip().splitlines()
    said = f": {lines[-1]}" if lines else ""
    problem = f"the Python failed with exit code {process.returncode}{said}"
    raise EnvironmentBroken(str(executable), problem, _ADVICE)
