"""``.pre-commit-hooks.yaml``: what pre-commit runs, and for which files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest

from polylock.cli.main import cli

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
HOOKS: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
)


def test_the_hooks_have_their_names() -> None:
    """A configuration names a hook by its id."""
    assert [hook["id"] for hook in HOOKS] == ["polylock-check", "polylock-lock"]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_a_hook_runs_a_command_of_polylock(hook: dict[str, Any]) -> None:
    """It is given no files: the command finds the project."""
    program, command = hook["entry"].split()
    assert program == "polylock"
    assert command in cli.list_commands(click.Context(cli))
    assert hook["pass_filenames"] is False


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("pyproject.toml", True),
        ("pylock.toml", True),
        ("packages/a/pyproject.toml", True),
        ("pylock.train.toml", True),
        ("poetry.lock", False),
        ("pyproject.toml.orig", False),
        ("mypylock.toml", False),
        ("pylock.a.b.toml", False),
    ],
)
def test_a_hook_runs_for_project_and_lock_files(
    hook: dict[str, Any],
    path: str,
    counts: bool,  # noqa: FBT001 - of the table above
) -> None:
    """Other commits do not run it."""
    assert bool(re.search(hook["files"], path)) == counts
