"""A small copy of the indexes from which projects for GPUs come, besides torch.

On one server are PyTorch's index below ``/whl``, a default index below ``/simple``, and
the indexes and release pages that some projects have of their own. Names of projects
and files, extras and local versions are as published in November 2026; the wheels hold
metadata alone, and most libraries that they require are left out.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from fakes.sdists import in_tree
from fakes.server import Answer, Server
from fakes.torch_index import TorchIndex, full_torch_index
from fakes.wheels import build_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["serve_gpu_projects"]

_LINUX = "cp313-cp313-manylinux_2_27_x86_64"
_WINDOWS = "cp313-cp313-win_amd64"
_MAC = "cp313-cp313-macosx_11_0_arm64"
_ANY = "py3-none-any"


def serve_gpu_projects(server: Server, directory: Path) -> str:
    """Serve all of them; return the URL of the default index."""
    index = full_torch_index(server, directory / "torch")
    world = _World(server, directory, index)
    for add in (_jax, _onnxruntime, _tensorflow, _cupy, _vllm, _flash, _bitsandbytes):
        add(world)
    _llama(world)
    index.publish()
    return index.default.url


class _World:
    """The indexes of one server."""

    def __init__(self, server: Server, directory: Path, index: TorchIndex) -> None:
        self.server = server
        self.directory = directory
        self.index = index

    def add(
        self,
        project: str,
        version: str,
        tags: Iterable[str] = (_ANY,),
        *,
        requires: Sequence[str] = (),
        extras: Sequence[str] = (),
    ) -> None:
        """Add wheels to the default index."""
        for tag in tags:
            self.index.add_default(
                project, version, tag, requires=requires, extras=extras
            )

    def add_libraries(self, *names: str, version: str) -> None:
        """Add libraries that require nothing."""
        for name in names:
            self.add(name, version)

    def page(self, path: str, files: Iterable[Path]) -> None:
        """Serve a page of links as generated for a static site: without hashes."""
        links = []
        for file in files:
            place = f"{path}{quote(file.name)}"
            self.server.routes[place] = Answer(body=file.read_bytes())
            links.append(f'<a href="{place}">{escape(file.name)}</a><br>')
        page = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>"
        self.server.routes[path] = Answer(body=page.encode(), content_type="text/html")


def _jax(world: _World) -> None:
    # jax has no compiled code: jaxlib is for processors, plugins are for GPUs.
    requires = ["jaxlib==0.8.1"]
    for cuda in ("12", "13"):
        plugin = f"jax-cuda{cuda}-plugin"
        requires.append(f"{plugin}[with-cuda]==0.8.1; extra == 'cuda{cuda}'")
        library = "nvidia-cublas" if cuda == "13" else "nvidia-cublas-cu12"
        pjrt = f"jax-cuda{cuda}-pjrt"
        world.add(
            plugin,
            "0.8.1",
            [_LINUX],
            requires=[f"{pjrt}==0.8.1", f"{library}; extra == 'with-cuda'"],
            extras=["with-cuda"],
        )
        world.add(pjrt, "0.8.1", ["py3-none-manylinux_2_27_x86_64"])
    world.add("jax", "0.8.1", requires=requires, extras=["cuda12", "cuda13"])
    world.add("jaxlib", "0.8.1", [_LINUX, _WINDOWS, _MAC])
    world.add_libraries("nvidia-cublas", version="13.1.0.3")
    world.add_libraries("nvidia-cublas-cu12", version="12.9.1.4")


def _onnxruntime(world: _World) -> None:
    world.add("onnxruntime", "1.27.0", [_LINUX, _WINDOWS, _MAC])
    world.add(
        "onnxruntime-gpu",
        "1.27.0",
        [_LINUX, _WINDOWS],
        requires=[
            "nvidia-cuda-runtime; extra == 'cuda'",
            "nvidia-cudnn-cu13; extra == 'cudnn'",
        ],
        extras=["cuda", "cudnn"],
    )
    world.add_libraries("nvidia-cuda-runtime", version="13.0.96")


def _tensorflow(world: _World) -> None:
    requires = ["nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == 'and-cuda'"]
    tags = [_LINUX, _WINDOWS, _MAC]
    world.add("tensorflow", "2.21.0", tags, requires=requires, extras=["and-cuda"])


def _cupy(world: _World) -> None:
    for name in ("cupy-cuda12x", "cupy-cuda13x"):
        requires = ["cuda-toolkit; extra == 'ctk'"]
        tags = [_LINUX, _WINDOWS]
        world.add(name, "14.1.0", tags, requires=requires, extras=["ctk"])
    world.add("cupy-rocm-7-0", "14.1.0", [_LINUX])
    world.add_libraries("cuda-toolkit", version="13.0.2")


def _vllm(world: _World) -> None:
    # Compiled for one CUDA version and one torch, which it pins.
    tag = "cp38-abi3-manylinux_2_28_x86_64"
    world.add("vllm", "0.12.0", [tag], requires=["torch==2.9.1"])
    wheel = build_wheel(
        world.directory / "vllm",
        "vllm",
        "0.12.0+cu130",
        tag=tag,
        requires=["torch==2.9.1"],
    )
    world.page("/vllm/0.12.0/cu130/vllm/", [wheel])


def _flash(world: _World) -> None:
    directory = world.directory / "flash-attn"
    wheels = [
        build_wheel(
            directory,
            "flash-attn",
            f"2.8.3+cu12torch{torch}cxx11abi{abi}",
            tag="cp313-cp313-linux_x86_64",
            requires=["torch", "einops"],
        )
        for torch in ("2.7", "2.8")
        for abi in ("TRUE", "FALSE")
    ]
    world.page("/flash-attention/releases/v2.8.3/", wheels)
    # The default index has a source distribution alone, which imports torch to build.
    sdist = in_tree(
        directory,
        "flash-attn",
        "2.8.3",
        imports=["torch"],
        built_requires=["torch", "einops"],
    )
    world.index.add_default_file("flash-attn", sdist)
    world.add_libraries("einops", version="0.8.1")


def _bitsandbytes(world: _World) -> None:
    # One wheel has the libraries for all CUDA versions.
    tags = [
        "py3-none-manylinux_2_24_x86_64",
        "py3-none-win_amd64",
        "py3-none-macosx_14_0_arm64",
    ]
    world.add("bitsandbytes", "0.50.0", tags, requires=["torch<3,>=2.4"])


def _llama(world: _World) -> None:
    # The same version on each index, and a source distribution on the default one.
    for backend, version, tag in (
        ("cu124", "0.3.16", "cp312-cp312-linux_x86_64"),
        ("cpu", "0.3.16", "cp312-cp312-linux_x86_64"),
        ("metal", "0.3.16", "cp312-cp312-macosx_11_0_arm64"),
    ):
        wheel = build_wheel(
            world.directory / "llama" / backend, "llama-cpp-python", version, tag=tag
        )
        world.page(f"/llama-cpp-python/whl/{backend}/llama-cpp-python/", [wheel])
    sdist = in_tree(world.directory / "llama", "llama-cpp-python", "0.3.16")
    world.index.add_default_file("llama-cpp-python", sdist)
