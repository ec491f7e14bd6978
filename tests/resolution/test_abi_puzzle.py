"""A puzzle of three projects whose wheels are tied to versions of torch.

The metadata is that of wheelnext/variant-abi-dependency-example
(``tests/data/variants/ORIGINS.tsv``). vllm was built against torch 2.8.0 for CUDA 12
alone, flash-attn against both. The labels of torch name a property that their own
static properties do not have, so they fit nobody, and its plain wheels are taken.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from fakes.source import MemorySource
from fakes.universes import inputs_of
from fakes.variant_data import DATA
from polylock.errors import NoSolution
from polylock.explain.failure import solved
from polylock.model.target import (
    Architecture,
    NvidiaGpu,
    OperatingSystem,
    PythonRelease,
    Target,
    TargetDescription,
)
from polylock.ports import SilentReporter
from polylock.providers.derive import build_target
from polylock.resolution.solve import Solver

ROOTS = ["flash-attn", "vllm"]


def release(name: str, *, plain: bool = False) -> dict[str, Any]:
    """Return a release with a wheel for each label of its published metadata."""
    path = DATA / "abi-dependency" / f"{name}-variants.json"
    variants = json.loads(path.read_text("utf-8"))
    wheels: list[dict[str, str]] = [{"label": each} for each in variants["variants"]]
    return {
        "variants": variants,
        "wheels": [*wheels, {}] if plain else wheels,
        "requires": [] if name.startswith("torch") else ["torch"],
    }


def packages() -> dict[str, dict[str, Any]]:
    """Return the index of the puzzle."""
    return {
        "flash-attn": {"2.8.0": release("flash_attn-2.8.0")},
        "vllm": {"0.11.0": release("vllm-0.11.0")},
        "torch": {
            version: release(f"torch-{version}", plain=True)
            for version in ("2.8.0", "2.9.0")
        },
    }


def target(
    *, driver: str = "13.0", properties: dict[str, dict[str, list[str]]] | None = None
) -> Target:
    """Return a machine with this driver, or with these properties alone."""
    stated = {
        namespace: {feature: tuple(values) for feature, values in features.items()}
        for namespace, features in (properties or {}).items()
    }
    return build_target(
        TargetDescription(
            name="gpu",
            system=OperatingSystem.LINUX,
            architecture=Architecture.X86_64,
            libc="glibc-2.34",
            python=PythonRelease(major=3, minor=12),
            nvidia=NvidiaGpu(driver=driver, compute=("9.0",)),
            properties=stated,
        )
    )


def solve(roots: list[str], machine: Target) -> dict[str, str]:
    """Return version and label by name."""
    solver = Solver(
        inputs=inputs_of(roots, "allow"),
        source=MemorySource(packages()),
        reporter=SilentReporter(),
    )
    (resolution,) = solved(solver, [machine]).resolutions
    return {
        str(name): f"{pin.version} {pin.variant_label or ''}".strip()
        for name, pin in resolution.pins.items()
    }


@pytest.mark.parametrize("roots", [ROOTS, ROOTS[::-1], ["torch", *ROOTS]])
def test_cuda_12(roots: list[str]) -> None:
    """With a driver for CUDA 12.8 all of them take torch 2.8.0 and CUDA 12."""
    assert solve(roots, target(driver="12.8")) == {
        "flash-attn": "2.8.0 cu12_pyt2.8.0",
        "torch": "2.8.0",
        "vllm": "0.11.0 cu128_pyt2.8.0",
    }


def test_without_vllm() -> None:
    """flash-attn alone takes the newest torch that its best label was built against."""
    assert solve(["flash-attn"], target(driver="12.8")) == {
        "flash-attn": "2.8.0 cu12_pyt2.9.0",
        "torch": "2.9.0",
    }
    assert solve(["flash-attn"], target())["flash-attn"] == "2.8.0 cu13_pyt2.9.0"


def test_cuda_13_alone() -> None:
    """With only CUDA 13 there is no vllm, and the error says why."""
    machine = target(properties={"nvidia": {"cuda_version_lower_bound": ["13.0"]}})
    with pytest.raises(NoSolution) as caught:
        solve(ROOTS, machine)
    assert (
        "vllm 0.11.0: label cu128_pyt2.8.0: needs nvidia :: cuda_version_lower_bound "
        ":: 12.0, and the target supports 13.0"
    ) in caught.value.details()


def test_torch_that_vllm_was_not_built_against() -> None:
    """A torch that the project requires excludes vllm, and the error says why."""
    with pytest.raises(NoSolution) as caught:
        solve(["vllm", "torch>=2.9"], target())
    told = "\n".join(caught.value.details())
    assert "vllm 0.11.0 (cu128_pyt2.8.0): is built against torch 2.8.0" in told
