"""The meaning of ``torch-backend`` for the targets of a project, as values.

A backend is a build of torch for one kind of hardware, on an index of its own: ``cpu``,
``cu130``, ``rocm6.4``, ``xpu``. ``polylock.project.torch_backends`` has the data.
"""

from __future__ import annotations

from typing import Literal

from packaging.specifiers import SpecifierSet

from polylock.values import Value

__all__ = [
    "AUTO",
    "NO_BACKEND",
    "BackendFit",
    "Obstacle",
    "TorchChoice",
    "index_of_backend",
]

AUTO = "auto"
"""The value of ``torch-backend`` that chooses by the hardware of each target."""
NO_BACKEND = "none"
"""The value by which torch comes from the project's indexes, as without the key."""


def index_of_backend(backend: str) -> str:
    """Return the name of the index of a backend."""
    return f"torch-{backend}"


class Obstacle(Value, frozen=True, kw_only=True):
    """The reason why a backend cannot run on a target; ``about`` is its kind.

    ``platform``: it is not built for ``has``, an operating system and architecture.
    ``hardware``: the target lacks ``needs``. ``release``: the target's driver or ROCm,
    the ``subject``, is ``has``, and the backend needs ``needs`` or later.
    ``architecture``: the GPU is ``has``, and the backend has code for ``needs``.
    """

    about: Literal["platform", "hardware", "release", "architecture"]
    subject: str = ""
    needs: str = ""
    has: str = ""


class BackendFit(Value, frozen=True, kw_only=True):
    """A backend on a target.

    ``versions`` are specifiers for the versions of torch to take from it, any of which
    suffices: empty for none, one empty specifier for all. ``obstacle`` is why the
    others cannot run, None if all can. Both are there for all versions of a backend
    that the user names although it cannot run.
    """

    backend: str
    versions: tuple[str, ...] = ()
    obstacle: Obstacle | None = None

    def runs(self, version: str) -> bool:
        """Return True if a version of torch of the backend is among them."""
        public = version.partition("+")[0]
        return any(
            SpecifierSet(each).contains(public, prereleases=True)
            for each in self.versions
        )


class TorchChoice(Value, frozen=True, kw_only=True):
    """The backends of one target, those to prefer first.

    ``value`` is what ``torch-backend`` says: a name or ``auto``. ``fits`` are the
    backends for the target's hardware, whether they run or not, and the build for
    processors if none of them does.
    """

    value: str
    fits: tuple[BackendFit, ...]

    @property
    def taken(self) -> tuple[BackendFit, ...]:
        """Return the backends to take torch from."""
        return tuple(fit for fit in self.fits if fit.versions)

    def of_index(self, index: str) -> BackendFit | None:
        """Return the backend of an index by name, None if it is of another index."""
        found = (f for f in self.fits if index_of_backend(f.backend) == index)
        return next(found, None)
