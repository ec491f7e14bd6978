"""What a machine is, from replayed answers."""

from __future__ import annotations

import pytest

from fakes.machine import FakeMachine, FakeNvml
from fakes.variant_data import python
from polylock.errors import UsageError
from polylock.model.target import (
    AmdGpu,
    Architecture,
    Cpu,
    NvidiaGpu,
    OperatingSystem,
    TargetDescription,
)
from polylock.providers.derive import build_target
from polylock.providers.detect import DETECTED_NAME, detect, detect_machine

MUSL = "musl libc (aarch64)\nVersion 1.2.4\nDynamic Program Loader\nUsage: …\n"


def test_linux_machine_with_a_gpu() -> None:
    """A Linux machine is described with its libc, processor, driver and GPUs."""
    machine = FakeMachine(
        files={
            "/proc/cpuinfo": "flags : mmx sse sse2",
            "/opt/rocm/.info/version": "6.4.0",
        },
        commands={"rocminfo": "  Name:   gfx1100\n"},
        libraries={"libnvidia-ml.so.1": FakeNvml(12080, ((8, 9),))},
    )
    assert detect(python("3.13"), machine) == TargetDescription(
        name=DETECTED_NAME,
        system=OperatingSystem.LINUX,
        architecture=Architecture.X86_64,
        python=python("3.13"),
        libc="glibc-2.39",
        cpu=Cpu(level="v1", features=("sse2", "sse", "mmx")),
        nvidia=NvidiaGpu(driver="12.8", compute=("8.9",)),
        amd=AmdGpu(rocm="6.4", gfx=("gfx1100",)),
    )


def test_musl_names_itself_by_its_loader() -> None:
    """Where there is no glibc, musl's loader says its version."""
    machine = FakeMachine(
        machine="aarch64",
        glibc=None,
        commands={"/lib/ld-musl-aarch64.so.1": MUSL},
    )
    assert detect_machine(machine).libc == "musl-1.2"


def test_unknown_libc_is_unknown() -> None:
    """A machine with neither glibc nor musl has no libc that a target can name."""
    assert detect_machine(FakeMachine(glibc=None)).libc is None


def test_mac() -> None:
    """A Mac is described with its macOS and its processor."""
    brand = "machdep.cpu.brand_string: Apple M3 Max\n"
    machine = FakeMachine(
        system="Darwin",
        machine="arm64",
        glibc=None,
        macos="14.5.1",
        commands={
            "sysctl -i machdep.cpu.brand_string machdep.cpu.vendor "
            "machdep.cpu.features machdep.cpu.leaf7_features "
            "machdep.cpu.extfeatures": brand
        },
    )
    found = detect_machine(machine)
    assert (found.system, found.architecture) == ("macos", "aarch64")
    assert (found.macos, found.libc) == ("14.5", None)
    assert found.cpu == Cpu(microarchitecture="m3")


def test_windows() -> None:
    """Windows spells its architectures another way."""
    found = detect_machine(FakeMachine(system="Windows", machine="AMD64", glibc=None))
    assert (found.system, found.architecture) == ("windows", "x86_64")


def test_detected_machine_is_a_target() -> None:
    """What was detected derives to tags and lists as a described target does."""
    description = detect_machine(FakeMachine()).describe(python(), name="here")
    target = build_target(description)
    assert target.name == "here"
    assert target.tags[0] == "cp312-cp312-linux_x86_64"


@pytest.mark.parametrize(
    ("system", "machine"), [("FreeBSD", "amd64"), ("Linux", "riscv64"), ("", "")]
)
def test_machine_that_no_target_can_name(system: str, machine: str) -> None:
    """Another system or processor is an error with the words of the machine."""
    with pytest.raises(UsageError, match="which no target can name"):
        detect_machine(FakeMachine(system=system, machine=machine))
