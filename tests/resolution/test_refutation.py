"""What the engine tells beside its answer: versions that no solution has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.source import MemorySource
from fakes.universes import TARGETS, inputs_of
from polylock.model.reasons import NeedsBuild
from polylock.ports import SilentReporter
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from fakes.families import Packages
    from polylock.resolution.refutation import Barred

UNBUILT = {"wheels": [], "sdist": {"build-refused": "build-package"}}


def barred(packages: Packages, *roots: str) -> dict[str, Barred]:
    """Return what a solve of one target found barred, by project."""
    solver = Solver(
        inputs=inputs_of([*roots], "allow"),
        source=MemorySource(packages),
        reporter=SilentReporter(),
    )
    found = solver.solve(TARGETS[:1]).barred[TARGETS[0].name]
    return {str(name): each for name, each in found.items()}


def test_the_way_to_what_would_have_to_be_built() -> None:
    """An older version is taken, and the newer told with the project behind it."""
    packages: Packages = {
        "kit": {"1": {}, "2": {"requires": ["kit-core"]}},
        "kit-core": {"1": {"requires": ["kit-api"]}},
        "kit-api": {"1": UNBUILT, "2": UNBUILT},
    }
    found = barred(packages, "kit")
    assert found.keys() == {"kit"}
    assert found["kit"].position == 1
    assert found["kit"].way == (("kit", "2"), ("kit-core", "1"), ("kit-api", "2"))
    assert found["kit"].reason == NeedsBuild()


def test_what_only_conflicts_is_not_barred() -> None:
    """Another pin is in its way, with which it is no longer there for good."""
    packages: Packages = {
        "a": {"1": {}, "2": {"requires": ["c<2"]}},
        "b": {"1": {"requires": ["c>=2"]}},
        "c": {"1": {}, "2": {}},
    }
    assert barred(packages, "b", "a") == {}


def test_a_circle_has_no_end_to_tell() -> None:
    """Versions that exclude each other have no reason but themselves."""
    packages: Packages = {
        "a": {"1": {}, "2": {"requires": ["b==2"]}},
        "b": {"1": {}, "2": {"requires": ["a==1"]}},
    }
    assert barred(packages, "a", "b") == {}
