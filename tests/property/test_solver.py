"""Random universes: the solver against a solver that tries everything.

A universe is small: a few projects with a few versions, dependencies with specifiers,
extras, markers, pre-releases, yanks and variants. The plain solver enumerates every
assignment and keeps those that break no rule. It shares with polylock only what is
tested elsewhere: how a version expands into artifacts, and how markers are folded.
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from fakes.source import MemorySource
from polylock.errors import NoSolution, ProjectNotFound
from polylock.model.inputs import Inputs, RootRequirement
from polylock.model.requirements import Requirement
from polylock.model.target import (
    Architecture,
    Cpu,
    OperatingSystem,
    PythonRelease,
    Target,
    TargetDescription,
)
from polylock.ports import SilentReporter
from polylock.providers.derive import build_target
from polylock.resolution.availability import Availability
from polylock.resolution.candidates import Candidate, CandidatePool
from polylock.resolution.constraints import Dependency, Unmeetable
from polylock.resolution.dependencies import DependencyReader
from polylock.resolution.memory import Memory
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from polylock.model.inputs import PrereleasePolicy

pytestmark = pytest.mark.property

UNIVERSES = 2000
NAMES = ("a", "b", "c", "d")
VERSIONS = ("1.0", "1.1", "2.0", "2.1rc1")
SPECIFIERS = ("", "", "", ">=1.1", "<2", ">=2", "==1.0", "!=1.1", "~=1.0", ">=2.1rc1")
MARKERS = (
    "",
    "",
    "",
    "",
    "; sys_platform == 'linux'",
    "; sys_platform == 'win32'",
    "; 'x86_64' in variant_namespaces",
    "; variant_label == 'null'",
)
TARGETS = [
    build_target(
        TargetDescription(
            name=name,
            system=system,
            architecture=Architecture.X86_64,
            libc="glibc-2.28" if system is OperatingSystem.LINUX else None,
            python=PythonRelease(major=3, minor=12),
            cpu=Cpu(level=level),
        )
    )
    for name, system, level in (
        ("v3", OperatingSystem.LINUX, "v3"),
        ("v1", OperatingSystem.LINUX, "v1"),
        ("win", OperatingSystem.WINDOWS, "v3"),
    )
]
MEMORY = Memory()
"""One for all universes: their projects have the same names, and nothing else."""
VARIANTS = {
    "$schema": "https://variants.example.com/peps/825/v0.1.1.json",
    "default-priorities": {"namespace": ["x86_64"]},
    "variants": {
        "v3": {"x86_64": {"level": ["v3"]}},
        "v2": {"x86_64": {"level": ["v2"]}},
        "null": {},
    },
}


def requirement(source: random.Random, names: tuple[str, ...]) -> str:
    """Return a random requirement on one of the names."""
    extra = "[x]" if source.random() < 0.15 else ""
    specifier = source.choice(SPECIFIERS)
    return f"{source.choice(names)}{extra}{specifier}{source.choice(MARKERS)}"


def release(source: random.Random, names: tuple[str, ...]) -> dict[str, Any]:
    """Return a random release: its wheels, requirements and faults."""
    found: dict[str, Any] = {
        "requires": [requirement(source, names) for _ in range(source.randint(0, 2))]
    }
    if source.random() < 0.25:
        found["requires"].append(f"{source.choice(names)}; extra == 'x'")
    kind = source.random()
    if kind < 0.3:
        labels = source.sample(("v3", "v2", "null"), source.randint(1, 3))
        found["wheels"] = [
            {
                "label": label,
                "requires": [
                    *found["requires"],
                    *(requirement(source, names) for _ in range(source.randint(0, 1))),
                ],
            }
            for label in sorted(labels)
        ]
        found["variants"] = VARIANTS
    elif kind < 0.4:
        found["wheels"] = ["cp312-cp312-manylinux_2_17_x86_64"]
    if source.random() < 0.1:
        found["yanked"] = True
    if source.random() < 0.1:
        found["requires-python"] = ">=3.13"
    return found


def universe(seed: int) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the projects and the requirements of a random universe."""
    source = random.Random(seed)
    packages = {
        name: {
            version: release(source, NAMES)
            for version in source.sample(VERSIONS, source.randint(1, 3))
        }
        for name in NAMES
    }
    roots = [requirement(source, NAMES) for _ in range(source.randint(1, 3))]
    return packages, roots


def is_final(item: tuple[str, dict[str, Any]]) -> bool:
    """Say whether a version is one that every policy admits."""
    version, release = item
    return "rc" not in version and not release.get("yanked")


class Plain:
    """Tries every assignment of candidates to projects."""

    def __init__(self, inputs: Inputs, target: Target, source: MemorySource) -> None:
        pool = CandidatePool(target=target, inputs=inputs, source=source)
        own = [root.requirement for root in inputs.requirements]
        availability = Availability(pool, {}, preferences={}, own=own)
        self._pool = pool
        self._reader = DependencyReader(availability)
        self._roots = [
            dependency
            for root in inputs.requirements
            for dependency in self._reader.of_project(root.requirement)
        ]
        self.admits_yanked = False
        self._everything = inputs.prerelease == "allow"
        specifiers = [(r.name, SpecifierSet(r.specifier)) for r in own]
        self._named = {name for name, found in specifiers if found.prereleases}
        self._pinned = {
            name for name, found in specifiers if any(s.operator == "==" for s in found)
        }
        self._choices: dict[str, list[Candidate]] = {}
        for name in NAMES:
            releases = source.releases(canonicalize_name(name), target)
            self._choices[name] = [
                candidate
                for position in range(len(releases.versions))
                for candidate in pool.expand(releases, position, yanked=True).candidates
            ]

    def solutions(self) -> Iterator[dict[str, Candidate]]:
        """Yield every sound assignment that holds nothing superfluous."""
        choices = [[None, *self._choices[name]] for name in NAMES]
        for combination in itertools.product(*choices):
            pins = {
                name: candidate
                for name, candidate in zip(NAMES, combination, strict=True)
                if candidate is not None
            }
            if self.accepts(pins):
                yield pins

    def files(self) -> list[dict[str, str]]:
        """Return the files of every solution by name."""
        return [
            {name: candidate.file.filename for name, candidate in pins.items()}
            for pins in self.solutions()
        ]

    def accepts(self, pins: Mapping[str, Candidate]) -> bool:
        """Say whether an assignment is closed, reachable and breaks no rule."""
        specifiers: dict[str, list[str]] = {name: [] for name in pins}
        waiting: list[Dependency] = list(self._roots)
        seen: set[tuple[str, str]] = set()
        while waiting:
            wanted = waiting.pop().requirement
            if wanted.name not in pins:
                return False
            specifiers[wanted.name].append(wanted.specifier)
            for extra in ("", *wanted.extras):
                if (wanted.name, extra) in seen:
                    continue
                seen.add((wanted.name, extra))
                required = self._required(pins[wanted.name], extra)
                if required is None:
                    return False
                waiting.extend(required)
        return {name for name, _ in seen} == set(pins) and all(
            self._allowed(pins[name], asked) for name, asked in specifiers.items()
        )

    def _required(self, candidate: Candidate, extra: str) -> list[Dependency] | None:
        found = self._reader.of(self._pool.extended(candidate, extra))
        return None if isinstance(found, Unmeetable) else list(found)

    def _allowed(self, candidate: Candidate, asked: list[str]) -> bool:
        """Judge by all specifiers at once; what is admitted is known beforehand."""
        releases, at = candidate.releases, candidate.position
        together = SpecifierSet(",".join(text for text in asked if text))
        if not together.contains(candidate.version, prereleases=True):
            return False
        if releases.yanked >> at & 1 and not (
            self.admits_yanked or releases.name in self._pinned
        ):
            return False
        if releases.finals >> at & 1 or releases.name in self._named:
            return True
        return self._everything


def inputs_of(roots: list[str], prerelease: PrereleasePolicy) -> Inputs:
    """Return the inputs of a universe."""
    return Inputs(
        requirements=tuple(
            RootRequirement(requirement=Requirement.parse(text)) for text in roots
        ),
        prerelease=prerelease,
    )


def solve(
    seed: int,
    target: Target,
    *,
    prerelease: PrereleasePolicy,
    always_search: bool = False,
) -> tuple[dict[str, str] | None, Plain]:
    """Solve a universe; return the files by name, None where there is no solution."""
    packages, roots = universe(seed)
    inputs = inputs_of(roots, prerelease)
    solver = Solver(
        inputs=inputs,
        source=MemorySource(packages),
        reporter=SilentReporter(),
        always_search=always_search,
        memory=MEMORY,
    )
    plain = Plain(inputs, target, MemorySource(packages))
    try:
        (resolution,) = solver.solve([target]).resolutions
    except (NoSolution, ProjectNotFound):
        return None, plain
    return {str(n): pin.file.filename for n, pin in resolution.pins.items()}, plain


@pytest.mark.parametrize("prerelease", ["allow", "explicit"])
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_solution_is_found_if_there_is_one_and_is_sound(
    target: Target, prerelease: PrereleasePolicy
) -> None:
    """Solved if and only if the plain solver solves it, and one of its solutions."""
    solved = 0
    for seed in range(UNIVERSES):
        found, plain = solve(seed, target, prerelease=prerelease)
        everything = plain.files()
        if found is None:
            assert not everything, (seed, everything[0])
        else:
            if not everything:
                # A dependency pins a yanked version, and nothing else solves it.
                plain.admits_yanked = True
                everything = plain.files()
            assert found in everything, (seed, found)
            solved += 1
    assert UNIVERSES // 5 < solved < UNIVERSES


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_prereleases_are_admitted_only_where_nothing_else_solves(
    target: Target,
) -> None:
    """The default policy's answer is that without pre-releases, if there is one.

    Universes with a project that has nothing but pre-releases are left out: of that
    project they are admitted from the beginning.
    """
    admitted = 0
    for seed in range(UNIVERSES):
        packages, _ = universe(seed)
        if not all(
            any(map(is_final, project.items())) for project in packages.values()
        ):
            continue
        strict, _ = solve(seed, target, prerelease="explicit")
        lenient, _ = solve(seed, target, prerelease="if-necessary-or-explicit")
        if strict is not None:
            assert lenient == strict, seed
        else:
            admitted += lenient is not None
    assert admitted


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_walk_and_search_agree(target: Target) -> None:
    """Wherever the walk has an answer it is the search's."""
    for seed in range(UNIVERSES):
        walked, _ = solve(seed, target, prerelease="allow")
        searched, _ = solve(seed, target, prerelease="allow", always_search=True)
        assert walked == searched, seed
