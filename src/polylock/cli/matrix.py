"""``polylock matrix``."""

from __future__ import annotations

from typing import Any

import click

from polylock.cli.invocation import begin, json_line, print_json
from polylock.cli.options import JSON, MEMBERS, SELECTION, Command, settings
from polylock.operations.inspect.matrix import github_matrix, gitlab_matrix, matrix

__all__ = ["command"]


@click.command(
    "matrix",
    cls=Command,
    epilog='Example: echo "matrix=$(polylock matrix)" >> "$GITHUB_OUTPUT"',
)
@settings(*SELECTION, *MEMBERS)
@click.option(
    "--format",
    "matrix_format",
    type=click.Choice(["github", "gitlab", "json"]),
    default="github",
    metavar="FORMAT",
    help="For which CI service: github (the default), gitlab, or json.",
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Print a CI job for each target: runner, Python, cache key.

    github is one line for fromJSON, gitlab one for parallel:matrix. The cache key
    includes groups and extras. For a target without runs-on the value is null (github,
    json) or an empty text (gitlab).
    """
    jobs = matrix(begin(values))
    if values["as_json"] or values["matrix_format"] == "json":
        print_json([job.to_json() for job in jobs])
    else:
        of_github = values["matrix_format"] == "github"
        document = github_matrix(jobs) if of_github else gitlab_matrix(jobs)
        click.echo(json_line(document))
    return 0
