"""What ``polylock init`` asks on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from fakes.machine import FakeMachine
from polylock.cli.prompts import ask
from polylock.model.target import Cpu
from polylock.providers.detect import detect_machine
from polylock.values import replace

if TYPE_CHECKING:
    from polylock.operations.edit.init import InitRequest

BOX = detect_machine(FakeMachine())


def answered(
    *answers: str, python: str | None = "3.12"
) -> tuple[InitRequest | None, str]:
    """Give the answers, a line each; return the request, and what was said."""
    made: list[InitRequest] = []

    @click.command()
    def command() -> None:
        made.append(ask(BOX, python))

    result = CliRunner().invoke(command, input="".join(f"{a}\n" for a in answers))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return (made[0] if made else None), result.stderr


def test_enter_takes_this_machine() -> None:
    """Whoever only presses Enter locks for this machine and the Python offered."""
    request, said = answered("", "", "")
    assert request is not None
    assert request.machine is BOX
    assert (request.presets, request.python) == ((), "3.12")
    assert "linux-x86_64 glibc-2.39, processor baseline, no GPU" in said
    assert "Python of the targets [3.12]" in said


def test_presets_are_found_by_words() -> None:
    """One hit is taken, several are shown, and none is told with a suggestion."""
    request, said = answered("n", "h100", "ci mac", "h1000", "apple-m4", "", "")
    assert request is not None
    assert request.machine is None
    assert request.presets == ("h100", "apple-m4")
    assert "github-macos-15" in said
    assert "there is no preset 'h1000'; did you mean h100" in said


def test_a_preset_is_taken_once() -> None:
    """To name it again changes nothing."""
    request, _ = answered("", "t4", "t4", "", "")
    assert request is not None
    assert request.presets == ("t4",)


def test_long_lists_are_cut() -> None:
    """Of many hits the first are shown, and how many more there are."""
    _, said = answered("", "gpu", "", "")
    assert " more\n" in said
    assert "mi300x" not in said


def test_no_machine_at_all_is_asked_again() -> None:
    """Without this machine and without a preset there is nothing to lock for."""
    request, said = answered("n", "", "t4", "", "")
    assert "Name at least one machine" in said
    assert request is not None
    assert request.presets == ("t4",)


def test_the_python_of_the_project_is_not_asked_for() -> None:
    """A project that names its Python is left with that."""
    request, said = answered("", "", python=None)
    assert request is not None
    assert request.python is None
    assert "Python of" not in said


def test_what_is_no_python_is_asked_again() -> None:
    """A wrong answer is told with what would be right."""
    request, said = answered("", "", "four", "3.13t")
    assert request is not None
    assert request.python == "3.13t"
    assert "'four' is not a Python" in said


def test_features_of_the_processor_are_counted() -> None:
    """A processor is one line, however many features it has."""
    cpu = Cpu(level="v4", features=("amx_tile", "avx512_bf16"))
    machine = replace(BOX, cpu=cpu)

    @click.command()
    def command() -> None:
        ask(machine, None)

    said = CliRunner().invoke(command, input="\n\n").stderr
    assert "processor x86-64-v4 and 2 features more, no GPU" in said


@pytest.mark.parametrize("answers", [(), ("",), ("", "t4")])
def test_an_end_of_input_gives_up(answers: tuple[str, ...]) -> None:
    """Nothing is written where the answers end early."""
    request, said = answered(*answers)
    assert request is None
    assert "Aborted" in said
