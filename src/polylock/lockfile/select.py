"""Selects the packages of a target from a lock file, by the steps of PEP 751.

Nothing here depends on an index or an environment: "what file to install should be
determined in an offline fashion for reproducibility" (PEP 751, Installation).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from polylock.errors import (
    LockFileInvalid,
    NoSuchTarget,
    TargetMismatch,
    UsageError,
)
from polylock.lockfile.pylock import (
    Package,
    PackageDirectory,
    PackageFile,
    PackageVcs,
    Pylock,
)
from polylock.lockfile.record import locked_target
from polylock.model.filenames import WheelFilename
from polylock.model.folding import fold
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from polylock.model.markers import MarkerExpression
    from polylock.model.pins import Preference
    from polylock.model.target import Target

__all__ = [
    "Selected",
    "applicable",
    "default_groups",
    "groups_of",
    "preferences",
    "project_groups",
    "required_by",
    "select",
]


_PROJECT = re.compile(r"[A-Za-z0-9._-]+")
"""The name at the beginning of a requirement."""


class Selected(Value, frozen=True, kw_only=True):
    """A package to install, the file to use, and the label if it is a variant wheel.

    ``requested`` is true if the project itself requires it, by what was selected.
    """

    package: Package
    file: PackageFile
    variant_label: str | None = None
    requested: bool = False

    @property
    def size(self) -> int | None:
        """Return the size of the file in bytes; None for a tree, or if unknown."""
        if isinstance(self.file, PackageVcs | PackageDirectory):
            return None
        return self.file.size


class _Names(frozenset[str]):
    """Names of extras or groups that match in any spelling (PEP 751 markers)."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(canonicalize_name(name))


class _Question(Value, frozen=True):
    """The target, extras and groups of a selection, and the name of the lock file."""

    target: Target
    extras: _Names
    groups: _Names
    path: str
    open_holds: bool


def select(  # noqa: PLR0913 - the parts of one question, each asked by name
    pylock: Pylock,
    target: Target,
    *,
    groups: Collection[str],
    extras: Collection[str],
    path: str,
    environment: Mapping[str, str] | None = None,
    open_holds: bool = False,
    alone: bool = False,
) -> tuple[Selected, ...]:
    """Return the packages to install, in the order of the lock file.

    ``groups`` and ``extras`` are those requested; the target's own group is added if
    the lock file has it, as are default groups that are not targets. With ``alone``
    only what the requested groups require is selected. ``environment``
    gives the marker variables of the machine that the target leaves open. With
    ``open_holds`` a marker that is still undecided counts as true: the result is all
    that a machine of this kind could install.

    Raises NoSuchTarget for an unknown group or extra, TargetMismatch if the lock file
    is not for this target, LockFileInvalid if it is ambiguous, UsageError if a marker
    is undecided, NothingToInstall if a package has no file that fits.
    """
    if environment:
        known = {**environment, **target.marker_environment}
        target = replace(target, marker_environment=known)
    # 1. Gather the requested extras and groups, as the values of the markers `extras`
    #    and `dependency_groups`.
    _check_names(pylock, groups, extras)
    chosen_extras = _Names(map(canonicalize_name, extras))
    chosen_groups = _Names(groups_of(pylock, target, groups))
    # 2. Refuse a lock-version that is not supported: `read_pylock` has done so.
    # 3. Refuse a Python that the lock file's requires-python excludes.
    if not _admits(pylock.requires_python, _python_version(target)):
        raise _wrong_python(path, pylock.requires_python, target)
    # 4. Refuse an environment that none of the `environments` describes.
    _check_environments(pylock, target, path)
    # 5. Keep the packages that are for this environment, these extras and groups.
    packages = _kept(
        pylock,
        _Question(target, chosen_extras, chosen_groups, path, open_holds),
    )
    if alone:
        packages = required_by(pylock, packages, groups, path=path)
    # 6. For each package that was kept, choose the file.
    from polylock.lockfile.file_choice import FileChooser  # noqa: PLC0415 - 6 ms, not to check

    chooser = FileChooser.of(pylock, target, packages)
    own = _own_requirements(pylock, target, chosen_groups, chosen_extras)
    selected = []
    for package in packages:
        file, label = chooser.choose(package)
        selected.append(
            Selected(
                package=package,
                file=file,
                variant_label=label,
                requested=package.name in own,
            )
        )
    return tuple(selected)


def _own_requirements(
    pylock: Pylock, target: Target, groups: _Names, extras: _Names
) -> frozenset[str]:
    """Return the names that the project requires, as the lock file records it.

    Markers are not looked at: what no marker admits is not among the packages, unless
    something else requires it.
    """
    if pylock.polylock is None:
        return frozenset()
    inputs = pylock.polylock.inputs
    texts = [*inputs.requirements, *inputs.targets.get(target.name, ())]
    for chosen, table in ((groups, inputs.groups), (extras, inputs.extras)):
        for name, requirements in table.items():
            if name in chosen:
                texts += requirements
    return frozenset(_required_names(texts))


def _required_names(texts: Iterable[str]) -> list[NormalizedName]:
    """Return the names of the projects that recorded requirements are on."""
    found = (_PROJECT.match(text) for text in texts)
    return [canonicalize_name(each[0]) for each in found if each is not None]


def required_by(
    pylock: Pylock, packages: Iterable[Package], groups: Iterable[str], *, path: str
) -> list[Package]:
    """Return the packages that groups require, directly or by a dependency.

    The dependencies are those that the lock file lists. Raises UsageError for a lock
    file that does not record what its groups require.
    """
    if pylock.polylock is None:
        problem = f"{path} does not record what its groups require"
        raise UsageError(problem, "only a lock file that polylock wrote does")
    chosen = _Names(map(canonicalize_name, groups))
    tables = pylock.polylock.inputs.groups
    pending = _required_names(
        text for name, texts in tables.items() if name in chosen for text in texts
    )
    kept = list(packages)
    by_name = {package.name: package for package in kept}
    reached = set()
    while pending:
        name = pending.pop()
        if name in reached or name not in by_name:
            continue
        reached.add(name)
        pending += (
            canonicalize_name(str(reference.get("name", "")))
            for reference in by_name[name].dependencies or ()
        )
    return [package for package in kept if package.name in reached]


def _kept(pylock: Pylock, asked: _Question) -> list[Package]:
    """Return the packages whose marker is true; raises where PEP 751 says MUST."""
    target, path = asked.target, asked.path
    python = _python_version(target)
    found: dict[NormalizedName, tuple[int, Package]] = {}
    for position, package in enumerate(pylock.packages):
        key = f"packages[{position}]"
        # 5.1 Skip it where its marker does not hold.
        if package.marker is not None:
            holds = fold(
                package.marker, target, extras=asked.extras, groups=asked.groups
            )
            if not isinstance(holds, bool) and not asked.open_holds:
                raise _left_open(holds, f"{key} ({package.name})", target, path)
            if not holds:
                continue
        # 5.2 Refuse a Python that its requires-python excludes.
        if not _admits(package.requires_python, python):
            raise _wrong_python(package.name, package.requires_python, target)
        # 5.3 Refuse a second entry for the same package.
        if package.name in found:
            problem = f"{package.name} is selected already by "
            problem += f"packages[{found[package.name][0]}]"
            raise LockFileInvalid(path, key, problem)
        # 5.4 Refuse conflicting sources: `read_pylock` has done so.
        # 5.5 Keep it.
        found[package.name] = position, package
    return [package for _, package in found.values()]


def applicable(
    pylock: Pylock,
    target: Target,
    *,
    groups: Collection[str],
    extras: Collection[str],
    certain: bool = False,
) -> Iterator[Package]:
    """Yield the entries whose marker is true, or left open by the target.

    With ``certain`` those left open are not among them: such an entry may be installed
    on no machine. Groups and extras are used as given: none is added, and none is
    refused.
    """
    chosen_extras = _Names(map(canonicalize_name, extras))
    chosen_groups = _Names(map(canonicalize_name, groups))
    for package in pylock.packages:
        marker = package.marker
        holds = marker is None or fold(
            marker, target, extras=chosen_extras, groups=chosen_groups
        )
        if holds is True or (holds and not certain):
            yield package


def project_groups(pylock: Pylock) -> tuple[str, ...]:
    """Return the groups that a user can request: all that are not targets.

    A default group of another tool need not be among ``dependency-groups`` (PEP 751).
    """
    targets = set(pylock.target_names)
    declared = (*(pylock.dependency_groups or ()), *(pylock.default_groups or ()))
    return tuple(group for group in dict.fromkeys(declared) if group not in targets)


def default_groups(pylock: Pylock) -> tuple[str, ...]:
    """Return the groups that polylock installs unless told otherwise.

    They are those of ``default-groups``, else the group ``dev`` if there is one, as uv
    has it. ``default-groups`` of PEP 751 is another list: it is for installers that do
    not know targets.
    """
    if pylock.polylock is None:
        return ()
    named = pylock.polylock.inputs.lists.get("default-groups", ("dev",))
    return tuple(name for name in project_groups(pylock) if name in named)


def preferences(pylock: Pylock) -> dict[str, dict[NormalizedName, Preference]]:
    """Return the pins of each recorded target, as preferences for a new solve.

    All extras and groups count. Empty for the lock file of another tool.
    """
    from polylock.model.pins import Preference  # noqa: PLC0415 - 2 ms, not to check

    if pylock.polylock is None:
        return {}
    groups = project_groups(pylock)
    found: dict[str, dict[NormalizedName, Preference]] = {}
    for record in pylock.polylock.targets:
        target = locked_target(record)
        pins = found[target.name] = {}
        for package in applicable(
            pylock, target, groups=(*groups, target.name), extras=pylock.extras or ()
        ):
            if package.version is not None:
                names = tuple(_filenames(package, target))
                preference = Preference(version=package.version, filenames=names)
                pins.setdefault(package.name, preference)
    return found


def _filenames(package: Package, target: Target) -> Iterator[str]:
    for wheel in package.wheels:
        if target.tag_rank(WheelFilename.parse(wheel.filename)) is not None:
            yield wheel.filename
    if package.sdist is not None:
        yield package.sdist.filename


def groups_of(
    pylock: Pylock, target: Target, groups: Iterable[str]
) -> frozenset[NormalizedName]:
    """Return the active groups: those requested, the target, and the defaults.

    A default group that is a target is left out: it is for installers that do not know
    targets, and here the target is known.
    """
    targets = set(pylock.target_names)
    known = {*(pylock.dependency_groups or ()), *(pylock.default_groups or ())}
    own = [target.name] if target.name in known else []
    defaults = [g for g in pylock.default_groups or () if g not in targets]
    return frozenset(map(canonicalize_name, [*groups, *own, *defaults]))


def _check_names(pylock: Pylock, groups: Iterable[str], extras: Iterable[str]) -> None:
    targets = {canonicalize_name(name): name for name in pylock.target_names}
    for kind, names, known in (
        ("dependency group", groups, project_groups(pylock)),
        ("extra", extras, pylock.extras or ()),
    ):
        spelled = {canonicalize_name(name) for name in known}
        for name in names:
            normalized = canonicalize_name(name)
            if normalized not in spelled:
                target = targets.get(normalized)
                advice = f"{target} is a target: --target {target}" if target else None
                raise NoSuchTarget(kind, name, sorted(known), advice)


def _check_environments(pylock: Pylock, target: Target, path: str) -> None:
    if pylock.environments is None:
        return
    answers = [fold(marker, target) for marker in pylock.environments]
    if True in answers:
        return
    for position, answer in enumerate(answers):
        if not isinstance(answer, bool):
            raise _left_open(answer, f"environments[{position}]", target, path)
    described = [str(marker) for marker in pylock.environments]
    raise TargetMismatch(target.name, [f"{path} is only for: {d}" for d in described])


def _left_open(
    marker: MarkerExpression, key: str, target: Target, path: str
) -> UsageError:
    return UsageError(
        f"{path}: {key} depends on what target {target.name} leaves open: {marker}",
        "give the Python or the machine that it is installed for",
    )


def _python_version(target: Target) -> str:
    """Return the Python that requires-python must admit: the newest patch."""
    full = target.marker_environment.get("python_full_version")
    if full is not None:
        return full
    return target.description.python.newest


def _wrong_python(
    what: str, requires_python: str | None, target: Target
) -> TargetMismatch:
    full = target.marker_environment.get("python_full_version")
    python = full or str(target.description.python)
    missing = f"{what} requires Python {requires_python}, this is {python}"
    return TargetMismatch(target.name, [missing])


@lru_cache(maxsize=4096)
def _admits(requires_python: str | None, version: str) -> bool:
    return requires_python is None or SpecifierSet(requires_python).contains(
        version, prereleases=True
    )
