"""Virtual environments are made, recognised, and remember the choice made for them."""

from __future__ import annotations

import shutil
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from fakes.installations import LoggingReporter, make_interpreter, snapshot
from fakes.pythons import real_interpreter, this_python
from polylock.cache.store import Store
from polylock.environment.discovery import environment_python
from polylock.environment.interpreter import probe
from polylock.environment.venv import (
    LOCK_FILE,
    STATE_FILE,
    EnvironmentState,
    create,
    exclusive,
    is_environment,
    linked_environment,
    open_environment,
    read_state,
    recreate,
    write_state,
)
from polylock.errors import EnvironmentBroken
from polylock.ports import SilentReporter

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts as Pythons")


@pytest.mark.parametrize("version", ["this", "3.8", "3.11"])
def test_create_makes_an_environment_without_pip(tmp_path: Path, version: str) -> None:
    """The new environment is that Python's, is empty, and is marked as polylock's."""
    base = real_interpreter(version)
    path = tmp_path / "a place" / ".venv"
    python = create(path, base)
    assert is_environment(path)
    made = probe(python)
    assert made.is_virtual
    assert Path(made.prefix).samefile(path)
    assert made.version == base.version
    assert not list(Path(made.scheme.purelib).iterdir())
    scheme, purelib = base.venv_scheme, Path(made.scheme.purelib)
    assert purelib.samefile(path / scheme.purelib)
    assert read_state(path) == EnvironmentState(created=True, path=str(path))
    assert "*" in (path / ".gitignore").read_text()


def test_create_takes_an_empty_directory(tmp_path: Path) -> None:
    """A directory that exists and is empty will do."""
    assert create(tmp_path, real_interpreter("this")).exists()


@pytest.mark.parametrize("name", ["notes.txt", ".hidden"])
def test_create_refuses_a_directory_with_content(tmp_path: Path, name: str) -> None:
    """Nobody's files are mixed with an environment."""
    place = tmp_path / "place"
    place.mkdir()
    (place / name).touch()
    with pytest.raises(EnvironmentBroken, match="is not empty") as caught:
        create(place, make_interpreter(tmp_path / "fake"))
    assert "--venv" in str(caught.value.hint())
    assert [path.name for path in place.iterdir()] == [name]


def test_create_refuses_a_file(tmp_path: Path) -> None:
    """A file is no place for an environment."""
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentBroken, match="is a file"):
        create(tmp_path / "file", make_interpreter(tmp_path / "fake"))


def test_create_takes_what_another_process_made(tmp_path: Path) -> None:
    """An environment that is there by now is taken as it is."""
    interpreter = make_interpreter(tmp_path / "env")
    assert create(tmp_path / "env", interpreter) == tmp_path / "env" / "bin" / "python"


@pytest.mark.parametrize("left", ["half", "configured", "empty"])
def test_create_after_an_interrupted_creation(tmp_path: Path, left: str) -> None:
    """What a killed creation left is no environment, and is made anew, exactly."""
    interpreter = real_interpreter("this")
    path = tmp_path / "env"
    create(path, interpreter)
    whole = snapshot(path)
    if left == "configured":
        (path / "bin" / "python").unlink(missing_ok=True)
    else:
        shutil.rmtree(path)
        path.mkdir()
        if left == "half":
            (path / "lib").mkdir()
            (path / "left.txt").touch()
    (path / ".polylock-unfinished").touch()
    assert not is_environment(path)
    create(path, interpreter)
    assert snapshot(path) == whole
    assert is_environment(path)


def test_creations_at_once_make_one_environment(tmp_path: Path) -> None:
    """The second waits for the first, is told so, and takes what it made."""
    interpreter = real_interpreter("this")
    path = tmp_path / "env"
    reporter = LoggingReporter()
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(create, path, interpreter, reporter) for _ in range(4)]
        pythons = {each.result() for each in made}
    assert len(pythons) == 1
    assert is_environment(path)
    assert set(reporter.events) <= {
        f"warning waiting for another polylock process that is changing {path}"
    }
    assert reporter.events


@POSIX
@pytest.mark.parametrize(
    ("said", "problem", "hint"),
    [
        ("No module named venv", "has no venv module", "python3-venv"),
        ("disk is full", "cannot be created: disk is full", None),
    ],
)
def test_create_when_it_fails(
    tmp_path: Path, said: str, problem: str, hint: str | None
) -> None:
    """A failure tells its reason and leaves nothing behind."""
    python = tmp_path / "python"
    python.write_text(
        f"#!/bin/sh\nfor last; do :; done\nmkdir -p $last/half\necho '{said}' >&2\n"
        "exit 1\n"
    )
    python.chmod(0o755)
    interpreter = msgspec.structs.replace(
        make_interpreter(tmp_path / "fake"), executable=str(python)
    )
    with pytest.raises(EnvironmentBroken, match=problem) as caught:
        create(tmp_path / "env", interpreter)
    assert not (tmp_path / "env").exists()
    if hint is not None:
        assert hint in str(caught.value.hint())


def test_create_when_the_python_is_gone(tmp_path: Path) -> None:
    """A Python that was removed since it was found is an error."""
    interpreter = msgspec.structs.replace(
        make_interpreter(tmp_path / "fake"), executable=str(tmp_path / "gone")
    )
    with pytest.raises(EnvironmentBroken, match="cannot be run"):
        create(tmp_path / "env", interpreter)


def test_two_processes_that_write_the_state_at_once_lose_nothing(
    tmp_path: Path,
) -> None:
    """Each write ends well, and what is read is one of the states."""
    short, long = (EnvironmentState(target=text) for text in ("a", "b" * 200))
    failures: list[EnvironmentBroken] = []

    def write(first: EnvironmentState, second: EnvironmentState) -> None:
        try:
            for _ in range(40):
                write_state(tmp_path, first)
                write_state(tmp_path, second)
        except EnvironmentBroken as error:
            failures.append(error)

    threads = [
        threading.Thread(target=write, args=states)
        for states in ((short, long), (long, short))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert read_state(tmp_path) in {short, long}


OTHER = "3.12" if sys.version_info[:2] != (3, 12) else "3.11"


def _filled(path: Path) -> str:
    """Make an environment with a module and a choice; return its Python's version."""
    base = real_interpreter("this")
    made = probe(create(path, base))
    Path(made.scheme.purelib, "module.py").write_text("", "utf-8")
    write_state(path, EnvironmentState(created=True, target="h100", groups=("dev",)))
    return made.version


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("envs/x", "project/envs/x"),
        ("a/b=c", "project/a/b=c"),
        ("~/envs/x", "home/envs/x"),
        ("~other/x", "project/~other/x"),
    ],
)
def test_a_file_names_an_environment_that_need_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, expected: str
) -> None:
    """Relative to the file, or to the home directory."""
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    (tmp_path / "project").mkdir()
    place = tmp_path / "project" / ".venv"
    place.write_text(f"{line}\n")
    assert linked_environment(place) == tmp_path / expected


def test_recreate_makes_it_anew_with_another_python(tmp_path: Path) -> None:
    """It is empty, and the choice that was made for it stays."""
    other = real_interpreter(OTHER)
    path = tmp_path / ".venv"
    _filled(path)
    made = open_environment(recreate(path, other, is_due=lambda: True).parents[1])
    assert made.version == other.version
    assert not list(path.rglob("module.py"))
    assert read_state(path).target == "h100"
    assert read_state(path).groups == ("dev",)
    assert not list(path.glob(".polylock-*"))


def test_recreate_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """A Python that is gone takes no environment with it."""
    path = tmp_path / ".venv"
    _filled(path)
    before = snapshot(path)
    gone = make_interpreter(tmp_path / "gone")
    with pytest.raises(EnvironmentBroken):
        recreate(path, gone, is_due=lambda: True)
    assert snapshot(path) == before
    assert is_environment(path)


def test_recreate_takes_what_another_process_made(tmp_path: Path) -> None:
    """An environment that has another Python by now is not made again."""
    path = tmp_path / ".venv"
    _filled(path)
    before = snapshot(path)
    recreate(path, real_interpreter("this"), is_due=lambda: False)
    assert snapshot(path) == before


def test_an_interrupted_recreation_keeps_the_choice(tmp_path: Path) -> None:
    """The next creation begins from the start, for the same target and groups."""
    path = tmp_path / ".venv"
    _filled(path)
    (path / ".polylock-replaced").mkdir()
    (path / "lib").replace(path / ".polylock-replaced" / "lib")
    (path / ".polylock-unfinished").touch()
    assert not is_environment(path)
    create(path, real_interpreter("this"))
    assert is_environment(path)
    assert not (path / ".polylock-replaced").exists()
    assert read_state(path) == EnvironmentState(
        created=True, target="h100", groups=("dev",), path=str(path)
    )


def test_state_is_remembered(tmp_path: Path) -> None:
    """Target, groups and extras come back."""
    state = EnvironmentState(target="h100", groups=("dev",), extras=("fast",))
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    assert {path.name for path in tmp_path.iterdir()} == {STATE_FILE, LOCK_FILE}


def test_state_that_is_the_same_is_not_written(tmp_path: Path) -> None:
    """A no-op sync touches nothing."""
    state = EnvironmentState(target="h100")
    write_state(tmp_path, state)
    before = (tmp_path / STATE_FILE).stat()
    write_state(tmp_path, state)
    after = (tmp_path / STATE_FILE).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b'{"target": 1}', b'{"version": 99, "target": "x"}']
)
def test_state_that_cannot_be_read_is_forgotten(
    tmp_path: Path, content: bytes | None
) -> None:
    """Without a readable state the choice is made anew."""
    if content is not None:
        (tmp_path / STATE_FILE).write_bytes(content)
    assert read_state(tmp_path) == EnvironmentState()


def test_state_when_the_environment_is_gone(tmp_path: Path) -> None:
    """A directory that is not there cannot be written to."""
    with pytest.raises(EnvironmentBroken, match="cannot be written"):
        write_state(tmp_path / "gone", EnvironmentState())


@POSIX
def test_a_python_that_works_for_another_environment_is_refused(
    tmp_path: Path,
) -> None:
    """Without pyvenv.cfg the link leads to somebody else's packages."""
    place = tmp_path / "environment"
    create(place, this_python())
    assert Path(open_environment(place).prefix).samefile(place)
    (place / "pyvenv.cfg").unlink()
    with pytest.raises(EnvironmentBroken, match=r"pyvenv\.cfg is damaged"):
        open_environment(place)


def test_a_kept_answer_of_an_unfinished_environment_does_not_count(
    tmp_path: Path,
) -> None:
    """What a Python said before its environment was whole is asked again."""
    store = Store(tmp_path / "cache")
    place = tmp_path / "environment"
    create(place, this_python())
    python = environment_python(place)
    found = probe(python, store=store)
    (entry,) = (
        path
        for path in (tmp_path / "cache").rglob("*")
        if path.is_file() and str(place).encode() in path.read_bytes()
    )
    changed = entry.read_bytes()[4:].replace(str(place).encode(), b"/nowhere")
    entry.write_bytes(zlib.crc32(changed).to_bytes(4, "big") + changed)
    assert probe(python, store=store).prefix == "/nowhere"
    assert open_environment(place, store=store) == found
    assert probe(python, store=store) == found


class Told(SilentReporter):
    """Notes that the lock is waited for."""

    def __init__(self) -> None:
        self.waiting = threading.Event()

    def warning(self, message: str) -> None:
        """Take the one warning that there is."""
        assert message.startswith("waiting for another polylock")
        self.waiting.set()


def test_a_second_sync_waits_and_says_so(tmp_path: Path) -> None:
    """While one block is open another is not entered, and the user is told why."""
    entered = threading.Event()
    told = Told()

    def second() -> None:
        with exclusive(tmp_path, told):
            entered.set()

    thread = threading.Thread(target=second)
    with exclusive(tmp_path, Told()):
        thread.start()
        assert told.waiting.wait(10)
        assert not entered.is_set()
    thread.join(10)
    assert entered.is_set()


def test_an_environment_that_cannot_be_locked(tmp_path: Path) -> None:
    """A lock that cannot be written is an error of the environment, with its path."""
    (tmp_path / LOCK_FILE).mkdir()
    with (
        pytest.raises(EnvironmentBroken, match="cannot be written") as raised,
        exclusive(tmp_path, Told()),
    ):
        pass
    assert LOCK_FILE in str(raised.value)
    assert "--venv" in str(raised.value.hint())
