"""``reference/presets.md``: presets, their sources, and what is not confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pages_from_source.markdown import anchor, code, code_list, page, table
from polylock.lockfile.toml_values import value_text
from polylock.project.presets import presets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from polylock.project.presets import Preset

__all__ = ["presets_page"]

_HEAD = """\
# Presets

A preset is a machine that you can use by name: `preset = "h100"` in a target, or
`polylock targets add h100`. It has no Python. A key beside `preset` replaces the
preset's, inside tables too: `nvidia = { driver = "12.9" }` keeps `compute`.
`polylock targets presets` prints this list.

The CUDA, ROCm or macOS version of a preset is what most such machines run at the date
of its source. Yours may differ, so `targets add` and `init` write it into the project
file, with a comment that says how to find the version of your machines. Below each
group is a list of values without a vendor's document, mostly the processor generation
of a cloud instance. A wrong value does no harm: `polylock sync` checks the machine
before it installs, and refuses."""

_TITLES = {
    "platforms": "Platforms",
    "accelerators": "GPUs and NPUs",
    "processors": "Processors",
    "clouds": "Instances of clouds",
    "runners": "Runners of CI services",
}


def presets_page() -> str:
    """Return the reference of all presets."""
    groups: dict[str, dict[str, Preset]] = {title: {} for title in _TITLES.values()}
    for name, preset in presets().items():
        groups[_TITLES[preset.group]][name] = preset
    count = f"There are {len(presets())}, in these groups:"
    listed = [f"- [{title}](#{anchor(title)})" for title in groups]
    parts = (part for title, found in groups.items() for part in _section(title, found))
    return page([_HEAD, count, "\n".join(listed), *parts])


def _section(title: str, found: Mapping[str, Preset]) -> Iterator[str]:
    yield f"## {title}"
    sources = list(dict.fromkeys(map(_source, found.values())))
    rows = (
        (code(name), *_cells(preset.table), str(sources.index(_source(preset)) + 1))
        for name, preset in found.items()
    )
    yield table(("preset", "platform", "cpu", "further keys", "source"), rows)
    yield "Sources:"
    yield "\n".join(f"{number}. {text}" for number, text in enumerate(sources, 1))
    doubts = _doubts(found)
    yield "Not confirmed by a document:" if doubts else ""
    yield "\n".join(f"- {code_list(doubts[text])}: {text}" for text in doubts)


def _source(preset: Preset) -> str:
    return f"{preset.source} ({preset.date})"


def _doubts(group: Mapping[str, Preset]) -> dict[str, list[str]]:
    """Return what is not confirmed, with the presets it applies to."""
    found: dict[str, list[str]] = {}
    for name, preset in group.items():
        if preset.unconfirmed:
            found.setdefault(preset.unconfirmed, []).append(name)
    return found


def _cells(keys: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the platform, the processor, and the other keys as TOML."""
    system = [keys[key] for key in ("platform", "libc", "macos") if key in keys]
    cpu = keys.get("cpu", "")
    shown = {"platform", "libc", "macos", "cpu"}
    others = {key: value for key, value in keys.items() if key not in shown}
    return (
        code_list(system),
        code(cpu if isinstance(cpu, str) else value_text(cpu)) if cpu else "",
        code_list(f"{key} = {value_text(value)}" for key, value in others.items()),
    )
