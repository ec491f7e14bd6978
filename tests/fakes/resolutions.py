"""Handmade targets, pins and resolutions, as the solver would return them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

from polylock.model.distributions import Release, RemoteFile
from polylock.model.filenames import WheelFilename
from polylock.model.inputs import Inputs, RootRequirement
from polylock.model.pins import Edge, Pin, Resolution
from polylock.model.platforms import compatibility_tags, marker_environment
from polylock.model.requirements import Requirement
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    Target,
    TargetDescription,
)
from polylock.variants.properties import SupportedProperties, VariantProperty

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.markers import MarkerExpression
    from polylock.variants.variant_json import VariantMetadata

INDEX = "https://index.example.com/simple/"
FILES = "https://files.example.com/packages"

Lists = dict[str, dict[str, tuple[str, ...]]]


def make_target(
    name: str,
    platform: str = "linux-x86_64",
    python: str = "3.12",
    *,
    libc: str | None = None,
    stated: Lists | None = None,
    derived: Lists | None = None,
) -> Target:
    """Return a target; ``python`` is ``3.12``, ``3.13t`` or ``pypy3.11``."""
    system, _, architecture = platform.partition("-")
    implementation = "pypy" if python.startswith("pypy") else "cpython"
    major, minor, *patch = python.removeprefix("pypy").removesuffix("t").split(".")
    description = TargetDescription(
        name=name,
        system=OperatingSystem(system),
        architecture=Architecture(architecture),
        python=PythonRelease(
            implementation=implementation,
            major=int(major),
            minor=int(minor),
            patch=int(patch[0]) if patch else None,
            free_threaded=python.endswith("t"),
        ),
        libc=(libc or "glibc-2.28") if system == "linux" else None,
        macos="14.0" if system == "macos" else None,
        properties=stated or {},
    )
    return Target(
        description=description,
        marker_environment=marker_environment(description),
        tags=compatibility_tags(description),
        stated=SupportedProperties(stated or {}),
        derived=SupportedProperties(derived or {}),
    )


def make_file(filename: str, *, size: int = 1000) -> RemoteFile:
    """Return a file whose hash is that of its name."""
    return RemoteFile(
        filename=filename,
        url=f"{FILES}/{filename}",
        hashes={"sha256": hashlib.sha256(filename.encode()).hexdigest()},
        size=size,
        upload_time=1_760_000_000_000_000,
    )


def make_pin(  # noqa: PLR0913  # a pin has many parts; tests name only some
    filename: str,
    *,
    beside: Sequence[str] = (),
    requires: Sequence[str] = (),
    requires_python: str | None = ">=3.9",
    metadata: VariantMetadata | None = None,
    decided_by: Sequence[str] = (),
    index_url: str = INDEX,
    file: RemoteFile | None = None,
) -> Pin:
    """Return the pin of a wheel or an sdist; ``beside`` are its siblings."""
    label = None
    if filename.endswith(".whl"):
        parsed = WheelFilename.parse(filename)
        name, version, label = parsed.name, parsed.version, parsed.variant_label
    else:
        stem, _, version = filename.removesuffix(".tar.gz").rpartition("-")
        name = cast("NormalizedName", stem)
    file = file or make_file(filename)
    wheels = [file, *(make_file(sibling) for sibling in beside)]
    return Pin(
        name=name,
        version=version,
        release=Release(
            name=name,
            version=version,
            index="default",
            wheels=tuple(sorted(wheels, key=lambda wheel: wheel.filename)),
        ),
        index_url=index_url,
        file=file,
        requires_python=requires_python,
        variant_label=label,
        variant_metadata=metadata,
        decided_by=tuple(VariantProperty.parse(text) for text in decided_by),
        edges=tuple(Edge(name=cast("NormalizedName", each)) for each in requires),
    )


def make_resolution(
    target: Target,
    pins: Sequence[Pin],
    conditions: Mapping[str, MarkerExpression | None] | None = None,
) -> Resolution:
    """Return a resolution; a pin without a condition is installed always."""
    said = conditions or {}
    return Resolution(
        target=target,
        pins={pin.name: pin for pin in pins},
        conditions={pin.name: said.get(pin.name) for pin in pins},
    )


def make_inputs(*requirements: str, **fields: object) -> Inputs:
    """Return inputs with these requirements of the project itself."""
    roots = tuple(
        RootRequirement(requirement=Requirement.parse(text)) for text in requirements
    )
    return Inputs(requirements=roots, **fields)  # type: ignore[arg-type]  # test data
