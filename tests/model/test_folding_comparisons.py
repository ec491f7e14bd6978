"""One comparison of a marker means what packaging says."""

from __future__ import annotations

import itertools

import pytest
from packaging.markers import Marker

from polylock.model.folding import holds
from polylock.model.markers import Atom

TEXTS = ("linux", "Linux", "linux2", "", "3", "3.1", "x86_64")
VERSIONS = ("3.9", "3.10", "3.11", "3.11.0", "3.11.4", "3.12.0rc1", "3", "3.13.0+", "x")
ORDER = ("==", "!=", "<", "<=", ">", ">=")


@pytest.mark.parametrize(
    ("field", "operators", "values"),
    [
        ("sys_platform", (*ORDER, "in", "not in"), TEXTS),
        ("platform_machine", ("==", "!="), TEXTS),
        ("platform_release", ("==", "!="), TEXTS),
        ("os_name", ("==", "!=", "in"), TEXTS),
        ("python_version", (*ORDER, "in", "not in"), VERSIONS[:4]),
        ("python_full_version", ORDER, VERSIONS[:-1]),
        ("implementation_version", ORDER, VERSIONS[:-2]),
    ],
)
def test_a_comparison_means_what_packaging_says(
    field: str, operators: tuple[str, ...], values: tuple[str, ...]
) -> None:
    """Whether it is compared here or by packaging cannot be told from the answer."""
    literals = VERSIONS if "version" in field else TEXTS
    for operator, literal, value in itertools.product(operators, literals, values):
        atom = Atom(field, operator, literal)
        expected = Marker(str(atom)).evaluate({field: value})
        assert holds(atom, value) is expected, (str(atom), value)
