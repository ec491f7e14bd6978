"""What the page says of one project."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fakes.lock_texts import settings_for
from fakes.report_locks import large_lock
from polylock.report.facts import page_facts
from polylock.report.panel import article

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.report.facts import PageFacts


@pytest.fixture(name="large")
def _large(tmp_path: Path) -> PageFacts:
    return page_facts(settings_for(tmp_path, large_lock()))


def _article(facts: PageFacts, name: str) -> str:
    found = next(each for each in facts.projects if each.name == name)
    return article(found, facts.names)


def test_each_build_tells_its_file_and_why(large: PageFacts) -> None:
    """File, hash, place, index, and the properties that decided."""
    text = _article(large, "framework")
    file = large.projects[[p.name for p in large.projects].index("framework")]
    assert file.installed[0].file.hashes[0][1] in text
    assert "<code>nvidia :: cuda_version_lower_bound :: 13.0</code>" in text
    assert "<dt>Index</dt><dd><code>https://example.com/simple/</code></dd>" in text
    assert "the null variant, which asks nothing of the machine" in text
    assert text.count('<div class="build">') == 7


def test_edge_of_some_targets_names_them(large: PageFacts) -> None:
    """One that holds wherever the project is installed does not."""
    text = _article(large, "framework")
    assert 'runtime-rocm</a> <span class="of">(mi300x)</span>' in text
    assert "<li>" + '<a href="#project-attr-api">attr-api</a></li>' in text
    text = _article(large, "runtime-rocm")
    assert '<dd><a href="#project-framework">framework</a></dd>' in text
    assert "<dt>Not installed on</dt><dd>h100, a100, " in text


def test_place_that_is_no_web_address_is_no_link(large: PageFacts) -> None:
    """A script in a URL of the lock file cannot be clicked."""
    project = large.projects[0]
    build = project.installed[0]
    file = replace(build.file, place="javascript:alert(1)")
    hostile = replace(project, installed=(replace(build, file=file),))
    text = article(hostile, large.names)
    assert "<dd><code>javascript:alert(1)</code></dd>" in text
    assert 'href="javascript' not in text


def test_wheel_without_a_label_is_explained(large: PageFacts) -> None:
    """There were variants, and this is none of them; other tools may say no reason."""
    project = large.projects[0]
    build = project.installed[0]
    plain = replace(project, installed=(replace(build, label=None, reason=()),))
    assert "the wheel without a label" in article(plain, large.names)
    unsaid = replace(project, installed=(replace(build, label="x", reason=()),))
    assert "names no property that decided" in article(unsaid, large.names)
