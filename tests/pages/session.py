"""Runs the commands of a page, in a separate directory and home."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Self

import polylock
from fakes.command_line import clean_variables
from fakes.this_machine import STANDING_IN, VARIABLE
from pages.hosts import ROOT
from pages.markdown import Console, Hidden, read_page
from polylock.__main__ import answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pages.hosts import Hosts

__all__ = ["MACHINE", "PYTHON", "Ran", "Session", "why_not_here"]

PYTHON = "3.13"
"""The Python of the pages. Where there is none, another takes its place in pages that
install something; the others need none."""

MACHINE = "v3"
"""The machine of the pages, which every reader is said to sit at: one without a GPU."""

_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
_SHELL = frozenset("|&;<>()$`*?~{}!")
_REPLACING = frozenset({"run"})  # becomes another program, so not in this process
_PORT = re.compile(r"(?<=--port )(\d{4})\b|(?<=127\.0\.0\.1:)(\d{4})\b")
_DIGEST = re.compile(r"(polylock-1-[\w.-]+-py[\w.]+-)[0-9a-f]{32}")
_INSTALLING = re.compile(r"\bpolylock (?:sync|run)\b|\bvenv\b")
_COMPILED = re.compile(r"^\$ .*\bimport vecdemo\b", re.MULTILINE)
_NO_NETWORK = "http://127.0.0.1:9"  # the port of the service that discards
_TIMEOUT = 120


@dataclass(frozen=True, slots=True)
class Ran:
    """The output of a command, as the page would show it, and its exit code."""

    lines: tuple[str, ...]
    code: int


class Session:
    """A reader at a terminal, with a home, a project directory in it, and a checkout.

    ``translated`` says whether this Python is used instead of that of ``page``.
    """

    def __init__(self, directory: Path, hosts: Hosts, *, page: str) -> None:
        self._home = directory / "you"
        self._hosts = hosts
        self._cwd = self._home / "project"
        self._cwd.mkdir(parents=True)
        (self._home / "polylock").symlink_to(ROOT)
        self._scratch = directory / "scratch"
        self._scratch.mkdir()
        self._write_programs()
        self._variables = self._initial_variables()
        self._ports: dict[str, str] = {}
        self._servers: list[subprocess.Popen[str]] = []
        self._code = 0
        self.translated = _installs(page) and not _offers(PYTHON, self._variables)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.terminate()
            server.wait()
            if server.stdout is not None:
                server.stdout.close()

    def write(self, name: str, text: str, *, appended: bool) -> None:
        """Write a file that the page shows, or add to it."""
        path = self._cwd / name.replace("~", str(self._home))
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text("utf-8") if appended else ""
        if before and not before.endswith("\n\n"):
            before += "\n"
        path.write_text(before + self._to_here(text), "utf-8", newline="\n")

    def read(self, name: str) -> Ran:
        """Return the lines of a file as a page would show them; 1 where it is not."""
        path = self._cwd / name.replace("~", str(self._home))
        if not path.is_file():
            return Ran((), 1)
        return Ran(tuple(self._as_shown(path.read_text("utf-8")).splitlines()), 0)

    def type(self, command: str) -> Ran:
        """Run a command line to its end; a server runs until the session ends."""
        command = self._to_here(command)
        words = _words_for_polylock(command)
        if _serves(command):
            printed = self._start_server(command)
        elif words is not None:
            printed = self._polylock(words)
        else:
            printed = self._shell(command)
        lines = self._as_shown(printed).splitlines()
        return Ran(tuple(line.rstrip() for line in lines), self._code)

    def _write_programs(self) -> None:
        source = str(Path(polylock.__file__).resolve().parents[1])
        # The machine comes with the program, not by PYTHONPATH, which is the page's.
        start = (
            f"import sys; sys.path[:0] = [{source!r}, {str(STANDING_IN)!r}]; "
            "import sitecustomize; sys.argv[0] = 'polylock'; "
            "from polylock.__main__ import main; main()"
        )
        programs = self._scratch / "bin"
        programs.mkdir()
        script = programs / "polylock"
        words = shlex.join([sys.executable, "-c", start])
        script.write_text(f'#!/bin/sh\nexec {words} "$@"\n', "utf-8")
        script.chmod(0o755)

    def _initial_variables(self) -> dict[str, str]:
        variables = clean_variables(self._home)
        for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "OLDPWD"):
            variables.pop(name, None)
        variables[VARIABLE] = MACHINE
        own = [str(self._scratch / "bin"), str(Path(sys.executable).parent)]
        index = self._hosts.url("wheels.example.com") + "/simple/"
        return variables | {
            "PATH": os.pathsep.join([*own, variables.get("PATH", "")]),
            "XDG_CONFIG_HOME": str(self._home / ".config"),
            "XDG_CACHE_HOME": str(self._home / ".cache"),
            "COLUMNS": "88",
            "LC_ALL": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "POLYLOCK_INDEX_URL": index,
            "PIP_INDEX_URL": index,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_PROGRESS_BAR": "off",
            "UV_DEFAULT_INDEX": index,
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "HTTP_PROXY": _NO_NETWORK,
            "HTTPS_PROXY": _NO_NETWORK,
            "NO_PROXY": "127.0.0.1,localhost",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "You",
            "GIT_AUTHOR_EMAIL": "you@example.com",
            "GIT_AUTHOR_DATE": "2026-11-02T09:00:00Z",
            "GIT_COMMITTER_NAME": "You",
            "GIT_COMMITTER_EMAIL": "you@example.com",
            "GIT_COMMITTER_DATE": "2026-11-02T09:00:00Z",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "init.defaultBranch",
            "GIT_CONFIG_VALUE_0": "main",
        }

    def _polylock(self, words: tuple[str, ...]) -> str:
        """Run polylock in this process, which saves a quarter of a second."""
        printed = StringIO()
        with (
            _in_place(self._cwd, self._variables),
            redirect_stdout(printed),
            redirect_stderr(printed),
        ):
            try:
                self._code = answer(words)
            except SystemExit as ended:
                self._code = ended.code if isinstance(ended.code, int) else 0
        return printed.getvalue()

    def _shell(self, command: str) -> str:
        """Run a line in bash, and keep its directory and exported variables."""
        state = self._scratch / "state"
        script = (
            f"(exit {self._code})\n{command}\ncode=$?\n"
            f"{{ pwd; env -0; }} > {shlex.quote(str(state))}\nexit $code\n"
        )
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=self._cwd,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
        self._code = ran.returncode
        if state.exists():
            directory, _, exported = state.read_text("utf-8").partition("\n")
            self._cwd = Path(directory)
            pairs = (each.partition("=") for each in exported.split("\0") if each)
            self._variables = {name: value for name, _, value in pairs}
            state.unlink()
        return ran.stdout

    def _start_server(self, command: str) -> str:
        """Start a server, and return its first line of output."""
        server = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self._cwd,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._servers.append(server)
        assert server.stdout is not None
        line = server.stdout.readline()
        self._code = server.poll() or 0
        return line

    def _to_here(self, text: str) -> str:
        """Return a text of the page with what stands for it on this machine."""
        text = self._hosts.served_here(text)
        text = _PORT.sub(lambda found: self._port(found[0]), text)
        if self.translated:
            text = text.replace(PYTHON, _HERE).replace(_joined(PYTHON), _joined(_HERE))
        return text

    def _as_shown(self, printed: str) -> str:
        """Return what was printed with what stands for it in a page."""
        text = self._hosts.as_written(printed)
        for shown, port in self._ports.items():
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{shown}")
        for path in (self._home, self._home.resolve()):
            text = text.replace(str(path), "/home/you")
        return text.replace(str(ROOT), "/home/you/polylock")

    def expected(self, line: str) -> str:
        """Return a line of the page as it reads with the Python that is here."""
        if not self.translated:
            return line
        line = line.replace(PYTHON, _HERE).replace(_joined(PYTHON), _joined(_HERE))
        return _DIGEST.sub(r"\1DIGEST", line)

    def compared(self, line: str) -> str:
        """Return a printed line without what the Python that is here changes."""
        return _DIGEST.sub(r"\1DIGEST", line) if self.translated else line

    def _port(self, shown: str) -> str:
        if shown not in self._ports:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self._ports[shown] = str(free.getsockname()[1])
        return self._ports[shown]


@contextmanager
def _in_place(directory: Path, variables: dict[str, str]) -> Iterator[None]:
    """Be in a directory with these environment variables and no others."""
    before, variables_before = Path.cwd(), dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(variables_before)


def _words_for_polylock(command: str) -> tuple[str, ...] | None:
    """Return the arguments of a plain call of polylock; None for all that is not."""
    if _SHELL & set(command) or "\n" in command:
        return None
    words = shlex.split(command, comments=True)
    if len(words) < 2 or words[0] != "polylock":
        return None
    if words[1] in _REPLACING or words[1].startswith("-"):
        return None
    return tuple(words[1:])


def _serves(command: str) -> bool:
    return command.startswith("polylock index serve") and "--for" not in command


def _installs(page: str) -> bool:
    steps = read_page(page)
    return any(
        _INSTALLING.search(command.text)
        for step in steps
        if isinstance(step, Console | Hidden)
        for command in step.commands
    )


def _joined(python: str) -> str:
    return "py" + python.replace(".", "")


def _offers(python: str, variables: dict[str, str]) -> bool:
    """Whether there is such a Python, by that name."""
    if python == _HERE:
        return True
    found = shutil.which(f"python{python}", path=variables["PATH"])
    if found is None:
        return False
    ran = subprocess.run([found, "-c", ""], capture_output=True, check=False)
    return ran.returncode == 0


def why_not_here(page: str) -> str:
    """Return why a page cannot be run on the machine that runs the tests, or "".

    polylock uses the recorded machine, but compiled programs run on the real one.
    """
    if sys.platform != "linux":
        return "the pages are for Linux"
    if platform.machine() != "x86_64" and _COMPILED.search(page):
        return "the page runs a program that is compiled for x86-64"
    return ""
