"""Writing of the answer cache, for ``polylock.answer_cache.recall``."""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.answer_cache.basis import Written
from polylock.answer_cache.recall import content_of, entries_of, state
from polylock.cache.entries import digest
from polylock.errors import CacheUnusable
from polylock.project.settings import Settings, default_user_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from polylock.answer_cache.basis import Basis
    from polylock.answer_cache.recall import Question

__all__ = ["SETTLED", "Answer", "Asked", "as_written", "remember"]

logger = logging.getLogger(__name__)

SETTLED = 100_000_000
"""Nanoseconds for which a file must be unchanged when a command begins.

The clock of a file system may be 10 ms behind. So a change during the command is never
mistaken for one before it.
"""

_COARSE = 2_000_000_000
"""The same for file systems with times in whole or even seconds."""


class Asked:
    """The arguments of a run as possible questions, and the time at which it began.

    ``started`` is in nanoseconds since 1970.
    """

    def __init__(
        self, arguments: Sequence[str], questions: Sequence[Question], started: int
    ) -> None:
        self.arguments = tuple(arguments)
        self.questions = questions
        self.started = started

    def about(self, command: tuple[str, ...]) -> Asked:
        """Return the question for the command of ``run``, once that is known.

        If two fit, it is the one with everything before the command.
        """
        fitting = [each for each in self.questions if each.command == command]
        return Asked(self.arguments, fitting[-1:], self.started)


class Answer:
    """What is printed for a question, or the environment in which ``run`` starts."""

    def __init__(
        self,
        asked: Asked | None,
        *,
        out: str = "",
        err: str = "",
        environment: Path | None = None,
    ) -> None:
        self._question = asked.questions[0] if asked and asked.questions else None
        self.started = asked.started if asked else 0
        self.said = out, err, str(environment or "")

    def is_cached_in(self, cache: Path) -> bool:
        """Return True if ``recall`` would look for it in this cache directory."""
        question = self._question
        return question is not None and Path(question.cache).absolute() == cache

    @property
    def key(self) -> str:
        """Return the key of its entry."""
        assert self._question is not None
        return self._question.key


def as_written(paths: Iterable[str]) -> Written:
    """Return the files that a command wrote, before it examines them.

    A change by another program after this call is noticed later by the difference. One
    before it must be noticed by the caller, who examines the files now. Raises OSError.
    """
    since = time.time_ns()
    digests: list[tuple[str, str]] = []
    states: list[str] = []
    for path in paths:
        if _is_settled(state(path)[1], since):
            states.append(path)
        else:
            digests.append((path, digest(content_of(path))))
    return Written(since=since, digests=tuple(digests), states=tuple(states))


def remember(settings: Settings, basis: Basis | None, *answers: Answer) -> None:
    """Cache answers of one command, if they can be reused.

    ``basis`` is None if they depend on more than can be compared quickly: a source
    tree, for example. With ``-v`` nothing is cached, since the log must be real. Errors
    of the cache are ignored.
    """
    if basis is None or settings.verbosity > 0:
        return
    place = settings.cache_dir.absolute()
    told = [one for one in answers if one.is_cached_in(place)]
    if not told:
        return
    try:
        found = _facts(basis, min(one.started for one in told))
        if found is None:
            return
        entries = entries_of(*found, [one.said for one in told])
        from polylock.cache.store import Bucket, Store  # noqa: PLC0415 - 3 ms

        store = Store(settings.cache_dir)
        for one, entry in zip(told, entries, strict=True):
            store.write(Bucket.ANSWERS, one.key, entry)
    except (OSError, ValueError, CacheUnusable) as error:
        logger.debug("the answer is not cached: %s", error)


def _facts(basis: Basis, started: int) -> tuple[dict[str, str], dict[str, str]] | None:
    """Return the digests and states of the files that an answer depends on, by path.

    None if one may have been changed since the run began, unless the run wrote it.
    Raises OSError.
    """
    written = basis.written or Written(since=started)
    contents = {str(path): digest(path.read_bytes()) for path in basis.contents}
    paths = [
        *basis.states,
        str(default_user_file(os.environ)),
        *_modules(),
        *map(str, _import_directories()),
    ]
    states: dict[str, str] = {}
    for group, since in ((paths, started), (written.states, written.since)):
        for path in group:
            states[path], changed = state(path)
            if not _is_settled(changed, since):
                return None
    if not all(_is_settled(state(path)[1], started) for path in contents):
        return None
    return {**contents, **dict(written.digests)}, states


def _modules() -> list[str]:
    """Return the files of the imported modules of polylock."""
    return [
        file
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] == "polylock"
        and (file := getattr(module, "__file__", None))
    ]


def _import_directories() -> list[Path]:
    """Return the directories of ``sys.path`` except the current one.

    ``python -m`` adds that, and it changes whenever a file is added to it.
    """
    here = Path.cwd()
    found = (Path(text).absolute() for text in sys.path if text)
    return [path for path in found if path != here]


def _is_settled(changed: int, since: int) -> bool:
    """Return True if a file was last changed long enough before a time.

    Both are in nanoseconds since 1970. A later change is then noticed by its time.
    """
    whole = changed % 1_000_000_000 == 0
    return changed <= since - (_COARSE if whole else SETTLED)
