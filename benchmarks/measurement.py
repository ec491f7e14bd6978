"""Run processes, keep the times, print tables."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from polylock import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Sample",
    "Series",
    "machine",
    "markdown_table",
    "milliseconds",
    "ratio",
    "run",
]

_LIMIT_SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run; ``seconds`` is the total wall time of its processes."""

    seconds: float
    output: str = ""
    problem: str | None = None


@dataclass(slots=True)
class Series:
    """The samples of one tool in one scenario."""

    samples: list[Sample] = field(default_factory=list)

    @property
    def problem(self) -> str | None:
        """Return why a run failed, if one did."""
        return next((one.problem for one in self.samples if one.problem), None)

    @property
    def median(self) -> float | None:
        """Return the median in seconds, None without a run that went well."""
        seconds = [sample.seconds for sample in self.samples if not sample.problem]
        return statistics.median(seconds) if seconds else None

    @property
    def output(self) -> str:
        """Return what the last run printed."""
        return self.samples[-1].output if self.samples else ""


def run(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> Sample:
    """Run processes one after the other; stop at the first that fails."""
    output = ""
    started = time.perf_counter()
    for command in commands:
        process = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_LIMIT_SECONDS,
            check=False,
        )
        output = process.stdout
        if process.returncode != 0:
            lines = [line for line in process.stderr.splitlines() if line.strip()]
            problem = f"exit {process.returncode}: {' / '.join(lines[-8:])}"
            return Sample(seconds=time.perf_counter() - started, problem=problem)
    return Sample(seconds=time.perf_counter() - started, output=output)


def milliseconds(seconds: float | None) -> str:
    """Return a time for a table."""
    return "-" if seconds is None else f"{seconds * 1000:,.0f}"


def ratio(ours: float | None, theirs: float | None) -> str:
    """Return our time divided by theirs; below 1 we are faster."""
    return "-" if ours is None or not theirs else f"{ours / theirs:.2f}"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose columns are aligned as plain text."""
    body = [list(row) for row in rows]
    widths = [
        max(len(row[i]) for row in [list(header), *body]) for i in range(len(header))
    ]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = (
            cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)
        )
        return f"| {' | '.join((first, *rest))} |"

    return "\n".join([line(header), line(rule), *(line(row) for row in body)])


def machine() -> str:
    """Return a line about this machine and the tools."""
    tools = [f"polylock {__version__}"]
    for name in ("uv", "nab"):
        try:
            tools.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"{platform.python_implementation()} {platform.python_version()}; "
        f"{', '.join(tools)}"
    )
