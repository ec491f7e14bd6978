"""The decision for every label of a locked release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.gpu_index import TEXT, gpu_project
from fakes.wheels import build_wheel
from fakes.workspace import Project
from polylock.explain.words import clause
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.operations.inspect.why import verdict, why
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def gpu(tmp_path: Path) -> Iterator[Project]:
    """Return the project of ``fakes.gpu_index``, locked."""
    with gpu_project(tmp_path) as project:
        yield project


def verdicts(project: Project, target: str = "box") -> dict[str, tuple[str, str]]:
    """Return verdict and reason of every label, in the order in which they are told."""
    found = why(project.with_settings(target=target), "gpu", SilentReporter())
    labels = found.reasons[target].evidence.labels
    return {
        each.label: (verdict(each), clause(each.reason) if each.reason else "chosen")
        for each in labels
    }


def test_every_label_has_its_reason(gpu: Project) -> None:
    """Chosen, given up, behind, excluded, unsupported, for another machine."""
    assert verdicts(gpu) == {
        "cu12": ("chosen", "chosen"),
        "cu13": (
            "given-up",
            (
                "better than cu12, but it requires runtime>=13, and the project "
                "requires runtime<13"
            ),
        ),
        "cu11": (
            "behind",
            (
                "lost to cu12 on nvidia :: cuda_version_lower_bound: "
                "12.0 is preferred to 11.0"
            ),
        ),
        "null": (
            "behind",
            (
                "lost to cu12, which has nvidia :: cuda_version_lower_bound :: 12.0, "
                "while this one has no property"
            ),
        ),
        "": (
            "behind",
            "lost to cu12: a variant that fits is preferred to a wheel without a label",
        ),
        "debug": (
            "excluded",
            "exclude-variants has nvidia :: cuda_version_upper_bound",
        ),
        "rocm": (
            "unsupported",
            (
                "needs amd :: rocm_version :: 6.4, and the target supports no amd "
                "property"
            ),
        ),
        "win": (
            "no-wheel",
            "no wheel for this machine: there is py3-none-win_amd64",
        ),
    }


def test_machine_without_any_of_the_wheels(gpu: Project) -> None:
    """Where the plain wheel is taken, each label has no wheel for the machine."""
    found = verdicts(gpu, "mac")
    assert found.pop("") == ("chosen", "chosen")
    assert {verdict for verdict, _ in found.values()} == {"no-wheel"}
    assert len(found) == 7


def test_wishes_and_pins_are_named(gpu: Project) -> None:
    """What the user prefers or pins is the reason for what it puts behind."""
    gpu.write(TEXT.replace("exclude-variants", "prefer-variants"))
    gpu.lock()
    found = verdicts(gpu)
    assert found["debug"] == ("chosen", "chosen")
    assert found["cu12"][1] == (
        "lost to debug: prefer-variants has nvidia :: cuda_version_upper_bound"
    )
    gpu.write(TEXT.replace("nvidia = {", 'variants = { gpu = "cu11" }\nnvidia = {'))
    gpu.lock()
    found = verdicts(gpu)
    assert found["cu11"] == ("chosen", "chosen")
    assert found["cu12"] == ("not-pinned", "target box pins cu11")


def test_bad_metadata_is_the_reason(tmp_path: Path) -> None:
    """A release that lost its variants says why for each of them."""
    wheels, index = tmp_path / "wheels", tmp_path / "index"
    build_wheel(wheels, "gpu", "2.0")
    build_wheel(
        wheels, "gpu", "2.0", label="cu12", variant={"nvidia": {"sm_arch": ["90_real"]}}
    )
    build_index(wheels, index)
    (document,) = index.rglob("gpu-2.0-variants.json")
    document.write_bytes(b"{}")
    for page in index.rglob("index.*"):
        text = page.read_text("utf-8")
        assert "variants.json" not in text or "sha256" in text
    with IndexServer(index) as server:
        project = Project(directory=tmp_path / "project", index_url=server.url)
        project.write(
            '[project]\nname = "app"\nversion = "1"\ndependencies = ["gpu"]\n'
            '[tool.polylock.targets.box]\nplatform = "linux-x86_64"\npython = "3.12"\n'
        )
        project.lock()
        assert verdicts(project)["cu12"][0] == "bad-metadata"
