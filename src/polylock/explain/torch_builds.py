"""Notes on builds of torch: a target's backend, and the obstacle to a newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.explain.accelerators import built_for
from polylock.explain.findings import (
    Note,
    TorchBackendOlder,
    TorchBackendsMixed,
    TorchBackendUnfit,
    TorchBackendUnset,
    shared,
)
from polylock.explain.screening import accelerators
from polylock.model.source_choice import declines_backend, fits, torch_choice
from polylock.resolution.candidate_pool import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.explain.findings import Finding
    from polylock.explain.screening import Solved
    from polylock.model.pins import Pin, Resolution
    from polylock.model.torch_backends import TorchChoice

__all__ = ["torch_notes"]

_TORCH = "torch"
_ACCELERATORS = {
    "nvidia": "an NVIDIA GPU",
    "amd": "an AMD GPU",
    "intel": "an Intel GPU",
}
"""The accelerators that PyTorch has backends for."""
_USES = {"nvidia": "CUDA", "amd": "ROCm", "intel": ""}
"""The platform whose libraries a build for an accelerator requires, if any."""


def torch_notes(solved: Solved) -> Iterator[Note]:
    """Yield the notes on builds of torch, each once for all targets that share it."""
    notes = (
        Note(
            project=_TORCH,
            versions=(version,),
            finding=finding,
            targets=(resolution.target.name,),
            key=_key(resolution, finding),
        )
        for resolution in solved.resolutions
        for version, finding in _of_target(solved, resolution)
    )
    yield from shared(notes, same_key=True)


def _key(resolution: Resolution, finding: Finding) -> str:
    """Return the setting that causes a finding, or that would change it."""
    if isinstance(finding, TorchBackendsMixed):
        return ""
    if isinstance(finding, TorchBackendOlder | TorchBackendUnfit):
        description = resolution.target.description
        if description.torch_backend is not None:
            return f"tool.polylock.targets.{description.name}.torch-backend"
    return "tool.polylock.torch-backend"


def _of_target(solved: Solved, resolution: Resolution) -> Iterator[tuple[str, Finding]]:
    pins = {str(name): pin for name, pin in resolution.pins.items()}
    pin = pins.get(_TORCH)
    if pin is None or pin.direct is not None:
        return
    choice = torch_choice(solved.inputs, _TORCH, resolution.target)
    if choice is None:
        if declines_backend(solved.inputs, resolution.target):
            return
        accelerator = _unused(solved, resolution, pin)
        if accelerator is not None:
            yield pin.version, TorchBackendUnset(accelerator)
        return
    finding = _not_the_newest(choice, pin)
    if finding is not None:
        yield pin.version, finding
    torch = solved.inputs.torch
    family = sorted(pins.keys() & (torch.projects if torch else set()))
    built = [pins[name] for name in family if choice.of_index(pins[name].release.index)]
    majors = {found.major for each in built if (found := built_for(each)) is not None}
    # Several majors of CUDA are another note (``accelerators``).
    if len({each.release.index for each in built}) > 1 and len(majors) < 2:
        texts = tuple(f"{each.name} {each.version}" for each in built)
        yield pin.version, TorchBackendsMixed(texts)


def _not_the_newest(
    choice: TorchChoice, pin: Pin
) -> TorchBackendOlder | TorchBackendUnfit | None:
    """Return the newer backend that cannot run, or that the chosen one cannot."""
    taken = choice.of_index(pin.release.index)
    if taken is None:
        return None
    if taken.obstacle is not None and taken.versions == ("",):
        return TorchBackendUnfit(taken.backend, taken.obstacle)
    newer = [
        (fit.backend, fit.obstacle)
        for fit in choice.fits[: choice.fits.index(taken)]
        if fit.obstacle is not None and not fit.runs(pin.version)
    ]
    if not newer:
        return None
    other, obstacle = newer[-1]
    same = [each for each in newer if each[1].about == obstacle.about]
    return TorchBackendOlder(taken.backend, other, obstacle, is_last=len(same) == 1)


def _unused(solved: Solved, resolution: Resolution, pin: Pin) -> str | None:
    """Return the accelerator of a target if its build of torch does not support it."""
    target = resolution.target
    there = [each for each in accelerators(target.description) if each in _ACCELERATORS]
    entries = solved.inputs.sources.get(_TORCH, ())
    is_chosen = "+" in pin.version or any(fits(entry, target) for entry in entries)
    built = {
        found.platform
        for each in resolution.pins.values()
        if (found := built_for(each)) is not None
    }
    if not there or is_chosen or labels_of(pin.release) or _USES[there[0]] in built:
        return None
    return _ACCELERATORS[there[0]]
