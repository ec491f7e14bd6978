"""Installing by two processes gives what one gives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2,
    reason="a second process is for Linux with two processors",
)
@pytest.mark.parametrize(
    "scenario", ["same", "failing", "damaged", "killed", "second killed"]
)
def test_put_all_by_two_processes(tmp_path: Path, scenario: str) -> None:
    """The environment, its order and its errors are those of one process."""
    driver = Path(__file__).with_name("install_by_two.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(
        [sys.executable, "-W", "error", driver, scenario, tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
