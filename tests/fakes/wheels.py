"""Build valid wheels and source distributions for tests, the same bytes each time."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["build_sdist", "build_wheel", "variants_json"]

_SCHEMA = "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json"
_WRITTEN = (2026, 1, 1, 0, 0, 0)


def build_wheel(  # noqa: PLR0913 - each keyword is one field of the built wheel
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
    label: str | None = None,
    variant: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    variant_json: bytes | None = None,
    namespaces: Sequence[str] | None = None,
    files: Mapping[str, str | bytes] | None = None,
    requires_python: str | None = None,
    extras: Sequence[str] = (),
    entry_points: str | None = None,
    build: str = "",
    metadata: bytes | None = None,
) -> Path:
    """Write a wheel with a correct RECORD into ``directory`` and return its path.

    ``files`` maps archive paths to contents; without it the wheel holds one package
    with an ``__init__.py``. A path under ``{name}-{version}.data/`` is installed by
    its scheme. ``label`` makes a variant wheel whose ``variant.json`` holds
    ``variant`` (namespace to feature to values; none for the null variant), or the
    bytes of ``variant_json``; ``namespaces`` is their order of priority, that of
    ``variant`` where left out. ``entry_points`` is the text of ``entry_points.txt``.
    ``metadata`` replaces METADATA as a whole, to build broken wheels.
    """
    stem = canonicalize_name(name).replace("-", "_")
    release = f"{stem}-{version}"
    info = f"{release}.dist-info"
    if files is None:
        files = {f"{stem}/__init__.py": f"__version__ = {version!r}\n"}
    members = {path: _bytes(content) for path, content in files.items()}
    members[f"{info}/METADATA"] = metadata or _metadata(
        name, version, requires, requires_python, extras
    )
    members[f"{info}/WHEEL"] = _wheel_file(tag, build)
    if entry_points is not None:
        members[f"{info}/entry_points.txt"] = entry_points.encode()
    if variant_json is None and label is not None:
        document = variants_json({label: variant or {}}, namespaces=namespaces)
        variant_json = json.dumps(document, indent=2).encode()
    if variant_json is not None:
        members[f"{info}/variant.json"] = variant_json
    members[f"{info}/RECORD"] = _record(members, f"{info}/RECORD")
    parts = [release, *([build] if build else []), tag, *([label] if label else [])]
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / ("-".join(parts) + ".whl")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            entry = zipfile.ZipInfo(member, _WRITTEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return path


def build_sdist(  # noqa: PLR0913 - all that makes one differ
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    dynamic: Sequence[str] = (),
    metadata_version: str = "2.2",
    before: bytes = b"",
    after: bytes = b"",
    compression: int = 9,
) -> Path:
    """Write a ``.tar.gz`` with PKG-INFO and a pyproject.toml, and return its path.

    ``before`` and ``after`` are files that stand on either side of PKG-INFO.
    ``compression`` is the level, 0 for noise, which gets no smaller.
    """
    stem = canonicalize_name(name).replace("-", "_")
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}"]
    lines.append(f"Version: {version}")
    lines.extend(f"Requires-Dist: {requirement}" for requirement in requires)
    lines.extend(f"Dynamic: {field}" for field in dynamic)
    project = f'[project]\nname = "{name}"\nversion = "{version}"\n'
    members = {
        f"{stem}-{version}/LICENSE": before,
        f"{stem}-{version}/PKG-INFO": "\n".join([*lines, "", ""]).encode(),
        f"{stem}-{version}/data": after,
        f"{stem}-{version}/pyproject.toml": project.encode(),
    }
    members = {member: content for member, content in members.items() if content}
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{stem}-{version}.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=compression) as archive:
        for member, content in members.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def variants_json(
    variants: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]],
    *,
    namespaces: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return a variant metadata document (PEP 825) for these labels.

    ``namespaces`` is the order of priority, that of first use where left out.
    """
    used = dict.fromkeys(n for properties in variants.values() for n in properties)
    return {
        "$schema": _SCHEMA,
        "default-priorities": {"namespace": list(namespaces or used)},
        "variants": {
            label: {
                namespace: {feature: list(values) for feature, values in inner.items()}
                for namespace, inner in properties.items()
            }
            for label, properties in variants.items()
        },
    }


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _metadata(
    name: str,
    version: str,
    requires: Sequence[str],
    requires_python: str | None,
    extras: Sequence[str],
) -> bytes:
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines.extend(f"Provides-Extra: {extra}" for extra in extras)
    lines.extend(f"Requires-Dist: {requirement}" for requirement in requires)
    return "\n".join([*lines, "", ""]).encode()


def _wheel_file(tag: str, build: str) -> bytes:
    python, abi, platform = tag.split("-")
    pure = "true" if platform == "any" else "false"
    lines = ["Wheel-Version: 1.0", "Generator: tests", f"Root-Is-Purelib: {pure}"]
    lines.extend(
        f"Tag: {p}-{a}-{s}"
        for p in python.split(".")
        for a in abi.split(".")
        for s in platform.split(".")
    )
    if build:
        lines.append(f"Build: {build}")
    return "\n".join([*lines, ""]).encode()


def _record(members: Mapping[str, bytes], own_path: str) -> bytes:
    lines = []
    for path, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
        value = digest.rstrip(b"=").decode()
        field = f'"{path}"' if "," in path else path
        lines.append(f"{field},sha256={value},{len(content)}")
    return "\n".join([*lines, f"{own_path},,", ""]).encode()
