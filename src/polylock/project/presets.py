"""Presets: target tables of machines by name, with their sources.

They are in ``presets.toml`` beside this module (``schemas/presets.schema.json``), which
is read when a preset is used. A preset has no Python.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "GROUPS",
    "Preset",
    "assumed",
    "find_name",
    "find_spelled",
    "preset_names",
    "preset_table",
    "presets",
    "search",
]

GROUPS = ("platforms", "accelerators", "processors", "clouds", "runners")
"""The groups of presets, in the order in which they are shown."""

_HEADER = re.compile(rf"^\[(?:{'|'.join(GROUPS)})\.(.+)\]$", re.MULTILINE)
_PURPOSES = {"runners": "ci runner", "clouds": "cloud"}
_ASSUMED = {"nvidia": ("driver",), "amd": ("rocm",), "macos": ()}
"""Keys for software of a machine, with their parts where the value is a table."""
_ACCELERATORS = ("nvidia", "amd", "intel", "ascend", "tpu")


class Preset(Value, frozen=True, kw_only=True):
    """A machine with the target table that ``[tool.polylock.targets.NAME]`` would hold.

    ``source`` names the documents of its values by publisher and title; ``date`` is
    when the latest of them was read. ``unconfirmed`` names values without a document,
    or is None. ``group`` is one of GROUPS; ``called`` are other names for the machine.
    """

    table: Mapping[str, Any]
    source: str
    date: str
    group: str
    unconfirmed: str | None = None
    called: tuple[str, ...] = ()


@cache
def presets() -> Mapping[str, Preset]:
    """Return all presets by name, generic ones first."""
    document = tomllib.loads(_text())
    sources = document["sources"]
    return {
        name: Preset(
            table=entry["target"],
            source="; ".join(sources[each]["title"] for each in entry["sources"]),
            date=max(str(sources[each]["date"]) for each in entry["sources"]),
            group=group,
            unconfirmed=entry.get("unconfirmed"),
            called=tuple(entry.get("called", ())),
        )
        for group in GROUPS
        for name, entry in document[group].items()
    }


def preset_names() -> tuple[str, ...]:
    """Return the names of all presets, generic ones first."""
    return tuple(_entries())


def preset_table(name: str) -> Mapping[str, Any] | None:
    """Return the target table of a preset, None if there is no such preset.

    Only this entry is parsed, in 0.1 ms: the whole file would cost every command of a
    project with a preset 10 ms.
    """
    entry = _entries().get(name)
    if entry is None:
        return None
    table: Mapping[str, Any] = tomllib.loads(entry)["target"]
    return table


def find_spelled(text: str) -> str | None:
    """Return the name of the preset with another spelling, None if there is none.

    Case, spaces, hyphens and underscores are ignored: ``A100``, ``RTX 4090``,
    ``aws_p5``.
    """
    wanted = _squeezed(text)
    return next((name for name in preset_names() if _squeezed(name) == wanted), None)


def find_name(text: str) -> str | None:
    """Return the name of the preset that has a name such as ``macbook``, or None.

    Its own name in any spelling is found as well.
    """
    if (spelled := find_spelled(text)) is not None:
        return spelled
    wanted = _squeezed(text)
    for name, preset in presets().items():
        if wanted in map(_squeezed, preset.called):
            return name
    return None


def assumed(preset: Preset) -> dict[str, Any]:
    """Return the keys of a preset for software that its machine is assumed to run.

    It can differ from machine to machine: the CUDA version of the driver, ROCm, macOS.
    Empty for a CI runner, whose software is documented by its service.
    """
    if preset.group == "runners":
        return {}
    return {
        key: {part: preset.table[key][part] for part in parts}
        if parts
        else preset.table[key]
        for key, parts in _ASSUMED.items()
        if key in preset.table
    }


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.lower())


def search(text: str) -> dict[str, Preset]:
    """Return the presets that match every word of a text, in their order.

    A word matches a part of the name or of a value, such as ``h100``, ``arm64`` or
    ``glibc-2.34``, or a purpose: ``ci``, ``runner``, ``cloud``, ``gpu``, ``cuda``,
    ``server``, ``laptop``, ``alpine``.
    """
    wanted = text.lower().split()
    return {
        name: preset
        for name, preset in presets().items()
        if all(word in " ".join(_words(name, preset)).lower() for word in wanted)
    }


@cache
def _text() -> str:
    return files("polylock.project").joinpath("presets.toml").read_text("utf-8")


@cache
def _entries() -> dict[str, str]:
    """Return the TOML text of each preset by name."""
    _, *parts = _HEADER.split(_text())
    return {
        name.strip('"'): body
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


def _words(name: str, preset: Preset) -> Iterator[str]:
    table = preset.table
    yield name
    yield from preset.called
    yield from _values(table)
    yield _PURPOSES.get(preset.group, "")
    if any(key in table for key in _ACCELERATORS):
        yield "gpu accelerator"
    if "nvidia" in table:
        yield "cuda"
    platform = str(table.get("platform", ""))
    if platform == "macos-arm64" or platform.startswith("windows"):
        yield "laptop desktop"
    if platform.startswith("linux"):
        yield "server"
    if "musl" in str(table.get("libc", "")):
        yield "alpine"
    if "aarch64" in platform:
        yield "arm64"


def _values(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield key
        if isinstance(value, dict):
            yield from _values(value)
        elif isinstance(value, list):
            yield from map(str, value)
        else:
            yield str(value)
