"""An answer is given again while all that it depends on is as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from fakes.repositories import source_tree
from fakes.sdists import in_tree
from fakes.this_machine import python_path
from polylock.answer_cache import recall as recalling
from polylock.answer_cache import remember as remembering
from polylock.cache.store import Bucket, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.command_line import CommandLine
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

SOURCE = Path(__file__).parents[2] / "src"

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="nothing is remembered on Windows"
)


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust files that were written a moment ago, as these all were."""
    monkeypatch.setattr(remembering, "SETTLED", 0)


@pytest.fixture
def carried_out(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Note the exit code of each call from memory, None where it was carried out."""
    codes: list[int | None] = []
    recall = recalling.recall

    def noted(arguments: tuple[str, ...]) -> int | None:
        codes.append(recall(arguments))
        return codes[-1]

    monkeypatch.setattr(recalling, "recall", noted)
    return codes


def is_recalled(*arguments: str) -> bool:
    """Say whether a command would be answered from memory."""
    return recalling.recall(arguments) is not None


def require_tree(demo: CommandLine) -> None:
    """Let the project require a source tree instead of a wheel, and lock it."""
    with tarfile.open(in_tree(demo.directory, "local", "1.0")) as archive:
        if hasattr(tarfile, "data_filter"):  # 3.11.2 knows no filters
            archive.extractall(demo.directory, filter="data")
        else:
            archive.extractall(demo.directory)
    text = demo.read().replace('"fallbackkit", ', '"local", ')
    demo.write(f'{text}[tool.polylock.sources]\nlocal = {{ path = "local-1.0" }}\n')
    demo.succeed("lock")


def prime(demo: CommandLine, *arguments: str) -> None:
    """Run a command until it is answered from memory."""
    for _ in range(2):
        demo.succeed(*arguments)
    assert is_recalled(*arguments), arguments


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", "--json"),
        ("check", "-q"),
        ("lock",),
        ("lock", "--json"),
        ("lock", "--offline"),
        ("sync", "--target", "here"),
        ("sync", "--target", "here", "--json"),
    ],
    ids=" ".join,
)
def test_the_same_is_said_again(
    demo: CommandLine, carried_out: list[int | None], arguments: tuple[str, ...]
) -> None:
    """From memory come the same stdout, stderr and exit code."""
    if arguments[0] == "sync":
        demo.succeed("sync", "--target", "here", "--reinstall")  # not remembered
    first, again = demo(*arguments), demo(*arguments)
    assert carried_out[-2:] == [None, 0]
    assert (again.out, again.err, again.code) == (first.out, first.err, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "-v"),
        ("lock", "--upgrade"),
        ("lock", "--dry-run"),
        ("lock", "--target", "here"),
        ("sync", "--target", "here", "--dry-run"),
        ("sync", "--target", "here", "--check"),
        ("sync", "--target", "here", "--forget"),
        ("sync", "--target", "here", "--reinstall"),
        ("tree", "--target", "here"),
    ],
    ids=" ".join,
)
def test_what_is_no_plain_question_is_never_recalled(
    demo: CommandLine, arguments: tuple[str, ...]
) -> None:
    """Where more is asked than whether there is something to do, it is carried out."""
    if arguments[0] == "sync":
        demo.succeed("sync", "--target", "here")
    for _ in range(3):
        demo.succeed(*arguments)
    assert not is_recalled(*arguments)


def test_a_difference_is_never_remembered(demo: CommandLine) -> None:
    """Only an answer without an error is given again."""
    demo.succeed("add", "vecdemo", "--no-lock")
    for _ in range(2):
        assert demo("check").code == 3
        assert demo("check", "--json").code == 3
    assert not is_recalled("check")
    assert not is_recalled("check", "--json")


@pytest.mark.parametrize("name", ["pyproject.toml", "pylock.toml"])
def test_each_line_of_both_files_counts(demo: CommandLine, name: str) -> None:
    """Without any one line the question is a new one; with it the old one again."""
    for arguments in (("check",), ("lock",)):
        prime(demo, *arguments)
        text = demo.read(name)
        lines = text.splitlines(keepends=True)
        for number in range(len(lines)):
            demo.write("".join(lines[:number] + lines[number + 1 :]), name)
            assert not is_recalled(*arguments), lines[number]
        demo.write(text, name)
        assert is_recalled(*arguments)


def _edit_user_file(demo: CommandLine) -> None:
    path = demo.directory.parent / "home" / "config" / "polylock" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("threads = 2\n", "utf-8")


def _touch_module(demo: CommandLine) -> None:
    (demo.directory.parent / "module.py").write_text("changed = True\n", "utf-8")


def _install_beside_polylock(demo: CommandLine) -> None:
    (demo.directory.parent / "imports" / "packaging-99.dist-info").mkdir()


CHANGES: dict[str, Callable[[CommandLine], object]] = {
    "the user's file": _edit_user_file,
    "a module": _touch_module,
    "an import directory": _install_beside_polylock,
    "a variable": lambda demo: demo.set("POLYLOCK_THREADS", "2"),
    "another home": lambda demo: demo.set("HOME", str(demo.directory)),
    "the lock file": lambda demo: (demo.directory / "pylock.toml").unlink(),
    "the project file": lambda demo: (demo.directory / "pyproject.toml").unlink(),
    "the cache": lambda demo: shutil.rmtree(demo.directory.parent / "cache"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_each_input_counts(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """When anything that it depends on has changed, a command is carried out."""
    path = demo.directory.parent / "module.py"
    path.write_text("changed = False\n", "utf-8")
    module = ModuleType("polylock.example")
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, "polylock.example", module)
    imports = demo.directory.parent / "imports"
    imports.mkdir()
    monkeypatch.syspath_prepend(imports)
    prime(demo, "check")
    CHANGES[what](demo)
    assert not is_recalled("check")


@pytest.mark.parametrize(
    ("name", "value"), [("__version__", "9.9"), ("host_facts", lambda: ["another"])]
)
def test_another_polylock_or_host_asks_anew(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """A cache may be shared by releases of polylock, by machines and containers."""
    prime(demo, "check")
    monkeypatch.setattr(recalling, name, value)
    assert not is_recalled("check")


def test_a_nearer_project_or_lock_file_counts(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a directory below, a file that would be found first is looked for."""
    below = demo.directory / "src" / "demo"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    for directory, name in (
        (below, "pyproject.toml"),
        (below.parent, "pyproject.toml"),
        (below, "pylock.toml"),
    ):
        prime(demo, "check")
        (directory / name).write_text("", "utf-8")
        assert not is_recalled("check"), (directory, name)
        (directory / name).unlink()


def test_a_damaged_entry_is_no_answer(demo: CommandLine) -> None:
    """An entry that was cut short or overwritten counts as absent."""
    prime(demo, "check")
    (asked,) = recalling.questions(("check",))
    path = Store(demo.directory.parent / "cache").path(Bucket.ANSWERS, asked.key)
    content = path.read_bytes()
    for damaged in (b"", content[:-1], content[:40], content + b"x"):
        path.write_bytes(damaged)
        assert not is_recalled("check")
    path.write_bytes(content)
    assert is_recalled("check")


def test_passwords_have_no_part_in_the_key(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No index is asked, so credentials are not even hashed."""
    prime(demo, "check")
    monkeypatch.setenv("POLYLOCK_INDEX_OWN_PASSWORD", "example")
    assert is_recalled("check")


def _environment_changes() -> dict[str, Callable[[Path, Path], object]]:
    """Return what may happen to an environment and to a .dist-info in it."""

    def same_size_and_time(_: Path, found: Path) -> None:
        path = found / "polylock.json"
        status = path.stat()
        path.write_bytes(path.read_bytes().replace(b'"sha256":"', b'"sha256":"f')[:-1])
        os.truncate(path, status.st_size)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return {
        "pyvenv.cfg": lambda venv, _: (venv / "pyvenv.cfg").touch(),
        "the choice": lambda venv, _: (venv / "polylock.json").write_text("{}"),
        "the Python": lambda venv, _: _replace_python(venv),
        "another distribution": lambda _, d: (d.parent / "x-1.dist-info").mkdir(),
        "a legacy one": lambda _, d: (d.parent / "x.egg-link").touch(),
        "one less": lambda _, d: shutil.rmtree(d),
        "no RECORD": lambda _, d: (d / "RECORD").unlink(),
        "a partial RECORD": lambda _, d: (d / "RECORD.partial").touch(),
        "a source": lambda _, d: (d / "direct_url.json").write_text('{"url": "x:"}'),
        "another origin": same_size_and_time,
        "no origin": lambda _, d: (d / "polylock.json").unlink(),
        "all of it": lambda venv, _: shutil.rmtree(venv),
    }


def _replace_python(venv: Path) -> None:
    python = venv / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\n", "utf-8")
    python.chmod(0o755)


@pytest.mark.parametrize("what", _environment_changes())
def test_each_change_of_an_environment_counts(synced: CommandLine, what: str) -> None:
    """What a sync would look at in the environment is looked at.

    That holds whether its target is named, or is the one of the last sync.
    """
    asked = (("sync", "--target", "here"), ("sync",))
    for arguments in asked:
        prime(synced, *arguments)
    venv = synced.directory / ".venv"
    (found,) = venv.glob("lib/*/site-packages/fallbackkit-*.dist-info")
    _environment_changes()[what](venv, found)
    assert [is_recalled(*arguments) for arguments in asked] == [False, False]


def test_what_another_installer_put_there_counts(synced: CommandLine) -> None:
    """Of a foreign distribution WHEEL is read, so it is looked at."""
    (found,) = synced.directory.glob(
        ".venv/lib/*/site-packages/fallbackkit-*.dist-info"
    )
    (found / "polylock.json").unlink()
    prime(synced, "sync")
    path = found / "WHEEL"
    path.write_text(path.read_text("utf-8").replace("none", "abi3"), "utf-8")
    assert not is_recalled("sync")


def test_a_source_tree_is_looked_at_each_time(demo: CommandLine) -> None:
    """A directory may have changed anywhere, so nothing is remembered of it."""
    require_tree(demo)
    for _ in range(3):
        demo.succeed("sync", "--target", "here")
    assert not is_recalled("sync", "--target", "here")
    prime(demo, "check")  # which does not look into it


@pytest.fixture
def own(demo: CommandLine) -> CommandLine:
    """Return the demo as a distribution that brings its own backend, synced."""
    source_tree(demo.directory.parent / "tree", "demo")
    shutil.copytree(demo.directory.parent / "tree" / "tools", demo.directory / "tools")
    demo.write(
        demo.read() + '\n[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        'backend-path = ["tools"]\n'
    )
    demo.succeed("lock")
    demo.succeed("sync", "--target", "here")
    prime(demo, "sync")
    return demo


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.py", "setup.cfg"])
def test_a_build_file_of_an_editable_project_counts(
    own: CommandLine, name: str
) -> None:
    """Each that appears or changes is looked into, other files are not."""
    (own.directory / "module.py").write_text("x = 1\n", "utf-8")
    assert is_recalled("sync")
    path = own.directory / name
    text = path.read_text("utf-8") if path.exists() else "# none\n"
    path.write_text(text + "# one\n", "utf-8")
    assert not is_recalled("sync")
    own.succeed("lock")
    own.succeed("sync")
    prime(own, "sync")
    size = path.stat().st_size
    path.write_text(text + "# two\n", "utf-8")
    assert path.stat().st_size == size
    assert not is_recalled("sync")
    own.succeed("lock")
    own.succeed("sync")
    prime(own, "sync")
    path.unlink()
    assert not is_recalled("sync")


def test_an_editable_project_beside_a_tree_is_looked_at(own: CommandLine) -> None:
    """What is known of the project says nothing of another source tree."""
    require_tree(own)
    for _ in range(3):
        own.succeed("sync")
    assert not is_recalled("sync")


def test_without_the_editable_project_its_files_do_not_count(
    own: CommandLine,
) -> None:
    """With --no-install-project it is not built, so setup.py says nothing."""
    own.succeed("sync", "--no-install-project")
    prime(own, "sync", "--no-install-project")
    (own.directory / "setup.py").touch()
    assert is_recalled("sync", "--no-install-project")


@pytest.mark.parametrize("verb", ["lock", "sync"])
def test_an_answer_with_a_warning_is_not_remembered(
    synced: CommandLine, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """A warning has to be said each time, and an answer from memory has none."""
    module = import_module(f"polylock.cli.{verb}")
    operation = getattr(module, verb)

    def warning(settings: Settings, options: object, reporter: Reporter) -> object:
        reporter.warning("something to know")
        return operation(settings, options, reporter)

    with monkeypatch.context() as patched:
        patched.setattr(module, verb, warning)
        for _ in range(2):
            assert "something to know" in synced.succeed(verb).err
    assert not is_recalled(verb)
    prime(synced, verb)


def test_run_becomes_the_command_at_once(synced: CommandLine) -> None:
    """With the environment as it is, ``run`` sets it up as it does after a sync."""
    variables = {**os.environ, "PYTHONPATH": python_path(SOURCE)}
    program = (
        "import os, sys; print(sys.prefix == os.environ['VIRTUAL_ENV'],"
        "os.environ['PATH'].split(os.pathsep)[0] == os.path.dirname(sys.executable),"
        "'PYTHONHOME' in os.environ, sys.argv[1:]); sys.exit(7)"
    )
    traced = (
        "import sys; from polylock.__main__ import main;"
        "import polylock.answer_cache.recall as r, os; old = os.execve\n"
        "def noted(*a): print('click' in sys.modules, flush=True); old(*a)\n"
        "os.execve = noted; from polylock.answer_cache import remember\n"
    )
    slow = "remember.SETTLED = 0; main()"
    quick = "[sys.modules.pop(n) for n in list(sys.modules) if 'click' in n]; main()"
    told = []
    for ending in (slow, slow, quick):
        done = subprocess.run(
            [
                *(sys.executable, "-c", traced + ending),
                *("run", "--group=test", "--", "python", "-c", program, "--group"),
            ],
            cwd=synced.directory,
            env=variables,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        assert done.returncode == 7, done.stderr
        told.append(done.stdout.splitlines())
    assert told[2] == ["False", "True True False ['--group']"]
    assert told[1][1:] == told[2][1:]


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("run", "python", "--target"), ("python", "--target")),
        (("run", "--", "python"), ("python",)),
        (("run", "--target", "--", "python"), ("python",)),
        (("run", "--target=here", "-q", "x", "--", "y"), ("x", "--", "y")),
        (("run", "--group", "test", "x", "--", "y"), ("x", "--", "y")),
        (("run", "--frozen", "x", "-k", "y", "z"), ("x", "-k", "y", "z")),
        (("run", "-", "x"), ("-", "x")),
    ],
)
def test_the_command_of_run_is_among_what_may_be_asked(
    arguments: tuple[str, ...], command: tuple[str, ...]
) -> None:
    """Whichever options take a value, one question has all that stands before it."""
    told = [asked.command for asked in recalling.questions(arguments)]
    assert command in told


def test_options_are_known_by_what_ran_with_them(
    synced: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stood before a command once was options: no list of them is kept."""
    begun: list[tuple[str, ...]] = []

    def execve(_path: object, command: tuple[str, ...], _variables: object) -> None:
        begun.append(command)
        raise OSError("this process is still needed")

    monkeypatch.setattr(os, "execve", execve)
    options = ("run", "--group", "test", "--no-install-project")
    program = ("python", "-c", "pass")
    for _ in range(2):
        synced(*options, *program)

    def becomes(*arguments: str) -> list[tuple[str, ...]]:
        begun.clear()
        assert recalling.recall(arguments) is None
        return begun

    another = ("python", "-c", "print(1)", "--group")
    assert becomes(*options, *program) == [program]
    assert becomes(*options, *another) == [another]
    assert becomes("run", "--group", *program) == []
    assert becomes("run", "--group", "test", "--frozen", *program) == []
    assert becomes("run", *program) == []


def test_a_program_that_may_need_a_warning_is_not_begun(
    synced: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a wrapper in a directory of the system that has the name of one."""
    begun: list[str] = []

    def execve(path: str, _command: object, _variables: object) -> None:
        begun.append(Path(path).name)
        raise OSError("this process is still needed")

    system = synced.directory.parent / "system"
    system.mkdir()
    for name in ("pytest", "pip3.11", "plain-tool"):
        (system / name).write_text("#!/bin/sh\n")
        (system / name).chmod(0o755)
    monkeypatch.setattr(recalling, "_SYSTEM", {str(system)})
    monkeypatch.setenv("PATH", f"{system}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(os, "execve", execve)
    synced("run", "plain-tool")
    begun.clear()
    for name in ("pytest", "pip3.11", "plain-tool"):
        assert recalling.recall(("run", name)) is None
    assert begun == ["plain-tool"]


@pytest.mark.parametrize(
    "arguments",
    [(), ("--help",), ("why", "numpy"), ("run",), ("run", "--"), ("run", "--target")],
)
def test_what_is_not_known_is_carried_out(arguments: tuple[str, ...]) -> None:
    """Other commands have no name in the memory, nor has one without its command."""
    assert recalling.questions(arguments) == []


def test_the_cache_directory_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag counts before the variable, and that before the default."""
    monkeypatch.setenv("HOME", "/home/ada")

    def guessed(*arguments: str) -> str:
        (asked,) = recalling.questions(("check", *arguments))
        return asked.cache

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert guessed() == "/var/cache/polylock"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert guessed() == "/home/ada/.cache/polylock"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert guessed() == "/home/ada/Library/Caches/polylock"
    monkeypatch.setenv("POLYLOCK_CACHE_DIR", "~/polylock")
    assert guessed() == "/home/ada/polylock"
    assert guessed("--cache-dir", "/a") == "/a"
    assert guessed("--cache-dir", "/a", "--cache-dir=b") == "b"
