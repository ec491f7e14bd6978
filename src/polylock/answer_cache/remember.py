"""Leave an answer for ``polylock.answer_cache.recall``, with all that it depends on."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.answer_cache.recall import entry_of
from polylock.cache.entries import digest
from polylock.errors import CacheUnusable
from polylock.project.settings import default_user_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from polylock.answer_cache.basis import Basis
    from polylock.answer_cache.recall import Question
    from polylock.project.settings import Settings

__all__ = ["SETTLED", "Asked", "remember"]

logger = logging.getLogger(__name__)

SETTLED = 100_000_000
"""Nanoseconds for which a file must have been left alone when a command begins.

File systems note a change by a clock that is up to 10 ms behind. So a change while
the command ran is never taken for one before it.
"""

_COARSE = 2_000_000_000
"""The same where changes are noted in whole seconds, or every two."""


class Asked:
    """What a run may have been asked, if answers are remembered, and when it began.

    ``started`` is in nanoseconds since 1970.
    """

    def __init__(self, questions: Sequence[Question], started: int) -> None:
        self.questions = questions
        self.started = started

    def about(self, command: tuple[str, ...]) -> Asked:
        """Return the same, once the command is known that ``run`` is to run.

        Where two would do it is the one with all that stood before the command.
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
    """Remember what was said to a command that was ``asked``, if that is allowed.

    ``out`` and ``err`` are all that it wrote. ``basis`` is None where the answer
    depends on more than can be looked at quickly: a source tree, for example. With
    ``-v`` there is a log, which must be true. A cache that cannot be written is no
    matter here.
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
        logger.debug("nothing is remembered: %s", error)


def _modules() -> list[str]:
    """Return the modules of polylock that took part; data in it comes with them."""
    files = (
        getattr(module, "__file__", None)
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] == "polylock"
    )
    return [str(Path(file)) for file in files if file]


def _import_directories() -> list[Path]:
    """Return where this Python imports from, but for the current directory.

    ``python -m`` puts that first, and it changes whenever a file in it does.
    """
    here = Path.cwd()
    found = (Path(text).absolute() for text in sys.path if text)
    return [path for path in found if path != here]


def _is_settled(paths: Iterable[str], started: int) -> bool:
    """Return whether nothing can have changed since the run began, unseen."""
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - hundreds of them
        except OSError:
            continue  # there was none when it was looked for
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        whole = changed % 1_000_000_000 == 0
        if changed > started - (_COARSE if whole else SETTLED):
            return False
    return True
