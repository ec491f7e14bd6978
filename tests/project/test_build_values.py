"""The keys that say how projects are built: normalized, and refused by their key."""

from __future__ import annotations

from typing import Any

import pytest

from polylock.errors import ProjectError
from polylock.model.build_settings import BuildSettings, StatedMetadata
from polylock.project.build_values import read_builds
from polylock.toml_tables import Table


def read(**keys: Any) -> BuildSettings:  # noqa: ANN401 - any TOML value
    """Read keys, with hyphens for underscores."""
    values = {key.replace("_", "-"): value for key, value in keys.items()}
    return read_builds(Table(values, path="pyproject.toml", parts=("tool", "polylock")))


def test_names_and_requirements_have_one_spelling() -> None:
    """Order, case, white space and repetition do not matter."""
    found = read(
        extra_build_dependencies={
            "Xformers": [],
            "flash_attn": ["Torch >= 2", "ninja", "ninja;os_name=='posix'", "ninja"],
        },
        no_build_isolation_package=["b", "A_b", "b"],
    )
    assert found == BuildSettings(
        extra_requires={
            "flash-attn": ("ninja", "ninja; os_name == 'posix'", "torch>=2"),
            "xformers": (),
        },
        not_isolated=("a-b", "b"),
    )
    assert list(found.extra_requires) == ["flash-attn", "xformers"]


def test_config_settings_are_texts_or_lists() -> None:
    """Those of a project come before those of all."""
    found = read(
        config_settings={"b": "1", "a": ["x", "y"]},
        config_settings_package={"Demo": {"b": "2"}},
    )
    assert found.config("demo") == {"a": ("x", "y"), "b": "2"}
    assert found.config("other") == {"a": ("x", "y"), "b": "1"}


def test_stated_metadata_is_sorted_and_the_version_comes_first() -> None:
    """Versions are compared as versions; without one it is of all."""
    found = read(
        dependency_metadata=[
            {"name": "b", "version": "1.0", "requires-dist": ["y", "x"]},
            {"name": "B", "requires-python": ">= 3.9", "provides-extra": ["Dev"]},
        ]
    )
    general = StatedMetadata(name="b", requires_python=">=3.9", provides_extra=("dev",))
    exact = StatedMetadata(name="b", version="1.0", requires_dist=("x", "y"))
    assert found.metadata == (general, exact)
    assert found.stated("b", "1") == exact
    assert found.stated("b", "2") == general
    assert found.stated("a", "1") is None
    assert found.stated("b") == exact


@pytest.mark.parametrize(
    ("keys", "key", "problem"),
    [
        (
            {"extra_build_dependencies": {"a": ["b @ https://example.com/b.whl"]}},
            "tool.polylock.extra-build-dependencies.a[0]",
            "b is a direct reference",
        ),
        (
            {"extra_build_dependencies": {"a": "b"}},
            "tool.polylock.extra-build-dependencies.a",
            "must be an array",
        ),
        (
            {"extra_build_dependencies": {"a-b": [], "A_B": []}},
            "tool.polylock.extra-build-dependencies.A_B",
            "the project a-b is named twice",
        ),
        (
            {"no_build_isolation_package": ["/"]},
            "tool.polylock.no-build-isolation-package[0]",
            "'/' is not a valid name",
        ),
        (
            {"config_settings": {"a": 1}},
            "tool.polylock.config-settings.a",
            "must be a string or an array of strings",
        ),
        (
            {"config_settings_package": {"a": {"b": [1]}}},
            "tool.polylock.config-settings-package.a.b[0]",
            "must be a string",
        ),
        (
            {"dependency_metadata": [{"version": "1"}]},
            "tool.polylock.dependency-metadata[0].name",
            "is missing",
        ),
        (
            {"dependency_metadata": [{"name": "a", "version": "x"}]},
            "tool.polylock.dependency-metadata[0].version",
            "'x' is not a version",
        ),
        (
            {"dependency_metadata": [{"name": "a"}, {"name": "A"}]},
            "tool.polylock.dependency-metadata[1].name",
            "a is described twice",
        ),
        (
            {"dependency_metadata": [{"name": "a", "requires-python": "three"}]},
            "tool.polylock.dependency-metadata[0].requires-python",
            "'three' is not a version specifier",
        ),
        (
            {"dependency_metadata": [{"name": "a", "requires": []}]},
            "tool.polylock.dependency-metadata[0].requires",
            "is not a known key",
        ),
    ],
)
def test_a_bad_value_is_named(keys: dict[str, Any], key: str, problem: str) -> None:
    """By its key path, as everywhere in the project file."""
    with pytest.raises(ProjectError, match=problem.replace("(", r"\(")) as caught:
        read(**keys)
    assert caught.value.key == key
