"""``polylock run``: run a command in the environment of a target."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from polylock.environment.discovery import environment_python
from polylock.environment.venv import is_environment, python_version, read_state
from polylock.errors import EnvironmentBroken, UsageError
from polylock.operations.workspace import environment_path
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from polylock.project.settings import Settings

__all__ = [
    "PreparedCommand",
    "become",
    "existing_environment",
    "prepare",
    "wait_for",
]


class PreparedCommand(Value, frozen=True, kw_only=True):
    """A command ready to run: its file, arguments and environment variables.

    ``arguments`` begin with the command as the user typed it.
    """

    executable: Path
    arguments: tuple[str, ...]
    variables: Mapping[str, str]


def existing_environment(settings: Settings) -> Path:
    """Return the path of the environment; raises EnvironmentBroken without one."""
    path = environment_path(settings)
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


def prepare(
    environment: Path, command: Sequence[str], variables: Mapping[str, str]
) -> PreparedCommand:
    """Return a command with the variables that the activation script would set.

    ``variables`` are the current environment variables. Raises UsageError if there is
    no such command.
    """
    scripts = environment_python(environment).parent
    search_path = str(scripts)
    if variables.get("PATH"):
        search_path += os.pathsep + variables["PATH"]
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
