"""A plan is carried out as a whole, or the next run repairs what is left."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from fakes.installations import (
    LoggingReporter,
    WheelDirectory,
    first_of,
    make_interpreter,
    snapshot,
)
from fakes.wheels import build_wheel
from polylock.environment.exclusive import LOCK_FILE
from polylock.environment.installed import read_installed
from polylock.errors import ArchiveDamaged, EnvironmentBroken, FileCorrupt, HashMismatch
from polylock.installation.execute import execute
from polylock.installation.link import Linker, LinkMode
from polylock.installation.plan import (
    Reason,
    SyncPlan,
    SyncRequest,
    WantedDistribution,
    plan_sync,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from polylock.environment.interpreter import Interpreter
    from polylock.installation.archive import TreeFiles
    from polylock.installation.execute import Outcome


class Bench:
    """An environment without a Python, and wheels for it."""

    def __init__(self, root: Path) -> None:
        self.root = root / "env"
        self.interpreter: Interpreter = make_interpreter(self.root)
        self.site = Path(self.interpreter.scheme.purelib)
        self.wheels = WheelDirectory(root)
        self.directory = root / "wheels"
        self.reporter = LoggingReporter()

    def wheel(
        self, name: str, version: str = "1.0", files: Mapping[str, str] | None = None
    ) -> WantedDistribution:
        """Offer a wheel with a script, a data file and a module of its own."""
        stem = f"{name}-{version}"
        content: dict[str, str | bytes] = {
            f"{name}/__init__.py": f"v = {version!r}\n",
            f"{name}/only_{version.replace('.', '_')}.py": "",
            f"{stem}.data/scripts/{name}-tool": "#!python\n",
            f"{stem}.data/data/share/{name}.txt": version,
        }
        content.update(files or {})
        made = build_wheel(
            self.directory,
            name,
            version,
            files=content,
            entry_points=f"[console_scripts]\n{name} = {name}:v\n",
        )
        return self.wheels.want(made)

    def plan(self, *wanted: WantedDistribution) -> SyncPlan:
        """Plan a sync to exactly these."""
        request = SyncRequest(wanted=wanted)
        return plan_sync(request, read_installed(self.interpreter.site_directories))

    def sync(
        self, *wanted: WantedDistribution, linker: Linker | None = None
    ) -> Outcome:
        """Plan and carry out."""
        return execute(
            self.plan(*wanted),
            self.interpreter,
            self.wheels,
            linker=linker,
            reporter=self.reporter,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return an empty environment."""
    return Bench(tmp_path)


def test_execute_installs_replaces_and_removes(bench: Bench) -> None:
    """After each sync the environment holds exactly what was wanted."""
    empty = snapshot(bench.root)
    a1, a2, b, c = (
        bench.wheel("a"),
        bench.wheel("a", "2.0"),
        bench.wheel("b"),
        bench.wheel("c"),
    )
    bench.sync(a1, b)
    assert bench.plan(a1, b).is_empty
    bench.sync(a2, c)
    assert bench.plan(a2, c).is_empty
    assert bench.reporter.events == [
        "installing a 1.0",
        "installing b 1.0",
        "removing a 1.0",
        "removing b 1.0",
        "installing a 2.0",
        "installing c 1.0",
    ]
    assert (bench.site / "a" / "only_2_0.py").exists()
    assert not (bench.site / "a" / "only_1_0.py").exists()
    assert (bench.root / "share" / "a.txt").read_text() == "2.0"
    if os.name != "nt":
        assert os.access(bench.root / "bin" / "c", os.X_OK)
    bench.sync()
    assert snapshot(bench.root) == empty


@pytest.mark.skipif(os.name == "nt", reason="its file systems need no help")
def test_a_clash_of_case_is_told_where_case_does_not_count(bench: Bench) -> None:
    """Between two that are installed, and between one of them and one that stays."""
    one = bench.wheel("one", files={"Crypto/hash.py": "1"})
    two = bench.wheel("two", files={"crypto/hash.py": "2", "crypto/other.py": ""})
    bench.sync(one, two)
    assert not any("warning" in event for event in bench.reporter.events)
    bench.sync()
    # As if the file system took both spellings for one.
    bench.site.with_name(bench.site.name.upper()).symlink_to(bench.site)
    bench.sync(one)
    bench.reporter.events.clear()
    bench.sync(one, two)
    (warning,) = (e for e in bench.reporter.events if e.startswith("warning"))
    assert "Crypto/hash.py of one and " in warning
    assert "crypto/hash.py of two are one file here" in warning


def test_headers_leave_no_directory(bench: Bench) -> None:
    """The directory for headers is not there before, and not after."""
    empty = snapshot(bench.root)
    bench.sync(bench.wheel("a", files={"a-1.0.data/headers/a.h": "int a;"}))
    assert (bench.root / "include/site/python3.12/a/a.h").exists()
    bench.sync()
    assert snapshot(bench.root) == empty


def test_execute_when_there_is_nothing_to_do(bench: Bench) -> None:
    """An empty plan fetches nothing and writes nothing, not even the lock file."""
    a = bench.wheel("a")
    bench.sync(a)
    (bench.root / LOCK_FILE).unlink(missing_ok=True)
    before = snapshot(bench.root)
    outcome = bench.sync(a)
    assert outcome.link_modes == ()
    assert bench.wheels.fetched == [["a"]]
    assert snapshot(bench.root) == before
    assert not (bench.root / LOCK_FILE).exists()


def test_execute_fetches_only_what_it_installs(bench: Bench) -> None:
    """One call asks for all files at once, sorted, and for no others."""
    a, b, c = bench.wheel("a"), bench.wheel("b"), bench.wheel("c")
    bench.sync(b)
    bench.sync(c, b, a)
    assert bench.wheels.fetched == [["b"], ["a", "c"]]


def test_execute_reports_how_it_linked(bench: Bench) -> None:
    """The outcome names the mode that was used."""
    outcome = bench.sync(bench.wheel("a"), linker=Linker(LinkMode.COPY))
    assert outcome.link_modes == (LinkMode.COPY,)


def test_files_that_change_are_never_links(bench: Bench) -> None:
    """Only files that are as in the wheel share their content with the archive."""
    a = bench.wheel("a")
    bench.sync(a, linker=Linker(LinkMode.HARDLINK))
    linked = {
        path.relative_to(bench.root).as_posix()
        for path in bench.root.rglob("*")
        if path.is_file() and path.stat().st_nlink > 1
    }
    site = bench.site.relative_to(bench.root).as_posix()
    assert linked == {
        f"{site}/a/__init__.py",
        f"{site}/a/only_1_0.py",
        f"{site}/a-1.0.dist-info/METADATA",
        f"{site}/a-1.0.dist-info/WHEEL",
        f"{site}/a-1.0.dist-info/entry_points.txt",
        "share/a.txt",
    }


def test_execute_when_fetching_fails(bench: Bench) -> None:
    """A file that cannot be had leaves the environment as it was."""
    a1, a2 = bench.wheel("a"), bench.wheel("a", "2.0")
    bench.sync(a1)
    before = snapshot(bench.root)

    def fetch(wanted: Sequence[WantedDistribution]) -> list[Path]:
        raise HashMismatch(wanted[0].filename, "a", "b")

    with pytest.raises(HashMismatch):
        execute(bench.plan(a2), bench.interpreter, fetch)
    assert snapshot(bench.root) == before


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("scripts", "scripts/python"),
        ("versioned", "scripts/python3.12"),
        ("configuration", "data/pyvenv.cfg"),
        ("state", "data/polylock.json"),
        ("by data", "data/bin/python3"),
    ],
)
def test_execute_when_a_wheel_would_replace_the_python(
    bench: Bench, name: str, path: str
) -> None:
    """A wheel that would put a file in place of the environment's own is refused."""
    del name
    wheel = build_wheel(
        bench.directory, "evil", "1.0", files={f"evil-1.0.data/{path}": "x"}
    )
    before = snapshot(bench.root)
    with pytest.raises(FileCorrupt, match="would replace"):
        bench.sync(bench.wheels.want(wheel))
    assert snapshot(bench.root) == before


def test_execute_when_an_entry_point_is_called_python(bench: Bench) -> None:
    """Nor may a launcher take the place of the Python."""
    wheel = build_wheel(
        bench.directory, "evil", "1.0", entry_points="[console_scripts]\npython = a:b\n"
    )
    with pytest.raises(FileCorrupt, match="would replace python"):
        bench.sync(bench.wheels.want(wheel))


def test_execute_when_a_wheel_has_a_file_by_two_ways(bench: Bench) -> None:
    """A file of the root and one of .data that meet are refused."""
    wheel = build_wheel(
        bench.directory,
        "evil",
        "1.0",
        files={"evil/a.py": "1", "evil-1.0.data/purelib/evil/a.py": "2"},
    )
    with pytest.raises(FileCorrupt, match=r"has evil/a\.py twice"):
        bench.sync(bench.wheels.want(wheel))


def test_execute_when_the_archive_is_of_another_version(bench: Bench) -> None:
    """What was built or fetched must be what was locked."""
    a1, a2 = bench.wheel("a"), bench.wheel("a", "2.0")

    def fetch(wanted: Sequence[WantedDistribution]) -> list[Path]:
        return [bench.wheels.archive(a2) for _ in wanted]

    before = snapshot(bench.root)
    with pytest.raises(FileCorrupt, match=r"it is a 2\.0, not a 1\.0"):
        execute(bench.plan(a1), bench.interpreter, fetch)
    assert snapshot(bench.root) == before


@pytest.mark.parametrize("missing", ["a/__init__.py", "a-1.0.data/data/share/a.txt"])
def test_execute_when_the_archive_lacks_a_file(bench: Bench, missing: str) -> None:
    """A damaged archive is named by its hash; the next sync repairs."""
    a = bench.wheel("a")
    archive = bench.wheels.archive(a)
    kept = archive / "kept"
    (archive / "tree" / missing).rename(kept)
    with pytest.raises(ArchiveDamaged) as caught:
        bench.sync(a)
    assert caught.value.sha256 == a.sha256
    kept.rename(archive / "tree" / missing)
    assert [entry.reason for entry in bench.plan(a).reinstall] == [Reason.BROKEN]
    bench.sync(a)
    assert bench.plan(a).is_empty


def test_execute_refuses_legacy_forms_before_it_fetches(bench: Bench) -> None:
    """What cannot be removed is found before anything is done."""
    (bench.site / "old-1.0.egg-info").mkdir()
    a = bench.wheel("a")
    with pytest.raises(EnvironmentBroken, match="egg-info"):
        bench.sync(a)
    assert bench.wheels.fetched == []


def test_execute_keeps_files_that_others_share(bench: Bench) -> None:
    """Removing one of two old namespace packages leaves the other whole."""
    one = bench.wheel("one", files={"space/__init__.py": "", "space/one.py": ""})
    two = bench.wheel("two", files={"space/__init__.py": "", "space/two.py": ""})
    bench.sync(one, two)
    bench.sync(two)
    assert {p.name for p in (bench.site / "space").iterdir()} == {
        "__init__.py",
        "two.py",
    }


def test_execute_when_another_sync_did_the_work(bench: Bench) -> None:
    """A plan that was overtaken is made anew under the lock."""
    a, b = bench.wheel("a"), bench.wheel("b")
    overtaken = bench.plan(a, b)
    bench.sync(a)
    bench.reporter.events.clear()
    outcome = execute(
        overtaken, bench.interpreter, bench.wheels, reporter=bench.reporter
    )
    assert bench.reporter.events == ["installing b 1.0"]
    assert [entry.name for entry in outcome.plan.keep] == ["a"]
    assert bench.plan(a, b).is_empty


def test_execute_waits_for_another_sync(bench: Bench) -> None:
    """While another process holds the lock nothing changes, and the user is told."""
    a = bench.wheel("a")
    lock = FileLock(bench.root / LOCK_FILE)
    told = threading.Event()

    class Waiting(LoggingReporter):
        def warning(self, message: str) -> None:
            super().warning(message)
            told.set()

    reporter = Waiting()
    plan = bench.plan(a)
    thread = threading.Thread(
        target=execute,
        args=(plan, bench.interpreter, bench.wheels),
        kwargs={"reporter": reporter},
    )
    with lock:
        thread.start()
        assert told.wait(10)
        assert not (bench.site / "a").exists()
    thread.join(10)
    assert not thread.is_alive()
    assert reporter.events == [
        f"warning waiting for another polylock that changes {bench.root}",
        "installing a 1.0",
    ]


def test_execute_when_the_environment_cannot_be_written(bench: Bench) -> None:
    """Without a place for the lock file nothing is changed."""
    (bench.root / LOCK_FILE).mkdir()
    before = snapshot(bench.root)
    with pytest.raises(EnvironmentBroken, match="cannot be written"):
        bench.sync(bench.wheel("a"))
    assert snapshot(bench.root) == before


def test_execute_when_the_python_cannot_compile(bench: Bench) -> None:
    """A Python that does not run is told, once everything is installed."""
    a = bench.wheel("a")
    with pytest.raises(EnvironmentBroken, match="cannot be run"):
        execute(bench.plan(a), bench.interpreter, bench.wheels, compile_bytecode=True)
    assert bench.plan(a).is_empty


class Interrupted(BaseException):
    """Stands for Ctrl-C."""


class InterruptingLinker(Linker):
    """Stops after a number of trees."""

    def __init__(self, trees: int, files: int) -> None:
        super().__init__(LinkMode.COPY)
        self.left = trees
        self.files = files

    def link_files(
        self, source: Path, target: Path, tree: TreeFiles, *, mode: int | None = None
    ) -> None:
        """Link as many files as are left."""
        if self.left == 0:
            super().link_files(source, target, first_of(tree, self.files), mode=mode)
            raise Interrupted
        self.left -= 1
        super().link_files(source, target, tree, mode=mode)


@pytest.mark.parametrize("files", [0, 2])
@pytest.mark.parametrize("trees", [0, 1, 2])
def test_an_interrupted_sync_is_repaired(bench: Bench, trees: int, files: int) -> None:
    """Wherever linking stops, the next sync reaches the same environment."""
    a1, b1, c = bench.wheel("a"), bench.wheel("b"), bench.wheel("c")
    a2, b2 = bench.wheel("a", "2.0"), bench.wheel("b", "2.0")
    bench.sync(a2, b2, c)
    expected = snapshot(bench.root)
    bench.sync(a1, b1)
    with pytest.raises(Interrupted):
        bench.sync(a2, b2, c, linker=InterruptingLinker(trees, files))
    bench.sync(a2, b2, c)
    assert bench.plan(a2, b2, c).is_empty
    assert snapshot(bench.root) == expected


def test_an_interrupted_sync_may_be_followed_by_another_lock(bench: Bench) -> None:
    """What an interrupted installation left goes, though it is wanted no more."""
    a, b = bench.wheel("a"), bench.wheel("b")
    bench.sync(b)
    expected = snapshot(bench.root)
    with pytest.raises(Interrupted):
        bench.sync(a, b, linker=InterruptingLinker(0, 3))
    assert (bench.site / "a").exists()
    bench.sync(b)
    assert snapshot(bench.root) == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_sync_is_repaired(tmp_path: Path) -> None:
    """After a kill at any change of the file system, the next sync repairs."""
    driver = Path(__file__).with_name("kill_every_step.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(
        [sys.executable, "-W", "error", driver, tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout.split()[-1]) > 60, "fewer steps than the sync must have"


def test_execute_imports_nothing_heavy() -> None:
    """Planning imports no HTTP client, no terminal library, no installer, no lock."""
    code = (
        "import sys, polylock.installation.execute, polylock.environment.venv;"
        "heavy = {'httpx', 'rich', 'filelock', 'installer', 'zipfile',"
        " 'email', 'hypothesis'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "[]"
