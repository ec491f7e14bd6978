"""What source trees on disk require, as texts that a lock file records.

The metadata of a tree may change without any change of the project file: another
requirement of a path dependency or of a member of a workspace. The texts are compared
offline. Static metadata (PEP 621) is compared by what it says, other trees by the files
that decide their build.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from polylock.build.tree import BUILD_FILES, static_metadata
from polylock.cache.regular_files import read_regular
from polylock.lockfile.record import requirement_text
from polylock.model.direct import (
    DirectorySource,
    InvalidDirectSource,
    parse_direct_url,
)
from polylock.toml_tables import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from polylock.model.inputs import Inputs

__all__ = ["deciding_files", "directories", "tree_records"]

_PACKAGE_INFORMATION = "PKG-INFO"
_PROJECT_FILE = "pyproject.toml"
_LONGEST = 255


def directories(inputs: Inputs) -> Iterator[DirectorySource]:
    """Yield the source trees on disk that a project names, each once."""
    found = [
        entry.direct
        for entries in inputs.sources.values()
        for entry in entries
        if isinstance(entry.direct, DirectorySource)
    ]
    for root in inputs.requirements:
        url = root.requirement.url
        if url is not None and url.startswith("file:"):
            try:
                source = parse_direct_url(url)
            except InvalidDirectSource:
                continue
            if isinstance(source, DirectorySource):
                found.append(source)
    yield from dict.fromkeys(found)


def tree_records(inputs: Inputs, project: Path) -> dict[str, tuple[str, ...]]:
    """Return the texts of each tree by its path from the directory of the project.

    A tree that is not there has none: an image may have the lock file alone.
    """
    found = {}
    for source in directories(inputs):
        tree = _place(source, project)
        if tree.is_dir():
            found[_key(source)] = tuple(sorted(_texts(tree)))
    return dict(sorted(found.items()))


def deciding_files(inputs: Inputs, project: Path) -> tuple[Path, ...]:
    """Return the files that decide the texts, whether they exist or not."""
    return tuple(
        _place(source, project) / name
        for source in directories(inputs)
        for name in _deciding(_place(source, project))
    )


def _deciding(tree: Path) -> tuple[str, ...]:
    """Return the files of a tree that decide its metadata, whether they exist or not.

    These are the files of the build, and lists of requirements that the settings of a
    backend name: ``[tool.setuptools.dynamic] dependencies = { file = "base.txt" }``.
    """
    try:
        document = parse_toml(read_regular(tree / _PROJECT_FILE).decode())
    except (OSError, ValueError):
        document = {}
    lists = sorted(set(_lists(_settings(document))))
    return (*BUILD_FILES, _PACKAGE_INFORMATION, *lists)


def _settings(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of tools except ours."""
    tool = document.get("tool")
    found = dict(tool) if isinstance(tool, dict) else {}
    found.pop("polylock", None)
    return found


def _lists(value: object) -> Iterator[str]:
    """Yield the names of lists of requirements in settings: paths inside the tree."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _lists(each)
    elif isinstance(value, str) and value.endswith((".txt", ".in")):
        path = PurePosixPath(value)
        if not path.is_absolute() and ".." not in path.parts and len(value) < _LONGEST:
            yield value


def _decisive(content: bytes) -> bytes:
    """Return what a build may read of a project file: no comments, nothing of ours."""
    try:
        document = parse_toml(content.decode())
    except (UnicodeDecodeError, ValueError):
        return content
    kept = {**document, "tool": _settings(document)}
    return json.dumps(kept, sort_keys=True, default=str).encode()


def _place(source: DirectorySource, project: Path) -> Path:
    tree = project / source.path
    return tree / source.subdirectory if source.subdirectory else tree


def _key(source: DirectorySource) -> str:
    inside = f"#subdirectory={source.subdirectory}" if source.subdirectory else ""
    return f"{source.path}{inside}"


def _texts(tree: Path) -> Iterator[str]:
    """Yield the texts of a tree; its version and its own code are not among them."""
    stated = static_metadata(tree)
    if stated is None:
        for name in _deciding(tree):
            try:
                content = read_regular(tree / name)
            except OSError:
                continue
            if name == _PROJECT_FILE:
                content = _decisive(content)
            # git may write other line endings on another system.
            digest = hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
            yield f"{name} sha256:{digest}"
        return
    yield from map(requirement_text, stated.requires_dist)
    if stated.requires_python:
        yield f"Python {stated.requires_python}"
    for extra in stated.provides_extra:
        yield f"extra {extra}"
