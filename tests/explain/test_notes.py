"""Notes on answers: said once, and never the reason for a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.scenarios import inputs_of, targets_of
from fakes.source import MemorySource
from fakes.workspace import Spy
from polylock.errors import IndexRequestError
from polylock.explain.findings import NamespaceUnknown, Note
from polylock.explain.notes import notes
from polylock.explain.screening import Solved
from polylock.explain.words import note
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from polylock.model.distributions import Release, Unusable
    from polylock.model.target import Target
    from polylock.variants.variant_json import VariantMetadata

KEY = "tool.polylock"
NPU: dict[str, Any] = {
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
SCENARIO = {"requires": ["npu"], "packages": {"npu": NPU}}


class Unreachable(MemorySource):
    """A source whose index fails when it is asked for variant metadata."""

    def variant_metadata(
        self, release: Release, target: Target
    ) -> VariantMetadata | Unusable:
        """Fail."""
        del target
        raise IndexRequestError("https://index.example.com", 500, release.name)


def test_a_warning_says_how_to_answer() -> None:
    """The message names the key of the target, and how to do without."""
    targets = targets_of(SCENARIO)
    inputs = inputs_of(SCENARIO, targets)
    source = MemorySource(SCENARIO["packages"])  # type: ignore[arg-type] # one literal
    solution = Solver(inputs=inputs, source=source, reporter=Spy()).solve(targets)
    (found,) = notes(Solved(solution.resolutions, inputs, source))
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
    assert not notes(Solved(solution.resolutions, inputs, failing))


def warnings_of(scenario: dict[str, Any]) -> list[str]:
    """Solve a scenario and return what is remarked."""
    targets = targets_of(scenario)
    inputs, source = inputs_of(scenario, targets), MemorySource(scenario["packages"])
    solution = Solver(inputs=inputs, source=source, reporter=Spy()).solve(targets)
    return [
        note(found) for found in notes(Solved(solution.resolutions, inputs, source))
    ]


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
    assert warnings_of(scenario) == [
        "web 1.0 has no extra typo, so web[typo] installs nothing more"
    ]
    scenario["packages"]["web"]["1.0"]["provides-extra"] = ["typo"]
    assert warnings_of(scenario) == []


def test_an_extra_that_a_dependency_asks_for_in_vain() -> None:
    """What the extra would bring is missing, so it is told with who asks."""
    scenario: dict[str, Any] = {
        "requires": ["app"],
        "packages": {
            "app": {"1.0": {"requires": ["a[typo,there]"]}},
            "a": {"1.0": {"requires": ["b; extra == 'there'"]}},
            "b": {"1.0": {}},
        },
    }
    assert warnings_of(scenario) == [
        "a 1.0 has no extra typo, so a[typo] installs nothing more for app"
    ]


def test_an_extra_that_asks_for_another_of_its_project_is_not_missing() -> None:
    """An extra of a project may name others of the same project."""
    scenario: dict[str, Any] = {
        "requires": ["app[all]"],
        "packages": {
            "app": {
                "1.0": {
                    "requires": ["app[one]; extra == 'all'", "b; extra == 'one'"],
                }
            },
            "b": {"1.0": {}},
        },
    }
    assert warnings_of(scenario) == []


@pytest.mark.parametrize(
    ("python", "needs", "patch"),
    [
        ("3.11", ">=3.11.9", "3.11.9"),
        ("3.11", ">3.11.4,!=3.11.6", "3.11.5"),
        ("3.13t", "!=3.13.0,!=3.13.1", "3.13.2"),
        ("3.11", ">=3.9", None),
        ("3.11", "!=3.11.4", None),
        ("3.11.9", ">=3.11.9", None),
    ],
)
def test_a_patch_release_that_a_target_does_not_name(
    python: str, needs: str, patch: str | None
) -> None:
    """A Python of the target may be too old, so the key and its value are told."""
    files = [{"tag": "py3-none-any", "requires-python": needs}]
    scenario: dict[str, Any] = {
        "requires": ["late", "early"],
        "targets": {
            name: {"platform": "linux-x86_64", "python": python} for name in ("x", "y")
        },
        "packages": {"late": {"1.0": {"wheels": files}}, "early": {"1.0": {}}},
    }
    told = warnings_of(scenario)
    if patch is None:
        assert told == []
        return
    (line,) = told
    patch += "t" if python.endswith("t") else ""
    assert line.startswith(f"late 1.0 needs Python {patch} at least")
    assert "x, y names no patch" in line
    assert f'set python = "{patch}"' in line


def test_of_two_that_need_a_patch_the_later_is_told() -> None:
    """One note for each target, with what meets both."""
    packages: dict[str, Any] = {
        name: {"1.0": {"wheels": [{"tag": "py3-none-any", "requires-python": needs}]}}
        for name, needs in (("a", ">=3.12.2"), ("b", ">=3.12.10"), ("c", ">=3.12.3"))
    }
    (line,) = warnings_of(
        {
            "requires": list(packages),
            "targets": {"x": {"platform": "linux-x86_64", "python": "3.12"}},
            "packages": packages,
        }
    )
    assert "b 1.0 needs Python 3.12.10" in line


def test_a_yanked_pin_is_told_with_the_reason() -> None:
    """It stays locked, and says so each time."""
    told = warnings_of(
        {
            "requires": ["numpy==2.4.0"],
            "packages": {"numpy": {"2.4.0": {"yanked": "broken"}, "2.4.1": {}}},
        }
    )
    (line,) = told
    assert line.startswith("numpy 2.4.0 on one is yanked (broken); ")


def test_required_variants_of_what_is_not_installed_are_told() -> None:
    """Of a target where it does not install the project, of all where none does."""
    told = warnings_of(
        {
            "requires": ["npu", "only; sys_platform == 'linux'"],
            "targets": {
                "one": {
                    "platform": "linux-x86_64",
                    "python": "3.12",
                    "properties": {"acme": {"version": ["2"]}},
                    "require-variants": {"npu": "acme", "typo": []},
                },
                "two": {
                    "platform": "windows-x86_64",
                    "python": "3.12",
                    "properties": {"acme": {}},
                    "exclude-variants": ["npu@v3"],
                    "require-variants": {"only": "acme", "npu": []},
                },
            },
            "packages": {"npu": NPU, "only": {"1.0": {}}},
            "require-variants": {"tropch": ["acme"]},
        }
    )
    none = "has no effect"
    assert told == [
        f"{KEY}.require-variants.tropch {none}: tropch is not installed on any target",
        f"{KEY}.targets.one.require-variants.typo {none}: typo is not installed there",
        (
            "exclude-variants has npu@v3, which matches nothing: npu 1.0 has the "
            "variants v2"
        ),
        f"{KEY}.targets.two.require-variants.only {none}: only is not installed there",
    ]


def test_settings_that_match_nothing_are_told() -> None:
    """A typo in a list has no effect, and nobody would notice."""
    told = warnings_of(
        {
            "requires": ["npu"],
            "packages": SCENARIO["packages"],
            "enable-providers": ["acmee"],
            "exclude-variants": ["acme :: versio", "acme"],
            "prefer-variants": ["other@v1"],
        }
    )
    assert told == [
        (
            "exclude-variants has acme :: versio, which matches nothing: the locked "
            "packages have variants for acme"
        ),
        (
            "prefer-variants has other@v1, which matches nothing: no target installs "
            "other"
        ),
        (
            "enable-providers has acmee, which matches nothing: the locked packages "
            "have variants for acme"
        ),
    ]


def test_a_variant_marker_of_the_project_itself() -> None:
    """The project has no variant, so it never holds."""
    told = warnings_of(
        {
            "requires": ["a; 'nvidia' in variant_namespaces"],
            "packages": {"a": {"1.0": {}}},
        }
    )
    (line,) = told
    assert "the project has no variant, so its marker for variants is never" in line
