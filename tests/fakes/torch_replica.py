"""A small index that looks to a resolver like the index of torch's variant wheels.

File names, variant metadata and variant-marker requirements are those that were
published (``tests/data/torch/ORIGINS.tsv``); the wheels themselves are of about 2 KB
and hold metadata alone. Every other project is a stand-in: one wheel for any machine
per version asked for.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from polylock.index_server.static_build import (
    ListedFile,
    project_html,
    project_json,
    root_html,
    root_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["TorchReplica", "build_torch_replica"]

_DATA = Path(__file__).resolve().parents[1] / "data" / "torch"
_WRITTEN = (2026, 1, 1, 0, 0, 0)

_COMMON = (
    # What torch requires on every machine. The repacking configuration leaves these
    # as they are in the wheel, so they are not in it.
    "filelock",
    "typing-extensions>=4.10.0",
    'setuptools; python_version >= "3.12"',
    "sympy>=1.13.3",
    "networkx>=2.5.1",
    "jinja2",
    "fsspec>=0.8.5",
)
_STAND_INS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    # Version and requirements of what nothing pins.
    "filelock": ("3.20.0", ()),
    "typing-extensions": ("4.15.0", ()),
    "setuptools": ("80.9.0", ()),
    "sympy": ("1.14.0", ("mpmath<1.4,>=1.1.0",)),
    "mpmath": ("1.3.0", ()),
    "networkx": ("3.5", ()),
    "jinja2": ("3.1.6", ("markupsafe>=2.0",)),
    "markupsafe": ("3.0.3", ()),
    "fsspec": ("2025.9.0", ()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchReplica:
    """What was built: serve ``directory``, its index is below ``simple/``.

    ``requires`` maps a version of torch to its Requires-Dist, ``filenames`` to the
    names of its wheels.
    """

    directory: Path
    requires: Mapping[str, tuple[str, ...]]
    filenames: Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class _Project:
    """A project while it is written: its files by version."""

    name: NormalizedName
    files: dict[str, list[ListedFile]] = field(default_factory=dict)


def build_torch_replica(
    directory: Path, versions: Sequence[str] = ("2.9.0", "2.10.0")
) -> TorchReplica:
    """Write the index; the versions are of those that have a configuration here.

    Takes about 0.2 s for both.
    """
    requires = {version: _requires(version) for version in versions}
    filenames = {version: _filenames(version) for version in versions}
    torch = _Project(canonicalize_name("torch"))
    for version in versions:
        _write_torch(directory, torch, version, requires[version], filenames[version])
    projects = [torch, *_stand_ins(directory, requires)]
    for project in projects:
        _write_pages(directory, project)
    names = sorted(project.name for project in projects)
    (directory / "simple" / "index.html").write_bytes(root_html(names))
    (directory / "simple" / "index.json").write_bytes(root_json(names))
    return TorchReplica(directory=directory, requires=requires, filenames=filenames)


def _requires(version: str) -> tuple[str, ...]:
    minor = ".".join(version.split(".")[:2])
    path = _DATA / f"torch-{minor}-variant_config.toml"
    configuration = tomllib.loads(path.read_text(encoding="utf-8"))
    torch: dict[str, list[str]] = configuration["metadata_configs"]["torch"]
    removed = {canonicalize_name(name) for name in torch["deps_remove_list"]}
    kept = [r for r in _COMMON if canonicalize_name(Requirement(r).name) not in removed]
    return (*kept, *torch["deps_add_list"])


def _filenames(version: str) -> tuple[str, ...]:
    lines = (_DATA / "torch-index-files.tsv").read_text(encoding="utf-8").splitlines()
    names = [line.partition("\t")[0] for line in lines[1:]]
    prefix = f"torch-{version}-"
    return tuple(n for n in names if n.startswith(prefix) and n.endswith(".whl"))


def _write_torch(
    directory: Path,
    project: _Project,
    version: str,
    requires: Sequence[str],
    filenames: Sequence[str],
) -> None:
    published = (_DATA / f"torch-{version}-variants.json").read_bytes()
    document = json.loads(published)
    filename = f"torch-{version}-variants.json"
    folder = _folder(directory, project)
    (folder / filename).write_bytes(published)
    listed = project.files.setdefault(version, [])
    listed.append(_listed(project, filename, published, None))
    metadata = _metadata(project.name, version, requires, ">=3.10")
    for wheel in filenames:
        label = wheel.removesuffix(".whl").split("-")[5]
        own = {**document, "variants": {label: document["variants"][label]}}
        content = _write_wheel(folder / wheel, metadata, own)
        (folder / f"{wheel}.metadata").write_bytes(metadata)
        listed.append(_listed(project, wheel, content, metadata))


def _stand_ins(
    directory: Path, requires: Mapping[str, Sequence[str]]
) -> Iterator[_Project]:
    wanted: dict[NormalizedName, dict[str, tuple[str, ...]]] = {
        canonicalize_name(name): {version: own}
        for name, (version, own) in _STAND_INS.items()
    }
    for requirements in requires.values():
        for text in requirements:
            head = Requirement(text.partition(";")[0])
            name = canonicalize_name(head.name)
            for specifier in head.specifier:
                if specifier.operator == "==":
                    wanted.setdefault(name, {})[specifier.version] = ()
    for name, versions in sorted(wanted.items()):
        project = _Project(name)
        folder = _folder(directory, project)
        for version in sorted(versions, key=Version):
            filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
            metadata = _metadata(name, version, versions[version], ">=3.10")
            content = _write_wheel(folder / filename, metadata, None)
            (folder / f"{filename}.metadata").write_bytes(metadata)
            project.files[version] = [_listed(project, filename, content, metadata)]
        yield project


def _folder(directory: Path, project: _Project) -> Path:
    folder = directory / "files" / project.name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _listed(
    project: _Project, filename: str, content: bytes, metadata: bytes | None
) -> ListedFile:
    return ListedFile(
        filename=filename,
        url=f"../../files/{project.name}/{filename}",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        requires_python=None if metadata is None else ">=3.10",
        metadata_sha256=(
            None if metadata is None else hashlib.sha256(metadata).hexdigest()
        ),
    )


def _metadata(
    name: str, version: str, requires: Sequence[str], requires_python: str
) -> bytes:
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {version}",
        f"Requires-Python: {requires_python}",
        *(f"Requires-Dist: {requirement}" for requirement in requires),
    ]
    return "\n".join([*lines, ""]).encode()


def _write_wheel(
    path: Path, metadata: bytes, variant: Mapping[str, Any] | None
) -> bytes:
    name, version, *tag = path.name.removesuffix(".whl").split("-")
    info = f"{name}-{version}.dist-info"
    wheel = (
        "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: false\n"
        f"Tag: {'-'.join(tag[:3])}\n"
    )
    members = {f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel.encode()}
    if variant is not None:
        members[f"{info}/variant.json"] = json.dumps(variant).encode()
    record = "".join(
        f"{member},sha256={_record_hash(content)},{len(content)}\n"
        for member, content in members.items()
    )
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member, content in members.items():
            entry = zipfile.ZipInfo(member, _WRITTEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path.read_bytes()


def _record_hash(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return digest.rstrip(b"=").decode()


def _write_pages(directory: Path, project: _Project) -> None:
    page = directory / "simple" / project.name
    page.mkdir(parents=True)
    files = [file for version in project.files.values() for file in version]
    (page / "index.html").write_bytes(project_html(project.name, files))
    json_page = project_json(project.name, list(project.files), files)
    (page / "index.json").write_bytes(json_page)
