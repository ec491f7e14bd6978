"""Writing of the answer cache, for ``polylock.answer_cache.recall``."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.answer_cache.recall import Question, entry_of
from polylock.cache.entries import digest
from polylock.errors import CacheUnusable
from polylock.project.settings import Settings, default_user_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from polylock.answer_cache.basis import Basis

__all__ = ["SETTLED", "Asked", "remember"]

logger = logging.getLogger(__name__)

SETTLED = 100_000_000
"""Nanoseconds for which a file must be unchanged when a command begins.

The clock of a file system may be 10 ms behind. So a change during the command is never
mistaken for one before it.
"""

_COARSE = 2_000_000_000
"""The same for file systems with times in whole or even seconds."""


class Asked:
    """The possible questions of a run, and the time at which it began.

    ``started`` is in nanoseconds since 1970.
    """

    def __init__(self, questions: Sequence[Question], started: int) -> None:
        self.questions = questions
        self.started = started

    def about(self, command: tuple[str, ...]) -> Asked:
        """Return the question for the command of ``run``, once that is known.

        If two fit, it is the one with everything before the command.
        """
        fitting = [each for each in self.questions if each.command == command]
        return Asked(fitting[-1:], self.started)


def remember(
    asked: Asked | None,
    settings: Settings,
    basis: Basis | None,
    *,
    out: str = "",
    err: str = "",
    environment: Path | None = None,
) -> None:
    """Cache the output of a command, if its answer can be reused.

    ``out`` and ``err`` are all that it wrote. ``basis`` is None if the answer depends
    on more than can be compared quickly: a source tree, for example. With ``-v``
    nothing is cached, since the log must be real. Errors of the cache are ignored.
    """
    if basis is None or asked is None or not asked.questions:
        return
    (question,) = asked.questions
    place = Path(question.cache).absolute()
    if settings.verbosity > 0 or place != settings.cache_dir.absolute():
        return
    states = list(
        dict.fromkeys(
            [
                *map(str, basis.states),
                str(default_user_file(os.environ)),
                *_modules(),
                *map(str, _import_directories()),
            ]
        )
    )
    try:
        entry = entry_of(
            {str(path): digest(path.read_bytes()) for path in basis.contents},
            states,
            (out, err, str(environment or "")),
        )
        if _is_settled([*map(str, basis.contents), *states], asked.started):
            from polylock.cache.store import Bucket, Store  # noqa: PLC0415 - 3 ms

            store = Store(settings.cache_dir)
            store.write(Bucket.ANSWERS, question.key, entry)
    except (OSError, ValueError, CacheUnusable) as error:
        logger.debug("the answer is not cached: %s", error)


def _modules() -> list[str]:
    """Return the files of the imported modules of polylock."""
    files = (
        getattr(module, "__file__", None)
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] == "polylock"
    )
    return [str(Path(file)) for file in files if file]


def _import_directories() -> list[Path]:
    """Return the directories of ``sys.path`` except the current one.

    ``python -m`` adds that, and it changes whenever a file is added to it.
    """
    here = Path.cwd()
    found = (Path(text).absolute() for text in sys.path if text)
    return [path for path in found if path != here]


def _is_settled(paths: Iterable[str], started: int) -> bool:
    """Return True if no path can have changed unnoticed since the run began."""
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - hundreds of them
        except OSError:
            continue  # absent, as when the command looked for it
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        whole = changed % 1_000_000_000 == 0
        if changed > started - (_COARSE if whole else SETTLED):
            return False
    return True
