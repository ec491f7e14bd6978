"""What a target installs from a lock file."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock as OtherPylock
from packaging.tags import Tag

from fakes.lock_scenarios import SCENARIOS
from fakes.resolutions import make_target
from polylock.errors import (
    LockFileInvalid,
    NoSuchTarget,
    NothingToInstall,
    TargetMismatch,
    UsageError,
)
from polylock.explain.words import details
from polylock.lockfile.read import read_pylock
from polylock.lockfile.select import preferences, project_groups, select
from polylock.lockfile.write import pylock_text
from polylock.values import replace

if TYPE_CHECKING:
    from polylock.lockfile.pylock import Pylock
    from polylock.lockfile.select import Selected

LINUX = make_target("linux")
WHEELS = """wheels = [{ url = "https://e.example.com/x-1-py3-none-any.whl", \
hashes = { sha256 = "00" } }]"""


def lock(text: str) -> Pylock:
    """Return the lock file with this text after its first lines."""
    return read_pylock(f'lock-version = "1.0"\ncreated-by = "t"\n{text}', "pylock.toml")


def names(selected: tuple[Selected, ...]) -> list[str]:
    """Return names and versions."""
    return [f"{each.package.name} {each.package.version}" for each in selected]


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_select_returns_what_was_pinned(name: str) -> None:
    """Every target gets its pins, the file and the label, and nothing else."""
    scenario = SCENARIOS[name]()
    pylock = scenario.assemble()

    for resolution in scenario.resolutions:
        selected = select(
            pylock,
            resolution.target,
            groups=scenario.inputs.groups,
            extras=scenario.inputs.extras,
            path="pylock.toml",
            environment={"python_full_version": "3.12.1"},
        )

        found = [
            (each.package.name, getattr(each.file, "filename", ""), each.variant_label)
            for each in selected
        ]
        assert found == [
            (pin.name, pin.file.filename, pin.variant_label)
            for _, pin in sorted(resolution.pins.items())
        ]


def test_select_agrees_with_packaging() -> None:
    """On a lock file without variants packaging.pylock makes the same choice."""
    scenario = SCENARIOS["platforms"]()
    pylock = scenario.assemble()
    other = OtherPylock.from_dict(tomllib.loads(pylock_text(pylock)))

    for target in scenario.targets:
        theirs = other.select(
            environment={  # type: ignore[arg-type]  # only what the markers ask for
                **target.marker_environment,
                "python_full_version": f"{target.description.python.minor_version}.9",
            },
            tags=[Tag(*tag.split("-", 2)) for tag in target.tags],
            dependency_groups=[target.name],
        )
        ours = select(pylock, target, groups=[], extras=[], path="pylock.toml")

        assert [(p.name, getattr(f, "filename", "")) for p, f in theirs] == [
            (each.package.name, getattr(each.file, "filename", "")) for each in ours
        ]


def test_select_adds_the_target_and_leaves_out_the_default_target() -> None:
    """The default target is for installers that know no target."""
    scenario = SCENARIOS["hardware"]()
    pylock = scenario.assemble()
    h100, cpu, _ = scenario.targets

    on_h100 = select(pylock, h100, groups=[], extras=[], path="p")
    on_cpu = select(pylock, cpu, groups=[], extras=[], path="p")

    assert [each.variant_label for each in on_h100] == [None, "cu130", None]
    assert [each.variant_label for each in on_cpu] == [None, None]


def test_select_takes_the_default_groups_of_another_tool() -> None:
    """Default groups that are no targets stand for what the project itself needs."""
    pylock = lock(
        'default-groups = ["default"]\n[[packages]]\nname = "x"\nversion = "1"\n'
        f"marker = \"'default' in dependency_groups\"\n{WHEELS}"
    )

    assert names(select(pylock, LINUX, groups=[], extras=[], path="p")) == ["x 1"]


def test_select_reads_names_of_groups_and_extras_in_any_spelling() -> None:
    """Names are compared normalized."""
    pylock = lock(
        'extras = ["more-things"]\ndependency-groups = ["Dev_Tools"]\n'
        '[[packages]]\nname = "x"\nversion = "1"\n'
        "marker = \"'dev-tools' in dependency_groups and 'More.Things' in extras\"\n"
        f"{WHEELS}"
    )

    selected = select(
        pylock, LINUX, groups=["dev.tools"], extras=["more_things"], path="p"
    )

    assert names(selected) == ["x 1"]
    assert select(pylock, LINUX, groups=[], extras=["more-things"], path="p") == ()


@pytest.mark.parametrize(
    ("groups", "extras", "message"),
    [
        (["nope"], [], "no dependency group named nope"),
        ([], ["nope"], "no extra named nope"),
    ],
)
def test_select_refuses_an_unknown_group_or_extra(
    groups: list[str], extras: list[str], message: str
) -> None:
    """A name that the lock file does not have is an error, not nothing."""
    pylock = SCENARIOS["project"]().assemble()

    with pytest.raises(NoSuchTarget, match=message) as caught:
        select(pylock, LINUX, groups=groups, extras=extras, path="p")

    assert "there are: " in (caught.value.hint() or "")


def test_select_asks_the_newest_patch_for_requires_python() -> None:
    """A target without a patch release counts as its newest one."""
    head = '[[packages]]\nname = "x"\nversion = "1"\n'
    entry = f'{head}requires-python = "SPECIFIER"\n{WHEELS}'
    named = make_target("linux", python="3.12.3")

    for specifier, target, environment in (
        (">=3.12.5", LINUX, None),
        (">=3.12.3", named, None),
        ("<3.12.5", LINUX, {"python_full_version": "3.12.4"}),
    ):
        pylock = lock(entry.replace("SPECIFIER", specifier))
        assert select(
            pylock, target, groups=[], extras=[], path="p", environment=environment
        )
    for specifier, target in ((">=3.13", LINUX), (">=3.12.5", named)):
        with pytest.raises(TargetMismatch) as caught:
            select(
                lock(entry.replace("SPECIFIER", specifier)),
                target,
                groups=[],
                extras=[],
                path="p",
            )
        assert caught.value.missing[0].startswith(f"x requires Python {specifier}, ")


def test_select_refuses_a_python_or_an_environment_that_is_not_locked() -> None:
    """requires-python and environments of the lock file are checked."""
    mac = make_target("mac", "macos-aarch64")

    with pytest.raises(TargetMismatch) as caught:
        select(
            lock('requires-python = ">=3.13"\npackages = []'),
            LINUX,
            groups=[],
            extras=[],
            path="p",
        )
    assert caught.value.missing == ["p requires Python >=3.13, this is 3.12"]
    with pytest.raises(TargetMismatch) as caught:
        select(
            lock("environments = [\"sys_platform == 'linux'\"]\npackages = []"),
            mac,
            groups=[],
            extras=[],
            path="p",
        )
    assert caught.value.missing == ["p is only for: sys_platform == 'linux'"]


def test_select_refuses_two_entries_for_one_package() -> None:
    """PEP 751: an ambiguity is an error; it names both."""
    entry = f'[[packages]]\nname = "x"\nversion = "1"\n{WHEELS}\n'

    with pytest.raises(LockFileInvalid) as caught:
        select(lock(entry + entry), LINUX, groups=[], extras=[], path="p")

    assert str(caught.value) == ("p: packages[1]: x is selected already by packages[0]")


def test_select_needs_the_machine_where_a_marker_is_open() -> None:
    """What a target leaves open is answered by the machine or is an error."""
    pylock = SCENARIOS["project"]().assemble()
    old, new = ({"python_full_version": f"3.12.{patch}"} for patch in (2, 3))

    with pytest.raises(UsageError, match=r"python_full_version < '3.12.3'"):
        select(pylock, LINUX, groups=[], extras=[], path="p")
    assert "async-timeout 5.0.1" in names(
        select(pylock, LINUX, groups=[], extras=[], path="p", environment=old)
    )
    assert "async-timeout 5.0.1" not in names(
        select(pylock, LINUX, groups=[], extras=[], path="p", environment=new)
    )
    with pytest.raises(UsageError, match=r"environments\[0\]"):
        select(
            lock("environments = [\"platform_release == '6'\"]\npackages = []"),
            LINUX,
            groups=[],
            extras=[],
            path="p",
        )


def test_select_counts_an_open_marker_as_true_when_told_so() -> None:
    """The most that a machine of this kind could get is what the target pinned."""
    pylock = SCENARIOS["project"]().assemble()

    selected = select(pylock, LINUX, groups=[], extras=[], path="p", open_holds=True)

    assert "async-timeout 5.0.1" in names(selected)


def test_select_lets_the_target_win_over_the_machine() -> None:
    """The markers of this machine are not used for another one."""
    pylock = lock(
        '[[packages]]\nname = "x"\nversion = "1"\n'
        f"marker = \"sys_platform == 'win32'\"\n{WHEELS}"
    )

    found = select(
        pylock,
        LINUX,
        groups=[],
        extras=[],
        path="p",
        environment={"sys_platform": "win32"},
    )

    assert found == ()


def test_select_says_why_no_file_fits() -> None:
    """A package without a file for the target names each file and its fault."""
    pylock = SCENARIOS["hardware"]().assemble()
    weak = make_target("h100")

    with pytest.raises(NothingToInstall) as caught:
        select(pylock, weak, groups=[], extras=[], path="p")

    assert str(caught.value) == "torch 2.9.0 has no file for target h100"
    assert details(caught.value) == [
        "torch-2.9.0-cp312-none-macosx_11_0_arm64.whl: its tags do not fit the target",
        (
            "cu130: needs nvidia :: cuda_version_lower_bound :: 13.0, and the target "
            "supports no nvidia property"
        ),
    ]


def test_preferences_are_the_pins_of_each_target() -> None:
    """With all extras and groups, conditions that are open included."""
    scenario = SCENARIOS["project"]()

    found = preferences(scenario.assemble())

    for resolution in scenario.resolutions:
        pins = found[resolution.target.name]
        assert {
            name: (each.version, each.filenames) for name, each in pins.items()
        } == {
            pin.name: (pin.version, (pin.file.filename,))
            for pin in resolution.pins.values()
        }


def test_preferences_are_empty_for_the_lock_file_of_another_tool() -> None:
    """Without recorded targets there are no preferences."""
    pylock = replace(SCENARIOS["project"]().assemble(), polylock=None)

    assert preferences(pylock) == {}


def test_project_groups_are_those_that_are_no_targets() -> None:
    """Targets are groups of the file, not of the project."""
    assert project_groups(SCENARIOS["project"]().assemble()) == ("dev", "empty")
