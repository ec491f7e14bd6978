"""``requires-python`` of files that is no valid specifier."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.scenarios import inputs_of, targets_of
from fakes.source import MemorySource
from fakes.workspace import Spy
from polylock.resolution.solve import Solver


@pytest.mark.parametrize(
    ("needs", "version", "recorded"),
    [
        (">=3.9.*", "2.0", ">=3.9"),
        (">=3.14.*", "1.0", None),
        (">=3.9<3.12", "1.0", None),
        ("~=3.14.*", "2.0", None),
        ("nonsense", "2.0", None),
    ],
)
def test_an_invalid_one_is_repaired_or_counts_as_none(
    needs: str, version: str, recorded: str | None
) -> None:
    """As uv reads it, and where its meaning is not clear as pip does."""
    wheels = [{"tag": "py3-none-any", "requires-python": needs}]
    scenario: dict[str, Any] = {
        "requires": ["demo"],
        "targets": {"x": {"platform": "linux-x86_64", "python": "3.12"}},
        "packages": {"demo": {"1.0": {}, "2.0": {"wheels": wheels}}},
    }
    targets = targets_of(scenario)
    inputs, source = inputs_of(scenario, targets), MemorySource(scenario["packages"])
    solution = Solver(inputs=inputs, source=source, reporter=Spy()).solve(targets)
    (pin,) = solution.resolutions[0].pins.values()
    assert (pin.version, pin.requires_python) == (version, recorded)
