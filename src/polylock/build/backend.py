"""Reads the build backend of a source tree (PEP 517, PEP 518)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.cache.regular_files import read_regular
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.toml_tables import InvalidToml, parse_toml
from polylock.values import Value

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BuildSystem", "InvalidBuildSystem", "check_requirements"]

_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"
_LEGACY_REQUIRES = ("setuptools>=40.8.0",)
"""The first version of setuptools with that backend."""


class InvalidBuildSystem(ValueError):
    """A source tree with an invalid ``[build-system]``; the text is a clause."""


class BuildSystem(Value, frozen=True, kw_only=True):
    """``[build-system]`` of a source tree.

    ``requires`` are requirements as written (PEP 508); ``backend_path`` holds
    directories relative to the tree, for a backend in the tree itself.
    """

    requires: tuple[str, ...] = _LEGACY_REQUIRES
    backend: str = _LEGACY_BACKEND
    backend_path: tuple[str, ...] = ()

    @classmethod
    def read(cls, tree: Path) -> BuildSystem:
        """Return the build system of a source tree; raises InvalidBuildSystem.

        Without ``pyproject.toml`` or the table it is that of setuptools (PEP 517,
        "Source trees"). Without ``build-backend`` the backend is that of setuptools as
        well, with the ``requires`` of the table, as in pip.
        """
        try:
            content = read_regular(tree / "pyproject.toml")
            document = parse_toml(content.decode())
        except FileNotFoundError:
            document = {}
            if not (tree / "setup.py").is_file():
                raise InvalidBuildSystem(
                    "it has neither pyproject.toml nor setup.py"
                ) from None
        except InvalidToml as error:
            raise InvalidBuildSystem(f"pyproject.toml {error}") from error
        except UnicodeDecodeError as error:
            raise InvalidBuildSystem("pyproject.toml is not UTF-8") from error
        except OSError as error:
            raise InvalidBuildSystem(
                f"pyproject.toml cannot be read: {error.strerror}"
            ) from error
        table = document.get("build-system")
        if table is None:
            return cls()
        if not isinstance(table, dict):
            raise InvalidBuildSystem("build-system in pyproject.toml is not a table")
        return cls._of_table(table)

    @classmethod
    def _of_table(cls, table: dict[str, Any]) -> BuildSystem:
        if "requires" not in table:
            raise InvalidBuildSystem("build-system.requires is missing")
        backend = table.get("build-backend", _LEGACY_BACKEND)
        if not isinstance(backend, str) or not backend:
            raise InvalidBuildSystem("build-system.build-backend is not a string")
        return cls(
            requires=check_requirements(table["requires"], "build-system.requires"),
            backend=backend,
            backend_path=_strings(
                table.get("backend-path", []), "build-system.backend-path"
            ),
        )


def check_requirements(value: object, what: str) -> tuple[str, ...]:
    """Return a list of requirements as written; raises InvalidBuildSystem otherwise."""
    texts = _strings(value, what)
    for text in texts:
        try:
            requirement = Requirement.parse(text)
        except InvalidRequirement as error:
            problem = str(error).partition("\n")[0]
            raise InvalidBuildSystem(
                f"{what} contains {text!r}, which is not a requirement: {problem}"
            ) from error
        if requirement.url is not None:
            raise InvalidBuildSystem(f"{what} contains {text!r}, a direct reference")
    return texts


def _strings(value: object, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise InvalidBuildSystem(f"{what} is not a list of strings")
    return tuple(value)
