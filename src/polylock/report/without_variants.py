"""What a target would download if no index had variants, as far as a lock file tells.

A lock file lists the wheels that were chosen and no others. The plain wheel beside a
variant is known where another target of the same platform and Python was given it;
where none was, the answer is that it is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.lockfile.pylock import PackageWheel
from polylock.model.filenames import WheelFilename
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from polylock.lockfile.select import Selected
    from polylock.model.target import Target
    from polylock.operations.inspect.graph import LockedGraph, Node
    from polylock.operations.inspect.selection import LockedSelection

__all__ = ["WithoutVariants", "without_variants"]


class WithoutVariants(Value, frozen=True, kw_only=True, rename="kebab"):
    """The bytes of the plain wheels and all that they require.

    ``variants`` are the projects of which the target has a variant. ``size`` is None
    where the plain wheel of the projects in ``unknown`` is not known.
    """

    size: int | None
    variants: tuple[str, ...]
    unknown: tuple[str, ...]


def without_variants(
    name: str,
    chosen: Mapping[str, LockedSelection],
    graphs: Mapping[str, LockedGraph],
) -> WithoutVariants:
    """Return what a target would download of plain wheels, from its roots down.

    ``chosen`` and ``graphs`` are what each target installs, by its name.
    """
    target = chosen[name].target
    alike = [name, *(each for each in chosen if each != name)]
    machines = {each: chosen[each].target for each in alike}
    kin = [each for each in alike if _same_system(machines[each], target)]
    found: dict[str, Node] = {}
    unknown = set()
    waiting = [root.name for root in graphs[name].roots]
    while waiting:
        project = waiting.pop()
        if project in found or project in unknown:
            continue
        node = next(_plain(project, target, kin, chosen, graphs), None)
        if node is None:
            unknown.add(project)
        else:
            found[project] = node
            waiting += node.dependencies
    return WithoutVariants(
        size=None if unknown else sum(node.size or 0 for node in found.values()),
        variants=tuple(
            sorted(node.name for node in graphs[name].nodes.values() if node.label)
        ),
        unknown=tuple(sorted(unknown)),
    )


def _same_system(one: Target, other: Target) -> bool:
    return one.marker_environment == other.marker_environment


def _plain(
    project: str,
    target: Target,
    kin: list[str],
    chosen: Mapping[str, LockedSelection],
    graphs: Mapping[str, LockedGraph],
) -> Iterator[Node]:
    """Yield what targets of the same system install of a project, if it is no variant.

    The target itself comes first. A wheel counts if its tags fit the target, and
    another version than the target's does not.
    """
    own = graphs[kin[0]].nodes.get(project)
    for other in kin:
        node = graphs[other].nodes.get(project)
        if node is None or node.label is not None:
            continue
        if own is not None and node.version != own.version:
            continue
        if other == kin[0] or _fits(_selected(project, chosen[other]), target):
            yield node


def _selected(project: str, selection: LockedSelection) -> Selected:
    return next(
        each for each in selection.selected if str(each.package.name) == project
    )


def _fits(selected: Selected, target: Target) -> bool:
    if not isinstance(selected.file, PackageWheel):
        return True
    filename = WheelFilename.parse(selected.file.filename)
    return target.tag_rank(filename) is not None
