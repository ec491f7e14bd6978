"""What a lock file answers: everything the user asked for that can change a pin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.model.direct import DirectSource
    from polylock.model.requirements import Requirement

__all__ = [
    "DEFAULT_INDEX",
    "Alignment",
    "BuildPolicy",
    "IndexFormat",
    "IndexLocation",
    "IndexSource",
    "Inputs",
    "PrereleasePolicy",
    "ResolutionMode",
    "RootRequirement",
    "index_in_words",
]

DEFAULT_INDEX = "default"
"""The name of the one index of a project that declares none."""

ResolutionMode = Literal["highest", "lowest", "lowest-direct"]
PrereleasePolicy = Literal[
    "disallow", "allow", "if-necessary", "explicit", "if-necessary-or-explicit"
]
Alignment = Literal["prefer", "require", "independent"]
BuildPolicy = Literal["local", "all", "none"]
ForbiddingKey = Literal["no-build-package", "build"]
IndexFormat = Literal["simple", "flat"]


class RootRequirement(Value, frozen=True, kw_only=True):
    """A requirement of the project itself, and when it holds.

    At most one of ``extra`` (``[project.optional-dependencies]``), ``group``
    (``[dependency-groups]``) and ``target`` (``[tool.polylock.targets.T]``) is set;
    with none it is one of ``[project] dependencies``. Names are normalized.
    """

    requirement: Requirement
    extra: str | None = None
    group: str | None = None
    target: str | None = None

    @property
    def origin(self) -> str:
        """Return who in the project asks for it, as a noun phrase."""
        if self.extra is not None:
            return f"extra {self.extra}"
        if self.group is not None:
            return f"group {self.group}"
        if self.target is not None:
            return f"target {self.target}"
        return "the project"


class IndexLocation(Value, frozen=True, kw_only=True):
    """An index by name, in the user's order of priority.

    ``url`` is the base URL of the simple API, credentials and all, or the ``file:``
    URL of a directory; ``explicit`` means that only projects which name the index
    under ``sources`` are looked up there. ``format`` is ``flat`` for a directory of
    files or a page that links to them; None: simple, or what the directory looks like.
    ``absent`` are the statuses, beside 404 and 410, with which the index answers for a
    project that it does not have.
    """

    name: str
    url: str
    explicit: bool = False
    format: IndexFormat | None = None
    absent: tuple[int, ...] = ()


class IndexSource(Value, frozen=True, kw_only=True):
    """One entry of ``[tool.polylock.sources]``: where a project comes from, and when.

    It fits a target that is among ``targets`` and supports all ``properties``
    (``namespace :: feature :: value``); an empty tuple asks nothing. ``index`` is the
    name of an index, empty where ``direct`` says that it is none.
    """

    index: str = ""
    direct: DirectSource | None = None
    properties: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


class Inputs(Value, frozen=True, kw_only=True):
    """The project's wishes, normalized, targets apart.

    ``upgrades`` are the versions that one run is asked for by ``--upgrade-package
    NAME==V``: constraints of it alone, which no lock file records.
    ``exclude_newer`` is in microseconds since 1970 UTC. ``extras`` and ``groups``
    are the names that the project declares, sorted. ``sources`` maps the normalized
    project name to its entries in order. ``build`` says whose build backends may
    run; ``build_packages`` may besides, ``no_build_packages`` never; of
    ``no_binary_packages`` no wheel is taken. These three hold normalized project
    names, sorted. ``requires_itself`` are the project's own name and the place of each
    requirement on it without an extra, which asks for nothing.
    """

    requires_python: str = ""
    requirements: tuple[RootRequirement, ...] = ()
    requires_itself: tuple[tuple[str, str], ...] = ()
    constraints: tuple[Requirement, ...] = ()
    overrides: tuple[Requirement, ...] = ()
    upgrades: tuple[Requirement, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    indexes: tuple[IndexLocation, ...] = ()
    sources: Mapping[str, tuple[IndexSource, ...]] = field(default_factory=dict)
    exclude_newer: int | None = None
    resolution: ResolutionMode = "highest"
    prerelease: PrereleasePolicy = "if-necessary-or-explicit"
    align: Alignment = "prefer"
    default_target: str | None = None
    exclude_variants: tuple[str, ...] = ()
    prefer_variants: tuple[str, ...] = ()
    enable_providers: tuple[str, ...] = ()
    build: BuildPolicy = "local"
    build_packages: tuple[str, ...] = ()
    no_build_packages: tuple[str, ...] = ()
    no_binary_packages: tuple[str, ...] = ()

    def forbidding_build(self, name: str) -> ForbiddingKey | None:
        """Return the key that forbids building a project at any time, None if none."""
        if name in self.no_build_packages:
            return "no-build-package"
        if self.build == "none" and name not in self.build_packages:
            return "build"
        return None


def index_in_words(name: str) -> str:
    """Name an index for people; the one that nobody has named is just the index."""
    return "the index" if name == DEFAULT_INDEX else f"index {name}"
