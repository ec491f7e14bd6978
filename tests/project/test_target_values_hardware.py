"""The keys of a target that say what hardware it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from polylock.errors import ProjectError
from polylock.model.target import (
    AmdGpu,
    Architecture,
    AscendNpu,
    Cpu,
    IntelGpu,
    NvidiaGpu,
    OperatingSystem,
)
from polylock.project.target_values import (
    read_amd,
    read_ascend,
    read_cpu,
    read_intel,
    read_nvidia,
    read_tpu,
)
from polylock.toml_tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable

LINUX, MACOS, WINDOWS = OperatingSystem
X86_64, AARCH64 = Architecture
READERS: dict[str, Callable[[Table, OperatingSystem], object]] = {
    "nvidia": read_nvidia,
    "amd": read_amd,
    "intel": read_intel,
    "ascend": read_ascend,
}


def table(**values: Any) -> Table:  # noqa: ANN401  # TOML values
    """Return the table of a target."""
    return Table(values, path="pyproject.toml", parts=("t",))


def refused(read: Callable[[], object]) -> ProjectError:
    """Return the error."""
    with pytest.raises(ProjectError) as caught:
        read()
    return caught.value


@pytest.mark.parametrize(
    ("value", "architecture", "expected"),
    [
        (None, X86_64, None),
        ("zen4", X86_64, Cpu(microarchitecture="zen4")),
        ("x86-64-v3", X86_64, Cpu(level="v3")),
        ("x86_64_v3", X86_64, Cpu(microarchitecture="x86_64_v3")),
        ("m3", AARCH64, Cpu(microarchitecture="m3")),
        (
            {"level": "v3", "features": ["avx512_bf16", "-vaes"]},
            X86_64,
            Cpu(level="v3", features=("avx512_bf16", "-vaes")),
        ),
        (
            {"microarchitecture": "zen4", "features": ["-vaes"]},
            X86_64,
            Cpu(microarchitecture="zen4", features=("-vaes",)),
        ),
        ({"microarchitecture": "x86-64-v2"}, X86_64, Cpu(level="v2")),
        ({"features": ["sve"]}, AARCH64, Cpu(features=("sve",))),
        ({"level": "8.4a"}, AARCH64, Cpu(level="8.4a")),
        ({"level": "8a"}, AARCH64, Cpu(level="8a")),
    ],
)
def test_cpu(value: object, architecture: Architecture, expected: Cpu | None) -> None:
    """A processor is a name, a level, or a table of either with features."""
    values = {} if value is None else {"cpu": value}
    assert read_cpu(table(**values), architecture) == expected


@pytest.mark.parametrize(
    ("value", "architecture", "key", "hint"),
    [
        ("saphirerapids", X86_64, "t.cpu", "did you mean sapphirerapids"),
        ("zen4", AARCH64, "t.cpu", "there are: aarch64"),
        ("x86-64-v3", AARCH64, "t.cpu", "there are: aarch64"),
        ("x86-64-v5", X86_64, "t.cpu", "did you mean x86-64-v"),
        ({"level": "v5"}, X86_64, "t.cpu.level", "there are: v1, v2, v3, v4"),
        ({"level": "v3"}, AARCH64, "t.cpu.level", "there are: 8a, 8.1a"),
        ({"level": "v3", "name": "x"}, X86_64, "t.cpu.name", "there are: mi"),
        ({"features": ["avx512bf16"]}, X86_64, "t.cpu.features[0]", "avx512_bf16"),
        ({"features": ["-sve"]}, X86_64, "t.cpu.features[0]", None),
        ({"features": "avx"}, X86_64, "t.cpu.features", None),
        ({"level": "v3", "microarchitecture": "zen4"}, X86_64, "t.cpu", None),
        (3, X86_64, "t.cpu", None),
        (["zen4"], X86_64, "t.cpu", None),
    ],
)
def test_wrong_cpu(
    value: object, architecture: Architecture, key: str, hint: str | None
) -> None:
    """An unknown processor of the architecture is an error with the closest names."""
    error = refused(lambda: read_cpu(table(cpu=value), architecture))
    assert error.key == key
    assert hint is None or hint in (error.hint() or "")


def test_accelerators() -> None:
    """Each accelerator is a table of its facts."""
    values = {
        "nvidia": {"driver": "13.0", "compute": ["9.0", "8.9"]},
        "amd": {"rocm": "6.4", "gfx": ["gfx942", "gfx90a"]},
        "intel": {"device-ip": ["20.1.0"]},
        "ascend": {"npu": "910b", "driver": "25.0", "cann": "8.1.rc1"},
    }
    found = {key: read(table(**values), LINUX) for key, read in READERS.items()}
    assert found == {
        "nvidia": NvidiaGpu(driver="13.0", compute=("9.0", "8.9")),
        "amd": AmdGpu(rocm="6.4", gfx=("gfx942", "gfx90a")),
        "intel": IntelGpu(device_ip=("20.1.0",)),
        "ascend": AscendNpu(npu="910b", driver="25.0", cann="8.1.rc1"),
    }


def test_driver_without_gpu_is_legal() -> None:
    """A driver need not have a GPU."""
    found = read_nvidia(table(nvidia={"driver": "12.8"}), WINDOWS)
    assert found == NvidiaGpu(driver="12.8")


@pytest.mark.parametrize("key", READERS)
def test_false_and_missing_are_none(key: str) -> None:
    """``false`` takes an accelerator away, on any system."""
    assert READERS[key](table(), LINUX) is None
    assert READERS[key](table(**{key: False}), MACOS) is None


@pytest.mark.parametrize(
    ("key", "value", "place", "problem"),
    [
        ("nvidia", True, "nvidia", "must be false or a table, not a boolean"),
        ("nvidia", "13.0", "nvidia", "must be false or a table, not a string"),
        ("nvidia", {}, "nvidia.driver", "is missing"),
        ("nvidia", {"driver": 13.0}, "nvidia.driver", "must be a string"),
        ("nvidia", {"driver": "550.144"}, "nvidia.driver", "outside 11.0 to 15.20"),
        ("nvidia", {"driver": "10.2"}, "nvidia.driver", "outside 11.0 to 15.20"),
        ("nvidia", {"driver": "13"}, "nvidia.driver", "not a version of two numbers"),
        (
            "nvidia",
            {"driver": "13.0", "compute": ["sm_90"]},
            "nvidia.compute[0]",
            "'sm_90' is not a compute capability",
        ),
        (
            "nvidia",
            {"driver": "13.0", "compute": [9.0]},
            "nvidia.compute[0]",
            "must be a string",
        ),
        ("nvidia", {"drivers": "13.0"}, "nvidia.drivers", "not a known key"),
        ("amd", {"gfx": ["gfx942"]}, "amd.rocm", "is missing"),
        ("amd", {"rocm": "6.4"}, "amd.gfx", "must list at least one"),
        ("amd", {"rocm": "6.4", "gfx": ["942"]}, "amd.gfx[0]", "is not a gfx"),
        ("intel", {"device-ip": ["20.1"]}, "intel.device-ip[0]", "is not the IP"),
        ("ascend", {"driver": "25.0"}, "ascend.npu", "is missing"),
        ("ascend", {"npu": "910B"}, "ascend.npu", "is not a feature value"),
    ],
)
def test_wrong_accelerator(key: str, value: object, place: str, problem: str) -> None:
    """An invalid value is an error with its key path."""
    error = refused(lambda: READERS[key](table(**{key: value}), LINUX))
    assert error.key == f"t.{place}"
    assert problem in error.problem


@pytest.mark.parametrize(
    ("key", "system"),
    [
        ("nvidia", MACOS),
        ("intel", MACOS),
        ("amd", WINDOWS),
        ("ascend", MACOS),
    ],
)
def test_accelerator_must_fit_the_system(key: str, system: OperatingSystem) -> None:
    """A provider that does not support the system is an error."""
    error = refused(lambda: READERS[key](table(**{key: {}}), system))
    assert (error.key, error.problem) == (f"t.{key}", f"does not fit a {system} target")
    assert f"{key} = false" in (error.hint() or "")


def test_tpu() -> None:
    """A target has a TPU or not, and on Linux alone."""
    assert read_tpu(table(tpu=True), LINUX) is True
    assert read_tpu(table(), MACOS) is False
    assert refused(lambda: read_tpu(table(tpu=True), MACOS)).key == "t.tpu"
    assert refused(lambda: read_tpu(table(tpu="yes"), LINUX)).key == "t.tpu"
