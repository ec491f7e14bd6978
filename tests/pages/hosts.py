"""The indexes that pages name by example.com, served on loopback when one is named."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from fakes.torch_replica import build_torch_replica
from polylock.operations.index_build import build_index, serve_index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ROOT", "Hosts"]

ROOT = Path(__file__).resolve().parents[2]

_URL = re.compile(r"https://((?:[^\s/@\"']+@)?)([\w-]+\.example\.com)(?=[/\"'\s]|$)")


def _fixtures(directory: Path) -> None:
    build_index(ROOT / "fixtures" / "wheels", directory)


def _torch(directory: Path) -> None:
    build_torch_replica(directory)


_BUILDERS: Mapping[str, Callable[[Path], None]] = {
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
            directory = self._directory / name
            _BUILDERS[name](directory)
            server = self._stack.enter_context(serve_index(directory))
            self._served[name] = server.url.removesuffix("/simple/")
        return self._served[name]

    def served_here(self, text: str) -> str:
        """Return a text of a page with the URLs that are served here."""

        def replaced(found: re.Match[str]) -> str:
            if found[2] not in _BUILDERS:
                return found[0]
            return self.url(found[2]).replace("http://", f"http://{found[1]}")

        return _URL.sub(replaced, text)

    def as_written(self, text: str) -> str:
        """Return what was printed with the URLs that a page writes."""
        for name, url in self._served.items():
            place = re.escape(url.removeprefix("http://"))
            pattern = rf"http://((?:[^\s/@\"']+@)?){place}(?!\d)"
            text = re.sub(pattern, rf"https://\g<1>{name}", text)
        return text
