"""Presets found by words: a part of a name or value, or what such machines are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.project.preset_clouds import CLOUDS
from polylock.project.preset_runners import RUNNERS
from polylock.project.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from polylock.project.preset import Preset

__all__ = ["search"]

_ACCELERATORS = ("nvidia", "amd", "intel", "ascend", "tpu")


def search(text: str) -> dict[str, Preset]:
    """Return the presets of which every word is true, in their order.

    A word is a part of the name or of a value, such as ``h100``, ``arm64`` or
    ``glibc-2.34``, or a purpose: ``ci``, ``runner``, ``cloud``, ``gpu``, ``server``,
    ``laptop``, ``alpine``.
    """
    wanted = text.lower().split()
    found = {}
    for name, preset in PRESETS.items():
        words = " ".join(_words(name, preset.table)).lower()
        if all(word in words for word in wanted):
            found[name] = preset
    return found


def _words(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    yield name
    yield from _values(table)
    if name in RUNNERS:
        yield "ci runner"
    if name in CLOUDS:
        yield "cloud"
    if any(key in table for key in _ACCELERATORS):
        yield "gpu accelerator"
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
