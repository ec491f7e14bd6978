"""The ``amd`` namespace, derived and detected."""

from __future__ import annotations

import pytest

from fakes.machine import FakeMachine
from fakes.variant_data import vectors
from polylock.model.target import AmdGpu
from polylock.providers.amd import derive, detect

REFERENCE = vectors("reference_plugins")
VERSION_FILE = "/opt/rocm/.info/version"
ROCMINFO = """
Agent 1
  Name:                    AMD EPYC 9654 96-Core Processor
Agent 2
  Name:                    gfx1100
      Name:                    amdgcn-amd-amdhsa--gfx1100
Agent 3
  Name:                    gfx1036
"""


@pytest.mark.parametrize(
    ("case", "gpu"),
    [
        ("amd: MI300X ROCm 6.4", AmdGpu(rocm="6.4", gfx=("gfx942",))),
        ("amd: MI250X ROCm 7.0", AmdGpu(rocm="7.0", gfx=("gfx90a", "gfx90a"))),
        ("amd: FORCE env", AmdGpu(rocm="6.4", gfx=("gfx942", "gfx90a"))),
        (
            "amd: RX 7900 + iGPU ROCm 6.4",
            AmdGpu(rocm="6.4", gfx=("gfx1036", "gfx1100")),
        ),
    ],
)
def test_lists_are_those_of_the_published_plugin(case: str, gpu: AmdGpu) -> None:
    """Described GPUs have the lists that the published plugin gives, order kept."""
    expected = [(feature, tuple(values)) for feature, values, _ in REFERENCE[case]]
    assert list(derive(gpu).items()) == expected


def test_only_the_installed_version_is_supported() -> None:
    """ROCm 6.4 supports neither 6.3 nor 7.0; without GPUs there is the version."""
    assert derive(AmdGpu(rocm="6.4")) == {"rocm_version": ("6.4",)}


@pytest.mark.parametrize(
    "commands",
    [
        {"rocminfo": ROCMINFO},
        {"/opt/rocm/bin/rocminfo": ROCMINFO},
        {"rocm_agent_enumerator -name": "gfx000\ngfx1100\ngfx1036\ngfx1100\n"},
        {"rocminfo": "no", "rocm_agent_enumerator -name": "gfx1036\ngfx1100\n"},
    ],
)
def test_gpus_are_detected_and_sorted(commands: dict[str, str]) -> None:
    """Either command names the GPUs; the processor's own agent is none."""
    machine = FakeMachine(files={VERSION_FILE: "6.4.1-83\n"}, commands=commands)
    assert detect(machine) == AmdGpu(rocm="6.4", gfx=("gfx1036", "gfx1100"))


def test_rocm_without_a_gpu_is_left_out_with_a_warning() -> None:
    """An installation without a GPU gives no target an AMD GPU, and says so."""
    warnings: list[str] = []
    machine = FakeMachine(files={VERSION_FILE: "7.0.0"})
    assert detect(machine, warnings.append) is None
    assert warnings == ["ROCm 7.0 is installed, but shows no GPU: it is ignored"]


@pytest.mark.parametrize("files", [{}, {VERSION_FILE: ""}, {VERSION_FILE: "unknown"}])
def test_no_rocm_is_no_answer(files: dict[str, str]) -> None:
    """Without a readable version there is no ROCm."""
    assert REFERENCE["amd: none"] == []
    machine = FakeMachine(files=files, commands={"rocminfo": ROCMINFO})
    assert detect(machine) is None


def test_amd_is_asked_on_linux_alone() -> None:
    """The published provider answers on Linux alone."""
    assert detect(FakeMachine(system="Windows", files={VERSION_FILE: "6.4"})) is None
