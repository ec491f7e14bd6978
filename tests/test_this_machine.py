"""The tests' own machine: every process of theirs takes it for its own."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.captured_machines import captured_machines
from fakes.command_line import clean_variables
from fakes.this_machine import HOST, NAMES, VARIABLE, machine_of_the_tests, python_path
from polylock.answer_cache.basis import Basis, hardware_basis
from polylock.model.target import PythonRelease
from polylock.operations.machine import bare_machine, this_machine
from polylock.providers.derive import build_target
from polylock.providers.detect import DetectedMachine, detect_machine
from polylock.providers.machine import HostMachine, stand_in, this_host

SOURCE = Path(__file__).parents[1] / "src"
BY_NAME = {captured.name: captured for captured in captured_machines()}


def newest(machine: DetectedMachine) -> str:
    """Return the first level or version that a machine has."""
    described = machine.describe(PythonRelease(major=3, minor=13))
    namespaces = build_target(described).derived.namespaces
    if "x86_64" in namespaces:
        return namespaces["x86_64"]["level"][0]
    return machine.architecture.value


@pytest.mark.parametrize("name", NAMES)
def test_names_are_of_such_machines(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A level names a machine of that level, an architecture one of it, without GPU."""
    monkeypatch.setenv(VARIABLE, name)
    found = this_machine()
    assert newest(found) == name
    assert bare_machine().architecture is found.architecture
    assert not any((found.nvidia, found.amd, found.intel, found.ascend, found.tpu))
    assert found.warnings == ()


def test_any_recorded_machine_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that needs a GPU takes a machine that has one; this process has it."""
    monkeypatch.setenv(VARIABLE, "nvml-h100-cuda130")
    found = this_machine()
    assert found == detect_machine(BY_NAME["nvml-h100-cuda130"].machine())
    assert found.nvidia is not None


def test_hardware_of_a_recorded_machine_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """What devices the real machine has is no matter, a desktop's GPU for example."""
    monkeypatch.setenv(VARIABLE, "v2")
    assert hardware_basis(Basis(contents=()), this_host().root) is not None


def test_a_process_of_the_tests_has_their_machine(tmp_path: Path) -> None:
    """Polylock as a program, with what variables it may, takes the same machine."""
    variables = clean_variables(tmp_path) | {VARIABLE: "linux-rhel9-neoverse_v2"}
    done = subprocess.run(
        [sys.executable, "-m", "polylock", "detect", "--json"],
        env=variables,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert json.loads(done.stdout)["target"] == {
        "platform": "linux-aarch64",
        "libc": "glibc-2.34",
        "cpu": BY_NAME["linux-rhel9-neoverse_v2"].expected["cpu"],
        "python": json.loads(done.stdout)["target"]["python"],
    }


def test_without_the_tests_the_variable_is_nothing(tmp_path: Path) -> None:
    """Outside them nothing but the machine itself says what it is."""
    asked = (
        "from polylock.providers.machine import HostMachine, this_host;"
        "print(type(this_host()) is HostMachine)"
    )
    variables = clean_variables(tmp_path) | {
        VARIABLE: "v4",
        "PYTHONPATH": str(SOURCE),
    }
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env=variables,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.strip() == "True"


def test_the_machine_itself_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """``host`` is the machine that runs the tests."""
    monkeypatch.setenv(VARIABLE, HOST)
    assert this_host().machine == platform.machine()
    assert isinstance(this_host(), HostMachine)


def test_standing_in_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing in its place a process runs on its own machine again."""
    monkeypatch.setenv(VARIABLE, "v1")
    stand_in(None)
    try:
        assert isinstance(this_host(), HostMachine)
    finally:
        stand_in(machine_of_the_tests)
    assert not isinstance(this_host(), HostMachine)


def test_other_programs_are_not_disturbed(tmp_path: Path) -> None:
    """A Python that never imports polylock imports nothing more than one file."""
    asked = "import sys; print('fakes' in sys.modules, 'polylock' in sys.modules)"
    for python in {sys.executable, shutil.which("python3") or sys.executable}:
        done = subprocess.run(
            [python, "-W", "error", "-c", asked],
            env={**os.environ, "PYTHONPATH": python_path(), "HOME": str(tmp_path)},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        assert (done.stdout.split(), done.stderr) == (["False", "False"], "")
