"""``[tool.polylock]`` and ``[packages.tool.polylock]`` to their records.

Unknown keys are passed over: a later polylock may say more. Wrong types are errors,
for a record that is half read would make a wrong answer of `check`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.lockfile.recorded_targets import InvalidRecord, describe
from polylock.lockfile.records import (
    LIST_SETTINGS,
    TEXT_SETTINGS,
    LockedFeature,
    LockedIndex,
    LockedInputs,
    LockedSource,
    LockedTarget,
    Record,
    VariantChoice,
)
from polylock.model.direct import (
    DIRECT_KEYS,
    InvalidDirectSource,
    source_of_table,
)
from polylock.variants.properties import is_label

if TYPE_CHECKING:
    from polylock.lockfile.tables import Table
    from polylock.model.direct import DirectSource

__all__ = ["decode_choices", "decode_record"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def decode_choices(table: Table) -> tuple[VariantChoice, ...]:
    """Read ``[packages.tool.polylock]``; raises LockFileInvalid."""
    return tuple(
        VariantChoice(
            target=entry.text("target"),
            label=entry.text("label"),
            decided_by=entry.texts("decided-by"),
        )
        for entry in table.tables("variants")
    )


def decode_record(table: Table) -> Record:
    """Read ``[tool.polylock]``; raises LockFileInvalid."""
    return Record(
        inputs=_inputs(table),
        targets=tuple(_target(entry) for entry in table.tables("targets")),
    )


def _inputs(table: Table) -> LockedInputs:
    cutoff = table.moment("exclude-newer")
    sources = table.table("sources")
    settings = {key: table.optional_text(key) for key in TEXT_SETTINGS}
    lists = {key: table.optional_texts(key) for key in LIST_SETTINGS}
    return LockedInputs(
        requirements=table.texts("requirements"),
        extras=_texts_by_name(table, "extras"),
        groups=_texts_by_name(table, "groups"),
        targets=_texts_by_name(table, "target-dependencies"),
        constraints=table.texts("constraints"),
        overrides=table.texts("overrides"),
        indexes=tuple(
            LockedIndex(
                name=entry.text("name"), explicit=entry.boolean("explicit") or False
            )
            for entry in table.tables("indexes")
        ),
        sources={}
        if sources is None
        else {name: _sources(sources, name) for name in sources.data},
        exclude_newer=None if cutoff is None else (cutoff - _EPOCH) // _MICROSECOND,
        settings={key: text for key, text in settings.items() if text is not None},
        lists={key: texts for key, texts in lists.items() if texts is not None},
    )


def _texts_by_name(table: Table, key: str) -> dict[str, tuple[str, ...]]:
    named = table.table(key)
    return {} if named is None else {name: named.texts(name) for name in named.data}


def _sources(table: Table, name: str) -> tuple[LockedSource, ...]:
    return tuple(
        LockedSource(
            index=entry.optional_text("index") or "",
            direct=_direct(entry),
            properties=entry.texts("properties"),
            targets=entry.texts("targets"),
        )
        for entry in table.tables(name)
    )


def _direct(entry: Table) -> DirectSource | None:
    if "index" in entry.data:
        return None
    keys = [key for key in DIRECT_KEYS if key in entry.data]
    values = {
        key: entry.boolean(key) or False if key == "editable" else entry.text(key)
        for key in keys
    }
    try:
        return source_of_table(values)
    except InvalidDirectSource as error:
        raise entry.error("", str(error)) from error


def _target(table: Table) -> LockedTarget:
    target = LockedTarget(
        name=table.text("name"),
        platform=table.text("platform"),
        python=table.text("python"),
        libc=table.optional_text("libc"),
        macos=table.optional_text("macos"),
        stated=_features(table, "properties"),
        derived=_features(table, "derived-properties"),
        variants=_pinned_labels(table),
    )
    try:
        describe(target)
    except InvalidRecord as error:
        raise table.error("", str(error)) from error
    return target


def _pinned_labels(table: Table) -> dict[str, str]:
    found = {}
    for position, text in enumerate(table.texts("variants")):
        name, at, label = text.partition("@")
        if not at or canonicalize_name(name) != name or (label and not is_label(label)):
            problem = f"{text!r} is not a project and a label"
            raise table.error(f"variants[{position}]", problem)
        found[name] = label
    return found


def _features(table: Table, key: str) -> tuple[LockedFeature, ...]:
    return tuple(
        LockedFeature(
            namespace=entry.text("namespace"),
            feature=feature,
            values=entry.texts("values"),
        )
        for entry in table.tables(key)
        for feature in entry.texts("features") or (entry.optional_text("feature"),)
    )
