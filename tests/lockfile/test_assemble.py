"""How resolutions become entries of the lock file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema  # type: ignore[import-untyped]  # stubs lie in another package
import msgspec
import pytest
from packaging.pylock import Pylock as OtherPylock

from fakes.lock_scenarios import SCENARIOS, TORCH_METADATA, Scenario
from fakes.resolutions import (
    make_file,
    make_inputs,
    make_pin,
    make_resolution,
    make_target,
)
from polylock.errors import FileCorrupt
from polylock.lockfile.assemble import assemble
from polylock.lockfile.write import pylock_text
from polylock.model.markers import parse_marker
from polylock.model.pins import Edge
from polylock.values import replace

if TYPE_CHECKING:
    from polylock.lockfile.pylock import Package, Pylock
    from polylock.model.pins import Pin, Resolution
    from polylock.model.target import Target

SCHEMA = (
    Path(__file__).parent.parent.parent / "schemas" / "pylock-tool-polylock.schema.json"
)
LINUX = make_target("linux")
GPU = make_target("gpu")
MAC = make_target("mac", "macos-aarch64")
WHEEL = "x-1-cp312-cp312-{}.whl"


def lock(*answers: tuple[Target, Pin], **inputs: object) -> Pylock:
    """Return the lock file of targets with one pin each."""
    return assemble(
        make_inputs("x", **inputs),
        [target for target, _ in answers],
        [make_resolution(target, [pin]) for target, pin in answers],
    )


def summary(pylock: Pylock) -> list[tuple[str, list[str]]]:
    """Return marker and wheels of each entry."""
    return [
        (str(entry.marker or ""), [wheel.filename for wheel in entry.wheels])
        for entry in pylock.packages
    ]


def only(pylock: Pylock) -> Package:
    """Return the one entry."""
    (package,) = pylock.packages
    return package


def test_targets_share_an_entry_when_they_chose_the_same_wheel() -> None:
    """One wheel for all is one entry without marker."""
    pylock = lock(
        (LINUX, make_pin("x-1-py3-none-any.whl")),
        (MAC, make_pin("x-1-py3-none-any.whl")),
    )

    assert summary(pylock) == [("", ["x-1-py3-none-any.whl"])]


def test_targets_share_an_entry_when_no_machine_could_install_both() -> None:
    """Wheels for Linux and macOS stand in one entry, by file name."""
    linux, mac = (
        WHEEL.format("manylinux_2_28_x86_64"),
        WHEEL.format("macosx_14_0_arm64"),
    )

    pylock = lock((LINUX, make_pin(linux)), (MAC, make_pin(mac)))

    assert summary(pylock) == [("", [mac, linux])]


def test_entry_is_split_when_one_machine_could_install_both() -> None:
    """Wheels for two releases of glibc overlap, so each has an entry of its own."""
    old, new = (
        WHEEL.format("manylinux_2_17_x86_64"),
        WHEEL.format("manylinux_2_28_x86_64"),
    )

    pylock = lock((LINUX, make_pin(old)), (GPU, make_pin(new)))

    assert summary(pylock) == [
        ("'gpu' in dependency_groups", [new]),
        ("'linux' in dependency_groups", [old]),
    ]


def test_entry_is_split_by_version_and_by_index() -> None:
    """Another version or another index is another entry."""
    pin = make_pin("x-1-py3-none-any.whl")
    elsewhere = make_pin("x-1-py3-none-any.whl", index_url="https://other.example.com/")

    assert len(lock((LINUX, pin), (MAC, elsewhere)).packages) == 2
    assert (
        len(lock((LINUX, pin), (MAC, make_pin("x-2-py3-none-any.whl"))).packages) == 2
    )


def test_sdist_stands_beside_wheels_that_its_target_cannot_meet() -> None:
    """Linux never takes a Mac's wheel, but may take one for a newer glibc."""
    sdist = make_pin("x-1.tar.gz")
    mac = make_pin(WHEEL.format("macosx_14_0_arm64"))
    linux = make_pin(WHEEL.format("manylinux_2_34_x86_64"))

    together = lock((LINUX, sdist), (MAC, mac))
    apart = lock((LINUX, sdist), (GPU, linux))

    assert only(together).sdist is not None
    assert len(only(together).wheels) == 1
    assert [bool(entry.sdist) for entry in apart.packages] == [False, True]


def test_entry_without_requires_python_where_its_files_differ() -> None:
    """Only a requires-python that all files share is written."""
    linux = make_pin(WHEEL.format("manylinux_2_28_x86_64"), requires_python=">=3.12")
    mac = make_pin(WHEEL.format("macosx_14_0_arm64"), requires_python=">=3.9")

    assert only(lock((LINUX, linux), (MAC, mac))).requires_python is None
    assert only(lock((LINUX, linux))).requires_python == ">=3.12"


def test_entry_combines_the_condition_with_who_installs_it() -> None:
    """Targets with the same condition share a clause."""
    extra = parse_marker("'a' in extras or 'b' in extras")
    pin = make_pin("x-1-py3-none-any.whl")
    always, maybe = (
        make_resolution(LINUX, [pin]),
        make_resolution(MAC, [pin], {"x": extra}),
    )
    never = make_resolution(GPU, [])

    def marker(*resolutions: Resolution) -> str:
        targets = [resolution.target for resolution in resolutions]
        return str(only(assemble(make_inputs("x"), targets, resolutions)).marker)

    assert marker(maybe) == "'a' in extras or 'b' in extras"
    assert marker(always, maybe) == (
        "sys_platform == 'linux' or 'a' in extras or 'b' in extras"
    )
    assert marker(maybe, never) == (
        "sys_platform == 'darwin' and ('a' in extras or 'b' in extras)"
    )
    assert marker(always, maybe, never) == (
        "'linux' in dependency_groups or "
        "(sys_platform == 'darwin' and ('a' in extras or 'b' in extras))"
    )


def test_environments_name_the_implementation_where_one_is_not_cpython() -> None:
    """Markers distinguish CPython and PyPy of one version, so no two overlap."""
    pypy = make_target("pypy", python="pypy3.11")
    cpython = make_target("cpython", python="3.11")
    pin = make_pin("x-1-py3-none-any.whl")

    markers = lock((pypy, pin), (cpython, pin), (cpython, pin)).environments

    assert markers is not None
    assert [str(marker).rpartition(" and ")[2] for marker in markers] == [
        "implementation_name == 'cpython'",
        "implementation_name == 'pypy'",
    ]


def test_default_target_is_listed_as_a_group_too() -> None:
    """Installers without a group take the default target, which can also be named."""
    pin = make_pin("x-1-py3-none-any.whl")

    pylock = lock((LINUX, pin), (MAC, pin), groups=("dev",), default_target="linux")

    assert pylock.dependency_groups == ("dev", "linux", "mac")
    assert pylock.default_groups == ("linux",)


def test_dependencies_are_the_entries_that_a_target_installs() -> None:
    """An entry of several with its name is named with version, and marker if needed."""
    parent = make_pin("p-1-py3-none-any.whl", requires=["x", "p", "gone"])
    answers = {
        LINUX: WHEEL.format("manylinux_2_17_x86_64"),
        GPU: WHEEL.format("manylinux_2_28_x86_64"),
        MAC: "x-2-py3-none-any.whl",
    }
    resolutions = [
        make_resolution(target, [parent, make_pin(name)])
        for target, name in answers.items()
    ]

    pylock = assemble(make_inputs("p"), list(answers), resolutions)

    assert pylock.packages[0].dependencies == (
        {"name": "x", "version": "1", "marker": "'gpu' in dependency_groups"},
        {"name": "x", "version": "1", "marker": "'linux' in dependency_groups"},
        {"name": "x", "version": "2"},
    )


def test_dependency_under_an_extra_is_listed() -> None:
    """An edge that holds with an extra counts as any other."""
    pin = make_pin("p-1-py3-none-any.whl")
    edge = Edge(name=make_pin("x-1-py3-none-any.whl").name, extra="more")
    pin = replace(pin, edges=(edge, edge))
    resolution = make_resolution(LINUX, [pin, make_pin("x-1-py3-none-any.whl")])

    pylock = assemble(make_inputs("p"), [LINUX], [resolution])

    assert pylock.packages[0].dependencies == ({"name": "x"},)


def test_wheels_have_the_strongest_hash_alone() -> None:
    """MD5 is not written; a file without a secure hash is an error."""
    file = make_file("x-1-py3-none-any.whl")
    both = msgspec.structs.replace(file, hashes={"md5": "00", "sha256": "AB" * 32})
    weak = msgspec.structs.replace(file, hashes={"md5": "00"})

    pylock = lock((LINUX, make_pin(file.filename, file=both)))

    assert only(pylock).wheels[0].hashes == {"sha256": "ab" * 32}
    with pytest.raises(FileCorrupt, match=r"x-1-py3-none-any\.whl: has no secure hash"):
        lock((LINUX, make_pin(file.filename, file=weak)))


def test_url_of_a_wheel_loses_its_credentials() -> None:
    """Neither the index nor the file brings a password into the lock file."""
    file = make_file("x-1-py3-none-any.whl")
    secret = msgspec.structs.replace(
        file, url=f"https://user:secret@example.com/{file.filename}"
    )

    text = pylock_text(
        lock(
            (
                LINUX,
                make_pin(
                    file.filename,
                    file=secret,
                    index_url="https://user:secret@h/simple/",
                ),
            )
        )
    )

    assert "secret" not in text


def test_variants_json_has_the_labels_that_are_listed() -> None:
    """The metadata of the release is cut to the labels that targets were given."""
    hardware = SCENARIOS["hardware"]().assemble()

    documents = [package.variants_json for package in hardware.packages]

    assert documents == [None, None, TORCH_METADATA.restricted(["cu130"]), None]


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_record_follows_its_schema(name: str) -> None:
    """Tables of polylock conform to schemas/."""
    document = tomllib.loads(pylock_text(SCENARIOS[name]().assemble()))
    plain = json.loads(json.dumps(document, default=str))
    schema = json.loads(SCHEMA.read_text())

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(plain)


@pytest.mark.parametrize("name", ["platforms", "project"])
def test_packaging_reads_a_lock_file_without_variant_wheels(name: str) -> None:
    """packaging.pylock accepts the file."""
    document = tomllib.loads(pylock_text(SCENARIOS[name]().assemble()))

    OtherPylock.from_dict(document)


def test_order_of_pins_and_roots_does_not_matter() -> None:
    """Only the order of the targets has a meaning."""
    for make in SCENARIOS.values():
        scenario = make()
        shuffled = Scenario(
            inputs=replace(
                scenario.inputs,
                requirements=tuple(reversed(scenario.inputs.requirements)),
            ),
            targets=scenario.targets,
            resolutions=tuple(
                replace(resolution, pins=dict(reversed(list(resolution.pins.items()))))
                for resolution in scenario.resolutions
            ),
        )

        assert pylock_text(shuffled.assemble()) == pylock_text(scenario.assemble())
