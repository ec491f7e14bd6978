"""A fault of any system call is told, and the next sync repairs what it left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.this_machine import python_path

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_every_kind_of_fault_is_told_and_repaired(tmp_path: Path) -> None:
    """About 80 faults in writing, reading, linking, renaming, removing and listing.

    Each ends with 0 and the exact environment, or with 1 and an error that names a
    path and the next step; after it a sync without faults gives the exact environment.
    """
    source = HERE.parents[1] / "src"
    variables = {
        **os.environ,
        "PYTHONPATH": python_path(HERE.parent, source),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", HERE / "fault_every_call.py", tmp_path],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert sum(line.endswith("as it should be") for line in lines) >= 60
