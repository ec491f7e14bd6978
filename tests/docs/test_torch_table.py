"""The table of builds of torch on the how-to page is what its project locks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fakes.torch_index import full_torch_index
from fakes.workspace import Project
from pages.hosts import ROOT
from polylock.explain.words import note
from polylock.operations.inspect.graph import locked_graphs

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.server import Server

PAGE = ROOT / "docs" / "how-to" / "cpu-and-cuda-torch.md"
_ROW = re.compile(r"^\| `([\w-]+)` \| (\S+) \| (.*?) ?\|$", re.MULTILINE)


def test_the_table_is_what_is_locked(server: Server, tmp_path: Path) -> None:
    """Each target of the page, its build, and the note for each not the newest."""
    text = PAGE.read_text("utf-8")
    index = full_torch_index(server, tmp_path / "wheels")
    project = Project(
        directory=tmp_path / "project",
        index_url=index.default.url,
        settings={"torch_index": index.url},
    )
    project.write(text.partition("```toml\n")[2].partition("```")[0])

    outcome = project.lock()

    notes = {
        (each.project, target): note(each).partition(f" on {target}: ")[2]
        for each in outcome.notes
        for target in each.targets
    }
    found = [
        (
            graph.target,
            graph.nodes["torch"].version,
            notes.pop(("torch", graph.target), ""),
        )
        for graph in locked_graphs(project.with_settings())
    ]
    assert found == _ROW.findall(text)
    assert notes == {}
    assert len(found) == 8
