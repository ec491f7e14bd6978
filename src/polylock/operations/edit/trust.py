"""``polylock detect --trust-provider``: run a provider plugin once for its answer."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from polylock.cache.store import Bucket
from polylock.errors import (
    NoSolution,
    ProjectError,
    ProjectNotFound,
    ProviderFailed,
    UsageError,
)
from polylock.model.cutoffs import dated
from polylock.model.inputs import Inputs
from polylock.operations.context import Context
from polylock.operations.edit.project_file import parse_document, read_text
from polylock.operations.workspace import project_path
from polylock.project.pyproject import load_project
from polylock.project.settings import Settings, default_index_url
from polylock.project.tool_table import read_options
from polylock.providers.plugin import (
    PluginAnswer,
    PluginRequest,
    ask_plugin,
    spellings,
)
from polylock.toml_tables import Table
from polylock.values import Value

if TYPE_CHECKING:
    from polylock.ports import Reporter

__all__ = ["TrustRequest", "ask_trusted_provider"]

_ADVICE = "write NAME or NAME==VERSION: --trust-provider nvidia-variant-provider==0.0.2"


class TrustRequest(Value, frozen=True, kw_only=True):
    """A provider that the user trusts: ``NAME`` or ``NAME==VERSION``.

    ``endpoint`` is a ``plugin-api`` of variant metadata, None for the package's own.
    ``namespace`` is the expected namespace, None for the plugin's own.
    """

    requirement: str
    endpoint: str | None = None
    namespace: str | None = None


def ask_trusted_provider(
    settings: Settings, request: TrustRequest, reporter: Reporter
) -> PluginAnswer:
    """Install a provider in a temporary environment and ask it once.

    Its wheels come from the indexes of the project, no newer than it allows, or without
    a project from the configured index. Raises UsageError, ProjectError, ProviderFailed
    and the errors of provisioning.
    """
    requirement = _parse(request.requirement)
    with Context(settings, _inputs(settings), reporter) as context:
        root = context.store.root / Bucket.BUILDS.directory
        with context.store.temporary_directory(root) as work:
            package, python = _install(context, requirement, work)
            directory = work / "home"
            context.store.make_directory(directory)
            return ask_plugin(
                PluginRequest(
                    package=package,
                    python=python,
                    directory=directory,
                    variables=os.environ,
                    endpoint=request.endpoint,
                    namespace=request.namespace,
                )
            )


def _parse(text: str) -> Requirement:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(f"{text!r} is not a provider package", _ADVICE) from error
    exact = all(clause.operator == "==" for clause in requirement.specifier)
    if requirement.url or requirement.marker or requirement.extras or not exact:
        raise UsageError(f"{text!r} is more than a package and its version", _ADVICE)
    return requirement


def _inputs(settings: Settings) -> Inputs:
    """Return the project's inputs, or defaults without a project.

    The project may have no target yet: this command may describe the first.
    """
    try:
        path = project_path(settings)
    except ProjectError:
        if settings.project is not None:
            raise
        return Inputs()
    document = Table(parse_document(read_text(path), path), path=str(path))
    tool = document.table("tool").table("polylock")
    if "targets" in tool:
        found = load_project(path, settings=settings).inputs
    else:
        found = read_options(
            tool,
            targets=(),
            default_index_url=settings.index_url or default_index_url(),
            directory=path.parent,
        )
    return dated(found, time.time_ns() // 1000)


def _install(
    context: Context, requirement: Requirement, work: Path
) -> tuple[str, Path]:
    """Install the package; return its name on the index, and its Python.

    The CPU providers have two spellings; the first that the index has is used.
    """
    from polylock.environment.interpreter import probe  # noqa: PLC0415 - only here
    from polylock.environment.venv import create  # noqa: PLC0415 - only here
    from polylock.operations.builds.provision import MachineProvisioner  # noqa: PLC0415
    from polylock.operations.builds.wiring import machine_builds  # noqa: PLC0415

    interpreter = probe(Path(sys.executable), store=context.store)
    provisioner = MachineProvisioner(builds=machine_builds(context, interpreter))
    names = spellings(requirement.name)
    missing: ProjectNotFound | None = None
    for number, name in enumerate(names):
        directory = work / f"environment-{number}"
        create(directory, interpreter)
        wanted = f"{name}{requirement.specifier}"
        try:
            return name, provisioner.provision((wanted,), directory)
        except ProjectNotFound as error:
            if error.name != name:  # a dependency of it
                raise
            missing = missing or error
        except NoSolution as error:
            step = "it cannot be installed"
            lines = tuple(error.explanation)
            raise ProviderFailed(name, step, lines, error.hint()) from error
    assert missing is not None
    raise missing
