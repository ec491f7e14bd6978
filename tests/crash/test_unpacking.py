"""A sync that is killed while it unpacks, or loses its power, is mended by the next."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
@pytest.mark.parametrize(("kind", "least"), [("kill", 30), ("cut", 10)])
def test_what_an_end_without_warning_leaves_is_mended(
    tmp_path: Path, kind: str, least: int
) -> None:
    """At moments spread evenly over the changes of a sync that begins with nothing."""
    source = HERE.parents[1] / "src"
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(source)]),
    }
    program = HERE / "kill_while_unpacking.py"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", program, kind, tmp_path],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ends = [line for line in done.stdout.splitlines() if line.startswith(kind)]
    assert sum(line.endswith("as it should be") for line in ends) >= least
