"""Errors and warnings on stderr: what went wrong, the facts, the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.cli.terminal import say, style
from polylock.model.visible_text import visible

if TYPE_CHECKING:
    from polylock.errors import PolylockError

__all__ = ["show_error", "show_warning"]


def show_error(error: PolylockError) -> int:
    """Write an error to stderr and return its exit code."""
    from polylock.explain.words import details  # noqa: PLC0415 - for errors alone

    # Escaped before styles are added: ``say`` keeps all styles, foreign ones too.
    lines = [f"{style('error', 'error')}: {visible(str(error))}"]
    lines += [f"  {visible(detail)}" for detail in details(error)]
    hint = error.hint()
    if hint:
        lines.append(f"{style('hint', 'hint')}: {visible(hint)}")
    for line in lines:
        say(line)
    return error.exit_code


def show_warning(message: str) -> None:
    """Write a warning to stderr."""
    say(f"{style('warning', 'warning')}: {visible(message)}")
