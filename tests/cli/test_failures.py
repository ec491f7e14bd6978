"""What a user reads when there is no solution, or the project file is wrong.

A case in ``tests/golden/failures`` is a scenario, or ``project``, the text of a project
file; beside it stands what ``polylock`` writes to stderr, byte for byte.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.scenarios import inputs_of, load, preferences_of, targets_of
from fakes.source import MemorySource
from polylock.cli.diagnostics import show_error
from polylock.errors import PolylockError
from polylock.explain.failure import solved
from polylock.ports import SilentReporter
from polylock.project.pyproject import load_project
from polylock.project.settings import Settings
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES = Path(__file__).parent.parent / "golden" / "failures"
CASES = sorted(FAILURES.glob("*.toml"))
LONGEST_LINE = 240
MOST_LINES = 12


def _fail_to_load(text: str) -> None:
    """Load a project file of this text in the working directory."""
    path = Path("pyproject.toml")
    path.write_text(text, encoding="utf-8", newline="\n")
    settings = Settings(
        cache_dir=Path("cache"), index_url="https://index.example.com/simple"
    )
    load_project(path, settings=settings)


def _fail_to_solve(scenario: dict[str, Any]) -> None:
    targets = targets_of(scenario)
    solver = Solver(
        inputs=inputs_of(scenario, targets),
        source=MemorySource(scenario["packages"]),
        reporter=SilentReporter(),
        preferences=preferences_of(scenario),
    )
    solved(solver, targets)


def _told(action: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(PolylockError) as caught:
        action()
    capsys.readouterr()
    assert show_error(caught.value) in {1, 2}
    captured = capsys.readouterr()
    assert not captured.out
    return captured.err


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_failure(
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The message is the golden one, byte for byte."""
    monkeypatch.chdir(tmp_path)
    case = load(path)
    if "project" in case:
        told = _told(lambda: _fail_to_load(case["project"]), capsys)
    else:
        told = _told(lambda: _fail_to_solve(case), capsys)
    assert told == path.with_suffix(".txt").read_text("utf-8")


def test_failures_are_told_in_short() -> None:
    """Every case has its text, which begins with the error and stays short."""
    assert len(CASES) >= 50
    assert {path.stem for path in CASES} == {p.stem for p in FAILURES.glob("*.txt")}
    for path in CASES:
        assert load(path)["description"].endswith("."), path.name
        lines = path.with_suffix(".txt").read_text("utf-8").splitlines()
        assert lines[0].startswith("error: ")
        assert len(lines) <= MOST_LINES
        assert max(map(len, lines)) <= LONGEST_LINE


def test_an_interrupt_while_importing_is_no_traceback(tmp_path: Path) -> None:
    """Ctrl-C in the first moments ends as it does later: one line, and 130."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'polylock.cli.main':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Finder())\n",
        "utf-8",
    )
    ran = subprocess.run(
        [sys.executable, "-m", "polylock", "check"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (130, "interrupted\n")
