"""Packages of a lock file that the project does not vouch for.

These are packages from a direct source that the project does not name, packages that
nothing requires, and second entries for a project. A file of an index is checked
against the index by `verify`. A source tree, an archive or a repository runs its own
code when it is built, and only the project file can confirm that it is wanted. The
inputs recorded in the lock file confirm nothing: anyone who edits one part of it can
edit the other.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.lockfile.record import without_credentials
from polylock.lockfile.select import applicable, project_groups
from polylock.model.direct import (
    ArchiveSource,
    DirectorySource,
    DirectSource,
    GitSource,
)
from polylock.model.folding import fold
from polylock.model.source_choice import direct_source, direct_sources
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from polylock.lockfile.pylock import (
        Package,
        PackageArchive,
        PackageDirectory,
        PackageVcs,
        Pylock,
    )
    from polylock.model.inputs import Inputs
    from polylock.model.target import Target

    LockPath = Callable[[str], str]

__all__ = [
    "Choice",
    "ambiguous",
    "choices",
    "direct_packages",
    "of_target",
    "roots_of_choice",
    "source_of",
    "unreached",
    "unvouched",
]

_REVISION_LENGTH = 40
"""Hexadecimal digits of a full commit id."""


def source_of(package: Package) -> str | None:
    """Return the direct source of an entry in words, None for files of an index."""
    if (vcs := package.vcs) is not None:
        revision = f"@{vcs.requested_revision}" if vcs.requested_revision else ""
        return _within(f"{vcs.type}+{vcs.url or vcs.path}{revision}", vcs.subdirectory)
    if (tree := package.directory) is not None:
        editable = " (editable)" if tree.editable else ""
        return _within(tree.path, tree.subdirectory) + editable
    if (archive := package.archive) is not None:
        return _within(archive.url or archive.path or "", archive.subdirectory)
    return None


def direct_packages(pylock: Pylock) -> Iterator[Package]:
    """Yield the entries with a direct source."""
    return (package for package in pylock.packages if source_of(package) is not None)


def unvouched(
    pylock: Pylock, inputs: Inputs, targets: Sequence[Target], *, lock_path: LockPath
) -> Iterator[tuple[Package, str | None, str | None]]:
    """Yield entries whose direct source differs from the project's, with both sources.

    ``lock_path`` turns a path relative to the project file into one relative to the
    lock file. An entry that no target installs may have the source of any target.
    """
    named = direct_sources(inputs)
    seen: set[tuple[int, str | None]] = set()
    checked: set[int] = set()
    for target in targets:
        for package in of_target(pylock, target):
            locked = source_of(package)
            if locked is None and package.name not in named:
                continue
            checked.add(id(package))
            source = direct_source(inputs, package.name, target)
            wanted = None if source is None else _text(source, lock_path)
            if _is_of(package, source, lock_path) or (id(package), wanted) in seen:
                continue
            seen.add((id(package), wanted))
            yield package, locked, wanted
    for package in direct_packages(pylock):
        if id(package) in checked:
            continue
        sources = [direct_source(inputs, package.name, each) for each in targets]
        if not any(_is_of(package, each, lock_path) for each in sources):
            yield package, source_of(package), None


class Choice(Value, frozen=True, kw_only=True):
    """A group or an extra that a user may choose, or neither."""

    group: str | None = None
    extra: str | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the group, if there is one."""
        return () if self.group is None else (self.group,)

    @property
    def extras(self) -> tuple[str, ...]:
        """Return the extra, if there is one."""
        return () if self.extra is None else (self.extra,)


def choices(pylock: Pylock, inputs: Inputs | None = None) -> tuple[Choice, ...]:
    """Return the choices of a user: nothing, each group, each extra.

    With ``inputs`` only those that the project has too: that the lock file names others
    is a difference of its own, and ten thousand of them would each be followed.
    """
    groups, extras = project_groups(pylock), tuple(pylock.extras or ())
    if inputs is not None:
        groups = tuple(n for n in groups if canonicalize_name(n) in inputs.groups)
        extras = tuple(n for n in extras if canonicalize_name(n) in inputs.extras)
    return (
        Choice(),
        *(Choice(group=name) for name in groups),
        *(Choice(extra=name) for name in extras),
    )


def roots_of_choice(
    inputs: Inputs, target: Target, choice: Choice | None
) -> Iterator[str]:
    """Yield the names that the project itself requires, of all choices for None."""
    for root in inputs.requirements:
        marker = root.requirement.marker_expression
        if choice is not None and not (
            _is_chosen(root.group, choice.group)
            and _is_chosen(root.extra, choice.extra)
        ):
            continue
        if root.target in {None, target.name} and (
            marker is None or fold(marker, target) is not False
        ):
            yield root.requirement.normalized_name


def _is_chosen(name: str | None, chosen: str | None) -> bool:
    if name is None:
        return True
    return chosen is not None and canonicalize_name(name) == canonicalize_name(chosen)


def unreached(pylock: Pylock, inputs: Inputs, target: Target) -> Iterator[Package]:
    """Yield the packages that a target installs although nothing requires them.

    Also those that are installed for another choice of groups and extras than the one
    that requires them. The dependencies are those that the lock file lists; `verify`
    compares them with the metadata of the files.
    """
    entries: dict[str, list[Package]] = {}
    all_packages = tuple(of_target(pylock, target))
    for package in all_packages:
        entries.setdefault(package.name, []).append(package)
    reported: set[int] = set()
    without = _reached(entries, roots_of_choice(inputs, target, Choice()), set())
    everything = _reached(entries, roots_of_choice(inputs, target, None), without)
    found = [(everything, all_packages)]
    for choice in choices(pylock, inputs):
        reached = _reached(entries, roots_of_choice(inputs, target, choice), without)
        found.append((reached, tuple(of_target(pylock, target, choice))))
    for reached, packages in found:
        for package in packages:
            if id(package) not in reached and id(package) not in reported:
                reported.add(id(package))
                yield package


def _reached(
    entries: Mapping[str, Sequence[Package]],
    roots: Iterable[str],
    known: AbstractSet[int],
) -> set[int]:
    """Return the entries that roots require, by identity, besides those known."""
    reached = set(known)
    pending = [each for name in roots for each in entries.get(name, ())]
    while pending:
        package = pending.pop()
        if id(package) in reached:
            continue
        reached.add(id(package))
        for reference in package.dependencies or ():
            name = canonicalize_name(str(reference.get("name", "")))
            pending += [e for e in entries.get(name, ()) if _is_meant(reference, e)]
    return reached


def of_target(
    pylock: Pylock,
    target: Target,
    choice: Choice | None = None,
    *,
    certain: bool = False,
) -> Iterator[Package]:
    """Yield the packages that a target installs; None stands for all choices.

    With ``certain`` those are left out that may be installed on no machine.
    """
    if choice is None:
        groups, extras = project_groups(pylock), tuple(pylock.extras or ())
    else:
        groups, extras = choice.groups, choice.extras
    return applicable(
        pylock,
        target,
        groups=[target.name, *groups],
        extras=extras,
        certain=certain,
    )


def ambiguous(
    pylock: Pylock, inputs: Inputs, target: Target
) -> Iterator[tuple[Package, Package]]:
    """Yield pairs of entries for one project that one selection installs together.

    PEP 751 forbids them. Each choice counts by itself, since groups and extras may
    exclude each other.
    """
    count = Counter(package.name for package in pylock.packages)
    repeated = [package for package in pylock.packages if count[package.name] > 1]
    if not repeated:
        return
    seen: set[tuple[int, int]] = set()
    few = replace(pylock, packages=tuple(repeated))
    for choice in choices(pylock, inputs):
        first: dict[str, Package] = {}
        for package in of_target(few, target, choice, certain=True):
            other = first.setdefault(package.name, package)
            if other is not package and (id(other), id(package)) not in seen:
                seen.add((id(other), id(package)))
                yield other, package


def _is_meant(reference: Mapping[str, object], package: Package) -> bool:
    """Return True if a reference in ``dependencies`` means an entry (PEP 751)."""
    keys = {"version": package.version}
    if package.marker is not None:
        keys["marker"] = str(package.marker)
    return all(reference.get(key) in {None, value} for key, value in keys.items())


def _is_of(package: Package, source: DirectSource | None, lock_path: LockPath) -> bool:
    """Return True if an entry comes from a source of the project."""
    match source:
        case None:
            return source_of(package) is None
        case GitSource():
            return package.vcs is not None and _is_git(package.vcs, source, lock_path)
        case DirectorySource():
            tree = package.directory
            return tree is not None and _is_tree(tree, source, lock_path)
        case ArchiveSource():
            file = package.archive
            return file is not None and _is_archive(file, source, lock_path)


def _is_git(vcs: PackageVcs, source: GitSource, lock_path: LockPath) -> bool:
    revision = source.revision or ""
    if len(revision) == _REVISION_LENGTH and vcs.commit_id != revision.lower():
        return False
    return (
        vcs.type == "git"
        and _place(vcs.url, vcs.path) == _wanted_place(source, lock_path)
        and (vcs.requested_revision or "") == revision
        and (vcs.subdirectory or "") == (source.subdirectory or "")
    )


def _is_tree(
    tree: PackageDirectory, source: DirectorySource, lock_path: LockPath
) -> bool:
    return (
        tree.path == lock_path(source.path)
        and bool(tree.editable) == source.editable
        and (tree.subdirectory or "") == (source.subdirectory or "")
    )


def _is_archive(
    file: PackageArchive, source: ArchiveSource, lock_path: LockPath
) -> bool:
    if source.sha256 is not None and file.hashes.get("sha256") != source.sha256:
        return False
    return _place(file.url, file.path) == _wanted_place(source, lock_path) and (
        file.subdirectory or ""
    ) == (source.subdirectory or "")


def _place(url: str | None, path: str | None) -> tuple[str, str]:
    """Return the URL and the path of a source, to be compared."""
    return (without_credentials(url or ""), path or "")


def _wanted_place(
    source: ArchiveSource | GitSource, lock_path: LockPath
) -> tuple[str, str]:
    path = None if source.path is None else lock_path(source.path)
    return _place(source.url, path)


def _text(source: DirectSource, lock_path: LockPath) -> str:
    """Return a source as ``source_of`` writes it."""
    match source:
        case GitSource():
            revision = f"@{source.revision}" if source.revision else ""
            place = "".join(_wanted_place(source, lock_path))
            return _within(f"git+{place}{revision}", source.subdirectory)
        case DirectorySource():
            editable = " (editable)" if source.editable else ""
            return _within(lock_path(source.path), source.subdirectory) + editable
        case ArchiveSource():
            place = "".join(_wanted_place(source, lock_path))
            return _within(place, source.subdirectory)


def _within(place: str, subdirectory: str | None) -> str:
    text = without_credentials(place)
    return f"{text} ({subdirectory})" if subdirectory else text
