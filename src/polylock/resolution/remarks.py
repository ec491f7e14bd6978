"""What a person should know of answers that were found all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.model.inputs import Inputs
    from polylock.model.pins import Resolution
    from polylock.ports import PackageSource

__all__ = ["remarks"]


def remarks(
    resolutions: Sequence[Resolution], inputs: Inputs, source: PackageSource
) -> Iterator[str]:
    """Yield a line for each thing to know, each once, whatever it befell."""
    if inputs.exclude_newer is not None:
        yield from _without_times(resolutions, source)


def _without_times(
    resolutions: Sequence[Resolution], source: PackageSource
) -> Iterator[str]:
    """Tell of each project whose index gives no upload times at all."""
    told = set()
    for resolution in resolutions:
        for name in sorted(resolution.pins):
            releases = source.releases(name, resolution.target)
            if releases.has_upload_times or (name, releases.index) in told:
                continue
            told.add((name, releases.index))
            yield (
                f"exclude-newer has no effect on {name}: "
                f"index {releases.index} does not tell when its files were uploaded"
            )
