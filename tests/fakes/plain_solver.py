"""An exhaustive solver: slow, and simple enough to be checked by reading.

It shares with polylock only code that is tested elsewhere: expanding a version into
artifacts, reading the requirements of a wheel, and evaluating markers.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from polylock.resolution.availability import Availability
from polylock.resolution.candidate_pool import CandidatePool
from polylock.resolution.constraints import Dependency, Unmeetable
from polylock.resolution.dependencies import DependencyReader
from polylock.resolution.memory import applicable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.utils import NormalizedName

    from fakes.source import MemorySource
    from polylock.model.inputs import Inputs
    from polylock.model.pins import Preference
    from polylock.model.target import Target
    from polylock.resolution.candidates import Candidate, Expansion

    Pins = Mapping[str, Candidate]
    Preferences = Mapping[NormalizedName, Preference]


@cache
def _contains(specifiers: str, version: str) -> bool:
    return SpecifierSet(specifiers).contains(version, prereleases=True)


class PlainSolver:
    """Finds every solution of a universe, and the best one as the docs define it.

    Its pre-release policies are ``allow`` and ``explicit``. ``admits_yanked`` allows
    all yanked versions.
    """

    def __init__(
        self,
        inputs: Inputs,
        target: Target,
        source: MemorySource,
        preferences: Preferences | None = None,
    ) -> None:
        pool = CandidatePool(target=target, inputs=inputs, source=source)
        every = [root.requirement for root in inputs.requirements]
        own = [each for each in every if any(applicable([each], target))]
        self._pool = pool
        self._inputs = inputs
        self._source = source
        self._preferences = preferences or {}
        self._reader = DependencyReader(Availability(pool, {}, preferences={}, own=own))
        self._roots = [
            dependency
            for root in inputs.requirements
            for dependency in self._reader.of_project(root.requirement)
        ]
        self.admits_yanked = False
        specifiers = [(r.name, SpecifierSet(r.specifier)) for r in own]
        self._named = {name for name, found in specifiers if found.prereleases}
        self._pinned = {
            name for name, found in specifiers if any(s.operator == "==" for s in found)
        }
        self._choices: dict[str, list[Candidate]] = {}
        self._banned: set[Candidate] = set()
        self._known: dict[tuple[frozenset[Candidate], bool], bool] = {}

    def solutions(
        self, pins: Pins | None = None, *, strict: bool = True
    ) -> Iterator[Pins]:
        """Yield every solution that extends some pins.

        ``strict`` solutions have every project that their labels are built against.
        """
        pins = pins or {}
        asked = self.asked(pins)
        if asked is None:
            return
        undecided = next((name for name in asked if name not in pins), None)
        if undecided is None:
            if not (strict and _unmet(pins)):
                yield pins
            return
        for candidate in self._candidates(undecided):
            yield from self.solutions({**pins, undecided: candidate}, strict=strict)

    def _is_solvable(self, pins: Pins, *, strict: bool) -> bool:
        """Return True if there is a solution that extends some pins."""
        key = frozenset(pins.values()), strict
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._extends(pins, strict=strict)
        return known

    def _extends(self, pins: Pins, *, strict: bool) -> bool:
        asked = self.asked(pins)
        if asked is None:
            return False
        undecided = next((name for name in asked if name not in pins), None)
        if undecided is None:
            return not (strict and _unmet(pins))
        return any(
            self._is_solvable({**pins, undecided: candidate}, strict=strict)
            for candidate in self._candidates(undecided)
        )

    def best(self) -> Pins | None:
        """Return the best solution, None where there is none.

        A label built against a project that the best solution lacks is dropped. If no
        solution is left, all solutions that have every such project count.
        """
        self._banned = set()
        self._known.clear()
        order = self.order()
        while (pins := self._best(order, strict=False)) is not None:
            if not _unmet(pins):
                return pins
            self._banned.update(_unmet(pins))
            self._known.clear()
        self._banned = set()
        self._known.clear()
        return self._best(order, strict=True)

    def _best(self, order: list[str], *, strict: bool) -> Pins | None:
        pins: Pins = {}
        if not self._is_solvable(pins, strict=strict):
            return None
        while True:
            asked = self.asked(pins) or {}
            undecided = [name for name in asked if name not in pins]
            if not undecided:
                return pins
            forced = [n for n in undecided if self._is_forced(n, asked[n])]
            chosen = min(
                forced or undecided,
                key=lambda n: (order.index(n) if n in order else len(order), n),
            )
            pins = next(
                found
                for candidate in self._candidates(chosen)
                if self._is_solvable(
                    found := {**pins, chosen: candidate}, strict=strict
                )
            )

    def _is_forced(self, name: str, asked: list[str]) -> bool:
        """Return True if there is at most one candidate."""
        return len(self._allowed_ones(name, asked)) < 2

    def asked(self, pins: Pins) -> dict[str, list[str]] | None:
        """Return the names that the project and some pins require, with all specifiers.

        A pin counts only if it is required, and with the required extras. None if the
        pins conflict.
        """
        specifiers: dict[str, list[str]] = {}
        waiting = list(self._roots)
        seen: set[tuple[str, str]] = set()
        while waiting:
            wanted = waiting.pop(0).requirement
            specifiers.setdefault(wanted.name, []).append(wanted.specifier)
            for extra in ("", *wanted.extras):
                if wanted.name in pins and (wanted.name, extra) not in seen:
                    seen.add((wanted.name, extra))
                    required = self._required(pins[wanted.name], extra)
                    if required is None:
                        return None
                    waiting += required
        for name in list(specifiers):
            for need in pins[name].abi if name in pins else ():
                if need.name in specifiers:
                    specifiers[need.name].append(f"=={need.value}.*")
        for name, found in specifiers.items():
            if name in pins and not self._allowed(pins[name], found):
                return None
        return specifiers

    def order(self) -> list[str]:
        """Sort the projects that first choices lead to, dependents first."""
        requires: dict[str, set[str]] = {}
        choices: dict[str, Candidate | None] = {}
        seen: set[tuple[str, str]] = set()
        waiting: list[tuple[str | None, Dependency]] = [(None, r) for r in self._roots]
        while waiting:
            parent, dependency = waiting.pop(0)
            wanted = dependency.requirement
            name = str(wanted.name)
            if name not in choices:
                requires[name] = set()
                choices[name] = next(
                    (
                        candidate
                        for candidate in self._allowed_ones(name, [wanted.specifier])
                        if self._required(candidate, "") is not None
                    ),
                    None,
                )
            if parent is not None:
                requires[parent].add(name)
            choice = choices[name]
            for extra in ("", *wanted.extras):
                if choice is not None and (name, extra) not in seen:
                    seen.add((name, extra))
                    required = self._required(choice, extra) or ()
                    waiting += [(name, each) for each in required]
        for name, choice in choices.items():
            for need in choice.abi if choice is not None else ():
                if need.name in requires:
                    requires[name].add(str(need.name))
        leads = {name: _closure(name, requires) for name in requires}
        order: list[str] = []
        while len(order) < len(requires):
            order.append(
                next(
                    name
                    for name in requires
                    if name not in order
                    and all(
                        other in order or other in leads[name]
                        for other in requires
                        if name in leads[other]
                    )
                )
            )
        return order

    def _candidates(self, name: str) -> list[Candidate]:
        """Return all candidates of a project, the preferred first."""
        if name not in self._choices:
            releases = self._source.releases(canonicalize_name(name), self._pool.target)
            found = []
            for position in range(len(releases.versions)):
                expansion = self._pool.expand(releases, position, yanked=True)
                found += [
                    (c, self._label_order(c, expansion)) for c in expansion.candidates
                ]
            wish = self._preferences.get(canonicalize_name(name))
            sign = 1 if self._inputs.resolution == "lowest" else -1
            found.sort(
                key=lambda each: (
                    wish is None or each[0].version != wish.version,
                    sign * each[0].position,
                    wish is None or each[0].file.filename not in wish.filenames,
                    each[1],
                )
            )
            self._choices[name] = [candidate for candidate, _ in found]
        return [c for c in self._choices[name] if c not in self._banned]

    def _label_order(self, candidate: Candidate, expansion: Expansion) -> list[Any]:
        """Sort the labels of a version: by rank, then by the newest dependency."""
        rank = math.inf if candidate.rank is None else candidate.rank
        names = sorted({need.name for c in expansion.candidates for need in c.abi})
        lowest = self._inputs.resolution == "lowest"
        order: list[Any] = [rank]
        for name in names:
            value = next((n.value for n in candidate.abi if n.name == name), None)
            if value is None:
                order.append((2,))
                continue
            wish = self._preferences.get(name)
            kept = wish is not None and SpecifierSet(f"=={value}.*").contains(
                wish.version, prereleases=True
            )
            if lowest:
                order.append((not kept, *padded(value, -1)))
            else:
                order.append((not kept, *(-part for part in padded(value, 9999))))
        return [*order, expansion.candidates.index(candidate)]

    def _allowed_ones(self, name: str, asked: list[str]) -> list[Candidate]:
        return [c for c in self._candidates(name) if self._allowed(c, asked)]

    def _required(self, candidate: Candidate, extra: str) -> list[Dependency] | None:
        found = self._reader.of(self._pool.extended(candidate, extra))
        return None if isinstance(found, Unmeetable) else list(found)

    def _allowed(self, candidate: Candidate, asked: Iterable[str]) -> bool:
        """Judge by all specifiers at once; what is admitted is known beforehand."""
        releases, at = candidate.releases, candidate.position
        together = ",".join(dict.fromkeys(text for text in asked if text))
        if not _contains(together, candidate.version):
            return False
        if releases.yanked >> at & 1 and not (
            self.admits_yanked or releases.name in self._pinned
        ):
            return False
        if releases.finals >> at & 1 or releases.name in self._named:
            return True
        return self._inputs.prerelease == "allow"


def padded(value: str, filling: int) -> list[int]:
    """Return the numbers of a release, filled up to three."""
    return [*map(int, value.split(".")), filling, filling][:3]


def _unmet(pins: Pins) -> list[Candidate]:
    return [
        pin for pin in pins.values() if any(need.name not in pins for need in pin.abi)
    ]


def _closure(name: str, requires: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for following in requires[waiting.pop()]:
            if following not in found:
                found.add(following)
                waiting.append(following)
    return found
