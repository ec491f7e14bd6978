"""``polylock run``: run a command in the environment of a target."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from packaging.utils import NormalizedName, canonicalize_name

from polylock.answer_cache.recall import (
    first_line,
    is_python_program,
    without_directory,
)
from polylock.cache.regular_files import read_regular
from polylock.environment.discovery import environment_python
from polylock.environment.venv import is_environment, python_version, read_state
from polylock.errors import (
    EnvironmentBroken,
    PolylockError,
    ProjectError,
    UsageError,
)
from polylock.operations.workspace import environment_path, lock_path
from polylock.project.pyproject import load_project, project_path
from polylock.project.script import is_script
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from polylock.project.settings import Settings

__all__ = [
    "PreparedCommand",
    "become",
    "existing_environment",
    "origin_warning",
    "prepare",
    "python_command",
    "wait_for",
    "with_env_files",
]


_SHIMS = "shims"
"""Name of the directory where pyenv, asdf and mise have scripts that find programs."""


class PreparedCommand(Value, frozen=True, kw_only=True):
    """A command ready to run: its file, arguments and environment variables.

    ``arguments`` begin with the command as the user typed it. ``is_outside`` means that
    a command given by name is not one of the environment.
    """

    executable: Path
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    is_outside: bool = False


def existing_environment(settings: Settings) -> Path:
    """Return the path of the environment; raises EnvironmentBroken without one."""
    project = None
    with suppress(ProjectError):  # an image may have only the lock file
        project = load_project(project_path(settings), settings=settings)
    path = environment_path(settings, project)
    problem = None
    if not is_environment(path):
        problem = "is not a virtual environment"
    elif not environment_python(path).exists():
        problem = f"its Python {python_version(path)} is gone"
    elif (origin := read_state(path).moved_from(path)) is not None:
        # Its scripts would run those of the original.
        problem = f"was moved or copied from {origin}"
    if problem is not None:
        raise EnvironmentBroken(str(path), problem, "run `polylock sync`")
    return path


def python_command(command: Sequence[str], *, is_module: bool) -> tuple[str, ...]:
    """Return the command that runs a module or a script with Python, else the same.

    As in uv, a command that ends with ``.py`` is a script, and ``-`` is standard input.
    """
    if is_module:
        return ("python", "-m", *command)
    if is_script(command[0]) or command[0] == "-":
        return ("python", *command)
    return tuple(command)


def with_env_files(
    files: Iterable[Path], variables: Mapping[str, str]
) -> Mapping[str, str]:
    """Return environment variables with those of files; present ones are kept.

    A later file wins over an earlier one. Raises UsageError for a file that cannot be
    read, or has a line that is not understood.
    """
    found: dict[str, str] = {}
    for path in files:
        import io  # noqa: PLC0415 - only for --env-file

        from dotenv import dotenv_values  # noqa: PLC0415 - 10 ms, as above
        from dotenv.parser import parse_stream  # noqa: PLC0415 - as above

        try:
            text = read_regular(path).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not UTF-8"
            raise UsageError(f"--env-file {path}: {reason}") from error
        for binding in parse_stream(io.StringIO(text)):
            if binding.error or "\0" in (binding.value or ""):
                line = binding.original.line
                raise UsageError(
                    f"--env-file {path}: line {line} is not NAME=value",
                    "quote a value with spaces or quotes",
                )
        values = dotenv_values(stream=io.StringIO(text))
        found.update(
            {name: value for name, value in values.items() if value is not None}
        )
    return {**found, **variables}


def prepare(
    environment: Path,
    command: Sequence[str],
    variables: Mapping[str, str],
    *,
    without: str | os.PathLike[str] | None = None,
) -> PreparedCommand:
    """Return a command with the variables that the activation script would set.

    ``variables`` are the current environment variables. The directory ``without`` is
    left out of PATH: polylock's own pip would install into polylock's environment.
    Raises UsageError if there is no such command.
    """
    scripts = environment_python(environment).parent
    further = without_directory(variables.get("PATH", ""), without)
    search_path = os.pathsep.join([str(scripts), *further])
    found = shutil.which(command[0], path=search_path)
    if found is None:
        raise UsageError(
            f"there is no command {command[0]}",
            f"it is neither in {scripts} nor on PATH",
        )
    kept = {name: value for name, value in variables.items() if name != "PYTHONHOME"}
    return PreparedCommand(
        executable=Path(found),
        arguments=tuple(command),
        variables={**kept, "VIRTUAL_ENV": str(environment), "PATH": search_path},
        is_outside=not Path(command[0]).parent.name
        and os.sep not in command[0]
        and Path(found).parent != scripts,
    )


def origin_warning(
    prepared: PreparedCommand, settings: Settings, environment: Path
) -> str | None:
    """Return the warning about a Python program from outside of the environment.

    It would import other packages than those that are locked. A program that no locked
    project is named after needs no warning if it is no Python program, or a script that
    runs with the Python of the environment. Raises what reading the lock file does.
    """
    if not prepared.is_outside:
        return None
    name = prepared.arguments[0]
    words = f"{name} is {prepared.executable}, outside of the environment"
    where = _locked_in(canonicalize_name(name), settings, environment)
    if where:
        return f"{words}: it is locked in {where[0]}, run it with {where[1]}"
    command = first_line(prepared.executable).split()
    if _uses_python_of(environment, command):
        return None
    if is_python_program(name) or any(b"python" in word for word in command):
        return f"{words}, and does not see its packages"
    if prepared.executable.parent.name == _SHIMS:
        return f"{words}: if it runs Python, that does not see its packages"
    return None


def _locked_in(
    name: NormalizedName, settings: Settings, environment: Path
) -> tuple[str, str] | None:
    """Return the group or extra that would install a project, and its option."""
    from polylock.lockfile.record import locked_target  # noqa: PLC0415 - rare
    from polylock.lockfile.select import select  # noqa: PLC0415 - rare
    from polylock.lockfile.vouching import choices  # noqa: PLC0415 - rare
    from polylock.operations.workspace import require_lock  # noqa: PLC0415

    path = lock_path(settings)
    pylock = require_lock(path, settings)
    chosen = read_state(environment).target
    records = pylock.polylock.targets if pylock.polylock else ()
    for target in (locked_target(r) for r in records if r.name == chosen):
        for choice in choices(pylock):
            kind = "extra" if choice.extra else "group"
            each = choice.extra or choice.group
            if each is None:
                continue  # what every sync installs
            try:
                found = select(
                    pylock,
                    target,
                    groups=choice.groups,
                    extras=choice.extras,
                    path=str(path),
                )
            except PolylockError:
                continue
            if any(selected.package.name == name for selected in found):
                return f"{kind} {each}", f"--{kind} {each}"
    return None


def _uses_python_of(environment: Path, command: Sequence[bytes]) -> bool:
    """Return True if ``env`` finds the interpreter of a script in the environment.

    The environment comes first on PATH, so it does if the environment has that name.
    """
    if not command or PurePosixPath(os.fsdecode(command[0])).name != "env":
        return False
    names = [os.fsdecode(word) for word in command[1:] if not word.startswith(b"-")]
    return (
        bool(names)
        and b"python" in os.fsencode(names[0])
        and os.sep not in names[0]
        and (environment_python(environment).parent / names[0]).is_file()
    )


def become(prepared: PreparedCommand) -> NoReturn:
    """Replace this process with the command (POSIX).

    So signals reach the command, and polylock uses no memory. Raises UsageError.
    """
    try:
        os.execve(  # noqa: S606 - no shell is wanted
            prepared.executable, prepared.arguments, prepared.variables
        )
    except OSError as error:
        raise _not_run(prepared, error) from error


def wait_for(prepared: PreparedCommand) -> int:
    """Run the command and return its exit code; raises UsageError."""
    import subprocess  # noqa: PLC0415 - only for Windows

    try:
        return subprocess.run(
            [prepared.executable, *prepared.arguments[1:]],
            env=dict(prepared.variables),
            check=False,
        ).returncode
    except OSError as error:
        raise _not_run(prepared, error) from error


def _not_run(prepared: PreparedCommand, error: OSError) -> UsageError:
    problem = error.strerror or str(error)
    return UsageError(f"cannot run {prepared.executable}: {problem}")
