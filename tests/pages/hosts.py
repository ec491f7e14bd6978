"""The indexes at example.com that pages use, served on loopback when needed."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from fakes.gpu_projects import serve_gpu_projects
from fakes.server import Answer, Index, Server
from fakes.torch_index import full_torch_index
from fakes.torch_replica import build_torch_replica
from fakes.wheels import build_wheel
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

__all__ = ["ROOT", "Hosts"]

ROOT = Path(__file__).resolve().parents[2]

_URL = re.compile(r"https://((?:[^\s/@\"']+@)?)([\w-]+\.example\.com)(?=[/\"'\s]|$)")
_MACHINE = re.compile(r"(?<=machine )([\w-]+\.example\.com)\b")  # of a netrc file
_USER, _PASSWORD = "ci", "s3cret"


@contextmanager
def _fixtures(directory: Path) -> Iterator[str]:
    """Yield the index of this repository."""
    build_index(ROOT / "fixtures" / "wheels", directory)
    with IndexServer(directory) as server:
        yield server.url


@contextmanager
def _torch(directory: Path) -> Iterator[str]:
    """Yield the replica of torch's variant wheels; other projects are stand-ins."""
    with IndexServer(build_torch_replica(directory).directory) as server:
        yield server.url


@contextmanager
def _pytorch(directory: Path) -> Iterator[str]:
    """Yield a copy of PyTorch's index below ``/whl``, and a default index beside it."""
    with Server() as server:
        full_torch_index(server, directory)
        yield server.url


@contextmanager
def _gpu(directory: Path) -> Iterator[str]:
    """Yield small copies of the indexes of projects for GPUs."""
    with Server() as server:
        serve_gpu_projects(server, directory)
        yield server.url


@contextmanager
def _private(directory: Path) -> Iterator[str]:
    """Yield an index that requires a user and a password for pages and files."""
    wheels = directory / "wheels"
    for version in ("1.3.0", "1.4.0"):
        build_wheel(wheels, "acme-models", version, requires=["plainlib>=1"])
    credentials = f"{_USER}:{_PASSWORD}"
    with Server() as server:
        index = Index(server, template=Answer(credentials=credentials))
        index.add("acme-models", sorted(wheels.glob("*.whl")))
        for path in list(server.routes):
            server.change(path, credentials=credentials)
        yield f"{index.url}/"


@contextmanager
def _imitator(directory: Path) -> Iterator[str]:
    """Yield a public index with an attacker's copy of a private project."""
    wheels = directory / "wheels"
    build_wheel(wheels, "acme-models", "99.0.0")
    build_wheel(wheels, "plainlib", "1.1.0")
    build_index(wheels, directory / "site")
    with IndexServer(directory / "site") as server:
        yield server.url


_BUILDERS: Mapping[str, Callable[[Path], AbstractContextManager[str]]] = {
    "acme.example.com": _private,
    "gpu.example.com": _gpu,
    "public.example.com": _imitator,
    "pytorch.example.com": _pytorch,
    "torch.example.com": _torch,
    "wheels.example.com": _fixtures,
}


class Hosts:
    """Serves what pages call ``https://NAME.example.com``, each begun when first used.

    A host that is not known here is left as it is: nothing answers to it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._served: dict[str, str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def url(self, name: str) -> str:
        """Return where a host is served, without a slash at the end."""
        if name not in self._served:
            url = self._stack.enter_context(_BUILDERS[name](self._directory / name))
            self._served[name] = url.removesuffix("/simple/")
        return self._served[name]

    def served_here(self, text: str) -> str:
        """Return a text of a page with the URLs that are served here."""

        def replaced(found: re.Match[str]) -> str:
            if found[2] not in _BUILDERS:
                return found[0]
            return self.url(found[2]).replace("http://", f"http://{found[1]}")

        def machine(found: re.Match[str]) -> str:
            # A netrc file names an origin that is not https in full.
            return self.url(found[1]) if found[1] in _BUILDERS else found[0]

        return _MACHINE.sub(machine, _URL.sub(replaced, text))

    def as_written(self, text: str) -> str:
        """Return what was printed with the URLs that a page writes."""
        for name, url in self._served.items():
            place = re.escape(url.removeprefix("http://"))
            pattern = rf"http://((?:[^\s/@\"']+@)?){place}(?!\d)"
            text = re.sub(pattern, rf"https://\g<1>{name}", text)
        return text
