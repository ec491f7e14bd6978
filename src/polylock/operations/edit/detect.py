"""``polylock detect``: describe this machine as a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.model.target import TargetDescription, usual_platform
from polylock.operations.edit.project_file import (
    complete_targets,
    parse_release,
    read_text,
)
from polylock.operations.edit.target_table import table_text, target_table
from polylock.operations.files import write_atomically
from polylock.operations.workspace import project_path
from polylock.project.edit import add_target
from polylock.providers.derive import build_target
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from polylock.project.settings import Settings
    from polylock.providers.detect import DetectedMachine
    from polylock.providers.plugin import PluginAnswer

__all__ = [
    "Detected",
    "detect_target",
    "machine_name",
    "with_answers",
    "write_detected",
]


class Detected(Value, frozen=True, kw_only=True):
    """A machine as a target; ``path`` is the project file that it was written to.

    ``warnings`` name the queries that failed.
    """

    description: TargetDescription
    warnings: tuple[str, ...] = ()
    path: Path | None = None

    @property
    def text(self) -> str:
        """Return the target as TOML, ready to paste."""
        return table_text(self.description.name, target_table(self.description))

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``detect --json`` (schemas/detect.schema.json)."""
        target = build_target(self.description)
        supported = {**target.derived.namespaces, **target.stated.namespaces}
        return {
            "name": self.description.name,
            "target": target_table(self.description),
            "properties": {
                namespace: {name: list(values) for name, values in features.items()}
                for namespace, features in supported.items()
            },
            "warnings": list(self.warnings),
            "written": None if self.path is None else str(self.path),
        }


def machine_name(machine: DetectedMachine) -> str:
    """Return a default name for a machine: ``linux-x86-64-nvidia``."""
    platform = usual_platform(f"{machine.system}-{machine.architecture}")
    parts = [platform.replace("_", "-")]
    if machine.nvidia is not None:
        parts.append("nvidia")
    if machine.amd is not None:
        parts.append("amd")
    if machine.intel is not None:
        parts.append("intel")
    if machine.ascend is not None:
        parts.append("ascend")
    if machine.tpu:
        parts.append("tpu")
    return "-".join(parts)


def with_answers(
    machine: DetectedMachine, answers: Sequence[PluginAnswer]
) -> DetectedMachine:
    """Return a machine with the answers of trusted providers as stated properties."""
    properties = {answer.namespace: answer.features for answer in answers}
    empty = [answer.namespace for answer in answers if not answer.features]
    warnings = (
        f"the provider of {namespace} reports no supported property on this machine: "
        "nothing is written for it"
        for namespace in empty
    )
    return replace(
        machine,
        properties={
            name: features for name, features in properties.items() if features
        },
        warnings=(*machine.warnings, *warnings),
    )


def detect_target(machine: DetectedMachine, python: str | None) -> Detected:
    """Describe a machine with one Python, None for the one that runs polylock.

    Raises UsageError if the text does not name a Python.
    """
    release = parse_release(python)
    name = machine_name(machine)
    description = machine.describe(release, name=name)
    return Detected(description=description, warnings=machine.warnings)


def write_detected(
    settings: Settings, machine: DetectedMachine, name: str, python: str | None
) -> Detected:
    """Add a machine as a target to the project file.

    ``python`` None is the project's default, if it has one. Raises ProjectError, also
    if the target exists, and UsageError.
    """
    path = project_path(settings)
    text = read_text(path)
    description = machine.describe(parse_release(python), name=name)
    tables = {name: target_table(description)}
    completed = complete_targets(text, tables, python=python, path=path)
    table, descriptions = completed[name]
    write_atomically(path, add_target(text, name, table, path=str(path)))
    return Detected(description=descriptions[0], warnings=machine.warnings, path=path)
