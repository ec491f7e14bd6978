"""Foreign programs are run within limits."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from polylock.providers.command import CommandHangs, run_command

if TYPE_CHECKING:
    from pathlib import Path


def _python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def test_answer_has_both_streams_and_the_status() -> None:
    """What a command writes is the answer, whatever it exits with."""
    code = "import sys; print('out', flush=True); sys.stderr.write('err'); sys.exit(3)"
    answer = run_command(_python(code), seconds=30, limit=1000)
    assert answer is not None
    assert answer.text.split() == ["out", "err"]
    assert (answer.status, answer.cut) == (3, False)


def test_variables_and_directory_are_those_that_are_given(tmp_path: Path) -> None:
    """Nothing of this process's environment is handed on."""
    code = "import os; print(os.getcwd(), os.environ.get('A'), 'HOME' in os.environ)"
    answer = run_command(
        _python(code), seconds=30, limit=1000, variables={"A": "b"}, directory=tmp_path
    )
    assert answer is not None
    assert answer.text.split() == [str(tmp_path), "b", "False"]


def test_missing_program_is_none(tmp_path: Path) -> None:
    """What cannot be started gives no answer."""
    assert run_command([str(tmp_path / "no")], seconds=1, limit=1) is None
    assert run_command(["\0"], seconds=1, limit=1) is None


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(600)",
        "import os, time; os.close(1); os.close(2); time.sleep(600)",
    ],
    ids=["silent", "output closed"],
)
def test_command_that_hangs_is_stopped(code: str) -> None:
    """Its time is limited, also where it no longer writes."""
    begun = time.monotonic()
    with pytest.raises(CommandHangs, match="did not answer within"):
        run_command(_python(code), seconds=0.5, limit=1000)
    assert time.monotonic() - begun < 30


@pytest.mark.skipif(sys.platform == "win32", reason="groups of processes")
def test_what_a_command_leaves_running_is_stopped(tmp_path: Path) -> None:
    """A process that keeps the output open costs the time limit, and ends with it."""
    late = tmp_path / "late"
    child = f"import time, pathlib; time.sleep(4); pathlib.Path({str(late)!r}).touch()"
    code = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}])"
    )
    begun = time.monotonic()
    with pytest.raises(CommandHangs):
        run_command(_python(code), seconds=1, limit=1000)
    assert time.monotonic() - begun < 4
    time.sleep(max(0.0, begun + 6 - time.monotonic()))
    assert not late.exists()


def test_endless_output_is_cut() -> None:
    """A command that never stops writing is stopped, and the cut is told."""
    code = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    answer = run_command(_python(code), seconds=60, limit=100_000)
    assert answer is not None
    assert (len(answer.text), answer.cut) == (100_000, True)
