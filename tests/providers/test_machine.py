"""The probes of the machine that runs this process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from polylock.providers.detect import detect_machine
from polylock.providers.machine import HostMachine, Machine

if TYPE_CHECKING:
    from pathlib import Path

HOST: Machine = HostMachine()


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    """A missing file, command or library is None, and so is one that cannot be."""
    assert HOST.read_text(str(tmp_path / "missing")) is None
    assert HOST.read_text(str(tmp_path)) is None
    assert HOST.read_text("\0") is None
    assert HOST.run(str(tmp_path / "missing")) is None
    assert HOST.run("\0") is None
    assert HOST.load_library(str(tmp_path / "missing.so")) is None


def test_what_is_there_is_read(tmp_path: Path) -> None:
    """A file gives its text, a command both its streams whatever it exits with."""
    (tmp_path / "file").write_bytes(b"text \xff")
    assert HOST.read_text(str(tmp_path / "file")) == "text \ufffd"
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    answer = HOST.run(sys.executable, "-c", code)
    assert answer is not None
    assert {"out", "err"} <= set(answer.split())


def test_this_machine_is_one_that_a_target_can_name() -> None:
    """Detection of the machine that runs the tests gives an answer."""
    found = detect_machine(HOST)
    assert found.system
    assert HOST.archspec_name()
