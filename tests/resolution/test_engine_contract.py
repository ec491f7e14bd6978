"""What the engine relies on of resolvelib: a new release fails here first.

Each underscore method that ``Engine`` overrides is looked up in resolvelib, with its
parameters, and seen to be called by ``Resolution.resolve`` at the point that counts.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible
from resolvelib.resolvers import Criterion, RequirementsConflicted, Resolution
from resolvelib.structs import RequirementInformation, State

from polylock.resolution.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

OVERRIDDEN = {
    "_is_current_pin_satisfying": ["self", "name", "criterion"],
    "_add_to_criteria": ["self", "criteria", "requirement", "parent"],
    "_get_updated_criteria": ["self", "candidate"],
    "_attempt_to_pin_criterion": ["self", "name"],
    "_backjump": ["self", "causes"],
}
CALLED = {"_push_new_state": ["self"]}


class Numbers(AbstractProvider[str, str, str]):
    """Two projects: ``a`` of two versions, the better requires a ``b`` that is not."""

    WORLD: Mapping[str, list[str]] = {"a": ["a2", "a1"], "b": []}

    def identify(self, requirement_or_candidate: str) -> str:
        """Return the letter."""
        return requirement_or_candidate[0]

    def get_preference(self, *_: object, **__: object) -> int:
        """Return that nothing is preferred."""
        return 0

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[str]],
        incompatibilities: Mapping[str, Iterator[str]],
    ) -> Sequence[str]:
        """Return the versions that are not given up."""
        del requirements
        gone = set(incompatibilities[identifier])
        return [each for each in self.WORLD[identifier] if each not in gone]

    def is_satisfied_by(self, requirement: str, candidate: str) -> bool:
        """Return True if it is the project."""
        return requirement[0] == candidate[0]

    def get_dependencies(self, candidate: str) -> Iterable[str]:
        """Return ``b`` for the better version."""
        return ["b"] if candidate == "a2" else []


class Spying(Resolution[str, str, str]):
    """resolvelib's own, which notes what it calls."""

    def __init__(self) -> None:
        super().__init__(Numbers(), BaseReporter())
        self.calls: list[str] = []

    def _is_current_pin_satisfying(
        self, name: str, criterion: Criterion[str, str]
    ) -> bool:
        self.calls.append("_is_current_pin_satisfying")
        return super()._is_current_pin_satisfying(name, criterion)

    def _add_to_criteria(
        self, criteria: dict[str, Any], requirement: str, parent: str | None
    ) -> None:
        self.calls.append("_add_to_criteria")
        super()._add_to_criteria(criteria, requirement, parent)

    def _get_updated_criteria(self, candidate: str) -> dict[str, Any]:
        self.calls.append("_get_updated_criteria")
        return super()._get_updated_criteria(candidate)

    def _attempt_to_pin_criterion(self, name: str) -> list[Criterion[str, str]]:
        self.calls.append("_attempt_to_pin_criterion")
        return super()._attempt_to_pin_criterion(name)

    def _backjump(self, causes: list[Any]) -> bool:
        self.calls.append("_backjump")
        assert all(isinstance(cause, RequirementInformation) for cause in causes)
        return False


@pytest.mark.parametrize("name", [*OVERRIDDEN, *CALLED])
def test_the_method_is_there_with_its_parameters(name: str) -> None:
    """Resolvelib calls it by position, so the order of parameters is the contract."""
    expected = {**OVERRIDDEN, **CALLED}[name]
    assert list(inspect.signature(getattr(Resolution, name)).parameters) == expected
    if name in OVERRIDDEN:
        assert name in vars(Engine)
        assert list(inspect.signature(getattr(Engine, name)).parameters) == expected


def test_the_engine_overrides_nothing_else() -> None:
    """Each override of a method of resolvelib has its line above."""
    inherited = {name for name in vars(Resolution) if not name.startswith("__")}
    assert inherited & vars(Engine).keys() == OVERRIDDEN.keys()


def test_a_round_decides_pins_and_adds() -> None:
    """The methods are called in the order that the engine counts on."""
    spy = Spying()
    state = spy.resolve(["a"], max_rounds=5)
    assert list(state.mapping.values()) == ["a1"]
    assert spy.calls[:5] == [
        "_add_to_criteria",
        "_is_current_pin_satisfying",
        "_attempt_to_pin_criterion",
        "_get_updated_criteria",  # of a2, which fails
        "_add_to_criteria",
    ]
    assert "_backjump" not in spy.calls


def test_a_project_without_candidates_goes_back_once_and_ends() -> None:
    """The result of ``_backjump`` decides: false ends the run and keeps the state."""

    class Hopeless(Numbers):
        WORLD: Mapping[str, list[str]] = {"a": ["a2"], "b": []}

    spy = Spying()
    spy._p = Hopeless()
    with pytest.raises(ResolutionImpossible):
        spy.resolve(["a"], max_rounds=5)
    assert spy.calls[-1] == "_backjump"
    assert isinstance(spy.state, State)


def test_a_requirement_of_the_project_that_fails_tells_its_conflict() -> None:
    """The conflict of the engine's own is the cause of what resolvelib raises."""
    with pytest.raises(ResolutionImpossible) as caught:
        Spying().resolve(["b"], max_rounds=5)
    assert isinstance(caught.value.__cause__, RequirementsConflicted)


def test_a_state_is_a_mapping_in_the_order_of_pins_and_criteria() -> None:
    """The engine takes back the last pin by ``popitem``, and adds to the criteria."""
    assert State._fields == ("mapping", "criteria", "backtrack_causes")
    spy = Spying()
    spy.resolve(["a"], max_rounds=5)
    assert isinstance(spy.state.mapping, dict)
    assert next(reversed(spy.state.mapping)) == "a"
    criterion = spy.state.criteria["a"]
    assert (list(criterion.information), list(criterion.incompatibilities)) == (
        [RequirementInformation("a", None)],
        [],
    )
