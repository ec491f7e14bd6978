"""The inputs of a lock: everything the user asks for that can change a pin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from polylock.model.build_settings import BuildSettings
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.model.direct import DirectSource
    from polylock.model.requirements import Requirement
    from polylock.model.torch_backends import TorchChoice

__all__ = [
    "DEFAULT_INDEX",
    "EVERY_PROJECT",
    "Alignment",
    "BuildPolicy",
    "IndexFormat",
    "IndexLocation",
    "IndexSource",
    "Inputs",
    "PrereleasePolicy",
    "ResolutionMode",
    "RootRequirement",
    "TorchBackends",
    "index_in_words",
]

DEFAULT_INDEX = "default"
"""The name of the index of a project that declares none."""

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
        """Return the part of the project that declares it, as a noun phrase."""
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
    URL of a directory. An ``explicit`` index serves only projects that name it under
    ``sources``. ``format`` is ``flat`` for a directory of files or a page that links to
    them; None means simple, or as a directory looks. ``absent`` are the statuses
    besides 404 and 410 that mean that the index does not have the project.
    """

    name: str
    url: str
    explicit: bool = False
    format: IndexFormat | None = None
    absent: tuple[int, ...] = ()


class IndexSource(Value, frozen=True, kw_only=True):
    """One entry of ``[tool.polylock.sources]``: a source, and the targets it is for.

    It applies to a target that is among ``targets`` and supports all ``properties``
    (``namespace :: feature :: value``); an empty tuple applies to all. ``index`` is the
    name of an index, empty if ``direct`` is set.
    """

    index: str = ""
    direct: DirectSource | None = None
    properties: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


EVERY_PROJECT = ""
"""The key of the span of ``exclude-newer`` itself, beside those of projects."""


class TorchBackends(Value, frozen=True, kw_only=True):
    """The backends of all targets that have any, by target, and their indexes.

    ``projects`` are only on these indexes; ``optional`` are on another index if these
    do not have them.
    """

    indexes: tuple[IndexLocation, ...] = ()
    projects: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    by_target: Mapping[str, TorchChoice] = field(default_factory=dict)


class Inputs(Value, frozen=True, kw_only=True):
    """The normalized inputs of a project, without its targets.

    ``upgrades`` are the constraints of ``--upgrade-package NAME==V``; they hold for one
    run and no lock file records them.
    ``exclude_newer`` is in microseconds since 1970 UTC, and so are the values of
    ``exclude_newer_package``, which hold for one project; None: it has no cutoff.
    ``exclude_newer_spans`` are in seconds, by project, "" for all: what is recorded
    beside the times that were made from them (``cutoffs``). ``extras`` and ``groups``
    are the names that the project declares, sorted. ``sources`` maps the normalized
    project name to its entries in order, ``require_variants`` to patterns, one of
    which its label must match. ``build`` selects the projects whose build
    backends may run; those of ``build_packages`` may too, those of
    ``no_build_packages`` never. ``no_binary_packages`` are built from source. These
    three hold normalized project names, sorted. ``builds`` says how they are built.
    ``default_groups`` are the groups of ``default-groups``, sorted; None: the project
    does not say. ``members`` are the groups that stand for the members of a workspace,
    ``member_groups`` those for their extras and groups. ``trees`` has the metadata of
    source trees on disk as texts, by path (``operations.trees``). ``requires_itself``
    holds the project's own name and the place of each requirement on itself without an
    extra, which has no effect. ``torch_backend`` is the value of that key; ``torch`` is
    what follows from it and from those of the targets, None without any.
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
    exclude_newer_package: Mapping[str, int | None] = field(default_factory=dict)
    exclude_newer_spans: Mapping[str, int] = field(default_factory=dict)
    resolution: ResolutionMode = "highest"
    prerelease: PrereleasePolicy = "if-necessary-or-explicit"
    align: Alignment = "prefer"
    default_target: str | None = None
    default_groups: tuple[str, ...] | None = None
    members: tuple[str, ...] = ()
    member_groups: tuple[str, ...] = ()
    trees: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude_variants: tuple[str, ...] = ()
    prefer_variants: tuple[str, ...] = ()
    require_variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    enable_providers: tuple[str, ...] = ()
    build: BuildPolicy = "local"
    build_packages: tuple[str, ...] = ()
    no_build_packages: tuple[str, ...] = ()
    no_binary_packages: tuple[str, ...] = ()
    builds: BuildSettings = BuildSettings()
    torch_backend: str | None = None
    torch: TorchBackends | None = None

    @property
    def every_index(self) -> tuple[IndexLocation, ...]:
        """Return the project's indexes, and those of ``torch-backend``."""
        return self.indexes if self.torch is None else self.indexes + self.torch.indexes

    def cutoff_of(self, name: str) -> int | None:
        """Return the time after which files of a project are ignored, None for none."""
        return self.exclude_newer_package.get(name, self.exclude_newer)

    def forbidding_build(self, name: str) -> ForbiddingKey | None:
        """Return the key that forbids building a project at any time, None if none."""
        if name in self.no_build_packages:
            return "no-build-package"
        if self.build == "none" and name not in self.build_packages:
            return "build"
        return None


def index_in_words(name: str) -> str:
    """Return the name of an index for messages; the default one is "the index"."""
    return "the index" if name == DEFAULT_INDEX else f"index {name}"
