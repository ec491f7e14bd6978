"""NVIDIA's management library is asked, and what it refuses is told."""

from __future__ import annotations

import pytest

from fakes.machine import FakeNvml
from polylock.model.target import NvidiaGpu
from polylock.providers.nvml import ask_nvml


@pytest.mark.parametrize(
    ("statuses", "warning"),
    [
        ({"init": 9}, "it does not start: the driver is not loaded (code 9)"),
        ({"init": 18}, "reboot after a driver update (code 18)"),
        ({"init": 77}, "unknown error (code 77)"),
        ({"driver": 4}, "no driver version: this user has no permission (code 4)"),
        (
            {"version_v2": 3, "version": 3},
            "no CUDA version: this system does not support it",
        ),
        ({"count": 999}, "no number of GPUs: unknown error (code 999)"),
    ],
)
def test_refusal_is_told_in_words(statuses: dict[str, int], warning: str) -> None:
    """Each call that fails is named, with what its code means."""
    warnings: list[str] = []
    nvml = FakeNvml(13000, ((9, 0),), **statuses)
    assert ask_nvml(nvml, warnings.append) is None
    (told,) = warnings
    assert told.startswith("NVIDIA's management library does not answer: ")
    assert warning in told
    assert nvml.shut_down is ("init" not in statuses)


def test_a_lost_gpu_is_a_gpu_all_the_same() -> None:
    """The others are asked, and its place is kept."""
    warnings: list[str] = []
    nvml = FakeNvml(13000, ((9, 0), (9, 0), None))
    nvml.lost = {0}
    found = ask_nvml(nvml, warnings.append)
    assert found == NvidiaGpu(driver="13.0", compute=("", "9.0", ""))
    assert "GPU 0 cannot be opened: the GPU is lost (code 15)" in warnings[0]
    assert "GPU 2 reports no compute capability" in warnings[1]


def test_library_without_the_functions_is_too_old() -> None:
    """A library of that name with other functions is no answer and no traceback."""
    warnings: list[str] = []
    assert ask_nvml(object(), warnings.append) is None
    assert "the library is too old" in warnings[0]


def test_failing_end_changes_nothing() -> None:
    """What was answered before the library is shut down counts."""
    nvml = FakeNvml(12080, ((8, 9),), shutdown=999)
    found = ask_nvml(nvml, lambda _warning: None)
    assert found == NvidiaGpu(driver="12.8", compute=("8.9",))
