"""A Reporter on stderr: progress bars on a terminal, a line per event elsewhere."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from polylock.cli.diagnostics import show_warning
from polylock.cli.terminal import is_terminal, say, shown, style, write_error
from polylock.model.quantities import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress, TaskID

__all__ = ["TerminalReporter"]

_LARGE = 5_000_000
"""Downloads of at least this size in bytes get a line if there is no bar."""

_PATIENCE = 3.0
"""The number of seconds after which the progress of a solve is shown."""

_BETWEEN = 0.5
"""The number of seconds between two such lines on a terminal."""


class TerminalReporter:
    """Reports progress on stderr; thread-safe.

    With a ``verbosity`` below 0 only warnings are shown. ``clock`` returns seconds. The
    bar is created for the first download, so that a run without downloads does not
    import rich.
    """

    def __init__(
        self, verbosity: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._solves: dict[str, tuple[float, float | None]] = {}
        self._quiet = verbosity < 0
        self._logs = verbosity > 0  # log lines would garble a transient line
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
        """Remove the bar."""
        with self._lock:
            self._clear()
            progress, self._progress = self._progress, None
        if progress is not None:
            progress.stop()

    def solving(self, target: str) -> None:
        """Show on a terminal that the solve of a target begins, until the next line."""
        if self._quiet or self._logs or not self._interactive:
            return
        with self._lock:
            if self._progress is None:
                self._clear()
                write_error(style(f"resolving {shown(target)}", "faint"))
                self._passing = True

    def solved(self, target: str, packages: int) -> None:
        """Report a solved target."""
        self._line(f"resolved {target}: {counted(packages, 'package')}")

    def trying(self, target: str, package: str, tries: int) -> None:
        """Report the progress of a long solve.

        On a terminal this is a transient line, elsewhere one line per target.
        """
        now = self._clock()
        began, shown_at = self._solves.setdefault(target, (now, None))
        if self._quiet or now < began + _PATIENCE:
            return
        lasts = self._logs or not self._interactive
        if shown_at is not None and (lasts or now < shown_at + _BETWEEN):
            return
        self._solves[target] = (began, now)
        text = f"resolving {target}: at {package}, {counted(tries, 'candidate')} tried"
        if lasts:
            self._line(text)
            return
        with self._lock:
            if self._progress is None:
                self._clear()
                write_error(style(text, "faint"))
                self._passing = True

    def backtracking(self, target: str, package: str) -> None:
        """Do nothing: this is only logged."""

    def fetching(self, what: str, size: int | None) -> None:
        """Add the bar of a download; without bars, report a large one."""
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
        """Advance the bar of a download by a number of bytes."""
        with self._lock:
            if self._progress is not None and what in self._tasks:
                self._progress.advance(self._tasks[what], count)

    def fetched(self, what: str) -> None:
        """Remove the bar of a download."""
        with self._lock:
            if self._progress is not None and what in self._tasks:
                self._progress.remove_task(self._tasks.pop(what))

    def building(self, name: str, version: str) -> None:
        """Report the start of the build of a source distribution, which may be slow."""
        self._line(f"building {name} {version}")

    def installing(self, name: str, version: str) -> None:
        """Report an installed distribution."""
        self._line(f" {style('+', 'added')} {name} {version}")

    def removing(self, name: str, version: str) -> None:
        """Report a removed distribution."""
        self._line(f" {style('-', 'removed')} {name} {version}")

    def noting(self, message: str) -> None:
        """Report a fact."""
        self._line(message)

    @property
    def has_warned(self) -> bool:
        """Return True if there was a warning; such an answer is not cached."""
        return bool(self._warned)

    def warning(self, message: str) -> None:
        """Show a warning, each text once."""
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
        """Erase a transient line."""
        if self._passing:
            write_error("\r\x1b[2K")
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
                # A long file name is truncated, the bar is not.
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
