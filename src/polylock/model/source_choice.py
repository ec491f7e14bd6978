"""The source of a project for a target: a direct source or a named index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.direct import DirectSource, InvalidDirectSource, parse_direct_url
from polylock.model.folding import fold
from polylock.model.torch_backends import NO_BACKEND
from polylock.variants.properties import InvalidProperty, VariantProperty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.model.inputs import IndexSource, Inputs
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.model.torch_backends import TorchChoice

__all__ = [
    "declines_backend",
    "direct_source",
    "direct_sources",
    "fits",
    "torch_choice",
]


def direct_source(inputs: Inputs, name: str, target: Target) -> DirectSource | None:
    """Return the direct source of a project for a target, None if an index serves it.

    A direct reference in the project's requirements comes before ``sources``. Raises
    InvalidDirectSource if two requirements contradict each other.
    """
    found = {
        parse_direct_url(requirement.url)
        for requirement in _references(inputs, target)
        if requirement.name == name and requirement.url is not None
    }
    if len(found) > 1:
        texts = " and ".join(sorted(str(source) for source in found))
        raise InvalidDirectSource(f"{name} is required from {texts}")
    if found:
        return found.pop()
    for entry in inputs.sources.get(name, ()):
        if fits(entry, target):
            return entry.direct
    return None


def direct_sources(inputs: Inputs) -> frozenset[str]:
    """Return the names of the projects that have a direct source for some target."""
    roots = (root.requirement for root in inputs.requirements)
    references = (each.name for each in (*roots, *inputs.overrides) if each.url)
    entries = (
        name
        for name, sources in inputs.sources.items()
        if any(entry.direct is not None for entry in sources)
    )
    return frozenset((*references, *entries))


def _references(inputs: Inputs, target: Target) -> Iterator[Requirement]:
    own = (
        root.requirement
        for root in inputs.requirements
        if root.target in {None, target.name}
    )
    for requirement in (*own, *inputs.overrides):
        marker = requirement.marker_expression
        if requirement.url is not None and (
            marker is None or fold(marker, target) is not False
        ):
            yield requirement


def fits(entry: IndexSource, target: Target) -> bool:
    """Return True if an entry of ``sources`` applies to a target."""
    if entry.targets and target.name not in entry.targets:
        return False
    return all(_supports(target, text) for text in entry.properties)


def torch_choice(inputs: Inputs, name: str, target: Target) -> TorchChoice | None:
    """Return the backends that serve a project to a target, None if none does.

    A direct source and the entries of ``sources`` come before them.
    """
    torch = inputs.torch
    if torch is None or not (name in torch.projects or name in torch.optional):
        return None
    if any(fits(entry, target) for entry in inputs.sources.get(name, ())):
        return None
    return torch.by_target.get(target.name)


def declines_backend(inputs: Inputs, target: Target) -> bool:
    """Return True if the user says that ``torch-backend`` is not for a target."""
    value = target.description.torch_backend or inputs.torch_backend
    return value == NO_BACKEND


def _supports(target: Target, text: str) -> bool:
    try:
        wanted = VariantProperty.parse(text)
    except InvalidProperty:
        return False
    return any(
        supported.supports(wanted.namespace, wanted.feature, wanted.value)
        for supported in (target.stated, target.derived)
    )
