"""Published variant metadata and expected lists, and descriptions made from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from polylock.model.target import (
    AmdGpu,
    Architecture,
    Cpu,
    NvidiaGpu,
    OperatingSystem,
    PythonRelease,
    TargetDescription,
)
from polylock.variants.variant_json import VariantMetadata

__all__ = [
    "DATA",
    "decoded",
    "description",
    "document",
    "metadata",
    "python",
    "vectors",
]

DATA = Path(__file__).parents[1] / "data" / "variants"


def vectors(name: str) -> dict[str, Any]:
    """Return a file of expected lists."""
    content = (DATA / "vectors" / f"{name}.json").read_text(encoding="utf-8")
    return dict(json.loads(content))


def metadata(name: str, *, folder: str = "published") -> VariantMetadata:
    """Return the metadata of a published file, ``torch-2.10.0``."""
    path = DATA / folder / f"{name}-variants.json"
    return VariantMetadata.decode(path.read_bytes())


def document(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON values
    """Return valid PEP 850 metadata with keys replaced; hyphens as underscores."""
    base = {
        "$schema": "https://variants-schema.example.com/peps/850/v0.2.0.json",
        "default-priorities": {"namespace": ["x86_64", "blas"]},
        "providers": {
            "x86_64": {"requires": ["provider-variant-x86-64 >=0.0.1"]},
            "blas": {"static-properties": {"library": ["mkl", "openblas"]}},
        },
        "variants": {
            "null": {},
            "v3": {"x86_64": {"level": ["v3"]}},
            "mkl": {"blas": {"library": ["mkl"]}},
        },
    }
    return base | {key.replace("_", "-"): value for key, value in changes.items()}


def decoded(**changes: Any) -> VariantMetadata:  # noqa: ANN401  # JSON values
    """Read ``document`` with keys replaced."""
    return VariantMetadata.decode(json.dumps(document(**changes)).encode())


def python(text: str = "3.12") -> PythonRelease:
    """Return a CPython, ``3.12`` or ``3.13t``."""
    major, minor, *patch = text.removesuffix("t").split(".")
    return PythonRelease(
        major=int(major),
        minor=int(minor),
        patch=int(patch[0]) if patch else None,
        free_threaded=text.endswith("t"),
    )


def description(name: str, profile: dict[str, Any]) -> TargetDescription:
    """Return the machine description of a profile of the vectors."""
    cpu = profile.get("cpu", {})
    nvidia, amd = profile.get("nvidia"), profile.get("amd")
    architecture = "aarch64" if profile["arch"] == "arm64" else profile["arch"]
    return TargetDescription(
        name=name,
        system=OperatingSystem(profile["os"]),
        architecture=Architecture(architecture),
        python=python(),
        libc=profile.get("libc"),
        macos=profile.get("macos"),
        cpu=Cpu(
            microarchitecture=cpu.get("microarchitecture"),
            level=cpu.get("level") or cpu.get("version"),
        ),
        nvidia=nvidia
        and NvidiaGpu(driver=nvidia["driver"], compute=tuple(nvidia["compute"])),
        amd=amd and AmdGpu(rocm=amd["rocm"], gfx=tuple(amd["gfx"])),
    )
