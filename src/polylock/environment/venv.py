"""Create and recognise a virtual environment (PEP 405), and remember its choices."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from polylock.cache.durable import write_out
from polylock.environment.discovery import environment_python
from polylock.environment.exclusive import LOCK_FILE, exclusive
from polylock.environment.interpreter import probe
from polylock.errors import EnvironmentBroken
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from polylock.cache.store import Store
    from polylock.environment.interpreter import Interpreter
    from polylock.ports import Reporter

__all__ = [
    "STATE_FILE",
    "EnvironmentState",
    "create",
    "is_environment",
    "is_of",
    "open_environment",
    "read_state",
    "recreate",
    "write_state",
]

STATE_FILE = "polylock.json"
"""Name of the state file, directly in the environment's directory."""

_UNFINISHED = ".polylock-unfinished"
"""Name of an empty file in an environment whose creation has not ended."""

_SET_ASIDE = ".polylock-replaced"
"""Name of a directory in an environment that holds what was there before."""

_VERSION = 1


class EnvironmentState(
    msgspec.Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=True
):
    """What polylock remembers of an environment between calls.

    ``target``, ``groups`` and ``extras`` are the last choice of ``polylock sync``,
    taken again where the user says nothing; ``forced`` that this machine lacks
    something for that target. ``created`` tells that polylock made the environment,
    so everything in it is polylock's to remove.
    """

    version: int = _VERSION
    created: bool = False
    target: str | None = None
    forced: bool = False
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


def is_environment(path: Path) -> bool:
    """Return whether a directory is a virtual environment, all of it."""
    return (path / "pyvenv.cfg").is_file() and not (path / _UNFINISHED).exists()


def open_environment(path: Path, *, store: Store | None = None) -> Interpreter:
    """Return the Python of a virtual environment, sure that it works for just this one.

    The executable is a link, and Python finds its environment by ``pyvenv.cfg``:
    where that is missing or damaged it takes the environment that the link leads to,
    whose packages are somebody else's. Raises EnvironmentBroken.
    """
    python = environment_python(path)
    found = probe(python, store=store)
    if not is_of(found, path):
        # A kept answer may be of a moment in which the environment was being made.
        found = probe(python, store=store, anew=True)
    if not is_of(found, path):
        raise EnvironmentBroken(
            str(path),
            f"has a Python that works for {found.prefix}: its pyvenv.cfg is damaged",
            "remove the environment, and `polylock sync` makes it anew",
        )
    return found


def is_of(interpreter: Interpreter, path: Path) -> bool:
    """Return whether a Python installs into the environment at ``path``.

    It may lie there and yet not do so: a launcher, or a Python that does not see its
    ``pyvenv.cfg``, installs elsewhere.
    """
    try:
        return path.samefile(interpreter.prefix)
    except OSError:
        return False


def create(
    path: Path, interpreter: Interpreter, reporter: Reporter | None = None
) -> Path:
    """Create a virtual environment without pip; return its Python.

    The directory may exist if it is empty, or if a creation in it was interrupted:
    that one is made anew. Another process that creates it is waited for, and its
    environment taken. A creation that failed leaves nothing behind. Raises
    EnvironmentBroken where the directory holds something else, or the Python has no
    ``venv`` module or cannot write there.
    """
    existed = _require_empty(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    with exclusive(path, reporter or SilentReporter()):
        python = environment_python(path)
        if is_environment(path):
            return python
        _require_empty(path)
        try:
            _begin(path)
            _run_venv(path, interpreter)
            # A choice is there where the environment was being made anew.
            state = msgspec.structs.replace(read_state(path), created=True)
            _put_state(path, _state_content(state))
            write_out(path)
            (path / _UNFINISHED).unlink()
        except BaseException as error:
            _discard(path, existed=existed)
            if isinstance(error, OSError):
                raise _unwritable(path, error) from error
            raise
    return python


def recreate(
    path: Path,
    interpreter: Interpreter,
    *,
    replaced: str,
    reporter: Reporter | None = None,
) -> Path:
    """Make an environment anew, empty and with another Python; return that Python.

    ``replaced`` is the version of the Python that it had: where another process has
    changed that meanwhile, its environment is taken. What polylock remembers stays.
    A failure leaves the environment as it was; what was interrupted, the next creation
    makes from the start. Raises EnvironmentBroken.
    """
    with exclusive(path, reporter or SilentReporter()):
        if not is_environment(path) or open_environment(path).version != replaced:
            return environment_python(path)
        try:
            (path / _UNFINISHED).touch()
            with _set_aside(path):
                _run_venv(path, interpreter)
                write_out(path)
            (path / _UNFINISHED).unlink()
        except OSError as error:
            raise _unwritable(path, error) from error
    return environment_python(path)


@contextmanager
def _set_aside(path: Path) -> Iterator[None]:
    """Give the environment's directory without what is in it, which goes at the end.

    Where the block fails all is put back, and the mark taken away.
    """
    aside = path / _SET_ASIDE
    staying = {_UNFINISHED, _SET_ASIDE, LOCK_FILE, STATE_FILE}
    names = [found.name for found in path.iterdir() if found.name not in staying]
    aside.mkdir(exist_ok=True)
    try:
        for name in names:
            (path / name).replace(aside / name)
        yield
    except BaseException:
        with suppress(OSError):  # then the mark stays, and all is made anew
            left = {found.name for found in aside.iterdir()}
            _remove(path, keep=staying | (set(names) - left))
            for name in left:
                (aside / name).replace(path / name)
            aside.rmdir()
            (path / _UNFINISHED).unlink()
        raise
    _remove(aside, keep=set())
    aside.rmdir()


def _begin(path: Path) -> None:
    """Mark the directory as unfinished, and make it empty but for what has to stay."""
    (path / _UNFINISHED).touch()
    _remove(path, keep={_UNFINISHED, LOCK_FILE, STATE_FILE})


def _run_venv(path: Path, interpreter: Interpreter) -> None:
    import subprocess  # noqa: PLC0415  # 10 ms that a no-op sync does not pay

    command = [interpreter.executable, "-I", "-m", "venv", "--without-pip"]
    try:
        answer = subprocess.run(
            [*command, os.fspath(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise EnvironmentBroken(
            interpreter.executable,
            f"cannot be run: {error.strerror}",
            "name another Python with --python",
        ) from error
    if answer.returncode != 0 or not environment_python(path).exists():
        raise _failure(path, interpreter, answer.stdout + answer.stderr)
    with suppress(FileExistsError), (path / ".gitignore").open("x") as file:
        file.write("*\n")  # as ``venv`` itself does from Python 3.13 on


def _require_empty(path: Path) -> bool:
    """Refuse a directory with content that is not ours; return whether it exists."""
    try:
        names = {found.name for found in path.iterdir()}
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        problem = "is a file, not a virtual environment"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    else:
        if not names - {LOCK_FILE} or _UNFINISHED in names or is_environment(path):
            return True
        problem = "is not empty and no virtual environment"
    advice = "choose another place with --venv, or remove it"
    raise EnvironmentBroken(str(path), problem, advice)


def _discard(path: Path, *, existed: bool) -> None:
    """Remove what was made, the mark last; what remains the next creation removes."""
    with suppress(OSError):
        _remove(path, keep={_UNFINISHED, LOCK_FILE})
        (path / _UNFINISHED).unlink(missing_ok=True)
        # Windows refuses while the lock is held; an empty directory does no harm.
        (path / LOCK_FILE).unlink()
        if not existed:
            path.rmdir()


def _remove(path: Path, *, keep: set[str]) -> None:
    """Remove what a directory holds, but for some names."""
    import shutil  # noqa: PLC0415  # only where something was interrupted

    for found in sorted(path.iterdir()):
        if found.name in keep:
            continue
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
        else:
            found.unlink()


def _unwritable(path: Path, error: OSError) -> EnvironmentBroken:
    return EnvironmentBroken(
        str(error.filename or path),
        f"cannot be written: {error.strerror or error}",
        "check the permissions and the free space, or choose another place with --venv",
    )


def _failure(path: Path, interpreter: Interpreter, output: bytes) -> EnvironmentBroken:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    if any("No module named venv" in line or "ensurepip" in line for line in lines):
        return EnvironmentBroken(
            str(path),
            f"{interpreter.executable} has no venv module",
            "install it (python3-venv on Debian), or name another Python with --python",
        )
    said = f": {lines[-1].strip()}" if lines else ""
    return EnvironmentBroken(str(path), f"cannot be created{said}")


def read_state(path: Path) -> EnvironmentState:
    """Return what polylock remembers of an environment, defaults where nothing.

    A file that cannot be decoded or is of a later layout counts as absent: the
    choice is made anew.
    """
    try:
        content = (path / STATE_FILE).read_bytes()
        if len(content) < (path / STATE_FILE).stat().st_size:
            raise OSError(errno.EIO, os.strerror(errno.EIO))  # noqa: TRY301 - as read
        state = msgspec.json.decode(content, type=EnvironmentState)
    except FileNotFoundError:
        return EnvironmentState()
    except msgspec.MsgspecError:
        return EnvironmentState()
    except OSError as error:
        raise EnvironmentBroken(
            str(path / STATE_FILE), f"cannot be read: {error.strerror}"
        ) from error
    return state if state.version == _VERSION else EnvironmentState()


def write_state(path: Path, state: EnvironmentState) -> None:
    """Remember a choice; nothing is written where it is remembered already.

    Who changes the environment meanwhile is waited for: two that wrote one file at
    once would lose it. Raises EnvironmentBroken.
    """
    content = _state_content(state)
    try:
        with suppress(FileNotFoundError):
            if (path / STATE_FILE).read_bytes() == content:
                return
    except OSError as error:
        raise _unwritable(path / STATE_FILE, error) from error
    with exclusive(path, SilentReporter()):
        _put_state(path, content)


def _state_content(state: EnvironmentState) -> bytes:
    return msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n"


def _put_state(path: Path, content: bytes) -> None:
    """Replace the state file, by who holds the lock of the environment."""
    # One name, so that what a killed process left is written over.
    temporary = path / f"{STATE_FILE}.new"
    try:
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # or a power cut may leave an empty one
            temporary.replace(path / STATE_FILE)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path / STATE_FILE, error) from error
