"""The keys of a target that say what system it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from polylock.errors import ProjectError
from polylock.model.target import Architecture, OperatingSystem
from polylock.project.target_values import (
    parse_python,
    read_dependencies,
    read_libc,
    read_macos,
    read_platform,
    read_properties,
    read_python,
    read_runs_on,
)
from polylock.toml_tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable

LINUX, MACOS, WINDOWS = OperatingSystem
X86_64, AARCH64 = Architecture


def table(**values: Any) -> Table:  # noqa: ANN401  # TOML values
    """Return the table of a target; underscores in keys are hyphens."""
    named = {key.replace("_", "-"): value for key, value in values.items()}
    return Table(named, path="pyproject.toml", parts=("t",))


def refused(read: Callable[[], object]) -> tuple[str, str]:
    """Return key path and problem of the error, which has a next step or a type."""
    with pytest.raises(ProjectError) as caught:
        read()
    assert caught.value.hint() or "must be" in caught.value.problem
    return caught.value.key, caught.value.problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux-x86_64", (LINUX, X86_64)),
        ("linux-aarch64", (LINUX, AARCH64)),
        ("macos-arm64", (MACOS, AARCH64)),
        ("windows-AMD64", (WINDOWS, X86_64)),
    ],
)
def test_platforms(text: str, expected: tuple[OperatingSystem, Architecture]) -> None:
    """The spellings of each system for its architectures are accepted."""
    assert read_platform(table(platform=text)) == expected


@pytest.mark.parametrize(
    "text", ["linux", "linux-riscv64", "bsd-x86_64", "", "Linux-x"]
)
def test_other_platforms_are_refused(text: str) -> None:
    """An unknown platform is an error."""
    key, problem = refused(lambda: read_platform(table(platform=text)))
    assert key == "t.platform"
    assert problem == f"{text!r} is not a platform"


def test_missing_platform_is_told() -> None:
    """A target has a platform."""
    assert refused(lambda: read_platform(table())) == ("t.platform", "is missing")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "glibc-2.28"),
        ("glibc-2.34", "glibc-2.34"),
        ("musl-1.2", "musl-1.2"),
        ("glibc-02.034", "glibc-2.34"),
    ],
)
def test_libc(text: str | None, expected: str) -> None:
    """A Linux target has a C library, by default glibc 2.28."""
    assert read_libc(table(libc=text), LINUX) == expected


@pytest.mark.parametrize("text", ["glibc", "2.34", "musl-1.2.4", "uclibc-1.0", ""])
def test_other_libc_is_refused(text: str) -> None:
    """A C library without a version, or an unknown one, is an error."""
    if not text:
        assert read_libc(table(libc=text), LINUX) == "glibc-2.28"
        return
    key, problem = refused(lambda: read_libc(table(libc=text), LINUX))
    assert (key, problem) == (
        "t.libc",
        f"{text!r} is not a C library with its version",
    )


@pytest.mark.parametrize("system", [MACOS, WINDOWS])
def test_libc_fits_linux_alone(system: OperatingSystem) -> None:
    """Libc on another system is an error."""
    assert read_libc(table(), system) is None
    key, problem = refused(lambda: read_libc(table(libc="glibc-2.28"), system))
    assert (key, problem) == ("t.libc", f"does not fit a {system} target")


@pytest.mark.parametrize(
    ("text", "architecture", "expected"),
    [
        (None, AARCH64, "14.0"),
        (None, X86_64, "14.0"),
        ("14.0", AARCH64, "14.0"),
        ("10.9", X86_64, "10.9"),
    ],
)
def test_macos(text: str | None, architecture: Architecture, expected: str) -> None:
    """A macOS target has an oldest version, with a default."""
    assert read_macos(table(macos=text), MACOS, architecture) == expected


@pytest.mark.parametrize(
    ("text", "architecture", "problem"),
    [
        ("14", AARCH64, "'14' is not a macOS version"),
        ("10.15", AARCH64, "macOS 10.15 does not run on arm64"),
        ("9.2", X86_64, "macOS 9.2 does not run on x86_64"),
    ],
)
def test_other_macos_is_refused(
    text: str, architecture: Architecture, problem: str
) -> None:
    """A version that does not exist for the architecture is an error."""
    found = refused(lambda: read_macos(table(macos=text), MACOS, architecture))
    assert found == ("t.macos", problem)


def test_macos_fits_macos_alone() -> None:
    """Macos on another system is an error."""
    assert read_macos(table(), LINUX, X86_64) is None
    found = refused(lambda: read_macos(table(macos="14.0"), LINUX, X86_64))
    assert found == ("t.macos", "does not fit a linux target")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.12", "3.12"),
        ("cpython3.12", "3.12"),
        ("3.12.7", "3.12.7"),
        ("3.13t", "3.13t"),
        ("3.14.1t", "3.14.1t"),
        ("pypy3.11", "pypy3.11"),
    ],
)
def test_pythons(text: str, expected: str) -> None:
    """Each form of a Python is read."""
    assert str(parse_python(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "2.7",
        "3.12t",
        "pypy3.13t",
        "jython3.1",
        "3.12.7.1",
        "3.x",
        " 3.1",
        "3.99",
    ],
)
def test_other_pythons_are_refused(text: str) -> None:
    """A Python that does not exist is an error."""
    assert parse_python(text) is None
    key, problem = refused(lambda: read_python(text, table(), "python", 1))
    assert key == "t.python[1]"
    assert "is not a Python" in problem


def test_number_is_no_python() -> None:
    """3.10 without quotes is a number, and 3.1: the advice is to quote it."""
    with pytest.raises(ProjectError) as caught:
        read_python(3.12, table(), "python")
    assert caught.value.problem == "must be a string, not a float"
    assert caught.value.hint() == 'write "3.12"'
    with pytest.raises(ProjectError) as caught:
        read_python(3.10, table(), "python")
    assert caught.value.hint() == 'write "3.10"'


def test_properties_keep_their_order() -> None:
    """Features and values stay in the order of the file, repetitions dropped."""
    values = {"ns": {"b": ["2", "1", "2"], "a": ["1"]}}
    found = read_properties(table(properties=values))
    assert list(found["ns"].items()) == [("b", ("2", "1")), ("a", ("1",))]
    assert read_properties(table()) == {}


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ([], "t.properties"),
        ({"NS": {}}, "t.properties.NS"),
        ({"abi_dependency": {"torch": ["2.9"]}}, "t.properties.abi_dependency"),
        ({"ns": 1}, "t.properties.ns"),
        ({"ns": {"a-b": ["1"]}}, "t.properties.ns.a-b"),
        ({"ns": {"a": "1"}}, "t.properties.ns.a"),
        ({"ns": {"a": []}}, "t.properties.ns.a"),
        ({"ns": {"a": [1]}}, "t.properties.ns.a[0]"),
        ({"ns": {"a": ["X"]}}, "t.properties.ns.a"),
    ],
)
def test_wrong_properties_are_refused(value: object, key: str) -> None:
    """Names and types of raw lists are checked."""
    assert refused(lambda: read_properties(table(properties=value)))[0] == key


@pytest.mark.parametrize(
    ("value", "expected"), [("a", ("a",)), (["a", "b"], ("a", "b")), ([], ())]
)
def test_runs_on(value: object, expected: tuple[str, ...]) -> None:
    """runs-on is one label or several."""
    assert read_runs_on(table(runs_on=value)) == expected
    assert read_runs_on(table()) == ()


@pytest.mark.parametrize(("value", "key"), [(1, "t.runs-on"), ([1], "t.runs-on[0]")])
def test_wrong_runs_on_is_refused(value: object, key: str) -> None:
    """runs-on of another type is an error."""
    assert refused(lambda: read_runs_on(table(runs_on=value)))[0] == key


def test_dependencies_are_requirements() -> None:
    """Dependencies are kept as written, variant markers allowed."""
    texts = ["nvidia-ml-py>=12", 'a; "nvidia" in variant_namespaces']
    assert read_dependencies(table(dependencies=texts)) == tuple(texts)
    found = refused(lambda: read_dependencies(table(dependencies=["a", "b c"])))
    assert found == ("t.dependencies[1]", "'b c' is not a requirement")
