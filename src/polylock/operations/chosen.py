"""The groups and extras that a command installs or shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from packaging.utils import canonicalize_name

from polylock.errors import NoSuchTarget, UsageError
from polylock.lockfile.select import default_groups, project_groups
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from polylock.lockfile.pylock import Pylock
    from polylock.project.settings import Settings

__all__ = ["Chosen", "GroupOptions", "SelectOptions", "chosen_by", "every_group"]


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
        extras = tuple(pylock.extras or ()) if self.all_extras else self.extras
        if self.only_groups:
            groups = (*self.only_groups, *self.groups)
            extras = ()
        elif self.all_groups:
            groups = (*project_groups(pylock), *self.groups)
        else:
            default = () if self.no_default_groups else default_groups(pylock)
            groups = (*default, *self.groups)
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

    def _check(self, pylock: Pylock) -> None:
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


def given_options(settings: Settings) -> GroupOptions:
    """Return the options for groups and extras in the settings."""
    return GroupOptions(
        groups=tuple(settings.groups),
        no_groups=tuple(settings.no_groups),
        only_groups=tuple(settings.only_groups),
        all_groups=settings.all_groups,
        no_default_groups=settings.no_default_groups,
        extras=tuple(settings.extras),
        all_extras=settings.all_extras,
    )


def chosen_by(settings: Settings, pylock: Pylock) -> Chosen:
    """Return the groups and extras that the settings choose.

    A new environment gets them by ``sync``. Raises NoSuchTarget, UsageError.
    """
    return given_options(settings).chosen(pylock)


def every_group(pylock: Pylock) -> Chosen:
    """Return all groups except targets, and all extras."""
    return Chosen(groups=project_groups(pylock), extras=tuple(pylock.extras or ()))


def chosen_to_show(settings: Settings, pylock: Pylock) -> Chosen:
    """Return the choice of the settings, or everything if they choose nothing."""
    given = given_options(settings)
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
    groups, extras = project_groups(pylock), pylock.extras or ()
    kept = GroupOptions(
        groups=_known(earlier.groups, groups),
        no_groups=_known(earlier.no_groups, groups),
        only_groups=_known(earlier.only_groups, groups),
        all_groups=earlier.all_groups,
        no_default_groups=earlier.no_default_groups,
        extras=_known(earlier.extras, extras),
        all_extras=earlier.all_extras,
    )
    of_groups = kept if adding or not given.decides_groups else given
    of_extras = kept if adding or not given.decides_extras else given
    if given.only_groups:
        of_groups, of_extras = given, GroupOptions()
    elif adding:
        of_groups = _sum(given, kept)
        of_extras = of_groups
    elif given.decides_extras and not given.decides_groups and kept.only_groups:
        of_groups = GroupOptions()
    return GroupOptions(
        groups=of_groups.groups,
        no_groups=of_groups.no_groups,
        only_groups=of_groups.only_groups,
        all_groups=of_groups.all_groups,
        no_default_groups=of_groups.no_default_groups,
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
        extras=tuple(dict.fromkeys((*kept.extras, *given.extras))),
        all_extras=kept.all_extras or given.all_extras,
    )


def _known(names: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    spelled = {canonicalize_name(name) for name in known}
    return tuple(name for name in names if canonicalize_name(name) in spelled)
