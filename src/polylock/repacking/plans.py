"""The plans of ``variant label``, ``unlabel`` and ``repack``: the wheels to write.

All wheels are read, and all mistakes collected, before the first one is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import UsageError, WheelsRefused
from polylock.model.folding import NON_VARIANT, SelectedVariant
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.repacking.label_metadata import (
    InvalidLabel,
    label_metadata,
    property_problems,
)
from polylock.repacking.metadata_edits import (
    behind_labels,
    changed_requirements,
    requirement_changes,
    requirements_of,
    without_variants,
)
from polylock.repacking.rewrite import (
    Change,
    check_releases,
    check_targets,
    plan_wheel,
)
from polylock.repacking.source_wheel import InvalidWheel, opened_wheel
from polylock.values import Mutable, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from polylock.repacking.label_metadata import LabelRequest, VariantTable
    from polylock.repacking.repack_file import Build, RepackFile
    from polylock.repacking.rewrite import PlannedWheel
    from polylock.repacking.source_wheel import SourceWheel
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["Ways", "plan_labels", "plan_plain", "plan_repack"]


class Ways(Value, frozen=True, kw_only=True):
    """How wheels are written; ``output`` is None for the directory of each.

    With ``lenient`` labels may have properties that no provider knows, and with
    ``repair`` wheels may have faults, which the new ones do not have.
    """

    output: Path | None = None
    lenient: bool = False
    repair: bool = False


def plan_labels(
    paths: Sequence[Path], request: LabelRequest, table: VariantTable, ways: Ways
) -> list[PlannedWheel]:
    """Plan to give wheels a label; raises UsageError, WheelsRefused."""
    try:
        variant = label_metadata(request, table, lenient=ways.lenient)
    except InvalidLabel as error:
        raise UsageError(str(error), error.advice) from error
    problems = [] if ways.lenient else list(property_problems(variant))
    if problems:
        raise WheelsRefused([f"label {request.label}: {each}" for each in problems])

    def change(wheel: SourceWheel) -> Change:
        if wheel.variant is not None:
            raise InvalidWheel(
                f"it has the label {wheel.filename.variant_label}: remove that first, "
                "by `polylock variant unlabel`"
            )
        return Change(variant=variant)

    return _plan(paths, change, ways)


def plan_plain(paths: Sequence[Path], ways: Ways) -> list[PlannedWheel]:
    """Plan to remove the labels of wheels; raises WheelsRefused.

    Variant markers, which older installers refuse, are evaluated for that label.
    """

    def change(wheel: SourceWheel) -> Change:
        variant = wheel.variant
        if variant is None:
            raise InvalidWheel("it has no label")
        (label,) = variant.variants
        properties = frozenset(
            (namespace, feature, value)
            for namespace, features in variant.variants[label].items()
            for feature, values in features.items()
            for value in values
        )
        before = requirements_of(wheel.metadata.decode("utf-8"))
        after = _plain(before, SelectedVariant(label, properties))
        edits = requirement_changes(before, after)
        return Change(requirements=tuple(after) if edits else None, edits=edits)

    return _plan(paths, change, ways)


def _plan(
    paths: Sequence[Path], change: Callable[[SourceWheel], Change], ways: Ways
) -> list[PlannedWheel]:
    plans: list[PlannedWheel] = []
    problems: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            with opened_wheel(path) as wheel:
                output = path.parent if ways.output is None else ways.output
                plans.append(
                    plan_wheel(wheel, change(wheel), output, repair=ways.repair)
                )
        except InvalidRequirement as error:
            problems.append(f"{path.name}: bad Requires-Dist: {error}")
        except InvalidWheel as error:
            problems.append(f"{path.name}: {error}")
    if problems:
        raise WheelsRefused(problems)
    check_targets(plans)
    check_releases(plans, lenient=ways.lenient)
    return plans


def _plain(requirements: Sequence[str], variant: SelectedVariant) -> list[str]:
    """Return requirements with their variant markers evaluated."""
    found = (without_variants(text, variant) for text in requirements)
    return [text for text in found if text is not None]


class _Draft(Mutable, kw_only=True):
    """A wheel of a repack before it is planned.

    ``kind`` is equal for wheels that differ in their label alone.
    """

    path: Path
    variant: VariantMetadata | None
    version: str | None
    kind: tuple[str, ...]
    before: list[str]
    after: list[str]

    @property
    def label(self) -> str:
        return "" if self.variant is None else next(iter(self.variant.variants))


def plan_repack(file: RepackFile, ways: Ways) -> list[PlannedWheel]:
    """Plan what a repack file says; raises WheelsRefused."""
    problems: list[str] = []
    drafts: list[_Draft] = []
    for path, build in _builds(file, problems):
        try:
            with opened_wheel(path) as wheel:
                drafts.append(_draft(wheel, build, file))
        except InvalidRequirement as error:
            problems.append(f"{path.name}: bad Requires-Dist: {error}")
        except InvalidWheel as error:
            problems.append(f"{path.name}: {error}")
    if problems:
        raise WheelsRefused(problems)
    _unify(file, drafts)
    _evaluate_plain(drafts)
    problems = list(_requirements_of_old_versions(drafts))
    plans: list[PlannedWheel] = []
    output = file.output if ways.output is None else ways.output
    for draft in drafts:
        edits = requirement_changes(draft.before, draft.after)
        change = Change(
            variant=draft.variant,
            version=draft.version,
            requirements=tuple(draft.after) if edits else None,
            edits=edits,
        )
        try:
            with opened_wheel(draft.path) as wheel:
                plans.append(plan_wheel(wheel, change, output, repair=ways.repair))
        except InvalidWheel as error:
            problems.append(f"{draft.path.name}: {error}")
    if problems:
        raise WheelsRefused(problems)
    check_targets(plans)
    check_releases(plans, lenient=ways.lenient)
    return plans


def _builds(file: RepackFile, problems: list[str]) -> Iterator[tuple[Path, Build]]:
    """Yield each wheel with its build; note those that have none."""
    by_local = {build.name: build for build in file.builds if build.wheels is None}
    named: set[Path] = set()
    for build in file.builds:
        for path in build.wheels or ():
            named.add(path)
            yield path, build
    for path in file.wheels:
        local = _local(path)
        if local in by_local:
            yield path, by_local[local]
        elif path not in named:
            what = f"local version {local}" if local else "no local version"
            builds = ", ".join(by_local) or "none"
            problems.append(
                f"{path.name}: has {what}, and no build names it (builds by local "
                f"version: {builds})"
            )


def _local(path: Path) -> str:
    version = path.name.split("-")[1] if path.name.count("-") > 1 else ""
    return version.partition("+")[2].lower()


def _draft(wheel: SourceWheel, build: Build, file: RepackFile) -> _Draft:
    before = requirements_of(wheel.metadata.decode("utf-8"))
    rules = file.projects.get(wheel.filename.name)
    after = (
        list(before)
        if rules is None
        else changed_requirements(before, rules.requirements)
    )
    written = wheel.path.name.split("-")[1]
    public = written.partition("+")[0]
    version = None if file.keep_local_version or public == written else public
    name = wheel.filename
    return _Draft(
        path=wheel.path,
        variant=wheel.variant if build.variant is None else build.variant,
        version=version,
        kind=(
            *(name.name, version or name.version, name.build),
            *(name.python_tags, name.abi_tags, name.platform_tags),
        ),
        before=before,
        after=after,
    )


def _unify(file: RepackFile, drafts: Sequence[_Draft]) -> None:
    """Give wheels that differ in their label alone the same requirements."""
    kinds: dict[tuple[str, ...], list[_Draft]] = {}
    for draft in drafts:
        rules = next((r for n, r in file.projects.items() if n == draft.kind[0]), None)
        if rules is not None and rules.unify:
            kinds.setdefault(draft.kind, []).append(draft)
    for alike in kinds.values():
        same = behind_labels({draft.label: draft.after for draft in alike})
        for draft in alike:
            draft.after = same


def _evaluate_plain(drafts: Sequence[_Draft]) -> None:
    """Evaluate the variant markers of wheels without a label, for older installers."""
    for draft in drafts:
        if draft.variant is None:
            draft.after = _plain(draft.after, NON_VARIANT)


def _requirements_of_old_versions(drafts: Sequence[_Draft]) -> Iterator[str]:
    """Yield requirements of a local version that no wheel has any more."""
    renamed = {draft.kind[0] for draft in drafts if draft.version is not None}
    for draft in drafts:
        for text in draft.after:
            requirement = Requirement.parse(text)
            if requirement.name in renamed and "+" in requirement.specifier:
                yield (
                    f"{draft.path.name}: requires {text}, a version that no wheel has "
                    f"any more: drop it, and add {requirement.name} without the local "
                    "version"
                )
