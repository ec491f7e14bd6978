"""The start of every command: settings, logging, a reporter; and JSON output."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from polylock.answer_cache.recall import questions
from polylock.answer_cache.remember import Asked
from polylock.cli.options import given_settings
from polylock.cli.progress import TerminalReporter
from polylock.cli.terminal import shown
from polylock.model.visible_text import is_visible
from polylock.project.settings import Settings, default_user_file, load_settings

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from polylock.operations.inspect.outdated import Outdated
    from polylock.operations.lock.resolve import LockedNotes

__all__ = [
    "answer_of_check",
    "ask_notes",
    "ask_outdated",
    "begin",
    "begin_with_lock",
    "cacheable_question",
    "json_line",
    "json_text",
    "print_json",
    "question_of",
    "reporting",
    "without_garbage_collection",
]


def cacheable_question(command: tuple[str, ...] = ()) -> Asked | None:
    """Return the current call as a question of the answer cache, or None.

    ``command`` is the command of ``run``.
    """
    found = click.get_current_context().find_object(Asked)
    return None if found is None else found.about(command)


def question_of(verb: str, *, lacking: Container[str]) -> Asked | None:
    """Return another command with the same options as a question, or None.

    ``--json`` is left out. ``lacking`` are the parameters of this command that the
    other does not have.
    """
    context = click.get_current_context()
    asked = context.find_object(Asked)
    given = [
        name
        for name in context.params
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if asked is None or any(name in lacking for name in given):
        return None
    if asked.arguments[0] != context.info_name:
        return None  # settings come before the command
    options = [text for text in asked.arguments[1:] if text != "--json"]
    if len(asked.arguments) - len(options) - 1 != ("as_json" in given):
        return None  # it is the value of another option
    if verb != "run":
        return Asked(options, questions((verb, *options)), asked.started)
    found = questions((verb, *options, "--", "true"))
    return Asked(options, found, asked.started).about(("true",))


def answer_of_check(settings: Settings, lock_file: Path) -> str:
    """Return what ``check`` prints to stderr if the lock file is up to date."""
    return f"{lock_file.name} is up to date\n" if settings.verbosity >= 0 else ""


def begin(values: dict[str, Any]) -> Settings:
    """Take the settings out of a command's parameters and set up logging.

    ``values`` keeps the command's own parameters. Only this function reads settings
    from environment variables. Raises what ``load_settings`` raises.
    """
    user_file = default_user_file(os.environ)
    settings = load_settings(given_settings(values), os.environ, user_file)
    if settings.no_color:
        os.environ["NO_COLOR"] = "1"
    _set_up_logging(settings.verbosity)
    return settings


def begin_with_lock(values: dict[str, Any]) -> Settings:
    """Begin a command that shows the lock file; warn if that is out of date.

    Raises UsageError if there is no lock file, LockFileInvalid.
    """
    from polylock.cli.diagnostics import show_warning  # noqa: PLC0415 - not for others
    from polylock.operations.inspect.selection import lock_warning  # noqa: PLC0415 - as above

    settings = begin(values)
    warning = lock_warning(settings)
    if warning is not None:
        show_warning(warning)
    return settings


@contextmanager
def reporting(settings: Settings) -> Iterator[TerminalReporter]:
    """Provide a reporter, and remove its progress bars at the end, even on errors."""
    with TerminalReporter(settings.verbosity) as reporter:
        yield reporter


def ask_outdated(settings: Settings) -> Outdated:
    """Ask the index what is locked older than it could be; raises as ``outdated``."""
    from polylock.operations.inspect.outdated import outdated  # noqa: PLC0415 - online

    with reporting(settings) as reporter:
        return outdated(settings, reporter)


def ask_notes(settings: Settings) -> LockedNotes:
    """Ask the index what the lock file costs; raises as ``locked_notes``."""
    from polylock.operations.lock.resolve import locked_notes  # noqa: PLC0415 - online

    with reporting(settings) as reporter, without_garbage_collection():
        return locked_notes(settings, reporter)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Disable the cyclic garbage collector during the block.

    A lock makes 100,000 objects and few cycles. The collector would traverse them again
    and again, which takes a tenth of a warm lock.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def json_text(value: object) -> str:
    """Return data as indented JSON, as every command writes it."""
    return json_line(value, indent=2) + "\n"


def json_line(value: object, *, indent: int | None = None) -> str:
    """Return data as JSON without invisible or control characters."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if text.isprintable() or all(map(is_visible, text.split("\n"))):
        return text
    return json.dumps(value, indent=indent)


def print_json(value: object) -> None:
    """Write data to stdout as JSON, keys in the order given."""
    sys.stdout.write(json_text(value))


class _Line(logging.Formatter):
    """Formats a record on one line, with control characters made visible."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record; a traceback, shown only with ``-vvv``, keeps its lines."""
        return "\n".join(map(shown, super().format(record).split("\n")))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - its name
        """Return the record without a traceback."""
        return shown(super().formatMessage(record))


def _set_up_logging(verbosity: int) -> None:
    """Log to stderr: decisions with ``-v``, their reasons with ``-vv``."""
    level = {0: logging.ERROR, 1: logging.INFO}.get(verbosity, logging.DEBUG)
    if verbosity < 0:
        level = logging.CRITICAL
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line("%(levelname).1s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    if verbosity < 3:
        for noisy in ("httpx", "httpcore"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
