"""Tests of polylock.repacking.label_metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no py.typed
import pytest

from polylock.errors import ProjectError
from polylock.repacking.label_metadata import (
    InvalidLabel,
    LabelRequest,
    VariantTable,
    json_bytes,
    label_metadata,
    property_problems,
    read_properties,
    read_variant_table,
)
from polylock.toml_tables import Table, parse_toml
from polylock.variants.variant_json import VariantMetadata

PURE_SCHEMA = (
    Path(__file__).parents[1]
    / "data"
    / "variants"
    / "pep-0825-variant-schema-0.1.1.json"
)

TABLE = """
[variant.default-priorities]
namespace = ["nvidia", "x86_64", "blas"]

[variant.providers.nvidia]
requires = ["nvidia-variant-provider >=0.0.2,<1.0.0"]
plugin-api = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"

[variant.providers.x86_64]
requires = ["x86-64-variant-provider"]
optional = true

[variant.providers.blas.static-properties]
provider = ["openblas", "mkl"]

[variant.variants.cuda13.nvidia]
cuda_version_lower_bound = ["13.0"]
sm_arch = ["90_real", "120_real"]
"""


def table(text: str = TABLE) -> VariantTable:
    """Read the table of a project file."""
    document = Table(parse_toml(text), path="pyproject.toml")
    return read_variant_table(document.table("variant"))


def request(label: str, *properties: str, namespaces: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - a request
    """Return a request as it comes from a command line."""
    return LabelRequest(
        label=label, properties=read_properties(properties), namespaces=namespaces
    )


def document(*args: Any, **named: Any) -> dict[str, Any]:  # noqa: ANN401 - passed on
    """Return what variant.json says."""
    found: dict[str, Any] = json.loads(json_bytes(label_metadata(*args, **named)))
    return found


def test_known_namespaces_need_no_table() -> None:
    """Their published providers are named (PEP 850, "Provider information")."""
    made = request("gpu", "nvidia::sm_arch::90_real", "x86_64 :: level :: v3")
    assert document(made, VariantTable()) == {
        "$schema": "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json",
        "default-priorities": {"namespace": ["nvidia", "x86_64"]},
        "providers": {
            "nvidia": {
                "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
                "requires": ["nvidia-variant-provider"],
            },
            "x86_64": {
                "plugin-api": "provider_variant_x86_64.plugin:X8664Plugin",
                "requires": ["provider-variant-x86-64"],
            },
        },
        "variants": {
            "gpu": {"nvidia": {"sm_arch": ["90_real"]}, "x86_64": {"level": ["v3"]}}
        },
    }


def test_values_are_sorted_and_order_of_options_does_not_matter() -> None:
    """PEP 825, "Variants": sets "converted to lists and sorted lexically"."""
    texts = ["nvidia :: sm_arch :: 90_real", "nvidia :: sm_arch :: 120_real"]
    made = json_bytes(label_metadata(request("a", *texts), VariantTable()))
    other = json_bytes(label_metadata(request("a", *texts[::-1]), VariantTable()))
    assert made == other
    assert json.loads(made)["variants"]["a"]["nvidia"]["sm_arch"] == [
        "120_real",
        "90_real",
    ]


def test_table_gives_order_providers_and_labels() -> None:
    """It counts as variantlib reads it."""
    made = document(request("cuda13"), table())
    assert made["default-priorities"]["namespace"] == ["nvidia", "x86_64", "blas"]
    assert made["providers"]["x86_64"] == {
        "requires": ["x86-64-variant-provider"],
        "optional": True,
    }
    assert made["variants"]["cuda13"]["nvidia"] == {
        "cuda_version_lower_bound": ["13.0"],
        "sm_arch": ["120_real", "90_real"],
    }
    null = document(request("null"), table())
    assert null["variants"] == {"null": {}}
    assert null["providers"] == made["providers"]


def test_metadata_is_what_variantlib_writes() -> None:
    """Recorded from ``variantlib make-variant`` 0.2.2, for the same table and wheel.

    Its schema has another address; the rest is equal.
    """
    text = TABLE.replace(
        'provider = ["openblas", "mkl"]\n',
        'provider = ["openblas", "mkl"]\nthreads = ["on", "off"]\n'
        '[variant.providers.blas]\nfeature-order = ["threads", "provider"]\n',
    )
    made = document(request("cuda13"), table(text))
    assert made.pop("$schema").endswith("/v0.2.0.json")
    assert made == {
        "default-priorities": {"namespace": ["nvidia", "x86_64", "blas"]},
        "providers": {
            "blas": {
                "feature-order": ["threads", "provider"],
                "static-properties": {
                    "provider": ["openblas", "mkl"],
                    "threads": ["on", "off"],
                },
            },
            "nvidia": {
                "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
                "requires": ["nvidia-variant-provider >=0.0.2,<1.0.0"],
            },
            "x86_64": {"optional": True, "requires": ["x86-64-variant-provider"]},
        },
        "variants": {
            "cuda13": {
                "nvidia": {
                    "cuda_version_lower_bound": ["13.0"],
                    "sm_arch": ["120_real", "90_real"],
                }
            }
        },
    }


def test_properties_of_the_command_line_replace_those_of_the_table() -> None:
    """They are given on purpose."""
    made = document(request("cuda13", "blas :: provider :: mkl"), table())
    assert made["variants"]["cuda13"] == {"blas": {"provider": ["mkl"]}}


def test_order_of_static_features_is_kept() -> None:
    """In either of the places where the drafts have it."""
    two = '[variant.providers.b.static-properties]\nx = ["1"]\ny = ["2"]\n'
    order = '[variant.default-priorities]\nnamespace = ["b"]\n'
    newer = table(f'{order}[variant.providers.b]\nfeature-order = ["y", "x"]\n{two}')
    made = document(request("l", "b :: x :: 1"), newer)
    assert made["providers"]["b"]["feature-order"] == ["y", "x"]
    older = table(f'{order}feature = {{ b = ["y", "x"] }}\n{two}')
    made = document(request("l", "b :: x :: 1"), older)
    assert made["default-priorities"]["feature"] == {"b": ["y", "x"]}


def test_abi_dependencies_have_no_priority() -> None:
    """PEP 850: they must be in no list of namespaces, and in no list of providers."""
    made = document(
        request("t29", "abi_dependency :: torch :: 2.9", "x86_64 :: level :: v2"),
        VariantTable(),
    )
    assert made["default-priorities"]["namespace"] == ["x86_64"]
    assert list(made["providers"]) == ["x86_64"]
    assert made["variants"]["t29"]["abi_dependency"] == {"torch": ["2.9"]}


def test_unknown_namespace_with_lenient_is_pure_pep_825() -> None:
    """Without a provider the older format is the only one that is right."""
    made = request("a", "acme :: speed :: 9", "x86_64 :: level :: v2")
    found = document(made, VariantTable(), lenient=True)
    assert found["$schema"].endswith("/peps/825/v0.1.1.json")
    assert "providers" not in found
    schema = json.loads(PURE_SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(found)


@pytest.mark.parametrize(
    ("made", "problem", "advice"),
    [
        (request("V3", "x86_64 :: level :: v3"), "'V3' is not a variant", "a-z, 0-9"),
        (request("a-b", "x86_64 :: level :: v3"), "'a-b' is not a var", "a-z, 0-9"),
        (request("\x1b[31m"), r"'\x1b[31m' is not a variant label", "a-z, 0-9"),
        (request(""), "'' is not a variant label", "a-z, 0-9"),
        (
            request("null", "x86_64 :: level :: v3"),
            "label null means no properties, and has x86_64 :: level :: v3",
            "another name",
        ),
        (request("v3"), "label v3 has no properties", "--null"),
        (request("null"), "no namespace of its own", "--namespace"),
        (
            request("a", "acme :: speed :: 9"),
            "namespace acme has no published provider",
            "[variant.providers.acme]",
        ),
        (
            request("a", "nvida :: sm_arch :: 90_real"),
            "namespace nvida has no published provider",
            "did you mean nvidia?",
        ),
        (
            request("a", "x86_64 :: level :: v3", namespaces=("nvidia",)),
            "not among the namespaces of the release: nvidia",
            "add x86_64",
        ),
        (
            request("a", "x86_64 :: level :: v3", namespaces=("abi_dependency",)),
            "abi_dependency has no priority",
            None,
        ),
    ],
)
def test_labels_that_cannot_be_made(
    made: LabelRequest, problem: str, advice: str | None
) -> None:
    """Each mistake has its reason and the next step."""
    with pytest.raises(InvalidLabel) as caught:
        label_metadata(made, VariantTable())
    assert problem in str(caught.value)
    assert (advice or "") in (caught.value.advice or "")


def test_misspelled_label_of_the_table_is_found() -> None:
    """A label without properties is most often one of the table."""
    with pytest.raises(InvalidLabel) as caught:
        label_metadata(request("cuda31"), table())
    assert "did you mean cuda13?" in (caught.value.advice or "")


@pytest.mark.parametrize(
    "text", ["x86_64 :: level", "x86_64 :: Level :: v3", "a::b::c::d", "a :: b :: c\n"]
)
def test_properties_that_cannot_be_read(text: str) -> None:
    """The line end is trimmed as white space is; the others are errors."""
    if text.endswith("\n"):
        assert [str(each) for each in read_properties([text])] == ["a :: b :: c"]
        return
    with pytest.raises(InvalidLabel):
        read_properties([text])


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("[variant]\nlabels = {}", "variant.labels", "is not a known key"),
        (
            "[variant.default-priorities]\nnamespaces = []",
            "variant.default-priorities.namespaces",
            "is not a known key",
        ),
        (
            '[variant.providers.x]\nenable-if = "os_name"',
            "variant.providers.x.enable-if",
            "is a key of a draft",
        ),
        (
            '[variant.providers.x]\nbuild-requires = ["x"]',
            "variant.providers.x.build-requires",
            "polylock does not",
        ),
        (
            '[variant.providers.x]\nrequires = ["x"]',
            "variant.default-priorities.namespace",
            "must list x",
        ),
        (
            '[variant.default-priorities]\nnamespace = ["X"]',
            "variant",
            "'X' is not a valid namespace",
        ),
        (
            '[variant.providers.x]\nrequires = ["x"]\nbuiltin = true',
            "variant",
            "must have exactly one of requires",
        ),
        ("[variant.variants.null.a]\nb = ['c']", "variant", "must have no properties"),
        ("[variant]\nproviders = 3", "variant.providers", "must be a table"),
    ],
)
def test_mistakes_in_the_table_have_their_key(
    text: str, key: str, problem: str
) -> None:
    """An unknown key is not ignored: the wheel would say something else."""
    with pytest.raises(ProjectError) as caught:
        table(text)
    assert caught.value.key.startswith(key)
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        (
            ("x86_64 :: levle :: v3",),
            "no provider of x86_64 reports x86_64 :: levle, did you mean level?",
        ),
        (
            ("x86_64 :: level :: v5",),
            "no machine has x86_64 :: level :: v5: its values are v1, v2, v3, v4",
        ),
        (
            ("nvidia :: sm_arch :: 90_reel",),
            "no machine has nvidia :: sm_arch :: 90_reel, did you mean 90_real?",
        ),
        (
            (
                "nvidia :: cuda_version_lower_bound :: 12.0",
                "nvidia :: cuda_version_lower_bound :: 13.0",
            ),
            "can have one value, and has 12.0 and 13.0",
        ),
    ],
)
def test_properties_that_no_machine_has(
    properties: tuple[str, ...], problem: str
) -> None:
    """The catalogues of the published providers decide."""
    (found,) = property_problems(
        label_metadata(request("a", *properties), VariantTable())
    )
    assert problem in found
    assert found.endswith("(--lenient to accept)")


def test_properties_of_published_torch_are_accepted() -> None:
    """Also values that the provider of AMD does not list: machines report them."""
    labels = (
        request("cuda13.0", "nvidia :: sm_arch :: 75_real"),
        request("rocm7.1", "amd :: rocm_version :: 7.0", "amd :: gfx_arch :: gfx950"),
        request("xpu", "intel :: device_ip :: 20.4.4"),
    )
    for made in labels:
        metadata = label_metadata(made, VariantTable())
        assert isinstance(metadata, VariantMetadata)
        assert not list(property_problems(metadata))
