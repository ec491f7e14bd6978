"""``polylock variant``: label wheels, remove labels, repack releases, show labels."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.diagnostics import show_warning
from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, Group, settings
from polylock.cli.tables import Table
from polylock.cli.terminal import say, style, write_lines
from polylock.errors import ProjectError, UsageError, WheelsRefused
from polylock.model.quantities import counted, file_size
from polylock.project.pyproject import project_path, read_document
from polylock.repacking.label_metadata import (
    InvalidLabel,
    LabelRequest,
    VariantTable,
    property_problems,
    read_properties,
    read_variant_table,
)
from polylock.repacking.metadata_edits import requirements_of
from polylock.repacking.plans import Ways, plan_labels, plan_plain, plan_repack
from polylock.repacking.repack_file import read_repack_file
from polylock.repacking.rewrite import write_wheels
from polylock.repacking.source_wheel import InvalidWheel, opened_wheel
from polylock.toml_tables import Table as TomlTable
from polylock.variants.properties import NULL_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from polylock.project.settings import Settings
    from polylock.repacking.archive_writer import Moment
    from polylock.repacking.rewrite import PlannedWheel, WrittenWheel
    from polylock.repacking.source_wheel import SourceWheel

    Function = Callable[..., Any]

__all__ = ["command"]

_WHEELS = click.argument(
    "wheels", nargs=-1, required=True, type=click.Path(path_type=Path)
)
_LENIENT = click.option(
    "--lenient",
    is_flag=True,
    help="Accept properties that no published provider knows.",
)


def _writing(default: str) -> Callable[[Function], Function]:
    """Add the options of every command that writes wheels, to a default directory."""
    options = (
        click.option(
            "--output",
            type=click.Path(path_type=Path, file_okay=False),
            help=f"The directory of the new wheels; default: {default}.",
        ),
        click.option(
            "--overwrite",
            is_flag=True,
            help="Replace new wheels that are there with other content.",
        ),
        click.option(
            "--repair",
            is_flag=True,
            help="Accept wheels with a wrong RECORD, and write a right one.",
        ),
        click.option(
            "--dry-run", is_flag=True, help="Read and check all, and write nothing."
        ),
        JSON,
    )

    def add(command: Function) -> Function:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.group(
    "variant",
    cls=Group,
    epilog="Example: polylock variant label dist/*.whl --label v3 "
    "-p 'x86_64 :: level :: v3'",
)
def command() -> None:
    """Label wheels as variants (PEP 825), and show labels."""


@command.command(
    "label",
    epilog="Example: polylock variant label dist/*.whl --label v3 "
    "-p 'x86_64 :: level :: v3'",
)
@settings()
@_WHEELS
@click.option("--label", metavar="LABEL", help="The label: a-z, 0-9, _ and full stops.")
@click.option(
    "--null", is_flag=True, help="The label null, of the variant without properties."
)
@click.option(
    "-p",
    "--property",
    "properties",
    multiple=True,
    metavar="PROPERTY",
    help="'namespace :: feature :: value' of the label; default: those under "
    "[variant.variants].",
)
@click.option(
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NAME",
    help="A namespace of the release, in order of priority; default: those under "
    "[variant.default-priorities].",
)
@_LENIENT
@_writing("that of each wheel")
def label(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Rewrite wheels as variant wheels with a label.

    The order of the namespaces, their providers and the properties of labels are read
    from [variant] in the project file, as variantlib reads them. The original wheels
    are not changed.
    """
    chosen = begin(values)
    name = _label_name(values)
    try:
        request = LabelRequest(
            label=name,
            properties=read_properties(values["properties"]),
            namespaces=tuple(dict.fromkeys(values["namespaces"])),
        )
    except InvalidLabel as error:
        raise UsageError(str(error), error.advice) from error
    plans = plan_labels(
        values["wheels"], request, _variant_table(chosen), _ways(values)
    )
    return _finish(plans, chosen, values)


@command.command("unlabel", epilog="Example: polylock variant unlabel dist/*-v3.whl")
@settings()
@_WHEELS
@_writing("that of each wheel")
def unlabel(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Rewrite variant wheels as plain wheels, without label and variant.json."""
    chosen = begin(values)
    return _finish(plan_plain(values["wheels"], _ways(values)), chosen, values)


@command.command("repack", epilog="Example: polylock variant repack repack.toml")
@settings()
@click.argument("file", type=click.Path(path_type=Path))
@_LENIENT
@_writing("that of the file")
def repack(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Make the variant wheels of a release from builds with local versions.

    The file says which build gets which label, and what becomes of the requirements;
    the reference of the repack file has its keys.
    """
    chosen = begin(values)
    file = read_repack_file(values["file"], lenient=values["lenient"])
    return _finish(plan_repack(file, _ways(values)), chosen, values, in_table=True)


@command.command("show", epilog="Example: polylock variant show dist/*.whl")
@settings()
@_WHEELS
@JSON
def show(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Show the label, properties, providers and requirements of wheels."""
    begin(values)
    found = []
    problems = []
    for path in values["wheels"]:
        try:
            with opened_wheel(path) as wheel:
                found.append(_described(wheel))
        except InvalidWheel as error:
            problems.append(f"{path.name}: {error}")
    if problems:
        raise WheelsRefused(problems, advice="nothing is shown of them")
    if values["as_json"]:
        print_json(found)
    else:
        write_lines(line for each in found for line in _lines(each))
    return 0


def _label_name(values: dict[str, Any]) -> str:
    if values["null"]:
        if values["label"] not in {None, NULL_LABEL}:
            raise UsageError(
                "--null and --label exclude each other",
                "a wheel has one label; --null stands for --label null",
            )
        if values["properties"]:
            raise UsageError(
                "--null and -p exclude each other",
                "the null variant has no properties and runs everywhere",
            )
        return NULL_LABEL
    if values["label"] is None:
        raise UsageError(
            "a label is missing", "give one with --label NAME, or use --null"
        )
    name: str = values["label"]
    return name


def _ways(values: dict[str, Any]) -> Ways:
    return Ways(
        output=values["output"],
        lenient=values.get("lenient", False),
        repair=values["repair"],
    )


def _variant_table(chosen: Settings) -> VariantTable:
    """Return ``[variant]`` of the project file, empty without one."""
    try:
        path = project_path(chosen)
    except ProjectError:
        return VariantTable()
    table = TomlTable(read_document(path), path=str(path))
    if "variant" not in table:
        return VariantTable()
    return read_variant_table(table.table("variant"))


def _moment() -> Moment | None:
    """Return the time of SOURCE_DATE_EPOCH, which zip archives can hold."""
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    try:
        found = datetime.fromtimestamp(int(text), tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            f"SOURCE_DATE_EPOCH={text} is not a time in seconds"
        ) from error
    if not 1980 <= found.year <= 2107:
        raise UsageError(
            f"SOURCE_DATE_EPOCH={text} is outside 1980 to 2107, which zip archives hold"
        )
    return (*found.timetuple()[:6],)


def _finish(
    plans: Sequence[PlannedWheel],
    chosen: Settings,
    values: dict[str, Any],
    *,
    in_table: bool = False,
) -> int:
    """Write planned wheels, unless that is not wanted, and tell what became of them."""
    moment = _moment()
    written: Sequence[WrittenWheel | None] = [None] * len(plans)
    if not values["dry_run"]:
        written = write_wheels(plans, overwrite=values["overwrite"], moment=moment)
    rows = list(zip(plans, written, strict=True))
    if values["as_json"]:
        print_json([_row(plan, each) for plan, each in rows])
        return 0
    if chosen.verbosity >= 0:
        for plan in plans:
            _note(plan)
    if in_table:
        _print_table(rows)
    else:
        write_lines(str(plan.target) for plan in plans)
    if chosen.verbosity >= 0:
        _summarize(rows)
    return 0


def _note(plan: PlannedWheel) -> None:
    if plan.signatures:
        names = " and ".join(plan.signatures)
        show_warning(
            f"{plan.source.name}: its signature {names} is of the old RECORD and was "
            "left out"
        )
    for fault in plan.repaired:
        show_warning(f"{plan.source.name}: repaired: {fault}")


def _summarize(rows: Sequence[tuple[PlannedWheel, WrittenWheel | None]]) -> None:
    new = sum(each is not None and each.state == "written" for _, each in rows)
    same = sum(each is not None and each.state == "unchanged" for _, each in rows)
    planned = len(rows) - new - same
    parts = []
    if planned:
        parts.append(f"{counted(planned, 'wheel')} would be written")
    if new:
        parts.append(f"wrote {counted(new, 'wheel')}")
    if same:
        parts.append(f"{counted(same, 'wheel')} unchanged")
    say(", ".join(parts))


def _print_table(rows: Sequence[tuple[PlannedWheel, WrittenWheel | None]]) -> None:
    table = Table(["wheel", "label", "version", "requirements", "state"])
    for plan, each in rows:
        table.add(
            [
                str(plan.source),
                plan.labels[1] or "none",
                plan.versions[1],
                _edits(plan) or "as they were",
                "planned" if each is None else each.state,
            ]
        )
    click.echo(table.text(), nl=False)


def _edits(plan: PlannedWheel) -> str:
    kinds = [edit.kind for edit in plan.change.edits]
    return ", ".join(
        f"{kinds.count(kind)} {kind}"
        for kind in ("dropped", "added", "changed")
        if kind in kinds
    )


def _row(plan: PlannedWheel, written: WrittenWheel | None) -> dict[str, Any]:
    return {
        "source": str(plan.source),
        "target": str(plan.target),
        "name": plan.name,
        "version": plan.versions[1],
        "old-version": plan.versions[0],
        "label": plan.labels[1],
        "old-label": plan.labels[0],
        "state": "planned" if written is None else written.state,
        "sha256": None if written is None else written.sha256,
        "size": None if written is None else written.size,
        "requirements": [
            {"was": edit.was, "now": edit.now} for edit in plan.change.edits
        ],
        "left-out": list(plan.signatures),
        "repaired": list(plan.repaired),
    }


def _described(wheel: SourceWheel) -> dict[str, Any]:
    variant = wheel.variant
    label = wheel.filename.variant_label
    properties: list[str] = []
    problems = [str(fault) for fault in wheel.faults]
    if variant is not None and label is not None:
        properties = [
            f"{namespace} :: {feature} :: {value}"
            for namespace, features in (variant.properties(label) or {}).items()
            for feature, values in features.items()
            for value in values
        ]
        problems += property_problems(variant)
    return {
        "file": wheel.path.name,
        "size": wheel.identity.size,
        "name": wheel.filename.name,
        "version": wheel.filename.version,
        "label": label,
        "properties": properties,
        "namespaces": [] if variant is None else list(variant.namespace_priorities),
        "providers": {} if variant is None else variant.document.get("providers") or {},
        "schema": None if variant is None else variant.schema,
        "requirements": requirements_of(wheel.metadata.decode("utf-8")),
        "problems": problems,
    }


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield style(found["file"], "strong", error=False)
    yield f"  {found['name']} {found['version']}, {file_size(found['size'])}"
    if found["label"] is None:
        yield "  no label: a plain wheel"
    else:
        yield f"  label {found['label']}"
        for each in found["properties"]:
            yield f"    {each}"
        if not found["properties"]:
            yield "    no properties: it runs everywhere"
        yield f"  namespaces, by priority: {', '.join(found['namespaces'])}"
        for name, provider in found["providers"].items():
            yield f"    {name}: {_provider(provider)}"
    if found["requirements"]:
        yield "  requires"
        for each in found["requirements"]:
            yield f"    {each}"
    for each in found["problems"]:
        yield f"  {style('warning', 'warning', error=False)}: {each}"


def _provider(provider: dict[str, Any]) -> str:
    if "static-properties" in provider:
        return "its values are in the metadata"
    return ", ".join(provider.get("requires", ())) or "built in"
