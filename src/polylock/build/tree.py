"""The static metadata of a source tree, and a fingerprint of its files."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from polylock.cache.regular_files import file_digest, read_regular
from polylock.model.core_metadata import CoreMetadata
from polylock.model.markers import Atom, conjunction, parse_marker
from polylock.model.requirements import Requirement
from polylock.toml_tables import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BUILD_FILES", "fingerprint", "static_metadata"]

_FIELDS = ("version", "dependencies", "optional-dependencies", "requires-python")
BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
"""The files on which a build for an editable installation depends."""

_PASSED_OVER = frozenset({"build", "dist", "target", "node_modules", "__pycache__"})
_PRODUCTS = (".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib", ".o", ".obj")


def static_metadata(tree: Path) -> CoreMetadata | None:
    """Return the metadata in ``[project]``, None if only the backend knows it.

    PEP 621: a field that ``dynamic`` does not name is exactly as written, or empty.
    Malformed content is left to the backend.
    """
    try:
        document = parse_toml(read_regular(tree / "pyproject.toml").decode())
    except (OSError, ValueError):
        return None
    project = document.get("project")
    if not isinstance(project, dict) or "build-system" not in document:
        return None
    dynamic = project.get("dynamic", [])
    if not isinstance(dynamic, list) or any(name in dynamic for name in _FIELDS):
        return None
    try:
        return _of_project(project)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _of_project(project: dict[str, Any]) -> CoreMetadata:
    requirements = [Requirement.parse(text) for text in project.get("dependencies", [])]
    extras = project.get("optional-dependencies", {})
    for extra, texts in extras.items():
        condition = Atom("extra", "==", canonicalize_name(extra))
        for text in texts:
            plain = Requirement.parse(text)
            marker = plain.marker
            both = [parse_marker(marker), condition] if marker else [condition]
            requirements.append(
                Requirement(
                    name=plain.name,
                    specifier=plain.specifier,
                    extras=plain.extras,
                    marker=str(conjunction(both)),
                    url=plain.url,
                )
            )
    return CoreMetadata(
        name=str(project["name"]),
        version=str(Version(project["version"])),
        requires_python=project.get("requires-python"),
        requires_dist=tuple(requirements),
        provides_extra=tuple(canonicalize_name(extra) for extra in extras),
    )


def fingerprint(tree: Path, *, editable: bool) -> str:
    """Return a SHA-256 that changes when the tree has to be installed again.

    An editable installation uses the files in place, so only files that affect the
    build count. Otherwise all files do, except hidden directories and build products.
    """
    digest = hashlib.sha256()
    if editable:
        paths = [tree / name for name in BUILD_FILES if (tree / name).is_file()]
    else:
        paths = list(_files(tree))
    for path in paths:
        digest.update(f"{path.relative_to(tree).as_posix()}\0".encode())
        digest.update(bytes.fromhex(file_digest(path)))
    return digest.hexdigest()


def _files(tree: Path) -> Iterator[Path]:
    """Yield the files that may go into a wheel, in a fixed order."""
    for place, directories, names in os.walk(tree):
        directory = tree / place
        directories[:] = sorted(
            name
            for name in directories
            if not name.startswith(".")
            and name not in _PASSED_OVER
            and not name.endswith(".egg-info")
            and not (directory / name / "pyvenv.cfg").exists()
        )
        for name in sorted(names):
            path = directory / name
            if not name.endswith(_PRODUCTS) and path.is_file():
                yield path
