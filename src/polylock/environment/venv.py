"""Virtual environments (PEP 405): creation, lock, and polylock's state file."""

from __future__ import annotations

import errno
import os
import re
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from polylock.cache.durable import sync_tree
from polylock.cache.process_lock import process_lock
from polylock.environment.discovery import environment_python
from polylock.environment.interpreter import Interpreter, probe
from polylock.errors import EnvironmentBroken
from polylock.ports import Reporter, SilentReporter
from polylock.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from polylock.cache.store import Store

__all__ = [
    "LOCK_FILE",
    "STATE_FILE",
    "EnvironmentState",
    "create",
    "exclusive",
    "is_environment",
    "is_of",
    "linked_environment",
    "open_environment",
    "python_version",
    "read_state",
    "recreate",
    "write_state",
]

LOCK_FILE = ".polylock.lock"
"""Name of the lock file that two syncs of one environment use."""

STATE_FILE = "polylock.json"
"""Name of the state file, directly in the environment's directory."""

_UNFINISHED = ".polylock-unfinished"
"""Name of an empty file in an environment whose creation is not complete."""

_SET_ASIDE = ".polylock-replaced"
"""Name of a directory in an environment with the content that is being replaced."""

_VERSION = 1
_LONGEST_PATH = 4096
_VARIABLE = re.compile(r"(?:export\s+)?[A-Za-z_]\w*\s*=", re.ASCII)
"""Begins a line of a file with environment variables, which is no path."""


class EnvironmentState(
    msgspec.Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=True
):
    """The state of an environment that polylock keeps between commands.

    ``target`` and the options for groups and extras are those of the last
    ``polylock sync``, and the defaults of the next. ``forced`` means that this machine
    does not fit the target. ``created`` means that polylock created the environment, so
    it may remove everything in it. ``path`` is the environment's path at the last sync,
    which its scripts hold.
    """

    version: int = _VERSION
    created: bool = False
    target: str | None = None
    forced: bool = False
    groups: tuple[str, ...] = ()
    no_groups: tuple[str, ...] = ()
    only_groups: tuple[str, ...] = ()
    all_groups: bool = False
    no_default_groups: bool = False
    members: tuple[str, ...] = ()
    all_members: bool = False
    extras: tuple[str, ...] = ()
    all_extras: bool = False
    path: str | None = None

    def moved_from(self, path: Path) -> str | None:
        """Return the path that an environment was moved or copied from, None if none.

        One directory under two names is not moved.
        """
        if self.path is None or self.path == str(path):
            return None
        try:
            same = path.samefile(self.path)
        except OSError:
            same = False
        return None if same else self.path


@contextmanager
def exclusive(prefix: Path, reporter: Reporter) -> Iterator[None]:
    """Hold the lock of an environment in the block; a second sync waits.

    The directory must exist. Raises EnvironmentBroken if it cannot be locked.
    """

    def waiting() -> None:
        reporter.warning(
            f"waiting for another polylock process that is changing {prefix}"
        )

    with ExitStack() as stack:
        try:
            stack.enter_context(process_lock(prefix / LOCK_FILE, waiting))
        except OSError as error:
            raise EnvironmentBroken(
                str(error.filename or prefix),
                f"cannot be written: {error.strerror or error}",
                "check the permissions and the free space, or choose another "
                "environment with --venv",
            ) from error
        yield


def is_environment(path: Path) -> bool:
    """Return True if a directory is a complete virtual environment."""
    return (path / "pyvenv.cfg").is_file() and not (path / _UNFINISHED).exists()


def linked_environment(path: Path) -> Path:
    """Return the environment that a file in its place names, else the path itself.

    The file holds one line, a path, absolute, relative to the file, or with a leading
    ``~/`` (draft of PEP 832). It need not exist. Raises EnvironmentBroken for a file
    with other content, and for a symbolic link that leads nowhere.
    """
    found = _named_in(path) if path.is_file() else path
    if found.is_symlink() and not found.exists():
        raise EnvironmentBroken(
            str(found),
            f"is a link to {found.readlink()}, which does not exist",
            "remove the link, create the directory, or choose another place with "
            "--venv",
        )
    return found


def _named_in(path: Path) -> Path:
    """Return the environment that a file names; raises EnvironmentBroken."""
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_PATH + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = ""
    line = text.strip()
    is_path = line and line.isprintable() and len(text) <= _LONGEST_PATH
    if is_path and not _VARIABLE.match(line):
        # A user without home directory; a name too long for the file system.
        with suppress(RuntimeError, OSError):
            named = path.parent / _below_home(line)
            if not named.is_file():
                return named
    raise EnvironmentBroken(
        str(path),
        "is a file that does not name a virtual environment",
        "write the path of one into it, remove it, or choose another place with --venv",
    )


def _below_home(line: str) -> Path:
    """Return a path with a leading ``~/`` expanded; raises RuntimeError."""
    is_below = line == "~" or line.startswith(("~/", f"~{os.sep}"))
    return Path(line).expanduser() if is_below else Path(line)


def python_version(path: Path) -> str:
    """Return the version that an environment was created with, if it is known."""
    try:
        text = (path / "pyvenv.cfg").read_text("utf-8", errors="replace")
    except OSError:
        return "unknown"
    pairs = (line.partition("=") for line in text.splitlines())
    found = {key.strip().lower(): value.strip() for key, _, value in pairs}
    return found.get("version") or found.get("version_info") or "unknown"


def open_environment(
    path: Path,
    *,
    store: Store | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Interpreter:
    """Return the Python of a virtual environment; check that it uses this environment.

    The executable is a link, and Python finds its environment by ``pyvenv.cfg``: if
    that is missing or damaged, it uses the environment of the link's target.
    ``meanwhile`` is called if the Python must be started. Raises EnvironmentBroken.
    """
    python = environment_python(path)
    found = probe(python, store=store, meanwhile=meanwhile)
    if not is_of(found, path):
        # The cached result may be from before the environment was complete.
        found = probe(python, store=store, refresh=True)
    if not is_of(found, path):
        raise EnvironmentBroken(
            str(path),
            f"its Python uses {found.prefix} instead: pyvenv.cfg is damaged",
            "remove the environment; `polylock sync` recreates it",
        )
    return found


def is_of(interpreter: Interpreter, path: Path) -> bool:
    """Return True if a Python installs into the environment at ``path``.

    A launcher in it, or a Python that does not see its ``pyvenv.cfg``, installs
    elsewhere.
    """
    try:
        return path.samefile(interpreter.prefix)
    except OSError:
        return False


def create(
    path: Path, interpreter: Interpreter, reporter: Reporter | None = None
) -> Path:
    """Create a virtual environment without pip; return its Python.

    The directory may exist if it is empty or a creation in it was interrupted: that one
    is repeated. If another process is creating it, its environment is used. A failed
    creation leaves nothing behind. Raises EnvironmentBroken if the directory has other
    content or cannot be written, or if the Python has no ``venv`` module.
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
            # The state of an interrupted recreation is kept.
            state = replace(read_state(path), created=True, path=str(path))
            _put_state(path, _state_content(state))
            sync_tree(path)
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
    is_due: Callable[[], bool],
    reporter: Reporter | None = None,
) -> Path:
    """Recreate an environment, empty and with another Python; return that Python.

    ``is_due`` is asked once no other process changes the environment: if one has
    recreated it meanwhile, its environment is used. The state file is kept, with the
    new path. A failure leaves the environment unchanged; after an interruption
    ``create`` starts over. Raises EnvironmentBroken.
    """
    with exclusive(path, reporter or SilentReporter()):
        if not is_environment(path) or not is_due():
            return environment_python(path)
        try:
            (path / _UNFINISHED).touch()
            with _set_aside(path):
                _run_venv(path, interpreter)
                state = replace(read_state(path), path=str(path))
                _put_state(path, _state_content(state))
                sync_tree(path)
            (path / _UNFINISHED).unlink()
        except OSError as error:
            raise _unwritable(path, error) from error
    return environment_python(path)


@contextmanager
def _set_aside(path: Path) -> Iterator[None]:
    """Move the content of an environment aside in the block, and remove it at the end.

    If the block fails, the content is restored and the unfinished mark removed.
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
        with suppress(OSError):  # then the mark stays, and ``create`` starts over
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
    """Mark the directory as unfinished, and remove all but lock and state file."""
    (path / _UNFINISHED).touch()
    _remove(path, keep={_UNFINISHED, LOCK_FILE, STATE_FILE})


def _run_venv(path: Path, interpreter: Interpreter) -> None:
    import subprocess  # noqa: PLC0415  # 10 ms, not needed by a no-op sync

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
    """Return True if the directory exists; raises EnvironmentBroken if in use."""
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
        problem = "is not empty and not a virtual environment"
    advice = "choose another place with --venv, or remove it"
    raise EnvironmentBroken(str(path), problem, advice)


def _discard(path: Path, *, existed: bool) -> None:
    """Remove a failed creation, the mark last; the next one removes what remains."""
    with suppress(OSError):
        _remove(path, keep={_UNFINISHED, LOCK_FILE})
        (path / _UNFINISHED).unlink(missing_ok=True)
        # Windows refuses while the lock is held; an empty directory does no harm.
        (path / LOCK_FILE).unlink()
        if not existed:
            path.rmdir()


def _remove(path: Path, *, keep: set[str]) -> None:
    """Remove the content of a directory, except some names."""
    import shutil  # noqa: PLC0415  # only after an interruption

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
    """Return the state of an environment, the defaults if there is none.

    A file that cannot be decoded, or has a later version, counts as absent. Raises
    EnvironmentBroken if it cannot be read.
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
    """Write the state of an environment, if it changed; raises EnvironmentBroken.

    Takes the lock of the environment, as two processes that write at once would lose
    the file.
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
    """Replace the state file; the caller holds the lock of the environment."""
    # A fixed name, so that the file of a killed process is overwritten.
    temporary = path / f"{STATE_FILE}.new"
    try:
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # a power failure may leave an empty file
            temporary.replace(path / STATE_FILE)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path / STATE_FILE, error) from error
