"""Which variants fit and in what order, against PEP 825's own steps."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from fakes.resolutions import make_inputs
from fakes.source import MemorySource
from fakes.variant_data import DATA, description, metadata, vectors
from oracle.pep_825 import ordered
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    TargetDescription,
)
from polylock.providers.derive import build_target
from polylock.resolution.candidate_pool import CandidatePool
from polylock.variants.authority import supported_properties
from polylock.variants.ordering import order_labels
from polylock.variants.properties import SupportedProperties
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.model.target import Target

SCHEMA = "https://variants-schema.example.com/peps/825/v0.1.1.json"
PUBLISHED = sorted(
    path.name.removesuffix("-variants.json")
    for path in (DATA / "published").glob("*-variants.json")
)
TAGS = (
    "py3-none-any",
    "py3-none-manylinux_2_17_x86_64",
    "py3-none-manylinux_2_28_x86_64",
    "py3-none-manylinux_2_34_x86_64",  # newer than the machine
    "py3-none-macosx_11_0_arm64",
    "cp312-cp312-manylinux_2_28_x86_64",
    "cp313-cp313-manylinux_2_28_x86_64",
)

Lists = dict[str, dict[str, tuple[str, ...]]]


def random_machine(chance: random.Random, namespaces: list[str]) -> Lists:
    """Return ordered lists; a namespace or a feature may be missing or empty."""
    machine: Lists = {}
    for namespace in namespaces:
        if chance.random() < 0.1:
            continue
        features = [f"f{number}" for number in range(chance.randint(0, 4))]
        chance.shuffle(features)
        machine[namespace] = {
            feature: tuple(
                chance.sample([f"v{n}" for n in range(6)], chance.randint(0, 5))
            )
            for feature in features
        }
    return machine


def random_properties(
    chance: random.Random, namespaces: list[str], machine: Lists
) -> dict[str, dict[str, list[str]]]:
    """Return properties; most of them are such that the machine supports them."""
    properties: dict[str, dict[str, list[str]]] = {}
    for namespace in chance.sample(namespaces, chance.randint(0, len(namespaces))):
        known = [f for f, values in machine.get(namespace, {}).items() if values]
        anything = [f"f{number}" for number in range(4)]
        pool = known if known and chance.random() < 0.9 else anything
        properties[namespace] = {}
        for feature in chance.sample(pool, chance.randint(1, min(3, len(pool)))):
            offered = list(machine.get(namespace, {}).get(feature, ()))
            values = {f"v{chance.randrange(6)}" for _ in range(chance.randint(1, 4))}
            if offered and chance.random() < 0.8:
                values.add(chance.choice(offered))
            properties[namespace][feature] = sorted(values)
    return properties


def random_release(
    chance: random.Random,
) -> tuple[list[str], Lists, dict[str, Any]]:
    """Return priorities, a machine's lists and variants, all made by chance."""
    used = [f"n{number}" for number in range(chance.randint(1, 4))]
    chance.shuffle(used)
    machine = random_machine(chance, used)
    variants: dict[str, Any] = {}
    if chance.random() < 0.5:
        variants["null"] = {}
    for number in range(chance.randint(1, 9)):
        variants[f"l{chance.randrange(100)}.{number}"] = random_properties(
            chance, used, machine
        )
    if chance.random() < 0.3:  # two labels for the same properties: the label decides
        variants["twin"] = variants[chance.choice(sorted(variants))]
    # Rarely a namespace in use is not listed, and one that nobody uses is.
    listed = used[1:] if len(used) > 1 and chance.random() < 0.1 else list(used)
    if chance.random() < 0.1:
        listed.insert(chance.randrange(len(listed) + 1), "unused")
    return listed, machine, variants


def document(namespaces: list[str], variants: Mapping[str, Any]) -> dict[str, Any]:
    """Return variant metadata as it stands in a file."""
    return {
        "$schema": SCHEMA,
        "default-priorities": {"namespace": namespaces},
        "variants": variants,
    }


def compare_order(cases: int, seed: int) -> int:
    """Compare on so many releases; return in how many two labels or more fit."""
    chance = random.Random(seed)
    telling = 0
    for case in range(cases):
        namespaces, machine, variants = random_release(chance)
        found = order_labels(
            VariantMetadata.from_document(document(namespaces, variants)),
            SupportedProperties(machine),
            variants,
        )
        expected = ordered(variants, machine, namespaces)
        assert [ranked.label for ranked in found.compatible] == expected, case
        rejected = [each.label for each in found.rejected]
        assert sorted(rejected) == sorted(set(variants) - set(expected)), case
        telling += len(expected) > 1
    return telling


def test_order_of_random_releases() -> None:
    """On 1,000 releases made by chance, labels and order are PEP 825's."""
    assert compare_order(1000, seed=0) > 500


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_order_of_many_random_releases(seed: int) -> None:
    """On 10,000 releases made by chance, labels and order are PEP 825's."""
    assert compare_order(1000, seed=seed) > 500


def machine_target(machine: Lists) -> Target:
    """Return a Linux machine with glibc 2.28, Python 3.12 and these lists alone."""
    return build_target(
        TargetDescription(
            name="one",
            system=OperatingSystem.LINUX,
            architecture=Architecture.X86_64,
            libc="glibc-2.28",
            python=PythonRelease(major=3, minor=12),
            properties=machine,
        )
    )


def random_wheels(
    chance: random.Random, variants: Mapping[str, Any]
) -> list[tuple[str | None, str, str]]:
    """Return label, tag and build number of wheels; some labels have none."""
    labels: list[str | None] = [label for label in variants if chance.random() < 0.8]
    if chance.random() < 0.7:
        labels.append(None)
    return [
        (label, tag, chance.choice(["", "", "1", "2", "10", "2a"]))
        for label in labels
        for tag in chance.sample(TAGS, chance.randint(1, 4))
    ]


def expected_files(
    wheels: list[tuple[str | None, str, str]],
    fitting: list[str],
    target: Target,
) -> list[str]:
    """Return the file names that PEP 825's suggested steps 3 to 9 lead to."""
    files = []
    for label in [*fitting, None]:
        ranked = [
            (target.tags.index(tag), _build_key(build), name_of((label, tag, build)))
            for found, tag, build in wheels
            if found == label and tag in target.tags
        ]
        if ranked:
            best_tag = min(rank for rank, _, _ in ranked)
            files.append(max(r for r in ranked if r[0] == best_tag)[2])
    return files


def _build_key(build: str) -> tuple[int, str]:
    digits = build.rstrip("a")
    return (int(digits or -1), build.removeprefix(digits))


def name_of(wheel: tuple[str | None, str, str]) -> str:
    """Return the file name of a wheel."""
    label, tag, build = wheel
    parts = [
        "demo",
        "1.0",
        *([build] if build else []),
        tag,
        *([label] if label else []),
    ]
    return "-".join(parts) + ".whl"


def entry_of(wheel: tuple[str | None, str, str]) -> dict[str, str]:
    """Return a wheel as MemorySource takes it."""
    label, tag, build = wheel
    entry = {"label": label, "tag": tag, "build": build}
    return {key: text for key, text in entry.items() if text}


def compare_candidates(cases: int, seed: int) -> int:
    """Compare the artifacts that the solver is offered; return how many there were."""
    chance = random.Random(seed)
    offered = 0
    for case in range(cases):
        namespaces, machine, variants = random_release(chance)
        wheels = random_wheels(chance, variants)
        if not wheels:
            continue
        target = machine_target(machine)
        source = MemorySource(
            {
                "demo": {
                    "1.0": {
                        "wheels": [entry_of(wheel) for wheel in wheels],
                        "variants": document(namespaces, variants),
                    }
                }
            }
        )
        pool = CandidatePool(target=target, inputs=make_inputs(), source=source)
        releases = source.releases(canonicalize_name("demo"), target)
        expansion = pool.expand(releases, 0, yanked=False)
        found = [candidate.file.filename for candidate in expansion.candidates]
        fitting = ordered(variants, machine, namespaces)
        assert found == expected_files(wheels, fitting, target), case
        offered += len(found)
    return offered


def test_order_of_random_wheels() -> None:
    """Tags, build numbers, labels without wheels and plain wheels: 200 releases."""
    assert compare_candidates(200, seed=0) > 300


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_order_of_many_random_wheels(seed: int) -> None:
    """Tags, build numbers, labels without wheels and plain wheels: 2,000 releases."""
    assert compare_candidates(500, seed=seed) > 800


@pytest.mark.parametrize("release", PUBLISHED)
def test_published_files_on_all_described_machines(release: str) -> None:
    """Each published file gives each described machine what PEP 825's steps give."""
    found = metadata(release)
    for name, machine in vectors("derived_from_description").items():
        target = build_target(description(name, machine["profile"]))
        supported = supported_properties(
            found, stated=target.stated, derived=target.derived, holds=bool
        )
        order = order_labels(found, supported, found.variants)
        expected = ordered(
            found.variants, supported.namespaces, found.namespace_priorities
        )
        assert [ranked.label for ranked in order.compatible] == expected, name
