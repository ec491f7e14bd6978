"""The differences between a lock file and its project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.lock_scenarios import SCENARIOS
from fakes.resolutions import make_inputs, make_target
from polylock.lockfile.freshness import Difference, DifferenceKind, differences
from polylock.lockfile.read import read_pylock
from polylock.lockfile.write import pylock_text
from polylock.model.inputs import IndexLocation, IndexSource, RootRequirement
from polylock.model.requirements import Requirement
from polylock.values import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.model.inputs import Inputs
    from polylock.model.target import Target

PROJECT = SCENARIOS["project"]()
LINUX, MAC = PROJECT.targets


def lines(
    inputs: Inputs | None = None, targets: Sequence[Target] = PROJECT.targets
) -> list[str]:
    """Return the differences of the project's lock file from changed inputs."""
    found = differences(PROJECT.assemble(), inputs or PROJECT.inputs, targets)
    return [str(difference) for difference in found]


def changed(**fields: Any) -> Inputs:  # noqa: ANN401 - any field of the inputs
    """Return the project's inputs with these fields."""
    return replace(PROJECT.inputs, **fields)


def with_roots(*roots: RootRequirement, without: str = "") -> Inputs:
    """Return the project's inputs with more requirements, and without some."""
    kept = [
        root
        for root in PROJECT.inputs.requirements
        if root.requirement.name not in without.split()
    ]
    return changed(requirements=(*kept, *roots))


def root(text: str, **where: str) -> RootRequirement:
    """Return a requirement of the project."""
    return RootRequirement(requirement=Requirement.parse(text), **where)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_differences_are_none_for_what_was_just_locked(name: str) -> None:
    """A lock file is up to date with the inputs and targets that it was made from."""
    scenario = SCENARIOS[name]()
    pylock = read_pylock(pylock_text(scenario.assemble()), "p")

    assert differences(pylock, scenario.inputs, scenario.targets) == ()


def test_differences_do_not_mind_order_and_spelling() -> None:
    """Requirements in another order and spelling are the same requirements."""
    turned = tuple(reversed(PROJECT.inputs.requirements))
    respelled = with_roots(root("Redis  >= 5"), without="redis")

    assert lines(changed(requirements=turned)) == []
    assert lines(respelled) == []
    assert lines(changed(exclude_variants=("a", "b", "a"))) == []


def test_differences_do_not_mind_the_url_of_an_index() -> None:
    """An index is known by its name; a mirror may serve it."""
    moved = tuple(
        replace(index, url="https://mirror.example.com")
        for index in PROJECT.inputs.indexes
    )

    assert lines(changed(indexes=moved)) == []


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (with_roots(root("six")), ["requirement six is new"]),
        (with_roots(without="redis"), ["requirement redis>=5 is gone"]),
        (
            with_roots(root("redis>=6"), without="redis"),
            ["requirement redis is redis>=6, locked as redis>=5"],
        ),
        (
            with_roots(root("six", extra="plot"), root("six", group="dev")),
            [
                "requirement six of extra plot is new",
                "requirement six of group dev is new",
            ],
        ),
        (with_roots(without="idna"), ["requirement idna of target linux is gone"]),
        (
            with_roots(
                root("redis==5; sys_platform=='linux'"),
                root("redis==6; sys_platform!='linux'"),
                without="redis",
            ),
            [
                "requirement redis>=5 is gone",
                "requirement redis==5; sys_platform == 'linux' is new",
                "requirement redis==6; sys_platform != 'linux' is new",
            ],
        ),
        (changed(constraints=()), ["constraint idna<4 is gone"]),
        (changed(overrides=()), ["override attrs>=25 is gone"]),
        (changed(extras=()), ["extra plot is gone"]),
        (
            changed(groups=("dev", "docs")),
            ["dependency group empty is gone", "dependency group docs is new"],
        ),
        (
            changed(requires_python=">=3.11"),
            ["requires-python is >=3.11, locked as not set"],
        ),
        (
            changed(default_target="mac"),
            ["setting default-target is mac, locked as not set"],
        ),
        (
            changed(exclude_newer=None),
            ["setting exclude-newer is not set, locked as 2026-11-01T00:00:00Z"],
        ),
        (
            changed(exclude_newer_spans={"": 86_400}),
            ["setting exclude-newer is 1 day, locked as 2026-11-01T00:00:00Z"],
        ),
        (
            changed(
                exclude_newer_package={"a": None, "b": 0},
                exclude_newer_spans={"b": 86_400},
            ),
            [
                "setting exclude-newer-package a is false, locked as not set",
                "setting exclude-newer-package b is 1 day, locked as not set",
            ],
        ),
        (
            changed(resolution="highest", align="prefer", build="local"),
            [
                "setting resolution is highest, locked as lowest-direct",
                "setting align is prefer, locked as require",
                "setting build is local, locked as none",
            ],
        ),
        (
            changed(prefer_variants=("amd", "myns")),
            ["setting prefer-variants is amd, myns, locked as myns, amd"],
        ),
        (
            changed(require_variants={"redis": ("amd",), "numpy": ("amd",)}),
            [
                (
                    "setting require-variants of numpy is amd, locked as amd, "
                    "myns :: feature"
                ),
                "setting require-variants of redis is amd, locked as not set",
            ],
        ),
        (
            changed(require_variants={}),
            [
                (
                    "setting require-variants of numpy is not set, locked as amd, "
                    "myns :: feature"
                )
            ],
        ),
        (
            changed(no_binary_packages=("x",)),
            ["setting no-binary-package is x, locked as not set"],
        ),
        (
            changed(indexes=(IndexLocation(name="default", url="u"),)),
            ["index is the default index, locked as ours, gpu"],
        ),
        (
            changed(indexes=tuple(reversed(PROJECT.inputs.indexes))),
            ["index order is gpu, ours, locked as ours, gpu"],
        ),
        (
            changed(
                indexes=(
                    IndexLocation(name="ours", url="u"),
                    IndexLocation(name="gpu", url="u"),
                    IndexLocation(name="more", url="u"),
                )
            ),
            ["index more is new", "index gpu is for all projects, locked as explicit"],
        ),
        (
            changed(sources={"redis": (IndexSource(index="ours"),)}),
            [
                (
                    "source redis is ours, locked as "
                    "gpu with myns :: feature :: v2 then ours for mac"
                )
            ],
        ),
        (changed(sources={}), ["source redis is gone"]),
    ],
)
def test_differences_name_what_changed(inputs: Inputs, expected: list[str]) -> None:
    """Each item that differs has a line with what is wanted and what is locked."""
    assert lines(inputs) == expected


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([LINUX], ["target mac is gone"]),
        (
            [LINUX, make_target("new"), MAC],
            ["target new is new"],
        ),
        ([MAC, LINUX], ["the targets are mac, linux, locked as linux, mac"]),
        (
            [
                make_target(
                    "linux",
                    "linux-aarch64",
                    "3.13",
                    libc="glibc-2.34",
                    stated={"myns": {"feature": ("v2", "v1")}, "amd": {}},
                ),
                MAC,
            ],
            [
                "target linux: platform is linux-aarch64, locked as linux-x86_64",
                "target linux: python is 3.13, locked as 3.12",
                "target linux: libc is glibc-2.34, locked as glibc-2.28",
            ],
        ),
        (
            [
                make_target(
                    "linux",
                    stated={"myns": {"other": ("a",), "feature": ("v1", "v2")}},
                    derived={"x86_64": {"level": ("v1",)}},
                ),
                MAC,
            ],
            [
                "target linux: stated amd is not set, locked as supported",
                "target linux: stated myns :: feature is v1, v2, locked as v2, v1",
                "target linux: stated myns :: other is a, locked as not set",
                "target linux: derived x86_64 :: level is v1, locked as not set",
            ],
        ),
    ],
)
def test_differences_name_what_changed_in_a_target(
    targets: list[Target], expected: list[str]
) -> None:
    """Targets are compared key by key, list by list, and in their order."""
    assert lines(targets=targets) == expected


def test_differences_see_the_order_of_features() -> None:
    """The order of features in a namespace decides between variants."""
    one = make_target("t", derived={"n": {"a": ("1",), "b": ("1",)}})
    other = make_target("t", derived={"n": {"b": ("1",), "a": ("1",)}})
    scenario = replace(PROJECT, targets=(one,), resolutions=())

    found = differences(scenario.assemble(), PROJECT.inputs, [other])

    assert [str(each) for each in found if each.kind is DifferenceKind.TARGET] == [
        (
            "target t: derived order of features is n :: b, n :: a, "
            "locked as n :: a, n :: b"
        )
    ]


def test_differences_say_that_another_tool_wrote_the_file() -> None:
    """Without a record nothing can be compared."""
    pylock = replace(PROJECT.assemble(), polylock=None)

    assert [str(each) for each in differences(pylock, PROJECT.inputs, [])] == [
        "the lock file does not record its inputs"
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '"redis"\nversion = "5.0"',
            '"redis"\nversion = "4.0"',
            ["linux: redis>=5 is required, the lock has redis 4.0"],
        ),
        (
            "'plot' in extras",
            "'polt' in extras",
            ["linux: numpy is required, the lock has none"],
        ),
    ],
)
def test_differences_find_what_was_changed_by_hand(
    old: str, new: str, expected: list[str]
) -> None:
    """What the lock file installs must meet what the project requires."""
    text = pylock_text(PROJECT.assemble()).replace(old, new)
    text = text.replace("redis-5.0-", "redis-4.0-") if "4.0" in new else text

    found = differences(read_pylock(text, "p"), PROJECT.inputs, [LINUX])

    assert [
        str(each).removeprefix("target ")
        for each in found
        if each.kind is DifferenceKind.PIN
    ] == expected


def test_differences_ask_the_overrides_instead() -> None:
    """A requirement that is overridden need not be met; the override must."""
    inputs = make_inputs("x<1", overrides=(Requirement.parse("x>=2"),))
    scenario = SCENARIOS["project"]()
    pylock = replace(scenario, inputs=inputs, resolutions=()).assemble()

    found = differences(pylock, inputs, [LINUX])

    assert [str(each) for each in found if each.kind is DifferenceKind.PIN] == [
        "target linux: x>=2 is required, the lock has none"
    ]


@pytest.mark.parametrize(
    ("difference", "line"),
    [
        (
            Difference(kind=DifferenceKind.EXTRA, subject="a", wanted="a"),
            "extra a is new",
        ),
        (
            Difference(kind=DifferenceKind.CONSTRAINT, subject="a<2", locked="a<2"),
            "constraint a<2 is gone",
        ),
        (
            Difference(
                kind=DifferenceKind.REQUIRES_PYTHON,
                subject="",
                locked=">=3.11",
                wanted=">=3.12",
            ),
            "requires-python is >=3.12, locked as >=3.11",
        ),
        (
            Difference(
                kind=DifferenceKind.PIN,
                subject="target t",
                locked="a 1",
                wanted="a>=2",
            ),
            "target t: a>=2 is required, the lock has a 1",
        ),
    ],
)
def test_difference_has_a_line(difference: Difference, line: str) -> None:
    """Programs read the fields, people the line."""
    assert str(difference) == line
    assert "\n" not in line


def test_kind_is_text_for_programs() -> None:
    """The kind is its own stable value in JSON."""
    assert [str(kind) for kind in DifferenceKind][:2] == ["record", "requires-python"]
