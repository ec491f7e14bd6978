"""Tables for stdout: drawn by rich on a terminal, plain and aligned elsewhere.

rich wraps long cells and measures wide letters, and costs 50 ms to import, which is
paid only on a terminal. Output to a pipe is written here: it must be the same bytes
with every release of rich, and scripts that cut columns do not expect wrapped cells.

In both forms, columns that do not fit the width are placed below the others, with the
first column repeated. rich would squeeze eight targets into 80 columns by breaking
every cell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from polylock.cli.terminal import is_terminal, plain, shown, style, width_of

__all__ = ["Table"]

_GAP = "  "
_WRAPPED = 25
"""The minimum width of a column of prose, in characters."""
_TRAILING = re.compile(r" +((\x1b\[[\d;]*m)*)$")
"""Trailing spaces of a line, before the escape sequences that end it."""
_NO_LINE = "    "
_LINE = " ── "
_LINES = (_NO_LINE, _NO_LINE, _LINE, _NO_LINE, _LINE, _NO_LINE, _NO_LINE, _NO_LINE)
"""Lines only below the header and between sections, in the format of ``rich.box``."""


class Table:
    """Rows of text under a header; the first column names the row.

    Cells may have a style. Columns in ``numbers`` are aligned right, those in ``prose``
    may be wrapped on a terminal.
    """

    def __init__(
        self,
        header: list[str],
        *,
        numbers: Collection[int] = (),
        prose: Collection[int] = (),
    ) -> None:
        self._header = [shown(cell, error=False) for cell in header]
        self._numbers = numbers
        self._prose = prose
        self._rows: list[tuple[list[str] | None, bool]] = []

    def add(self, row: list[str], *, strong: bool = True) -> None:
        """Add a row with a cell per column; without ``strong`` it is faint."""
        cells = [shown(cell, error=False) for cell in row]
        self._rows.append(
            (cells if strong else [plain(cell) for cell in cells], strong)
        )

    def add_rule(self) -> None:
        """Add a horizontal line below the rows so far."""
        self._rows.append((None, False))

    def text(self, width: int | None = None) -> str:
        """Return the table; columns that do not fit the width are below the others.

        ``width`` is in characters, None for that of the terminal (no limit in a pipe).
        """
        drawn = is_terminal(error=False)
        if width is None:
            import shutil  # noqa: PLC0415 - 2 ms, which most commands do not pay

            width = shutil.get_terminal_size((10_000, 24)).columns
        cells = [self._header, *(row for row, _ in self._rows if row is not None)]
        widths = [
            max(width_of(row[at]) for row in cells) for at in range(len(self._header))
        ]
        least = [
            min(size, _WRAPPED) if drawn and at in self._prose else size
            for at, size in enumerate(widths)
        ]
        blocks: list[list[int]] = [[0]]
        used = least[0]
        for column in range(1, len(least)):
            if len(blocks[-1]) > 1 and used + len(_GAP) + least[column] > width:
                blocks.append([0])
                used = least[0]
            blocks[-1].append(column)
            used += len(_GAP) + least[column]
        if drawn:
            return "\n".join(
                self._drawn(block, width, fits=self._width(block, least) <= width)
                for block in blocks
            )
        return "\n".join(self._plain(block, widths) for block in blocks)

    def _drawn(self, columns: Sequence[int], width: int, *, fits: bool) -> str:
        """Return a block drawn by rich, with no style of rich, so NO_COLOR holds."""
        from rich.box import Box
        from rich.console import Console
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(
            box=Box("\n".join(_LINES)),
            show_edge=False,
            header_style="",
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for at in columns:
            # Cells that fit are never broken; others are folded, so nothing is lost.
            table.add_column(
                Text.from_ansi(style(self._header[at], "strong", error=False)),
                justify="right" if at in self._numbers else "left",
                no_wrap=fits and at not in self._prose,
                overflow="fold",
            )
        for row, strong in self._rows:
            if row is None:
                table.add_section()
                continue
            cells = [row[at] for at in columns]
            if not strong:
                cells = [style(cell, "faint", error=False) for cell in cells]
            table.add_row(*map(Text.from_ansi, cells))
        console = Console(width=width, highlight=False, color_system="standard")
        with console.capture() as captured:
            console.print(table)
        lines = captured.get().splitlines()
        return "".join(_TRAILING.sub(r"\1", line) + "\n" for line in lines)

    def _plain(self, columns: Sequence[int], widths: Sequence[int]) -> str:
        rule = "-" * self._width(columns, widths)
        header = self._line(self._header, columns, widths)
        lines = [style(header, "strong", error=False), rule]
        for row, strong in self._rows:
            if row is None:
                lines.append(rule)
                continue
            line = self._line(row, columns, widths)
            lines.append(line if strong else style(line, "faint", error=False))
        return "\n".join(lines) + "\n"

    @staticmethod
    def _width(columns: Sequence[int], widths: Sequence[int]) -> int:
        return sum(widths[at] for at in columns) + len(_GAP) * (len(columns) - 1)

    def _line(
        self, row: Sequence[str], columns: Sequence[int], widths: Sequence[int]
    ) -> str:
        parts = []
        for at in columns:
            space = " " * (widths[at] - width_of(row[at]))
            number = at in self._numbers
            parts.append(space + row[at] if number else row[at] + space)
        return _GAP.join(parts).rstrip()
