"""``[tool.polylock.targets]`` as descriptions."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from polylock.errors import ProjectError
from polylock.model.target import (
    AmdGpu,
    Architecture,
    Cpu,
    NvidiaGpu,
    OperatingSystem,
    PythonRelease,
    TargetDescription,
)
from polylock.project.targets import parse_targets

PYTHON = PythonRelease(major=3, minor=12)


def parse(
    toml: str,
    *,
    default_python: object | None = "3.12",
    reserved: tuple[str, ...] = (),
    requires_python: str = "",
) -> tuple[TargetDescription, ...]:
    """Parse tables written as they stand under ``[tool.polylock]``."""
    tables: dict[str, Any] = tomllib.loads(toml)["targets"]
    return parse_targets(
        tables,
        path="pyproject.toml",
        default_python=default_python,
        reserved=reserved,
        requires_python=requires_python,
    )


def failure(toml: str, **settings: Any) -> ProjectError:  # noqa: ANN401  # parse's own
    """Return the error of tables that are wrong."""
    with pytest.raises(ProjectError) as caught:
        parse(toml, **settings)
    error = caught.value
    assert error.path == "pyproject.toml"
    assert error.hint()
    return error


def test_full_description() -> None:
    """Every key of a target ends in its field, in the order of the file."""
    first, second = parse(
        """
        [targets.h100]
        platform = "linux-x86_64"
        libc = "glibc-2.34"
        python = "3.12.7"
        cpu = "sapphirerapids"
        nvidia = { driver = "13.0", compute = ["9.0"] }
        amd = false
        runs-on = "gpu-h100"
        dependencies = ["nvidia-ml-py"]
        properties = { myns = { feature = ["v2", "v1"] } }

        [targets.mac]
        platform = "macos-arm64"
        macos = "14.0"
        cpu = "m3"
        """
    )
    assert first == TargetDescription(
        name="h100",
        system=OperatingSystem.LINUX,
        architecture=Architecture.X86_64,
        python=PythonRelease(major=3, minor=12, patch=7),
        libc="glibc-2.34",
        cpu=Cpu(microarchitecture="sapphirerapids"),
        nvidia=NvidiaGpu(driver="13.0", compute=("9.0",)),
        properties={"myns": {"feature": ("v2", "v1")}},
        runs_on=("gpu-h100",),
        dependencies=("nvidia-ml-py",),
    )
    assert second == TargetDescription(
        name="mac",
        system=OperatingSystem.MACOS,
        architecture=Architecture.AARCH64,
        python=PYTHON,
        macos="14.0",
        cpu=Cpu(microarchitecture="m3"),
    )


def test_list_of_pythons_is_a_target_each() -> None:
    """A list expands to a target for each Python, in its order."""
    found = parse(
        """
        [targets.cpu]
        platform = "linux-x86_64"
        python = ["3.12", "3.13t", "pypy3.11", "3.12.7"]
        """
    )
    assert [(target.name, str(target.python)) for target in found] == [
        ("cpu-py312", "3.12"),
        ("cpu-py313t", "3.13t"),
        ("cpu-pypy311", "pypy3.11"),
        ("cpu-py312-7", "3.12.7"),
    ]


def test_list_for_all_targets_expands_each() -> None:
    """A list under ``tool.polylock.python`` holds for targets that name none."""
    toml = """
        [targets.a]
        platform = "linux-x86_64"
        [targets.b]
        platform = "windows-x86_64"
        python = "3.11"
    """
    found = parse(toml, default_python=["3.12", "3.13"])
    assert [target.name for target in found] == ["a-py312", "a-py313", "b"]


def test_extends_takes_keys_and_replaces_them() -> None:
    """A target that extends another has its keys, save those it gives."""
    _, found = parse(
        """
        [targets.h100]
        platform = "linux-x86_64"
        libc = "glibc-2.34"
        cpu = "zen4"
        nvidia = { driver = "13.0", compute = ["9.0"] }
        dependencies = ["nvidia-ml-py"]
        [targets.mi300x]
        extends = "h100"
        nvidia = false
        amd = { rocm = "6.4", gfx = ["gfx942"] }
        """
    )
    assert (found.libc, found.cpu) == ("glibc-2.34", Cpu(microarchitecture="zen4"))
    assert found.nvidia is None
    assert found.amd == AmdGpu(rocm="6.4", gfx=("gfx942",))
    assert found.dependencies == ("nvidia-ml-py",)


def test_variants_of_a_target() -> None:
    """Lists are absent or its own, required ones are inherited project by project."""
    first, found, plain = parse(
        """
        [targets.h100]
        platform = "linux-x86_64"
        exclude-variants = ["z", "Torch@cu13", "a::b"]
        prefer-variants = ["z", "a"]
        require-variants = { Torch = "nvidia", jax = ["b", "a"] }
        [targets.cpu]
        extends = "h100"
        exclude-variants = []
        require-variants = { Torch = [] }
        [targets.plain]
        platform = "linux-x86_64"
        """
    )
    assert first.exclude_variants == ("a :: b", "torch@cu13", "z")
    assert first.prefer_variants == ("z", "a")
    assert first.require_variants == {"torch": ("nvidia",), "jax": ("a", "b")}
    assert found.exclude_variants == ()
    assert found.prefer_variants == ("z", "a")
    assert found.require_variants == {"torch": (), "jax": ("a", "b")}
    assert plain.exclude_variants is None
    assert plain.prefer_variants is None
    assert plain.require_variants == {}


def test_extends_may_look_ahead_and_chain() -> None:
    """A target may extend one that comes later, which extends a preset."""
    found = parse(
        """
        [targets.c]
        extends = "b"
        libc = "glibc-2.35"
        [targets.b]
        extends = "a"
        cpu = "x86-64-v3"
        [targets.a]
        preset = "linux-x86_64"
        """
    )
    assert [(target.name, target.libc) for target in found] == [
        ("c", "glibc-2.35"),
        ("b", "glibc-2.28"),
        ("a", "glibc-2.28"),
    ]
    assert found[0].cpu == found[1].cpu == Cpu(level="v3")


def test_another_platform_sheds_what_belongs_to_the_old_one() -> None:
    """libc, macos and cpu of the base do not outlive its platform."""
    _, arm, mac = parse(
        """
        [targets.base]
        platform = "linux-x86_64"
        libc = "glibc-2.34"
        cpu = "zen4"
        [targets.arm]
        extends = "base"
        platform = "linux-aarch64"
        [targets.mac]
        extends = "arm"
        platform = "macos-arm64"
        """
    )
    assert (arm.libc, arm.cpu) == ("glibc-2.34", None)
    assert (mac.libc, mac.macos) == (None, "14.0")


def test_own_keys_replace_those_of_a_preset_inside_tables_too() -> None:
    """Another driver leaves the GPU, another processor its features."""
    first, second, third = parse(
        """
        [targets.first]
        preset = "h100"
        nvidia = { driver = "12.9" }
        cpu = { microarchitecture = "zen4", features = ["-avx512f"] }
        properties = { myns = { one = ["a"] } }

        [targets.second]
        extends = "first"
        nvidia = { compute = ["8.0"] }
        cpu = { level = "v2" }
        properties = { myns = { two = ["b"] } }

        [targets.third]
        extends = "second"
        nvidia = false
        cpu = "x86-64-v4"
        """
    )
    assert first.nvidia == NvidiaGpu(driver="12.9", compute=("9.0",))
    assert second.nvidia == NvidiaGpu(driver="12.9", compute=("8.0",))
    assert second.cpu == Cpu(level="v2", features=("-avx512f",))
    assert second.properties == {"myns": {"one": ("a",), "two": ("b",)}}
    assert (third.nvidia, third.cpu) == (None, Cpu(level="v4"))


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('cuda = "13.0"', "goes under nvidia"),
        ('rocm = "7.1"', "goes under amd"),
        ('gpu = "h100"', "name the maker"),
        ('glibc = "2.34"', "libc ="),
    ],
)
def test_key_that_people_expect_is_told_where_it_stands(line: str, hint: str) -> None:
    """No spelling is close to the right key."""
    error = failure(f'[targets.a]\nplatform = "linux-x86_64"\n{line}')
    assert hint in (error.hint() or "")


def test_preset_in_another_spelling_is_suggested() -> None:
    """The project file has one spelling, which the error names."""
    error = failure('[targets.a]\npreset = "RTX 4090"')
    assert error.hint() == "did you mean rtx4090?"


def test_own_keys_replace_those_of_a_preset() -> None:
    """A preset is a base like any other."""
    (found,) = parse(
        """
        [targets.big]
        preset = "h100"
        libc = "musl-1.2"
        nvidia = { driver = "13.0", compute = ["9.0", "9.0"] }
        """
    )
    assert found.libc == "musl-1.2"
    assert found.nvidia == NvidiaGpu(driver="13.0", compute=("9.0", "9.0"))
    assert found.cpu == Cpu(level="v3")


T = 'platform = "linux-x86_64"'


@pytest.mark.parametrize(
    ("toml", "key", "problem", "hint"),
    [
        ("[targets]\na = 1", "a", "must be a table", None),
        (f"[targets.A_b]\n{T}", "A_b", "not a valid name", "call it a-b"),
        (f'[targets."ä"]\n{T}', '"ä"', "not a valid name", "a-z and 0-9"),
        (f"[targets.a]\n{T}\nlib = 1", "a.lib", "not a known key", "libc"),
        (f"[targets.a]\n{T}\nzzz = 1", "a.zzz", "not a known key", "there are: pl"),
        ('[targets.a]\nextends = "b"', "a.extends", "no target 'b'", "there are none"),
        (
            f'[targets.abc]\n{T}\n[targets.b]\nextends = "abd"',
            "b.extends",
            "no target 'abd'",
            "did you mean abc?",
        ),
        (
            '[targets.a]\nextends = "b"\n[targets.b]\nextends = "a"',
            "b.extends",
            "a extends b extends a",
            None,
        ),
        ('[targets.a]\nextends = "a"', "a.extends", "a extends a", None),
        ("[targets.a]\nextends = 1", "a.extends", "must be a string", None),
        (
            '[targets.a]\npreset = "h10"',
            "a.preset",
            "no preset 'h10'",
            "did you mean h100",
        ),
        (
            '[targets.a]\npreset = "h100"\nextends = "b"',
            "a.preset",
            "either extends or preset",
            None,
        ),
        (f"[targets.a]\n{T}\npython = []", "a.python", "an empty list", "3.13t"),
        (
            f'[targets.a]\n{T}\npython = ["3.12", "3.12"]',
            "a",
            "two targets are named a-py312",
            None,
        ),
    ],
)
def test_wrong_tables(toml: str, key: str, problem: str, hint: str | None) -> None:
    """An error in a table has its key path and the next step."""
    with pytest.raises(ProjectError) as caught:
        parse(toml)
    error = caught.value
    assert error.key == f"tool.polylock.targets.{key}"
    assert problem in error.problem
    if hint is not None:
        assert hint in (error.hint() or "")


def test_missing_python_is_told() -> None:
    """A target needs a Python, its own or that of all."""
    error = failure(f"[targets.a]\n{T}", default_python=None)
    assert error.key == "tool.polylock.targets.a.python"
    assert "[tool.polylock]" in (error.hint() or "")


@pytest.mark.parametrize("name", ["a", "a-py312"])
def test_name_of_a_group_is_refused(name: str) -> None:
    """A target cannot share its name with a dependency group or an extra."""
    python = '["3.12"]' if name != "a" else '"3.12"'
    error = failure(f"[targets.a]\n{T}\npython = {python}", reserved=(name,))
    assert f"{name} is also the name of a dependency group" in str(error)


@pytest.mark.parametrize(
    ("python", "requires", "fits"),
    [
        ("3.12", ">=3.11", True),
        ("3.12", ">=3.12.4", True),
        ("3.12", "<3.12.4", False),
        ("3.12.3", "<3.12.4", True),
        ("3.10", ">=3.11", False),
        ("3.15", ">=3.11,<4", True),
    ],
)
def test_python_must_be_within_requires_python(
    python: str, requires: str, *, fits: bool
) -> None:
    """requires-python must admit the newest patch release, unless one is named."""
    toml = f'[targets.a]\n{T}\npython = "{python}"'
    if fits:
        assert parse(toml, requires_python=requires)
        return
    error = failure(toml, requires_python=requires)
    assert error.key == "tool.polylock.targets.a.python"
    assert f"Python {python} is outside requires-python" in error.problem


def test_requires_python_that_is_none_is_told() -> None:
    """An invalid requires-python is the error, not the target."""
    error = failure(f"[targets.a]\n{T}", requires_python="three")
    assert error.key == "project.requires-python"


def test_key_says_where_the_tables_stand() -> None:
    """Messages name the key path that the caller gives."""
    with pytest.raises(ProjectError) as caught:
        parse_targets(
            {"a": {"platform": "amiga"}},
            path="polylock.toml",
            default_python="3.12",
            reserved=(),
            requires_python="",
            key="targets",
        )
    assert str(caught.value) == (
        "polylock.toml: targets.a.platform: 'amiga' is not a platform"
    )
