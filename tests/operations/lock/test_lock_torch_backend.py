"""``torch-backend``: each target gets the build of torch for its hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.server import Server
from fakes.torch_index import LINUX, TorchIndex, full_torch_index
from fakes.workspace import Project
from polylock.errors import NoSolution, ProjectError
from polylock.explain.words import note
from polylock.operations.inspect.check import check
from polylock.operations.inspect.graph import locked_graphs
from polylock.operations.inspect.outdated import outdated
from polylock.operations.inspect.verify import verify
from polylock.operations.inspect.why import why
from polylock.operations.lock.request import LockRequest
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from polylock.operations.lock.lock import LockOutcome

MACHINES = """
[tool.polylock.targets.h100]
preset = "h100"
nvidia = { driver = "13.0" }
[tool.polylock.targets.v100]
preset = "v100"
nvidia = { driver = "12.8" }
[tool.polylock.targets.rtx5090]
preset = "rtx5090"
nvidia = { driver = "12.8" }
[tool.polylock.targets.mi300x]
preset = "mi300x"
amd = { rocm = "6.4" }
[tool.polylock.targets.linux]
preset = "linux-x86_64"
[tool.polylock.targets.windows]
preset = "windows-x86_64"
[tool.polylock.targets.windows-gpu]
preset = "windows-x86_64"
nvidia = { driver = "13.0", compute = ["8.9"] }
[tool.polylock.targets.mac]
preset = "macos-arm64"
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[TorchIndex]:
    """Serve the copy of PyTorch's index."""
    with Server() as server:
        yield full_torch_index(server, tmp_path / "wheels")


def project_on(index: TorchIndex, tmp_path: Path) -> Project:
    """Return a project that uses the copy."""
    return Project(
        directory=tmp_path / "project",
        index_url=index.default.url,
        settings={"torch_index": index.url},
    )


def text(
    backend: str = 'torch-backend = "auto"',
    machines: str = MACHINES,
    dependencies: str = '"torch>=2.8"',
) -> str:
    """Return a project file."""
    return f"""
[project]
name = "vision"
version = "1"
requires-python = ">=3.11"
dependencies = [{dependencies}]
[tool.polylock]
python = "3.13"
{backend}
{machines}"""


def builds(project: Project, name: str = "torch") -> dict[str, str]:
    """Return the locked version of a project by target."""
    settings = project.with_settings()
    return {
        graph.target: str(graph.nodes[name].version)
        for graph in locked_graphs(settings)
        if name in graph.nodes
    }


def told(outcome: LockOutcome) -> list[str]:
    """Return the notes as text."""
    return [note(each) for each in outcome.notes]


def test_each_target_gets_the_newest_backend_that_fits(
    index: TorchIndex, tmp_path: Path
) -> None:
    """The driver, the compute capability and ROCm decide; Macs use the default index.

    All have one public version. CUDA 13 has no code for the V100.
    """
    project = project_on(index, tmp_path)
    project.write(text())
    outcome = project.lock()
    assert builds(project) == {
        "h100": "2.9.1+cu130",
        "v100": "2.9.1+cu128",
        "rtx5090": "2.9.1+cu128",
        "mi300x": "2.9.1+rocm6.4",
        "linux": "2.9.1+cpu",
        "windows": "2.9.1+cpu",
        "windows-gpu": "2.9.1+cu130",
        "mac": "2.9.1",
    }
    assert told(outcome) == [
        (
            "torch 2.9.1+cu128 on v100: cu130 and later have no code for compute "
            "capability 7.0"
        ),
        (
            "torch 2.9.1+cu128 on rtx5090: cu130 and later would need driver 13.0, not "
            "12.8"
        ),
        "torch 2.9.1+rocm6.4 on mi300x: rocm7.0 and later would need ROCm 7.0, not 6.4",
    ]
    assert builds(project, "pytorch-triton-rocm") == {"mi300x": "3.5.0"}
    assert set(builds(project, "triton")) == {"h100", "v100", "rtx5090"}


H100 = """
[tool.polylock.targets.h100]
preset = "h100"
nvidia = { driver = "13.0" }
"""
LINUX_CPU = """
[tool.polylock.targets.linux]
preset = "linux-x86_64"
"""


def test_the_lock_records_the_setting_and_not_what_follows(
    index: TorchIndex, tmp_path: Path
) -> None:
    """A lock stays up to date if a later polylock knows more backends.

    The second lock has nothing to do. A package has the index that it is from.
    """
    project = project_on(index, tmp_path)
    project.write(text(machines=H100 + 'torch-backend = "cu128"' + LINUX_CPU))
    project.lock()
    record = project.pylock.polylock
    assert record is not None
    assert record.inputs.settings == {"torch-backend": "auto"}
    assert [each.torch_backend for each in record.targets] == ["cu128", None]
    assert record.inputs.indexes == ()
    assert record.inputs.sources == {}
    assert builds(project) == {"h100": "2.9.1+cu128", "linux": "2.9.1+cpu"}
    places = {p.version: p.index for p in project.pylock.packages if p.name == "torch"}
    assert places == {
        "2.9.1+cu128": f"{index.url}/cu128",
        "2.9.1+cpu": f"{index.url}/cpu",
    }
    before = project.lock_path.read_bytes()
    asked = len(index.server.log)
    project.lock()
    assert project.lock_path.read_bytes() == before
    assert len(index.server.log) == asked
    project.lock(refresh=True)
    assert project.lock_path.read_bytes() == before


def test_check_reports_another_backend(index: TorchIndex, tmp_path: Path) -> None:
    """That of the project, and that of a target."""
    project = project_on(index, tmp_path)
    project.write(text(machines=H100 + LINUX_CPU))
    project.lock()
    project.write(text('torch-backend = "cpu"', H100 + 'torch-backend = "cu130"'))
    assert [str(each) for each in check(project.with_settings()).differences] == [
        "setting torch-backend is cpu, locked as auto",
        "target linux is gone",
        "target h100: torch-backend is cu130, locked as not set",
    ]
    project.write(text("", H100 + LINUX_CPU))
    assert [str(each) for each in check(project.with_settings()).differences] == [
        "setting torch-backend is not set, locked as auto"
    ]


def test_a_named_backend_that_cannot_run_is_told(
    index: TorchIndex, tmp_path: Path
) -> None:
    """Whoever names a backend gets it; the note names backend, target and key."""
    project = project_on(index, tmp_path)
    old = """
[tool.polylock.targets.old]
preset = "h100"
nvidia = { driver = "12.4" }
torch-backend = "cu130"
"""
    project.write(text('torch-backend = "rocm6.4"', old + LINUX_CPU))
    outcome = project.lock()
    assert builds(project) == {"old": "2.9.1+cu130", "linux": "2.9.1+rocm6.4"}
    assert told(outcome) == [
        (
            "torch 2.9.1+cu130 on old cannot run there: cu130 would need driver 13.0, "
            "not 12.4, see tool.polylock.targets.old.torch-backend"
        ),
        (
            "torch 2.9.1+rocm6.4 on linux cannot run there: rocm6.4 needs an AMD GPU, "
            "see tool.polylock.torch-backend"
        ),
    ]


def test_a_named_backend_is_taken_without_a_note_if_it_runs(
    index: TorchIndex, tmp_path: Path
) -> None:
    """The build for processors on a GPU machine as well: the user has chosen it."""
    project = project_on(index, tmp_path)
    project.write(text('torch-backend = "cpu"', H100 + LINUX_CPU))
    outcome = project.lock()
    assert builds(project) == {"h100": "2.9.1+cpu", "linux": "2.9.1+cpu"}
    assert told(outcome) == []


def test_a_gpu_that_no_backend_has_code_for_gets_the_build_for_processors(
    index: TorchIndex, tmp_path: Path
) -> None:
    """The note tells the nearest backend, the one for the oldest hardware."""
    project = project_on(index, tmp_path)
    machine = """
[tool.polylock.targets.old]
preset = "linux-x86_64"
nvidia = { driver = "11.4", compute = ["3.5"] }
"""
    project.write(text(machines=machine))
    outcome = project.lock()
    assert builds(project) == {"old": "2.9.1+cpu"}
    assert told(outcome) == [
        (
            "torch 2.9.1+cpu on old is the CPU build: cu118 and later have "
            "no code for compute capability 3.5"
        )
    ]


def test_a_newer_driver_brings_the_newer_backend(
    index: TorchIndex, tmp_path: Path
) -> None:
    """A locked version is kept, but not its build, once the target has changed."""
    project = project_on(index, tmp_path)
    older = H100.replace("13.0", "12.8")
    project.write(text(machines=older, dependencies='"torch<2.9"'))
    project.lock()
    assert builds(project) == {"h100": "2.8.0+cu129"}
    project.write(text(machines=older))
    project.lock()
    assert builds(project) == {"h100": "2.8.0+cu129"}
    project.write(text(machines=H100, dependencies='"torch>=2.9"'))
    project.lock()
    assert builds(project) == {"h100": "2.9.1+cu130"}
    project.write(text(machines=older, dependencies='"torch>=2.9"'))
    project.lock()
    assert builds(project) == {"h100": "2.9.1+cu128"}
    project.write(text(machines=H100, dependencies='"torch>=2.9"'))
    project.lock()
    assert builds(project) == {"h100": "2.9.1+cu130"}


def test_what_the_index_has_decides_among_the_backends_that_fit(
    index: TorchIndex, tmp_path: Path
) -> None:
    """2.8.0 has cu129 and no cu130; the lowest version has the newest backend too."""
    project = project_on(index, tmp_path)
    project.write(text('torch-backend = "auto"\nresolution = "lowest"', H100))
    outcome = project.lock()
    assert builds(project) == {"h100": "2.8.0+cu129"}
    assert told(outcome) == []
    found = why(project.with_settings(), "torch", SilentReporter()).reasons["h100"]
    assert found.evidence.notes == (
        "torch-backend: auto takes cu129",
        "torch-backend: cu132 fits, and its index has no 2.8.0 for it",
        "torch-backend: cu130 fits, and its index has no 2.8.0 for it",
    )


def test_why_tells_the_backend_and_what_another_driver_would_bring(
    index: TorchIndex, tmp_path: Path
) -> None:
    """Each backend before the one that was taken, with its reason."""
    project = project_on(index, tmp_path)
    project.write(text(machines=H100.replace("13.0", "12.8") + LINUX_CPU))
    project.lock()
    reasons = why(project.with_settings(), "torch", SilentReporter()).reasons
    assert reasons["h100"].evidence.notes == (
        "torch-backend: auto takes cu128",
        "torch-backend: cu132 would need driver 13.0, not 12.8",
        "torch-backend: cu130 would need driver 13.0, not 12.8",
        "torch-backend: cu129 fits, and its index has no 2.9.1 for it",
    )
    assert reasons["linux"].evidence.notes == ("torch-backend: auto takes cpu",)


def test_code_for_a_gpu_may_end_with_a_version(tmp_path: Path) -> None:
    """cu128 has code for the V100 up to torch 2.10, cu126 in later versions as well."""
    with Server() as server:
        index = TorchIndex(server, tmp_path / "wheels")
        for backend in ("cu130", "cu128", "cu126"):
            for version in ("2.10.0", "2.11.0"):
                index.add(backend, "torch", version)
        index.publish()
        project = project_on(index, tmp_path)
        machine = """
[tool.polylock.targets.v100]
preset = "v100"
nvidia = { driver = "13.0" }
"""
        project.write(text(machines=machine))
        outcome = project.lock()
        assert builds(project) == {"v100": "2.11.0+cu126"}
        assert told(outcome) == [
            (
                "torch 2.11.0+cu126 on v100: cu128 and later have no code for compute "
                "capability 7.0"
            )
        ]
        project.write(text(machines=machine, dependencies='"torch<2.11"'))
        project.lock()
        assert builds(project) == {"v100": "2.10.0+cu128"}


def test_torch_and_what_is_built_against_it_are_of_one_backend(tmp_path: Path) -> None:
    """The index of cu130 has no torchaudio, so that torch is of cu129 as well."""
    with Server() as server:
        index = TorchIndex(server, tmp_path / "wheels")
        for backend in ("cu130", "cu129"):
            index.add(backend, "torch", "2.9.1")
            index.add(backend, "torchvision", "0.24.1", requires=["torch==2.9.1"])
        index.add("cu129", "torchaudio", "2.9.1")
        index.publish()
        project = project_on(index, tmp_path)
        names = ("torch", "torchaudio", "torchvision")
        project.write(text(machines=H100, dependencies='"torchvision", "torchaudio"'))
        outcome = project.lock()
        assert [builds(project).get("h100"), *told(outcome)] == ["2.9.1+cu129"]
        found = {builds(project, name)["h100"].partition("+")[2] for name in names}
        assert found == {"cu129"}


def test_several_backends_are_told_where_no_backend_has_all(tmp_path: Path) -> None:
    """Torchaudio exists for cu128 alone, and torch for cu129."""
    with Server() as server:
        index = TorchIndex(server, tmp_path / "wheels")
        index.add("cu129", "torch", "2.9.1")
        index.add("cu128", "torchaudio", "2.9.1")
        index.publish()
        project = project_on(index, tmp_path)
        project.write(text(machines=H100, dependencies='"torch", "torchaudio"'))
        outcome = project.lock()
        assert told(outcome) == [
            (
                "torch 2.9.1+cu129, torchaudio 2.9.1+cu128 on h100 are of several "
                "backends, and may not load together; no backend has all of them"
            )
        ]


def test_sources_come_before_the_backend(index: TorchIndex, tmp_path: Path) -> None:
    """For the targets that an entry fits; an index of that name replaces an address."""
    project = project_on(index, tmp_path)
    sources = f"""
torch-backend = "auto"
[tool.polylock.sources]
torch = {{ index = "torch-cu126", targets = ["h100"] }}
[[tool.polylock.index]]
name = "torch-cu126"
url = "{index.url}/cu126"
explicit = true
absent = [403]
"""
    project.write(text(sources, H100 + LINUX_CPU))
    outcome = project.lock()
    assert builds(project) == {"h100": "2.9.1+cu126", "linux": "2.9.1+cpu"}
    assert told(outcome) == []


def test_the_project_names_a_mirror(index: TorchIndex, tmp_path: Path) -> None:
    """``torch-index`` replaces the public index; the setting comes before it."""
    project = project_on(index, tmp_path)
    mirror = f'torch-backend = "auto"\ntorch-index = "{index.url}/"'
    project.write(text(mirror, LINUX_CPU))
    project.lock(torch_index=None)
    assert builds(project) == {"linux": "2.9.1+cpu"}
    assert project.pylock.packages[-1].index == f"{index.url}/cpu"
    project.write(text(mirror.replace("/whl", "/nowhere"), LINUX_CPU))
    project.lock(refresh=True)
    assert builds(project) == {"linux": "2.9.1+cpu"}


def test_without_the_key_nothing_asks_for_backends(
    index: TorchIndex, tmp_path: Path
) -> None:
    """Torch comes from the default index; a note says what the key would do."""
    index.add_default("torch", "2.9.1", "cp313-cp313-manylinux_2_28_x86_64")
    index.publish()
    project = project_on(index, tmp_path)
    project.write(text("", H100 + LINUX_CPU))
    outcome = project.lock()
    assert builds(project) == {"h100": "2.9.1", "linux": "2.9.1"}
    assert not [each for each in index.server.log if each.path.startswith("/whl/")]
    assert told(outcome) == [
        (
            "torch 2.9.1 on h100 may not be for an NVIDIA GPU, since its index has one "
            'build for all; torch-backend = "auto" in [tool.polylock] takes the build '
            "for each target"
        )
    ]


def test_none_is_without_the_key_and_its_notes(
    index: TorchIndex, tmp_path: Path
) -> None:
    """For a target, whatever the project says; nothing advises to set the key."""
    project = project_on(index, tmp_path)
    index.add_default("torch", "2.9.1", LINUX, requires=["filelock"])
    index.publish()
    off = '[tool.polylock.targets.h100]\npreset = "h100"\ntorch-backend = "none"\n'
    on = '[tool.polylock.targets.h200]\npreset = "h200"\n'
    project.write(text(machines=off + on))
    outcome = project.lock()
    assert builds(project) == {"h100": "2.9.1", "h200": "2.9.1+cu130"}
    assert not any("h100" in each for each in told(outcome))
    project.write(text('torch-backend = "none"', machines=on))
    assert told(project.lock()) == []
    assert builds(project) == {"h200": "2.9.1"}


def test_a_backend_that_does_not_exist(index: TorchIndex, tmp_path: Path) -> None:
    """The message names file, key and the closest backend."""
    project = project_on(index, tmp_path)
    project.write(text('torch-backend = "rocm64"', H100))
    with pytest.raises(ProjectError) as caught:
        project.lock()
    assert caught.value.key == "tool.polylock.torch-backend"
    assert "no backend 'rocm64'" in str(caught.value)
    assert caught.value.advice == "did you mean rocm6.4?"
    project.write(text(machines=H100 + 'torch-backend = "something"'))
    with pytest.raises(ProjectError) as caught:
        project.lock()
    assert caught.value.key == "tool.polylock.targets.h100.torch-backend"
    assert str(caught.value.advice).startswith("there are: auto, cu132, cu130")


def test_no_version_for_a_backend_is_an_error_that_names_it(
    index: TorchIndex, tmp_path: Path
) -> None:
    """Never the build for processors, nor that of the default index, without a word."""
    project = project_on(index, tmp_path)
    project.write(text('torch-backend = "xpu"', H100, '"torch==2.8.0"'))
    with pytest.raises(NoSolution) as caught:
        project.lock()
    assert "torch-xpu has 2.9.1+xpu" in "\n".join(caught.value.details())


def test_verify_knows_which_index_a_build_is_of(
    index: TorchIndex, tmp_path: Path
) -> None:
    """Pages and files agree with the lock; a file that is gone is told."""
    project = project_on(index, tmp_path)
    project.write(text(machines=H100 + LINUX_CPU))
    project.lock()
    outcome = verify(project.with_settings(), SilentReporter(), download=True)
    assert outcome.disagreements == ()
    index.server.change("/whl/cpu/torch/", body=b"<!DOCTYPE html><html></html>")
    outcome = verify(project.with_settings(), SilentReporter(), download=False)
    assert [(each.name, each.version) for each in outcome.disagreements] == [
        ("torch", "2.9.1+cpu")
    ]


def test_the_newest_build_is_not_outdated(index: TorchIndex, tmp_path: Path) -> None:
    """A backend that the target cannot run is no newer version."""
    project = project_on(index, tmp_path)
    older = H100.replace("13.0", "12.8")
    project.write(text(machines=older, dependencies='"torch<2.9"'))
    project.lock()
    found = outdated(project.with_settings(), SilentReporter()).pins
    assert [(each.name, each.locked, each.newest) for each in found] == [
        ("torch", "2.8.0+cu129", "2.9.1+cu128")
    ]
    project.write(text(machines=older))
    project.lock(LockRequest(upgrade=True))
    assert builds(project) == {"h100": "2.9.1+cu128"}
    assert outdated(project.with_settings(), SilentReporter()).pins == ()
