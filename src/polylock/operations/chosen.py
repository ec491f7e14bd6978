"""The groups and extras that a command installs or shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from packaging.utils import canonicalize_name

from polylock.errors import NoSuchTarget, UsageError
from polylock.lockfile.select import default_groups, project_groups
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from polylock.environment.venv import EnvironmentState
    from polylock.lockfile.pylock import Pylock
    from polylock.project.settings import Settings

__all__ = [
    "Chosen",
    "GroupOptions",
    "SelectOptions",
    "chosen_by",
    "chosen_to_show",
    "every_group",
    "merged",
    "options_of",
]


class SelectOptions(TypedDict):
    """A choice as the keyword arguments of ``lockfile.select.select``."""

    groups: tuple[str, ...]
    extras: tuple[str, ...]
    alone: bool


class Chosen(Value, frozen=True, kw_only=True):
    """The groups and extras that are installed; the target's own group is implied.

    With ``alone`` only what the groups require is installed.
    """

    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    alone: bool = False

    @property
    def options(self) -> SelectOptions:
        """Return the choice as keyword arguments of ``select``."""
        return {"groups": self.groups, "extras": self.extras, "alone": self.alone}


class GroupOptions(Value, frozen=True, kw_only=True):
    """The options of a user that decide which groups and extras are installed.

    Each field is the setting of its name.
    """

    groups: tuple[str, ...] = ()
    no_groups: tuple[str, ...] = ()
    only_groups: tuple[str, ...] = ()
    all_groups: bool = False
    no_default_groups: bool = False
    members: tuple[str, ...] = ()
    all_members: bool = False
    extras: tuple[str, ...] = ()
    all_extras: bool = False

    @property
    def decides_groups(self) -> bool:
        """Return True if an option for groups is given."""
        return bool(
            self.groups
            or self.no_groups
            or self.only_groups
            or self.all_groups
            or self.no_default_groups
            or self.members
            or self.all_members
        )

    @property
    def decides_extras(self) -> bool:
        """Return True if an option for extras is given."""
        return bool(self.extras or self.all_extras)

    def chosen(self, pylock: Pylock) -> Chosen:
        """Return the choice of these options in a lock file.

        Raises NoSuchTarget for a name that the lock file does not have, UsageError for
        options that exclude each other.
        """
        self._check(pylock)
        if self.members:
            return self._of_members(pylock)
        extras = tuple(pylock.extras or ()) if self.all_extras else self.extras
        if self.only_groups:
            groups = (*self.only_groups, *self.groups)
            extras = ()
        elif self.all_groups:
            of_members = {*_recorded(pylock, "members")}
            of_members |= {*_recorded(pylock, "member-groups")}
            own = (g for g in project_groups(pylock) if g not in of_members)
            groups = (*own, *self.groups)
        else:
            default = () if self.no_default_groups else default_groups(pylock)
            groups = (*default, *self.groups)
        if self.all_members:
            groups = (*groups, *_recorded(pylock, "members"))
        out = {canonicalize_name(name) for name in self.no_groups}
        return Chosen(
            groups=tuple(
                name
                for name in dict.fromkeys(groups)
                if canonicalize_name(name) not in out
            ),
            extras=tuple(dict.fromkeys(extras)),
            alone=bool(self.only_groups),
        )

    def _of_members(self, pylock: Pylock) -> Chosen:
        """Return the groups that stand for members, and for their groups and extras.

        The options for groups and extras are those of the members: ``--group test`` is
        the group test of each that has one. Raises NoSuchTarget.
        """
        members = _recorded(pylock, "members")
        further = frozenset(_recorded(pylock, "member-groups"))
        groups: list[str] = []
        for package in self.members:
            name = canonicalize_name(package)
            if name not in members:
                raise NoSuchTarget("member", package, members)
            own = [group for group in further if _owner(group, members) == name]
            groups.append(name)
            if self.all_groups or self.all_extras:
                groups += sorted(own)
            elif f"{name}-dev" in own and not self.no_default_groups:
                groups.append(f"{name}-dev")
        for kind, asked in (("dependency group", self.groups), ("extra", self.extras)):
            for each in asked:
                names = [f"{canonicalize_name(p)}-{each}" for p in self.members]
                found = [name for name in names if canonicalize_name(name) in further]
                if not found:
                    raise NoSuchTarget(kind, each, _of(self.members, further))
                groups += map(canonicalize_name, found)
        out = {
            f"{canonicalize_name(package)}-{canonicalize_name(group)}"
            for package in self.members
            for group in self.no_groups
        }
        chosen = tuple(name for name in dict.fromkeys(groups) if name not in out)
        return Chosen(groups=chosen, alone=True)

    def _check(self, pylock: Pylock) -> None:
        if self.members and (self.only_groups or self.all_members):
            other = "--only-group" if self.only_groups else "--all-packages"
            raise UsageError(f"--package and {other} exclude each other")
        if self.members:
            return
        if self.only_groups and (self.decides_extras or self.all_groups):
            other = "--all-groups" if self.all_groups else "--extra or --all-extras"
            raise UsageError(
                f"--only-group and {other} exclude each other",
                "--only-group installs what a group requires, and nothing else",
            )
        known = project_groups(pylock)
        spelled = {canonicalize_name(name) for name in known}
        # A group dev may be left out where there is none, as with uv's --no-dev.
        left_out = (name for name in self.no_groups if name != "dev")
        for name in (*left_out, *self.only_groups):
            if canonicalize_name(name) not in spelled:
                raise NoSuchTarget("dependency group", name, sorted(known))


def _recorded(pylock: Pylock, key: str) -> tuple[str, ...]:
    return () if pylock.polylock is None else pylock.polylock.inputs.lists.get(key, ())


def _owner(group: str, members: Iterable[str]) -> str:
    """Return the member that a group stands for: the longest name that fits."""
    return max(
        (each for each in members if group.startswith(f"{each}-")), key=len, default=""
    )


def _of(packages: Iterable[str], groups: Iterable[str]) -> list[str]:
    """Return the groups and extras of members by their own names, sorted."""
    prefixes = [f"{canonicalize_name(each)}-" for each in packages]
    return sorted(
        {
            group.removeprefix(prefix)
            for group in groups
            for prefix in prefixes
            if group.startswith(prefix)
        }
    )


def options_of(source: Settings | EnvironmentState) -> GroupOptions:
    """Return the options for groups and extras that settings or a state hold."""
    return GroupOptions(
        **{name: getattr(source, name) for name in GroupOptions.__struct_fields__}
    )


def chosen_by(settings: Settings, pylock: Pylock) -> Chosen:
    """Return the groups and extras that the settings choose.

    A new environment gets them by ``sync``. Raises NoSuchTarget, UsageError.
    """
    return options_of(settings).chosen(pylock)


def every_group(pylock: Pylock) -> Chosen:
    """Return all groups except targets, and all extras."""
    return Chosen(groups=project_groups(pylock), extras=tuple(pylock.extras or ()))


def chosen_to_show(settings: Settings, pylock: Pylock) -> Chosen:
    """Return the choice of the settings, or everything if they choose nothing."""
    given = options_of(settings)
    if given.decides_groups or given.decides_extras:
        return given.chosen(pylock)
    return every_group(pylock)


def merged(
    given: GroupOptions, earlier: GroupOptions, pylock: Pylock, *, adding: bool
) -> GroupOptions:
    """Return the options of a sync: the given ones, or else those of the last sync.

    Groups and extras are decided separately. With ``adding`` the given names are added
    to the earlier ones. Earlier names that the lock file no longer has are dropped.
    """
    groups = project_groups(pylock)
    named: Sequence[str] = groups
    extras: Sequence[str] = pylock.extras or ()
    members = _known(earlier.members, groups)
    if members:  # then these are groups and extras of the members
        named = extras = _of(members, _recorded(pylock, "member-groups"))
    kept = GroupOptions(
        groups=_known(earlier.groups, named),
        no_groups=_known(earlier.no_groups, named),
        only_groups=_known(earlier.only_groups, groups),
        all_groups=earlier.all_groups,
        no_default_groups=earlier.no_default_groups,
        members=members,
        all_members=earlier.all_members,
        extras=_known(earlier.extras, extras),
        all_extras=earlier.all_extras,
    )
    of_groups = kept if adding or not given.decides_groups else given
    of_extras = kept if adding or not given.decides_extras else given
    if given.only_groups or given.members:
        of_groups, of_extras = given, GroupOptions()
    elif adding:
        of_groups = _sum(given, kept)
        of_extras = of_groups
    elif given.decides_extras and not given.decides_groups and kept.only_groups:
        of_groups = GroupOptions()
    if given.members or (kept.members and not of_groups.members):
        of_extras = given  # the earlier ones were those of other members
    return GroupOptions(
        groups=of_groups.groups,
        no_groups=of_groups.no_groups,
        only_groups=of_groups.only_groups,
        all_groups=of_groups.all_groups,
        no_default_groups=of_groups.no_default_groups,
        members=of_groups.members,
        all_members=of_groups.all_members,
        extras=of_extras.extras,
        all_extras=of_extras.all_extras,
    )


def _sum(given: GroupOptions, kept: GroupOptions) -> GroupOptions:
    """Return both options; what is asked for now wins over what was left out."""
    asked = {canonicalize_name(name) for name in given.groups}
    out = [n for n in kept.no_groups if canonicalize_name(n) not in asked]
    is_alone = not (given.decides_extras or given.all_groups)
    return GroupOptions(
        groups=tuple(dict.fromkeys((*kept.groups, *given.groups))),
        no_groups=tuple(dict.fromkeys((*out, *given.no_groups))),
        only_groups=kept.only_groups if is_alone else (),
        all_groups=kept.all_groups or given.all_groups,
        no_default_groups=kept.no_default_groups or given.no_default_groups,
        members=kept.members,
        all_members=kept.all_members or given.all_members,
        extras=tuple(dict.fromkeys((*kept.extras, *given.extras))),
        all_extras=kept.all_extras or given.all_extras,
    )


def _known(names: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    spelled = {canonicalize_name(name) for name in known}
    return tuple(name for name in names if canonicalize_name(name) in spelled)
