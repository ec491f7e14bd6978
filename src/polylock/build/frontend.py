"""Calls the hooks of a build backend (PEP 517, PEP 660) in a separate process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from polylock.build.backend import BuildSystem, InvalidBuildSystem, check_requirements
from polylock.errors import CacheUnusable
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyproject_hooks import BuildBackendHookCaller


__all__ = ["Frontend", "HookFailed", "build_variables"]

T = TypeVar("T")

_TAIL_LINES = 30
_LINES_BEFORE = 8
_TRACEBACK = "Traceback (most recent call last):"
_TAIL_BYTES = 64 * 1024
_METADATA_LIMIT = 1 << 24
_PRIVATE_PREFIXES = ("PYTHON", "PIP_", "UV_", "POLYLOCK_", "VIRTUAL_ENV")
_PRIVATE = frozenset({"__PYVENV_LAUNCHER__", "NETRC"})


class HookFailed(Exception):
    """A hook failed, or returned something unusable.

    The text is a clause with the step; ``output`` holds the last lines of the hook's
    output.
    """

    def __init__(self, step: str, output: Sequence[str] = ()) -> None:
        super().__init__(step)
        self.output = tuple(output)


def build_variables(variables: Mapping[str, str], scripts: Path) -> dict[str, str]:
    """Return the environment variables of a build.

    Compilers and proxies are found by variables, so most are kept. Those that affect
    Python, configure installers or hold credentials of indexes are removed.
    ``scripts``, the commands of the isolated environment, comes first in PATH.
    """
    kept = {
        name: value
        for name, value in variables.items()
        if not name.upper().startswith(_PRIVATE_PREFIXES) and name not in _PRIVATE
    }
    before = kept.get("PATH")
    kept["PATH"] = f"{scripts}{os.pathsep}{before}" if before else str(scripts)
    # Without this pip would still read its configuration files.
    kept["PIP_CONFIG_FILE"] = os.devnull
    # The output of a backend is read as UTF-8 in any locale.
    kept["PYTHONIOENCODING"] = "utf-8"
    return kept


class Frontend(Value, frozen=True, kw_only=True):
    """The hooks of one source tree, run by the Python of its environment.

    ``variables`` are all environment variables of a hook; ``log`` is the file for its
    output, which each hook overwrites. ``config`` is passed to each hook.
    """

    tree: Path
    system: BuildSystem
    python: Path
    variables: Mapping[str, str]
    log: Path
    config: Mapping[str, str | list[str]] = field(default_factory=dict)

    def requires(self, *, editable: bool = False) -> tuple[str, ...]:
        """Return the requirements besides ``[build-system]``; raises HookFailed."""
        hook = f"get_requires_for_build_{'editable' if editable else 'wheel'}"
        found = self._call(hook, lambda caller: getattr(caller, hook)(self._config))
        try:
            return check_requirements(found, f"the answer of {hook}")
        except InvalidBuildSystem as error:
            raise HookFailed(str(error)) from error

    def metadata(self, directory: Path) -> bytes | None:
        """Return METADATA, None if the backend can only build a whole wheel.

        ``directory`` is an empty one for the hook. Raises HookFailed.
        """
        import pyproject_hooks

        hook = "prepare_metadata_for_build_wheel"
        try:
            name = self._call(
                hook,
                lambda caller: caller.prepare_metadata_for_build_wheel(
                    os.fspath(directory), self._config, _allow_fallback=False
                ),
            )
        except pyproject_hooks.HookMissing:
            return None
        path = _named(hook, directory, name) / "METADATA"
        try:
            if path.stat().st_size > _METADATA_LIMIT:
                raise HookFailed(f"{hook} wrote a METADATA that is too large")
            return path.read_bytes()
        except OSError as error:
            raise HookFailed(f"{hook} wrote no METADATA") from error

    def wheel(self, directory: Path, *, editable: bool = False) -> Path:
        """Build a wheel in an empty directory and return it; raises HookFailed.

        An editable one (PEP 660) refers to the tree instead of copying it.
        """
        import pyproject_hooks

        hook = "build_editable" if editable else "build_wheel"
        try:
            name = self._call(
                hook, lambda c: getattr(c, hook)(os.fspath(directory), self._config)
            )
        except pyproject_hooks.HookMissing as error:
            raise HookFailed(
                f"the backend {self.system.backend} does not support editable "
                "installs (PEP 660)"
            ) from error
        path = _named(hook, directory, name)
        if not path.is_file() or path.is_symlink():
            raise HookFailed(f"{hook} wrote no file {path.name}", self._tail())
        return path

    @property
    def _config(self) -> dict[str, str | list[str]] | None:
        """Return the ``config_settings`` of a hook, None without any."""
        return dict(self.config) or None

    def _call(self, hook: str, call: Callable[[BuildBackendHookCaller], T]) -> T:
        """Call a hook; raises HookFailed, and HookMissing for an optional one."""
        import warnings  # noqa: PLC0415 - only to build

        import pyproject_hooks

        # These warnings would be shown as polylock's own.
        category = getattr(pyproject_hooks, "BuildBackendWarning", None)
        if category is not None:
            warnings.simplefilter("ignore", category)
        try:
            caller = pyproject_hooks.BuildBackendHookCaller(
                os.fspath(self.tree),
                self.system.backend,
                backend_path=self.system.backend_path or None,
                runner=_Runner(self.variables, self.log),
                python_executable=os.fspath(self.python),
            )
        except ValueError as error:
            raise HookFailed(f"build-system.backend-path: {error}") from error
        try:
            return call(caller)
        except subprocess.CalledProcessError as error:
            status = f"{hook} exited with status {error.returncode}"
            raise HookFailed(status, self._tail()) from error
        except pyproject_hooks.BackendUnavailable as error:
            lines = _reason_first(error.traceback.strip().splitlines())
            problem = f"the backend {self.system.backend} cannot be imported"
            raise HookFailed(problem, lines) from error
        except (ValueError, KeyError, AttributeError) as error:
            # The hook's process did not write a valid result.
            raise HookFailed(f"{hook} returned no result", self._tail()) from error
        except OSError as error:
            problem = f"{hook} could not be run: {error.strerror or error}"
            raise HookFailed(problem, self._tail()) from error

    def _tail(self) -> list[str]:
        try:
            with self.log.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - _TAIL_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        lines = [_plain(line) for line in text.splitlines()]
        return _reason_first([line for line in lines if line.strip()])


class _Runner:
    """Runs a hook's command with the variables of the build; writes output to a file.

    It uses no pipe: a process that the backend left running would keep that open.
    """

    def __init__(self, variables: Mapping[str, str], log: Path) -> None:
        self._variables = variables
        self._log = log

    def __call__(
        self,
        cmd: Sequence[str],
        cwd: str | None = None,
        extra_environ: Mapping[str, str] | None = None,
    ) -> None:
        try:
            output = self._log.open("wb")
        except OSError as error:
            problem = error.strerror or str(error)
            raise CacheUnusable(str(self._log), problem) from error
        with output:
            subprocess.run(
                list(cmd),
                cwd=cwd,
                env={**self._variables, **(extra_environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=True,
            )


def _reason_first(lines: list[str]) -> list[str]:
    """Return the last lines, with the exception moved before its traceback.

    The reason is useful to everybody, the frames only to authors of the backend.
    """
    for start in reversed(range(len(lines))):
        if lines[start] == _TRACEBACK:
            break
    else:
        return lines[-_TAIL_LINES:]
    frames = start + 1
    while frames < len(lines) and lines[frames].startswith(" "):
        frames += 1
    if frames == len(lines):
        return lines[-_TAIL_LINES:]
    before = lines[:frames][-_LINES_BEFORE:]
    return [*lines[frames:][:_TAIL_LINES], "before that:", *(f"  {x}" for x in before)]


def _plain(line: str) -> str:
    """Return a line of output with control characters replaced by ``?``."""
    return "".join(c if c.isprintable() or c == "\t" else "?" for c in line.rstrip())


def _named(hook: str, directory: Path, name: object) -> Path:
    """Return the path that a hook wrote; its result must be a plain file name."""
    if not isinstance(name, str) or not name or name != Path(name).name:
        raise HookFailed(f"{hook} returned {name!r} instead of a file name")
    if "\\" in name or name in {".", ".."}:
        raise HookFailed(f"{hook} returned {name!r} instead of a file name")
    return directory / name
