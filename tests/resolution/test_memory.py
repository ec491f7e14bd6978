"""What is remembered between runs: kept, read again, and never of another content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from fakes.source import MemorySource
from polylock.model.core_metadata import CoreMetadata
from polylock.model.inputs import Inputs, RootRequirement
from polylock.model.requirements import Requirement
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    Target,
    TargetDescription,
)
from polylock.ports import SilentReporter
from polylock.providers.derive import build_target
from polylock.resolution.memory import Memory
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from collections.abc import Mapping


def target(name: str = "linux", *, minor: int = 12) -> Target:
    """Return a Linux machine."""
    return build_target(
        TargetDescription(
            name=name,
            system=OperatingSystem.LINUX,
            architecture=Architecture.X86_64,
            libc="glibc-2.28",
            python=PythonRelease(major=3, minor=minor),
        )
    )


def solve(
    packages: Mapping[str, Mapping[str, Any]],
    memory: Memory,
    machine: Target,
    **settings: Any,  # noqa: ANN401 - any field of Inputs
) -> dict[str, str]:
    """Return the file of each project that ``demo`` leads to."""
    root = RootRequirement(requirement=Requirement(name="demo"))
    inputs = Inputs(requirements=(root,), **settings)
    solver = Solver(
        inputs=inputs,
        source=MemorySource(packages),
        reporter=SilentReporter(),
        memory=memory,
    )
    (resolution,) = solver.solve([machine]).resolutions
    return {name: pin.file.filename for name, pin in resolution.pins.items()}


UNIVERSE: dict[str, dict[str, Any]] = {
    "demo": {
        "1.0": {
            "requires": ["a>=1", "b; python_version < '3.13'", "c; extra == 'x'"],
            "requires-python": ">=3.9",
        }
    },
    "a": {
        "1.0": {
            "wheels": ["cp312-cp312-manylinux_2_28_x86_64", "cp313-cp313-win_amd64"],
            "uploaded": 1_000,
        },
        "2.0": {"wheels": ["cp313-cp313-manylinux_2_28_x86_64"], "uploaded": 2_000},
    },
    "b": {"1.0": {}},
    "c": {"1.0": {}},
}


def test_a_second_solve_learns_nothing() -> None:
    """A memory that was encoded and decoded has all results of the first solve."""
    first = Memory()
    found = solve(UNIVERSE, first, target())
    assert first.learned
    second = Memory(first.encode())
    assert solve(UNIVERSE, second, target()) == found
    assert second.learned == 0


def test_a_target_has_answers_of_its_own() -> None:
    """Another Python takes other wheels and other requirements from one memory."""
    memory = Memory()
    older = solve(UNIVERSE, memory, target(minor=12))
    newer = solve(UNIVERSE, memory, target(minor=13))
    assert older["a"].startswith("a-1.0-cp312")
    assert newer["a"].startswith("a-2.0-cp313")
    assert ("b" in older, "b" in newer) == (True, False)


def test_targets_of_one_environment_share_answers() -> None:
    """Results that are the same for two machines are computed once."""
    memory = Memory()
    solve(UNIVERSE, memory, target("one"))
    before = memory.learned
    solve(UNIVERSE, memory, target("two"))
    assert memory.learned == before


@pytest.mark.parametrize(
    ("version", "change"),
    [
        ("1.0", {"wheels": ["py3-none-any"]}),
        ("1.0", {"requires-python": "<3.9"}),
        ("1.0", {"yanked": "broken"}),
        ("1.5", {}),
    ],
    ids=["wheels", "requires-python", "yanked", "version"],
)
def test_other_content_has_other_answers(version: str, change: dict[str, Any]) -> None:
    """A page that changed is solved as if nothing had been known."""
    memory = Memory()
    universe: dict[str, dict[str, Any]] = {
        **UNIVERSE,
        "a": {"0.9": {}, "1.0": {}},
        "demo": {"1.0": {}},
    }
    universe["demo"] = {"1.0": {"requires": ["a>=0.9"]}}
    solve(universe, memory, target())
    changed: dict[str, Any] = {**universe, "a": {**universe["a"], version: change}}
    assert solve(changed, memory, target()) == solve(changed, Memory(), target())


def test_requirements_that_changed_are_folded_anew() -> None:
    """A file of the same name with other requirements has its own results."""
    memory = Memory()
    solve(UNIVERSE, memory, target())
    other = {**UNIVERSE, "demo": {"1.0": {"requires": ["c", "b; sys_platform == 'x'"]}}}
    assert set(solve(other, memory, target())) == {"demo", "c"}


def test_a_cutoff_has_answers_of_its_own() -> None:
    """Which file of a release is too new depends on exclude-newer."""
    universe: dict[str, dict[str, Any]] = {
        "demo": {
            "1.0": {
                "wheels": [
                    {"tag": "py3-none-any", "uploaded": 1_000},
                    {"tag": "cp312-cp312-manylinux_2_28_x86_64", "uploaded": 2_000},
                ]
            }
        }
    }
    memory = Memory()
    found = [
        solve(universe, memory, target(), exclude_newer=cutoff)["demo"]
        for cutoff in (None, 1_500, 2_500, None)
    ]
    kinds = [name.removeprefix("demo-1.0-").partition("-")[0] for name in found]
    assert kinds == ["cp312", "py3", "cp312", "cp312"]


def test_what_is_left_open_of_a_marker_is_remembered() -> None:
    """A condition that a target leaves open is the same after a round trip."""
    text = "a; python_full_version < '3.12.4' and platform_release >= '5'"
    metadata = CoreMetadata(
        name="demo", version="1.0", requires_dist=(Requirement.parse(text),)
    )
    memory = Memory()
    first = memory.of_target(target()).requirements(metadata, "")
    again = Memory(memory.encode())
    assert again.of_target(target()).requirements(metadata, "") == first
    assert first[0][1] is not None
    assert again.learned == 0


@pytest.mark.parametrize("content", [b"\xc1", b"{}", msgspec.msgpack.encode([1])])
def test_a_damaged_memory_is_an_empty_one(content: bytes) -> None:
    """Damaged content is computed again."""
    memory = Memory(content)
    assert solve(UNIVERSE, memory, target())
    assert memory.learned


def test_rules_name_the_versions_that_answers_depend_on() -> None:
    """Another polylock or packaging begins with nothing."""
    assert "polylock " in Memory.rules()
    assert "packaging " in Memory.rules()
