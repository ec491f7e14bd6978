"""``polylock targets``: list, show and add targets, and search presets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from polylock.errors import NoSuchTarget, UsageError
from polylock.operations.edit.detect import machine_name
from polylock.operations.edit.project_file import (
    complete_targets,
    parse_release,
    read_text,
)
from polylock.operations.edit.target_table import target_table
from polylock.operations.files import write_atomically
from polylock.operations.workspace import open_workspace, project_path
from polylock.project.edit import add_target as edit_add_target
from polylock.project.presets import (
    Preset,
    assumed,
    find_name,
    find_spelled,
    preset_names,
    presets,
    search,
)
from polylock.project.target_values import preset_advice
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from polylock.model.target import Target
    from polylock.project.settings import Settings
    from polylock.providers.detect import DetectedMachine

__all__ = [
    "ASSUMED_COMMENTS",
    "AddTargetRequest",
    "AddedTarget",
    "SupportedFeature",
    "TargetView",
    "add_target",
    "declared_targets",
    "find_preset",
    "preset_target",
    "search_presets",
    "show_target",
]


ASSUMED_COMMENTS: Mapping[str, str] = {
    "nvidia": "assumed; `nvidia-smi` shows the CUDA Version of a machine's driver",
    "amd": "assumed; /opt/rocm/.info/version has that of a machine",
    "macos": "assumed; `sw_vers -productVersion` shows that of a Mac",
}
"""Comments for the project file, by key: how to find the value of a real machine."""

_SHOWN_PRESETS = 8


class SupportedFeature(Value, frozen=True, kw_only=True):
    """The values of one feature that a target supports, the most preferred first.

    ``stated`` means that the user gave the list and nothing was derived.
    """

    namespace: str
    feature: str
    values: tuple[str, ...]
    stated: bool


class TargetView(Value, frozen=True):
    """A declared target with the values derived from it."""

    target: Target

    @property
    def features(self) -> tuple[SupportedFeature, ...]:
        """Return the supported features.

        Namespaces are sorted by name, because their priority is in the metadata of each
        release; features and values are in order of preference. Stated features of a
        namespace replace derived ones.
        """
        stated, derived = self.target.stated, self.target.derived
        names = sorted({*stated.namespaces, *derived.namespaces})
        return tuple(
            SupportedFeature(
                namespace=name,
                feature=feature,
                values=tuple(values),
                stated=name in stated.namespaces,
            )
            for name in names
            for feature, values in (stated if name in stated.namespaces else derived)
            .features(name)
            .items()
        )

    def summary(self) -> dict[str, Any]:
        """Return a target of ``targets list --json``."""
        return {
            "name": self.target.name,
            "target": target_table(self.target.description),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``targets show --json``."""
        return {
            **self.summary(),
            "marker-environment": dict(sorted(self.target.marker_environment.items())),
            "tags": list(self.target.tags),
            "properties": [
                {
                    "namespace": found.namespace,
                    "feature": found.feature,
                    "values": list(found.values),
                    "source": "stated" if found.stated else "derived",
                }
                for found in self.features
            ],
        }


class AddTargetRequest(Value, frozen=True, kw_only=True):
    """A preset or this machine to add; ``name`` is None for a default name."""

    preset: str | None = None
    machine: DetectedMachine | None = None
    name: str | None = None
    python: str | None = None


class AddedTarget(Value, frozen=True, kw_only=True):
    """The file and table of an added target, and the targets that it expands to."""

    path: Path
    names: tuple[str, ...]
    table: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``targets add --json``."""
        return {
            "path": str(self.path),
            "targets": list(self.names),
            "table": dict(self.table),
        }


def declared_targets(settings: Settings) -> tuple[TargetView, ...]:
    """Return the targets of the project file in order; raises ProjectError."""
    return tuple(map(TargetView, open_workspace(settings).targets))


def show_target(settings: Settings, name: str) -> TargetView:
    """Return one declared target; raises ProjectError, NoSuchTarget."""
    found = declared_targets(settings)
    for view in found:
        if view.target.name == canonicalize_name(name):
            return view
    raise NoSuchTarget("target", name, [view.target.name for view in found])


def search_presets(text: str) -> Mapping[str, Preset]:
    """Return the preset of a name, else all that match words of names or purposes.

    Raises UsageError if there is none.
    """
    name = find_spelled(text)
    if name is not None:
        return {name: presets()[name]}
    found = search(text)
    if not found:
        raise _no_preset(text)
    return found


def find_preset(name: str) -> tuple[str, Preset]:
    """Return a preset and its canonical name.

    The text is a name, a common name for the hardware, or words that match only one
    preset. Raises UsageError if there is none or more than one.
    """
    known = find_name(name)
    if known is not None:
        return known, presets()[known]
    found = search_presets(name)
    if len(found) > 1:
        shown = ", ".join(list(found)[:_SHOWN_PRESETS])
        more = len(found) - _SHOWN_PRESETS
        raise UsageError(
            f"{name!r} matches {len(found)} presets",
            f"name one: {shown}{f' and {more} more' if more > 0 else ''}; "
            f"`polylock targets presets {name}` shows them",
        )
    return next(iter(found.items()))


def _no_preset(name: str) -> UsageError:
    return UsageError(
        f"there is no preset {name!r}", preset_advice(name, preset_names())
    )


def add_target(settings: Settings, request: AddTargetRequest) -> AddedTarget:
    """Add a preset or this machine to the project file, with the lowest priority.

    Raises ProjectError, also if the target exists, and UsageError.
    """
    path = project_path(settings)
    text = read_text(path)
    name, table = _named(request)
    completed, descriptions = complete_targets(
        text, {name: table}, python=request.python, path=path
    )[name]
    edited = edit_add_target(
        text, name, completed, comments=ASSUMED_COMMENTS, path=str(path)
    )
    write_atomically(path, edited)
    names = tuple(description.name for description in descriptions)
    return AddedTarget(path=path, names=names, table=completed)


def _named(request: AddTargetRequest) -> tuple[str, dict[str, Any]]:
    if (request.preset is None) is (request.machine is None):
        raise UsageError(
            "give either a preset or --here",
            "`polylock targets presets` lists the presets",
        )
    if request.machine is not None:
        release = parse_release(request.python)
        name = request.name or machine_name(request.machine)
        return name, target_table(request.machine.describe(release, name=name))
    name, table = preset_target(request.preset or "")
    return request.name or name, table


def preset_target(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the table of a target for a preset.

    The table has the assumed software of the machine, for the user to change. Raises
    UsageError if there is no such preset.
    """
    name, preset = find_preset(text)
    return canonicalize_name(name), {"preset": name, **assumed(preset)}
