"""One backend for torch and the projects that are built against it.

The solver takes the newest backend that has each project. An index may lack one of
them, so that torch would be for CUDA 13.2 and torchaudio for 13.0. Then all of them are
to be of the newest backend that has all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.pins import Preference
from polylock.model.source_choice import torch_choice
from polylock.model.torch_backends import index_of_backend
from polylock.resolution.versions import public

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs
    from polylock.model.pins import Pin, Resolution
    from polylock.ports import PackageSource

__all__ = ["one_backend"]


def one_backend(
    resolutions: Sequence[Resolution], inputs: Inputs, source: PackageSource
) -> Mapping[str, Mapping[NormalizedName, Preference]]:
    """Return the versions to prefer on targets with several backends, by target.

    A target is left out if no backend has all of them.
    """
    found: dict[str, Mapping[NormalizedName, Preference]] = {}
    torch = inputs.torch
    if torch is None:
        return found
    for resolution in resolutions:
        choice = torch_choice(inputs, "torch", resolution.target)
        if choice is None:
            continue
        built = [
            pin
            for name, pin in resolution.pins.items()
            if name in torch.projects and choice.of_index(pin.release.index)
        ]
        if len({pin.release.index for pin in built}) > 1:
            for fit in choice.taken:
                index = index_of_backend(fit.backend)
                versions = _versions_on(index, built, resolution, source)
                if len(versions) == len(built):
                    found[resolution.target.name] = versions
                    break
    return found


def _versions_on(
    index: str, pins: Sequence[Pin], resolution: Resolution, source: PackageSource
) -> dict[NormalizedName, Preference]:
    """Return the versions of pins that an index has, in its spelling."""
    found = {}
    for pin in pins:
        version = _version_on(index, pin, resolution, source)
        if version is not None:
            found[pin.name] = Preference(version=version)
    return found


def _version_on(
    index: str, pin: Pin, resolution: Resolution, source: PackageSource
) -> str | None:
    """Return the version of a pin as an index has it, None if it does not have it."""
    releases = source.releases(pin.name, resolution.target)
    for position, version in enumerate(releases.versions):
        if public(version) == public(pin.version) and (
            releases.release(position).index == index
        ):
            return version
    return None
