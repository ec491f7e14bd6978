"""The ``nvidia`` namespace, derived and detected."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.machine import FakeMachine, FakeNvml
from fakes.variant_data import vectors
from polylock.model.target import NvidiaGpu
from polylock.providers.nvidia import derive, detect, feature_lists

REFERENCE = vectors("reference_plugins")
MACHINES = {  # the CUDA version of the driver and the capabilities in each case's name
    "nvidia: H100 + CUDA 13.0 driver": ("13.0", "9.0"),
    "nvidia: A100 + 12.4": ("12.4", "8.0"),
    "nvidia: RTX 4090 + 12.8": ("12.8", "8.9"),
    "nvidia: GH200 + 12.8": ("12.8", "9.0"),
    "nvidia: B200 + 13.0": ("13.0", "10.0"),
    "nvidia: RTX 5090 + 13.0": ("13.0", "12.0"),
    "nvidia: DGX Spark GB10 + 13.0": ("13.0", "12.1"),
    "nvidia: T4 + 12.2": ("12.2", "7.5"),
    "nvidia: hetero 7.5/8.9/9.0 + 12.7": ("12.7", "7.5 8.9 8.9 9.0"),
    "nvidia: driver 16.0": ("16.0", "9.0"),
    "nvidia: cc 4.9": ("12.7", "4.9"),
    "nvidia: force cuda 12.7 sm 12.5, no driver": ("12.7", "12.5"),
    "nvidia: force cuda only, no driver": ("12.8", ""),
}


def lists(case: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return what the published plugin answered."""
    return [(feature, tuple(values)) for feature, values, _ in REFERENCE[case][0]]


@pytest.mark.parametrize("case", MACHINES)
def test_lists_are_those_of_the_published_plugin(case: str) -> None:
    """A driver and its GPUs have the lists that the published plugin gives."""
    driver, compute = MACHINES[case]
    found = derive(NvidiaGpu(driver=driver, compute=tuple(compute.split())))
    assert list(found.items()) == lists(case)


@pytest.mark.parametrize(
    ("case", "driver", "compute"),
    [
        ("nvidia: force 16.25", (16, 25), [(12, 5)]),
        ("nvidia: force 10.9", (10, 9), [(8, 9)]),
        ("nvidia: force 12", (12, 0), [(8, 9)]),
    ],
)
def test_rule_holds_outside_the_range_of_drivers(
    case: str, driver: tuple[int, int], compute: list[tuple[int, int]]
) -> None:
    """The bare rule answers as the published plugin does for a forced version."""
    found = feature_lists(driver, compute)
    expected = dict(lists(case))
    assert found["sm_arch"][-1] == expected["sm_arch"][-1]
    for feature in ("cuda_version_lower_bound", "cuda_version_upper_bound"):
        assert found.get(feature) == expected.get(feature)


def test_driver_without_gpu_keeps_its_bounds() -> None:
    """A driver without a GPU supports the bounds and no architecture.

    Deviation: the published plugin fails with an IndexError here, which is a bug, and
    its query as a whole with it.
    """
    assert "IndexError" in REFERENCE["nvidia: zero devices + 12.7"][0]
    found = derive(NvidiaGpu(driver="12.7"))
    assert list(found) == ["cuda_version_lower_bound", "cuda_version_upper_bound"]


@pytest.mark.parametrize(
    "case", ["nvidia: no driver", "nvidia: force sm only, no driver"]
)
def test_no_driver_is_no_property(case: str) -> None:
    """Without a driver nothing is supported, as with the published plugin."""
    assert lists(case) == []
    assert detect(FakeMachine()) is None


@pytest.mark.parametrize("driver", ["10.2", "15.21", "16.0"])
def test_driver_outside_the_range_supports_nothing(driver: str) -> None:
    """The published provider knows CUDA 11.0 to 15.20."""
    assert derive(NvidiaGpu(driver=driver, compute=("9.0",))) == {}


def with_nvml(nvml: Any, name: str = "libnvidia-ml.so.1") -> FakeMachine:  # noqa: ANN401  # a C library
    """Return a Linux machine with this library."""
    return FakeMachine(libraries={name: nvml})


@pytest.mark.parametrize(
    ("nvml", "expected"),
    [
        (FakeNvml(12080, ((8, 9),)), NvidiaGpu(driver="12.8", compute=("8.9",))),
        (FakeNvml(13000), NvidiaGpu(driver="13.0")),
        (
            FakeNvml(12070, ((7, 5), (9, 0), None)),
            NvidiaGpu(driver="12.7", compute=("7.5", "9.0")),
        ),
        (FakeNvml(13000, ((9, 0),), count=999), None),
        (FakeNvml(13000, ((9, 0),), handle=15), NvidiaGpu(driver="13.0")),
        (FakeNvml(13000, ((9, 0),), driver=999), None),
        (FakeNvml(13000, ((9, 0),), init=9), None),
        (
            FakeNvml(13000, ((9, 0),), version_v2=12),
            NvidiaGpu(driver="13.0", compute=("9.0",)),
        ),
        (FakeNvml(13000, ((9, 0),), version_v2=12, version=12), None),
        (
            FakeNvml(11040, ((8, 0),), version_v2=13),
            NvidiaGpu(driver="11.4", compute=("8.0",)),
        ),
        (FakeNvml(0, ((8, 0),)), None),
    ],
    ids=[
        "one GPU",
        "driver without GPU",
        "several GPUs, one silent",
        "no count",
        "no handle",
        "no driver version",
        "driver not loaded",
        "no libcuda, the first form answers",
        "no libcuda",
        "old driver",
        "no version",
    ],
)
def test_nvml_is_asked(nvml: FakeNvml, expected: NvidiaGpu | None) -> None:
    """Each answer of NVML is an answer here, and NVML is shut down where it began."""
    assert detect(with_nvml(nvml)) == expected
    assert nvml.shut_down is (nvml.statuses.get("init", 0) == 0)


def test_library_without_the_functions_is_none() -> None:
    """A library of that name that is no NVML is passed over."""
    assert detect(with_nvml(object())) is None


def test_wsl_has_its_own_copy_of_the_library() -> None:
    """Under WSL the library lies in a folder of its own."""
    machine = with_nvml(FakeNvml(13000), "/usr/lib/wsl/lib/libnvidia-ml.so.1")
    assert detect(machine) == NvidiaGpu(driver="13.0")


def test_windows_has_another_name_for_the_library() -> None:
    """On Windows the library is nvml.dll; on macOS there is none."""
    libraries = {
        "C:/Windows/System32/nvml.dll": FakeNvml(13000),
        "libnvidia-ml.so.1": FakeNvml(11000),
    }
    machine = FakeMachine(system="Windows", libraries=libraries)
    assert detect(machine) == NvidiaGpu(driver="13.0")
    machine.system = "Darwin"
    assert detect(machine) is None


SMI = "nvidia-smi -q"
SMI_COMPUTE = "nvidia-smi --query-gpu=compute_cap --format=csv,noheader"


@pytest.mark.parametrize(
    ("report", "capabilities", "expected"),
    [
        (
            "Driver Version : 550.144\nCUDA Version        : 12.4\n",
            "9.0\n9.0\n",
            NvidiaGpu(driver="12.4", compute=("9.0",)),
        ),
        ("CUDA UMD Version : 13.0\n", "[N/A]\n\n", NvidiaGpu(driver="13.0")),
        ("CUDA Version : 13.0\n", None, NvidiaGpu(driver="13.0")),
        ("CUDA Version : N/A\n", "9.0\n", None),
        ("NVIDIA-SMI has failed", "9.0\n", None),
        (None, "9.0\n", None),
    ],
)
def test_nvidia_smi_is_asked_where_nvml_is_not(
    report: str | None, capabilities: str | None, expected: NvidiaGpu | None
) -> None:
    """The command's reports are read, whatever of them there is."""
    commands = {SMI: report, SMI_COMPUTE: capabilities}
    answers = {name: text for name, text in commands.items() if text is not None}
    assert detect(FakeMachine(commands=answers)) == expected


@pytest.mark.parametrize(
    ("report", "capabilities", "compute", "told"),
    [
        ("Attached GPUs : 2\n", None, (), "2 GPUs did not report"),
        ("Attached GPUs : 1\n", "[GPU is lost]\n", (), "a GPU did not report"),
        ("Attached GPUs : 2\n", "7.0\n[N/A]\n", ("7.0",), "a GPU did not report"),
        ("Attached GPUs : 0\n", "", (), "shows no GPU"),
        ("", "", (), "shows no GPU"),
    ],
    ids=["an old driver", "a lost GPU", "one of two", "no GPU", "an older report"],
)
def test_a_gpu_that_reports_nothing_is_not_no_gpu(
    report: str, capabilities: str | None, compute: tuple[str, ...], told: str
) -> None:
    """A driver before 470 knows no ``compute_cap``, and a lost GPU answers nothing."""
    commands = {SMI: f"CUDA Version : 11.0\n{report}"}
    if capabilities is not None:
        commands[SMI_COMPUTE] = capabilities
    warnings: list[str] = []
    found = detect(FakeMachine(commands=commands), warnings.append)
    assert found == NvidiaGpu(driver="11.0", compute=compute)
    (warning,) = warnings
    assert told in warning


@pytest.mark.parametrize(
    ("capabilities", "advice"),
    [
        (((8, 6), (8, 0), (8, 9)), 'write compute = ["8.0"]'),
        (((8, 0), (7, 5)), 'one with compute = ["7.5"], and set CUDA_VISIBLE_DEVICES'),
        (
            ((12, 0), (8, 6), (7, 5), (8, 0)),
            'one with compute = ["7.5"] and one with compute = ["8.0"], and set',
        ),
    ],
)
def test_the_advice_for_gpus_that_differ_runs_on_each(
    capabilities: tuple[tuple[int, int], ...], advice: str
) -> None:
    """Code runs on later GPUs of its major version, and on no other."""
    warnings: list[str] = []
    detect(with_nvml(FakeNvml(13000, capabilities)), warnings.append)
    (warning,) = warnings
    assert advice in warning
    assert ("does not run on another" in warning) == ("one with" in advice)


def test_library_without_the_later_functions_is_none() -> None:
    """A library that can begin and answer nothing is passed over, and shut down."""

    class Old:
        shut_down = False

        def nvmlInitWithFlags(self, _flags: int) -> int:  # noqa: N802  # NVML's name
            return 0

        def nvmlShutdown(self) -> int:  # noqa: N802  # NVML's name
            self.shut_down = True
            return 0

    library = Old()
    assert detect(with_nvml(library)) is None
    assert library.shut_down
