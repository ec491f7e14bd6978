"""Reads ``torch-backend``: which builds of torch fit each target.

The backends are in ``torch_backends.toml`` beside this module
(``schemas/torch-backends.schema.json``), which is read when a project sets the key.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import msgspec

from polylock.model.inputs import IndexLocation, TorchBackends
from polylock.model.target import OperatingSystem, TargetDescription
from polylock.model.torch_backends import (
    AUTO,
    NO_BACKEND,
    BackendFit,
    Obstacle,
    TorchChoice,
    index_of_backend,
)
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = [
    "backend_fit",
    "backend_names",
    "is_torch_index",
    "torch_backends",
    "torch_index_url",
    "torch_projects",
]

_ABSENT = 403
"""The status of PyTorch's index for a project that it does not have."""

_Kind = Literal["nvidia", "amd", "intel", "cpu"]
_HARDWARE: Mapping[_Kind, str] = {
    "nvidia": "an NVIDIA GPU",
    "amd": "an AMD GPU",
    "intel": "an Intel GPU",
}
_SM_ARCH = re.compile(r"([0-9]{1,2})([0-9])_real")
_RELEASE = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4})?")


class _Build(Value, frozen=True, kw_only=True, rename="kebab"):
    """The architectures of the wheels of some versions, by platform."""

    versions: str = ""
    linux_x86_64: tuple[str, ...] | None = msgspec.field(
        default=None, name="linux-x86_64"
    )
    linux_aarch64: tuple[str, ...] | None = msgspec.field(
        default=None, name="linux-aarch64"
    )
    windows_x86_64: tuple[str, ...] | None = msgspec.field(
        default=None, name="windows-x86_64"
    )
    windows_aarch64: tuple[str, ...] | None = msgspec.field(
        default=None, name="windows-aarch64"
    )

    def architectures(self, platform: str) -> tuple[str, ...] | None:
        """Return the architectures on a platform, None without a wheel for it."""
        field = platform.replace("-", "_")
        found: tuple[str, ...] | None = getattr(self, field, None)
        return found


class _Backend(Value, frozen=True, kw_only=True):
    """A backend of the data; ``driver`` and ``rocm`` are the oldest that run it."""

    builds: tuple[_Build, ...]
    sources: tuple[str, ...]
    driver: str | None = None
    rocm: str | None = None

    def kind(self, name: str) -> _Kind:
        """Return the hardware that a backend is for."""
        if self.driver is not None:
            return "nvidia"
        if self.rocm is not None:
            return "amd"
        return "cpu" if name == "cpu" else "intel"


class _Data(Value, frozen=True, kw_only=True):
    """The content of ``torch_backends.toml``."""

    index: str
    projects: frozenset[str]
    optional: frozenset[str]
    boards: frozenset[str]
    backends: dict[str, _Backend]


class _Hardware(Value, frozen=True, kw_only=True):
    """The accelerators of a kind: the release of their driver, and architectures.

    ``release`` is empty if it does not matter or is unknown. ``architectures`` is empty
    if the target has the driver without a GPU.
    """

    release: str = ""
    architectures: tuple[str, ...] = ()


@cache
def _data() -> _Data:
    text = files("polylock.project").joinpath("torch_backends.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Data)


def backend_names() -> tuple[str, ...]:
    """Return the names of all backends, the newest of each kind first."""
    return tuple(_data().backends)


def torch_projects() -> frozenset[str]:
    """Return the projects that have a build for each backend."""
    return _data().projects


def backend_fit(name: str, description: TargetDescription) -> BackendFit | None:
    """Return the versions of a backend that run on a target, None if it is unknown."""
    backend = _data().backends.get(name)
    return None if backend is None else _fit(name, backend, description)


def torch_index_url() -> str:
    """Return the URL of PyTorch's public index, of which each backend has a part."""
    return _data().index


def is_torch_index(url: str) -> bool:
    """Return True if a URL is that of PyTorch's public index, or inside it."""
    own = torch_index_url()
    return url.rstrip("/") == own or url.startswith(f"{own}/")


def torch_backends(
    default: str | None,
    descriptions: Sequence[TargetDescription],
    *,
    index_url: str | None,
    declared: Sequence[IndexLocation] = (),
) -> TorchBackends | None:
    """Return the backends of all targets, None if no target has any.

    ``default`` is the project's ``torch-backend``. ``index_url`` is a mirror of
    PyTorch's index. An index among ``declared`` with the name of a backend's index,
    such as ``torch-cu130``, replaces it.
    """
    if default is None and all(each.torch_backend is None for each in descriptions):
        return None
    data = _data()
    by_target = {}
    for description in descriptions:
        value = description.torch_backend or default
        if value is None or value == NO_BACKEND:
            continue
        # PyTorch publishes the builds for macOS on the default index as well, and there
        # is but one.
        if description.system is not OperatingSystem.MACOS:
            by_target[description.name] = _choice(value, description, data)
    base = (index_url or data.index).rstrip("/")
    taken = dict.fromkeys(
        fit.backend for choice in by_target.values() for fit in choice.taken
    )
    own = {each.name for each in declared}
    return TorchBackends(
        indexes=tuple(
            IndexLocation(
                name=index_of_backend(backend),
                url=f"{base}/{backend}",
                explicit=True,
                absent=(_ABSENT,),
            )
            for backend in taken
            if index_of_backend(backend) not in own
        ),
        projects=data.projects,
        optional=data.optional,
        by_target=by_target,
    )


def _choice(value: str, description: TargetDescription, data: _Data) -> TorchChoice:
    fits = {
        name: _fit(name, backend, description)
        for name, backend in data.backends.items()
    }
    if value != AUTO:
        # Whoever names a backend gets it; a note says why it cannot run.
        named = replace(fits[value], versions=("",))
        return TorchChoice(value=value, fits=(named,))
    found: list[BackendFit] = []
    for kind in _hardware(description):
        found += [
            fits[name]
            for name, backend in data.backends.items()
            if backend.kind(name) == kind
        ]
        if any(fit.versions for fit in found):
            return TorchChoice(value=value, fits=tuple(found))
    return TorchChoice(value=value, fits=(*found, fits["cpu"]))


def _fit(name: str, backend: _Backend, description: TargetDescription) -> BackendFit:
    """Return the versions of a backend that run on a target, and the obstacle."""
    kind = backend.kind(name)
    platform = f"{description.system}-{description.architecture}"
    builds = [
        (build.versions, found)
        for build in backend.builds
        if (found := build.architectures(platform)) is not None
    ]
    if not builds:
        obstacle = Obstacle(about="platform", has=platform)
        return BackendFit(backend=name, obstacle=obstacle)
    if kind == "cpu":
        return BackendFit(backend=name, versions=("",))
    hardware = _hardware(description).get(kind)
    if hardware is None:
        obstacle = Obstacle(about="hardware", needs=_HARDWARE[kind])
        return BackendFit(backend=name, obstacle=obstacle)
    runs = _RUNS[kind]
    fitting = tuple(
        versions
        for versions, built in builds
        if not hardware.architectures or runs(hardware.architectures, built)
    )
    unfit = [built for versions, built in builds if versions not in fitting]
    lacking: Obstacle | None = None
    if unfit:
        lacking = Obstacle(
            about="architecture",
            subject=_ARCHITECTURES[kind],
            needs=", ".join(unfit[-1]),
            has=", ".join(hardware.architectures),
        )
    needed, has = backend.driver or backend.rocm, hardware.release
    # Where another GPU would be needed, a driver that is too old does not matter.
    if fitting and needed and has and _numbers(has) < _numbers(needed):
        subject = "driver" if backend.driver else "ROCm"
        lacking = Obstacle(about="release", subject=subject, needs=needed, has=has)
        fitting = ()
    if len(fitting) == len(backend.builds):
        fitting = ("",)
    return BackendFit(backend=name, versions=fitting, obstacle=lacking)


_ARCHITECTURES: Mapping[_Kind, str] = {
    "nvidia": "compute capability",
    "amd": "architecture",
    "intel": "device IP",
}


def _runs_on_nvidia(gpus: Sequence[str], built: Sequence[str]) -> bool:
    """Return True if code for one of ``built`` runs on the best GPU.

    As in the variants of torch, the GPU with the highest compute capability counts, and
    runs code for its own major version and a minor that is not higher. A board runs
    only its own.
    """
    best = max(gpus, key=_numbers)
    if best in _data().boards:
        return best in built
    major, minor = _numbers(best)
    return any(
        built_major == major and built_minor <= minor
        for built_major, built_minor in map(_numbers, built)
    )


def _runs_exactly(devices: Sequence[str], built: Sequence[str]) -> bool:
    return not set(devices).isdisjoint(built)


_RUNS: Mapping[_Kind, Callable[[Sequence[str], Sequence[str]], bool]] = {
    "nvidia": _runs_on_nvidia,
    "amd": _runs_exactly,
    "intel": _runs_exactly,
}


def _hardware(description: TargetDescription) -> dict[_Kind, _Hardware]:
    """Return the accelerators of a target by kind, the preferred kind first.

    Lists of properties that the target states replace what follows from its hardware.
    """
    found: dict[_Kind, _Hardware] = {}
    stated = description.properties
    nvidia, amd, intel = description.nvidia, description.amd, description.intel
    if "nvidia" in stated:
        found |= dict(_stated_nvidia(stated["nvidia"]))
    elif nvidia is not None:
        found["nvidia"] = _Hardware(release=nvidia.driver, architectures=nvidia.compute)
    if "amd" in stated:
        found |= dict(_stated("amd", stated["amd"], "rocm_version", "gfx_arch"))
    elif amd is not None:
        found["amd"] = _Hardware(release=amd.rocm, architectures=amd.gfx)
    if "intel" in stated:
        found |= dict(_stated("intel", stated["intel"], "", "device_ip"))
    elif intel is not None:
        found["intel"] = _Hardware(architectures=intel.device_ip)
    return found


def _stated(
    kind: _Kind, features: Mapping[str, Sequence[str]], release: str, architecture: str
) -> Iterator[tuple[_Kind, _Hardware]]:
    """Yield the accelerators of stated lists, unless these are empty."""
    if features:
        releases = filter(_RELEASE.fullmatch, features.get(release, ()))
        yield (
            kind,
            _Hardware(
                release=next(releases, ""),
                architectures=tuple(features.get(architecture, ())),
            ),
        )


def _stated_nvidia(
    features: Mapping[str, Sequence[str]],
) -> Iterator[tuple[_Kind, _Hardware]]:
    """Yield the GPU of stated lists; ``90_real`` is compute capability 9.0."""
    if features:
        found = map(_SM_ARCH.fullmatch, features.get("sm_arch", ()))
        compute = [f"{match[1]}.{match[2]}" for match in found if match is not None]
        plain = {**features, "compute": compute}
        yield from _stated("nvidia", plain, "cuda_version_lower_bound", "compute")


def _numbers(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)
