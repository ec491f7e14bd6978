"""The graph of what a target installs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.lock_texts import lock_text, package_text, settings_for
from polylock.errors import LockFileInvalid
from polylock.operations.inspect.graph import LockedGraph, Root, locked_graphs

if TYPE_CHECKING:
    from pathlib import Path


def _graph(directory: Path, *packages: str, wanted: tuple[str, ...]) -> LockedGraph:
    settings = settings_for(directory, lock_text(*packages, requirements=wanted))
    (graph,) = locked_graphs(settings)
    return graph


def test_shortest_chain_to_each_dependent(tmp_path: Path) -> None:
    """Of many ways to a dependent the shortest is told, and each dependent has one."""
    graph = _graph(
        tmp_path,
        package_text("a", "b", "c"),
        package_text("b", "c"),
        package_text("c", "d"),
        package_text("d"),
        wanted=("a", "b"),
    )
    assert graph.chains("c") == (("a", "c"), ("b", "c"))
    assert graph.chains("d") == (("a", "c", "d"),)
    assert graph.chains("a") == (("a",),)


def test_cycle_ends(tmp_path: Path) -> None:
    """Packages that require each other have chains without a loop."""
    graph = _graph(
        tmp_path,
        package_text("a", "b"),
        package_text("b", "a", "b"),
        wanted=("a",),
    )
    assert graph.chains("b") == (("a", "b"),)
    assert graph.chains("a") == (("a",),)
    assert [node.name for node in graph.within(10)] == ["a", "b"]


def test_package_without_a_way_to_it_is_a_root(tmp_path: Path) -> None:
    """An entry that nothing leads to is shown all the same, with no place."""
    graph = _graph(tmp_path, package_text("a"), package_text("stray"), wanted=("a",))
    assert graph.roots == (
        Root(name="a", places=("project",)),
        Root(name="stray", places=()),
    )


def test_markers_of_requirements_are_evaluated(tmp_path: Path) -> None:
    """A requirement for another system makes no root of what a dependency needs."""
    graph = _graph(
        tmp_path,
        package_text("a", "b"),
        package_text("b"),
        wanted=("a", "b; sys_platform == 'win32'"),
    )
    assert [root.name for root in graph.roots] == ["a"]


def test_reference_with_another_version_is_another_entry(tmp_path: Path) -> None:
    """PEP 751's references tell the entries of one name apart."""
    graph = _graph(
        tmp_path,
        package_text("a", more="marker = \"python_version >= '3.12'\"\n").replace(
            "dependencies = []", 'dependencies = [{ name = "b", version = "2.0" }]'
        ),
        package_text("b"),
        wanted=("a",),
    )
    assert graph.nodes["a"].dependencies == ()


def test_damaged_requirement_is_told(tmp_path: Path) -> None:
    """A record that was edited by hand is an error that shows the text."""
    with pytest.raises(LockFileInvalid, match="'=a' is not a requirement"):
        _graph(tmp_path, package_text("a"), wanted=("=a",))
