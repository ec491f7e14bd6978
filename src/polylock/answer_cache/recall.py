"""Answer a command as it was answered before, where nothing has changed since.

``check``, ``lock``, ``sync`` and ``run`` mostly find that there is nothing to do. Then
``remember`` leaves in the cache what they said, and what they looked at.
Here, before anything else is imported, that is looked at again: reading a dozen
modules' worth of code takes longer than to see that two files are the same.

What was asked (``questions``) is the name of the entry:

* the arguments, letter by letter: none of them is understood here. For ``run`` only
  those before the command. Where that begins is tried: what stood before a command
  once were all its options, with their values, so that what follows them now is a
  command as well;
* the current directory;
* the environment variables that polylock reads, but for user names and passwords of
  indexes: no index is asked;
* for ``sync`` and ``run`` PATH and LD_LIBRARY_PATH, where programs and libraries that
  know of GPUs are looked for;
* the release of polylock, the Python that runs it, and where that imports from;
* kernel and C library, which decide markers and tags.

What was looked at stands in the entry, and each must be as it was:

* by content, the project file and the lock file;
* by time of change, size and inode: each module of polylock that gave the answer; each
  directory that Python imports from, which changes when a distribution is installed
  or removed there; the user's configuration file; the places where a project or lock
  file nearer by would count instead;
* for ``sync`` and ``run`` also the Python of the environment, ``pyvenv.cfg`` and what
  polylock remembers there; site-packages; each ``.dist-info`` in it and the files
  that say what was installed. Like any other sync with nothing to do this one does
  not look at the modules that were installed. Of a project that is itself installed,
  editable, the three files that its build is known by;
* where the hardware was checked, the number that Linux gives to each start of the
  system, and that there is still no sign of a GPU. With a GPU nothing is remembered.

A file that is not there is as good a state as any. What depends on more is never
remembered: see ``remember``. Nothing is remembered on Windows, where a file that was
replaced by an older one shows no change.

Only what this module needs may be imported here: ``re`` or ``typing`` cost more than
all of it. ``tests/cli/test_startup.py`` counts.
"""

from __future__ import annotations

import os
import sys

from polylock import __version__
from polylock.cache.entries import digest, entry_path, whole_content

__all__ = [
    "COMPLETION",
    "DIRECTORY",
    "Question",
    "entry_of",
    "questions",
    "recall",
    "state_of",
]

DIRECTORY = "answers-v1"
"""The directory of ``Bucket.ANSWERS``."""

_COMMANDS = ("check", "lock", "sync", "run")
_VARIABLES = ("HOME", "NETRC", "USERPROFILE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
_SEARCHED = ("LD_LIBRARY_PATH", "PATH")
_TOOLKITS = ("ASCEND_TOOLKIT_HOME", "ROCM_PATH")
_SECRETS = ("_PASSWORD", "_USERNAME")
COMPLETION = "_POLYLOCK_COMPLETE"
"""The variable by which a shell asks for words."""


class Question:
    """What is asked, as the name of an entry.

    ``cache`` is where the cache directory seems to be. That is a guess, without the
    user's configuration file; a wrong one finds nothing. ``command`` is what ``run``
    is to run, empty for others.
    """

    __slots__ = ("cache", "command", "key")

    def __init__(self, cache: str, key: str, command: tuple[str, ...]) -> None:
        self.cache = cache
        self.key = key
        self.command = command


def recall(arguments: tuple[str, ...]) -> int | None:
    """Answer a command from memory; None where it has to be carried out.

    Returns the exit code, or replaces this process by what ``run`` is to run.
    """
    try:
        asked = questions(arguments)
    except (OSError, ValueError):
        return None
    for question in asked:
        try:
            found = _fresh(question)
        except (OSError, ValueError):  # mostly: there is no such entry
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
    except BrokenPipeError:  # as ``polylock.cli.main.run`` takes it
        sys.stderr.close()
        return 1
    return 0


def questions(arguments: tuple[str, ...]) -> list[Question]:
    """Return what may be asked, nothing where no answer is remembered.

    For ``run`` there is one for each place where the command may begin.
    """
    if os.name != "posix" or not arguments or arguments[0] not in _COMMANDS:
        return []
    environ = os.environ
    if COMPLETION in environ:  # the shell asks click for words
        return []
    searching = arguments[0] in {"sync", "run"}
    if searching and any(name in environ for name in _TOOLKITS):
        return []  # what is there decides what this machine is
    names = (*_VARIABLES, *_SEARCHED) if searching else _VARIABLES
    here = [__version__, sys.version, *sys.path, "", *_host(), os.getcwd()]
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
    """Return where the command of ``run`` may begin, for others only the end.

    A command begins with a word that is no option, or after ``--``. Behind two such
    words it has begun: an option takes one value.
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


def entry_of(
    contents: dict[str, str], states: list[str], said: tuple[str, str, str]
) -> bytes:
    """Return an entry: what was said, and what that depends on.

    ``contents`` maps paths to digests of the files, ``states`` are paths whose state
    counts as it is now, and ``said`` is the text for stdout, that for stderr, and the
    environment. Raises ValueError for a path that no file can have.
    """
    fields = [*said, str(len(contents))]
    for path, found in contents.items():
        fields += [path, found]
    fields += [state_of(states), *states]
    if any("\0" in field for field in fields):
        raise ValueError("a NUL separates the fields")
    return os.fsencode("\0".join(fields))


def state_of(paths: list[str]) -> str:
    """Return a digest of the states of files and directories, links followed."""
    found = []
    stat = os.stat
    for path in paths:
        try:
            status = stat(path)
        except OSError:
            found.append("absent")
        else:
            found.append(
                f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_size}"
                f" {status.st_ino} {status.st_dev} {status.st_mode}"
            )
    return digest("\n".join(found).encode())


def _fresh(asked: Question) -> tuple[str, str, str] | None:
    """Return what was said, None unless all is as it was."""
    directory = f"{asked.cache}{os.sep}{DIRECTORY}"
    content = whole_content(_read(entry_path(directory, asked.key.encode())))
    if content is None:
        return None
    fields = os.fsdecode(bytes(content)).split("\0")
    out, err, environment, count = fields[:4]
    end = 4 + 2 * int(count)
    if state_of(fields[end + 1 :]) != fields[end]:
        return None
    for position in range(4, end, 2):
        if digest(_read(fields[position])) != fields[position + 1]:
            return None
    return out, err, environment


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _host() -> list[str]:
    facts = list(os.uname())
    del facts[1]  # the host's name decides nothing
    try:
        facts.append(os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (OSError, ValueError):  # not glibc
        facts.append("")
    return facts


def _cache_directory(arguments: tuple[str, ...]) -> str:
    """Guess where the cache directory is."""
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


def _become(command: tuple[str, ...], environment: str) -> None:
    """Replace this process as ``operations.sync.run`` does; return if it cannot."""
    scripts = f"{environment}{os.sep}bin"
    search_path = scripts
    variables = dict(os.environ)
    if variables.get("PATH"):
        search_path += os.pathsep + variables["PATH"]
    variables.pop("PYTHONHOME", None)
    variables["VIRTUAL_ENV"] = environment
    variables["PATH"] = search_path
    directories = search_path.split(os.pathsep)
    if os.sep in command[0]:
        directories = [""]
    for directory in directories:
        path = os.path.join(directory, command[0])
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            sys.stdout.flush()
            sys.stderr.flush()
            try:
                os.execve(path, command, variables)  # noqa: S606 - no shell is wanted
            except OSError:
                return
