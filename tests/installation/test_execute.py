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
from polylock.environment.installed import read_installed
from polylock.environment.venv import LOCK_FILE, STATE_FILE
from polylock.errors import (
    ArchiveDamaged,
    CacheUnusable,
    EnvironmentBroken,
    FileCorrupt,
    HashMismatch,
)
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
    assert "crypto/hash.py of two are the same file" in warning


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


@pytest.mark.parametrize("path", ["pyvenv.cfg", "bin/python", STATE_FILE, LOCK_FILE])
def test_execute_when_a_wheel_would_replace_the_python_by_a_link(
    bench: Bench, path: str
) -> None:
    """Only the environment shows where a link in it leads."""
    (bench.root / "to").symlink_to(bench.root)
    wheel = build_wheel(
        bench.directory, "evil", "1.0", files={f"evil-1.0.data/data/to/{path}": "x"}
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
        f"warning waiting for another polylock process that is changing {bench.root}",
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


def forged(bench: Bench, name: str, record: str, **files: str) -> Path:
    """Put a distribution into site-packages by hand; return its ``.dist-info``."""
    info = bench.site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\n")
    (info / "RECORD").write_text(record)
    for file, content in files.items():
        (info / file).write_text(content)
    return info


OWN_FILES = [
    "pyvenv.cfg",
    "bin/python",
    "bin/python3.12",
    "bin/activate",
    "bin/Activate.ps1",
    "polylock.json",
    ".gitignore",
]


@pytest.mark.parametrize("by", ["lib", "link"])
def test_a_record_cannot_remove_the_environment(bench: Bench, by: str) -> None:
    """What came with the environment stays, whatever a RECORD lists."""
    if by == "link":
        (bench.root / "to").symlink_to(bench.root)
    way = "../../../to/" if by == "link" else "../../../"
    for name in OWN_FILES:
        (bench.root / name).write_text("own")
    (bench.root / "share").mkdir()
    (bench.root / "share" / "evil.txt").write_text("its own data")
    rows = [f"{way}{name},,\n" for name in (*OWN_FILES, "share/evil.txt")]
    forged(bench, "evil", "".join(rows))
    bench.sync()
    assert not (bench.site / "evil-1.0.dist-info").exists()
    assert [n for n in OWN_FILES if not (bench.root / n).exists()] == []
    assert not (bench.root / "share").exists()
    warnings = [e for e in bench.reporter.events if e.startswith("warning")]
    assert len(warnings) == len(OWN_FILES)
    assert all("evil does not own it" in each for each in warnings)


SECOND_INFOS = {
    "by purelib": "data/purelib/other-1.0.dist-info/RECORD",
    "by platlib": "data/platlib/other-1.0.dist-info/METADATA",
    "in another case": "data/purelib/OTHER-1.0.DIST-INFO/RECORD",
    "its own once more": "data/purelib/evil-1.0.dist-info/polylock.json",
    "by the prefix": (
        "data/data/lib/python3.12/site-packages/other-1.0.dist-info/RECORD"
    ),
    "by a link": "data/data/lib64/python3.12/site-packages/other-1.0.dist-info/RECORD",
}


@pytest.mark.parametrize("path", SECOND_INFOS.values(), ids=SECOND_INFOS)
def test_a_wheel_brings_no_second_dist_info(bench: Bench, path: str) -> None:
    """That would be another project's, whose RECORD the next sync would obey."""
    (bench.root / "lib64").symlink_to("lib")
    wheel = build_wheel(
        bench.directory,
        "evil",
        "1.0",
        files={f"evil-1.0.{path}": "../../../pyvenv.cfg,,\n"},
    )
    before = snapshot(bench.root)
    with pytest.raises(FileCorrupt, match=r"(?i)\.dist-info"):
        bench.sync(bench.wheels.want(wheel))
    assert snapshot(bench.root) == before


@pytest.mark.parametrize(
    "name", ["odd.egg-info/PKG-INFO", "odd-1.0.egg-info/PKG-INFO", "odd.egg-info"]
)
@pytest.mark.parametrize("by", ["root", "data"])
def test_a_wheel_with_an_egg_info_goes_as_it_came(
    bench: Bench, name: str, by: str
) -> None:
    """It is a file of the wheel, and no installation of the legacy form."""
    empty = snapshot(bench.root)
    way = "old-1.0.data/purelib/" if by == "data" else ""
    wheel = build_wheel(
        bench.directory, "old", "1.0", files={f"{way}{name}": "Name: odd\n"}
    )
    old = bench.wheels.want(wheel)
    bench.sync(old)
    assert (bench.site / name).is_file()
    assert bench.plan(old).is_empty
    bench.sync(bench.wheel("a"))
    bench.sync()
    assert snapshot(bench.root) == empty


def in_the_way(bench: Bench, name: str) -> None:
    """Let something be where a wheel has a file, or has a directory."""
    match name:
        case "a file for a directory of the user":
            (bench.root / "share" / "evil.txt" / "mine").mkdir(parents=True)
        case "a module for a directory of the user":
            (bench.site / "evil.py" / "mine").mkdir(parents=True)
        case "a package for a file of the user":
            (bench.site / "evil").write_text("mine")
        case "a file below a file of the user":
            (bench.root / "etc").write_text("mine")
        case _:
            pass  # what the environment has anyway


SITE = "lib/python3.12/site-packages"
IN_THE_WAY = {
    "a file for the directory of scripts": ["evil-1.0.data/data/bin"],
    "a file for site-packages": [f"evil-1.0.data/data/{SITE}"],
    "a file for what holds site-packages": ["evil-1.0.data/data/lib"],
    "a file below a mark": ["evil-1.0.data/data/pyvenv.cfg/x"],
    "a script below the Python": ["evil-1.0.data/scripts/python/x"],
    "a file for a directory of the user": ["evil-1.0.data/data/share/evil.txt"],
    "a module for a directory of the user": ["evil.py"],
    "a package for a file of the user": ["evil/__init__.py"],
    "a file below a file of the user": ["evil-1.0.data/data/etc/evil.txt"],
    "a file twice by purelib": ["evil/a.py", "evil-1.0.data/purelib/evil/a.py"],
    "a file twice by platlib": ["evil/a.py", "evil-1.0.data/platlib/evil/a.py"],
    "a file twice by lib64": [
        "evil/a.py",
        "evil-1.0.data/data/lib64/python3.12/site-packages/evil/a.py",
    ],
    "a path that is too long": ["evil/" + "/".join(["x" * 250] * 17)],
}


@pytest.mark.parametrize("name", IN_THE_WAY)
def test_what_cannot_be_installed_is_known_before_the_first_change(
    bench: Bench, name: str
) -> None:
    """Nothing was removed, nothing was written, and the older version still works."""
    (bench.root / "lib64").symlink_to("lib")
    bench.sync(bench.wheel("a"), bench.wheel("old"))
    in_the_way(bench, name)
    before = snapshot(bench.root)
    evil = bench.wheels.want(
        build_wheel(
            bench.directory, "evil", "1.0", files=dict.fromkeys(IN_THE_WAY[name], "x")
        )
    )
    with pytest.raises((FileCorrupt, EnvironmentBroken, CacheUnusable)) as caught:
        bench.sync(bench.wheel("a", "2.0"), evil)
    assert snapshot(bench.root) == before
    assert caught.value.hint()


@pytest.mark.parametrize("length", [255, 300])
def test_names_that_no_file_can_have(bench: Bench, length: int) -> None:
    """A script of 255 bytes is made, a longer one is refused before any change."""
    wheel = build_wheel(
        bench.directory,
        "evil",
        "1.0",
        entry_points=f"[console_scripts]\n{'x' * length} = evil:main\n",
    )
    before = snapshot(bench.root)
    if length == 255:
        bench.sync(bench.wheels.want(wheel))
        assert (bench.root / "bin" / ("x" * length)).exists()
        return
    with pytest.raises(FileCorrupt, match="over 255 bytes"):
        bench.sync(bench.wheels.want(wheel))
    assert snapshot(bench.root) == before


def test_a_directory_that_leaves_makes_room_for_a_file(bench: Bench) -> None:
    """And a file for a directory: what is removed first is not in the way."""
    first = bench.wheel("a", "1.0", {"x/one.py": "1", "y": "file"})
    second = bench.wheel("a", "2.0", {"x": "file", "y/two.py": "2"})
    for wanted in (first, second, first):
        bench.sync(wanted)
        assert bench.plan(wanted).is_empty
    (bench.site / "x" / "__pycache__").mkdir()
    (bench.site / "x" / "__pycache__" / "one.cpython-312.pyc").touch()
    bench.sync(second)
    assert (bench.site / "x").is_file()


def test_two_that_come_with_one_name_as_file_and_directory(bench: Bench) -> None:
    """They cannot be installed beside each other, which is known before."""
    one = bench.wheel("one", files={"space": "file"})
    two = bench.wheel("two", files={"space/two.py": "2"})
    before = snapshot(bench.root)
    with pytest.raises(FileCorrupt, match="as a directory, and one-1"):
        bench.sync(one, two)
    assert snapshot(bench.root) == before


class Owners:
    """Two wheels that have one file with another content each."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.one = bench.wheel(
            "cvgui", files={"cvx/__init__.py": "gui", "cvx/g.py": ""}
        )
        self.two = bench.wheel(
            "cvhead", files={"cvx/__init__.py": "head", "cvx/h.py": ""}
        )

    @property
    def content(self) -> str:
        """Return the content of the file that both have."""
        return (self.bench.site / "cvx" / "__init__.py").read_text()


@pytest.mark.parametrize("order", ["together", "first", "last"])
def test_of_two_owners_the_last_by_name_wins(bench: Bench, order: str) -> None:
    """Whatever was installed first; and that there are two is said."""
    owners = Owners(bench)
    if order != "together":
        bench.sync(owners.one if order == "first" else owners.two)
    bench.reporter.events.clear()
    bench.sync(owners.one, owners.two)
    assert owners.content == "head"
    told = [e for e in bench.reporter.events if e.startswith("warning")]
    assert len(told) == 1
    assert "cvgui and cvhead both have" in told[0]
    assert "that of cvhead is installed" in told[0]
    assert bench.plan(owners.one, owners.two).is_empty


@pytest.mark.parametrize("staying", ["one", "two"])
def test_when_one_owner_goes_the_other_is_linked_again(
    bench: Bench, staying: str
) -> None:
    """The environment is what it would be if the other had never been there."""
    owners = Owners(bench)
    left = owners.one if staying == "one" else owners.two
    bench.sync(left)
    expected = snapshot(bench.root)
    bench.sync(owners.one, owners.two)
    bench.sync(left)
    assert snapshot(bench.root) == expected


def test_when_one_owner_changes_the_order_stays(bench: Bench) -> None:
    """An upgrade of the first puts no file in place of the last one's."""
    owners = Owners(bench)
    newer = bench.wheel("cvgui", "2.0", {"cvx/__init__.py": "gui 2"})
    bench.sync(owners.one, owners.two)
    outcome = bench.sync(newer, owners.two)
    assert owners.content == "head"
    assert [e.reason for e in outcome.plan.reinstall] == [
        Reason.OTHER_VERSION,
        Reason.SHARED,
    ]


def test_a_file_that_two_have_alike_is_nothing_to_tell(bench: Bench) -> None:
    """Old namespace packages stay as they are, and so does the one that stays."""
    one = bench.wheel("one", files={"space/__init__.py": "", "space/one.py": ""})
    two = bench.wheel("two", files={"space/__init__.py": "", "space/two.py": ""})
    bench.sync(one, two)
    assert bench.plan(one).reinstall == ()
    outcome = bench.sync(one)
    assert outcome.plan.reinstall == ()
    assert not any("warning" in event for event in bench.reporter.events)
    assert (bench.site / "space" / "__init__.py").exists()


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
