"""Reading, restricting and combining variant metadata."""

from __future__ import annotations

import itertools
import json
import tomllib
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest

from fakes.variant_data import DATA, decoded, document, metadata
from polylock.variants.variant_json import (
    InvalidVariantMetadata,
    VariantMetadata,
    combine,
)

PUBLISHED = sorted(
    path.relative_to(DATA).as_posix() for path in DATA.glob("*/*-variants.json")
)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_are_read(name: str) -> None:
    """Each published file keeps its labels, namespaces and lists as they stand."""
    path = DATA / name
    raw = json.loads(path.read_text(encoding="utf-8"))
    found = VariantMetadata.decode(path.read_bytes())
    assert list(found.namespace_priorities) == raw["default-priorities"]["namespace"]
    as_lists = {
        label: {
            namespace: {feature: list(values) for feature, values in features.items()}
            for namespace, features in properties.items()
        }
        for label, properties in found.variants.items()
    }
    assert as_lists == raw["variants"]


def test_draft_keeps_its_static_lists_and_priorities() -> None:
    """A v0.0.3 file has static lists at top level and its own priorities."""
    found = metadata("numpy-2.3.3")
    assert found.providers is not None
    assert found.providers["blas_lapack"].static_properties == {
        "provider": ("accelerate", "openblas", "mkl")
    }
    (required,) = found.providers["x86_64"].requires
    assert required.name == "provider-variant-x86-64"
    assert found.providers["x86_64"].static_properties is None
    assert found.feature_priorities == {"blas_lapack": ("provider",)}
    assert found.value_priorities["blas_lapack"]["provider"][0] == "accelerate"


@pytest.mark.parametrize(
    "schema",
    [
        "https://variants-schema.example.com/v0.0.2.json",
        "https://variants-schema.example.com/peps/825/v0.1.0.json",
        "https://variants-schema.example.com/peps/850/v0.9.json",
        "https://packaging.example.com/variants/v1.0.0.json",
        "https://packaging.example.com/variants/v1.7.json?raw=1#top",
    ],
)
def test_known_major_versions_are_read(schema: str) -> None:
    """Majors 0 and 1 are read whatever the minor version is."""
    assert VariantMetadata.from_document(document() | {"$schema": schema}).variants


UNREADABLE = [
    (b"", "is not JSON"),
    (b"\xff\xfe", "is not JSON"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"a":' * 100_000, "nested too deeply"),
    (b'{"variants": NaN}', "NaN is not JSON"),
    (b"9" * 10_000, "is not JSON"),
    (b'{"$schema": "a", "$schema": "b"}', r"'\$schema' occurs twice"),
    (b'{"$schema": {"\\ud800": 1, "\\ud800": 2}}', "occurs twice"),
    (b"[]", "must be a table, not a list"),
    (b"null", "must be a table, not null"),
]


@pytest.mark.parametrize(("content", "reason"), UNREADABLE)
def test_unreadable_content_is_refused(content: bytes, reason: str) -> None:
    """Whatever the bytes are, the error is InvalidVariantMetadata with a reason."""
    with pytest.raises(InvalidVariantMetadata, match=reason):
        VariantMetadata.decode(content)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"$schema": None}, r"\$schema: must be"),
    ({"$schema": "v2"}, "names no format version"),
    ({"$schema": "https://example.com/v2.0.0.json"}, "version 2.0 is not known"),
    ({"$schema": "https://example.com/v0.1.1/other.json"}, "names no format version"),
    ({"$schema": "https://example.com/\ud800/v1.0.json"}, "is not a URL"),
    ({"default_priorities": None}, "default-priorities: must be a table, not null"),
    ({"default_priorities": {}}, "default-priorities.namespace: is missing"),
    ({"default_priorities": {"namespace": []}}, "must not be empty"),
    ({"default_priorities": {"namespace": "x"}}, "must be a list of strings"),
    ({"default_priorities": {"namespace": ["A"]}}, r"namespace\[0\]: 'A' is not"),
    ({"default_priorities": {"namespace": ["a", "a"]}}, "twice"),
    ({"default_priorities": {"namespace": ["a"], "feature": []}}, "feature: must be"),
    ({"variants": []}, "variants: must be a table"),
    ({"variants": {"Null": {}}}, "variants.Null: is not a valid variant label"),
    ({"variants": {"a b": {}}}, r'variants\["a b"\]: is not'),
    ({"variants": {"null": {"x86_64": {}}}}, "null variant must have no"),
    ({"variants": {"a": {"X": {}}}}, "variants.a.X: is not a valid namespace"),
    ({"variants": {"a": {"x": {"f-g": ["1"]}}}}, "f-g: is not a valid feature name"),
    ({"variants": {"a": {"x": {"f": []}}}}, "must list at least one value"),
    ({"variants": {"a": {"x": {"f": "1"}}}}, "must be a list of strings, not a string"),
    ({"variants": {"a": {"x": {"f": [1]}}}}, r"f\[0\]: must be a string, not a number"),
    ({"variants": {"a": {"x": {"f": ["1 "]}}}}, "is not a valid feature value"),
    ({"variants": {"a": {"x": {"f": ["1", "1"]}}}}, "lists a feature value twice"),
    ({"providers": []}, "providers: must be a table"),
    ({"providers": {"x": {}}}, "must have exactly one of"),
    ({"providers": {"x": {"requires": ["a"], "builtin": True}}}, "exactly one of"),
    ({"providers": {"x": {"requires": ["a !"]}}}, r"requires\[0\]: 'a !' is not a dep"),
    ({"providers": {"x": {"requires": "a"}}}, "requires: must be a list"),
    ({"providers": {"x": {"requires": ["a"], "optional": 1}}}, "optional: must be"),
    ({"providers": {"x": {"requires": ["a"], "plugin-api": 1}}}, "must be a string"),
    ({"providers": {"x": {"builtin": []}}}, "builtin: must be true"),
    (
        {"providers": {"x": {"static-properties": {"a": ["1"], "b": ["1"]}}}},
        "several static features and no order",
    ),
    ({"static_properties": {"x": {"f": [None]}}}, r"must be a string, not null"),
]


@pytest.mark.parametrize(("changes", "reason"), WRONG)
def test_wrong_metadata_names_the_key(changes: dict[str, Any], reason: str) -> None:
    """A wrong type, name or version is refused with the key path."""
    with pytest.raises(InvalidVariantMetadata, match=reason):
        VariantMetadata.from_document(document(**changes))


def test_missing_variants_are_refused() -> None:
    """The key ``variants`` is required."""
    raw = document()
    del raw["variants"]
    with pytest.raises(InvalidVariantMetadata, match="variants: is missing"):
        VariantMetadata.from_document(raw)


def test_any_damage_is_refused_or_read() -> None:
    """No value in no place leads to another exception than InvalidVariantMetadata."""
    odd: list[Any] = [None, True, 0, 1.5, "", "\ud800", [], [[]], {}, {"": []}, [None]]
    raw = document()

    def damaged(value: Any, wrong: Any) -> list[Any]:  # noqa: ANN401  # JSON values
        found = [wrong]
        if isinstance(value, dict):
            for key in value:
                found += [{**value, key: new} for new in damaged(value[key], wrong)]
            found.append({**value, "\ud800": wrong})
        if isinstance(value, list):
            found.append([*value, wrong])
        return found

    for wrong in odd:
        for case in damaged(raw, wrong):
            try:
                found = VariantMetadata.from_document(case)
            except InvalidVariantMetadata as error:
                assert str(error)  # noqa: PT017  # either outcome is right
            else:
                json.dumps(found.restricted(list(found.variants)))


def test_unsorted_values_are_accepted() -> None:
    """Value lists in another order than the lexical one are kept."""
    found = decoded(variants={"a": {"x86_64": {"level": ["v3", "v1"]}}})
    assert found.variants["a"]["x86_64"]["level"] == ("v3", "v1")


def test_project_names_are_features_of_abi_dependency() -> None:
    """A feature of the reserved namespace may hold a hyphen."""
    found = decoded(variants={"a": {"abi_dependency": {"flash-attn": ["2.8"]}}})
    assert found.variants["a"]["abi_dependency"] == {"flash-attn": ("2.8",)}


def test_restricted_keeps_what_the_labels_use() -> None:
    """Labels, and the namespaces that only they use, are left out everywhere."""
    kept = metadata("torch-2.10.0").restricted(["cuda13.0", "null"])
    assert list(kept) == [
        "$schema",
        "default-priorities",
        "providers",
        "static-properties",
        "variants",
    ]
    assert kept["default-priorities"] == {"namespace": ["nvidia", "priority"]}
    assert list(kept["providers"]) == ["nvidia", "priority"]
    assert list(kept["variants"]) == ["cuda13.0", "null"]
    # PEP 825, "Variants": values are "converted to lists and sorted lexically".
    architectures = kept["variants"]["cuda13.0"]["nvidia"]["sm_arch"]
    assert architectures == sorted(architectures)
    assert "75_real" in architectures


def test_restricted_is_read_back_and_follows_the_schema() -> None:
    """What is written for a lock file is valid metadata that means the same."""
    raw = document(providers=None)
    raw["$schema"] = "https://variants-schema.example.com/peps/825/v0.1.1.json"
    found = VariantMetadata.from_document(raw)
    kept = found.restricted(["v3", "mkl", "null"])
    schema = DATA / "pep-0825-variant-schema-0.1.1.json"
    jsonschema.validate(kept, json.loads(schema.read_text(encoding="utf-8")))
    again = VariantMetadata.from_document(kept)
    assert again == found


def test_restricted_to_the_null_label_keeps_one_namespace() -> None:
    """The list of namespaces is never empty."""
    kept = decoded().restricted(["null"])
    assert kept["default-priorities"] == {"namespace": ["x86_64"]}
    assert kept["variants"] == {"null": {}}
    assert VariantMetadata.from_document(kept).variants == {"null": {}}


def test_restricted_holds_what_toml_can_hold() -> None:
    """Null, numbers without end and deep nesting of unknown keys are left out."""
    deep: list[Any] = []
    for _ in range(40):
        deep = [deep]
    found = VariantMetadata.from_document(
        document(
            extra={"b": None, "a": 2**70, "c": 1.5, "d": ["x", None], "e": True},
            deep=deep,
            nothing=None,
        )
    )
    kept = found.restricted(["v3"])
    assert kept["extra"] == {"d": ["x"], "e": True}
    assert "nothing" not in kept
    assert json.dumps(kept).count("[") < 40


def test_restricted_does_not_depend_on_the_order_of_keys() -> None:
    """The same metadata in another order of keys gives the same document."""
    raw = document()
    backwards = {
        key: dict(reversed(value.items())) if isinstance(value, dict) else value
        for key, value in reversed(raw.items())
    }
    one = VariantMetadata.from_document(raw).restricted(["v3", "mkl"])
    other = VariantMetadata.from_document(backwards).restricted(["mkl", "v3"])
    assert json.dumps(one) == json.dumps(other)


def test_toml_is_read_as_json_is() -> None:
    """A table of a lock file is the same metadata as the JSON it came from."""
    toml = """
    "$schema" = "https://variants-schema.example.com/peps/850/v0.2.0.json"
    default-priorities = { namespace = ["x86_64", "blas"] }
    [providers]
    x86_64 = { requires = ["provider-variant-x86-64 >=0.0.1"] }
    blas = { static-properties = { library = ["mkl", "openblas"] } }
    [variants]
    null = {}
    v3 = { x86_64 = { level = ["v3"] } }
    mkl = { blas = { library = ["mkl"] } }
    """
    assert VariantMetadata.from_document(tomllib.loads(toml)) == decoded()


def test_metadata_of_a_wheel_is_for_its_label() -> None:
    """``variant.json`` must hold the label of the file name and no other."""
    content = json.dumps(document(variants={"null": {}})).encode()
    assert VariantMetadata.decode_wheel(content, "null").variants == {"null": {}}
    with pytest.raises(InvalidVariantMetadata, match="must hold v3 alone"):
        VariantMetadata.decode_wheel(content, "v3")


def parts() -> list[VariantMetadata]:
    """Return the metadata of three wheels of one release."""
    return [
        decoded(
            default_priorities={"namespace": ["x86_64"]},
            providers={"x86_64": {"requires": ["a"]}},
            variants={"v3": {"x86_64": {"level": ["v3", "v2"]}}},
        ),
        decoded(
            default_priorities={"namespace": ["x86_64", "blas"]},
            providers={"blas": {"builtin": True}},
            variants={"mkl": {"blas": {"library": ["mkl"]}}},
        ),
        decoded(
            default_priorities={"namespace": ["x86_64"]},
            providers={"x86_64": {"requires": ["a"]}},
            variants={"null": {}, "v3": {"x86_64": {"level": ["v2", "v3"]}}},
        ),
    ]


def test_combined_metadata_is_the_union() -> None:
    """Combining takes the longest list of namespaces and all labels, in any order."""
    found = combine(parts())
    assert found.namespace_priorities == ("x86_64", "blas")
    assert sorted(found.variants) == ["mkl", "null", "v3"]
    assert found.variants["v3"]["x86_64"]["level"] == ("v2", "v3")
    assert sorted(found.providers or ()) == ["blas", "x86_64"]
    written = {
        json.dumps(combine(order).restricted(["mkl", "null", "v3"]))
        for order in itertools.permutations(parts())
    }
    assert len(written) == 1


def test_one_part_is_itself() -> None:
    """The metadata of one wheel says the same after combining."""
    (first, *_) = parts()
    made = combine([first])
    assert list(made.variants) == list(first.variants)
    assert all(made.properties(v) == first.properties(v) for v in first.variants)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"default_priorities": {"namespace": ["blas", "x86_64"]}}, "namespace: "),
        ({"variants": {"v3": {"x86_64": {"level": ["v2"]}}}}, "variants.v3: differs"),
        (
            {"providers": {"x86_64": {"requires": ["other"]}}},
            "providers.x86_64: differs",
        ),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], reason: str) -> None:
    """Wheels that say different things of one release cannot be combined."""
    with pytest.raises(InvalidVariantMetadata, match=reason):
        combine([decoded(), decoded(**changes)])


def test_missing_priorities_are_refused() -> None:
    """The key ``default-priorities`` is required."""
    raw = document()
    del raw["default-priorities"]
    with pytest.raises(InvalidVariantMetadata, match="default-priorities: is missing"):
        VariantMetadata.from_document(raw)


def test_priorities_of_the_drafts_are_restricted_and_combined() -> None:
    """Feature and property priorities of namespaces in use are kept."""
    found = metadata("numpy-2.3.3")
    priorities = {
        "feature": {"blas_lapack": ["provider"]},
        "namespace": ["blas_lapack"],
        "property": {"blas_lapack": {"provider": ["accelerate", "openblas", "mkl"]}},
    }
    assert found.restricted(["openblas"])["default-priorities"] == priorities
    combined = combine([found, found])
    assert combined.feature_priorities == found.feature_priorities
    assert combined.value_priorities == found.value_priorities
    assert combined.providers == found.providers


def test_key_that_is_no_string_is_refused() -> None:
    """A parsed document with other keys than strings is no metadata."""
    raw: Any = document(variants={1: {}})
    with pytest.raises(InvalidVariantMetadata, match="the key 1, which is not a"):
        VariantMetadata.from_document(raw)
