"""Reads the requirements of the project, by extra and by dependency group.

They are in ``[project] dependencies`` and ``optional-dependencies`` (PEP 621), and in
``[dependency-groups]`` with ``include-group`` (PEP 735).

``packaging.dependency_groups`` is not used: it does not accept variant markers, and its
errors name the group but not the item. A test compares the two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from polylock.model.inputs import RootRequirement
from polylock.model.markers import Atom, MarkerExpression, conjunction, parse_marker
from polylock.model.requirements import InvalidRequirement, Requirement, is_specifier
from polylock.project.direct_sources import with_relative_url
from polylock.project.script import is_script
from polylock.toml_tables import Table, suggestion
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


__all__ = ["Dependencies", "normalized_name", "read_dependencies", "read_requirement"]

_LOCK_FILE_MARKERS = {"extras", "dependency_groups"}
_Place = tuple[str, int]
_NAME_ALONE = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:[^\w.\s\[-]|$)")
"""A requirement without extras; its name is the group."""

_DYNAMIC = ("dependencies", "optional-dependencies", "requires-python")


class Dependencies(Value, frozen=True, kw_only=True):
    """The requirements of a project, with references to itself expanded.

    ``name`` is the normalized project name, None without ``[project]``. ``plain``
    holds ``[project] dependencies``, ``by_extra`` and ``by_group`` the others by
    normalized name. ``itself`` names the places of requirements on the project itself
    without an extra, which have no effect. ``is_dynamic`` means that only the build
    backend knows ``dependencies``.
    """

    name: NormalizedName | None
    requires_python: str
    plain: tuple[Requirement, ...]
    by_extra: Mapping[str, tuple[Requirement, ...]]
    by_group: Mapping[str, tuple[Requirement, ...]]
    itself: tuple[str, ...] = ()
    is_dynamic: bool = False

    def roots(self) -> tuple[RootRequirement, ...]:
        """Return all requirements in the order of the file, without duplicates."""
        found = [RootRequirement(requirement=item) for item in self.plain]
        for extra, items in self.by_extra.items():
            found += [RootRequirement(requirement=item, extra=extra) for item in items]
        for group, items in self.by_group.items():
            found += [RootRequirement(requirement=item, group=group) for item in items]
        return tuple(dict.fromkeys(found))

    def expand(
        self, requirement: Requirement, table: Table, *inside: str | int
    ) -> Iterator[Requirement]:
        """Yield the requirement; for one on the project itself, those of its extras.

        ``demo[gpu]`` within demo stands for the requirements of its extra ``gpu``. The
        key path is for errors: raises ProjectError if the project has no such extra.
        """
        if requirement.name != self.name:
            yield requirement
            return
        _check_extras(requirement, self.by_extra, table, *inside)
        for extra in requirement.extras:
            for item in self.by_extra[extra]:
                yield _both(item, requirement.marker)


def read_dependencies(document: Table) -> Dependencies:
    """Return the requirements in a project file; raises ProjectError."""
    project = document if is_script(document.path) else document.table("project")
    name = _project_name(document, project)
    is_dynamic = _is_dynamic(project, document)
    declared = Dependencies(
        name=name,
        requires_python=_requires_python(project),
        plain=(),
        by_extra={},
        by_group={},
    )
    extras = _read_extras(project)
    declared = replace(declared, by_extra=_expand_extras(extras, name, project))
    plain = [
        item
        for position, text in enumerate(project.array("dependencies"))
        for item in declared.expand(
            read_requirement(text, project, "dependencies", position),
            project,
            "dependencies",
            position,
        )
    ]
    groups = _Groups(document, declared)
    return replace(
        declared,
        plain=tuple(dict.fromkeys(plain)),
        by_group=groups.read(),
        itself=tuple(_on_itself(name, project)),
        is_dynamic=is_dynamic,
    )


def _on_itself(name: NormalizedName | None, project: Table) -> Iterator[str]:
    """Yield the places of requirements on the project itself without an extra.

    Groups are left out: there such a requirement means the installed project.
    """

    def names_itself(text: object) -> bool:
        if not isinstance(text, str):
            return False
        found = _NAME_ALONE.match(text)
        return found is not None and canonicalize_name(found[1]) == name

    if any(map(names_itself, project.array("dependencies"))):
        yield "the project"
    extras = project.table("optional-dependencies")
    for extra in extras.values:
        if any(map(names_itself, extras.array(extra))):
            yield f"extra {extra}"


def read_requirement(text: object, table: Table, *inside: str | int) -> Requirement:
    """Return one requirement; the key path is for errors.

    A ``file:`` URL becomes relative to the project file. Raises ProjectError if it is
    not a requirement, or cannot be locked.
    """
    if not isinstance(text, str):
        raise table.wrong_type("a string", *inside, found=text)
    try:
        requirement = Requirement.parse(text)
    except InvalidRequirement as error:
        from polylock.network.auth import redact  # noqa: PLC0415 - for an error only

        problem, advice = _not_a_requirement(redact(text), error)
        raise table.error(problem, *inside, advice=advice) from error
    if requirement.url is not None:
        requirement = with_relative_url(requirement, table, *inside)
    marker = requirement.marker_expression
    wrong = marker and _LOCK_FILE_MARKERS.intersection(_fields(marker))
    if wrong:
        raise table.error(
            f"the marker {min(wrong)} of {text!r} is only for lock files (PEP 751)",
            *inside,
        )
    return requirement


def normalized_name(text: object, table: Table, *inside: str | int) -> NormalizedName:
    """Return a name normalized; raises ProjectError if it is not a name."""
    if not isinstance(text, str):
        raise table.wrong_type("a string", *inside, found=text)
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise table.error(
            f"{text!r} is not a valid name",
            *inside,
            advice="letters, digits and . _ - inside; a letter or digit at both ends",
        ) from error


def _project_name(document: Table, project: Table) -> NormalizedName | None:
    if "project" not in document:
        return None
    if "name" not in project:
        raise project.error("is missing", "name", advice='write: name = "demo"')
    return normalized_name(project.values["name"], project, "name")


def _is_dynamic(project: Table, document: Table) -> bool:
    """Return whether ``dependencies`` are dynamic; raises ProjectError for others."""
    dynamic = project.strings("dynamic")
    for name in _DYNAMIC:
        if name in dynamic and (name != "dependencies" or not _has_build(document)):
            raise project.error(
                f"{name} is dynamic: only the build backend knows it, "
                "and polylock lock does not run it",
                "dynamic",
                advice=f"write {name} in [project] and take it out of dynamic",
            )
    if "dependencies" not in dynamic:
        return False
    if "dependencies" in project:
        raise project.error("is dynamic too (PEP 621)", "dependencies")
    return True


def _has_build(document: Table) -> bool:
    return bool(document.table("build-system").values)


def _requires_python(project: Table) -> str:
    text = project.string("requires-python")
    if text is None:
        return ""
    if not is_specifier(text):
        raise project.error(
            f"{text!r} is not a version specifier",
            "requires-python",
            advice='for example: requires-python = ">=3.11"',
        )
    return str(SpecifierSet(text))


def _read_extras(project: Table) -> dict[str, list[tuple[Requirement, _Place]]]:
    """Return each extra's requirements as written, with their key paths."""
    table = project.table("optional-dependencies")
    extras: dict[str, list[tuple[Requirement, _Place]]] = {}
    for written in table.values:
        extra = normalized_name(written, table, written)
        if extra in extras:
            raise table.error(f"the extra {extra} is declared twice", written)
        extras[extra] = [
            (read_requirement(text, table, written, position), (written, position))
            for position, text in enumerate(table.array(written))
        ]
    return extras


def _expand_extras(
    extras: Mapping[str, list[tuple[Requirement, _Place]]],
    name: str | None,
    project: Table,
) -> dict[str, tuple[Requirement, ...]]:
    """Return each extra's requirements, with references to own extras expanded."""
    table = project.table("optional-dependencies")

    def follow(extra: str, path: tuple[str, ...]) -> Iterator[Requirement]:
        for item, place in extras[extra]:
            if item.name != name:
                yield item
                continue
            _check_extras(item, extras, table, *place)
            for inner in item.extras:
                # A cycle would add the same requirements again with more markers.
                if inner not in path:
                    for found in follow(inner, (*path, inner)):
                        yield _both(found, item.marker)

    return {extra: tuple(dict.fromkeys(follow(extra, (extra,)))) for extra in extras}


def _check_extras(
    requirement: Requirement,
    extras: Mapping[str, object],
    table: Table,
    *inside: str | int,
) -> None:
    for extra in requirement.extras:
        if extra not in extras:
            raise table.error(
                f"the project has no extra {extra}",
                *inside,
                advice=suggestion(extra, extras),
            )


def _both(requirement: Requirement, marker: str) -> Requirement:
    """Return a requirement with a further marker added to its own."""
    if not marker or marker == requirement.marker:
        return requirement
    if not requirement.marker:
        return replace(requirement, marker=marker)
    both = conjunction([parse_marker(requirement.marker), parse_marker(marker)])
    return replace(requirement, marker=str(both))


def _fields(marker: MarkerExpression) -> Iterator[str]:
    if isinstance(marker, Atom):
        yield marker.field
        return
    for operand in marker.operands:
        yield from _fields(operand)


def _not_a_requirement(text: str, error: InvalidRequirement) -> tuple[str, str]:
    """Return the problem and the advice for text that is not a requirement."""
    if "://" in text or text.startswith((".", "/", "~")) or "\\" in text:
        return (
            f"{text!r} is a path or a URL without the name of the project",
            "write: demo @ https://example.com/demo-1.0.tar.gz, or add it to sources",
        )
    reason = str(error).partition("\n")[0]
    return (
        f"{text!r} is not a requirement: {reason}",
        "for example: \"numpy>=2, <3; python_version >= '3.12'\" (PEP 508)",
    )


class _Groups:
    """``[dependency-groups]`` (PEP 735)."""

    def __init__(self, document: Table, declared: Dependencies) -> None:
        self.table = document.table("dependency-groups")
        self.declared = declared
        self.written: dict[str, str] = {}
        for written in self.table.values:
            group = normalized_name(written, self.table, written)
            if group in self.written:
                raise self.table.error(f"the group {group} is declared twice", written)
            self.written[group] = written

    def read(self) -> dict[str, tuple[Requirement, ...]]:
        """Return each group's requirements, with included groups expanded."""
        return {
            group: tuple(dict.fromkeys(self._requirements(group, (group,))))
            for group in self.written
        }

    def _requirements(self, group: str, path: tuple[str, ...]) -> Iterator[Requirement]:
        written = self.written[group]
        for position, item in enumerate(self.table.array(written)):
            if isinstance(item, dict):
                included = self._included(item, written, position)
                if included in path:
                    circle = " -> ".join([*path, included])
                    raise self.table.error(
                        f"groups include each other: {circle}",
                        written,
                        position,
                    )
                yield from self._requirements(included, (*path, included))
            else:
                place = (written, position)
                requirement = read_requirement(item, self.table, *place)
                yield from self.declared.expand(requirement, self.table, *place)

    def _included(self, item: dict[str, Any], *place: str | int) -> NormalizedName:
        if list(item) != ["include-group"]:
            raise self.table.error(
                "a table in a group has the one key include-group",
                *place,
                advice='for example: { include-group = "test" }',
            )
        included = normalized_name(
            item["include-group"], self.table, *place, "include-group"
        )
        if included not in self.written:
            raise self.table.error(
                f"there is no group {included}",
                *place,
                "include-group",
                advice=suggestion(included, self.written),
            )
        return included
