"""Reasons as JSON: each kind is known to the schema, and no field is a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from polylock.explain.documents import document, kind_of
from polylock.explain.reasons import (
    Contradicts,
    Excluded,
    LabelLost,
    NeedsBuild,
    PackageOrigin,
    Reason,
    Request,
)
from polylock.model.requirements import Requirement
from polylock.variants.properties import VariantProperty

SCHEMA = Path(__file__).parents[2] / "schemas" / "why.schema.json"


def _kinds(part: object) -> list[list[str]]:
    """Return each list of kinds in a part of the schema."""
    if isinstance(part, list):
        return [found for each in part for found in _kinds(each)]
    if not isinstance(part, dict):
        return []
    own = [part["kind"]["enum"]] if "enum" in (part.get("kind") or {}) else []
    return [*own, *(found for each in part.values() for found in _kinds(each))]


def test_schema_lists_every_kind() -> None:
    """The kinds in the schema of ``why`` are those that there are, in order."""
    known = sorted(kind_of(kind) for kind in get_args(Reason))
    schema = json.loads(SCHEMA.read_text("utf-8"))

    assert _kinds(schema["properties"]) == [known, known]


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        (
            NeedsBuild(),
            {"kind": "needs-build", "key": "build-package", "is-static": False},
        ),
        (
            Excluded((Request(PackageOrigin("a", "1"), Requirement.parse("b<2")),)),
            {
                "kind": "excluded",
                "chain": [
                    {
                        "kind": "request",
                        "by": {
                            "kind": "package-origin",
                            "name": "a",
                            "version": "1",
                            "label": "",
                            "extra": "",
                        },
                        "requirement": "b<2",
                    }
                ],
                "newer": "",
                "because": None,
            },
        ),
        (
            Contradicts(Requirement.parse("b"), "", "3", NeedsBuild("build")),
            {
                "kind": "contradicts",
                "requirement": "b",
                "taken": "",
                "newest": "3",
                "because": {"kind": "needs-build", "key": "build", "is-static": False},
                "overridden": False,
            },
        ),
        (
            LabelLost(winner="w", winning=VariantProperty("x86_64", "level", "v3")),
            {
                "kind": "label-lost",
                "winner": "w",
                "pattern": "",
                "is-plain": False,
                "winning": "x86_64 :: level :: v3",
                "losing": None,
                "shares": False,
            },
        ),
    ],
)
def test_document_of_a_reason(reason: Reason, found: dict[str, object]) -> None:
    """A reason is its kind and its fields, the reasons within it likewise."""
    assert document(reason) == found
    assert json.loads(json.dumps(document(reason))) == found
