"""What a target installs against its accelerator, and against itself."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from packaging.utils import canonicalize_name

from fakes.scenarios import inputs_of, targets_of
from fakes.source import MemorySource
from fakes.workspace import Spy
from polylock.explain.accelerators import Built, built_for
from polylock.explain.notes import notes
from polylock.explain.screening import Solved
from polylock.explain.words import note
from polylock.model.distributions import Release, RemoteFile
from polylock.model.pins import Pin
from polylock.resolution.solve import Solver
from polylock.values import replace

LINUX = {"platform": "linux-x86_64", "python": "3.12"}
GPU = {**LINUX, "nvidia": {"driver": "12.8", "compute": ["9.0"]}}
ROCM = {**LINUX, "amd": {"rocm": "6.4", "gfx": ["gfx942"]}}


def lines_of(scenario: dict[str, Any]) -> list[str]:
    """Solve a scenario and return its notes as text."""
    targets = targets_of(scenario)
    inputs, source = inputs_of(scenario, targets), MemorySource(scenario["packages"])
    solution = Solver(inputs=inputs, source=source, reporter=Spy()).solve(targets)
    return [
        note(found) for found in notes(Solved(solution.resolutions, inputs, source))
    ]


def pin(name: str, version: str) -> Pin:
    """Return a pin of which the name and the version count."""
    normalized = canonicalize_name(name)
    release = Release(name=normalized, version=version, index="x", wheels=())
    file = RemoteFile(filename="x", url="https://files.example.com/x")
    return Pin(
        name=normalized, version=version, release=release, index_url="", file=file
    )


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("nvidia-cublas-cu12", "12.8.4.1", Built("CUDA", "12")),
        ("nvidia-nvshmem-cu13", "3.3.24", Built("CUDA", "13")),
        ("cuda-toolkit", "13.2.2", Built("CUDA", "13", "2")),
        ("nvidia-cuda-runtime", "13.0.96", Built("CUDA", "13", "0")),
        ("cupy-cuda12x", "14.0", Built("CUDA", "12")),
        ("jax-cuda13-plugin", "0.9", Built("CUDA", "13")),
        ("torch", "2.9.0+cu130", Built("CUDA", "13", "0")),
        ("torch", "2.9.0+rocm6.4", Built("ROCm", "6", "4")),
        ("torch", "2.9.0+cpu", None),
        ("nvidia-cufft", "12.0.0", None),  # of CUDA 13: its version is its own
        ("numpy", "2.4.0", None),
    ],
)
def test_what_a_pin_is_built_for(
    name: str, version: str, expected: Built | None
) -> None:
    """The suffix of the name, the version or its local part, by the rules."""
    assert built_for(pin(name, version)) == expected


def test_two_majors_of_cuda_in_one_target_are_named() -> None:
    """Both are told, for either may be the wrong one."""
    told = lines_of(
        {
            "requires": ["nvidia-cublas-cu12", "nvidia-nvshmem-cu13"],
            "targets": {
                "v100": {**GPU, "nvidia": {"driver": "13.0", "compute": ["7.0"]}}
            },
            "packages": {
                "nvidia-cublas-cu12": {"12.8": {}},
                "nvidia-nvshmem-cu13": {"3.3": {}},
            },
        }
    )
    assert told == [
        (
            "v100 gets libraries of CUDA 12 (nvidia-cublas-cu12 12.8) and CUDA 13 "
            "(nvidia-nvshmem-cu13 3.3), which may not load together"
        )
    ]


def test_libraries_newer_than_the_driver_are_named_with_its_key() -> None:
    """CUDA 13 does not run on a driver for 12.8; a newer minor would."""
    scenario: dict[str, Any] = {
        "requires": ["cuda-toolkit"],
        "targets": {"old": GPU},
        "packages": {"cuda-toolkit": {"13.2.2": {}}},
    }
    assert lines_of(scenario) == [
        (
            "cuda-toolkit 13.2.2 on old: built for CUDA 13, and "
            "tool.polylock.targets.old.nvidia offers 12.8"
        )
    ]
    scenario["packages"] = {"cuda-toolkit": {"12.9.1": {}}}
    assert lines_of(scenario) == []


def variants(**labels: dict[str, dict[str, list[str]]]) -> dict[str, Any]:
    """Return a document with labels."""
    namespaces = sorted({name for label in labels.values() for name in label})
    return {
        "$schema": "https://variants.example.com/peps/825/v0.1.0.json",
        "default-priorities": {"namespace": namespaces},
        "variants": {"null": {}, **labels},
    }


def test_an_accelerator_that_no_label_serves_is_told_with_the_nearest() -> None:
    """A ROCm target gets the null build, and learns which label asks for what."""
    scenario: dict[str, Any] = {
        "requires": ["torch"],
        "targets": {"mi300x": ROCM},
        "packages": {
            "torch": {
                "2.11": {
                    "wheels": [{"label": "null"}, {"label": "rocm71"}],
                    "variants": variants(rocm71={"amd": {"rocm_version": ["7.1"]}}),
                }
            }
        },
    }
    assert lines_of(scenario) == [
        (
            "torch 2.11 on mi300x does not use an AMD GPU: rocm71 needs "
            "amd :: rocm_version :: 7.1, and the target supports 6.4; if it supports "
            "more, change tool.polylock.targets.mi300x.amd"
        )
    ]
    scenario["packages"]["torch"]["2.11"] = {
        "wheels": [{"label": "null"}, {"label": "cu12"}],
        "variants": variants(cu12={"nvidia": {"cuda_version_lower_bound": ["12.6"]}}),
    }
    assert lines_of(scenario) == [
        (
            "torch 2.11 on mi300x does not use an AMD GPU: it has variants only "
            "for others (cu12)"
        )
    ]


def test_a_provider_that_is_not_known_is_told_once() -> None:
    """The hardware of the target would change nothing, so it is not advised.

    PEP 850, "Provider information": ``requires`` names the provider.
    """
    document = variants(cu12={"nvidia": {"cuda_version_lower_bound": ["12.0"]}})
    document["providers"] = {"nvidia": {"requires": ["nvidia-variant-provider>=1"]}}
    told = lines_of(
        {
            "requires": ["torch"],
            "targets": {"box": GPU},
            "packages": {
                "torch": {
                    "2.11": {
                        "wheels": [{"label": "null"}, {"label": "cu12"}],
                        "variants": document,
                    }
                }
            },
        }
    )
    assert [each.partition(",")[0] for each in told] == [
        "torch 2.11 has variants for nvidia"
    ]


def test_a_build_for_processors_on_a_gpu_target() -> None:
    """The local version says what it is."""
    (told,) = lines_of(
        {
            "requires": ["torch"],
            "targets": {"h100": GPU},
            "packages": {"torch": {"2.9.0+cpu": {}}},
        }
    )
    assert told.startswith("torch 2.9.0+cpu on h100 does not use an NVIDIA GPU: ")


def test_a_better_label_whose_wheel_is_yanked() -> None:
    """The worse label is taken, and the better one named."""
    (told,) = lines_of(
        {
            "requires": ["gpu"],
            "targets": {"h100": GPU},
            "packages": {
                "gpu": {
                    "1.0": {
                        "wheels": [
                            {"label": "cu126"},
                            {"label": "cu128", "yanked": "broken"},
                        ],
                        "variants": variants(
                            cu126={"nvidia": {"cuda_version_lower_bound": ["12.6"]}},
                            cu128={"nvidia": {"cuda_version_lower_bound": ["12.8"]}},
                        ),
                    }
                }
            },
        }
    )
    assert (
        told == "gpu 1.0 on h100: cu128 is better than cu126, but its wheel is yanked"
    )


def with_sizes(
    scenario: dict[str, Any], universe: MemorySource, sizes: dict[str, int]
) -> list[str]:
    """Solve a scenario and return its notes, were its files of these sizes."""
    targets = targets_of(scenario)
    inputs = inputs_of(scenario, targets)
    solution = Solver(inputs=inputs, source=universe, reporter=Spy()).solve(targets)
    resolutions = [
        replace(
            found,
            pins={
                name: replace(
                    pin, file=msgspec.structs.replace(pin.file, size=sizes.get(name, 1))
                )
                for name, pin in found.pins.items()
            },
        )
        for found in solution.resolutions
    ]
    return [note(found) for found in notes(Solved(resolutions, inputs, universe))]


def test_libraries_that_an_extra_alone_brings() -> None:
    """No index helps there: the extra is what the target should not ask for."""
    universe = MemorySource(
        {
            "jax": {"1.0": {"requires": ["jax-cuda12-plugin; extra == 'cuda12'"]}},
            "jax-cuda12-plugin": {"1.0": {"requires": ["nvidia-cublas-cu12"]}},
            "nvidia-cublas-cu12": {"12.0": {}},
        }
    )
    scenario: dict[str, Any] = {"requires": ["jax[cuda12]"], "targets": {"ci": LINUX}}
    (told,) = with_sizes(scenario, universe, {"nvidia-cublas-cu12": 900_000_000})
    assert told == (
        "jax 1.0 installs 900.0 MB of GPU libraries (2 packages) on ci, without a GPU; "
        "to leave them out, move jax[cuda12] to the dependencies of the targets with a "
        "GPU"
    )


@pytest.mark.parametrize(
    ("project", "advice"),
    [
        (
            "frame",
            (
                'for a CPU build, write frame = [{ index = "NAME", targets = ["ci"] '
                "}] in [tool.polylock.sources] with an index that has CPU builds"
            ),
        ),
        (
            "torch",
            'torch-backend = "auto" in [tool.polylock] takes the build for each target',
        ),
    ],
)
def test_who_brings_gigabytes_of_libraries_to_a_target_without_a_gpu(
    project: str, advice: str
) -> None:
    """Who requires most of them is named, not the first by name nor one of them.

    Of torch there are builds to choose from.
    """
    universe = MemorySource(
        {
            "app": {"1.0": {"requires": [project]}},
            "adapter": {"1.0": {"requires": ["cuda-python"]}},
            project: {"2.15": {"requires": ["cuda-toolkit"]}},
            "cuda-toolkit": {"13.2": {"requires": ["nvidia-cublas"]}},
            "nvidia-cublas": {"13.2": {}},
            "cuda-python": {"13.2": {}},
        }
    )
    scenario: dict[str, Any] = {
        "requires": ["app", "adapter"],
        "targets": {"ci": LINUX, "h100": {**GPU, "nvidia": {"driver": "13.2"}}},
    }
    large = {"nvidia-cublas": 900_000_000, "cuda-python": 100_000_000}
    told = with_sizes(scenario, universe, large)
    assert told == [
        (
            f"{project} 2.15 installs 1.0 GB of GPU libraries (3 packages) on ci, "
            f"without a GPU; {advice}"
        )
    ]


def lost(*, only: bool = False) -> list[str]:
    """Return the notes where the label for 12.8 requires another runtime."""
    labels = {
        label: {"nvidia": {"cuda_version_lower_bound": [value]}}
        for label, value in (("cu126", "12.6"), ("cu128", "12.8"))
    }
    gpu: dict[str, Any] = {
        "wheels": [
            {"label": "cu126", "requires": ["runtime"]},
            {"label": "cu128", "requires": ["runtime>=13"]},
            {"requires": ["runtime"]},
        ],
        "variants": {
            "$schema": "https://variants.example.com/peps/825/v0.1.0.json",
            "default-priorities": {"namespace": ["nvidia"]},
            "variants": labels,
        },
    }
    if only:
        gpu["wheels"] = gpu["wheels"][1:]
    return lines_of(
        {
            "requires": ["gpu", "runtime<13"],
            "targets": {"h100": GPU},
            "packages": {"gpu": {"1.0": gpu}, "runtime": {"12.0": {}, "13.0": {}}},
        }
    )


def test_a_better_label_lost_to_a_requirement_names_it() -> None:
    """The label that was taken, the better one, and what stands against it."""
    because = "requires runtime>=13, and the project requires runtime<13"
    assert lost() == [f"gpu 1.0 on h100: cu128 is better than cu126, but it {because}"]
    (told,) = lost(only=True)
    assert told == (
        "gpu 1.0 on h100 does not use an NVIDIA GPU: cu128 fits, but it " + because
    )
