"""A PackageSource in memory, made from a universe written as a mapping.

::

    {"torch": {"2.9": {"requires": ["numpy"], "wheels": [{"label": "cu13", ...}]}}}

A version without ``wheels`` has one ``py3-none-any`` wheel. A wheel is a tag, or a
mapping of ``tag``, ``label``, ``build``, ``requires``, ``requires-python``, ``yanked``
and ``uploaded`` (microseconds); ``metadata-requires-python`` is what the metadata says
where it differs from the index. ``variants`` is the index-level document of the
release; ``requires`` of a wheel replace those of the version. ``sdist`` is true, or a
mapping like a wheel's, where there is a source distribution. ``unusable`` is why its
metadata cannot be had, ``build-refused`` that it takes a build that is not allowed,
``refused-unopened`` the same where the index tells that without its file.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from polylock.errors import ProjectNotFound
from polylock.explain.reasons import InvalidMetadata, NeedsBuild
from polylock.model.core_metadata import CoreMetadata
from polylock.model.distributions import (
    Release,
    Releases,
    RemoteFile,
    Unusable,
)
from polylock.model.requirements import Requirement
from polylock.variants.variant_json import InvalidVariantMetadata, VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

    from polylock.model.target import Target
    from polylock.ports import Guess

INDEX_URL = "https://index.example.com/simple/"


class MemorySource:
    """Answers from a universe and records the requests."""

    def __init__(self, universe: Mapping[str, Mapping[str, Any]]) -> None:
        self._projects = {
            canonicalize_name(name): {
                str(Version(version)): release for version, release in found.items()
            }
            for name, found in universe.items()
        }
        self._releases: dict[str, Releases] = {}
        self._facts: dict[str, Mapping[str, Any]] = {}
        self.opened: set[str] = set()
        self.read: list[str] = []

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the versions of a project, the same for every target."""
        del target
        if name not in self._projects:
            raise ProjectNotFound(name, ["memory"])
        if name not in self._releases:
            self._releases[name] = self._table(name)
        return self._releases[name]

    def variant_metadata(
        self, release: Release, target: Target
    ) -> VariantMetadata | Unusable:
        """Return the release's document, decoded."""
        del target
        document = self._projects[release.name][release.version].get("variants")
        if document is None:
            return Unusable(InvalidMetadata("has no variant metadata"))
        try:
            return VariantMetadata.from_document(document)
        except InvalidVariantMetadata as error:
            return Unusable(InvalidMetadata(str(error)))

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return what the universe says of this wheel."""
        self.read.append(file.filename)
        version = self._projects[release.name][release.version]
        wheel = {**version, **self._facts[file.filename]}
        if "build-refused" in wheel:
            return Unusable(NeedsBuild(wheel["build-refused"]))
        if "unusable" in wheel:
            return Unusable(InvalidMetadata(wheel["unusable"]))
        return CoreMetadata(
            name=release.name,
            version=release.version,
            requires_python=wheel.get(
                "metadata-requires-python", wheel.get("requires-python")
            ),
            requires_dist=tuple(
                Requirement.parse(r) for r in wheel.get("requires", ())
            ),
            provides_extra=tuple(wheel.get("provides-extra", ())),
        )

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        """Return what the universe says is known of a file unopened."""
        version = self._projects[release.name][release.version]
        reason = {**version, **self._facts[file.filename]}.get("refused-unopened")
        return None if reason is None else Unusable(NeedsBuild(reason))

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Do nothing: all is here."""

    def _table(self, name: NormalizedName) -> Releases:
        project = self._projects[name]
        versions = sorted(project, key=Version)

        def bits(chosen: Iterable[bool]) -> int:
            return sum(1 << at for at, yes in enumerate(chosen) if yes)

        releases = [self._release(name, version) for version in versions]

        def load(position: int) -> Release:
            self.opened.add(f"{name} {versions[position]}")
            return releases[position]

        return Releases(
            name=name,
            index="memory",
            index_url=INDEX_URL,
            versions=versions,
            finals=bits(not Version(version).is_prerelease for version in versions),
            yanked=bits(
                all(file.yanked is not None for file in _files(release))
                for release in releases
            ),
            earliest_upload=[
                min((f.upload_time for f in _files(r) if f.upload_time), default=None)
                for r in releases
            ],
            load=load,
            fingerprint=_digest(versions),
        )

    def _release(self, name: NormalizedName, version: str) -> Release:
        facts = self._projects[name][version]
        wheels = []
        for entry in facts.get("wheels", ["py3-none-any"]):
            wheel = {"tag": entry} if isinstance(entry, str) else entry
            parts = [name.replace("-", "_"), version, wheel.get("tag", "py3-none-any")]
            if "build" in wheel:
                parts.insert(2, wheel["build"])
            if "label" in wheel:
                parts.append(wheel["label"])
            wheels.append(self._file("-".join(parts) + ".whl", wheel, facts))
        sdist = facts.get("sdist")
        source = (
            self._file(
                f"{name.replace('-', '_')}-{version}.tar.gz",
                {} if sdist is True else sdist,
                facts,
            )
            if sdist
            else None
        )
        return Release(
            name=name,
            version=version,
            index="memory",
            wheels=tuple(sorted(wheels, key=lambda file: file.filename)),
            sdist=source,
            fingerprint=_digest((wheels, source)),
        )

    def _file(
        self, filename: str, file: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> RemoteFile:
        self._facts[filename] = file
        yanked = file.get("yanked", facts.get("yanked"))
        return RemoteFile(
            filename=filename,
            url=f"https://files.example.com/{filename}",
            hashes={"sha256": hashlib.sha256(filename.encode()).hexdigest()},
            size=1000,
            upload_time=file.get("uploaded", facts.get("uploaded")),
            requires_python=file.get("requires-python", facts.get("requires-python")),
            yanked="" if yanked is True else yanked,
        )


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()


def _files(release: Release) -> list[RemoteFile]:
    return [*release.wheels, *([release.sdist] if release.sdist else [])]
