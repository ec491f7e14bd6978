"""This machine compared with what is locked for a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.server import Server
from fakes.torch_index import full_torch_index
from fakes.variant_data import python
from fakes.wheels import build_wheel
from fakes.workspace import Project
from polylock.errors import NoTargetFits
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.model.target import (
    AmdGpu,
    Architecture,
    Cpu,
    NvidiaGpu,
    OperatingSystem,
)
from polylock.operations.chosen import Chosen
from polylock.operations.machine import Fit, fits, none_fits
from polylock.providers.detect import DetectedMachine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABELS: dict[str, dict[str, dict[str, list[str]]]] = {
    "cu120": {
        "nvidia": {
            "cuda_version_lower_bound": ["12.0"],
            "sm_arch": ["80_real", "90_real"],
        }
    },
    "below13": {"nvidia": {"cuda_version_upper_bound": ["13.0"]}},
    "gfx": {"amd": {"gfx_arch": ["gfx1100", "gfx90a"]}},
    "avx": {"x86_64": {"level": ["v3"], "avx512_bf16": ["on"]}},
    "fast": {"myns": {"speed": ["high"]}},
}
"""The only label of the project of the same name."""

HEAD = '[project]\nname = "app"\nversion = "1"\ndependencies = {}\n'
TARGET = """
[tool.polylock.targets.{name}]
platform = "linux-x86_64"
python = "3.12"
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Return a project whose index has a wheel with one label for each project."""
    wheels, index = tmp_path / "wheels", tmp_path / "index"
    for label, properties in LABELS.items():
        build_wheel(
            wheels,
            f"p-{label}",
            "2.0",
            label=label,
            variant=properties,
            namespaces=["nvidia", "amd", "x86_64", "myns"],
        )
    build_wheel(wheels, "plain", "1.0")
    build_index(wheels, index)
    with IndexServer(index) as server:
        found = Project(directory=tmp_path / "own", index_url=server.url)
        found.settings["cache_dir"] = tmp_path / "cache"
        yield found


def lock(project: Project, dependencies: list[str], *keys: str, more: str = "") -> None:
    """Lock for a target with these keys, ``box``."""
    text = HEAD.format(dependencies) + more + TARGET.format(name="box")
    project.write(text + "\n".join(keys) + "\n")
    project.lock()


def compared(project: Project, *, chosen: Chosen | None = None, **hardware: Any) -> Fit:  # noqa: ANN401 - fields of a description
    """Compare a Linux machine with this hardware with the first target."""
    machine = DetectedMachine(
        system=OperatingSystem.LINUX,
        architecture=Architecture.X86_64,
        libc="glibc-2.39",
        **hardware,
    )
    found = fits(project.pylock, machine, python("3.12"), chosen=chosen or Chosen())
    return found[0]


def test_an_older_driver_that_the_locked_label_accepts_is_not_refused(
    project: Project,
) -> None:
    """The driver of the target is not in the label.

    PEP 825, "Variant properties": "For the wheel to be considered compatible with a
    system, at least one value for every feature listed in its properties MUST be
    compatible with the system."
    """
    lock(project, ["p-cu120"], 'nvidia = { driver = "13.0", compute = ["9.0"] }')
    found = compared(project, nvidia=NvidiaGpu(driver="12.4", compute=("8.0",)))
    assert found.refused == ()
    offers = "this machine offers"
    driver, gpu = found.beyond
    assert driver.startswith(
        f"nvidia :: cuda_version_lower_bound :: 13.0: {offers} 12.4"
    )
    assert gpu == f"nvidia :: sm_arch :: 90_real: {offers} 80_real, 80_virtual"


def test_a_driver_that_the_locked_label_does_not_accept_is_refused(
    project: Project,
) -> None:
    """PEP 825, "Variant properties", as above: each feature is a clause of its own."""
    lock(project, ["p-cu120"], 'nvidia = { driver = "13.0", compute = ["9.0"] }')
    found = compared(project, nvidia=NvidiaGpu(driver="11.8", compute=("7.5",)))
    label, offers = "p-cu120 2.0 label cu120: nvidia", "this machine offers"
    driver, gpu = found.refused
    assert driver.startswith(
        f"{label} :: cuda_version_lower_bound :: 12.0: {offers} 11"
    )
    assert gpu.startswith(f"{label} :: sm_arch :: 80_real or 90_real: {offers} 75_real")
    assert len(compared(project).refused) == 2


def test_an_upper_bound_is_a_property_like_any_other(project: Project) -> None:
    """PEP 825, "Variant properties": a label for drivers below 13.0 is not for 13.0."""
    lock(project, ["p-below13"], 'nvidia = { driver = "12.8", compute = ["9.0"] }')
    new = compared(project, nvidia=NvidiaGpu(driver="13.0", compute=("9.0",)))
    (line,) = new.refused
    assert line.startswith(
        "p-below13 2.0 label below13: nvidia :: cuda_version_upper_bound :: 13.0: "
    )
    old = compared(project, nvidia=NvidiaGpu(driver="12.9", compute=("9.0",)))
    assert old.refused == ()


def test_one_architecture_in_common_with_the_target_is_not_one_with_the_label(
    project: Project,
) -> None:
    """PEP 825, "Variant properties": a value of the label counts, not of the target."""
    lock(project, ["p-gfx"], 'amd = { rocm = "6.4", gfx = ["gfx90a", "gfx942"] }')
    found = compared(project, amd=AmdGpu(rocm="6.4", gfx=("gfx942",)))
    (line,) = found.refused
    assert line == (
        "p-gfx 2.0 label gfx: amd :: gfx_arch :: gfx1100 or gfx90a: this machine "
        "offers gfx942"
    )
    assert compared(project, amd=AmdGpu(rocm="7.0", gfx=("gfx90a",))).refused == ()


def test_an_instruction_counts_if_the_locked_label_needs_it(project: Project) -> None:
    """PEP 825, "Variant properties": every feature of the label, also of a processor.

    Without such a label, virtual machines that hide an instruction are no difference.
    """
    cpu = 'cpu = "sapphirerapids"'
    lock(project, ["p-avx"], cpu)
    hidden = Cpu(level="v4", features=("-avx512_bf16",))
    found = compared(project, cpu=hidden)
    (line,) = found.refused
    assert line == (
        "p-avx 2.0 label avx: x86_64 :: avx512_bf16 :: on: this machine does not offer "
        "it"
    )
    lock(project, ["plain"], cpu)
    found = compared(project, cpu=hidden)
    assert (found.refused, found.beyond) == ((), ())


def test_lists_that_cannot_be_detected_are_taken_from_the_target(
    project: Project,
) -> None:
    """PEP 850, "Providers", step 3: the user's list is the only source."""
    lock(project, ["p-fast"], 'properties = { myns = { speed = ["high"] } }')
    found = compared(project)
    assert (found.refused, found.beyond) == ((), ())


def test_only_what_would_be_installed_counts(project: Project) -> None:
    """A label of a group that is not chosen refuses nothing."""
    lock(
        project,
        ["plain"],
        'nvidia = { driver = "13.0", compute = ["9.0"] }',
        more='[dependency-groups]\ngpu = ["p-cu120"]\n',
    )
    assert compared(project).refused == ()
    assert compared(project, chosen=Chosen(groups=("gpu",))).refused


@pytest.mark.parametrize("cuda", ["13.0", "12.8"])
def test_a_source_chosen_by_property_counts_as_a_label(
    project: Project, cuda: str
) -> None:
    """The builds of an index for an accelerator need what its entry asks for."""
    project.write(
        HEAD.format(["plain"])
        + "[[tool.polylock.index]]\n"
        + f'name = "accelerated"\nurl = "{project.index_url}"\n'
        + "[tool.polylock.sources]\nplain = [\n"
        + '{ index = "accelerated", properties = '
        + f'["nvidia :: cuda_version_lower_bound :: {cuda}"] }},\n'
        + '{ index = "accelerated" },\n]\n'
        + TARGET.format(name="box")
        + 'nvidia = { driver = "13.0", compute = ["9.0"] }\n'
        + TARGET.format(name="cpu")
    )
    project.index_url = None
    project.lock()
    found = compared(project, nvidia=NvidiaGpu(driver="12.8", compute=("9.0",)))
    if cuda == "12.8":
        assert found.refused == ()
        return
    (line,) = found.refused
    assert line == (
        "plain from accelerated: nvidia :: cuda_version_lower_bound :: 13.0: this "
        "machine offers 12.8, 12.7, 12.6, 12.5, …"
    )


TORCH = """
[project]
name = "vision"
version = "1"
requires-python = ">=3.11"
dependencies = ["torch", "torchvision"]
[tool.polylock]
python = "3.13"
{project}
[tool.polylock.targets.box]
{target}
"""
H100 = 'preset = "h100"\nnvidia = { driver = "13.0" }'


@pytest.fixture
def torch(tmp_path: Path) -> Iterator[Project]:
    """Serve the copy of PyTorch's index to a project."""
    with Server() as server:
        index = full_torch_index(server, tmp_path / "torch")
        yield Project(
            directory=tmp_path / "torch-project",
            index_url=index.default.url,
            settings={"torch_index": index.url},
        )


def torch_compared(
    torch: Project,
    project: str,
    target: str,
    **hardware: Any,  # noqa: ANN401 - fields of a description
) -> tuple[str, ...]:
    """Lock torch for a target; return why a machine with this hardware is refused."""
    torch.write(TORCH.format(project=project, target=target))
    torch.lock()
    machine = DetectedMachine(
        system=OperatingSystem.LINUX,
        architecture=Architecture.X86_64,
        libc="glibc-2.39",
        **hardware,
    )
    (found,) = fits(torch.pylock, machine, python("3.13"), chosen=Chosen())
    return found.refused


def test_a_backend_of_torch_counts_as_a_label(torch: Project) -> None:
    """What ``torch-backend`` chose by the target must run on the machine."""

    def refused(**hardware: Any) -> tuple[str, ...]:  # noqa: ANN401 - as above
        return torch_compared(torch, 'torch-backend = "auto"', H100, **hardware)

    build = "torch 2.9.1+cu130: cu130"
    assert refused(nvidia=NvidiaGpu(driver="13.0", compute=("9.0",))) == ()
    assert refused(nvidia=NvidiaGpu(driver="13.2", compute=("8.0",))) == ()
    old = refused(nvidia=NvidiaGpu(driver="12.4", compute=("9.0",)))
    assert old == (f"{build} would need driver 13.0, not 12.4",)
    volta = refused(nvidia=NvidiaGpu(driver="13.0", compute=("7.0",)))
    assert volta == (f"{build} has no code for compute capability 7.0",)
    assert refused() == (f"{build} needs an NVIDIA GPU",)


def test_the_build_for_processors_runs_everywhere(torch: Project) -> None:
    """A target without a GPU refuses no machine."""
    target = 'preset = "linux-x86_64"'
    assert torch_compared(torch, 'torch-backend = "auto"', target) == ()


def test_rocm_of_the_machine_counts_as_well(torch: Project) -> None:
    """The architecture of the GPU and the release of ROCm."""
    target = 'preset = "mi300x"\namd = { rocm = "6.4" }'
    auto = 'torch-backend = "auto"'
    new = torch_compared(torch, auto, target, amd=AmdGpu(rocm="7.0", gfx=("gfx942",)))
    assert new == ()
    old = torch_compared(torch, auto, target, amd=AmdGpu(rocm="6.3", gfx=("gfx942",)))
    assert old == ("torch 2.9.1+rocm6.4: rocm6.4 would need ROCm 6.4, not 6.3",)


def test_a_backend_that_the_target_cannot_run_refuses_no_machine(
    torch: Project,
) -> None:
    """The user named it, and ``lock`` told that it cannot run there."""
    target = 'preset = "linux-x86_64"\ntorch-backend = "cu130"'
    assert torch_compared(torch, "", target) == ()


@pytest.mark.parametrize(
    ("project", "target"),
    [
        ('torch-backend = "none"', H100),
        ('torch-backend = "auto"', H100 + '\ntorch-backend = "none"'),
    ],
)
def test_without_a_backend_the_version_of_torch_says_nothing(
    torch: Project, project: str, target: str
) -> None:
    """A local version of another index may mean anything."""
    table = "[[tool.polylock.index]]"
    own = f'name = "own"\nurl = "{torch.settings["torch_index"]}/cu130"\nabsent = [403]'
    other = f'name = "all"\nurl = "{torch.index_url}"'
    index = f"{table}\n{own}\n{table}\n{other}\n"
    assert torch_compared(torch, project, f"{target}\n{index}") == ()
    versions = [each.version for each in torch.pylock.packages if each.name == "torch"]
    assert versions == ["2.9.1+cu130"]


def test_the_system_is_compared_before_any_label(project: Project) -> None:
    """On another processor family only that is reported."""
    lock(project, ["p-avx"], 'cpu = "sapphirerapids"')
    machine = DetectedMachine(
        system=OperatingSystem.LINUX,
        architecture=Architecture.AARCH64,
        libc="glibc-2.39",
    )
    found = fits(project.pylock, machine, python("3.12"), chosen=Chosen())
    assert found[0].refused == ("processor x86_64: this machine has aarch64",)
    error = none_fits(found)
    assert isinstance(error, NoTargetFits)
    assert list(error.missing) == ["box: processor x86_64: this machine has aarch64"]
