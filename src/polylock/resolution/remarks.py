"""What a person should know of answers that were found all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.errors import PolylockError
from polylock.model.distributions import Unusable, labelled_wheels
from polylock.model.inputs import index_in_words
from polylock.resolution.candidate_pool import labels_of
from polylock.variants.authority import unanswered
from polylock.variants.ordering import VariantWishes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from polylock.model.distributions import Release
    from polylock.model.inputs import Inputs
    from polylock.model.pins import Pin, Resolution
    from polylock.model.target import Target
    from polylock.ports import PackageSource
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["remarks"]


def remarks(
    resolutions: Sequence[Resolution], inputs: Inputs, source: PackageSource
) -> Iterator[str]:
    """Yield a line for each thing to know, each once, whatever it befell."""
    if inputs.exclude_newer is not None:
        yield from _without_times(resolutions, source)
    yield from _bad_metadata(resolutions, inputs, source)
    yield from _without_answer(resolutions, inputs, source)
    yield from _without_effect(resolutions, inputs)
    yield from _without_extra(resolutions, inputs, source)


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
            if resolution.pins[name].direct is not None:
                continue  # no index has a say in it
            told.add((name, releases.index))
            yield (
                f"exclude-newer has no effect on {name}: "
                f"{index_in_words(releases.index)} does not tell when its files were "
                "uploaded"
            )


def _bad_metadata(
    resolutions: Sequence[Resolution], inputs: Inputs, source: PackageSource
) -> Iterator[str]:
    """Tell of each locked release that lost its variants, and why."""

    def reasons(target: Target, pin: Pin) -> Iterator[tuple[str, str]]:
        metadata = _variants(pin.release, target, inputs, source)
        if isinstance(metadata, Unusable):
            yield f"{pin.name} {pin.version}", metadata.reason

    for package, reason, targets in _by_target(resolutions, reasons):
        yield (
            f"{package}: its variants are left out for {', '.join(targets)}, "
            f"for its variant metadata cannot be relied on: {reason}"
        )


def _without_answer(
    resolutions: Sequence[Resolution], inputs: Inputs, source: PackageSource
) -> Iterator[str]:
    """Tell of each namespace that labels ask for and a target says nothing about."""

    def namespaces(target: Target, pin: Pin) -> Iterator[tuple[str, str]]:
        for namespace in _open(pin.release, target, inputs, source):
            yield namespace, f"{pin.name} {pin.version}"

    for namespace, package, targets in _by_target(resolutions, namespaces):
        yield (
            f"{package} has variants for {namespace}, which is not known of "
            f"{', '.join(targets)}, so none of them was taken there; say what it "
            f"supports under tool.polylock.targets.{targets[0]}.properties.{namespace} "
            f'({{}} for nothing), or set exclude-variants = ["{namespace}"]'
        )


def _by_target(
    resolutions: Sequence[Resolution],
    look: Callable[[Target, Pin], Iterable[tuple[str, str]]],
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield what is found in pins, sorted: a key, its first fact, the targets.

    ``look`` gives keys and facts of a pin of a target.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    for resolution in resolutions:
        for _, pin in sorted(resolution.pins.items()):
            for key, fact in look(resolution.target, pin):
                _, targets = found.setdefault(key, (fact, []))
                if resolution.target.name not in targets:
                    targets.append(resolution.target.name)
    for key, (fact, targets) in sorted(found.items()):
        yield key, fact, targets


def _without_effect(resolutions: Sequence[Resolution], inputs: Inputs) -> Iterator[str]:
    """Tell of labels that the project file names and that are not there."""
    wishes = VariantWishes.parse(inputs.exclude_variants, inputs.prefer_variants)
    for key, patterns in (
        ("exclude-variants", wishes.exclude),
        ("prefer-variants", wishes.prefer),
    ):
        for pattern in patterns:
            pins = [
                r.pins[n] for r in resolutions for n in r.pins if n == pattern.project
            ]
            labels = {label for pin in pins for label in labels_of(pin.release)}
            if pins and pattern.label not in labels:
                versions = ", ".join(sorted({pin.version for pin in pins}))
                there = ", ".join(sorted(labels)) or "none"
                yield (
                    f"{key}: {pattern.project} {versions} has no variant "
                    f"{pattern.label}; there is: {there}"
                )
    for resolution in resolutions:
        target = resolution.target
        for name in target.description.variants:
            if name not in resolution.pins:
                yield (
                    f"tool.polylock.targets.{target.name}.variants.{name} has no "
                    f"effect: {name} is not installed there"
                )


def _without_extra(
    resolutions: Sequence[Resolution], inputs: Inputs, source: PackageSource
) -> Iterator[str]:
    """Tell of extras that the project asks for and the release does not have."""
    missing = {
        (pin.name, pin.version, extra)
        for asked in (root.requirement for root in inputs.requirements)
        for extra in asked.extras
        for resolution in resolutions
        if (pin := resolution.pins.get(asked.normalized_name)) is not None
        and not _has_extra(pin, extra, source)
    }
    for name, version, extra in sorted(missing):
        yield f"{name} {version} has no extra {extra}"


def _has_extra(pin: Pin, extra: str, source: PackageSource) -> bool:
    """Say whether metadata provides an extra, or has a marker that names it."""
    try:
        metadata = source.core_metadata(pin.release, pin.file)
    except PolylockError:
        return True  # as below, for variants
    if isinstance(metadata, Unusable):
        return True
    markers = (requirement.marker for requirement in metadata.requires_dist)
    return extra in metadata.provides_extra or any(
        extra in canonicalize_name(marker) for marker in markers
    )


def _open(
    release: Release, target: Target, inputs: Inputs, source: PackageSource
) -> list[str]:
    """Return the namespaces that nobody answers for, of labels that fit by tags."""
    metadata = _variants(release, target, inputs, source)
    if metadata is None or isinstance(metadata, Unusable):
        return []
    used = {
        namespace
        for label in _labels(release, target)
        for namespace in metadata.variants.get(label, ())
    }
    return [
        namespace
        for namespace in unanswered(
            metadata, stated=target.stated, enabled_providers=inputs.enable_providers
        )
        if namespace in used and namespace not in inputs.exclude_variants
    ]


def _variants(
    release: Release, target: Target, inputs: Inputs, source: PackageSource
) -> VariantMetadata | Unusable | None:
    """Return the variant metadata, None where no label was in question."""
    if release.name in inputs.no_binary_packages or not _labels(release, target):
        return None
    try:
        return source.variant_metadata(release)
    except PolylockError:
        return None  # what was not needed to solve is not worth a failure now


def _labels(release: Release, target: Target) -> set[str]:
    return {
        name.variant_label
        for name in labelled_wheels(release)
        if name.variant_label is not None and target.tag_rank(name) is not None
    }
