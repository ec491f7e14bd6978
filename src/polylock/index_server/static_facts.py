"""``index.toml``: what an index says of files that the files cannot say themselves.

::

    [upload-times]
    "demo==1.0" = 2026-01-31T12:00:00Z
    "demo-1.0-py3-none-any.whl" = 2026-02-01T12:00:00Z

    [yanked]
    "demo==0.9" = "does not start on Windows"

A key is a release or a file name; the file name wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from polylock.toml_tables import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from polylock.index.distribution_file import DistributionFile

__all__ = ["FACTS_FILENAME", "InvalidFacts", "StaticFacts"]

FACTS_FILENAME = "index.toml"


class InvalidFacts(ValueError):
    """``index.toml`` cannot be read; the reason is its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFacts:
    """Upload times, in UTC, and reasons of yanks (PEP 592, PEP 700).

    The keys are file names and normalized releases, ``name==version``.
    """

    upload_times: Mapping[str, datetime] = field(default_factory=dict)
    yanked: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> StaticFacts:
        """Read the file; nothing is said where there is none. Raises InvalidFacts."""
        try:
            document = parse_toml(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise InvalidFacts(str(error)) from error
        unknown = sorted(document.keys() - {"upload-times", "yanked"})
        if unknown:
            raise InvalidFacts(
                f"unknown key {unknown[0]}; known are upload-times, yanked"
            )
        return cls(
            upload_times={
                key: _time(f"upload-times.{key}", value)
                for key, value in _table(document, "upload-times")
            },
            yanked={
                key: _reason(f"yanked.{key}", value)
                for key, value in _table(document, "yanked")
            },
        )

    def upload_time(self, file: DistributionFile) -> datetime | None:
        """Return when a file was uploaded, None where nothing says so."""
        by_release = self.upload_times.get(file.release)
        return self.upload_times.get(file.filename, by_release)

    def yank(self, file: DistributionFile) -> str | None:
        """Return why a file is yanked, None where it is not."""
        return self.yanked.get(file.filename, self.yanked.get(file.release))

    def unmatched(self, files: Iterable[DistributionFile]) -> list[str]:
        """Return the key paths that name none of these files, sorted."""
        known: set[str] = set()
        for file in files:
            known |= {file.filename, file.release}
        return sorted(
            [f"upload-times.{key}" for key in self.upload_times if key not in known]
            + [f"yanked.{key}" for key in self.yanked if key not in known]
        )


def _table(document: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise InvalidFacts(f"{name} must be a table")
    for key, value in table.items():
        yield _normalized(f"{name}.{key}", key), value


def _normalized(place: str, key: str) -> str:
    project, equals, version = key.partition("==")
    if not equals:
        return key
    try:
        return f"{canonicalize_name(project)}=={Version(version)}"
    except ValueError as error:
        raise InvalidFacts(f"{place}: {version!r} is not a version") from error


def _time(place: str, value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidFacts(f"{place} must be a date and time with an offset")
    return value.astimezone(UTC)


def _reason(place: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidFacts(f"{place} must be a string, the reason or an empty one")
    return value
