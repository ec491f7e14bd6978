"""A rewritten wheel: planned, staged beside its place, then moved there.

Only METADATA, RECORD and ``variant.json`` get new content. With another version the
``.dist-info`` and ``.data`` directories and the file have another name. Signatures of
RECORD would be void, so they are left out.
"""

from __future__ import annotations

import copy
import hashlib
import os
import stat
from collections.abc import Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from polylock.cache.regular_files import file_digest
from polylock.errors import UsageError, WheelsRefused
from polylock.installation.record import RecordRow, format_rows, row_of
from polylock.model.wheel_faults import FaultKind, summary
from polylock.model.wheel_members import normal_path
from polylock.repacking.archive_writer import ArchiveWriter, NewMember
from polylock.repacking.label_metadata import json_bytes
from polylock.repacking.metadata_edits import (
    RequirementChange,
    with_requirements,
    with_version,
)
from polylock.repacking.source_wheel import (
    Identity,
    InvalidWheel,
    SourceWheel,
    opened_wheel,
)
from polylock.values import Value
from polylock.variants.variant_json import (
    InvalidVariantMetadata,
    VariantMetadata,
    combine,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from zipfile import ZipInfo

    from polylock.repacking.archive_writer import Moment

__all__ = [
    "Change",
    "PlannedWheel",
    "WrittenWheel",
    "check_releases",
    "check_targets",
    "plan_wheel",
    "write_wheels",
]

_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_BLOCK = 1024 * 1024


class Change(Value, frozen=True, kw_only=True):
    """What a wheel is to become.

    ``variant`` has its label and properties, None for a plain wheel. ``version`` and
    ``requirements`` are None if they stay; ``edits`` are the changed requirements.
    """

    variant: VariantMetadata | None = None
    version: str | None = None
    requirements: tuple[str, ...] | None = None
    edits: tuple[RequirementChange, ...] = ()

    @property
    def label(self) -> str | None:
        """Return the label, None for a plain wheel."""
        return None if self.variant is None else next(iter(self.variant.variants))


class PlannedWheel(Value, frozen=True, kw_only=True):
    """A wheel that is to be written.

    ``contents`` are the new contents by their path in the new wheel, ``left_out``
    members of the old one. ``stems`` are the old and the new ``name-version``.
    ``repaired`` are the faults of the old wheel that the new one does not have.
    """

    source: Path
    identity: Identity
    target: Path
    name: str
    versions: tuple[str, str]
    labels: tuple[str | None, str | None]
    change: Change
    stems: tuple[str, str]
    contents: Mapping[str, bytes]
    left_out: frozenset[str] = frozenset()
    signatures: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()

    @property
    def release(self) -> tuple[str, str]:
        """Return name and new version."""
        return self.name, self.versions[1]


class WrittenWheel(Value, frozen=True, kw_only=True):
    """A wheel that was written, or was there already with the same bytes."""

    plan: PlannedWheel
    sha256: str
    size: int
    state: Literal["written", "unchanged"]


def plan_wheel(
    wheel: SourceWheel, change: Change, output: Path, *, repair: bool = False
) -> PlannedWheel:
    """Read all of a wheel and plan its change; raises InvalidWheel.

    A RECORD that is wrong, or another fault that ``sync`` repairs, is an error unless
    ``repair`` is set.
    """
    found = wheel.compare()
    if wheel.faults and not repair:
        raise InvalidWheel(
            f"{summary(wheel.faults, len(wheel.faults))} (--repair to correct it)"
        )
    old, new = wheel.members.stem, wheel.members.stem
    text = wheel.metadata.decode("utf-8")
    if change.version is not None:
        new = f"{old.rpartition('-')[0]}-{change.version}"
        text = with_version(text, change.version)
    if change.requirements is not None:
        text = with_requirements(text, change.requirements)
    info = f"{new}.dist-info"
    signatures = [s for s in _SIGNATURES if f"{wheel.info}/{s}" in wheel.members.files]
    left_out = {f"{wheel.info}/{name}" for name in (*signatures, "variant.json")}
    contents: dict[str, bytes] = {}
    if text.encode() != wheel.metadata:
        contents[f"{info}/METADATA"] = text.encode()
    if change.variant is not None:
        contents[f"{info}/variant.json"] = json_bytes(change.variant)
    rows = found.values() if wheel.faults else dict.fromkeys(wheel.rows)
    contents[f"{info}/RECORD"] = _record(
        [
            row._replace(path=_renamed(row.path, old, new))
            for row in rows
            if row.path in wheel.members.files and row.path not in left_out
        ],
        contents,
        info,
    ).encode()
    return PlannedWheel(
        source=wheel.path,
        identity=wheel.identity,
        target=output / _target_name(wheel, change),
        name=wheel.filename.name,
        versions=(
            wheel.filename.version,
            wheel.filename.version if change.version is None else change.version,
        ),
        labels=(wheel.filename.variant_label, change.label),
        change=change,
        stems=(old, new),
        contents=contents,
        left_out=frozenset(left_out),
        signatures=tuple(signatures),
        repaired=tuple(map(str, wheel.faults)),
    )


def _target_name(wheel: SourceWheel, change: Change) -> str:
    parts = wheel.path.name.removesuffix(".whl").split("-")
    if wheel.filename.variant_label is not None:
        parts.pop()
    if change.version is not None:
        parts[1] = change.version
    if change.label is not None:
        parts.append(change.label)
    return f"{'-'.join(parts)}.whl"


def _record(rows: Iterable[RecordRow], contents: Mapping[str, bytes], info: str) -> str:
    """Return the new RECORD; new files come last, before RECORD itself."""
    new = {path: row_of(path, content) for path, content in contents.items()}
    kept = [new.pop(row.path, row) for row in rows]
    return format_rows([*kept, *new.values(), RecordRow(f"{info}/RECORD")])


def _renamed(path: str, old: str, new: str) -> str:
    top, slash, rest = path.partition("/")
    for kind in (".dist-info", ".data"):
        if top == f"{old}{kind}":
            return f"{new}{kind}{slash}{rest}"
    return path


def check_targets(plans: Sequence[PlannedWheel]) -> None:
    """Raise WheelsRefused if two wheels would be one file, or one its own source."""
    problems = []
    targets: dict[Path, PlannedWheel] = {}
    sources = {_place(plan.source): plan for plan in plans}
    for plan in plans:
        place = _place(plan.target)
        if place in targets:
            problems.append(
                f"{plan.source} and {targets[place].source} would both become "
                f"{plan.target.name}"
            )
        targets[place] = plan
        if place in sources:
            problems.append(
                f"{plan.source} would be replaced by what becomes of "
                f"{sources[place].source.name}: give another directory with --output"
            )
    if problems:
        raise WheelsRefused(problems)


def _place(path: Path) -> Path:
    return path.parent.resolve() / path.name


def check_releases(plans: Sequence[PlannedWheel], *, lenient: bool = False) -> None:
    """Raise WheelsRefused if the wheels of a release would contradict each other.

    Labelled wheels that are beside a target count as well (PEP 825, "Metadata
    consistency"). With ``lenient`` two labels may have the same properties.
    """
    problems: list[str] = []
    known: dict[tuple[str, str], list[tuple[str, VariantMetadata]]] = {}
    targets = {_place(plan.target) for plan in plans}
    for directory in dict.fromkeys(plan.target.parent for plan in plans):
        for path in sorted(directory.glob("*-*.whl")):
            if _place(path) in targets:
                continue
            with suppress(InvalidWheel), opened_wheel(path) as wheel:
                if wheel.variant is not None:
                    release = (wheel.filename.name, wheel.filename.version)
                    known.setdefault(release, []).append((path.name, wheel.variant))
    for plan in plans:
        if plan.change.variant is None:
            continue
        mine = plan.change.variant
        others = known.setdefault(plan.release, [])
        clashes = (_clash(mine, *each, lenient=lenient) for each in others)
        problem = next(filter(None, clashes), None)
        if problem is not None:
            problems.append(f"{plan.target.name}: {problem}")
        others.append((plan.target.name, mine))
    if problems:
        raise WheelsRefused(problems)


def _clash(
    mine: VariantMetadata, name: str, other: VariantMetadata, *, lenient: bool
) -> str | None:
    """Return the reason why two wheels cannot be of one release, None if they can."""
    (label,) = mine.variants
    theirs = other.properties(label)
    if theirs is not None and theirs != mine.properties(label):
        listed = [
            f"{namespace} :: {feature} :: {value}"
            for namespace, features in theirs.items()
            for feature, values in features.items()
            for value in values
        ]
        return (
            f"label {label} has other properties in {name}: "
            f"{', '.join(listed) or 'none'}"
        )
    (other_label,) = other.variants
    alike = other.properties(other_label) == mine.properties(label)
    if other_label != label and alike and not lenient:
        return (
            f"label {other_label} of {name} has the same properties, so their names "
            "alone would decide (--lenient to accept)"
        )
    try:
        combine([mine, other])
    except InvalidVariantMetadata as error:
        return f"disagrees with {name}: {error}"
    return None


def write_wheels(
    plans: Sequence[PlannedWheel], *, overwrite: bool, moment: Moment | None = None
) -> list[WrittenWheel]:
    """Write all wheels, or none; raises WheelsRefused, UsageError.

    Each is written beside its place and moved there when all of them are complete. A
    target with other content is replaced only with ``overwrite``. ``moment`` is the
    time of new members, by default that of RECORD.
    """
    check_targets(plans)
    written: list[WrittenWheel] = []
    problems: list[str] = []
    with ExitStack() as stack:
        temporaries = []
        for plan in plans:
            temporary = stack.enter_context(_temporary(plan.target))
            temporaries.append(temporary)
            digest, size = _stage(plan, temporary, moment)
            state = _state(plan.target, digest)
            if state is None and not overwrite:
                problems.append(
                    f"{plan.target} is there with other content (--overwrite to "
                    "replace it)"
                )
            written.append(
                WrittenWheel(
                    plan=plan, sha256=digest, size=size, state=state or "written"
                )
            )
        if problems:
            raise WheelsRefused(problems)
        for each, temporary in zip(written, temporaries, strict=True):
            if each.state == "written":
                with _output_errors(each.plan.target):
                    temporary.replace(each.plan.target)
    return written


def _state(target: Path, digest: str) -> Literal["written", "unchanged"] | None:
    """Return the outcome for a target, None if it has other content."""
    if not target.exists() and not target.is_symlink():
        return "written"
    with suppress(OSError):
        if file_digest(target) == digest:
            return "unchanged"
    return None


@contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """Provide a path for a new file beside another; the file is removed at the end."""
    path = target.with_name(f".{target.name[:100]}.{os.urandom(8).hex()}.tmp")
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink()


@contextmanager
def _output_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from error


class _Output:
    """A new file that is hashed as it is written."""

    def __init__(self, path: Path, target: Path) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self._place = 0
        with _output_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb")

    def write(self, content: bytes, /) -> int:
        with _output_errors(self._target):
            self._file.write(content)
        self._digest.update(content)
        self._place += len(content)
        return len(content)

    def tell(self) -> int:
        return self._place

    def close(self) -> tuple[str, int]:
        """Flush the file to disk; return its digest and its size."""
        with _output_errors(self._target):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        return self._digest.hexdigest(), self._place

    def abandon(self) -> None:
        """Close the file in any case."""
        with suppress(OSError):
            self._file.close()


def _stage(
    plan: PlannedWheel, temporary: Path, moment: Moment | None
) -> tuple[str, int]:
    """Write a wheel to a temporary path; return digest and size."""
    output = _Output(temporary, plan.target)
    try:
        with opened_wheel(plan.source) as wheel:
            _check_identity(wheel, plan)
            _write(plan, wheel, ArchiveWriter(output, moment=moment))
        return output.close()
    except InvalidWheel as error:
        raise WheelsRefused([f"{plan.source.name}: {error}"]) from error
    finally:
        output.abandon()


def _check_identity(wheel: SourceWheel, plan: PlannedWheel) -> None:
    if wheel.identity != plan.identity:
        raise InvalidWheel("it was changed while it was read")


def _write(plan: PlannedWheel, wheel: SourceWheel, writer: ArchiveWriter) -> None:
    old, new = plan.stems
    record = f"{wheel.info}/RECORD"
    special = {
        fault.path for fault in wheel.members.faults if fault.kind is FaultKind.SPECIAL
    }
    variant = f"{new}.dist-info/variant.json"
    for info in wheel.infos:
        name = info.orig_filename
        path = normal_path(name.rstrip("/"))
        if name.endswith("/"):
            if not info.file_size and path:
                writer.copy(wheel.stream, info, f"{_renamed(path, old, new)}/")
            continue
        if wheel.members.files.get(path) is not info or path in plan.left_out:
            continue
        if path == record and variant in plan.contents:
            writer.add(NewMember(variant, plan.contents[variant], info))
        path = _renamed(path, old, new)
        like = _as_file(info) if name in special else info
        if path in plan.contents:
            writer.add(NewMember(path, plan.contents[path], like))
        else:
            writer.copy(wheel.stream, like, path)
    writer.finish(wheel.comment)


def _as_file(info: ZipInfo) -> ZipInfo:
    """Return a member with the mode of a plain file; links are installed as such."""
    changed = copy.copy(info)
    mode = stat.S_IFREG | (stat.S_IMODE(info.external_attr >> 16) & 0o777 or 0o644)
    changed.external_attr = mode << 16
    return changed
