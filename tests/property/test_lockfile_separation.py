"""Whatever was pinned, each target gets just that from the lock file."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.resolutions import make_inputs, make_pin, make_resolution, make_target
from polylock.lockfile.assemble import assemble
from polylock.lockfile.read import read_pylock
from polylock.lockfile.select import select
from polylock.lockfile.write import pylock_text
from polylock.model.filenames import WheelFilename
from polylock.model.folding import fold
from polylock.model.markers import parse_marker
from polylock.model.platforms import compatibility_tags
from polylock.values import replace

if TYPE_CHECKING:
    from polylock.model.markers import MarkerExpression
    from polylock.model.target import Target

pytestmark = pytest.mark.property

PYTHONS = ("3.11", "3.12", "3.13", "3.13t", "pypy3.11")
SYSTEMS = ("linux-x86_64", "linux-aarch64", "macos-aarch64", "windows-x86_64")
LIBCS = {"old": "glibc-2.28", "new": "glibc-2.39", "musl": "musl-1.2"}
TARGETS = [
    make_target(f"{age}-{number}", platform, python, libc=libc)
    for number, (platform, python) in enumerate(product(SYSTEMS, PYTHONS))
    for age, libc in LIBCS.items()
]
CONDITIONS = [
    None,
    None,
    parse_marker("'one' in extras"),
    parse_marker("'dev' in dependency_groups"),
    parse_marker("'one' in extras and 'dev' in dependency_groups"),
    parse_marker("'one' in extras or 'dev' in dependency_groups"),
]
PLATFORMS = [
    "manylinux_2_17_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux_2_34_x86_64",
    "musllinux_1_2_x86_64",
    "linux_x86_64",
    "manylinux_2_28_aarch64",
    "macosx_11_0_universal2",
    "macosx_11_0_arm64",
    "win_amd64",
    "any",
]
TAGS = [
    "py3-none",
    "cp311-cp311",
    "cp312-cp312",
    "cp313-cp313",
    "cp313-cp313t",
    "cp39-abi3",
    "pp311-pypy311_pp73",
]
WHEELS = [
    f"x-{version}-{python}-{platform}.whl"
    for version in ("1", "2")
    for python in TAGS
    for platform in PLATFORMS
]


def newest(target: Target) -> Target:
    """Return the newest machine that the target could be installed on."""
    description = target.description
    libc, macos = description.libc, description.macos
    description = replace(
        description,
        libc=libc and {"glibc": "glibc-2.45", "musl": "musl-1.3"}[libc.split("-")[0]],
        macos=macos and "26.0",
    )
    tags = compatibility_tags(description)
    return replace(target, description=description, tags=tags)


def fitting(target: Target) -> list[str]:
    """Return the wheels that the target could install."""
    return [
        name
        for name in WHEELS
        if target.tag_rank(WheelFilename.parse(name)) is not None
    ]


ANSWERS = st.lists(
    st.sampled_from(TARGETS), min_size=1, max_size=7, unique_by=lambda t: t.name
).flatmap(
    lambda targets: st.tuples(
        *(
            st.tuples(
                st.just(target),
                st.none() | st.sampled_from([*fitting(target), "x-1.tar.gz"]),
                st.sampled_from(CONDITIONS),
            )
            for target in targets
        )
    )
)


@settings(max_examples=400, deadline=None)
@given(ANSWERS)
def test_each_target_installs_what_it_pinned(
    answers: tuple[tuple[Target, str | None, MarkerExpression | None], ...],
) -> None:
    """An entry is installed where the target pinned it, under its condition alone.

    That holds for the target as described, and for any newer machine of its kind.
    """
    targets = [target for target, _, _ in answers]
    resolutions = [
        make_resolution(
            target,
            [] if filename is None else [make_pin(filename)],
            {"x": condition},
        )
        for target, filename, condition in answers
    ]
    inputs = make_inputs("x", extras=("one",), groups=("dev",))
    pylock = read_pylock(pylock_text(assemble(inputs, targets, resolutions)), "p")

    for target, filename, condition in answers:
        for extras in ([], ["one"]):
            for groups in ([], ["dev"]):
                wanted = filename is not None and (
                    condition is None
                    or fold(condition, target, extras=extras, groups=groups)
                )
                for machine in (target, newest(target)):
                    selected = select(
                        pylock, machine, groups=groups, extras=extras, path="p"
                    )
                    found = [getattr(each.file, "filename", "") for each in selected]
                    assert found == ([filename] if wanted else [])
