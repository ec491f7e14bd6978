"""The lock of one target as a requirements file: pins with hashes.

It names no index. Which address reaches an index, and with whose password, is a matter
of the machine that installs; the hashes see to it that any of them gives the locked
bytes. The indexes that were locked are told in a comment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from polylock.errors import UsageError
from polylock.lockfile.pylock import PackageArchive, PackageDirectory, PackageVcs
from polylock.lockfile.record import record_target, without_credentials
from polylock.model.target import usual_platform
from polylock.model.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.lockfile.pylock import Package, PackageSdist, PackageWheel
    from polylock.lockfile.select import Selected
    from polylock.operations.exchange.single_target import SingleTarget
    from polylock.operations.inspect.graph import LockedGraph

__all__ = ["PinnedRequirements"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRequirements:
    """What one target installs, and who requires it."""

    single: SingleTarget
    selected: tuple[Selected, ...]
    graph: LockedGraph

    def text(self) -> str:
        """Return the file, sorted by name, a hash on a line.

        Raises UsageError where something has no hash or no address.
        """
        return "".join(f"{visible(line)}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        target = record_target(self.single.target)
        yield (
            f"# target {target.name}: {usual_platform(target.platform)}, "
            f"Python {target.python}; written by polylock export"
        )
        indexes = {
            without_credentials(chosen.package.index)
            for chosen in self.selected
            if chosen.package.index is not None
        }
        for index in sorted(indexes):
            yield f"# index: {index}"
        for chosen in sorted(self.selected, key=lambda chosen: chosen.package.name):
            yield from self._requirement(chosen)

    def _requirement(self, chosen: Selected) -> Iterator[str]:
        package, file = chosen.package, chosen.file
        if isinstance(file, PackageVcs | PackageDirectory):
            raise UsageError(
                f"{package.name} is locked as a source tree, "
                "which a requirements file cannot name with a hash",
                "use --format pylock",
            )
        pin = f"=={package.version}"
        if isinstance(file, PackageArchive) or chosen.variant_label is not None:
            # An index page offers variant wheels to nobody by version alone, so the
            # file itself is named.
            pin = f" @ {_address(package, file)}"
        marker = self.single.left_open(package)
        condition = f" ; {marker}" if marker is not None else ""
        parts = [
            f"{package.name}{pin}{condition}",
            *(f"    --hash={kind}:{file.hashes[kind]}" for kind in sorted(file.hashes)),
        ]
        yield from (f"{part} \\" for part in parts[:-1])
        yield parts[-1]
        yield from self._reasons(package.name)

    def _reasons(self, name: str) -> Iterator[str]:
        """Yield who requires a package, as comments in the way of pip-tools and uv."""
        places = {root.name: root.places for root in self.graph.roots}
        found = [*self.graph.dependents(name), *sorted(places.get(name, ()))]
        if len(found) == 1:
            yield f"    # via {found[0]}"
        elif found:
            yield "    # via"
            yield from (f"    #   {each}" for each in found)


def _address(
    package: Package, file: PackageArchive | PackageWheel | PackageSdist
) -> str:
    if file.url is None:
        raise UsageError(
            f"{package.name} is locked as a path, "
            "which a requirements file cannot name",
            "use --format pylock",
        )
    if isinstance(file, PackageArchive) and file.subdirectory:
        return f"{file.url}#subdirectory={file.subdirectory}"
    return file.url
