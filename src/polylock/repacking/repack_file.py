"""Reads the file of ``polylock variant repack``: builds, labels and requirements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name

from polylock.cache.regular_files import read_regular
from polylock.errors import RepackFileInvalid
from polylock.model.markers import (
    Combination,
    InvalidMarker,
    MarkerExpression,
    parse_marker,
)
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.model.visible_text import is_visible
from polylock.repacking.label_metadata import (
    InvalidLabel,
    LabelRequest,
    VariantTable,
    label_metadata,
    property_problems,
    read_properties,
    read_variant_table,
)
from polylock.repacking.metadata_edits import RequirementRules
from polylock.toml_tables import InvalidToml, Table, key_path, parse_toml, suggestion
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from polylock.variants.variant_json import VariantMetadata

__all__ = ["Build", "ProjectRules", "RepackFile", "read_repack_file"]

_KEYS = ("wheels", "output", "keep-local-version", "variant", "builds", "projects")
_BUILD_KEYS = ("wheels", "label", "properties")
_PROJECT_KEYS = ("drop", "add", "mark", "unify")


class Build(Value, frozen=True, kw_only=True):
    """The wheels of one build. ``variant`` is None if they stay as they are labelled.

    ``wheels`` are the paths of its own patterns, None if the local version of a wheel
    decides.
    """

    name: str
    variant: VariantMetadata | None = None
    wheels: tuple[Path, ...] | None = None


class ProjectRules(Value, frozen=True, kw_only=True):
    """What becomes of a project's requirements; ``unify`` is ``behind_labels``."""

    requirements: RequirementRules = field(default_factory=RequirementRules)
    unify: bool = False


class RepackFile(Value, frozen=True, kw_only=True):
    """A repack file, read and checked; ``wheels`` are the paths of its patterns."""

    path: Path
    wheels: tuple[Path, ...]
    output: Path
    keep_local_version: bool
    builds: tuple[Build, ...]
    projects: Mapping[NormalizedName, ProjectRules]


def _output(table: Table) -> str:
    text = table.text("output")
    if not text or not all(map(is_visible, text)):
        raise table.error(f"{text!r} is not a path", "output")
    return text


def read_repack_file(path: Path, *, lenient: bool = False) -> RepackFile:
    """Read a repack file; raises RepackFileInvalid.

    With ``lenient`` labels may have properties that no provider knows.
    """
    table = Table(_document(path), path=str(path), refusal=RepackFileInvalid)
    table.refuse_unknown(_KEYS)
    variant = read_variant_table(table.table("variant"))
    builds = table.table("builds")
    if not builds.values:
        raise builds.error(
            "is missing",
            advice='name the builds: [builds.cu130] with label = "cuda13.0"',
        )
    found = tuple(
        _build(name, builds.table(name), path.parent, variant, lenient=lenient)
        for name in builds.values
    )
    labels = [next(iter(each.variant.variants)) for each in found if each.variant]
    projects = table.table("projects")
    wheels = _matches(table, path.parent)
    if not wheels and not any(each.wheels for each in found):
        raise table.error("is missing", "wheels", advice='wheels = ["dist/*.whl"]')
    return RepackFile(
        path=path,
        wheels=wheels,
        output=path.parent / _output(table),
        keep_local_version=table.boolean("keep-local-version"),
        builds=found,
        projects={
            canonicalize_name(name): _rules(projects.table(name), labels)
            for name in projects.values
        },
    )


def _document(path: Path) -> dict[str, object]:
    try:
        return parse_toml(read_regular(path).decode("utf-8"))
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
        raise RepackFileInvalid(str(path), "", problem) from error
    except InvalidToml as error:
        raise RepackFileInvalid(
            str(path), key_path(*error.parts), str(error)
        ) from error
    except UnicodeDecodeError as error:
        raise RepackFileInvalid(str(path), "", "is not UTF-8") from error


def _matches(table: Table, directory: Path) -> tuple[Path, ...]:
    """Return the wheels that the patterns of ``wheels`` match, in order of patterns."""
    found: dict[Path, None] = {}
    for position, pattern in enumerate(table.strings("wheels")):
        if not pattern or Path(pattern).is_absolute():
            raise table.error(
                "must be a path relative to the file, * allowed", "wheels", position
            )
        try:
            paths = sorted(p for p in directory.glob(pattern) if p.suffix == ".whl")
        except ValueError as error:  # before Python 3.13
            raise table.error(str(error), "wheels", position) from error
        if not paths:
            raise table.error(f"{pattern} matches no wheel", "wheels", position)
        found |= dict.fromkeys(paths)
    return tuple(found)


def _build(
    name: str, table: Table, directory: Path, variant: VariantTable, *, lenient: bool
) -> Build:
    table.refuse_unknown(_BUILD_KEYS)
    label = table.string("label")
    properties = table.strings("properties")
    metadata = None
    if label is not None:
        try:
            request = LabelRequest(label=label, properties=read_properties(properties))
            metadata = label_metadata(request, variant, lenient=lenient)
        except InvalidLabel as error:
            raise table.error(str(error), advice=error.advice) from error
        for problem in () if lenient else property_problems(metadata):
            raise table.error(problem, "properties")
    elif properties:
        raise table.error("is missing, and there are properties", "label")
    return Build(
        name=name,
        variant=metadata,
        wheels=_matches(table, directory) if "wheels" in table else None,
    )


def _rules(table: Table, labels: Collection[str]) -> ProjectRules:
    table.refuse_unknown(_PROJECT_KEYS)
    additions = table.strings("add")
    for position, text in enumerate(additions):
        try:
            marker = Requirement.parse(text).marker_expression
        except (InvalidRequirement, InvalidMarker) as error:
            raise table.error(str(error), "add", position) from error
        _check_labels(marker, labels, table, "add", position)
    mark = []
    marks = table.table("mark")
    for pattern in marks.values:
        try:
            expression = parse_marker(marks.text(pattern))
        except InvalidMarker as error:
            raise marks.error(str(error), pattern) from error
        _check_labels(expression, labels, marks, pattern)
        mark.append((pattern, expression))
    return ProjectRules(
        requirements=RequirementRules(
            drop=table.strings("drop"), mark=tuple(mark), add=additions
        ),
        unify=table.boolean("unify"),
    )


def _check_labels(
    marker: MarkerExpression | None,
    labels: Collection[str],
    table: Table,
    *place: str | int,
) -> None:
    """Refuse a marker on a label that no build has: it would be true of none."""
    for label in _labels_in(marker):
        if label and label not in labels:
            raise table.error(
                f"names the label {label}, which no build has",
                *place,
                advice=suggestion(label, labels),
            )


def _labels_in(marker: MarkerExpression | None) -> Iterator[str]:
    if isinstance(marker, Combination):
        for each in marker.operands:
            yield from _labels_in(each)
    elif (
        marker is not None
        and marker.field == "variant_label"
        and marker.operator in {"==", "!="}
    ):
        yield marker.value
