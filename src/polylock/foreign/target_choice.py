"""The targets of a converted project, and what of a setting applies to which.

Extras or groups that exclude each other become targets: polylock locks all extras of a
project together, and what differs between machines is a target.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from packaging.utils import canonicalize_name

from polylock.foreign.conversion import as_list, as_table
from polylock.model.folding import fold
from polylock.model.markers import InvalidMarker, parse_marker
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.project.presets import preset_table
from polylock.project.targets import parse_targets
from polylock.providers.derive import build_target
from polylock.values import Value

if TYPE_CHECKING:
    from polylock.foreign.conversion import Conversion, ConversionDefaults
    from polylock.model.target import Target

__all__ = ["Exclusive", "TargetChoice", "accelerator"]

_PLATFORMS = ("linux-x86_64", "macos-arm64", "windows-x86_64")
_OTHER_PLATFORMS = ("linux-aarch64", "macos-x86_64", "windows-arm64")
"""Platforms that count only where a marker names the processor."""

_CUDA = re.compile(r"(?<![a-z])(?:cu|cuda[-_]?)([0-9]{2})[-_.]?([0-9])(?![0-9])")
_CUDA_MAJOR = re.compile(r"(?<![a-z])(?:cu|cuda[-_]?)([0-9]{2})(?![0-9])")
_PLATFORM_OF = dict(zip(("linux", "macos", "windows"), _PLATFORMS, strict=True))
_ONLY_MACOS = re.compile(r"^(mps|metal|macos|mac|mlx)$")
_ONLY_LINUX = re.compile(r"(?<![a-z])(rocm|xpu)")
_ACCELERATORS = ("nvidia", "amd", "intel", "ascend", "tpu")


class Exclusive(Value, frozen=True, kw_only=True):
    """An extra or a group that excludes others.

    ``clues`` are texts that may name its accelerator: the indexes of its sources.
    """

    kind: Literal["extra", "group"]
    name: str
    clues: tuple[str, ...] = ()


class TargetChoice:
    """Writes the targets of a conversion, and evaluates conditions for them."""

    def __init__(self, conversion: Conversion, defaults: ConversionDefaults) -> None:
        self._conversion = conversion
        self._defaults = defaults
        self._of: dict[tuple[str, str], list[str]] = {}

    def write(
        self, environments: Sequence[str] = (), exclusive: Sequence[Exclusive] = ()
    ) -> None:
        """Write the targets, unless the project has some.

        ``environments`` are markers for the machines of the project. Each of
        ``exclusive`` is moved to targets of its own, beside those that there are.
        """
        tool = self._conversion.place("tool", "polylock")
        tables = as_table(tool.get("targets"))
        if tables:
            if exclusive:
                added = self._exclusive_targets(tables, exclusive)
                tables.update({k: v for k, v in added.items() if k not in tables})
            return
        bases = self._bases(environments)
        found = self._exclusive_targets(bases, exclusive) if exclusive else {}
        if "python" not in tool and not all(
            "python" in each for each in bases.values()
        ):
            project = self._conversion.project
            tool["python"] = self._defaults.python(project.get("requires-python") or "")
        tool["targets"] = found or {name: dict(each) for name, each in bases.items()}
        self._conversion.note("targets", ", ".join(tool["targets"]))

    def _bases(self, environments: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        if self._defaults.targets:
            return dict(self._defaults.targets)
        found: dict[str, Mapping[str, Any]] = {}
        for text in environments:
            try:
                marker = parse_marker(text)
            except InvalidMarker:
                continue  # reported where it is converted
            others = _OTHER_PLATFORMS if "platform_machine" in text else ()
            for platform in (*_PLATFORMS, *others):
                target = _target_of({"preset": platform}, "3.13")
                if fold(marker, target) is not False:
                    found[canonicalize_name(platform)] = {"preset": platform}
        return found or dict([self._defaults.here])

    def _exclusive_targets(
        self, bases: Mapping[str, Mapping[str, Any]], exclusive: Sequence[Exclusive]
    ) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        ordered = sorted(exclusive, key=lambda each: not accelerator(each))
        moved: set[tuple[str, str]] = {
            (each.kind, canonicalize_name(each.name)) for each in exclusive
        }
        contents = {each: self._contents(each, moved) for each in ordered}
        for each in ordered:
            hardware = accelerator(each)
            names = self._of.setdefault((each.kind, canonicalize_name(each.name)), [])
            fitting = {
                name: table
                for name, table in bases.items()
                if _system(table) in _systems(each, hardware)
            }
            if not fitting:  # locked from a Mac for a GPU, or the other way round
                platform = _PLATFORM_OF[_systems(each, hardware)[0]]
                fitting = {canonicalize_name(platform): {"preset": platform}}
            for base, table in fitting.items():
                plain = canonicalize_name(each.name)
                name = plain if len(fitting) == 1 else f"{plain}-{base}"
                found[name] = {
                    **{k: v for k, v in table.items() if k not in _ACCELERATORS},
                    **_switched_off(table),
                    **hardware,
                    "dependencies": contents[each],
                }
                names.append(name)
        for each in ordered:
            self._take_out(each)
        return found

    def _contents(
        self, each: Exclusive, moved: set[tuple[str, str]], seen: tuple[str, ...] = ()
    ) -> list[str]:
        """Return the requirements of an extra or group, with those that it includes.

        Included extras and groups are written out if they are moved as well.
        """
        found: list[str] = []
        for item in as_list(self._table(each.kind).get(self._written(each))):
            if isinstance(item, dict):
                inner = str(item.get("include-group"))
                if inner not in seen:
                    group = Exclusive(kind="group", name=inner)
                    found += self._contents(group, moved, (*seen, each.name))
                continue
            extras = self._own_extras(item)
            if extras is None:
                found.append(item)
                continue
            for extra in extras:
                if ("extra", extra) in moved and extra not in seen:
                    other = Exclusive(kind="extra", name=extra)
                    found += self._contents(other, moved, (*seen, each.name))
            kept = [extra for extra in extras if ("extra", extra) not in moved]
            if kept:
                found.append(f"{self._conversion.project['name']}[{','.join(kept)}]")
        return list(dict.fromkeys(found))

    def _table(self, kind: str) -> dict[str, Any]:
        if kind == "extra":
            return as_table(self._conversion.project.get("optional-dependencies"))
        return as_table(self._conversion.document.get("dependency-groups"))

    def _written(self, each: Exclusive) -> str:
        wanted = canonicalize_name(each.name)
        for name in self._table(each.kind):
            if canonicalize_name(name) == wanted:
                return name
        return each.name

    def _own_extras(self, text: object) -> tuple[str, ...] | None:
        """Return the extras of a requirement on the project itself, else None."""
        own = self._conversion.project.get("name")
        try:
            requirement = Requirement.parse(str(text))
        except InvalidRequirement:
            return None
        if not own or requirement.name != canonicalize_name(own):
            return None
        return requirement.extras or None

    def _take_out(self, each: Exclusive) -> None:
        """Remove an extra or group, and what refers to it."""
        conversion = self._conversion
        written = self._written(each)
        if self._table(each.kind).pop(written, None) is None:
            return
        if each.kind == "extra" and not self._table(each.kind):
            conversion.project.pop("optional-dependencies", None)
        names = ", ".join(self._of[each.kind, canonicalize_name(each.name)])
        place = (
            "project.optional-dependencies"
            if each.kind == "extra"
            else ("dependency-groups")
        )
        conversion.note(f"{place}.{written}", f"tool.polylock.targets {names}")
        conversion.leave(
            f"{place}.{written}",
            f"is now a target: `polylock sync --target {names.partition(',')[0]}`",
            f"take the {each.kind} out of the other tool's settings too",
        )
        for items in (
            conversion.project.get("dependencies"),
            *as_table(conversion.project.get("optional-dependencies")).values(),
            *as_table(conversion.document.get("dependency-groups")).values(),
        ):
            if isinstance(items, list):
                items[:] = list(self._without(items, each))

    def _without(self, items: Sequence[Any], each: Exclusive) -> Iterator[Any]:
        gone = canonicalize_name(each.name)
        for item in items:
            if isinstance(item, dict):
                included = canonicalize_name(str(item.get("include-group")))
                if each.kind != "group" or included != gone:
                    yield item
                continue
            extras = self._own_extras(item)
            if each.kind != "extra" or extras is None or gone not in extras:
                yield item
            elif len(extras) > 1:
                kept = ",".join(extra for extra in extras if extra != gone)
                yield f"{self._conversion.project['name']}[{kept}]"

    def targets(self) -> tuple[Target, ...]:
        """Return the targets of the document; raises ProjectError."""
        conversion = self._conversion
        reserved = [
            canonicalize_name(name)
            for kind in ("extra", "group")
            for name in self._table(kind)
        ]
        found = parse_targets(
            as_table(conversion.tool.get("targets")),
            path=conversion.path,
            default_python=conversion.tool.get("python"),
            reserved=reserved,
            requires_python=str(conversion.project.get("requires-python") or ""),
        )
        conversion.target_names = tuple(description.name for description in found)
        return tuple(map(build_target, found))

    def of(self, kind: str, name: str) -> list[str] | None:
        """Return the targets that an extra or group became, None if it stays."""
        return self._of.get((kind, canonicalize_name(name)))

    def fitting(
        self, targets: Sequence[Target], marker: str | None, among: Sequence[str] | None
    ) -> list[str] | None:
        """Return the names of the targets that a condition holds for.

        None means all. ``among`` are the only ones that may count, None for all. Raises
        InvalidMarker.
        """
        names = [target.name for target in targets]
        if among is not None:
            # A list of Pythons makes a target for each: cpu-py312 comes from cpu.
            names = [
                name
                for name in names
                if name in among or name.rpartition("-py")[0] in among
            ]
        if marker:
            expression = parse_marker(marker)
            names = [
                target.name
                for target in targets
                if target.name in names and fold(expression, target) is not False
            ]
        return None if len(names) == len(targets) else names


def accelerator(each: Exclusive) -> dict[str, Any]:
    """Return the accelerator that an extra is for, as a key of a target."""
    for text in (each.name.lower(), *(clue.lower() for clue in each.clues)):
        if found := _CUDA.search(text):
            return {"nvidia": {"driver": f"{found[1]}.{found[2]}"}}
        if found := _CUDA_MAJOR.search(text):
            return {"nvidia": {"driver": f"{found[1]}.0"}}
    return {}


def _switched_off(table: Mapping[str, Any]) -> dict[str, bool]:
    """Return the accelerators of a preset as switched off."""
    preset = table.get("preset")
    given = (preset_table(str(preset)) if preset else None) or {}
    return {key: False for key in _ACCELERATORS if given.get(key)}


def _systems(each: Exclusive, hardware: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the operating systems that can have what an extra is for."""
    if hardware:
        return ("linux", "windows")
    if _ONLY_MACOS.match(each.name.lower()):
        return ("macos",)
    if any(map(_ONLY_LINUX.search, (each.name.lower(), *each.clues))):
        return ("linux",)
    return ("linux", "macos", "windows")


def _system(table: Mapping[str, Any]) -> str:
    own = {key: value for key, value in table.items() if key != "python"}
    return str(_target_of(own, "3.13").description.system)


def _target_of(table: Mapping[str, Any], python: str) -> Target:
    (found,) = parse_targets(
        {"machine": {**table, "python": python}},
        path="",
        default_python=None,
        reserved=(),
        requires_python="",
    )
    return build_target(found)
