"""Which of those who ask for a project cannot be met together, and in which words."""

from __future__ import annotations

from functools import reduce
from itertools import combinations
from operator import and_, or_
from typing import TYPE_CHECKING

from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.versions import VersionTable

__all__ = ["Ask", "asked_by_settings", "clash", "in_words"]

_MOST_TRIED_TOGETHER = 3


class Ask(Value, frozen=True):
    """What someone asks of a project: a specifier for each version of who asks.

    ``who`` is a noun phrase: ``the project``, or the name of another project.
    """

    who: str
    specifiers: tuple[str, ...]


def asked_by_settings(
    availability: Availability, name: NormalizedName
) -> Iterator[Ask]:
    """Yield what constraints and the command line ask of a project."""
    for specifier in availability.constraints_on(name):
        yield Ask("constraint-dependencies", (specifier,))
    for upgrade in availability.pool.inputs.upgrades:
        if upgrade.name == name:
            yield Ask("--upgrade-package", (upgrade.specifier,))


def clash(asks: Sequence[Ask], table: VersionTable) -> Sequence[Ask]:
    """Return the fewest asks that leave no version, the first of as many.

    All of them where together they leave some: then it is not they that clash. Looks
    for up to three; where it takes more, those that can be spared are left out.
    """
    masks = {ask: _mask(ask.specifiers, table) for ask in asks}

    def leaves_some(chosen: Iterable[Ask]) -> bool:
        return bool(reduce(and_, (masks[ask] for ask in chosen), table.everything))

    if leaves_some(asks):
        return asks
    for count in range(1, _MOST_TRIED_TOGETHER + 1):
        for chosen in combinations(asks, count):
            if not leaves_some(chosen):
                return chosen
    kept = list(asks)
    for ask in reversed(asks):
        rest = [each for each in kept if each is not ask]
        if not leaves_some(rest):
            kept = rest
    return kept


def in_words(asks: Sequence[Ask], table: VersionTable) -> str:
    """Write what is asked, and by whom where there are several.

    A specifier that allows nothing that another of the same ask does not is left out.
    """
    said = [
        (" or ".join(_widest(ask.specifiers, table)), ask.who)
        for ask in asks
        if any(ask.specifiers)
    ]
    if len({who for _, who in said}) <= 1:
        return ",".join(what for what, _ in said)
    return " and ".join(f"{what} ({who})" for what, who in said)


def _mask(specifiers: Iterable[str], table: VersionTable) -> int:
    return reduce(or_, map(table.mask, specifiers), 0)


def _widest(specifiers: Sequence[str], table: VersionTable) -> list[str]:
    """Leave those that are covered by no other, of equal ones the last."""
    found: list[str] = []
    for at, specifier in enumerate(specifiers):
        mask = table.mask(specifier)
        others = [
            (other, table.mask(each))
            for other, each in enumerate(specifiers)
            if other != at
        ]
        if not any(
            not mask & ~wider and (mask != wider or other > at)
            for other, wider in others
        ):
            found.append(specifier)
    return found
