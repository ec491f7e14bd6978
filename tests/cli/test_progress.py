"""What is told while work goes on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fakes.screens import show_on
from polylock.cli.progress import TerminalReporter
from polylock.cli.terminal import plain

if TYPE_CHECKING:
    import pytest

CLEARED = "\r\x1b[2K"


def test_target_being_solved_is_shown_until_there_is_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a terminal its line gives way to what was found, or to nothing."""
    _, err = show_on(monkeypatch, columns=80)
    with TerminalReporter() as reporter:
        reporter.solving("h100")
        reporter.solving("mac")
        reporter.solved("h100", 3)
        reporter.solving("t4")
    shown = [part.rpartition("\r")[2] for part in err.getvalue().split("\n")]
    assert "resolving mac" in err.getvalue()
    assert plain(err.getvalue().replace(CLEARED, "|")) == (
        "resolving h100|resolving mac|resolved h100: 3 packages\nresolving t4|"
    )
    assert plain(shown[0].removeprefix("\x1b[2K")) == "resolved h100: 3 packages"


def test_warning_does_not_run_into_a_passing_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It begins a line of its own."""
    _, err = show_on(monkeypatch, columns=80, NO_COLOR="1")
    with TerminalReporter() as reporter:
        reporter.solving("h100")
        reporter.warning("look")
    assert err.getvalue() == f"resolving h100{CLEARED}warning: look\n"


def test_log_and_passing_lines_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """With -v the log tells what is being solved."""
    _, err = show_on(monkeypatch, columns=80)
    with TerminalReporter(verbosity=1) as reporter:
        reporter.solving("h100")
    assert err.getvalue() == ""


def test_pipe_gets_a_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    """Large downloads are among them, and no line ever changes."""
    with TerminalReporter() as reporter:
        reporter.solving("h100")
        reporter.solved("h100", 1)
        reporter.fetching("small.whl", 10)
        reporter.fetching("large.whl", 25_000_000)
        reporter.received("large.whl", 10)
        reporter.fetched("large.whl")
        reporter.installing("demo", "1.0")
        reporter.removing("other", "2.0")
    assert capsys.readouterr().err.splitlines() == [
        "resolved h100: 1 package",
        "downloading large.whl (25.0 MB)",
        " + demo 1.0",
        " - other 2.0",
    ]


def test_download_has_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines come above it, and it is gone at the end."""
    _, err = show_on(monkeypatch, columns=80, TERM="xterm")
    with TerminalReporter() as reporter:
        reporter.solving("h100")
        reporter.fetching("large.whl", 1000)
        reporter.received("large.whl", 500)
        reporter.building("demo", "1.0")
        reporter.fetched("large.whl")
    lines = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "\r", err.getvalue()).split("\r")
    assert any(line.startswith("large.whl") for line in lines)
    assert any(line.startswith("building demo 1.0\n") for line in lines)


def test_quiet_says_nothing_but_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither lines nor bars."""
    _, err = show_on(monkeypatch, columns=80, NO_COLOR="1")
    with TerminalReporter(verbosity=-1) as reporter:
        reporter.solving("h100")
        reporter.solved("h100", 1)
        reporter.fetching("large.whl", 25_000_000)
        reporter.warning("look")
        reporter.warning("look")
    assert err.getvalue() == "warning: look\n"


def test_long_file_name_gives_way_to_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal a download stays on one line, with its size."""
    _, err = show_on(monkeypatch, columns=50, TERM="xterm", NO_COLOR="1")
    with TerminalReporter() as reporter:
        reporter.fetching(f"{'long_' * 20}name.whl", 88_000_000)
    lines = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "\r", err.getvalue()).split("\r")
    (bar,) = {line.strip("\n") for line in lines if line.startswith("long_")}
    assert "…" in bar
    assert "/88.0 MB" in bar
    assert len(bar) <= 50


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def test_a_long_solve_says_what_it_is_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal after three seconds, and anew while it goes on."""
    _, err = show_on(monkeypatch, columns=80, NO_COLOR="1")
    clock = Clock()
    with TerminalReporter(clock=clock) as reporter:
        reporter.solving("h100")
        for second, tries in ((0, 0), (2, 70), (4, 130), (4.1, 140), (5, 200)):
            clock.now = 100.0 + second
            reporter.trying("h100", "kfp", tries)
        reporter.solved("h100", 3)
    assert err.getvalue().replace(CLEARED, "|") == (
        "resolving h100|resolving h100: at kfp, 130 candidates tried"
        "|resolving h100: at kfp, 200 candidates tried|resolved h100: 3 packages\n"
    )


def test_a_long_solve_is_told_once_in_a_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where nothing passes, a line for each target is enough."""
    clock = Clock()
    with TerminalReporter(clock=clock) as reporter:
        for target in ("h100", "mac"):
            for second in range(9):
                clock.now += second
                reporter.trying(target, "kfp", second)
    assert capsys.readouterr().err == (
        "resolving h100: at kfp, 2 candidates tried\n"
        "resolving mac: at kfp, 2 candidates tried\n"
    )


def test_several_downloads_have_a_bar_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and bytes of all, and below it a bar of each large file alone."""
    _, err = show_on(monkeypatch, columns=100)
    with TerminalReporter() as reporter:
        reporter.expecting(43, 150_000_000)
        reporter.fetching("small.whl", 1000)
        reporter.fetching("large.whl", 100_000_000)
        reporter.received("large.whl", 75_000_000)
        reporter.received("small.whl", 1000)
        reporter.fetched("small.whl")
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", err.getvalue())
    assert "1 of 43 files" in shown
    assert "75.0/150.0 MB" in shown
    assert "large.whl" in shown
    assert "75.0/100.0 MB" in shown
    assert "small.whl" not in shown


def test_a_log_has_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Each ten seconds, with what has arrived of all."""
    now = [100.0]
    with TerminalReporter(clock=lambda: now[0]) as reporter:
        reporter.expecting(43, 900_000_000)
        for second in range(25):
            now[0] = 100.0 + second
            reporter.received("large.whl", 6_000_000)
        reporter.fetched("large.whl")
    assert capsys.readouterr().err.splitlines() == [
        "downloaded 0 of 43 files, 66.0 of 900.0 MB",
        "downloaded 0 of 43 files, 126.0 of 900.0 MB",
    ]


def test_one_download_has_one_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to add up; and -q has no bar at all."""
    _, err = show_on(monkeypatch, columns=100)
    with TerminalReporter() as reporter:
        reporter.expecting(1, 1000)
        reporter.fetching("small.whl", 1000)
    assert "of 1 files" not in plain(err.getvalue())
    _, err = show_on(monkeypatch, columns=100)
    with TerminalReporter(verbosity=-1) as reporter:
        reporter.expecting(5, 1000)
        reporter.received("small.whl", 1000)
    assert err.getvalue() == ""
