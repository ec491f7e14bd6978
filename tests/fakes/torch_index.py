"""An index that looks to a resolver like PyTorch's index of builds for backends.

Below its base URL it has an index for each backend, with a page of HTML for each
project, local versions such as ``2.9.1+cu130``, hashes and no metadata files (PEP 658).
It answers 403 for what it does not have. The wheels hold metadata alone. Beside it is a
default index, with the build for macOS and with what torch requires.
"""

from __future__ import annotations

import hashlib
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from fakes.server import Answer, Index, Server
from fakes.wheels import build_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["LINUX", "TorchIndex", "full_torch_index"]

LINUX = "cp313-cp313-manylinux_2_28_x86_64"
ARM = "cp313-cp313-manylinux_2_28_aarch64"
WINDOWS = "cp313-cp313-win_amd64"
MAC = "cp313-none-macosx_11_0_arm64"

_LIBRARIES = {
    "cu126": ("nvidia-cudnn-cu12", "9.10.2.21"),
    "cu128": ("nvidia-cudnn-cu12", "9.10.2.21"),
    "cu129": ("nvidia-cudnn-cu12", "9.10.2.21"),
    "cu130": ("nvidia-cudnn-cu13", "9.13.0.50"),
    "cu132": ("nvidia-cudnn-cu13", "9.13.0.50"),
}
_VISION = {
    "2.8.0": "0.23.0",
    "2.9.1": "0.24.1",
    "2.10.0": "0.25.0",
    "2.11.0": "0.26.0",
}
"""The version of torchvision that is built against a version of torch."""


class TorchIndex:
    """The two indexes on one server; ``url`` is the base URL of the backends."""

    def __init__(self, server: Server, directory: Path) -> None:
        self.server = server
        self.url = f"{server.url}/whl"
        self.default = Index(server, "/simple")
        self._directory = directory
        self._pages: dict[tuple[str, str], list[Path]] = {}
        self._default: dict[str, list[Path]] = {}

    def add(
        self,
        backend: str,
        project: str,
        version: str,
        tags: Sequence[str] = (LINUX,),
        *,
        requires: Sequence[str] = (),
        local: bool = True,
    ) -> None:
        """Add wheels of a project to the index of a backend."""
        written = f"{version}+{backend}" if local else version
        for tag in tags:
            wheel = build_wheel(
                self._directory / backend, project, written, tag=tag, requires=requires
            )
            self._pages.setdefault((backend, project), []).append(wheel)

    def add_default(
        self,
        project: str,
        version: str,
        tag: str = "py3-none-any",
        *,
        requires: Sequence[str] = (),
        extras: Sequence[str] = (),
    ) -> None:
        """Add a wheel to the default index."""
        wheel = build_wheel(
            self._directory / "default",
            project,
            version,
            tag=tag,
            requires=requires,
            extras=extras,
        )
        self.add_default_file(project, wheel)

    def add_default_file(self, project: str, file: Path) -> None:
        """Add any file to the default index."""
        self._default.setdefault(project, []).append(file)

    def publish(self) -> None:
        """Serve all pages; what no backend has is answered by 403."""
        projects = {project for _, project in self._pages} | set(self._default)
        projects |= {"torchvision", "torchaudio", "triton", "pytorch-triton-rocm"}
        for backend in _BACKENDS:
            for project in projects:
                path = f"/whl/{backend}/{project}/"
                self.server.routes[path] = Answer(status=403)
        for (backend, project), wheels in self._pages.items():
            links = []
            for wheel in wheels:
                content = wheel.read_bytes()
                # The files of all projects are in one directory, as on the real index.
                path = f"/whl/{backend}/{quote(wheel.name)}"
                self.server.routes[path] = Answer(body=content)
                digest = hashlib.sha256(content).hexdigest()
                href = f"{path}#sha256={digest}"
                links.append(f'<a href="{href}">{escape(wheel.name)}</a><br/>')
            page = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>"
            self.server.routes[f"/whl/{backend}/{project}/"] = Answer(
                body=page.encode(), content_type="text/html"
            )
        for project, wheels in self._default.items():
            self.default.add(project, wheels)


_BACKENDS = (
    *("cu132", "cu130", "cu129", "cu128", "cu126", "cu124", "cu121", "cu118"),
    *("rocm7.2", "rocm7.1", "rocm7.0", "rocm6.4", "rocm6.3", "xpu", "cpu"),
)


def _publish_torch(
    index: TorchIndex, version: str, backends: Sequence[str], *, arm: bool = True
) -> None:
    """Add torch and torchvision of one version for backends and all platforms."""
    for backend in backends:
        tags = [LINUX]
        if not backend.startswith("rocm"):
            tags.append(WINDOWS)
        if arm and (backend == "cpu" or backend.startswith("cu")):
            tags.append(ARM)
        requires = ["filelock"]
        if backend in _LIBRARIES:
            library, library_version = _LIBRARIES[backend]
            marker = "platform_system == 'Linux'"
            requires += [f"{library}=={library_version}; {marker}"]
            requires += [f"triton==3.5.0; {marker}"]
        if backend.startswith("rocm"):
            requires.append("pytorch-triton-rocm==3.5.0")
        index.add(backend, "torch", version, tags, requires=requires)
        vision = _VISION[version]
        vision_requires = [f"torch=={version}"]
        index.add(backend, "torchvision", vision, tags, requires=vision_requires)
    index.add_default("torch", version, MAC, requires=["filelock"])
    index.add_default(
        "torchvision", _VISION[version], MAC, requires=[f"torch=={version}"]
    )


def full_torch_index(server: Server, directory: Path) -> TorchIndex:
    """Return the index with two versions, as they were published.

    torch 2.9.1 has cu126, cu128, cu130, rocm6.3, rocm6.4 and xpu, 2.8.0 has cu129 in
    place of cu130.
    """
    index = TorchIndex(server, directory)
    _publish_torch(index, "2.8.0", ("cu126", "cu128", "cu129", "rocm6.4", "cpu"))
    _publish_torch(
        index,
        "2.9.1",
        ("cu126", "cu128", "cu130", "rocm6.3", "rocm6.4", "xpu", "cpu"),
    )
    for library, version in sorted(set(_LIBRARIES.values())):
        index.add_default(library, version)
    index.add_default("filelock", "3.20.0")
    index.add_default("triton", "3.5.0", LINUX)
    index.add("rocm6.4", "pytorch-triton-rocm", "3.5.0", local=False)
    index.add("rocm6.3", "pytorch-triton-rocm", "3.5.0", local=False)
    index.publish()
    return index
