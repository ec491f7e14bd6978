"""What every command does first: settings, logging, a reporter."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from polylock.answer_cache.remember import Asked
from polylock.cli.options import given_settings
from polylock.cli.progress import TerminalReporter
from polylock.cli.terminal import shown
from polylock.model.visible_text import is_visible
from polylock.project.settings import Settings, default_user_file, load_settings

__all__ = [
    "asked",
    "begin",
    "begin_to_show",
    "json_line",
    "json_text",
    "print_json",
    "reporting",
    "without_garbage_collection",
]


def asked(command: tuple[str, ...] = ()) -> Asked | None:
    """Return what is asked whose answer may be remembered.

    ``command`` is what ``run`` is to run.
    """
    found = click.get_current_context().find_object(Asked)
    return None if found is None else found.about(command)


def begin(values: dict[str, Any]) -> Settings:
    """Take the settings out of a command's parameters and set up logging.

    What is left in ``values`` are the command's own parameters. This is the only
    place that reads the environment for settings.
    """
    user_file = default_user_file(os.environ)
    settings = load_settings(given_settings(values), os.environ, user_file)
    if settings.no_color:
        os.environ["NO_COLOR"] = "1"
    _set_up_logging(settings.verbosity)
    return settings


def begin_to_show(values: dict[str, Any]) -> Settings:
    """Begin a command that shows the lock file; warn where that is out of date.

    Raises UsageError where there is no lock file, LockFileInvalid.
    """
    from polylock.cli.diagnostics import show_warning  # noqa: PLC0415 - not for others
    from polylock.operations.inspect.selection import warning_of_lock  # noqa: PLC0415 - as above

    settings = begin(values)
    warning = warning_of_lock(settings)
    if warning is not None:
        show_warning(warning)
    return settings


@contextmanager
def reporting(settings: Settings) -> Iterator[TerminalReporter]:
    """Give a reporter and take its bars down at the end, after an error too."""
    with TerminalReporter(settings.verbosity) as reporter:
        yield reporter


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Let reference counts do: a lock makes 100,000 objects and few cycles.

    The collector would look at them all again and again, for a tenth of a warm lock.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def json_text(value: object) -> str:
    """Return data as the lines of JSON that every command writes."""
    return json_line(value, indent=2) + "\n"


def json_line(value: object, *, indent: int | None = None) -> str:
    """Return data as JSON whose texts hold no character that hides or acts."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if text.isprintable() or all(map(is_visible, text.split("\n"))):
        return text
    return json.dumps(value, indent=indent)


def print_json(value: object) -> None:
    """Write data to stdout as JSON, keys in the order given."""
    sys.stdout.write(json_text(value))


class _Line(logging.Formatter):
    """A record on one line: what it tells may come from anywhere."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback, which only ``-vvv`` has, keeps its lines."""
        return "\n".join(map(shown, super().format(record).split("\n")))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - its name
        """Return the line without a traceback."""
        return shown(super().formatMessage(record))


def _set_up_logging(verbosity: int) -> None:
    """Log decisions with ``-v``, their evidence with ``-vv``, to stderr."""
    level = {0: logging.ERROR, 1: logging.INFO}.get(verbosity, logging.DEBUG)
    if verbosity < 0:
        level = logging.CRITICAL
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line("%(levelname).1s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    if verbosity < 3:
        for noisy in ("httpx", "httpcore"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
