"""Random universes: a few projects with a few versions and many kinds of faults.

Dependencies have specifiers, extras, markers and cycles; versions are pre-releases,
yanked or for another Python; wheels have labels. The same seed gives the same universe.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from polylock.model.inputs import Inputs, RootRequirement
from polylock.model.pins import Preference
from polylock.model.requirements import Requirement
from polylock.model.target import (
    Architecture,
    Cpu,
    OperatingSystem,
    PythonRelease,
    TargetDescription,
)
from polylock.providers.derive import build_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from polylock.model.inputs import PrereleasePolicy, ResolutionMode

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


def universe(
    seed: int, names: tuple[str, ...] = NAMES
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the projects and the requirements of a random universe."""
    source = random.Random(seed)
    packages = {
        name: {
            version: release(source, names)
            for version in source.sample(VERSIONS, source.randint(1, 3))
        }
        for name in names
    }
    roots = [requirement(source, names) for _ in range(source.randint(1, 3))]
    return packages, roots


def tangle(seed: int) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return a universe of six projects with more versions and narrow requirements.

    Almost everything in it conflicts, and it is full of cycles.
    """
    source = random.Random(seed)
    names = ("a", "b", "c", "d", "e", "f")
    versions = tuple(f"{number}.0" for number in range(1, 6))

    def narrow() -> str:
        extra = "[x]" if source.random() < 0.1 else ""
        number = source.randint(1, 5)
        operator = source.choice(("<=", ">=", "==", "!="))
        return f"{source.choice(names)}{extra}{operator}{number}.0"

    packages: dict[str, dict[str, Any]] = {}
    for name in names:
        packages[name] = {}
        for version in versions[: source.randint(2, 5)]:
            requires = [narrow() for _ in range(source.randint(0, 3))]
            if source.random() < 0.2:
                requires.append(f"{narrow()}; extra == 'x'")
            facts: dict[str, Any] = {"requires": requires}
            if source.random() < 0.2:
                facts["variants"] = VARIANTS
                facts["wheels"] = [
                    {"label": label, "requires": [*requires, narrow()]}
                    for label in ("v2", "v3")
                ]
                facts["wheels"].append({})
            packages[name][version] = facts
    roots = [source.choice(names) for _ in range(source.randint(1, 3))]
    return packages, roots


def abi_universe(seed: int) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return a universe whose labels are built against versions of other projects."""
    source = random.Random(seed)
    names = ("a", "b", "c", "d", "e-e")
    versions = ("1.0", "1.1", "2.0", "2.1", "2.1.1")

    def some_requirement() -> str:
        specifier = source.choice(("", "", "", "", ">=1.1", "<2.1", "!=2.0", ">=2"))
        extra = "[x]" if source.random() < 0.1 else ""
        return f"{source.choice(names)}{extra}{specifier}"

    def label() -> dict[str, Any]:
        properties: dict[str, Any] = {}
        features = source.sample(names, source.choice((0, 1, 1, 1, 2)))
        if features:
            properties["abi_dependency"] = {
                name.replace("-", source.choice("-_")): source.sample(
                    ("1", "2", "2.0", "2.1", "1.0", "2.1.1", "3"), source.randint(1, 3)
                )
                for name in features
            }
        if source.random() < 0.3 or not features:
            properties["x86_64"] = {"level": [source.choice(("v1", "v2", "v3", "v4"))]}
        return properties

    packages: dict[str, dict[str, Any]] = {}
    for name in names:
        packages[name] = {}
        for version in source.sample(versions, source.randint(1, 4)):
            requires = [some_requirement() for _ in range(source.randint(0, 2))]
            facts: dict[str, Any] = {"requires": requires}
            if source.random() < 0.6:
                labels = {f"l{at}": label() for at in range(source.randint(1, 3))}
                facts["variants"] = {
                    **VARIANTS,
                    "variants": labels,
                }
                marker = source.choice(
                    (
                        "'abi_dependency' in variant_namespaces",
                        "'abi_dependency :: b :: 2' in variant_properties",
                        "variant_label == 'l0'",
                    )
                )
                requires.append(f"{some_requirement()}; {marker}")
                facts["wheels"] = [{"label": each} for each in labels]
                if source.random() < 0.7:
                    facts["wheels"].append({})
            packages[name][version] = facts
    roots = [some_requirement() for _ in range(source.randint(1, 3))]
    return packages, roots


def wishes(seed: int) -> dict[NormalizedName, Preference]:
    """Return the pins of some earlier lock; every other seed has none."""
    source = random.Random(seed)
    if source.random() < 0.5:
        return {}
    found = {}
    for name in source.sample(NAMES, source.randint(1, 3)):
        version = source.choice(VERSIONS)
        label = source.choice(("", "-v2", "-v3", "-null"))
        filenames = (f"{name}-{version}-py3-none-any{label}.whl",)
        found[canonicalize_name(name)] = Preference(
            version=version, filenames=filenames if source.random() < 0.5 else ()
        )
    return found


def inputs_of(
    roots: list[str],
    prerelease: PrereleasePolicy,
    resolution: ResolutionMode = "highest",
) -> Inputs:
    """Return the inputs of a universe."""
    return Inputs(
        requirements=tuple(
            RootRequirement(requirement=Requirement.parse(text)) for text in roots
        ),
        prerelease=prerelease,
        resolution=resolution,
        align="independent",
    )


def is_final(item: tuple[str, Mapping[str, Any]]) -> bool:
    """Return True if every pre-release policy allows a version."""
    version, release = item
    return "rc" not in version and not release.get("yanked")
