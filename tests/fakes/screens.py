"""Streams that report to be a terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["Screen", "show_on"]


class Screen(io.StringIO):
    """A terminal that keeps what is written to it, colours as escape sequences."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Say yes."""
        return True

    @property
    def lines(self) -> list[str]:
        """Return what is there, line by line."""
        return self.getvalue().splitlines()


def show_on(
    monkeypatch: pytest.MonkeyPatch, *, columns: int, **variables: str
) -> tuple[Screen, Screen]:
    """Make stdout and stderr terminals of this width; return both.

    ``variables`` are set in the environment, where nothing else speaks of terminals.
    """
    out, err = Screen(), Screen()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"COLUMNS": str(columns), **variables}.items():
        monkeypatch.setenv(name, value)
    return out, err
