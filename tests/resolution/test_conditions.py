"""Conditions along the edges of a resolution."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from polylock.errors import TooComplex
from polylock.model.markers import parse_marker
from polylock.model.pins import Edge
from polylock.resolution.conditions import conditions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from polylock.resolution.conditions import Root


def edge(name: str, *extras: str, extra: str | None = None, when: str = "") -> Edge:
    """Return an edge in few words."""
    return Edge(
        name=canonicalize_name(name),
        extras=extras,
        extra=extra,
        condition=parse_marker(when) if when else None,
    )


def told(roots: Sequence[Root], edges: Mapping[str, Sequence[Edge]]) -> dict[str, str]:
    """Return the conditions as text, empty for always."""
    found = conditions(roots, {canonicalize_name(n): e for n, e in edges.items()})
    return {name: "" if when is None else str(when) for name, when in found.items()}


def test_what_the_project_needs_is_always_installed() -> None:
    """A way without conditions makes every other way irrelevant."""
    roots = [(edge("a"), None, None), (edge("b"), None, "dev")]
    assert told(roots, {"a": [edge("b")], "b": []}) == {"a": "", "b": ""}


def test_conditions_join_along_a_way_and_over_ways() -> None:
    """Conditions on one way are joined by ``and``, ways by ``or``."""
    roots = [(edge("a"), "gpu", None), (edge("b"), None, "dev")]
    edges = {"a": [edge("c", when="platform_release == '6'")], "b": [edge("c")]}
    assert told(roots, {**edges, "c": []})["c"] == (
        "'dev' in dependency_groups or ('gpu' in extras and platform_release == '6')"
    )


def test_a_cycle_comes_to_rest() -> None:
    """A cycle of projects with conditions ends."""
    roots = [(edge("a"), None, "dev")]
    edges = {
        "a": [edge("b", when="platform_release == '1'")],
        "b": [edge("a", when="platform_release == '2'")],
    }
    assert told(roots, edges) == {
        "a": "'dev' in dependency_groups",
        "b": "'dev' in dependency_groups and platform_release == '1'",
    }


def test_an_extra_counts_only_where_it_is_asked_for() -> None:
    """Edges of an extra have the condition of the requirement on the extra."""
    roots = [(edge("web"), None, None), (edge("web", "fast"), None, "dev")]
    edges = {
        "web": [edge("core"), edge("speed", extra="fast")],
        "core": [],
        "speed": [],
    }
    assert told(roots, edges) == {
        "core": "",
        "speed": "'dev' in dependency_groups",
        "web": "",
    }


def test_what_is_not_reached_is_left_out() -> None:
    """A pin left over from a search that went elsewhere has no condition."""
    assert told([(edge("a"), None, None)], {"a": [], "z": []}) == {"a": ""}


def test_thousands_of_distinct_markers_are_told_once_each() -> None:
    """The time grows with their number, squared at most: 1,000 took 20 seconds."""
    texts = [f"platform_release == 'x{n:04}'" for n in range(1000)]
    ways = [edge("b", when=text) for text in texts]
    began = time.process_time()
    found = told([(edge("a"), None, None)], {"a": ways, "b": [edge("c")], "c": []})
    assert time.process_time() - began < 8
    assert found["b"] == found["c"] == " or ".join(texts)


def test_clauses_that_double_with_each_edge_end() -> None:
    """Two ways from each project to the next one are 2 ** 40 ways to the last."""
    edges = {
        f"p{n}": [
            edge(f"p{n + 1}", when=f"platform_release == '{n}'"),
            edge(f"p{n + 1}", when=f"platform_version == '{n}'"),
        ]
        for n in range(40)
    }
    numbered = {canonicalize_name(name): each for name, each in edges.items()}
    with pytest.raises(TooComplex) as caught:
        conditions([(edge("p0"), None, None)], numbered, target="box")
    assert (caught.value.project, caught.value.target) == ("p12", "box")
    assert "p12 on target box" in str(caught.value)
    assert caught.value.hint()


def test_a_condition_of_the_project_is_part_of_each_way() -> None:
    """What the project itself says of an edge holds for all that lies behind it."""
    roots = [(edge("a", when="platform_release == '1'"), None, "dev")]
    assert told(roots, {"a": [edge("b")], "b": []})["b"] == (
        "'dev' in dependency_groups and platform_release == '1'"
    )
