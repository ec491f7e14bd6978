"""The probes of the machine that runs this process."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.machine import FakeMachine
from polylock.providers.detect import detect_machine
from polylock.providers.machine import HostMachine, Machine, ask, ignore

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


def test_names_in_a_directory_are_sorted(tmp_path: Path) -> None:
    """A directory gives its names in order; one that is none gives none."""
    for name in ("b", "a", "c"):
        (tmp_path / name).touch()
    assert HOST.list_names(str(tmp_path)) == ("a", "b", "c")
    assert HOST.list_names(str(tmp_path / "missing")) == ()
    assert HOST.list_names("\0") == ()


def test_first_program_that_is_there_is_asked() -> None:
    """Of several places of a program the first counts that has it."""
    machine = FakeMachine(commands={"/b/tool -x": "b", "/c/tool -x": "c"})
    assert ask(machine, ignore, ("/a/tool", "/b/tool", "/c/tool"), "-x") == "b"
    assert ask(machine, ignore, "/a/tool", "-x") is None


def test_program_that_hangs_is_a_warning_and_not_tried_again() -> None:
    """One that does not end costs its time once."""
    warnings: list[str] = []
    machine = FakeMachine(hanging=["/a/tool"], commands={"/b/tool": "b"})
    assert ask(machine, warnings.append, ("/a/tool", "/b/tool")) is None
    assert warnings == ["tool did not answer within 20 seconds"]


def test_variables_are_those_that_were_given() -> None:
    """Nothing is read from the environment behind the caller's back."""
    assert HostMachine({"ROCM_PATH": "/x"}).variables == {"ROCM_PATH": "/x"}
    assert HostMachine().variables == {}


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="no cpuid")
def test_cpuid_names_the_maker() -> None:
    """The instruction is run on processors that have it."""
    registers = HOST.cpuid(0, 0)
    assert registers is not None
    assert registers[0] > 0


def test_this_machine_is_one_that_a_target_can_name() -> None:
    """Detection of the machine that runs the tests gives an answer."""
    found = detect_machine(HOST)
    assert found.system
    assert found.cpu is not None


class _CompatibleMac(HostMachine):
    """A Mac that tells an old Python 10.16; ``told`` is what it tells without that."""

    def __init__(self, told: str | None) -> None:
        super().__init__({})
        self.told = told

    def run(self, *command: str) -> str | None:
        assert "SYSTEM_VERSION_COMPAT=0" in command
        assert command[-2:] == ("/usr/bin/sw_vers", "-productVersion")
        return self.told


@pytest.mark.parametrize(("told", "version"), [("14.5\n", "14.5"), (None, "10.16")])
def test_macos_is_asked_again_where_it_poses_as_10_16(
    monkeypatch: pytest.MonkeyPatch, told: str | None, version: str
) -> None:
    """A Python linked against an old SDK is told the version that it knows."""
    monkeypatch.setattr(platform, "mac_ver", lambda: ("10.16", ("", "", ""), ""))
    assert _CompatibleMac(told).macos_version() == version
