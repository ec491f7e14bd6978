"""Declared targets, and new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.errors import NoSuchTarget, ProjectError, UsageError
from polylock.operations.edit.targets import (
    AddTargetRequest,
    add_target,
    declared_targets,
    search_presets,
    show_target,
)

if TYPE_CHECKING:
    from fakes.workspace import Project


def test_namespaces_are_sorted_and_features_are_not(demo: Project) -> None:
    """The order of features means preference, that of namespaces means nothing."""
    features = show_target(demo.with_settings(), "h100").features
    namespaces = list(dict.fromkeys(found.namespace for found in features))
    assert namespaces == ["nvidia", "x86_64"]
    levels = next(found for found in features if found.feature == "level")
    assert levels.values == ("v4", "v3", "v2", "v1")
    assert not levels.stated


def test_targets_are_in_the_order_of_the_file(demo: Project) -> None:
    """It is their priority."""
    names = [view.target.name for view in declared_targets(demo.with_settings())]
    assert names == ["h100", "a100", "mi300x", "server-v4", "server-v2", "mac-m3"]
    with pytest.raises(NoSuchTarget):
        show_target(demo.with_settings(), "h200")


def test_added_target_is_declared(demo: Project) -> None:
    """It comes last, and is what the preset says."""
    settings = demo.with_settings()
    added = add_target(settings, AddTargetRequest(preset="apple-m1"))
    assert added.names == ("apple-m1",)
    assert declared_targets(settings)[-1].target.description.macos == "14.0"
    with pytest.raises(ProjectError, match="is declared already"):
        add_target(settings, AddTargetRequest(preset="apple-m1"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [("h1000", "did you mean h100"), ("zzz", "`polylock targets presets` lists all")],
)
def test_a_preset_that_is_none(text: str, hint: str) -> None:
    """Close names are told, or how to list them; never all of them in a line."""
    with pytest.raises(UsageError, match="there is no preset") as caught:
        search_presets(text)
    assert (caught.value.hint() or "").startswith(hint)
    assert len(caught.value.hint() or "") < 100


def test_something_must_be_named(demo: Project) -> None:
    """Neither a preset nor a machine is no target."""
    with pytest.raises(UsageError, match="either a preset or"):
        add_target(demo.with_settings(), AddTargetRequest())
