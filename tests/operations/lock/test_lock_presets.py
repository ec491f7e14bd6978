"""Lock for all machines that polylock knows by name at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.torch_replica import build_torch_replica
from fakes.workspace import Project, Spy
from polylock.index_server.static_serve import IndexServer
from polylock.operations.inspect.why import why
from polylock.project.presets import presets

WHEELS = Path(__file__).parents[3] / "fixtures" / "wheels"
FIXTURES = ["vecdemo", "tensordemo", "blasx", "fallbackkit", "abikit-plugin"]
LABELS = {
    "h100": ("tensordemo", "cuda13.0"),
    "mi300x": ("tensordemo", "null"),
    "graviton4": ("tensordemo", "null"),
    "apple-m4": ("blasx", "openblas"),
    "linux-x86-64-v2": ("vecdemo", "x86_64_v2"),
    "linux-x86-64-v4": ("vecdemo", "x86_64_v4"),
}
TORCH = {
    "t4": "cuda13.0",
    "h100": "cuda13.0",
    "b200": "cuda13.0",
    "dgx-spark": "cuda13.0",
    "mi300x": "null",
    "arc-b580": "xpu",
    "graviton4": "null",
    "apple-m4": "null",
    "windows-rtx4090": "cuda13.0",
    "jetson-thor": "null",
}
"""The label of torch 2.9.0, the newest version that Apple's machines can take, too."""


def write(
    project: Project,
    requirements: list[str],
    *,
    without: str = "",
    among: frozenset[str] | None = None,
) -> list[str]:
    """Write a project for every preset but those whose text has a word in it.

    With ``among`` for the targets of these names alone.
    """
    names = []
    lines = [
        f'[project]\nname = "a"\nversion = "1"\ndependencies = {requirements!r}',
        '[tool.polylock]\npython = "3.12"',
    ]
    for preset, machine in presets().items():
        if any(word in f"{preset} {machine}" for word in without.split()):
            continue
        name = preset.replace(".", "-").replace("_", "-")
        if among is not None and name not in among:
            continue
        names.append(name)
        lines.append(f'[tool.polylock.targets.{name}]\npreset = "{preset}"')
    project.write("\n".join(lines))
    return names


def label(project: Project, target: str, name: str) -> str | None:
    """Return the locked label of a project for a target, in the words of why."""
    settings = project.with_settings(target=target, offline=True)
    (told,) = why(settings, name, Spy()).to_json()["targets"]
    return str(told["label"])


def test_presets_over_the_fixture_index(project: Project) -> None:
    """Each has its own labels, and the index is not asked once for each of them."""
    lock_and_judge(project, write(project, FIXTURES, among=frozenset(LABELS)))


@pytest.mark.slow
def test_every_preset_over_the_fixture_index(project: Project) -> None:
    """The same for all of them at once."""
    names = write(project, FIXTURES)
    assert len(names) >= 30
    lock_and_judge(project, names)


def lock_and_judge(project: Project, names: list[str]) -> None:
    """Lock for these presets, and require their labels and few requests."""
    outcome = project.lock()
    assert list(outcome.pylock.target_names) == names
    for target, (name, expected) in LABELS.items():
        assert label(project, target, name) == expected, target
    assert outcome.traffic is not None
    assert outcome.traffic.requests <= 2 * len([*WHEELS.glob("*.whl")])


@pytest.mark.slow
def test_every_preset_over_torch_as_it_was_published(tmp_path: Path) -> None:
    """All that torch has wheels for, on one version, each with the label that fits."""
    replica = build_torch_replica(tmp_path / "torch")
    with IndexServer(replica.directory) as server:
        project = Project(directory=tmp_path / "project", index_url=server.url)
        write(project, ["torch"], without="musl macos-x86_64 windows-arm64")
        outcome = project.lock()
        torch = [p for p in outcome.pylock.packages if p.name == "torch"]
        assert {package.version for package in torch} == {"2.9.0"}
        for target, expected in TORCH.items():
            assert label(project, target, "torch") == expected, target
