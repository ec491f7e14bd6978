"""Reading of the answer cache, before anything else is imported.

``check``, ``lock``, ``sync`` and ``run`` often have nothing to do. Then ``remember``
stores their output and the state of the files that they read; after a command that had
something to do, it stores what the next one will say. If all of these files are
unchanged, the stored output is printed: to import what a command needs takes longer
than to compare these files.

The key of an entry (``questions``) consists of:

* the arguments, unparsed; for ``run`` only those before its command. Each position
  where the command may begin is tried: if the same arguments preceded a command once,
  they are complete options with values, so a command follows them now too;
* the current directory;
* the environment variables that polylock reads, except user names and passwords of
  indexes, as no index is requested;
* for ``sync`` and ``run`` PATH and LD_LIBRARY_PATH, where GPU tools and libraries are
  searched;
* the version of polylock, the Python that runs it, and its ``sys.path``;
* kernel and C library, which decide markers and tags.

An entry lists the files that must be unchanged:

* by content: the project file and the lock file, and what the command itself had just
  written: of a directory its listing;
* by times, size and inode: each imported module of polylock; each directory of
  ``sys.path``, which changes when a distribution is installed or removed; the user's
  configuration file; the paths where another project or lock file would be found
  first;
* for ``sync`` and ``run`` also the Python of the environment, ``pyvenv.cfg``, the state
  file of polylock, site-packages, and each ``.dist-info`` with the files that identify
  the installed file. Installed modules are not checked, as in any sync with nothing to
  do. For a project that is itself installed as editable, the three files that identify
  its build;
* if the hardware was checked, the boot id of Linux, and the absence of any sign of a
  GPU. With a GPU no answer is cached.

The absence of a file is a state too. Answers that depend on more are not cached: see
``remember``. Nothing is cached on Windows, where replacing a file by an older one shows
no change.

Only what this module needs may be imported here: ``re`` or ``typing`` cost more than
everything else. ``tests/cli/test_startup.py`` checks it.
"""

from __future__ import annotations

import os
import sys

from polylock import __version__
from polylock.cache.entries import digest, entry_path, host_facts, whole_content

__all__ = [
    "COMPLETION",
    "DIRECTORY",
    "Question",
    "content_of",
    "entries_of",
    "first_line",
    "is_python_program",
    "own_scripts",
    "questions",
    "recall",
    "state",
    "without_directory",
]

DIRECTORY = "answers-v1"
"""The directory of ``Bucket.ANSWERS``."""

_COMMANDS = ("check", "lock", "sync", "run")
_VARIABLES = ("HOME", "NETRC", "USERPROFILE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
_SEARCHED = ("LD_LIBRARY_PATH", "PATH")
_TOOLKITS = ("ASCEND_TOOLKIT_HOME", "ROCM_PATH")
_SECRETS = ("_PASSWORD", "_USERNAME")
COMPLETION = "_POLYLOCK_COMPLETE"
"""The variable that a shell sets to request completions."""


class Question:
    """A command line, as the ``key`` of an entry.

    ``cache`` is the presumed cache directory, without the user's configuration file; a
    wrong one has no entry. ``command`` is the command of ``run``, else empty.
    """

    __slots__ = ("cache", "command", "key")

    def __init__(self, cache: str, key: str, command: tuple[str, ...]) -> None:
        self.cache = cache
        self.key = key
        self.command = command


def recall(arguments: tuple[str, ...]) -> int | None:
    """Print a cached answer; return the exit code, None on a cache miss.

    For ``run`` this process is replaced by the command instead.
    """
    try:
        asked = questions(arguments)
    except (OSError, ValueError):
        return None
    for question in asked:
        try:
            found = _fresh(question)
        except (OSError, ValueError):  # usually a cache miss
            continue
        if found is not None:
            return _answer(question, *found)
    return None


def _answer(asked: Question, out: str, err: str, environment: str) -> int | None:
    if asked.command:
        _become(asked.command, environment)
        return None
    try:
        sys.stdout.write(out)
        sys.stdout.flush()
        sys.stderr.write(err)
    except BrokenPipeError:  # as in ``polylock.cli.main.run``
        sys.stderr.close()
        return 1
    return 0


def questions(arguments: tuple[str, ...]) -> list[Question]:
    """Return the possible questions, empty for a command without cached answers.

    ``run`` has one for each position where its command may begin.
    """
    if os.name != "posix" or not arguments or arguments[0] not in _COMMANDS:
        return []
    environ = os.environ
    if COMPLETION in environ:  # the shell asks click for words
        return []
    searching = arguments[0] in {"sync", "run"}
    if searching and any(name in environ for name in _TOOLKITS):
        return []  # a toolkit there is not part of the basis
    names = (*_VARIABLES, *_SEARCHED) if searching else _VARIABLES
    here = [__version__, sys.version, *sys.path, "", *host_facts(), os.getcwd()]
    variables = sorted(
        f"{name}={value}"
        for name, value in environ.items()
        if name in names
        or (name.startswith("POLYLOCK_") and not name.endswith(_SECRETS))
    )
    found = []
    for end in _ends_of_options(arguments):
        options, command = arguments[:end], arguments[end:]
        facts = "\0".join([*here, *options, "", *variables])
        key = digest(os.fsencode(facts))
        if command[:1] == ("--",):
            command = command[1:]
        found.append(Question(_cache_directory(options), key, command))
    return found


def _ends_of_options(arguments: tuple[str, ...]) -> list[int]:
    """Return the positions where the command of ``run`` may begin, else the end.

    A command begins with a word that is not an option, or after ``--``. Of two such
    words in a row the second can only belong to the command: an option has one value.
    """
    if arguments[0] != "run":
        return [len(arguments)]
    found = []
    words = 0
    for position, argument in enumerate(arguments[1:], start=1):
        if argument == "--":
            if position + 1 < len(arguments):
                found.append(position)
        elif argument[:1] != "-" or argument == "-":
            found.append(position)
        else:
            words = 0
            continue
        words += 1
        if words == 2:
            break
    return found


def entries_of(
    contents: dict[str, str], states: dict[str, str], said: list[tuple[str, str, str]]
) -> list[bytes]:
    """Return an entry for each answer: the output, and the files that it depends on.

    ``contents`` maps paths to digests of the files, ``states`` to their states, of
    ``state``. Of ``said`` each is the text for stdout, that for stderr, and
    the environment. Raises ValueError for a path with a null character.
    """
    facts = [str(len(contents))]
    for path, found in contents.items():
        facts += [path, found]
    facts += [_joined([*states.values()]), *states]
    if any("\0" in field for one in (facts, *said) for field in one):
        raise ValueError("a NUL separates the fields")
    return [os.fsencode("\0".join([*one, *facts])) for one in said]


def state(path: str) -> tuple[str, int]:
    """Return the state of a file or directory, and its last change in nanoseconds.

    Links are followed. An absent file has a state too, and was not changed.
    """
    try:
        status = os.stat(path)
    except OSError:
        return "absent", 0
    modified, changed = status.st_mtime_ns, status.st_ctime_ns
    text = (
        f"{modified} {changed} {status.st_size}"
        f" {status.st_ino} {status.st_dev} {status.st_mode}"
    )
    return text, max(modified, changed)


def _joined(states: list[str]) -> str:
    """Return a digest of states."""
    return digest("\n".join(states).encode())


def _fresh(asked: Question) -> tuple[str, str, str] | None:
    """Return the cached output and environment, None if any file changed."""
    directory = f"{asked.cache}{os.sep}{DIRECTORY}"
    content = whole_content(_read(entry_path(directory, asked.key.encode())))
    if content is None:
        return None
    fields = os.fsdecode(bytes(content)).split("\0")
    out, err, environment, count = fields[:4]
    end = 4 + 2 * int(count)
    if _joined([state(path)[0] for path in fields[end + 1 :]]) != fields[end]:
        return None
    for position in range(4, end, 2):
        if digest(content_of(fields[position])) != fields[position + 1]:
            return None
    return out, err, environment


def content_of(path: str) -> bytes:
    """Return the content of a file, or the sorted names in a directory."""
    try:
        return _read(path)
    except IsADirectoryError:
        return os.fsencode("/".join(sorted(os.listdir(path))))


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _cache_directory(arguments: tuple[str, ...]) -> str:
    """Return the presumed cache directory."""
    environ = os.environ
    home = environ.get("HOME", "")
    found = environ.get("POLYLOCK_CACHE_DIR", "")
    for position, argument in enumerate(arguments):
        if argument == "--cache-dir" and position + 1 < len(arguments):
            found = arguments[position + 1]
        elif argument.startswith("--cache-dir="):
            found = argument[len("--cache-dir=") :]
    if found:
        return home + found[1:] if found == "~" or found[:2] == "~/" else found
    if sys.platform == "darwin":
        return f"{home}/Library/Caches/polylock"
    return f"{environ.get('XDG_CACHE_HOME') or home + '/.cache'}/polylock"


_SYSTEM = frozenset({"/bin", "/usr/bin", "/sbin", "/usr/sbin"})
"""Directories whose programs are no console scripts, unless they are scripts."""


def own_scripts() -> str | None:
    """Return the scripts of the environment that polylock runs from, None if none."""
    is_environment_of_ours = sys.prefix != sys.base_prefix
    return os.path.dirname(sys.executable) if is_environment_of_ours else None


def without_directory(
    search_path: str, left_out: str | os.PathLike[str] | None
) -> list[str]:
    """Return the directories of PATH but one, under whatever name it is there."""

    def is_left_out(directory: str) -> bool:
        try:
            return left_out is not None and os.path.samefile(directory, left_out)
        except OSError:
            return False

    parts = search_path.split(os.pathsep)
    return [part for part in parts if part and not is_left_out(part)]


_PYTHON_PROGRAMS = frozenset(
    {
        "black",
        "coverage",
        "flake8",
        "ipython",
        "jupyter",
        "jupyter-lab",
        "jupyter-notebook",
        "mypy",
        "nox",
        "pip",
        "pre-commit",
        "py.test",
        "pylint",
        "pypy",
        "pyright",
        "pytest",
        "python",
        "ruff",
        "sphinx-build",
        "tox",
        "twine",
    }
)


def is_python_program(name: str) -> bool:
    """Return True if a command is a well-known Python program, by its name.

    Its file may not show it: a program may be started by a shell script. A version at
    the end of the name is ignored, as in ``pip3.11`` and ``pytest-3``.
    """
    stem = name.removesuffix(".exe")
    return (
        stem in _PYTHON_PROGRAMS
        or stem.rstrip("0123456789.").removesuffix("-") in _PYTHON_PROGRAMS
    )


def _may_be_python(directory: str, path: str) -> bool:
    if directory not in _SYSTEM or is_python_program(os.path.basename(path)):
        return True
    return b"python" in first_line(path)


def first_line(path: str | os.PathLike[str]) -> bytes:
    """Return the text after ``#!`` in the first line of a script, empty for others.

    Also empty for a program that may be run but not read, such as sudo.
    """
    try:
        with open(path, "rb") as file:
            line = file.readline(256)
    except OSError:
        return b""
    return line[2:] if line.startswith(b"#!") else b""


def _become(command: tuple[str, ...], environment: str) -> None:
    """Replace this process as ``operations.sync.run`` does; return if that fails.

    Also returns if the command is from outside of the environment and may need a
    warning.
    """
    if command[0] == "-" or command[0].lower().endswith((".py", ".pyw")):
        return  # a script may have an environment of its own
    scripts = f"{environment}{os.sep}bin"
    variables = dict(os.environ)
    further = without_directory(variables.get("PATH", ""), own_scripts())
    directories = [scripts, *further]
    variables.pop("PYTHONHOME", None)
    variables["VIRTUAL_ENV"] = environment
    variables["PATH"] = os.pathsep.join(directories)
    if os.sep in command[0]:
        directories = [""]
    for directory in directories:
        path = os.path.join(directory, command[0])
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            if directory not in {scripts, ""} and _may_be_python(directory, path):
                return
            sys.stdout.flush()
            sys.stderr.flush()
            try:
                os.execve(path, command, variables)  # noqa: S606 - no shell is wanted
            except OSError:
                return
