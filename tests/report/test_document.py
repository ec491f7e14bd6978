"""What the document of the report says, from lock files."""

from __future__ import annotations

import json
import os
import subprocess
from hashlib import sha256
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # ships no py.typed
import pytest
from packaging.utils import canonicalize_name

from fakes.lock_texts import lock_text, package_text, settings_for
from fakes.report_locks import TARGETS, large_lock
from polylock.errors import UsageError
from polylock.explain.reasons import PythonUnmet
from polylock.operations.inspect.outdated import Outdated, OutdatedPin
from polylock.report.document import (
    Newer,
    ReportDocument,
    ReportedProject,
    report_document,
)

SCHEMA = Path(__file__).parents[2] / "schemas" / "report.schema.json"
DIGEST = "ab" * 32


def _document(directory: Path, text: str, **changes: object) -> ReportDocument:
    return report_document(settings_for(directory, text, **changes), os.environ)


@pytest.fixture(name="large")
def _large(tmp_path: Path) -> ReportDocument:
    return _document(tmp_path, large_lock())


def _row(document: ReportDocument, name: str) -> ReportedProject:
    return next(each for each in document.projects if each.name == name)


def test_document_keeps_its_schema(large: ReportDocument) -> None:
    """The keys are those that the schema names, all of them."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    document = json.loads(json.dumps(large.to_json()))
    jsonschema.Draft202012Validator(schema).validate(document)


def _outdated() -> Outdated:
    pin = OutdatedPin(
        name=canonicalize_name("framework"),
        locked="2.0",
        allowed="2.0",
        newest="3.0",
        reason=PythonUnmet(">=3.14"),
        targets=("h100", "mi300x"),
    )
    return Outdated(pins=(pin,))


def test_newer_versions_stand_with_their_project(tmp_path: Path) -> None:
    """Only where the index was asked: a lock file does not know them."""
    settings = settings_for(tmp_path, large_lock())
    document = report_document(settings, os.environ, _outdated())
    assert _row(document, "framework").newer == (
        Newer(
            targets=("h100", "mi300x"),
            locked="2.0",
            allowed="2.0",
            newest="3.0",
            held_back_by="requires Python >=3.14",
        ),
    )
    assert {each.newer for each in document.projects if each.name != "framework"} == {
        ()
    }
    unasked = report_document(settings, os.environ)
    assert {each.newer for each in unasked.projects} == {None}
    schema = json.loads(SCHEMA.read_text("utf-8"))
    told = json.loads(json.dumps(document.to_json()))
    jsonschema.Draft202012Validator(schema).validate(told)


def test_targets_and_projects_are_in_order(large: ReportDocument) -> None:
    """Targets as the lock file ranks them, projects by name."""
    assert [target.name for target in large.targets] == list(TARGETS)
    names = [project.name for project in large.projects]
    assert names == sorted(names)
    assert (large.targets[0].platform, large.targets[0].libc) == (
        "linux-x86_64",
        "glibc-2.34",
    )
    assert (large.targets[6].platform, large.targets[6].macos) == (
        "macos-arm64",
        "14.0",
    )
    assert large.targets[3].properties == {"amd": {"rocm_version": "6.4"}}


def test_targets_with_one_file_share_a_build(large: ReportDocument) -> None:
    """The label's reason goes with it."""
    first = _row(large, "framework").builds[0]
    assert (first.label, first.targets) == ("cuda13.0", ("h100", "rtx-workstation"))
    assert first.decided_by == ("nvidia :: cuda_version_lower_bound :: 13.0",)
    assert len(_row(large, "framework").builds) == 7
    assert _row(large, "framework").build_for("mi300x") is not None
    assert _row(large, "runtime-rocm").build_for("h100") is None


def test_size_of_a_target_is_that_of_its_files(large: ReportDocument) -> None:
    """Every file that it installs counts once."""
    builds = [project.build_for("h100") for project in large.projects]
    sizes = [build.file.size or 0 for build in builds if build is not None]
    assert (large.targets[0].size, large.targets[0].projects) == (
        sum(sizes),
        len(sizes),
    )


def test_edges_name_their_targets(large: ReportDocument) -> None:
    """Who a project requires, and where it is required itself."""
    requires = {e.name: e.targets for e in _row(large, "framework").requires}
    assert requires["runtime-rocm"] == ("mi300x",)
    assert requires["attr-api"] == tuple(TARGETS)
    (place,) = _row(large, "attr-client").places
    assert (place.place, place.targets) == ("group test", tuple(TARGETS))


def test_secrets_and_paths_of_a_machine_are_left_out(tmp_path: Path) -> None:
    """No user, password, query or absolute path is in the document."""
    secret = "https://user:secret@example.com/simple/?token=secret#secret"
    direct = (
        f'[[packages]]\nname = "b"\narchive = {{ url = "https://u:secret@example.com/b-'
        f'1.zip?sig=secret", hashes = {{ sha256 = "{DIGEST}" }} }}\n'
    )
    tree = '[[packages]]\nname = "c"\ndirectory = { path = "/home/secret/c" }\n'
    near = '[[packages]]\nname = "d"\ndirectory = { path = "../d" }\n'
    commit = (
        '[[packages]]\nname = "e"\nvcs = { type = "git", url = '
        f'"https://u:secret@example.com/e.git", commit-id = "{"c" * 40}" }}\n'
    )
    packages = package_text("a", more=f'index = "{secret}"\n')
    text = lock_text(packages, direct, tree, near, commit, requirements=("a",))
    document = _document(tmp_path, text)
    assert "secret" not in repr(document)
    (a,), (b,), (c,), (d,), (e,) = (each.builds for each in document.projects)
    assert a.index == "https://example.com/simple/"
    assert (b.file.name, b.file.place) == ("b-1.zip", "https://example.com/b-1.zip")
    assert (c.file.name, c.file.place, c.file.size) == ("c", None, None)
    assert (d.file.place, d.version) == ("../d", None)
    assert e.file.hashes == {"git": "c" * 40}
    assert document.targets[0].unknown == 4


def test_project_is_named_by_the_file_beside_the_lock(tmp_path: Path) -> None:
    """None where there is no such file, or it cannot be read."""
    text = lock_text(package_text("a"))
    assert _document(tmp_path, text).project is None
    beside = tmp_path / "pyproject.toml"
    beside.write_text('[project]\nname = "shop"\n', "utf-8")
    assert _document(tmp_path, text).project == "shop"
    beside.write_text("[project\n", "utf-8")
    assert _document(tmp_path, text).project is None


def _git(directory: Path, *arguments: str) -> str:
    names = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    done = subprocess.run(
        ("git", *names, *arguments),
        cwd=directory,
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.strip()


def test_revision_is_the_commit_that_is_checked_out(tmp_path: Path) -> None:
    """It says whether the lock file is that of the commit, whatever its line ends."""
    text = lock_text(package_text("a"))
    assert _document(tmp_path, text).revision is None
    _git(tmp_path, "init", "--quiet")
    assert _document(tmp_path, text).revision is None
    _git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "first")
    found = _document(tmp_path, text).revision
    assert found is not None
    assert found.changed
    _git(tmp_path, "add", "pylock.toml")
    moment = "2026-11-30T08:00:00+00:00"
    _git(tmp_path, "commit", "--quiet", "--message", "lock", "--date", moment)
    found = _document(tmp_path, text).revision
    assert found is not None
    assert found.commit == _git(tmp_path, "rev-parse", "HEAD")
    assert (found.date[:10], found.changed) == ("2026-11-30", False)
    again = _document(tmp_path, text.replace("\n", "\r\n")).revision
    assert again == found
    other = _document(tmp_path, lock_text(package_text("b"))).revision
    assert other is not None
    assert other.changed


def test_lock_is_named_with_its_hash(tmp_path: Path) -> None:
    """By its name alone: where it lies is of the machine."""
    text = lock_text(package_text("a"))
    document = _document(tmp_path, text)
    assert document.lock.name == "pylock.toml"
    content = (tmp_path / "pylock.toml").read_bytes()
    assert document.lock.sha256 == sha256(content).hexdigest()


def test_lock_file_of_another_tool_is_refused(tmp_path: Path) -> None:
    """It names no targets, so there is nothing to put side by side."""
    text = lock_text(package_text("a")).partition("[tool.polylock]")[0]
    with pytest.raises(UsageError, match="names no targets"):
        _document(tmp_path, text)
