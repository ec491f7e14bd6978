"""What the page draws its dependency view from."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fakes.lock_texts import settings_for
from fakes.report_locks import large_lock
from polylock.report.facts import page_facts
from polylock.report.requirement_tree import graph_data

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.report.facts import PageFacts


@pytest.fixture(name="large")
def _large(tmp_path: Path) -> PageFacts:
    return page_facts(settings_for(tmp_path, large_lock()))


def _data(facts: PageFacts) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(graph_data(facts))
    return data


def test_edges_name_their_targets_by_number(large: PageFacts) -> None:
    """Null is every target; others are places in the list of targets."""
    data = _data(large)
    requires = dict(data["projects"]["framework"]["requires"])
    assert requires["attr-api"] is None
    assert [data["targets"][at] for at in requires["runtime-rocm"]] == ["mi300x"]


def test_builds_have_version_label_and_bytes(large: PageFacts) -> None:
    """A build stands beside the targets that install it."""
    data = _data(large)
    builds = data["projects"]["framework"]["builds"]
    on = {target: build for build, targets in builds for target in targets}
    h100 = on[data["targets"].index("h100")]
    assert (h100["version"], h100["label"]) == ("3.1.0", "cuda13.0")
    assert h100["size"] == 812_000_000


def test_project_comes_before_its_groups(large: PageFacts) -> None:
    """What is required for everybody comes first, what nobody requires last."""
    projects = list(large.projects)
    projects[0] = replace(projects[0], places=(), required_by=())
    data = _data(replace(large, projects=tuple(projects)))
    titles = [title for title, _ in data["places"]]
    assert titles[0] == "The project"
    assert titles[-1] == "No requirement known leads here"
    assert data["places"][-1][1] == [[projects[0].name, None]]


def test_text_cannot_end_the_element(large: PageFacts) -> None:
    """Nothing in a lock file ends the script element or opens a comment in it."""
    project = large.projects[0]
    build = replace(project.installed[0], version="</script><!--\u202e")
    text = graph_data(replace(large, projects=(replace(project, installed=(build,)),)))
    assert "<" not in text
    assert json.loads(text)["projects"][project.name]["builds"][0][0]["version"] == (
        "</script><!--\\u202E"
    )
