"""The benchmark scripts run on a tiny recording, without a network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import lock as lock_benchmark
import record as recording
import sync as sync_benchmark
from contestants import find_uv
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from project_list import read_project, read_targets

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Record a project of the fixture index; return it and the directory."""
    directory = tmp_path_factory.mktemp("benchmarks")
    build_index(ROOT / "fixtures" / "wheels", directory / "origin")
    project = directory / "tiny.toml"
    project.write_text(
        'dependencies = ["plainlib[color]"]\nchanged = "plainlib"\n', encoding="utf-8"
    )
    with IndexServer(directory / "origin") as server:
        rounds = recording.record(
            directory / "recording",
            read_project(str(project)),
            index_url=server.url,
            counts=(2,),
        )
    assert rounds == 2
    return project, directory / "recording"


@pytest.mark.slow
@pytest.mark.skipif(find_uv() is None, reason="compares with uv")
def test_locking_is_compared(
    recorded: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every scenario gets a row, and only the cold one makes requests."""
    project, directory = recorded
    times = tmp_path / "times.json"
    code = lock_benchmark.main(
        [
            *("--project", str(project), "--directory", str(directory)),
            *("--targets", "2", "--runs", "1", "--json", str(times), "--markdown"),
        ]
    )
    output = capsys.readouterr()
    assert code == 0, output.err
    rows = json.loads(times.read_text(encoding="utf-8"))["comparisons"]
    ours = [row for row in rows if row["tool"] == "polylock"]
    assert [row["scenario"] for row in ours if row["requests"]] == ["cold"]
    assert len(ours) == 7
    rows = ("cold", "warm", "warm, offline", "no-op", "check")
    for scenario in (*rows, "no-op, again", "check, again"):
        assert f"| 2 targets, {scenario} " in output.out
    assert not list(directory.glob("work/**/aside-*"))


@pytest.mark.slow
@pytest.mark.skipif(find_uv() is None, reason="compares with uv")
def test_installing_is_compared(
    recorded: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Both installers and the bare loop install the recorded wheels."""
    project, directory = recorded
    arguments = ["--project", str(project), "--directory", str(directory)]
    code = sync_benchmark.main([*arguments, "--runs", "1"])
    output = capsys.readouterr()
    assert code == 0, output.err
    assert "3 packages," in output.out
    rows = ("cold", "warm", "no-op", "no-op, again", "one changed package")
    for scenario in rows:
        assert f"| {scenario}" in output.out
    assert not list(directory.glob("work/**/aside-*"))


def test_without_a_recording_the_scripts_say_what_to_do(tmp_path: Path) -> None:
    """A run before any recording names the script that records."""
    for script in ("lock.py", "sync.py"):
        process = subprocess.run(
            [
                *(sys.executable, str(ROOT / "benchmarks" / script)),
                *("--directory", str(tmp_path)),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert process.returncode == 1
        assert "run benchmarks/record.py" in process.stderr
        assert "Traceback" not in process.stderr


@pytest.mark.parametrize("name", ["small", "medium"])
def test_the_project_lists_are_whole(name: str) -> None:
    """A project list names what to lock and what the small change is."""
    project = read_project(name)
    assert project.dependencies
    assert project.changed


def test_targets_come_in_the_order_of_their_file() -> None:
    """A smaller number of targets is the beginning of a larger one."""
    eight = read_targets(8)
    assert read_targets(2).targets == eight.targets[:2]
    assert eight.requires_python == ">=3.12,<3.14"
    assert len({target.name for target in eight.targets}) == 8
    with pytest.raises(ValueError, match="has 8 targets, not 9"):
        read_targets(9)
