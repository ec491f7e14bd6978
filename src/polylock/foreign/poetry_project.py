"""``[tool.poetry]``, converted to ``[project]`` and ``[tool.polylock]``.

Poetry 2 reads ``[project]`` too, so the tables of Poetry stay. Beside ``[project]`` its
own dependencies only add sources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from packaging.requirements import InvalidRequirement as InvalidPackaging
from packaging.requirements import Requirement as PackagingRequirement
from packaging.utils import canonicalize_name

from polylock.foreign.conversion import (
    as_list,
    as_table,
    as_tables,
)
from polylock.foreign.poetry_versions import (
    InvalidConstraint,
    dependency_text,
    marker_of,
    specifier_of,
    split_extras,
)
from polylock.foreign.target_choice import Exclusive, TargetChoice
from polylock.model.markers import InvalidMarker
from polylock.toml_tables import key_path
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.foreign.conversion import Conversion, ConversionDefaults, Files
    from polylock.model.target import Target

__all__ = ["convert_poetry"]

_PERSON = re.compile(r"\s*([^<>]*?)\s*(?:<([^<>]*)>)?\s*")
_METADATA = ("name", "version", "description", "readme")
_LISTS = ("keywords", "classifiers")
_URLS = ("homepage", "repository", "documentation")
_OF_THE_BUILD = ("packages", "include", "exclude", "build", "package-mode", "to")
_CONVERTED = (
    *_METADATA,
    *_LISTS,
    *_URLS,
    *_OF_THE_BUILD,
    "urls",
    "authors",
    "maintainers",
    "license",
    "scripts",
    "plugins",
    "extras",
    "dependencies",
    "dev-dependencies",
    "group",
    "source",
)
_REST = {
    "requires-poetry": ("it is about Poetry itself", ""),
    "requires-plugins": ("it is about Poetry itself", ""),
}
_FIRST_WITH_PROJECT = "2.0"
"""The first poetry-core that reads ``[project]``."""


class _Entry(Value, frozen=True, kw_only=True):
    """One constraint of a dependency, with its condition split."""

    name: str
    value: Mapping[str, Any]
    text: str
    marker: str
    extras: tuple[str, ...]
    excluded: tuple[str, ...]
    origin: str


def convert_poetry(
    conversion: Conversion, files: Files, defaults: ConversionDefaults
) -> None:
    """Convert the settings of Poetry; raises ProjectError."""
    del files
    _Poetry(conversion, defaults).convert()


class _Poetry:
    def __init__(self, conversion: Conversion, defaults: ConversionDefaults) -> None:
        self.conversion = conversion
        self.defaults = defaults
        self.table = conversion.other("poetry")
        self.choice = TargetChoice(conversion, defaults)
        self.sources: list[_Entry] = []

    def convert(self) -> None:
        main = dict(as_table(self.table.get("dependencies")))
        python = main.pop("python", None)
        self._project(python)
        self._dependencies(main)
        self._groups()
        self.choice.write(exclusive=self._exclusive())
        self._indexes()
        targets = self.choice.targets()
        by_name: dict[str, list[_Entry]] = {}
        for entry in self.sources:
            by_name.setdefault(canonicalize_name(entry.name), []).append(entry)
        for entries in by_name.values():
            self._source(entries, targets)
        self._rest()

    # [project]

    def _project(self, python: object) -> None:
        conversion, table = self.conversion, self.table
        is_new = "project" not in conversion.document
        found: dict[str, Any] = {}
        if is_new:
            found["name"] = table.get("name") or self.defaults.directory_name
            found["version"] = table.get("version") or "0.0.0"
            found["description"] = table.get("description") or None
            found["readme"] = self._readme()
            found["license"] = _license(table.get("license"))
            for key in ("authors", "maintainers"):
                found[key] = [_person(str(text)) for text in as_list(table.get(key))]
            for key in _LISTS:
                found[key] = as_list(table.get(key))
            found["scripts"] = self._scripts()
            found["urls"] = self._urls()
            found["entry-points"] = as_table(table.get("plugins"))
        if "requires-python" not in conversion.project and isinstance(python, str):
            try:
                found["requires-python"] = specifier_of(python)
            except InvalidConstraint as error:
                origin = "tool.poetry.dependencies.python"
                conversion.leave(
                    origin, str(error), "write requires-python in [project]"
                )
        project = conversion.place("project") if is_new or any(found.values()) else {}
        order = ("name", "version", "description", "readme", "requires-python")
        for key in (*order, *found):
            if found.get(key) and key not in project:
                project[key] = found[key]
        if is_new:
            conversion.note("tool.poetry", "project")
            self._check_backend()

    def _readme(self) -> object:
        readme = self.table.get("readme")
        if isinstance(readme, list):
            self.conversion.leave(
                "tool.poetry.readme", "[project] has one readme", "the first was taken"
            )
            return readme[0] if readme else None
        return readme

    def _scripts(self) -> dict[str, str]:
        found = {}
        for name, value in as_table(self.table.get("scripts")).items():
            target = value.get("callable") if isinstance(value, dict) else value
            if isinstance(target, str):
                found[name] = target
            else:
                self.conversion.leave(
                    f"tool.poetry.scripts.{name}",
                    "[project.scripts] only has functions",
                    "Poetry still installs the file when it builds the project",
                )
        return found

    def _urls(self) -> dict[str, str]:
        named = {key.capitalize(): self.table.get(key) for key in _URLS}
        named.update(as_table(self.table.get("urls")))
        return {key: str(value) for key, value in named.items() if value}

    def _check_backend(self) -> None:
        """List a build backend that does not read ``[project]``."""
        build = as_table(self.conversion.document.get("build-system"))
        for text in as_list(build.get("requires")):
            try:
                found = PackagingRequirement(str(text))
            except InvalidPackaging:
                continue
            old = canonicalize_name(found.name) == "poetry" or (
                canonicalize_name(found.name) == "poetry-core"
                and not any(
                    found.specifier.contains(f"{major}.99") for major in range(2, 10)
                )
            )
            if old:
                self.conversion.leave(
                    "build-system.requires",
                    f"{text} does not read [project]",
                    f"write poetry-core>={_FIRST_WITH_PROJECT}",
                )
        if self.table.get("package-mode") is False and build:
            self.conversion.leave(
                "tool.poetry.package-mode",
                "polylock installs a project that has a [build-system]",
                "remove [build-system], or use --no-install-project",
            )

    # Dependencies

    def _dependencies(self, main: Mapping[str, Any]) -> None:
        """Write the dependencies and extras, unless ``[project]`` has its own."""
        conversion = self.conversion
        project = conversion.project
        entries = {
            name: list(self._entries(name, value, ("dependencies", name)))
            for name, value in main.items()
        }
        self.sources += [each for found in entries.values() for each in found]
        if {"dependencies", "optional-dependencies"} & project.keys():
            return
        _make_static(project)
        project = conversion.place("project")
        project["dependencies"] = list(self._plain(entries))
        conversion.note("tool.poetry.dependencies", "project.dependencies")
        if extras := self._extras(entries):
            project["optional-dependencies"] = extras
            conversion.note("tool.poetry.extras", "project.optional-dependencies")

    def _plain(self, entries: Mapping[str, list[_Entry]]) -> Iterator[str]:
        """Yield the dependencies that are in no extra."""
        in_extras = {
            canonicalize_name(str(name))
            for names in as_table(self.table.get("extras")).values()
            for name in as_list(names)
        }
        for each in (each for found in entries.values() for each in found):
            if each.extras:
                continue
            if not each.value.get("optional"):
                yield each.text
            elif canonicalize_name(each.name) not in in_extras:
                self.conversion.leave(
                    each.origin, "it is optional, and no extra has it", "it is left out"
                )

    def _extras(self, entries: Mapping[str, list[_Entry]]) -> dict[str, list[str]]:
        """Return the requirements of the extras, those that a marker names as well."""
        found: dict[str, list[str]] = {}
        for each in (each for items in entries.values() for each in items):
            for extra in each.extras:
                found.setdefault(extra, []).append(each.text)
        by_name = {canonicalize_name(name): items for name, items in entries.items()}
        for extra, names in as_table(self.table.get("extras")).items():
            for name in as_list(names):
                items = by_name.get(canonicalize_name(str(name)), [])
                if not items:
                    self.conversion.leave(
                        f"tool.poetry.extras.{extra}",
                        f"{name} is no dependency",
                        "Poetry ignores it too",
                    )
                texts = [each.text for each in items if not each.extras]
                found.setdefault(extra, []).extend(texts)
        return {extra: list(dict.fromkeys(texts)) for extra, texts in found.items()}

    def _entries(
        self, name: str, value: object, keys: tuple[str, ...]
    ) -> Iterator[_Entry]:
        """Yield the constraints of a dependency; what has no equivalent is listed."""
        several = isinstance(value, list)
        for position, item in enumerate(as_list(value)):
            origin = key_path("tool", "poetry", *keys, *([position] if several else []))
            table = item if isinstance(item, dict) else {"version": item}
            try:
                marker, extras, excluded = split_extras(marker_of(table))
                text = dependency_text(
                    name, table, "" if marker is None else str(marker)
                )
            except InvalidConstraint as error:
                self.conversion.leave(origin, str(error), f"add {name} by hand")
                continue
            if table.get("allow-prereleases"):
                self.conversion.leave(
                    origin,
                    "pre-releases are allowed by naming one",
                    f"such as {name}>=2.0a0, or with prerelease in [tool.polylock]",
                )
            yield _Entry(
                name=name,
                value=table,
                text=text,
                marker="" if marker is None else str(marker),
                extras=tuple(extras),
                excluded=tuple(excluded),
                origin=origin,
            )

    def _groups(self) -> None:
        conversion = self.conversion
        tables: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {}
        if "dev-dependencies" in self.table:
            table = {"dependencies": as_table(self.table["dev-dependencies"])}
            tables["dev"] = (table, ("dev-dependencies",))
        for name, value in as_table(self.table.get("group")).items():
            if name in tables:
                merged = as_table(as_table(value).get("dependencies"))
                tables[name][0]["dependencies"].update(merged)
            else:
                tables[name] = (as_table(value), ("group", name, "dependencies"))
        required = [name for name, (t, _) in tables.items() if not t.get("optional")]
        for name, (table, keys) in tables.items():
            origin = key_path("tool", "poetry", *keys[:2])
            had = conversion.has_group(name)
            texts: list[object] = []
            for dependency, value in as_table(table.get("dependencies")).items():
                found = list(self._entries(dependency, value, (*keys, dependency)))
                self.sources += found
                texts += [each.text for each in found]
            texts += [
                {"include-group": str(each)}
                for each in as_list(table.get("include-groups"))
            ]
            if not had:
                conversion.add_requirements(("dependency-groups", name), texts, origin)
        if required and required != ["dev"]:
            conversion.option(
                "default-groups", required, "Poetry's groups that are not optional"
            )

    def _exclusive(self) -> list[Exclusive]:
        """Return the extras that exclude each other by their markers."""
        names = {
            extra
            for entry in self.sources
            if entry.extras and entry.excluded
            for extra in (*entry.extras, *entry.excluded)
        }
        declared = as_table(self.conversion.project.get("optional-dependencies"))
        urls = {
            str(each.get("name")): str(each.get("url"))
            for each in as_tables(self.table.get("source"))
        }
        found = []
        for name in declared:
            if name in names:
                clues = tuple(
                    text
                    for entry in self.sources
                    if name in entry.extras and (source := entry.value.get("source"))
                    for text in (str(source), urls.get(str(source), ""))
                )
                kind: Literal["extra"] = "extra"
                found.append(Exclusive(kind=kind, name=name, clues=clues))
        return found

    # Sources and indexes

    def _indexes(self) -> None:
        conversion = self.conversion
        first: list[tuple[dict[str, Any], str]] = []
        last: list[tuple[dict[str, Any], str]] = []
        has_default = has_primary = False
        for position, source in enumerate(as_tables(self.table.get("source"))):
            origin, entry = f"tool.poetry.source[{position}]", source
            priority = str(entry.get("priority") or "primary").lower()
            if entry.get("secondary"):
                priority = "supplemental"
            is_default = str(entry.get("name")).lower() == "pypi"
            if is_default:
                has_default = True
                entry = {**source, "name": "pypi", "url": self.defaults.index_url}
            elif priority in {"primary", "default"}:
                has_primary = True
            in_order = last if priority in {"supplemental", "secondary"} else first
            in_order.append(({**entry, "priority": priority}, origin))
        written = [
            each for each in (*first, *last) if each[0]["priority"] != "explicit"
        ]
        needs_default = bool(written) and not has_default and not has_primary
        for entry, origin in first:
            self._index(entry, origin)
        if needs_default:
            conversion.add_index(
                self.defaults.index_url, "the default index", name="pypi"
            )
        for entry, origin in last:
            self._index(entry, origin)
        if len(written) + needs_default > 1:
            conversion.leave(
                "tool.poetry.source",
                "Poetry takes the best version of all of its primary sources; polylock "
                "takes a project from the first index that has it",
                "order the indexes, or name one in [tool.polylock.sources]",
            )

    def _index(self, entry: Mapping[str, Any], origin: str) -> None:
        if isinstance(entry.get("url"), str):
            self.conversion.add_index(
                entry["url"],
                origin,
                name=str(entry.get("name") or ""),
                explicit=entry["priority"] == "explicit",
            )

    def _source(self, entries: Sequence[_Entry], targets: Sequence[Target]) -> None:
        conversion, name = self.conversion, entries[0].name
        if conversion.has_source(name):
            return
        found = [
            place
            for entry in entries
            if (place := self._placed(entry, targets)) is not None
        ]
        if found:
            conversion.add_source(name, found, entries[0].origin)
        elif any(map(self._names_source, entries)):
            for key in sorted({entry.origin.partition("[")[0] for entry in entries}):
                conversion.ignore(key)

    def _placed(
        self, entry: _Entry, targets: Sequence[Target]
    ) -> dict[str, Any] | None:
        """Return the source of a constraint with its targets, None without one."""
        place = self._place_of(entry)
        among = [
            name
            for extra in entry.extras
            for name in self.choice.of("extra", extra) or []
        ]
        try:
            names = self.choice.fitting(targets, entry.marker or None, among or None)
        except InvalidMarker:
            names = None
        if place is None or names is None:
            return place
        return {**place, "targets": names} if names else None

    def _names_source(self, entry: _Entry) -> bool:
        return any(
            key in entry.value for key in ("git", "path", "url", "file", "source")
        )

    def _place_of(self, entry: _Entry) -> dict[str, Any] | None:
        value = entry.value
        place: dict[str, Any] = {}
        if "git" in value:
            git = str(value["git"])
            if git.startswith("git@"):
                git = "ssh://" + git.replace(":", "/", 1)
            place["git"] = git
            place.update({k: value[k] for k in ("rev", "tag", "branch") if k in value})
        elif "url" in value:
            place["url"] = value["url"]
        elif path := value.get("path") or value.get("file"):
            written = str(path)
            place["path"] = (
                written if written.startswith((".", "/")) else f"./{written}"
            )
            if value.get("develop"):
                place["editable"] = True
        elif "source" in value:
            return self._index_of(str(value["source"]), entry.origin)
        else:
            return None
        if "subdirectory" in value:
            place["subdirectory"] = value["subdirectory"]
        return place

    def _index_of(self, name: str, origin: str) -> dict[str, Any] | None:
        for each in as_tables(self.conversion.tool.get("index")):
            if str(each.get("name")).lower() == name.lower():
                return {"index": each["name"]}
        if name.lower() == "pypi":
            index = self.conversion.add_index(
                self.defaults.index_url, origin, name="pypi"
            )
            return {"index": index}
        self.conversion.leave(origin, f"there is no source {name}", "declare its index")
        return None

    def _rest(self) -> None:
        for key in self.table:
            if key not in _CONVERTED:
                reason, advice = _REST.get(key, ("it is not known", "see its manual"))
                self.conversion.leave(f"tool.poetry.{key}", reason, advice)


def _make_static(project: dict[str, Any]) -> None:
    """Take what is about to be written out of ``dynamic``."""
    dynamic = project.get("dynamic")
    if not isinstance(dynamic, list):
        return
    for key in ("dependencies", "optional-dependencies"):
        if key in dynamic:
            dynamic.remove(key)
    if not dynamic:
        del project["dynamic"]


def _license(value: object) -> object:
    return {"text": value} if isinstance(value, str) and value else None


def _person(text: str) -> dict[str, str]:
    """Return an author, ``Name <mail>``, as ``[project]`` has it."""
    found = _PERSON.fullmatch(text)
    if found is None:
        return {"name": text}
    person = {"name": found[1], "email": found[2] or ""}
    return {key: value for key, value in person.items() if value}
