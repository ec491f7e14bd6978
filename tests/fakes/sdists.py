"""Source distributions with a small build backend in the source tree."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["BACKEND", "FAILING_WHEEL", "NO_METADATA_HOOK", "in_tree", "write_tar"]

BACKEND = """
import base64, hashlib, os, sys, zipfile

def _metadata():
    lines = ["Metadata-Version: 2.4", "Name: " + NAME, "Version: " + VERSION]
    lines += ["Requires-Dist: " + text for text in BUILT_REQUIRES]
    return "\\n".join([*lines, "", ""]).encode()

def get_requires_for_build_wheel(config_settings=None):
    return FURTHER

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    info = NAME + "-" + VERSION + ".dist-info"
    os.mkdir(os.path.join(directory, info))
    with open(os.path.join(directory, info, "METADATA"), "wb") as file:
        file.write(_metadata())
    return info

def build_wheel(directory, config_settings=None, metadata_directory=None):
    info = NAME + "-" + VERSION + ".dist-info"
    facts = {"python": sys.version_info[:2], "variables": sorted(os.environ)}
    facts["settings"] = config_settings
    wheel = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    members = {
        NAME + "/__init__.py": ("built = " + repr(facts) + "\\n").encode(),
        info + "/METADATA": _metadata(),
        info + "/WHEEL": wheel.encode(),
    }
    for name in IMPORTED:
        module = __import__(name)
        text = "imported = " + repr(module.__version__) + "\\n"
        members[NAME + "/" + name + ".py"] = text.encode()
    record = ""
    for path, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
        record += path + ",sha256=" + digest.rstrip(b"=").decode()
        record += "," + str(len(content)) + "\\n"
    members[info + "/RECORD"] = (record + info + "/RECORD,,\\n").encode()
    filename = NAME + "-" + VERSION + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, filename), "w") as archive:
        for path, content in members.items():
            archive.writestr(path, content)
    return filename
"""
"""A backend that builds one pure-Python wheel, and says in it what it saw."""

NO_METADATA_HOOK = "del prepare_metadata_for_build_wheel\n"
FAILING_WHEEL = """
def build_wheel(directory, config_settings=None, metadata_directory=None):
    print("looking for libdemo")
    raise SystemExit("error: libdemo.h: No such file")
"""


def write_tar(
    directory: Path, filename: str, members: Mapping[str, str | bytes]
) -> Path:
    """Write a ``.tar.gz`` of plain files, the same bytes each time."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / filename
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def in_tree(  # noqa: PLR0913 - each keyword is one thing that a backend can say
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    further: Sequence[str] = (),
    imports: Sequence[str] = (),
    built_requires: Sequence[str] = (),
    backend: str = "",
    pkg_info: str | None = None,
) -> Path:
    """Write a source distribution that brings its own backend; return its path.

    ``requires`` are those of ``[build-system]``, ``further`` what the backend asks
    for besides. ``imports`` are modules whose version the backend puts into the
    wheel, ``built_requires`` the requirements of the wheel. ``backend`` is added to
    the backend's text. ``pkg_info`` replaces PKG-INFO, which leaves all to the
    backend.
    """
    stem = canonicalize_name(name).replace("-", "_")
    head = (
        f"NAME, VERSION = {stem!r}, {version!r}\n"
        f"FURTHER, IMPORTED = {list(further)!r}, {list(imports)!r}\n"
        f"BUILT_REQUIRES = {list(built_requires)!r}\n"
    )
    system = (
        f"[build-system]\nrequires = {list(requires)!r}\n"
        'build-backend = "backend"\nbackend-path = ["tools"]\n'
    )
    if pkg_info is None:
        pkg_info = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n"
    top = f"{stem}-{version}"
    return write_tar(
        directory,
        f"{top}.tar.gz",
        {
            f"{top}/PKG-INFO": pkg_info,
            f"{top}/pyproject.toml": system,
            f"{top}/tools/backend.py": head + BACKEND + backend,
        },
    )
