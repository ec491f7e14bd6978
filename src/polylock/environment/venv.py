"""Create and recognise a virtual environment (PEP 405), and remember its choices."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from polylock.environment.discovery import environment_python
from polylock.environment.interpreter import probe
from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from polylock.cache.store import Store
    from polylock.environment.interpreter import Interpreter

__all__ = [
    "STATE_FILE",
    "EnvironmentState",
    "create",
    "is_environment",
    "open_environment",
    "read_state",
    "write_state",
]

STATE_FILE = "polylock.json"
"""Name of the state file, directly in the environment's directory."""

_VERSION = 1


class EnvironmentState(
    msgspec.Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=True
):
    """What polylock remembers of an environment between calls.

    ``target``, ``groups`` and ``extras`` are the last choice of ``polylock sync``,
    taken again where the user says nothing. ``created`` tells that polylock made the
    environment, so everything in it is polylock's to remove.
    """

    version: int = _VERSION
    created: bool = False
    target: str | None = None
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


def is_environment(path: Path) -> bool:
    """Return whether a directory is a virtual environment."""
    return (path / "pyvenv.cfg").is_file()


def open_environment(path: Path, *, store: Store | None = None) -> Interpreter:
    """Return the Python of a virtual environment, sure that it works for just this one.

    The executable is a link, and Python finds its environment by ``pyvenv.cfg``:
    where that is missing or damaged it takes the environment that the link leads to,
    whose packages are somebody else's. Raises EnvironmentBroken.
    """
    python = environment_python(path)
    found = probe(python, store=store)
    if not _is_same(found.prefix, path):
        # A kept answer may be of a moment in which the environment was being made.
        found = probe(python, store=store, anew=True)
    if not _is_same(found.prefix, path):
        raise EnvironmentBroken(
            str(path),
            f"has a Python that works for {found.prefix}: its pyvenv.cfg is damaged",
            "remove the environment, and `polylock sync` makes it anew",
        )
    return found


def _is_same(prefix: str, path: Path) -> bool:
    try:
        return path.samefile(prefix)
    except OSError:
        return False


def create(path: Path, interpreter: Interpreter) -> Path:
    """Create a virtual environment without pip; return its Python.

    The directory may exist if it is empty. A creation that failed leaves nothing
    behind. Raises EnvironmentBroken where the directory holds something else, or
    the Python has no ``venv`` module or cannot write there.
    """
    if is_environment(path):
        raise EnvironmentBroken(str(path), "is a virtual environment already")
    existed = _require_empty(path)
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
            interpreter.executable, f"cannot be run: {error.strerror}"
        ) from error
    python = environment_python(path)
    if answer.returncode != 0 or not python.exists():
        _discard(path, existed=existed)
        raise _failure(path, interpreter, answer.stdout + answer.stderr)
    with suppress(FileExistsError, OSError), (path / ".gitignore").open("x") as file:
        file.write("*\n")  # as ``venv`` itself does from Python 3.13 on
    write_state(path, EnvironmentState(created=True))
    return python


def _require_empty(path: Path) -> bool:
    """Refuse a directory with content; return whether the directory exists."""
    try:
        if next(path.iterdir(), None) is None:
            return True
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        problem = "is a file, not a virtual environment"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    else:
        problem = "is not empty and no virtual environment"
    advice = "choose another place with --venv, or remove it"
    raise EnvironmentBroken(str(path), problem, advice)


def _discard(path: Path, *, existed: bool) -> None:
    import shutil  # noqa: PLC0415  # only after a failure

    shutil.rmtree(path, ignore_errors=True)
    if existed:
        with suppress(OSError):
            path.mkdir()


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
    """Remember a choice; nothing is written where it is remembered already."""
    content = msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n"
    file = path / STATE_FILE
    try:
        with suppress(FileNotFoundError):
            if file.read_bytes() == content:
                return
        import tempfile  # noqa: PLC0415  # 2 ms that a no-op sync does not pay

        descriptor, temporary = tempfile.mkstemp(prefix=".polylock-", dir=path)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            Path(temporary).replace(file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise EnvironmentBroken(
            str(file), f"cannot be written: {error.strerror}"
        ) from error
