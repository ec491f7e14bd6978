"""Lock torch as it was published, for the machines of the test vectors."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.markers import Marker

from fakes.torch_replica import build_torch_replica
from fakes.workspace import Project
from polylock.index_server.static_serve import IndexServer
from polylock.model.filenames import WheelFilename
from polylock.operations.inspect.verify import verify
from polylock.operations.inspect.why import why
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.lockfile.pylock import Package

VECTORS = Path(__file__).parents[2] / "data" / "variants" / "vectors"
SELECTION: dict[str, list[str]] = json.loads(
    (VECTORS / "selection.json").read_text("utf-8")
)
MACHINES: dict[str, dict[str, Any]] = {
    name: found["profile"]
    for name, found in json.loads(
        (VECTORS / "derived_from_description.json").read_text("utf-8")
    ).items()
    if f"torch 2.10.0 | {name}" in SELECTION
}
PLATFORM_TAG = {
    ("linux", "x86_64"): "manylinux_2_28_x86_64",
    ("linux", "aarch64"): "manylinux_2_28_aarch64",
    ("windows", "x86_64"): "win_amd64",
    ("macos", "aarch64"): "macosx_11_0_arm64",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the replica; return its URL."""
    replica = build_torch_replica(tmp_path_factory.mktemp("torch"))
    with IndexServer(replica.directory) as server:
        yield server.url


@pytest.fixture(scope="module")
def locked(index: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Lock torch 2.9.0 for every machine, for tests that change nothing of it."""
    directory = tmp_path_factory.mktemp("locked") / "project"
    project = Project(directory=directory, index_url=index)
    project.write(project_text("2.9.0", MACHINES))
    project.lock()
    return project


def target_table(machine: dict[str, Any]) -> list[str]:
    """Write a machine of the vectors as the lines of a target."""
    arch = "arm64" if machine["os"] == "macos" else machine["arch"]
    lines = [f'platform = "{machine["os"]}-{arch}"']
    cpu = machine.get("cpu", {})
    if "microarchitecture" in cpu:
        lines.append(f'cpu = "{cpu["microarchitecture"]}"')
    elif "level" in cpu:
        lines.append(f'cpu = {{ level = "{cpu["level"]}" }}')
    if machine["os"] == "linux":
        # The published wheels are for glibc 2.28; some machines have older ones.
        lines.append('libc = "glibc-2.39"')
    if machine["os"] == "macos":
        lines.append('macos = "14.0"')
    if "nvidia" in machine:
        gpu = machine["nvidia"]
        lines.append(
            f'nvidia = {{ driver = "{gpu["driver"]}", '
            f"compute = {json.dumps(gpu['compute'])} }}"
        )
    if "amd" in machine:
        gpu = machine["amd"]
        lines.append(
            f'amd = {{ rocm = "{gpu["rocm"]}", gfx = {json.dumps(gpu["gfx"])} }}'
        )
    return lines


def project_text(version: str, machines: dict[str, dict[str, Any]]) -> str:
    """Write a project that wants one version of torch for these machines."""
    lines = [
        "[project]",
        'name = "demo"',
        'version = "1"',
        'requires-python = ">=3.12"',
        f'dependencies = ["torch=={version}"]',
        "[tool.polylock]",
        'python = "3.12"',
    ]
    for name, machine in machines.items():
        lines += [f"[tool.polylock.targets.{name}]", *target_table(machine)]
    return "\n".join(lines) + "\n"


def expected_label(version: str, name: str, machine: dict[str, Any]) -> str:
    """Take the first ranked label that has a wheel for the platform."""
    tag = PLATFORM_TAG[
        machine["os"], "aarch64" if machine["os"] == "macos" else machine["arch"]
    ]
    files = (VECTORS.parents[1] / "torch" / "torch-index-files.tsv").read_text("utf-8")
    names = {line.partition("\t")[0] for line in files.splitlines()}
    return next(
        label
        for label in SELECTION[f"torch {version} | {name}"]
        if f"torch-{version}-cp312-cp312-{tag}-{label}.whl" in names
    )


def installed_by(document: dict[str, Any], target: str) -> set[str]:
    """Name what a target installs, by a reading of the file that is not polylock's."""
    environments = {
        "linux": {"sys_platform": "linux", "platform_system": "Linux"},
        "macos": {"sys_platform": "darwin", "platform_system": "Darwin"},
        "windows": {"sys_platform": "win32", "platform_system": "Windows"},
    }
    record = next(
        t for t in document["tool"]["polylock"]["targets"] if t["name"] == target
    )
    system, _, machine = record["platform"].partition("-")
    if system == "windows":
        machine = "AMD64"
    if system == "macos":
        machine = "arm64"
    environment = {
        **environments[system],
        "platform_machine": machine,
        "python_version": "3.12",
        "python_full_version": "3.12.7",
    }
    found = set()
    for package in document["packages"]:
        if "marker" in package and not Marker(package["marker"]).evaluate(
            {**environment, "dependency_groups": {target}, "extras": set()},
            context="lock_file",
        ):
            continue
        assert package["name"] not in found, "two entries for one target"
        found.add(package["name"])
    return found


def wheels_of(document: dict[str, Any], target: str) -> list[str]:
    """Return the labels that the lock's tool table tells of torch for a target."""
    return [
        choice["label"]
        for package in document["packages"]
        if package["name"] == "torch"
        for choice in package["tool"]["polylock"]["variants"]
        if choice["target"] == target
    ]


@pytest.mark.parametrize("version", ["2.9.0", "2.10.0"])
def test_each_machine_gets_the_label_that_ranks_first(
    version: str, locked: Project, index: str, tmp_path: Path
) -> None:
    """The label is the first of selection.json with a wheel for the platform.

    torch 2.10.0 has no wheel that a Mac can install: its tag says macOS 110.
    """
    project, machines = locked, MACHINES
    if version == "2.10.0":
        machines = {
            name: machine
            for name, machine in MACHINES.items()
            if machine["os"] != "macos"
        }
        project = Project(directory=tmp_path / "project", index_url=index)
        project.write(project_text(version, machines))
        project.lock()
    document = tomllib.loads(project.lock_path.read_text("utf-8"))
    labels = {name: wheels_of(document, name) for name in machines}
    expected = {
        name: [expected_label(version, name, machine)]
        for name, machine in machines.items()
    }
    assert labels == expected
    assert len(set(map(tuple, labels.values()))) >= 3


def test_cuda_dependencies_appear_for_cuda_targets_alone(locked: Project) -> None:
    """NVIDIA's libraries are installed where a CUDA label is, and nowhere else."""
    document = tomllib.loads(locked.lock_path.read_text("utf-8"))
    for name, machine in MACHINES.items():
        installed = installed_by(document, name)
        (label,) = wheels_of(document, name)
        nvidia = {project for project in installed if project.startswith("nvidia-")}
        if label.startswith("cuda") and machine["os"] == "linux":
            assert len(nvidia) > 10, name
        else:
            assert not nvidia, name
        assert "filelock" in installed


def test_a_mac_gets_the_older_version_that_has_a_wheel_for_it(
    index: str, tmp_path: Path
) -> None:
    """Where 2.10.0 cannot be installed the newest version that can is locked."""
    project = Project(directory=tmp_path / "project", index_url=index)
    text = project_text("2.10.0", {"apple-m3": MACHINES["apple-m3"]})
    project.write(text.replace("torch==2.10.0", "torch"))
    project.lock()
    (torch,) = (p for p in project.pylock.packages if p.name == "torch")
    assert torch.version == "2.9.0"
    assert labels_listed(torch) == {"null"}


def labels_listed(package: Package) -> set[str | None]:
    """Return the labels of an entry's wheels."""
    return {WheelFilename.parse(w.filename).variant_label for w in package.wheels}


def test_variant_metadata_of_the_listed_labels_is_inlined(locked: Project) -> None:
    """``variants-json`` keeps every listed label in full, sorted (PEP 825)."""
    published = json.loads(
        (VECTORS.parent / "published" / "torch-2.9.0-variants.json").read_text("utf-8")
    )
    for package in locked.pylock.packages:
        if package.name != "torch":
            continue
        document = package.variants_json
        assert document is not None
        labels = labels_listed(package)
        assert set(document["variants"]) == labels
        assert document["$schema"] == published["$schema"]
        for label in labels:
            assert label is not None
            assert document["variants"][label] == {
                namespace: {feature: sorted(values) for feature, values in each.items()}
                for namespace, each in published["variants"][label].items()
            }


def test_the_order_of_values_on_the_index_is_no_difference(
    index: str, tmp_path: Path
) -> None:
    """A lock file has them sorted; ``verify`` and ``why`` compare sets.

    torch publishes ``sm_arch`` by number: ``90_real`` before ``100_real``.
    """
    project = Project(directory=tmp_path / "project", index_url=index)
    machines = {
        name: machine for name, machine in MACHINES.items() if "nvidia" in machine
    }
    project.write(project_text("2.9.0", machines))
    project.lock()
    settings = project.with_settings()
    outcome = verify(settings, SilentReporter(), download=False)
    assert outcome.disagreements == ()
    reasons = why(settings, "torch", SilentReporter()).reasons
    assert {note for each in reasons.values() for note in each.evidence.notes} == set()
