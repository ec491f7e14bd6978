"""Turns resolutions into a ``Pylock``: how targets are written to a lock file.

A target is a dependency group, and only chosen wheels are listed. So every installer
that implements PEP 751 installs what was locked for a target when it is given its
group, and needs no data under ``[tool]``. It may read an entry on any machine that the
marker admits, so the wheels of an entry must exclude each other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from polylock.errors import FileCorrupt
from polylock.lockfile.group_markers import Separator
from polylock.lockfile.mutual_exclusion import CompatibilityTags, exclusive
from polylock.lockfile.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    last_component,
)
from polylock.lockfile.record import (
    Record,
    VariantChoice,
    moment_of,
    record_inputs,
    record_target,
    without_credentials,
)
from polylock.lockfile.write import package_order
from polylock.model.direct import ArchiveSource, DirectorySource, GitSource
from polylock.model.distributions import DirectOrigin, RemoteFile, labelled_wheels
from polylock.model.filenames import WheelFilename
from polylock.model.hashes import strongest
from polylock.model.markers import Atom, MarkerExpression, conjunction, disjunction
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs
    from polylock.model.pins import Pin, Resolution
    from polylock.model.target import Target

__all__ = ["assemble", "entry_marker", "shared_entries", "written_index"]


class Member(Value, frozen=True, kw_only=True):
    """The pin of one target, and the tags by which an installer may take its file."""

    position: int
    pin: Pin
    tags: CompatibilityTags | None
    """The tags of the wheel; for an sdist, the best tag of its target."""
    condition: MarkerExpression | None


class Entry(Value, frozen=True, eq=False):
    """An entry before it is written: the targets that share it, in their order."""

    members: list[Member] = field(default_factory=list)

    def admits(self, member: Member) -> bool:
        """Return True if a member can share the entry with those that it has."""
        return all(_side_by_side(member, other) for other in self.members)


def shared_entries(
    resolutions: Sequence[Resolution],
) -> dict[NormalizedName, list[Entry]]:
    """Return the entries of each project; a pin joins the first that admits it."""
    names = sorted({name for resolution in resolutions for name in resolution.pins})
    entries: dict[NormalizedName, list[Entry]] = {name: [] for name in names}
    for position, resolution in enumerate(resolutions):
        for name, pin in resolution.pins.items():
            member = Member(
                position=position,
                pin=pin,
                tags=_tags(pin.file, resolution.target),
                condition=resolution.conditions.get(name),
            )
            for entry in entries[name]:
                if entry.admits(member):
                    entry.members.append(member)
                    break
            else:
                entries[name].append(Entry([member]))
    return entries


def _tags(file: RemoteFile, target: Target) -> CompatibilityTags | None:
    if file.filename.endswith(".whl"):
        return _tags_of(file.filename)
    # An interpreter that fits a wheel in the same entry would take that instead of the
    # sdist, and a machine may be newer than its target. The best tag stands for it.
    return CompatibilityTags.of_tag(target.tags[0]) if target.tags else None


@lru_cache(maxsize=4096)
def _tags_of(filename: str) -> CompatibilityTags:
    return CompatibilityTags.of_wheel(WheelFilename.parse(filename))


def _side_by_side(one: Member, other: Member) -> bool:
    mine, theirs = one.pin, other.pin
    if mine.direct is not None or theirs.direct is not None:
        return mine.direct == theirs.direct and mine.version == theirs.version
    if mine.file is theirs.file:
        return True  # the common case: targets share what was read from the index
    if (mine.version, written_index(mine)) != (theirs.version, written_index(theirs)):
        return False
    if (mine.file.filename, mine.file.url) == (theirs.file.filename, theirs.file.url):
        return True
    return (
        one.tags is not None
        and other.tags is not None
        and exclusive(one.tags, other.tags)
    )


def written_index(pin: Pin) -> str | None:
    """Return the URL of the index; None for files on disk.

    PEP 751 requires the URL of an index, and a directory has none.
    """
    return _written(pin.index_url)


@lru_cache(maxsize=256)
def _written(url: str) -> str | None:
    return None if urlsplit(url).scheme == "file" else without_credentials(url)


def entry_marker(entry: Entry, separator: Separator) -> MarkerExpression | None:
    """Return the marker of an entry; None if all targets install it, always.

    Targets with the same condition share a clause, which may also be true for targets
    that install the entry without a condition.
    """
    groups: dict[MarkerExpression | None, int] = {}
    for member in entry.members:
        mask = groups.get(member.condition, 0) | 1 << member.position
        groups[member.condition] = mask
    unconditional = groups.get(None, 0)
    parts: list[MarkerExpression] = []
    for condition in sorted(groups, key=lambda c: "" if c is None else str(c)):
        where = separator.marker(groups[condition], unconditional)
        both = [each for each in (where, condition) if each is not None]
        if not both:
            return None
        parts.append(conjunction(both))
    return disjunction(parts)


def assemble(
    inputs: Inputs,
    targets: Sequence[Target],
    resolutions: Sequence[Resolution],
    *,
    paths: Mapping[str, str] | None = None,
) -> Pylock:
    """Return the lock file of the resolutions, one for each target, in their order.

    ``paths`` maps the URL of each file on disk to its path relative to the lock file,
    POSIX-style; the URL itself would be valid on one machine only. Every file must have
    a secure hash by now. Raises FileCorrupt for a file without one.
    """
    separator = Separator(targets=targets)
    entries = shared_entries(resolutions)
    markers = {
        id(entry): entry_marker(entry, separator)
        for group in entries.values()
        for entry in group
    }
    writer = _Writer(
        entries=entries, markers=markers, resolutions=resolutions, paths=paths or {}
    )
    packages = [writer.package(entry) for group in entries.values() for entry in group]
    default = inputs.default_target
    return Pylock(
        environments=_environments(targets),
        requires_python=inputs.requires_python or None,
        extras=tuple(sorted(inputs.extras)),
        # PEP 751: groups in default-groups SHOULD NOT be in dependency-groups. The
        # default target is in both all the same: it is no synthetic group, but a name
        # that users give. uv 0.13.9 ignores a `--group` that is not in
        # dependency-groups without a warning and leaves packages out; packaging 26.4,
        # and with it pip, will refuse such a group. Both handle a group in both lists
        # correctly, and take the default only if no group is named.
        dependency_groups=tuple(sorted({*_names(targets), *inputs.groups})),
        default_groups=None if default is None else (default,),
        created_by="polylock",
        packages=tuple(sorted(packages, key=package_order)),
        polylock=Record(
            inputs=record_inputs(inputs),
            targets=tuple(record_target(target) for target in targets),
        ),
    )


def _names(targets: Sequence[Target]) -> Iterator[str]:
    return (target.name for target in targets)


def _environments(targets: Sequence[Target]) -> tuple[MarkerExpression, ...]:
    """Return a marker for each distinct environment; they exclude each other."""
    fields = ["sys_platform", "platform_machine", "python_version"]
    implementation = "implementation_name"
    if any(t.marker_environment.get(implementation) != "cpython" for t in targets):
        fields.append(implementation)
    markers = {
        conjunction(
            [Atom(name, "==", target.marker_environment[name]) for name in fields]
        )
        for target in targets
    }
    return tuple(sorted(markers, key=str))


class _Writer(Value, frozen=True, kw_only=True):
    """Turns entries into packages; has all entries, to write the dependencies."""

    entries: Mapping[NormalizedName, list[Entry]]
    markers: Mapping[int, MarkerExpression | None]
    resolutions: Sequence[Resolution]
    paths: Mapping[str, str]

    def package(self, entry: Entry) -> Package:
        """Return the package of an entry."""
        pin = entry.members[0].pin
        if pin.direct is not None:
            return self._direct(entry, pin.direct)
        files = {member.pin.file.filename: member.pin.file for member in entry.members}
        wheels = [files[name] for name in sorted(files) if name.endswith(".whl")]
        sdists = [files[name] for name in sorted(files) if not name.endswith(".whl")]
        return Package(
            name=pin.name,
            version=pin.version,
            marker=self.markers[id(entry)],
            requires_python=_requires_python(entry),
            dependencies=self._dependencies(entry),
            index=written_index(pin),
            sdist=PackageSdist(**self._file(sdists[0])) if sdists else None,
            wheels=tuple(PackageWheel(**self._file(file)) for file in wheels),
            variants_json=_variants_json(entry),
            variants=self._variants(entry),
        )

    def _file(self, file: RemoteFile) -> dict[str, Any]:
        """Return the fields of a wheel or an sdist."""
        chosen = strongest(file.hashes)
        if chosen is None:
            raise FileCorrupt(file.filename, "has no secure hash")
        algorithm, value = chosen
        path = self.paths.get(file.url)
        url = without_credentials(file.url) if path is None else None
        uploaded = file.upload_time
        last = last_component(path, url)
        return {
            "name": None if last == file.filename else file.filename,
            "upload_time": None if uploaded is None else moment_of(uploaded),
            "url": url,
            "path": path,
            "size": file.size,
            "hashes": {algorithm: value},
        }

    def _direct(self, entry: Entry, origin: DirectOrigin) -> Package:
        """Return the package of a direct source, which all its targets share."""
        pin = entry.members[0].pin
        source = origin.source
        return Package(
            name=pin.name,
            version=_version(pin),
            marker=self.markers[id(entry)],
            requires_python=_requires_python(entry),
            dependencies=self._dependencies(entry),
            vcs=_vcs(source, origin) if isinstance(source, GitSource) else None,
            directory=PackageDirectory(
                path=origin.path or ".",
                editable=source.editable or None,
                subdirectory=source.subdirectory,
            )
            if isinstance(source, DirectorySource)
            else None,
            archive=_archive(source, origin, pin.file)
            if isinstance(source, ArchiveSource)
            else None,
            variants_json=_variants_json(entry),
            variants=self._variants(entry),
        )

    def _dependencies(self, entry: Entry) -> tuple[dict[str, Any], ...] | None:
        """Return references to the direct dependencies; for people and audits."""
        found: dict[int, Entry] = {}
        for member in entry.members:
            for edge in member.pin.edges:
                if edge.name == member.pin.name:
                    continue  # an extra that requires another extra of its project
                for other in self.entries.get(edge.name, ()):
                    if any(m.position == member.position for m in other.members):
                        found[id(other)] = other
        tables = [self._reference(other) for other in found.values()]
        keys = ("name", "version", "marker")
        tables.sort(key=lambda table: [table.get(key, "") for key in keys])
        return tuple(tables) or None

    def _reference(self, entry: Entry) -> dict[str, Any]:
        """Return the fewest keys that distinguish an entry from others of its name."""
        pin = entry.members[0].pin
        reference: dict[str, Any] = {"name": pin.name}
        siblings = self.entries[pin.name]
        version = _version(pin)
        if len(siblings) > 1 and version is not None:
            reference["version"] = version
        if sum(_version(s.members[0].pin) == version for s in siblings) > 1:
            reference["marker"] = str(self.markers[id(entry)])
        return reference

    def _variants(self, entry: Entry) -> tuple[VariantChoice, ...]:
        """Return the label that each target got, if there was a choice."""
        choices = [
            VariantChoice(
                target=self.resolutions[member.position].target.name,
                label=member.pin.variant_label or "",
                decided_by=tuple(str(each) for each in member.pin.decided_by),
            )
            for member in entry.members
            if member.pin.variant_label is not None
            or member.pin.passed_over
            or _passed_over(member.pin, self.resolutions[member.position].target)
        ]
        return tuple(sorted(choices, key=lambda choice: choice.target))


def _passed_over(pin: Pin, target: Target) -> bool:
    """Return True if the release has variant wheels with tags that fit the target."""
    names = labelled_wheels(pin.release)
    return any(target.tag_rank(name) is not None for name in names)


def _version(pin: Pin) -> str | None:
    """Return the version if the installed code is certain to have it.

    PEP 751: it "MUST NOT be included when it cannot be guaranteed to be consistent
    with the code used (i.e. when a source tree is used)".
    """
    return pin.version if pin.direct is None or pin.direct.is_stable else None


def _vcs(source: GitSource, origin: DirectOrigin) -> PackageVcs:
    return PackageVcs(
        type="git",
        url=None if source.url is None else without_credentials(source.url),
        path=origin.path,
        requested_revision=source.revision,
        commit_id=origin.commit or "",
        subdirectory=source.subdirectory,
    )


def _archive(
    source: ArchiveSource, origin: DirectOrigin, file: RemoteFile
) -> PackageArchive:
    return PackageArchive(
        url=None if source.url is None else without_credentials(source.url),
        path=origin.path,
        size=file.size,
        hashes={"sha256": file.hashes["sha256"]},
        subdirectory=source.subdirectory,
    )


def _requires_python(entry: Entry) -> str | None:
    """Return the ``requires-python`` of the files, None if they differ.

    An installer must refuse a Python that does not meet it, so no specifier of a single
    file is right for all targets; each file was checked against its own target.
    """
    specifiers = {member.pin.requires_python for member in entry.members}
    return specifiers.pop() if len(specifiers) == 1 else None


def _variants_json(entry: Entry) -> dict[str, Any] | None:
    labels = sorted(
        {m.pin.variant_label for m in entry.members if m.pin.variant_label is not None}
    )
    known = [
        member.pin.variant_metadata
        for member in entry.members
        if member.pin.variant_label and member.pin.variant_metadata is not None
    ]
    # Metadata from an earlier lock file has only the labels of that time.
    whole = [each for each in known if each.variants.keys() >= set(labels)]
    for metadata in (*whole, *known):
        return metadata.restricted(labels)
    return None
