"""``[tool.uv]`` and ``uv.toml``, converted to ``[tool.polylock]``.

uv reads ``uv.toml`` instead of ``[tool.uv]`` for everything but sources, workspaces,
conflicts and groups.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from polylock.errors import UsageError
from polylock.foreign.conversion import (
    as_list,
    as_table,
    as_tables,
    requirement_name,
)
from polylock.foreign.target_choice import Exclusive, TargetChoice, accelerator
from polylock.model.direct import DIRECT_KEYS
from polylock.model.markers import InvalidMarker
from polylock.toml_tables import InvalidToml, key_path, parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from polylock.foreign.conversion import Conversion, ConversionDefaults, Files
    from polylock.model.target import Target

__all__ = ["convert_uv"]

_SAME = (
    "constraint-dependencies",
    "override-dependencies",
    "exclude-newer",
    "exclude-newer-package",
    "resolution",
    "prerelease",
    "no-build-package",
    "no-binary-package",
    "default-groups",
    "extra-build-dependencies",
    "dependency-metadata",
    "config-settings",
    "config-settings-package",
    "no-build-isolation-package",
)
"""Keys that have the same name and meaning in ``[tool.polylock]``."""

_ABOUT_UV = "it is about uv itself"
_INDEXES = (
    "polylock never mixes the indexes of a project",
    "name the index of a project in [tool.polylock.sources]",
)
_REST: dict[str, tuple[str, str]] = {
    "index-strategy": _INDEXES,
    "required-version": (_ABOUT_UV, ""),
    "managed": (_ABOUT_UV, ""),
    "preview": (_ABOUT_UV, ""),
    "preview-features": (_ABOUT_UV, ""),
    "python-preference": (_ABOUT_UV, ""),
    "python-downloads": ("polylock installs no Python", "install it, or name --python"),
    "cache-keys": (_ABOUT_UV, ""),
    "build-backend": (_ABOUT_UV, ""),
    "pip": (_ABOUT_UV, ""),
    "publish-url": (_ABOUT_UV, ""),
    "trusted-publishing": (_ABOUT_UV, ""),
    "check-url": (_ABOUT_UV, ""),
    "fork-strategy": (
        "polylock takes one version for all targets if it can",
        'align = "independent" lets targets differ',
    ),
    "no-build": (
        "polylock builds nothing of an index while locking unless it is told to",
        'build = "none" forbids paths and git as well',
    ),
    "no-binary": ("there is no key for all projects", "name them: no-binary-package"),
    "no-sources": ("polylock has one list of sources", ""),
    "build-constraint-dependencies": ("build requirements have no constraints", ""),
    "extra-build-variables": ("builds have no variables of their own", ""),
    "no-build-isolation": (
        "there is no key for all projects",
        "name them: no-build-isolation-package",
    ),
    "minimum-libc-version": (
        "a target has a C library of its own",
        'write libc = "glibc-2.28" in each target',
    ),
    "link-mode": ("it is a setting of a user", "use POLYLOCK_LINK_MODE"),
    "compile-bytecode": ("it is a setting of a user", "use POLYLOCK_COMPILE"),
    "cache-dir": ("it is a setting of a user", "use POLYLOCK_CACHE_DIR"),
    "offline": ("it is a setting of a user", "use POLYLOCK_OFFLINE"),
}
"""Keys without a counterpart: the reason, and what to do."""

_ONLY_PROJECT = ("sources", "workspace", "conflicts", "dev-dependencies", "package")
_CONVERTED = (
    *_ONLY_PROJECT,
    "index",
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "environments",
    "required-environments",
    "dependency-groups",
    "exclude-dependencies",
)
_HIGHEST = 7
"""Directories above a member in which its workspace is looked for, plus one."""
_GPU = re.compile(r"gpu|cuda|rocm|xpu|amd|intel")


def convert_uv(
    conversion: Conversion, files: Files, defaults: ConversionDefaults
) -> None:
    """Convert the settings of uv; raises ProjectError."""
    _Uv(conversion, files, defaults).convert()


class _Uv:
    def __init__(
        self, conversion: Conversion, files: Files, defaults: ConversionDefaults
    ) -> None:
        self.conversion = conversion
        self.files = files
        self.defaults = defaults
        self.origin = "tool.uv"
        self.table = conversion.other("uv")
        text = files.read("uv.toml")
        if text is not None:
            self._read_uv_toml(text)
        self.members = self._find_members()
        self.choice = TargetChoice(conversion, defaults)

    def _read_uv_toml(self, text: str) -> None:
        try:
            other = parse_toml(text)
        except InvalidToml as error:
            self.conversion.leave("uv.toml", str(error), "mend it, and convert again")
            return
        kept = {key: self.table[key] for key in _ONLY_PROJECT if key in self.table}
        self.table = {**other, **kept}
        self.origin = "uv.toml"

    def convert(self) -> None:
        conversion = self.conversion
        self._refuse_members()
        if items := as_list(self.table.get("dev-dependencies")):
            conversion.add_requirements(
                ("dependency-groups", "dev"), items, "tool.uv.dev-dependencies"
            )
        environments = [
            text
            for key in ("environments", "required-environments")
            for text in as_list(self.table.get(key))
            if isinstance(text, str)
        ]
        self.choice.write(environments, list(self._exclusive()))
        self._indexes()
        targets = self.choice.targets()
        self._workspace()
        for name, value in as_table(self.table.get("sources")).items():
            origin = key_path("tool", "uv", "sources", name)
            self._source(name, as_list(value), targets, origin, "")
        for path, member in self.members.values():
            uv = as_table(as_table(member.get("tool")).get("uv"))
            for name, value in as_table(uv.get("sources")).items():
                origin = (
                    f"{path}/pyproject.toml {key_path('tool', 'uv', 'sources', name)}"
                )
                self._source(name, as_list(value), targets, origin, path)
        self._options()

    # Extras that exclude each other

    def _exclusive(self) -> Iterator[Exclusive]:
        indexes = {
            str(entry.get("name")): str(entry.get("url"))
            for entry in as_tables(self.table.get("index"))
        }
        seen = set()
        for position, items in enumerate(as_list(self.table.get("conflicts"))):
            for item in as_tables(items):
                kind = "extra" if "extra" in item else "group"
                name = str(item.get(kind, ""))
                other = item.get("package")
                own = self.conversion.project.get("name")
                if not name or (other is not None and other != own):
                    self.conversion.leave(
                        f"tool.uv.conflicts[{position}]",
                        "a conflict of another package cannot become a target",
                        "declare a target for each side, with its dependencies",
                    )
                    break
                if (kind, name) in seen or not self._declared(kind, name):
                    continue
                seen.add((kind, name))
                clues = tuple(
                    text
                    for entry in self._source_entries()
                    if entry.get(kind) == name and "index" in entry
                    for text in (entry["index"], indexes.get(entry["index"], ""))
                )
                found = Exclusive(
                    kind="extra" if kind == "extra" else "group", name=name, clues=clues
                )
                yield found
                if not accelerator(found) and _GPU.search(name.lower()):
                    self.conversion.leave(
                        f"tool.uv.conflicts[{position}]",
                        f"the GPU of {kind} {name} is not known",
                        "describe it in the target: nvidia, amd or intel",
                    )

    def _declared(self, kind: str, name: str) -> bool:
        table = (
            self.conversion.project.get("optional-dependencies")
            if kind == "extra"
            else self.conversion.document.get("dependency-groups")
        )
        wanted = canonicalize_name(name)
        return any(canonicalize_name(each) == wanted for each in as_table(table))

    def _source_entries(self) -> Iterator[dict[str, Any]]:
        for value in as_table(self.table.get("sources")).values():
            yield from as_tables(value)

    # Indexes

    def _indexes(self) -> None:
        conversion, found = self.conversion, as_tables(self.table.get("index"))
        last: list[tuple[dict[str, Any], str]] = []
        open_indexes = 0
        for position, entry in enumerate(found):
            origin = f"{self.origin}.index[{position}]"
            if not isinstance(entry.get("url"), str):
                continue
            if entry.get("default"):
                last.append((entry, origin))
                continue
            open_indexes += not entry.get("explicit")
            self._index(entry, origin)
        for url in as_list(self.table.get("find-links")):
            open_indexes += self._flat(str(url))
        for url in as_list(self.table.get("extra-index-url")):
            conversion.add_index(str(url), f"{self.origin}.extra-index-url")
            open_indexes += 1
        last += [
            ({"url": str(url)}, f"{self.origin}.index-url")
            for url in as_list(self.table.get("index-url"))
        ]
        for entry, origin in last:
            self._index(entry, origin)
        if open_indexes and not last and not self.table.get("no-index"):
            # uv asks the default index after all others, polylock only declared ones.
            conversion.add_index(
                self.defaults.index_url, "the default index", name="pypi"
            )
        if self.table.get("no-index") and not open_indexes:
            conversion.leave(f"{self.origin}.no-index", "there is no key for it", "")

    def _index(self, entry: Mapping[str, Any], origin: str) -> None:
        url = str(entry["url"])
        name = entry.get("name")
        self.conversion.add_index(
            _path_url(url),
            origin,
            name=name if isinstance(name, str) else None,
            explicit=entry.get("explicit"),
            format="flat" if entry.get("format") == "flat" else None,
            absent=[
                code
                for code in as_list(entry.get("ignore-error-codes"))
                if isinstance(code, int) and 400 <= code < 500
            ],
        )
        for key in ("authenticate", "cache-control", "exclude-newer"):
            if key in entry:
                self.conversion.leave(f"{origin}.{key}", "an index has no such key")

    def _flat(self, url: str) -> bool:
        origin = f"{self.origin}.find-links"
        added = self.conversion.add_index(
            _path_url(url), origin, name="find-links", format="flat"
        )
        if added is not None:
            self.conversion.leave(
                origin,
                "is asked before all indexes: a project that it has is taken from it",
                "move it down if another index should win",
            )
        return added is not None

    # Sources

    def _source(
        self,
        name: str,
        entries: Sequence[object],
        targets: Sequence[Target],
        origin: str,
        base: str,
    ) -> None:
        conversion = self.conversion
        if conversion.has_source(name):
            return
        if any(as_table(entry).get("workspace") for entry in entries):
            self._check_member(name, origin)
            return
        found: list[dict[str, Any]] = []
        is_complete = True
        for entry in entries:
            if not isinstance(entry, dict):
                continue
            place = self._place_of(entry, origin, base)
            names = self._targets_of(name, entry, targets, origin)
            if place is None or isinstance(names, str):
                is_complete = False
                continue
            if names is None:
                found.append(place)
            elif names:
                found.append({**place, "targets": names, **self._properties(entry)})
        if found:
            conversion.add_source(name, found, origin)
        elif is_complete and not base:
            conversion.ignore(origin)
            conversion.note(origin, "nothing: it applies to none of the targets")

    def _place_of(
        self, entry: Mapping[str, Any], origin: str, base: str
    ) -> dict[str, Any] | None:
        """Return the source of an entry without its condition, None without one."""
        if "index" in entry:
            return self._index_of(entry["index"], origin)
        place = {key: entry[key] for key in DIRECT_KEYS if key in entry}
        if "path" in place:
            place["path"] = _joined(base, str(place["path"]))
        if str(place.get("git", "")).startswith("git@"):
            place["git"] = "ssh://" + str(place["git"]).replace(":", "/", 1)
        if not place:
            self.conversion.leave(origin, "names no source that polylock knows")
            return None
        return place

    def _index_of(self, index: object, origin: str) -> dict[str, Any] | None:
        wanted = str(index).lower()
        same = self.conversion.aliases.get(wanted, wanted).lower()
        for entry in as_tables(self.conversion.tool.get("index")):
            if str(entry.get("name")).lower() == same:
                return {"index": entry["name"]}
        self.conversion.leave(
            origin,
            f"there is no index {index}",
            "declare it in [[tool.polylock.index]]",
        )
        return None

    def _targets_of(
        self,
        name: str,
        entry: Mapping[str, Any],
        targets: Sequence[Target],
        origin: str,
    ) -> list[str] | str | None:
        """Return the targets of an entry, None for all; text if it was listed."""
        among = None
        for kind in ("extra", "group"):
            if kind not in entry:
                continue
            among = self.choice.of(kind, str(entry[kind]))
            if among is None and self._required_elsewhere(name, kind, str(entry[kind])):
                self.conversion.leave(
                    origin,
                    f"it is for {kind} {entry[kind]} alone, and a source is for all "
                    "of a target",
                    f"write [tool.polylock.sources] {name}",
                )
                return "listed"
        marker = entry.get("marker")
        try:
            return self.choice.fitting(targets, str(marker) if marker else None, among)
        except InvalidMarker as error:
            self.conversion.leave(f"{origin}.marker", str(error))
            return "listed"

    def _required_elsewhere(self, name: str, kind: str, place: str) -> bool:
        """Return True if something else than this extra or group requires a project."""
        wanted = canonicalize_name(name)
        table = (
            self.conversion.project.get("optional-dependencies")
            if kind == "extra"
            else self.conversion.document.get("dependency-groups")
        )
        inside = as_list(as_table(table).get(place))
        of_place = sum(requirement_name(text) == wanted for text in inside)
        every = sum(
            requirement_name(text) == wanted for text in self.conversion.requirements()
        )
        return every > of_place

    def _properties(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the property by which a machine without the GPU is told apart."""
        for kind in ("extra", "group"):
            if kind in entry:
                url = next(
                    (
                        str(each.get("url"))
                        for each in as_tables(self.conversion.tool.get("index"))
                        if each.get("name") == entry.get("index")
                    ),
                    "",
                )
                exclusive = Exclusive(
                    kind="extra", name=str(entry[kind]), clues=(str(url),)
                )
                nvidia = accelerator(exclusive).get("nvidia")
                if nvidia:
                    text = f"nvidia :: cuda_version_lower_bound :: {nvidia['driver']}"
                    return {"properties": [text]}
        return {}

    # Workspaces

    def _check_member(self, name: str, origin: str) -> None:
        """List a source in the workspace that is no member: it has no counterpart."""
        wanted = canonicalize_name(name)
        own = self.conversion.project.get("name")
        if wanted not in self.members and wanted != canonicalize_name(str(own)):
            self.conversion.leave(
                origin, "no member of the workspace has this name", "name its path"
            )

    def _find_members(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return the path and the document of each member, by normalized name."""
        workspace = as_table(self.table.get("workspace"))
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        excluded = {
            path
            for pattern in as_list(workspace.get("exclude"))
            for path in self.files.matching(f"{pattern}/pyproject.toml")
        }
        for pattern in as_list(workspace.get("members")):
            for path in self.files.matching(f"{pattern}/pyproject.toml"):
                document = {} if path in excluded else self._document(path)
                name = as_table(document.get("project")).get("name")
                if isinstance(name, str):
                    directory = path.removesuffix("/pyproject.toml")
                    found.setdefault(canonicalize_name(name), (directory, document))
        return found

    def _refuse_members(self) -> None:
        """Raise UsageError in a member: its settings belong to the workspace."""
        if "workspace" in self.table or not any(
            entry.get("workspace") for entry in self._source_entries()
        ):
            return
        for height in range(1, _HIGHEST):
            path = "../" * height + "pyproject.toml"
            tool = as_table(self._document(path).get("tool"))
            if "workspace" in as_table(tool.get("uv")):
                raise UsageError(
                    f"{self.conversion.path} is a member of the workspace of {path}",
                    "run `polylock init --from uv` in its directory",
                )

    def _document(self, path: str) -> dict[str, Any]:
        text = self.files.read(path)
        try:
            return {} if text is None else parse_toml(text)
        except InvalidToml:
            return {}

    def _workspace(self) -> None:
        """Write the workspace: its members are sources by their names."""
        workspace = as_table(self.table.get("workspace"))
        kept = {
            key: workspace[key] for key in ("members", "exclude") if key in workspace
        }
        if kept.get("members"):
            self.conversion.option("workspace", kept, "tool.uv.workspace")

    # The rest

    def _options(self) -> None:
        conversion = self.conversion
        for key in _SAME:
            if key in self.table:
                value = _without_matches(key, self.table[key])
                conversion.option(key, value, f"{self.origin}.{key}")
        excluded = [
            f"{name}; python_version < '0'"
            for name in as_list(self.table.get("exclude-dependencies"))
        ]
        if excluded:
            origin = f"{self.origin}.exclude-dependencies"
            conversion.add_requirements(
                ("tool", "polylock", "override-dependencies"), excluded, origin
            )
        if self.table.get("package") is False and "build-system" in conversion.document:
            conversion.leave(
                "tool.uv.package",
                "polylock installs a project that has a [build-system]",
                "remove [build-system], or use --no-install-project",
            )
        if self.table.get("package") and "build-system" not in conversion.document:
            conversion.leave(
                "tool.uv.package",
                "polylock installs a project only if it has a [build-system]",
                "write one, for example of hatchling",
            )
        for key in self.table:
            if key in (*_SAME, *_CONVERTED):
                continue
            reason, advice = _REST.get(key, ("it is not known", "see uv's manual"))
            conversion.leave(f"{self.origin}.{key}", reason, advice)


def _without_matches(key: str, value: object) -> object:
    """Return extra build requirements as text: polylock always matches their version.

    uv writes ``{ requirement = "torch", match-runtime = true }`` for that.
    """
    if key != "extra-build-dependencies":
        return value
    return {
        name: [
            item.get("requirement", item) if isinstance(item, dict) else item
            for item in as_list(items)
        ]
        for name, items in as_table(value).items()
    }


def _path_url(url: str) -> str:
    """Return a URL, or a path with a leading ``./`` that shows that it is one."""
    if "://" in url or url.startswith((".", "/", "${")) or url[1:2] == ":":
        return url
    return f"./{url}"


def _joined(base: str, path: str) -> str:
    """Return a path inside a member, relative to the project."""
    if not base or path.startswith(("/", "${")):
        return path if path.startswith((".", "/")) else f"./{path}"
    return f"./{base}/{path.removeprefix('./')}"
