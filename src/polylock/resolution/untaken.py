"""Why a target did not take a version that was preferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.inputs import index_in_words
from polylock.resolution.align import public
from polylock.resolution.availability import Availability
from polylock.resolution.candidate_pool import CandidatePool
from polylock.resolution.constraints import Unmeetable
from polylock.resolution.dependencies import DependencyReader
from polylock.resolution.shortage import shortage
from polylock.resolution.versions import positions, satisfies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName

    from polylock.model.distributions import Releases
    from polylock.model.inputs import Inputs
    from polylock.model.pins import Pin, Resolution
    from polylock.ports import PackageSource
    from polylock.resolution.candidates import Candidate
    from polylock.resolution.constraints import Dependency

__all__ = ["UntakenReader"]


class UntakenReader:
    """Explains the versions that one target did not take.

    Nothing is asked of the source that the solve has not asked as well, but for the
    version in question.
    """

    def __init__(
        self,
        resolution: Resolution,
        *,
        inputs: Inputs,
        source: PackageSource,
    ) -> None:
        self._resolution = resolution
        self._inputs = inputs
        target = resolution.target
        self._roots = [
            root for root in inputs.requirements if root.target in {None, target.name}
        ]
        self._pool = CandidatePool(target=target, inputs=inputs, source=source)
        self._availability = Availability(
            self._pool,
            {},
            preferences={},
            own=[root.requirement for root in self._roots],
        )
        self._dependencies = DependencyReader(self._availability)

    def reason(self, name: NormalizedName, version: str) -> str | None:
        """Return a clause about a version of a project that the target has otherwise.

        The first of what keeps it out: the index, settings, files, requirements of
        the project, of what depends on it, its own. None where by itself the target
        could have it.
        """
        if self._resolution.pins[name].direct is not None:
            return "the project names a direct source"
        source, target = self._pool.source, self._resolution.target
        releases = source.releases(name, target)
        table = self._availability.table(releases)
        position = table.position(version)
        if position is None:
            same = list(positions(table.mask(f"=={public(version)}")))
            if not same:
                return f"{index_in_words(releases.index)} does not have it"
            position = same[0]
            version = releases.versions[position]
        return (
            self._excluded(releases, version)
            or self._required_otherwise(name, version)
            or self._contradicted(releases, position)
        )

    def _excluded(self, releases: Releases, version: str) -> str | None:
        """Say what settings and files have against a version, whoever asks for it."""
        name = releases.name
        for specifier in self._availability.constraints_on(name):
            if not satisfies(specifier, version):
                return f"constraint-dependencies has {name}{specifier}"
        for asked in self._inputs.upgrades:
            if asked.name == name and not satisfies(asked.specifier, version):
                return f"--upgrade-package asks for {asked}"
        lines, _ = shortage(self._availability, releases, [f"=={version}"])
        return lines[0].removeprefix(f"{name} {version}: ") if lines else None

    def _required_otherwise(self, name: NormalizedName, version: str) -> str | None:
        """Name a requirement, of the project or of a pin, that a version fails."""
        for root in self._roots:
            for each in self._dependencies.of_project(root.requirement):
                if _fails(each, name, version):
                    return f"{root.origin} requires {each.requirement}"
        for pin in self._resolution.pins.values():
            if not any(edge.name == name for edge in pin.edges):
                continue
            for each in self._asked_by(pin):
                if _fails(each, name, version):
                    return f"{pin.name} {pin.version} requires {each.requirement}"
        return None

    def _asked_by(self, pin: Pin) -> Iterator[Dependency]:
        candidate = self._candidate(pin)
        if candidate is None:
            return
        extras = {edge.extra for edge in pin.edges}
        for extra in sorted(each or "" for each in {None, *extras}):
            found = self._dependencies.of(self._pool.extended(candidate, extra))
            if not isinstance(found, Unmeetable):
                yield from found

    def _candidate(self, pin: Pin) -> Candidate | None:
        if pin.direct is not None:
            return None
        releases = self._pool.source.releases(pin.name, self._resolution.target)
        position = self._availability.table(releases).position(pin.version)
        if position is None:
            return None
        found = self._pool.expand(releases, position, yanked=True).candidates
        name = pin.file.filename
        return next((each for each in found if each.file.filename == name), None)

    def _contradicted(self, releases: Releases, position: int) -> str | None:
        """Say which requirement of the version itself fails what was taken."""
        pins: Mapping[NormalizedName, Pin] = self._resolution.pins
        reasons = []
        for candidate in self._pool.expand(releases, position, yanked=False).candidates:
            found = self._dependencies.of(candidate)
            if isinstance(found, Unmeetable):
                reasons.append(f"it {found.reason}")
                continue
            failed = [
                f"it requires {each.requirement}, and {pin.name} {pin.version} is taken"
                for each in found
                for pin in [pins.get(each.requirement.normalized_name)]
                if pin is not None and _fails(each, pin.name, pin.version)
            ]
            if not failed:
                return None
            reasons.append(failed[0])
        return reasons[0] if reasons else None


def _fails(dependency: Dependency, name: str, version: str) -> bool:
    requirement = dependency.requirement
    return requirement.name == name and not satisfies(requirement.specifier, version)
