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

_EVERY = 10.0
"""The number of seconds between two lines on downloads if there is no bar."""

_SEVERAL = 2
"""The number of files from which on there is a bar for all of them."""

_PATIENCE = 3.0
"""The number of seconds after which the progress of a solve is shown."""

_BETWEEN = 0.5
"""The number of seconds between two such lines on a terminal."""


class _Total:
    """What is downloaded of all files: numbers of files, and bytes."""

    __slots__ = ("count", "done", "received", "shown", "size", "task")

    def __init__(self, count: int, size: int | None, shown: float) -> None:
        self.count = count
        self.size = size
        self.shown = shown
        self.done = 0
        self.received = 0
        self.task: TaskID | None = None

    def files(self) -> str:
        """Return the number of files: ``12 of 43 files``."""
        return f"{self.done} of {self.count} files"

    def line(self) -> str:
        """Return files and bytes in words, for a log."""
        received = f"{self.received / 1e6:,.1f}"
        of_size = "" if self.size is None else f" of {self.size / 1e6:,.1f}"
        return f"downloaded {self.files()}, {received}{of_size} MB"


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
        self._total: _Total | None = None
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

    def expecting(self, files: int, size: int | None) -> None:
        """Add the bar of all downloads, above those of large files."""
        if self._quiet or files < _SEVERAL:
            return
        with self._lock:
            self._total = total = _Total(files, size, self._clock())
            if self._interactive:
                self._clear()
                total.task = self._bar().add_task(total.files(), total=size)

    def fetching(self, what: str, size: int | None) -> None:
        """Add the bar of a download; without bars, report a large one.

        Beside the bar of all downloads only a large file has one.
        """
        if self._quiet:
            return
        is_large = size is not None and size >= _LARGE
        if not self._interactive:
            if is_large:
                self._line(f"downloading {what} ({(size or 0) / 1e6:,.1f} MB)")
            return
        if self._total is not None and not is_large:
            return
        with self._lock:
            self._clear()
            progress = self._bar()
            self._tasks[what] = progress.add_task(shown(what), total=size)

    def received(self, what: str, count: int) -> None:
        """Advance the bars by a number of bytes; without bars report now and then."""
        line = None
        with self._lock:
            if self._progress is not None and what in self._tasks:
                self._progress.advance(self._tasks[what], count)
            if (total := self._total) is not None:
                total.received += count
                if self._progress is not None and total.task is not None:
                    self._progress.advance(total.task, count)
                elif self._clock() >= total.shown + _EVERY:
                    total.shown = self._clock()
                    line = total.line()
        if line is not None:
            self._line(line)

    def fetched(self, what: str) -> None:
        """Remove the bar of a download, and count it."""
        with self._lock:
            if self._progress is not None and what in self._tasks:
                self._progress.remove_task(self._tasks.pop(what))
            if (total := self._total) is not None:
                total.done += 1
                if self._progress is not None and total.task is not None:
                    self._progress.update(total.task, description=total.files())

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
                TimeRemainingColumn,
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
                TimeRemainingColumn(compact=True),
                console=Console(stderr=True),
                transient=True,
                expand=True,
            )
            self._progress.start()
        return self._progress
