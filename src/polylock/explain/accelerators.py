"""Notes on packages that do not fit the accelerator of a target, or each other.

A rule says by a project's name and version, or by the local part of its version, which
release of an accelerator platform it is built for. A new rule is a line in ``_RULES``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from polylock.errors import PolylockError
from polylock.explain.findings import (
    AcceleratorMissed,
    BetterLabelLost,
    BetterLabelYanked,
    DriverTooOld,
    LibrariesForNothing,
    Note,
    SeveralMajors,
    shared,
)
from polylock.explain.pinned_target import pinned_target
from polylock.explain.reasons import (
    Contradicts,
    LabelExcluded,
    PropertyUnmet,
    Unfit,
)
from polylock.explain.screening import accelerators
from polylock.explain.why_not import WhyNot
from polylock.model.distributions import Unusable
from polylock.model.source_choice import declines_backend, fits, torch_choice
from polylock.model.target_properties import namespaces_without_provider
from polylock.project.torch_backends import torch_projects
from polylock.resolution.candidate_pool import CandidatePool, labels_of
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.utils import NormalizedName

    from polylock.explain.reasons import Reason
    from polylock.explain.screening import Solved
    from polylock.model.distributions import Releases
    from polylock.model.pins import Pin, Resolution
    from polylock.model.target import Target, TargetDescription
    from polylock.resolution.candidates import Candidate

    _Missed = AcceleratorMissed | BetterLabelLost | BetterLabelYanked

__all__ = [
    "Built",
    "accelerator_notes",
    "built_for",
    "coherence",
    "missed",
    "useless_libraries",
]


class _Rule(Value, frozen=True):
    """A pattern of project names, and where the platform's major version stands.

    It is that of the project with ``by_version``, else the first group of ``name``.
    """

    platform: str
    name: str
    by_version: bool = False


_RULES = (
    # NVIDIA names its wheels after the major of CUDA up to 12, and for some of 13:
    # docs.nvidia.com/cuda/cuda-installation-guide-linux, "Pip Wheels".
    _Rule("CUDA", r"nvidia-.+-cu(\d\d)"),
    # From CUDA 13 on the names have no suffix; the versions of these are that of CUDA
    # (the same page, and the release notes of CUDA 13.0).
    _Rule("CUDA", r"cuda-toolkit", by_version=True),
    _Rule("CUDA", r"nvidia-cuda-(?:runtime|nvrtc|cupti|nvcc|crt)", by_version=True),
    _Rule("CUDA", r"nvidia-(?:nvjitlink|nvvm|nvtx)", by_version=True),
    # "cuda.bindings supports the same major version": nvidia.github.io/cuda-python.
    _Rule("CUDA", r"cuda-bindings", by_version=True),
    # docs.cupy.dev, "Installing CuPy"; docs.jax.dev, "Installation".
    _Rule("CUDA", r"cupy-cuda(\d\d)x"),
    _Rule("CUDA", r"jax-cuda(\d\d)-(?:plugin|pjrt)"),
    # docs.rapids.ai/install: the suffix of its projects is the major of CUDA.
    _Rule("CUDA", r"(?:cudf|cuml|cugraph|cuvs|dask-cudf|raft-dask|rmm|ucxx)-cu(\d\d)"),
    # rocm.docs.amd.com, "Install ROCm by pip": the versions are that of ROCm.
    _Rule("ROCm", r"rocm(?:-sdk-core|-sdk-libraries-.+|-sdk-devel)?", by_version=True),
    _Rule("ROCm", r"jax-rocm(\d)\d?-(?:plugin|pjrt)"),
)
_LOCAL = (
    # Local versions of PyTorch's own index: 2.9.0+cu130, 2.9.0+rocm6.4
    ("CUDA", re.compile(r"cu(\d\d)(\d)")),
    ("ROCm", re.compile(r"rocm(\d+)\.?(\d+)")),
)
_COMPILED = tuple((rule, re.compile(rule.name)) for rule in _RULES)
"""The rules with compiled patterns; the first that matches counts."""

_LIBRARY = re.compile(
    r"(?:nvidia-.+|cuda-.+|triton|pytorch-triton-rocm|triton-rocm"
    r"|rocm(?:-sdk-.+)?)"
)
"""The projects that are of use only with an accelerator."""

_LARGE = 300_000_000
"""The least size of libraries, in bytes, that a note mentions."""

_NAMESPACES = {
    "nvidia": "an NVIDIA GPU",
    "amd": "an AMD GPU",
    "intel": "an Intel GPU",
    "ascend": "an Ascend NPU",
    "tpu": "a TPU",
}


class Built(Value, frozen=True):
    """The accelerator platform of a pin, with major and minor version if known."""

    platform: str
    major: str
    minor: str = ""


def built_for(pin: Pin) -> Built | None:
    """Return the accelerator platform of a pin, by its label, version or name."""
    for found in pin.decided_by:
        if found.namespace == "nvidia" and found.feature == "cuda_version_lower_bound":
            major, _, minor = found.value.partition(".")
            return Built("CUDA", major, minor)
        if found.namespace == "amd" and found.feature == "rocm_version":
            major, _, minor = found.value.partition(".")
            return Built("ROCm", major, minor)
    local = pin.version.partition("+")[2]
    for platform, pattern in _LOCAL if local else ():
        match = pattern.match(local)
        if match is not None:
            return Built(platform, match[1], match[2])
    named = _platform_by_name(pin.name)
    if named is None or named.major:
        return named
    major, _, rest = pin.version.partition(".")
    return Built(named.platform, major, rest.partition(".")[0])


@lru_cache(maxsize=4096)
def _platform_by_name(name: str) -> Built | None:
    """Return the platform by a name; its major is empty if the version gives it."""
    for rule, compiled in _COMPILED:
        match = compiled.fullmatch(name)
        if match is not None:
            return Built(rule.platform, "" if rule.by_version else match[1])
    return None


def accelerator_notes(solved: Solved) -> Iterator[Note]:
    """Yield the notes on builds for accelerators."""
    yield from missed(solved)
    yield from coherence(solved)
    yield from useless_libraries(solved)


def coherence(solved: Solved) -> Iterator[Note]:
    """Yield libraries of two majors in one target, or newer than its driver."""
    mixed: list[Note] = []
    for resolution in solved.resolutions:
        by_platform: dict[str, dict[str, list[str]]] = {}
        for name, pin in sorted(resolution.pins.items()):
            built = built_for(pin)
            if built is not None:
                majors = by_platform.setdefault(built.platform, {})
                majors.setdefault(built.major, []).append(_pin_in_words(name, pin))
        for platform, majors in by_platform.items():
            ordered = sorted(majors, key=int)
            if len(ordered) > 1:
                pins = tuple((major, tuple(majors[major][:2])) for major in ordered)
                project = majors[ordered[-1]][0].partition(" ")[0]
                mixed.append(
                    Note(
                        project=project,
                        finding=SeveralMajors(platform, pins),
                        targets=(resolution.target.name,),
                    )
                )
            if not _names_unfit_backend(solved, resolution):
                newest = ordered[-1]
                yield from _too_new(
                    solved, resolution, platform, majors[newest], newest
                )
    yield from shared(mixed)


def _names_unfit_backend(solved: Solved, resolution: Resolution) -> bool:
    """Return True if the user names a backend of torch that cannot run.

    That has a note of its own (``torch_builds``).
    """
    choice = torch_choice(solved.inputs, "torch", resolution.target)
    return choice is not None and any(
        fit.obstacle is not None and fit.versions == ("",) for fit in choice.fits
    )


def _too_new(
    solved: Solved,
    resolution: Resolution,
    platform: str,
    pins: Sequence[str],
    major: str,
) -> Iterator[Note]:
    """Yield pins for a newer major than the driver offers; a newer minor runs.

    docs.nvidia.com/deploy/cuda-compatibility, "Minor Version Compatibility".
    """
    target = resolution.target
    offered, key = _offered(target.description, platform)
    if offered and int(major) > int(offered.partition(".")[0]):
        torch = "torch" in resolution.pins and _could_set_backend(
            solved, resolution, "torch"
        )
        yield Note(
            project=pins[0].partition(" ")[0],
            finding=DriverTooOld(platform, major, offered, tuple(pins[:2]), torch),
            targets=(target.name,),
            key=f"tool.polylock.targets.{target.name}.{key}",
        )


def _pin_in_words(name: str, pin: Pin) -> str:
    label = f" ({pin.variant_label})" if pin.variant_label else ""
    return f"{name} {pin.version}{label}"


def _offered(description: TargetDescription, platform: str) -> tuple[str, str]:
    if platform == "CUDA" and description.nvidia is not None:
        return description.nvidia.driver, "nvidia"
    if platform == "ROCm" and description.amd is not None:
        return description.amd.rocm, "amd"
    return "", ""


def useless_libraries(solved: Solved) -> Iterator[Note]:
    """Yield the packages that install large GPU libraries on targets without a GPU."""
    yield from shared(_useless_libraries(solved))


def _useless_libraries(solved: Solved) -> Iterator[Note]:
    for resolution in solved.resolutions:
        if accelerators(resolution.target.description):
            continue
        libraries = [pin for name, pin in resolution.pins.items() if _is_library(name)]
        size = sum(pin.file.size or 0 for pin in libraries)
        if size < _LARGE:
            continue
        parent = _parent_of_libraries(resolution)
        version = resolution.pins[parent].version
        torch = _could_set_backend(solved, resolution, parent)
        extra = _by_extra(resolution.pins[parent])
        yield Note(
            project=parent,
            versions=(version,),
            finding=LibrariesForNothing(size, len(libraries), extra, torch),
            targets=(resolution.target.name,),
            key="" if extra else f"tool.polylock.sources.{parent}",
        )


def _by_extra(pin: Pin) -> str:
    """Return the extra that a pin requires all its libraries by, empty for none."""
    extras = [edge.extra for edge in pin.edges if _is_library(edge.name)]
    return next((extra for extra in extras if extra), "") if all(extras) else ""


def _parent_of_libraries(resolution: Resolution) -> NormalizedName:
    """Return the project that requires the most bytes of libraries."""
    pins = resolution.pins

    def required_bytes(name: NormalizedName) -> int:
        reached = {edge.name for edge in pins[name].edges if _is_library(edge.name)}
        queue = sorted(reached)
        for at in queue:
            found = {edge.name for edge in pins[at].edges if _is_library(edge.name)}
            queue += sorted(found - reached)
            reached |= found
        return sum(pins[each].file.size or 0 for each in reached)

    parents = [name for name in sorted(pins) if not _is_library(name)]
    best = max(parents, key=required_bytes, default=None)
    if best is not None and required_bytes(best):
        return best
    return min(
        name for name in pins if _is_library(name)
    )  # required by the project itself


@lru_cache(maxsize=4096)
def _is_library(name: str) -> bool:
    return _LIBRARY.fullmatch(name) is not None or _platform_by_name(name) is not None


def missed(solved: Solved) -> Iterator[Note]:
    """Yield the pins that do not use the accelerator of their target.

    Also yields those of which a better label is yanked or has a requirement that
    cannot be met.
    """
    yield from shared(_missed_by_targets(solved))


def _missed_by_targets(solved: Solved) -> Iterator[Note]:
    for resolution in solved.resolutions:
        has = accelerators(resolution.target.description)
        for name, pin in sorted(resolution.pins.items()):
            if pin.direct is not None:
                continue
            missing = _missed(solved, resolution, pin, has[0]) if has else None
            yanked = _better_yanked(solved, resolution, pin)
            given_up = None
            if missing is None and yanked is None:
                given_up = _better_lost(solved, resolution, pin)
            for each in (missing, yanked, given_up):
                if each is not None:
                    yield Note(
                        project=name,
                        versions=(pin.version,),
                        finding=each,
                        targets=(resolution.target.name,),
                        key=_key(each, resolution.target.name),
                    )


def _key(finding: _Missed, target: str) -> str:
    """Return the setting of an accelerator whose value a label does not fit."""
    reason = finding.because if isinstance(finding, AcceleratorMissed) else None
    if isinstance(reason, PropertyUnmet) and reason.namespace in {"nvidia", "amd"}:
        return f"tool.polylock.targets.{target}.{reason.namespace}"
    return ""


def _missed(
    solved: Solved, resolution: Resolution, pin: Pin, accelerator: str
) -> AcceleratorMissed | None:
    if pin.version.partition("+")[2] == "cpu":
        return _cpu_build(solved, resolution, pin, accelerator)
    if not labels_of(pin.release):
        return None
    labels = _accelerator_labels(solved, pin, resolution.target)
    own = set(accelerators(resolution.target.description))
    if not labels or own & labels.get(pin.variant_label or "", set()):
        return None
    if pin.name in resolution.target.description.variants:
        return None  # the user chose the label
    fitting = sorted(label for label, namespaces in labels.items() if own & namespaces)
    found = _last_rejected(solved, resolution, pin, fitting)
    if found is None or _is_unanswered(solved, resolution.target, pin, found[1]):
        return None
    nearest, because = found
    return AcceleratorMissed(
        accelerator=_NAMESPACES[accelerator],
        labels=tuple(sorted(labels)),
        nearest=nearest,
        because=because,
    )


def _cpu_build(
    solved: Solved, resolution: Resolution, pin: Pin, accelerator: str
) -> AcceleratorMissed | None:
    if torch_choice(solved.inputs, pin.name, resolution.target) is not None:
        return None  # the backend has a note of its own
    return AcceleratorMissed(
        accelerator=_NAMESPACES[accelerator],
        sources=pin.name in solved.inputs.sources,
        torch=_could_set_backend(solved, resolution, pin.name),
    )


def _could_set_backend(solved: Solved, resolution: Resolution, name: str) -> bool:
    """Return True if ``torch-backend`` is not set and could choose a build."""
    return (
        name in torch_projects()
        and torch_choice(solved.inputs, name, resolution.target) is None
        and not declines_backend(solved.inputs, resolution.target)
        and not any(
            fits(entry, resolution.target)
            for entry in solved.inputs.sources.get(name, ())
        )
    )


def _is_unanswered(
    solved: Solved, target: Target, pin: Pin, because: Reason | None
) -> bool:
    """Return whether a label lacks what no provider tells: that has its own note."""
    if not isinstance(because, PropertyUnmet):
        return False
    metadata = solved.source.variant_metadata(pin.release, target)
    return not isinstance(metadata, Unusable) and (
        because.namespace
        in namespaces_without_provider(metadata, target, solved.inputs.enable_providers)
    )


def _accelerator_labels(
    solved: Solved, pin: Pin, target: Target
) -> dict[str, set[str]]:
    """Return the accelerators that labels of a release are for, by label."""
    try:
        metadata = solved.source.variant_metadata(pin.release, target)
    except PolylockError:
        return {}
    if isinstance(metadata, Unusable):
        return {}
    found = {}
    for label in labels_of(pin.release):
        namespaces = set(metadata.variants.get(label, ())) & set(_NAMESPACES)
        if namespaces:
            found[label] = namespaces
    return found


def _last_rejected(
    solved: Solved, resolution: Resolution, pin: Pin, labels: list[str]
) -> tuple[str, Reason | None] | None:
    """Return the last of some labels, mostly the newest, and the reason against it.

    The reason is None if the label fits. The result is None if the user prefers
    another label, or no wheel is for the platform of the target.
    """
    found = _expanded(solved, resolution, pin)
    if not labels or found is None:
        return "", None
    pool, releases, position = found
    expansion = pool.expand(releases, position, yanked=False)
    better = [each for each in expansion.candidates if each.variant.label in labels]
    if better:
        if pool.preferences.prefer:
            return None
        return better[0].variant.label, _against(solved, resolution, better[0])
    out = [
        (rejection.label, rejection.reason)
        for rejection in expansion.rejections
        if rejection.label in labels and rejection.reason != Unfit()
    ]
    if not out or any(isinstance(reason, LabelExcluded) for _, reason in out):
        return None
    return max(out, key=lambda each: each[0])


def _better_yanked(
    solved: Solved, resolution: Resolution, pin: Pin
) -> BetterLabelYanked | None:
    """Return the better label whose wheel is yanked, None for none."""
    if pin.file.yanked is not None or not labels_of(pin.release):
        return None
    if all(file.yanked is None for file in pin.release.wheels):
        return None
    found = _expanded(solved, resolution, pin)
    if found is None:
        return None
    pool, releases, position = found
    best = next(iter(pool.with_yanked(releases, position).candidates), None)
    if best is None or best.file.yanked is None:
        return None
    return BetterLabelYanked(best.variant.label, pin.variant_label or "")


def _better_lost(
    solved: Solved, resolution: Resolution, pin: Pin
) -> BetterLabelLost | None:
    """Return the better label that has a requirement that cannot be met."""
    taken = pin.variant_label or ""
    found = _expanded(solved, resolution, pin) if labels_of(pin.release) else None
    if found is None or pin.file.yanked is not None or pin.passed_over:
        return None
    pool, releases, position = found
    try:
        candidates = pool.expand(releases, position, yanked=False).candidates
    except PolylockError:
        return None  # nothing is fetched for a note
    best = next(iter(candidates), None)
    if best is None or best.variant.label in {taken, ""}:
        return None
    because = _against(solved, resolution, best)
    if because is None:
        return None
    return BetterLabelLost(best.variant.label, taken, because)


def _against(
    solved: Solved, resolution: Resolution, better: Candidate
) -> Contradicts | None:
    """Return the conflict of a better label with the other pins, None if unknown."""
    explainer = WhyNot(
        pinned_target(resolution, solved.inputs),
        inputs=solved.inputs,
        source=solved.source,
        memory=solved.memory,
        tables=solved.tables,
    )
    try:
        reason = explainer.given_up(better)
    except PolylockError:
        return None  # nothing is fetched for a note
    return reason if isinstance(reason, Contradicts) else None


def _expanded(
    solved: Solved, resolution: Resolution, pin: Pin
) -> tuple[CandidatePool, Releases, int] | None:
    """Return the pinned version as the index offers it; None if it is unknown."""
    try:
        releases = solved.source.releases(pin.name, resolution.target)
    except PolylockError:
        return None
    if pin.version not in releases.versions:
        return None
    return (
        _pool(solved, resolution),
        releases,
        list(releases.versions).index(pin.version),
    )


def _pool(solved: Solved, resolution: Resolution) -> CandidatePool:
    return CandidatePool(
        target=resolution.target,
        inputs=solved.inputs,
        source=solved.source,
        memories=solved.memory,
    )
