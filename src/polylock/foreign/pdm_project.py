"""``[tool.pdm]``, converted to ``[dependency-groups]`` and ``[tool.polylock]``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from polylock.foreign.conversion import as_list, as_table, as_tables
from polylock.foreign.target_choice import TargetChoice
from polylock.model.requirements import InvalidRequirement, Requirement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.foreign.conversion import Conversion, ConversionDefaults, Files

__all__ = ["convert_pdm"]

_EDITABLE = re.compile(r"-e\s+(?P<place>[^#]+)(?:#egg=(?P<name>[A-Za-z0-9._-]+))?.*")
_ROOT = re.compile(r"file:///?\$\{PROJECT_ROOT\}/?")
_ABOUT_PDM = "it is about PDM itself"
_OF_THE_BUILD = (
    "build",
    "distribution",
    "editable-backend",
    "excludes",
    "includes",
    "is-purelib",
    "package-dir",
    "package-type",
    "run-setup",
    "source-excludes",
    "source-includes",
    "version",
)
_REST = {
    "scripts": (
        "polylock has no scripts",
        "`polylock run -- COMMAND` runs a command in the environment",
    ),
    "options": (_ABOUT_PDM, ""),
    "plugins": (_ABOUT_PDM, ""),
    "publish": (_ABOUT_PDM, ""),
    "ignore_package_warnings": (_ABOUT_PDM, ""),
    "lock": (_ABOUT_PDM, ""),
}
_STRATEGIES = {"direct_minimal_versions": "lowest-direct", "minimal": "lowest"}


def convert_pdm(
    conversion: Conversion, files: Files, defaults: ConversionDefaults
) -> None:
    """Convert the settings of PDM; raises ProjectError."""
    del files
    _Pdm(conversion, defaults).convert()


class _Pdm:
    def __init__(self, conversion: Conversion, defaults: ConversionDefaults) -> None:
        self.conversion = conversion
        self.defaults = defaults
        self.table = conversion.other("pdm")

    def convert(self) -> None:
        conversion = self.conversion
        for group, items in as_table(self.table.get("dev-dependencies")).items():
            origin = f"tool.pdm.dev-dependencies.{group}"
            texts = [self._requirement(str(each), origin) for each in as_list(items)]
            conversion.add_requirements(
                ("dependency-groups", group), [text for text in texts if text], origin
            )
        groups = list(as_table(self.table.get("dev-dependencies")))
        if groups and groups != ["dev"]:
            conversion.option("default-groups", groups, "PDM's default of all groups")
        if isinstance(project := conversion.document.get("project"), dict):
            # Paths relative to the project, which only PDM can read.
            for keys, items in _requirement_lists(project):
                items[:] = [
                    self._requirement(str(each), f"project.{keys}") or each
                    for each in items
                ]
        self._indexes()
        choice = TargetChoice(conversion, self.defaults)
        choice.write()
        choice.targets()
        self._resolution()
        if self.table.get("distribution") is False and (
            "build-system" in conversion.document
        ):
            conversion.leave(
                "tool.pdm.distribution",
                "polylock installs a project that has a [build-system]",
                "remove [build-system], or use --no-install-project",
            )
        for key in self.table:
            if key in {"dev-dependencies", "source", "resolution", *_OF_THE_BUILD}:
                continue
            reason, advice = _REST.get(key, ("it is not known", "see PDM's manual"))
            conversion.leave(f"tool.pdm.{key}", reason, advice)

    def _requirement(self, text: str, origin: str) -> str | None:
        """Return a requirement; an editable one or a path becomes a source."""
        editable = _EDITABLE.fullmatch(text.strip())
        name, place = None, None
        if editable is not None:
            name, place = editable["name"], editable["place"].strip()
        elif _ROOT.search(text):
            head, _, place = text.partition("@")
            name = head.strip()
        if place is None:
            return text
        if name is None:
            self.conversion.leave(
                origin,
                f"{text!r} does not name its project",
                "write #egg=NAME after it",
            )
            return None
        if _ROOT.match(place.strip()):
            path = unquote(_ROOT.sub("", place.strip())).strip("/")
            source: dict[str, Any] = {"path": f"./{path}" if path else "."}
            if editable is not None:
                source["editable"] = True
            self.conversion.add_source(name.partition("[")[0], [source], origin)
            return name
        return f"{name} @ {place}"

    def _indexes(self) -> None:
        conversion = self.conversion
        sources = as_tables(self.table.get("source"))
        default = self.defaults.index_url
        written = 0
        for position, entry in enumerate(sources):
            origin = f"tool.pdm.source[{position}]"
            name, url = str(entry.get("name") or ""), entry.get("url")
            if not isinstance(url, str):
                continue
            if name.lower() == "pypi":
                default = url
                continue
            only = as_list(entry.get("include_packages"))
            is_flat = entry.get("type") == "find_links"
            index = conversion.add_index(
                url,
                origin,
                name=name,
                explicit=bool(only),
                format="flat" if is_flat else None,
            )
            written += not only
            for project in only if index else ():
                if "*" in str(project):
                    conversion.leave(
                        f"{origin}.include_packages",
                        f"{project!r} is a pattern",
                        "write each project in [tool.polylock.sources]",
                    )
                else:
                    conversion.add_source(str(project), [{"index": index}], origin)
            if entry.get("exclude_packages"):
                conversion.leave(
                    f"{origin}.exclude_packages",
                    "an index has no such key",
                    "name the index of these in [tool.polylock.sources]",
                )
            if entry.get("verify_ssl") is False:
                conversion.leave(
                    f"{origin}.verify_ssl",
                    "certificates are always verified",
                    "set SSL_CERT_FILE to the one of the index",
                )
        if written or default != self.defaults.index_url:
            conversion.add_index(default, "the default index", name="pypi")
        if written:
            conversion.leave(
                "tool.pdm.source",
                "PDM takes the best version of all sources; polylock takes a project "
                "from the first index that has it, the default index last",
                "order the indexes, or name one in [tool.polylock.sources]",
            )

    def _resolution(self) -> None:
        conversion = self.conversion
        resolution = as_table(self.table.get("resolution"))
        overrides = [
            text
            for name, value in as_table(resolution.get("overrides")).items()
            if (text := self._override(name, str(value)))
        ]
        overrides += [
            f"{name}; python_version < '0'"
            for name in as_list(resolution.get("excludes"))
        ]
        if overrides:
            conversion.option(
                "override-dependencies", overrides, "tool.pdm.resolution.overrides"
            )
        if resolution.get("allow-prereleases"):
            origin = "tool.pdm.resolution.allow-prereleases"
            conversion.option("prerelease", "allow", origin)
        for name in as_list(as_table(self.table.get("lock")).get("strategy")):
            if name in _STRATEGIES:
                conversion.option("resolution", _STRATEGIES[name], "tool.pdm.lock")

    def _override(self, name: str, value: str) -> str | None:
        if "://" in value:
            return f"{canonicalize_name(name)} @ {value}"
        text = f"{name}{value}" if value[:1] in "<>=!~" else f"{name}=={value}"
        text = name if value == "*" else text
        try:
            Requirement.parse(text)
        except InvalidRequirement as error:
            origin = f"tool.pdm.resolution.overrides.{name}"
            self.conversion.leave(
                origin, str(error).partition("\n")[0], "write it anew"
            )
            return None
        return text


def _requirement_lists(project: Mapping[str, Any]) -> list[tuple[str, list[Any]]]:
    """Return the lists of requirements of ``[project]``, with their keys."""
    found = [("dependencies", project.get("dependencies"))]
    optional = as_table(project.get("optional-dependencies"))
    found += [
        (f"optional-dependencies.{key}", value) for key, value in optional.items()
    ]
    return [(key, value) for key, value in found if isinstance(value, list)]
