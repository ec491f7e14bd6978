"""Notes on answers: said once, and never the reason for a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.scenarios import inputs_of, targets_of
from fakes.source import MemorySource
from fakes.workspace import Spy
from polylock.errors import IndexRequestError
from polylock.explain.notes import NamespaceUnknown, Note, notes
from polylock.explain.words import note
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from polylock.model.distributions import Release, Unusable
    from polylock.variants.variant_json import VariantMetadata

SCENARIO = {
    "requires": ["npu"],
    "packages": {
        "npu": {
            "1.0": {
                "wheels": [{"label": "v2"}, {}],
                "variants": {
                    "$schema": "https://variants.example.com/peps/850/v0.2.0.json",
                    "default-priorities": {"namespace": ["acme"]},
                    "providers": {"acme": {"requires": ["acme-variant-provider"]}},
                    "variants": {"v2": {"acme": {"version": ["2"]}}},
                },
            }
        }
    },
}


class Unreachable(MemorySource):
    """A source whose index fails when it is asked for variant metadata."""

    def variant_metadata(self, release: Release) -> VariantMetadata | Unusable:
        """Fail."""
        raise IndexRequestError("https://index.example.com", 500, release.name)


def test_a_warning_says_how_to_answer() -> None:
    """The message names the key of the target, and how to do without."""
    targets = targets_of(SCENARIO)
    inputs = inputs_of(SCENARIO, targets)
    source = MemorySource(SCENARIO["packages"])  # type: ignore[arg-type] # one literal
    solution = Solver(inputs=inputs, source=source, reporter=Spy()).solve(targets)
    (found,) = notes(solution.resolutions, inputs, source)
    assert found == Note(
        project="npu",
        versions=("1.0",),
        targets=("one",),
        finding=NamespaceUnknown("acme"),
        key="tool.polylock.targets.one.properties.acme",
    )
    assert found.key in note(found)
    assert 'exclude-variants = ["acme"]' in note(found)


def test_no_remark_where_the_index_fails() -> None:
    """A solve that is done does not fail for want of a remark."""
    targets = targets_of(SCENARIO)
    inputs = inputs_of(SCENARIO, targets)
    packages = SCENARIO["packages"]
    source = MemorySource(packages)  # type: ignore[arg-type] # one literal
    solution = Solver(inputs=inputs, source=source, reporter=Spy()).solve(targets)
    failing = Unreachable(packages)  # type: ignore[arg-type] # one literal
    assert not notes(solution.resolutions, inputs, failing)


def warnings_of(scenario: dict[str, Any]) -> list[str]:
    """Solve a scenario and return what is remarked."""
    targets = targets_of(scenario)
    inputs, source = inputs_of(scenario, targets), MemorySource(scenario["packages"])
    solution = Solver(inputs=inputs, source=source, reporter=Spy()).solve(targets)
    return [note(found) for found in notes(solution.resolutions, inputs, source)]


def test_an_extra_that_does_not_exist() -> None:
    """An extra that the project asks for and that is not there is told, once."""
    scenario: dict[str, Any] = {
        "requires": ["web[fast,Slow_er,typo]"],
        "targets": {
            name: {"platform": "linux-x86_64", "python": "3.12"} for name in ("x", "y")
        },
        "packages": {
            "web": {
                "1.0": {
                    "requires": ["a; extra == 'fast'", "a; extra == 'slow.er'"],
                }
            },
            "a": {"1.0": {}},
        },
    }
    assert warnings_of(scenario) == ["web 1.0 has no extra typo"]
    scenario["packages"]["web"]["1.0"]["provides-extra"] = ["typo"]
    assert warnings_of(scenario) == []


def test_extras_that_others_ask_for_are_their_own_business() -> None:
    """What a dependency asks for in vain is nothing that the project can change."""
    assert not warnings_of(
        {
            "requires": ["app"],
            "packages": {"app": {"1.0": {"requires": ["a[typo]"]}}, "a": {"1.0": {}}},
        }
    )
