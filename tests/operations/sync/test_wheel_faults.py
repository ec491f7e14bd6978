"""Wheels that are not as they should be, locked and synced."""

from __future__ import annotations

import os
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from fakes.server import Index
from fakes.wheels import build_wheel
from fakes.workspace import Project, Spy, this_target
from polylock.installation.record import parse_rows
from polylock.operations.cache import verify_cache
from polylock.operations.sync.sync import SyncOptions, sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.server import Server

INFO = "demo-1.0.dist-info"


def spoilt(wheel: Path) -> Path:
    """Rewrite RECORD: one row is missing, one has another hash, two name nothing."""
    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    rows = members[f"{INFO}/RECORD"].decode().splitlines()
    kept = [row for row in rows if not row.startswith("demo/unlisted.py")]
    changed = [re.sub(r"^(demo/other\.py,sha256=)..", r"\1xx", row) for row in kept]
    changed += ["../../../../victim,sha256=abc,3", "demo/gone.py,,"]
    members[f"{INFO}/RECORD"] = "\n".join([*changed, ""]).encode()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return wheel


@pytest.fixture
def project(server: Server, tmp_path: Path) -> Project:
    """Return a locked project that requires a wheel with a wrong RECORD."""
    files = {f"demo/{name}.py": f"{name} = 1\n" for name in ("unlisted", "other")}
    index = Index(server)
    wheel = build_wheel(
        tmp_path,
        "demo",
        "1.0",
        files=files,
        requires=["helper"],
        entry_points="[console_scripts]\nrun-demo = demo.other:main  # runs it\n",
    )
    index.add("demo", [spoilt(wheel)])
    index.add("helper", [build_wheel(tmp_path, "helper", "1.0")])
    index.add("tool", [build_wheel(tmp_path, "tool", "1.0")])
    found = Project(directory=tmp_path / "project", index_url=f"{index.url}/")
    found.write(
        '[project]\nname = "app"\nversion = "1"\ndependencies = ["demo"]\n'
        '[dependency-groups]\ndev = ["tool"]\n' + this_target()
    )
    found.lock()
    return found


def options_of(**options: Any) -> SyncOptions:  # noqa: ANN401 - those of SyncOptions
    """Return options that find the Pythons of this machine."""
    return SyncOptions(search_path=os.environ.get("PATH", ""), **options)


def synced(project: Project, *, venv: str = ".venv", **options: Any) -> Spy:  # noqa: ANN401 - those of SyncOptions
    """Sync and return what was told."""
    spy = Spy()
    settings = project.with_settings(venv=project.directory / venv, groups=("dev",))
    sync(settings, options_of(**options), spy)
    return spy


def record(project: Project) -> dict[str, str]:
    """Return the rows of the installed RECORD: path and hash."""
    (path,) = project.directory.glob(f".venv/lib/*/site-packages/{INFO}/RECORD")
    return {row.path: row.hash for row in parse_rows(path.read_text())}


def test_the_members_are_installed_with_a_right_record(project: Project) -> None:
    """One warning names the wheel and the first fault; RECORD has every file once."""
    (line,) = synced(project).warnings
    assert "demo-1.0-py3-none-any.whl: RECORD lists '../../../../victim'" in line
    assert "(and 3 more faults)" in line
    rows = record(project)
    assert {"demo/unlisted.py", "demo/other.py", f"{INFO}/METADATA"} <= rows.keys()
    assert "../../../../victim" not in rows
    assert "demo/gone.py" not in rows
    assert all(rows[f"demo/{name}.py"] for name in ("unlisted", "other"))
    assert (project.directory / ".venv/bin/run-demo").is_file()


def test_the_warning_comes_with_the_installation_alone(project: Project) -> None:
    """A sync that installs nothing says nothing; one from the cache says it again."""
    synced(project)
    assert synced(project).warnings == []
    (line,) = synced(project, venv="second").warnings
    assert "demo-1.0" in line


def test_what_reads_record_agrees_with_it(project: Project) -> None:
    """``--hashes``, ``--reinstall`` and ``cache verify`` find nothing to mend."""
    synced(project)
    spy = Spy()
    settings = project.with_settings(groups=("dev",))
    assert sync(settings, options_of(hashes=True), spy).up_to_date
    assert spy.warnings == []
    assert not verify_cache(settings).damaged
    (line,) = synced(project, reinstall=True).warnings
    assert "RECORD" in line
    assert sync(settings, options_of(hashes=True), spy).up_to_date
    (found,) = project.directory.glob(".venv/lib/*/site-packages/demo/unlisted.py")
    found.write_text("changed = 1\n")
    assert not sync(settings, options_of(hashes=True, dry_run=True), spy).up_to_date


def test_it_is_removed_whole(project: Project) -> None:
    """Files that its own RECORD did not list go with it, and none besides."""
    victim = project.directory.parent / "victim"
    victim.touch()
    synced(project)
    project.write(
        '[project]\nname = "app"\nversion = "1"\ndependencies = ["helper"]\n'
        '[dependency-groups]\ndev = ["tool"]\n' + this_target()
    )
    project.lock()
    synced(project)
    assert not list(project.directory.glob(".venv/lib/*/site-packages/demo*"))
    assert not (project.directory / ".venv/bin/run-demo").exists()
    assert victim.exists()


def requested(project: Project) -> Iterator[str]:
    """Yield the projects whose installation has the file REQUESTED."""
    for path in project.directory.glob(".venv/lib/*/site-packages/*/REQUESTED"):
        yield path.parent.name.partition("-")[0]


def test_what_the_project_requires_is_marked_as_requested(project: Project) -> None:
    """As pip marks what it was asked for (PEP 376), groups too and nothing else."""
    synced(project)
    assert sorted(requested(project)) == ["demo", "tool"]
    assert f"{INFO}/REQUESTED" in record(project)
    assert synced(project, hashes=True).warnings == []
