"""Which groups and extras the options of a user choose."""

from __future__ import annotations

from typing import Any

import pytest

from polylock.errors import NoSuchTarget, UsageError
from polylock.lockfile.pylock import Pylock
from polylock.lockfile.record import LockedInputs, LockedTarget, Record
from polylock.operations.chosen import Chosen, GroupOptions, merged

Given = dict[str, Any]

LINUX = LockedTarget(name="linux", platform="linux-x86_64", python="3.12")


def lock(*groups: str, default: tuple[str, ...] | None = None) -> Pylock:
    """Return a lock file with groups, and the extras ``fast`` and ``gpu``."""
    lists = {} if default is None else {"default-groups": default}
    return Pylock(
        extras=("fast", "gpu"),
        dependency_groups=(*groups, "linux"),
        created_by="polylock",
        polylock=Record(inputs=LockedInputs(lists=lists), targets=(LINUX,)),
    )


@pytest.mark.parametrize(
    ("default", "options", "groups"),
    [
        (None, {}, ("dev",)),
        ((), {}, ()),
        (("docs", "test"), {}, ("docs", "test")),
        (None, {"groups": ("test",)}, ("dev", "test")),
        (None, {"groups": ("dev",)}, ("dev",)),
        (None, {"no_groups": ("Dev",)}, ()),
        (None, {"no_default_groups": True}, ()),
        (None, {"no_default_groups": True, "groups": ("docs",)}, ("docs",)),
        (None, {"all_groups": True}, ("dev", "docs", "test")),
        (None, {"all_groups": True, "no_groups": ("docs",)}, ("dev", "test")),
        (None, {"groups": ("test",), "no_groups": ("test",)}, ("dev",)),
    ],
)
def test_groups(
    default: tuple[str, ...] | None, options: dict[str, Any], groups: tuple[str, ...]
) -> None:
    """The default groups, with what is added and without what is left out, as in uv."""
    found = GroupOptions(**options).chosen(lock("dev", "docs", "test", default=default))
    assert found == Chosen(groups=groups)


def test_no_group_is_a_default_without_dev() -> None:
    """Only a group with that name is installed without being named anywhere."""
    assert GroupOptions().chosen(lock("develop", "test")) == Chosen()


def test_a_default_that_the_lock_file_lacks_is_left_out() -> None:
    """An edited record names no group that could not be selected."""
    assert GroupOptions().chosen(lock("test", default=("x", "test"))).groups == (
        "test",
    )


def test_lock_file_of_another_tool_has_no_default_of_ours() -> None:
    """Its own ``default-groups`` (PEP 751) count when its packages are selected."""
    foreign = Pylock(dependency_groups=("dev",), created_by="x")
    assert GroupOptions().chosen(foreign) == Chosen()


def test_one_group_alone() -> None:
    """No default group, no extra."""
    found = GroupOptions(only_groups=("test",)).chosen(lock("dev", "test"))
    assert found == Chosen(groups=("test",), alone=True)


def test_every_extra() -> None:
    """``--all-extras`` is every extra of the lock file."""
    assert GroupOptions(all_extras=True).chosen(lock()).extras == ("fast", "gpu")


@pytest.mark.parametrize("option", ["no_groups", "only_groups"])
def test_an_unknown_group_is_an_error(option: str) -> None:
    """Also one to leave out: a misspelled name would leave out nothing."""
    given: Given = {option: ("tets",)}
    options = GroupOptions(**given)
    with pytest.raises(NoSuchTarget, match="tets"):
        options.chosen(lock("test"))


@pytest.mark.parametrize(
    "options", [{"extras": ("gpu",)}, {"all_extras": True}, {"all_groups": True}]
)
def test_a_group_alone_excludes_everything_else(options: dict[str, Any]) -> None:
    """What was asked for and would be left out is not left out in silence."""
    with pytest.raises(UsageError, match="--only-group"):
        GroupOptions(only_groups=("test",), **options).chosen(lock("test"))


def after(
    earlier: dict[str, Any], given: dict[str, Any], *, adding: bool = False
) -> GroupOptions:
    """Return the options of a sync in an environment that was synced before."""
    return merged(
        GroupOptions(**given),
        GroupOptions(**earlier),
        lock("dev", "docs", "test"),
        adding=adding,
    )


def test_groups_and_extras_are_remembered_apart() -> None:
    """An option for groups replaces what was said of groups, and no extra."""
    earlier: Given = {
        "groups": ("docs",),
        "no_groups": ("dev",),
        "extras": ("gpu",),
    }
    assert after(earlier, {}) == GroupOptions(**earlier)
    found = after(earlier, {"groups": ("test",)})
    assert found == GroupOptions(groups=("test",), extras=("gpu",))
    found = after(earlier, {"all_extras": True})
    assert found == GroupOptions(groups=("docs",), no_groups=("dev",), all_extras=True)


def test_a_remembered_name_that_is_gone_is_dropped() -> None:
    """The group was renamed, or the extra is no longer in the project."""
    earlier: Given = {
        "groups": ("old", "test"),
        "no_groups": ("old",),
        "extras": ("old",),
    }
    assert after(earlier, {}) == GroupOptions(groups=("test",))


def test_adding_takes_nothing_away() -> None:
    """``run --group`` adds to what the last sync installed."""
    earlier: Given = {
        "groups": ("docs",),
        "no_groups": ("dev",),
        "extras": ("gpu",),
    }
    found = after(earlier, {"groups": ("test",), "extras": ("fast",)}, adding=True)
    assert found == GroupOptions(
        groups=("docs", "test"), no_groups=("dev",), extras=("gpu", "fast")
    )
    found = after(earlier, {"groups": ("dev",)}, adding=True)
    assert found == GroupOptions(groups=("docs", "dev"), extras=("gpu",))


def test_one_group_alone_stays_alone_until_more_is_asked_for() -> None:
    """``--only-group`` replaces, a group joins it, and an extra ends it."""
    alone: Given = {"only_groups": ("test",)}
    assert after({"extras": ("gpu",)}, alone) == GroupOptions(**alone)
    assert after({"groups": ("docs",)}, alone, adding=True) == GroupOptions(**alone)
    assert after(alone, {}) == GroupOptions(**alone)
    assert after(alone, {"groups": ("docs",)}, adding=True) == GroupOptions(
        groups=("docs",), **alone
    )
    gpu: Given = {"extras": ("gpu",)}
    assert after(alone, gpu) == GroupOptions(**gpu)
    assert after(alone, gpu, adding=True) == GroupOptions(**gpu)
