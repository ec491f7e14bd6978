"""What a build sees besides its source: settings, and what is locked for the target.

With ``extra-build-dependencies`` a build environment has exactly the files that are
locked for the target, so that an extension is compiled for the torch it will run with.
With ``no-build-isolation-package`` it has all of them, and nothing else. Either way the
environment of the project is not touched before everything is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from packaging.utils import canonicalize_name

from polylock.lockfile.pylock import (
    PackageArchive,
    PackageSdist,
    PackageWheel,
    last_component,
)
from polylock.model.hashes import strongest
from polylock.model.requirements import Requirement
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.lockfile.select import Selected
    from polylock.model.build_settings import BuildSettings

__all__ = ["BuildInputs", "LockedDistribution", "LockedSet", "locked_set"]


class LockedDistribution(Value, frozen=True, kw_only=True):
    """A locked file that a build may see, and what it requires of the others."""

    name: NormalizedName
    version: str
    file: PackageWheel | PackageSdist
    label: str | None = None
    requires: frozenset[NormalizedName] = frozenset()


class LockedSet(Value, frozen=True, kw_only=True):
    """The files that are locked for a target; relative paths are relative to ``root``.

    ``requires`` are the dependencies of all packages, also of source trees.
    """

    root: Path
    files: Mapping[NormalizedName, LockedDistribution]
    requires: Mapping[NormalizedName, frozenset[NormalizedName]]

    def closure(self, names: Iterable[NormalizedName]) -> set[NormalizedName]:
        """Return those of the names that are locked, with all they require."""
        found: set[NormalizedName] = set()
        pending = [name for name in names if name in self.files]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += self.files[name].requires & self.files.keys()
        return found


def locked_set(selected: Sequence[Selected], root: Path) -> LockedSet:
    """Return the files of a selection; source trees are left out."""
    requires = {
        chosen.package.name: frozenset(
            canonicalize_name(str(each.get("name", "")))
            for each in chosen.package.dependencies or ()
        )
        for chosen in selected
    }
    files = {}
    for chosen in selected:
        package, file = chosen.package, chosen.file
        if isinstance(file, PackageArchive) and _is_wheel(file):
            file = PackageWheel(
                url=file.url, path=file.path, size=file.size, hashes=file.hashes
            )
        if isinstance(file, PackageWheel | PackageSdist) and package.version:
            files[package.name] = LockedDistribution(
                name=package.name,
                version=package.version,
                file=file,
                label=chosen.variant_label,
                requires=requires[package.name],
            )
    return LockedSet(root=root, files=files, requires=requires)


class BuildInputs(Value, frozen=True, kw_only=True):
    """What the build of one project sees.

    ``requires`` are requirements besides those of its build system. ``exact`` are
    projects that it has as they are locked, and ``beside`` all locked files that it
    gets. Without ``isolated`` it gets no build requirements. ``is_locking`` means that
    nothing is locked yet.
    """

    requires: tuple[str, ...] = ()
    isolated: bool = True
    config: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    exact: tuple[LockedDistribution, ...] = ()
    beside: Mapping[NormalizedName, LockedDistribution] = field(default_factory=dict)
    root: Path | None = None
    is_locking: bool = False

    @classmethod
    def of(
        cls, settings: BuildSettings, name: NormalizedName, locked: LockedSet | None
    ) -> BuildInputs:
        """Return the inputs of a project's build; ``locked`` is None while locking."""
        requires = settings.extra_requires.get(name, ())
        isolated = name not in settings.not_isolated
        names = {Requirement.parse(text).normalized_name for text in requires}
        config = settings.config(name)
        if locked is None or (isolated and not names):
            return cls(
                requires=requires,
                isolated=isolated,
                config=config,
                is_locking=locked is None,
            )
        if isolated:
            beside = locked.closure(names)
        else:
            beside = set(_among(locked, settings.not_isolated))
            names |= locked.requires.get(name, frozenset())
        beside.discard(name)
        return cls(
            requires=requires,
            isolated=isolated,
            config=config,
            exact=tuple(locked.files[n] for n in sorted(names & beside)),
            beside={n: locked.files[n] for n in sorted(beside)},
            root=locked.root,
        )

    def key(self, key: str) -> str:
        """Return the key of what is built from a source whose key is given.

        Another file of an exact project means another build, for it may be compiled
        against it. 64 hexadecimal digits, the given ones if the build sees nothing.
        """
        parts = [
            *(f"requires {text}" for text in self.requires),
            *([] if self.isolated else ["not isolated"]),
            *(
                f"config {msgspec.json.encode([name, value]).decode()}"
                for name, value in sorted(self.config.items())
            ),
            *(
                f"locked {each.name} {each.version} {strongest(each.file.hashes)}"
                for each in self.exact
            ),
        ]
        if not parts:
            return key
        import hashlib  # noqa: PLC0415 - 3 ms that a sync of wheels does not pay

        return hashlib.sha256("\0".join((key, *parts)).encode()).hexdigest()


def _is_wheel(file: PackageArchive) -> bool:
    return last_component(file.path, file.url).endswith(".whl")


def _among(locked: LockedSet, not_isolated: Sequence[str]) -> Iterator[NormalizedName]:
    """Yield what a build without isolation sees.

    Two projects that are both built so would need each other first.
    """
    for name, each in locked.files.items():
        if name not in not_isolated or isinstance(each.file, PackageWheel):
            yield name
