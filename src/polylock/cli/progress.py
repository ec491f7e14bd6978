"""A Reporter for people: a bar on a terminal, a line an event elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Self

from polylock.cli.diagnostics import show_warning
from polylock.cli.terminal import is_terminal, say, shown, style
from polylock.model.quantities import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress, TaskID

__all__ = ["TerminalReporter"]

_LARGE = 5_000_000
"""From this size in bytes a download has a line of its own where there is no bar."""

_PATIENCE = 3.0
"""After so many seconds of trying candidates it is told what a solve is at."""

_BETWEEN = 0.5
"""So many seconds lie between two such lines on a terminal."""


class TerminalReporter:
    """Tells what happens on stderr; may be called from any thread.

    ``verbosity`` below 0 leaves warnings only; ``clock`` counts seconds. The bar
    appears with the first download, so that a run which downloads nothing does not
    import rich.
    """

    def __init__(
        self, verbosity: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._solves: dict[str, tuple[float, float | None]] = {}
        self._quiet = verbosity < 0
        self._logs = verbosity > 0  # lines of the log would run into a passing one
        self._interactive = is_terminal()
        self._lock = threading.Lock()
        self._warned: set[str] = set()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._passing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar down."""
        with self._lock:
            self._clear()
            progress, self._progress = self._progress, None
        if progress is not None:
            progress.stop()

    def solving(self, target: str) -> None:
        """Tell that the solve of a target begins, until there is more to tell."""
        if self._quiet or self._logs or not self._interactive:
            return
        with self._lock:
            if self._progress is None:
                self._clear()
                sys.stderr.write(style(f"resolving {shown(target)}", "faint"))
                sys.stderr.flush()
                self._passing = True

    def solved(self, target: str, packages: int) -> None:
        """Tell that a target is solved."""
        self._line(f"resolved {target}: {counted(packages, 'package')}")

    def trying(self, target: str, package: str, tries: int) -> None:
        """Tell what a solve is at that takes its time.

        On a terminal in a passing line, elsewhere in one that stays, once a target.
        """
        now = self._clock()
        began, told = self._solves.setdefault(target, (now, None))
        if self._quiet or now < began + _PATIENCE:
            return
        lasts = self._logs or not self._interactive
        if told is not None and (lasts or now < told + _BETWEEN):
            return
        self._solves[target] = (began, now)
        text = f"resolving {target}: at {package}, {counted(tries, 'candidate')} tried"
        if lasts:
            self._line(text)
            return
        with self._lock:
            if self._progress is None:
                self._clear()
                sys.stderr.write(style(text, "faint"))
                sys.stderr.flush()
                self._passing = True

    def backtracking(self, target: str, package: str) -> None:
        """Say nothing: the log has it."""

    def fetching(self, what: str, size: int | None) -> None:
        """Begin the bar of a download, or tell of a large one."""
        if self._quiet:
            return
        if not self._interactive:
            if size is not None and size >= _LARGE:
                self._line(f"downloading {what} ({size / 1e6:,.1f} MB)")
            return
        with self._lock:
            self._clear()
            progress = self._bar()
            self._tasks[what] = progress.add_task(shown(what), total=size)

    def received(self, what: str, count: int) -> None:
        """Move the bar of a download by a number of bytes."""
        with self._lock:
            if self._progress is not None and what in self._tasks:
                self._progress.advance(self._tasks[what], count)

    def fetched(self, what: str) -> None:
        """Take the bar of a download away."""
        with self._lock:
            if self._progress is not None and what in self._tasks:
                self._progress.remove_task(self._tasks.pop(what))

    def building(self, name: str, version: str) -> None:
        """Tell that a source distribution is being built: that can take minutes."""
        self._line(f"building {name} {version}")

    def installing(self, name: str, version: str) -> None:
        """Tell that a distribution was installed."""
        self._line(f" {style('+', 'added')} {name} {version}")

    def removing(self, name: str, version: str) -> None:
        """Tell that a distribution was removed."""
        self._line(f" {style('-', 'removed')} {name} {version}")

    def noting(self, message: str) -> None:
        """Tell a fact about the work."""
        self._line(message)

    @property
    def has_warned(self) -> bool:
        """Return whether anything was warned of: then there is more to an answer."""
        return bool(self._warned)

    def warning(self, message: str) -> None:
        """Tell a warning, the same one once."""
        with self._lock:
            if message in self._warned:
                return
            self._warned.add(message)
            self._clear()
        show_warning(message)

    def _line(self, text: str) -> None:
        if self._quiet:
            return
        with self._lock:
            self._clear()
            if self._progress is not None:
                self._progress.console.print(shown(text), highlight=False, markup=False)
            else:
                say(text)

    def _clear(self) -> None:
        """Take away a line that was there for the time being."""
        if self._passing:
            sys.stderr.write("\r\x1b[2K")
            self._passing = False

    def _bar(self) -> Progress:
        if self._progress is None:
            # rich costs 130 ms to import; only a download on a terminal needs it.
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                Progress,
                TextColumn,
                TransferSpeedColumn,
            )
            from rich.table import Column

            self._progress = Progress(
                # A long file name gives way to the bar, not the bar to it.
                TextColumn(
                    "{task.description}",
                    markup=False,
                    table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
                ),
                BarColumn(20),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=Console(stderr=True),
                transient=True,
                expand=True,
            )
            self._progress.start()
        return self._progress
