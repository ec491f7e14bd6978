"""Tests of polylock.repacking.metadata_edits."""

from __future__ import annotations

import itertools

import pytest

from polylock.model.folding import SelectedVariant, fold_variant
from polylock.model.markers import parse_marker
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.repacking.metadata_edits import (
    RequirementChange,
    RequirementRules,
    behind_labels,
    changed_requirements,
    requirement_changes,
    requirements_of,
    with_requirements,
    with_version,
)

METADATA = """\
Metadata-Version: 2.4
Name: torch
Version: 2.9.0+cu130
Requires-Dist: triton==3.5.0 ;
  platform_system == "Linux"
Requires-Python: >=3.10
requires-dist: sympy (>=1.13)
Description-Content-Type: text/markdown

Version: 7
Requires-Dist: this is the description
"""


def test_requirements_are_read_from_the_header_alone() -> None:
    """Continuation lines are joined; the description is no header."""
    assert requirements_of(METADATA) == [
        'triton==3.5.0 ; platform_system == "Linux"',
        "sympy (>=1.13)",
    ]


def test_version_is_the_one_field_that_changes() -> None:
    """Every other byte stays."""
    expected = METADATA.replace("Version: 2.9.0+cu130", "Version: 2.9.0")
    assert with_version(METADATA, "2.9.0") == expected


def test_same_requirements_change_nothing() -> None:
    """They keep the way they are written."""
    requirements = ["a>1 ; os_name=='nt'", "b"]
    text = "Name: x\nRequires-Dist:  a>1  ;  os_name=='nt'\nRequires-Dist: b\nX: y\n"
    assert requirements_of(text) == requirements
    assert with_requirements(text, requirements) == text


def test_requirements_come_where_the_first_one_was() -> None:
    """One that stays keeps its lines; the order is the one given."""
    changed = with_requirements(METADATA, ["new", "sympy (>=1.13)"])
    assert changed == METADATA.replace(
        'Requires-Dist: triton==3.5.0 ;\n  platform_system == "Linux"\n',
        "Requires-Dist: new\nrequires-dist: sympy (>=1.13)\n",
    ).replace("\nrequires-dist: sympy (>=1.13)\nDescription", "\nDescription")


def test_first_requirements_end_the_header() -> None:
    """Metadata without any gets them before the description, in its line endings."""
    text = "Name: x\r\nVersion: 1\r\n\r\nabout\r\n"
    changed = with_requirements(text, ["a", "b"])
    assert changed == (
        "Name: x\r\nVersion: 1\r\nRequires-Dist: a\r\nRequires-Dist: b\r\n\r\nabout\r\n"
    )


def test_metadata_without_a_description_is_changed_too() -> None:
    """The last line of the header is a field."""
    text = "Name: x\nVersion: 1\nRequires-Dist: a\n"
    assert with_requirements(text, []) == "Name: x\nVersion: 1\n"
    assert with_version("Name: x\nVersion: 1\n", "2") == "Name: x\nVersion: 2\n"


def test_rules_drop_mark_and_add() -> None:
    """Patterns are of normalized names; a marker is joined with the one there."""
    rules = RequirementRules(
        drop=("NVIDIA_*",),
        mark=(("tri?on", parse_marker("'nvidia' in variant_namespaces")),),
        add=("filelock", "cuda-bindings; variant_label == 'cuda13.0'"),
    )
    found = changed_requirements(
        [
            "nvidia-cublas==1",
            "nvidia.nccl-cu13; os_name == 'posix'",
            "triton==3; os_name == 'nt' or python_version > '3.9'",
            "Triton",
            "filelock",
        ],
        rules,
    )
    assert found == [
        (
            "triton==3; (os_name == 'nt' or python_version > '3.9') and "
            "'nvidia' in variant_namespaces"
        ),
        "triton; 'nvidia' in variant_namespaces",
        "filelock",
        "cuda-bindings; variant_label == 'cuda13.0'",
    ]


def test_requirement_that_cannot_be_read_is_an_error() -> None:
    """It is not copied as if it were understood."""
    with pytest.raises(InvalidRequirement):
        changed_requirements(["a ~~ 1"], RequirementRules())


def test_changes_pair_a_requirement_with_its_marked_form() -> None:
    """Others were dropped or added."""
    found = requirement_changes(
        ["a>=1", "b; os_name == 'nt'", "c"],
        ["a>=1; variant_label == 'x'", "c", "d"],
    )
    assert found == (
        RequirementChange(was="a>=1", now="a>=1; variant_label == 'x'"),
        RequirementChange(was=None, now="d"),
        RequirementChange(was="b; os_name == 'nt'", now=None),
    )
    assert [change.kind for change in found] == ["changed", "added", "dropped"]


def required(requirements: list[str], label: str) -> set[str]:
    """Return what a wheel requires, its variant markers evaluated."""
    variant = SelectedVariant(label=label)
    found = set()
    for text in requirements:
        marker = Requirement.parse(text).marker_expression
        rest = True if marker is None else fold_variant(marker, variant)
        if rest is not False:
            name = Requirement.parse(text).name
            found.add(name if rest is True else f"{name}; {rest}")
    return found


def test_every_label_requires_what_its_wheel_did() -> None:
    """For all ways to divide three requirements among three labels."""
    pool = ("a", "b; os_name == 'nt'", "c")
    subsets = [s for n in range(4) for s in itertools.combinations(pool, n)]
    labels = ("cuda12", "null", "")
    for chosen in itertools.product(subsets, repeat=3):
        by_label = dict(zip(labels, chosen, strict=True))
        same = behind_labels(by_label)
        for label, requirements in by_label.items():
            assert required(same, label) == set(requirements)


def test_what_all_labels_require_gets_no_marker() -> None:
    """However the wheels write it."""
    same = behind_labels(
        {"x": ["a ; os_name=='nt'", "b"], "y": ["b", 'a;os_name == "nt"', "c"]}
    )
    assert same == ["a ; os_name=='nt'", "b", "c; variant_label == 'y'"]
