"""Plain tables for stdout: aligned, and folded to the width of a terminal."""

from __future__ import annotations

from polylock.cli.logs import style

__all__ = ["Table"]

_GAP = "  "


class Table:
    """Rows of text under a header; the first column names the row."""

    def __init__(self, header: list[str]) -> None:
        self._header = header
        self._rows: list[tuple[list[str] | None, bool]] = []

    def add(self, row: list[str], *, strong: bool = False) -> None:
        """Add a row of as many cells as the header has; ``strong`` stands out."""
        self._rows.append((row, strong))

    def add_rule(self) -> None:
        """Add a line between what is above and what follows."""
        self._rows.append((None, False))

    def text(self, width: int | None = None) -> str:
        """Lay the table out, columns that do not fit the width below the others.

        ``width`` is in characters; None: that of the terminal, no limit without one.
        """
        if width is None:
            import shutil  # noqa: PLC0415 - 2 ms, which most commands do not pay

            width = shutil.get_terminal_size((10_000, 24)).columns
        cells = [self._header, *(row for row, _ in self._rows if row is not None)]
        widths = [max(len(row[at]) for row in cells) for at in range(len(self._header))]
        blocks: list[list[int]] = [[]]
        used = widths[0]
        for column in range(1, len(widths)):
            if blocks[-1] and used + len(_GAP) + widths[column] > width:
                blocks.append([])
                used = widths[0]
            blocks[-1].append(column)
            used += len(_GAP) + widths[column]
        return "\n".join(self._block(block, widths) for block in blocks)

    def _block(self, columns: list[int], widths: list[int]) -> str:
        chosen = [0, *columns]
        total = sum(widths[at] for at in chosen) + len(_GAP) * (len(chosen) - 1)
        lines = [style(self._line(self._header, chosen, widths), "strong", error=False)]
        lines.append("-" * total)
        for row, strong in self._rows:
            if row is None:
                lines.append("-" * total)
                continue
            line = self._line(row, chosen, widths)
            lines.append(line if strong else style(line, "faint", error=False))
        return "\n".join(lines) + "\n"

    def _line(self, row: list[str], columns: list[int], widths: list[int]) -> str:
        parts = [row[at].ljust(widths[at]) for at in columns]
        return _GAP.join(parts).rstrip()
