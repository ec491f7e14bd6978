"""PEP 825's four markers: every operator on both sides, and what they mean.

The last word on what an operator means is packaging's. It does not know the variant
markers, but has fields of the same types: ``sys_platform`` is a string field, and
``dependency_groups`` a set of strings.
"""

from __future__ import annotations

import itertools

import pytest
from packaging.markers import InvalidMarker as PackagingInvalidMarker
from packaging.markers import Marker, UndefinedComparison

from polylock.model.folding import NON_VARIANT, SelectedVariant, fold
from polylock.model.markers import InvalidMarker, parse_marker
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    TargetDescription,
)
from polylock.providers.derive import build_target
from polylock.variants.authority import supported_properties
from polylock.variants.ordering import order_labels
from polylock.variants.variant_json import VariantMetadata

TARGET = build_target(
    TargetDescription(
        name="one",
        system=OperatingSystem.LINUX,
        architecture=Architecture.X86_64,
        libc="glibc-2.28",
        python=PythonRelease(major=3, minor=12),
    )
)
# The wheel was built for 80, 90 and 100; the target supports 90 and 80 alone.
WHEEL = VariantMetadata.from_document(
    {
        "$schema": "https://variants-schema.example.com/peps/825/v0.1.1.json",
        "default-priorities": {"namespace": ["nvidia", "x86_64"]},
        "variants": {
            "cu13": {
                "nvidia": {
                    "cuda_version_lower_bound": ["13.0"],
                    "sm_arch": ["100_real", "80_real", "90_real"],
                },
                "x86_64": {"level": ["v1"]},
            },
            "null": {},
        },
    }
)
NVIDIA = build_target(
    TargetDescription(
        name="gpu",
        system=OperatingSystem.LINUX,
        architecture=Architecture.X86_64,
        libc="glibc-2.28",
        python=PythonRelease(major=3, minor=12),
        properties={
            "nvidia": {
                "cuda_version_lower_bound": ("13.0", "12.8"),
                "sm_arch": ("90_real", "80_real"),
            }
        },
    )
)


def selected(label: str) -> SelectedVariant:
    """Return a label as the solver selects it for the target with the GPU."""
    supported = supported_properties(
        WHEEL, stated=NVIDIA.stated, derived=NVIDIA.derived, holds=bool
    )
    (ranked,) = order_labels(WHEEL, supported, [label]).compatible
    return SelectedVariant(ranked.label, ranked.properties)


CU13, NULL = selected("cu13"), selected("null")

# marker, and whether it holds for cu13, null and the non-variant wheel
TABLE = [
    # a string field, the field on the left
    ("variant_label == 'cu13'", (True, False, False)),
    ("variant_label == 'null'", (False, True, False)),
    ("variant_label == ''", (False, False, True)),
    ("variant_label != 'null'", (True, False, True)),
    ("variant_label != ''", (True, True, False)),
    ("variant_label in 'cu13 cu12'", (True, False, True)),  # '' is in every text
    ("variant_label not in 'cu13 cu12'", (False, True, False)),
    ("variant_label < 'null'", (False, False, False)),
    ("variant_label > 'a'", (False, False, False)),
    ("variant_label <= 'cu13'", (True, False, False)),
    ("variant_label >= 'null'", (False, True, False)),
    # the field on the right
    ("'cu13' == variant_label", (True, False, False)),
    ("'null' != variant_label", (True, False, True)),
    ("'cu' in variant_label", (True, False, False)),
    ("'cu' not in variant_label", (False, True, True)),
    ("'cu13' <= variant_label", (True, False, False)),
    ("'a' < variant_label", (False, False, False)),
    # both quotes, white space, and operators of two words
    ('variant_label=="cu13"', (True, False, False)),
    ("\tvariant_label\t ==\n'cu13'  ", (True, False, False)),
    ("'cu'  not   in  variant_label", (False, True, True)),
    # sets: namespaces
    ("'nvidia' in variant_namespaces", (True, False, False)),
    ("'nvidia' not in variant_namespaces", (False, True, True)),
    ("'amd' in variant_namespaces", (False, False, False)),
    ("'amd' not in variant_namespaces", (True, True, True)),
    ("'nvid' in variant_namespaces", (False, False, False)),
    ("'NVIDIA' in variant_namespaces", (False, False, False)),
    (" ' nvidia ' in variant_namespaces", (True, False, False)),
    ("'nvidia :: sm_arch' in variant_namespaces", (False, False, False)),
    # sets: features, white space around :: does not matter
    ("'nvidia :: sm_arch' in variant_features", (True, False, False)),
    ("'nvidia::sm_arch' in variant_features", (True, False, False)),
    ("'nvidia ::sm_arch' in variant_features", (True, False, False)),
    ("'nvidia:: sm_arch' in variant_features", (True, False, False)),
    ("'\t nvidia \t::\t sm_arch ' in variant_features", (True, False, False)),
    ("'nvidia :: sm_arch' not in variant_features", (False, True, True)),
    ("'nvidia :: sm' in variant_features", (False, False, False)),
    ("'nvidia' in variant_features", (False, False, False)),
    ("'nvidia : : sm_arch' in variant_features", (False, False, False)),
    ("'nvidia :: sm_arch :: 90_real' in variant_features", (False, False, False)),
    # sets: properties, those alone that the target supports
    ("'nvidia :: sm_arch :: 90_real' in variant_properties", (True, False, False)),
    ("'nvidia::sm_arch::80_real' in variant_properties", (True, False, False)),
    ("'nvidia :: sm_arch :: 100_real' in variant_properties", (False, False, False)),
    ("'nvidia :: sm_arch :: 100_real' not in variant_properties", (True, True, True)),
    ("'nvidia :: sm_arch' in variant_properties", (False, False, False)),
    ("'x86_64 :: level :: v1' in variant_properties", (True, False, False)),
    # supported by the target and not declared by the wheel
    (
        "'nvidia :: cuda_version_lower_bound :: 12.8' in variant_properties",
        (False, False, False),
    ),
    # nested with ordinary markers, on Linux and CPython 3.12
    (
        "'nvidia' in variant_namespaces and sys_platform == 'linux'",
        (True, False, False),
    ),
    (
        "'nvidia' in variant_namespaces and sys_platform == 'win32'",
        (False, False, False),
    ),
    (
        "variant_label == 'null' or python_version < '3.12'",
        (False, True, False),
    ),
    (
        (
            "(variant_label == 'null' or 'nvidia' in variant_namespaces) "
            "and (python_version >= '3.12' and os_name == 'posix')"
        ),
        (True, True, False),
    ),
    (
        (
            "variant_label == 'null' or 'nvidia' in variant_namespaces "
            "and sys_platform == 'win32'"
        ),
        (False, True, False),
    ),
    (
        "((('nvidia::sm_arch' in variant_features)) and (variant_label != 'null'))",
        (True, False, False),
    ),
]


@pytest.mark.parametrize(("marker", "expected"), TABLE)
def test_table(marker: str, expected: tuple[bool, bool, bool]) -> None:
    """Each marker holds for exactly the wheels that PEP 825 says."""
    expression = parse_marker(marker)
    found = tuple(
        fold(expression, NVIDIA, variant=variant)
        for variant in (CU13, NULL, NON_VARIANT)
    )
    assert found == expected


@pytest.mark.parametrize(("marker", "expected"), TABLE)
def test_written_text_means_the_same(
    marker: str, expected: tuple[bool, bool, bool]
) -> None:
    """A marker written out and read again holds for the same wheels."""
    expression = parse_marker(str(parse_marker(marker)))
    assert fold(expression, NVIDIA, variant=CU13) is expected[0]


def test_what_the_target_leaves_open_is_kept_beside_variant_markers() -> None:
    """The variant is decided, the rest of the condition stays."""
    marker = parse_marker(
        "variant_label == 'cu13' and (platform_release == '6.1' or os_name == 'nt')"
    )
    assert str(fold(marker, NVIDIA, variant=CU13)) == "platform_release == '6.1'"
    assert fold(marker, NVIDIA, variant=NULL) is False


LABELS = ("", "null", "cu13", "cu12.8", "3.12")
OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "~=", "===", "in", "not in")


def packaging_says(marker: str, label: str) -> bool | None:
    """Return packaging's answer for a string field, None where it has none."""
    plain = Marker(marker.replace("variant_label", "sys_platform"))
    try:
        return plain.evaluate({"sys_platform": label})
    except UndefinedComparison:
        return None


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("form", ["variant_label {} '{}'", "'{1}' {0} variant_label"])
def test_label_is_compared_as_any_string_field(form: str, operator: str) -> None:
    """With every operator, on both sides, the answer is packaging's."""
    for value, label in itertools.product(LABELS, LABELS):
        marker = form.format(operator, value)
        expected = packaging_says(marker, label)
        if expected is None:
            with pytest.raises(InvalidMarker):
                parse_marker(marker)
            continue
        found = fold(parse_marker(marker), TARGET, variant=SelectedVariant(label))
        assert found is expected, (marker, label)


@pytest.mark.parametrize(
    "field", ["variant_namespaces", "variant_features", "variant_properties"]
)
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("form", ["{field} {operator} 'a'", "'a' {operator} {field}"])
def test_sets_allow_membership_alone(form: str, operator: str, field: str) -> None:
    """A set stands on the right of ``in`` and ``not in`` and nowhere else."""
    like = form.format(field="dependency_groups", operator=operator)
    try:
        Marker(like).evaluate({"dependency_groups": {"b"}})
    except (UndefinedComparison, PackagingInvalidMarker):
        allowed = False
    else:
        allowed = form.startswith("'a'") and operator in {"in", "not in"}
    text = form.format(field=field, operator=operator)
    if allowed:
        assert fold(parse_marker(text), TARGET) is (operator == "not in")
    else:
        with pytest.raises(InvalidMarker):
            parse_marker(text)
