"""What a project says of builds: their requirements, settings and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from packaging.version import Version

from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.model.core_metadata import CoreMetadata

__all__ = ["BuildSettings", "ConfigSettings", "StatedMetadata"]

ConfigSettings = Mapping[str, str | tuple[str, ...]]
"""The ``config_settings`` of the hooks of a build backend (PEP 517)."""


class StatedMetadata(Value, frozen=True, kw_only=True, rename="kebab"):
    """An entry of ``dependency-metadata``: metadata of a project, as the user has it.

    It is that of one ``version``, or of all without one. Requirements are text.
    """

    name: str
    version: str | None = None
    requires_dist: tuple[str, ...] = ()
    requires_python: str | None = None
    provides_extra: tuple[str, ...] = ()

    def core_metadata(self, version: str) -> CoreMetadata:
        """Return the metadata of a version."""
        # 3 ms, and few projects state metadata.
        from polylock.model.core_metadata import CoreMetadata  # noqa: PLC0415
        from polylock.model.requirements import Requirement  # noqa: PLC0415

        return CoreMetadata(
            name=self.name,
            version=version,
            requires_python=self.requires_python,
            requires_dist=tuple(map(Requirement.parse, self.requires_dist)),
            provides_extra=self.provides_extra,
        )


class BuildSettings(Value, frozen=True, kw_only=True):
    """The settings of builds, by normalized project name.

    ``extra_requires`` are requirements besides those of the build system, as sorted
    text. The projects of ``not_isolated`` are built among what is locked for the
    target, instead of their build requirements. ``config_settings`` are of all
    projects, ``config_settings_of`` of one, before those of all. ``metadata`` replaces
    the metadata of releases, sorted by name and version.
    """

    extra_requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_isolated: tuple[str, ...] = ()
    config_settings: ConfigSettings = field(default_factory=dict)
    config_settings_of: Mapping[str, ConfigSettings] = field(default_factory=dict)
    metadata: tuple[StatedMetadata, ...] = ()

    def stated(self, name: str, version: str | None = None) -> StatedMetadata | None:
        """Return the metadata that the user states of a version, None if none.

        That of the version comes before that of all versions. Without ``version`` it is
        the only one that names a version.
        """
        own = [each for each in self.metadata if each.name == name]
        if version is None:
            named = [each for each in own if each.version is not None]
            return named[0] if len(named) == 1 else None
        exact = (each for each in own if each.version and _same(each.version, version))
        general = (each for each in own if each.version is None)
        return next(exact, None) or next(general, None)

    def config(self, name: str) -> dict[str, str | tuple[str, ...]]:
        """Return the ``config_settings`` for the backend of a project."""
        return {**self.config_settings, **self.config_settings_of.get(name, {})}

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield each setting as key and value, for comparison and messages."""
        for name, requirements in self.extra_requires.items():
            yield f"extra-build-dependencies of {name}", ", ".join(requirements) or "[]"
        for name in self.not_isolated:
            yield f"no-build-isolation-package {name}", "set"
        for key, value in self.config_settings.items():
            yield f"config-settings {key}", _text(value)
        for name, settings in self.config_settings_of.items():
            for key, value in settings.items():
                yield f"config-settings-package of {name}, {key}", _text(value)
        for each in self.metadata:
            subject = f"{each.name} {each.version}" if each.version else each.name
            yield f"dependency-metadata of {subject}", _metadata_text(each)


def _same(one: str, other: str) -> bool:
    return one == other or Version(one) == Version(other)


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else f"[{', '.join(value)}]"


def _metadata_text(stated: StatedMetadata) -> str:
    parts = [f"requires {', '.join(stated.requires_dist) or 'nothing'}"]
    if stated.requires_python is not None:
        parts.append(f"Python {stated.requires_python}")
    if stated.provides_extra:
        parts.append(f"extras {', '.join(stated.provides_extra)}")
    return "; ".join(parts)
