"""The order in which projects are decided."""

from __future__ import annotations

import pytest

from polylock.resolution.precedence import decision_order


@pytest.mark.parametrize(
    ("requires", "order"),
    [
        pytest.param({"a": [], "b": []}, "a b", id="as discovered"),
        pytest.param({"a": [], "b": ["a"]}, "b a", id="dependents first"),
        pytest.param(
            {"a": [], "b": ["c"], "c": ["a"], "d": []}, "b c a d", id="over another"
        ),
        pytest.param({"a": ["b"], "b": ["a"]}, "a b", id="a cycle as discovered"),
        pytest.param(
            {"a": [], "b": ["c"], "c": ["b", "a"]}, "b c a", id="after a cycle"
        ),
        pytest.param({"a": ["a", "b"], "b": []}, "a b", id="itself"),
        pytest.param(
            {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["b"]},
            "d a b c",
            id="a cycle that is required",
        ),
        pytest.param({}, "", id="nothing"),
    ],
)
def test_dependents_come_first(requires: dict[str, list[str]], order: str) -> None:
    """A project follows those that require it, unless it leads back to them."""
    assert decision_order(requires) == order.split()
