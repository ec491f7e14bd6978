"""The namespaces of processors, derived and detected."""

from __future__ import annotations

import pytest

from fakes.captured_machines import captured_machines
from fakes.machine import FakeMachine
from fakes.variant_data import vectors
from polylock.model.target import Architecture, Cpu
from polylock.providers.cpu import derive_aarch64, derive_x86_64, detect
from polylock.variants.catalogue import X86_64_LEVEL_FEATURES

REFERENCE = vectors("reference_plugins")
DERIVE = {"x86_64": derive_x86_64, "aarch64": derive_aarch64}


@pytest.mark.parametrize(
    "case", [case for case in REFERENCE if case.split(":")[0] in DERIVE]
)
def test_lists_are_those_of_the_published_plugins(case: str) -> None:
    """A named processor has the lists that the published plugin gives for it.

    Deviation: for the bare ``x86_64`` the plugin gives nothing, which leaves out its
    own level v1; uv gives it, and so does polylock.
    """
    namespace, _, name = case.partition(": ")
    expected = [(feature, tuple(values)) for feature, values, _ in REFERENCE[case]]
    if name == "x86_64":
        expected = [("level", ("v1",))]
    found = DERIVE[namespace](Cpu(microarchitecture=name))
    assert list(found.items()) == expected


@pytest.mark.parametrize("derive", DERIVE.values())
def test_names_run_together_are_never_reported(derive: object) -> None:
    """The published plugin's ``btiecv`` and ``asimdrdmatomics`` are no features."""
    assert callable(derive)
    found = derive(Cpu(features=("btiecv", "asimdrdmatomics", "bti", "ecv", "atomics")))
    assert len(found) == 1


def test_level_gives_its_features() -> None:
    """A level supports the features that belong to it."""
    found = derive_x86_64(Cpu(level="v3"))
    assert found["level"] == ("v3", "v2", "v1")
    assert {"avx2", "sse4_2", "mmx"} < set(found)
    assert "avx512f" not in found


def test_features_are_added_and_removed_in_the_fixed_order() -> None:
    """Features given on top keep the provider's order, and a hyphen takes one away."""
    found = derive_x86_64(Cpu(level="v2", features=("avx2", "-popcnt", "aes")))
    assert list(found)[:4] == ["level", "avx2", "aes", "sse4_2"]
    assert "popcnt" not in found


def test_aarch64_versions_end_at_the_newest_that_the_provider_knows() -> None:
    """A 9.2a processor reports from 9.0a on, and never 8.6a, which 9.0a lacks."""
    found = derive_aarch64(Cpu(microarchitecture="olympus"))["version"]
    assert found == ("9.0a", "8.5a", "8.4a", "8.3a", "8.2a", "8.1a", "8a")
    assert derive_aarch64(Cpu(level="9.0a"))["version"] == found


def cpuinfo(**fields: str) -> FakeMachine:
    """Return a Linux machine with these lines in /proc/cpuinfo, twice."""
    lines = "".join(
        f"{name.replace('_', ' ')}\t: {value}\n" for name, value in fields.items()
    )
    return FakeMachine(files={"/proc/cpuinfo": f"processor\t: 0\n{lines}\n{lines}"})


HASWELL = (
    "fpu mmx sse sse2 ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm aes pclmulqdq avx "
    "rdrand f16c movbe fma avx2 bmi1 bmi2 abm xsave"
)
ICELAKE_BUT_ONE = (
    f"{HASWELL} adx avx512f avx512vl avx512bw avx512dq avx512cd rdseed clflushopt "
    "xsavec xsaveopt avx512vbmi avx512ifma sha_ni clwb rdpid gfni avx512_vbmi2 "
    "avx512_vpopcntdq avx512_bitalg avx512_vnni vpclmulqdq"
)


def test_detected_name_is_the_nearest_of_the_vendor() -> None:
    """The most specific name counts whose features the kernel shows."""
    machine = cpuinfo(vendor_id="@", flags=HASWELL)
    machine.files = {
        path: text.replace("vendor id", "vendor_id").replace("@", "GenuineIntel")
        for path, text in machine.files.items()
    }
    assert detect(machine, Architecture.X86_64) == Cpu(microarchitecture="haswell")


def test_hidden_flag_leaves_a_level_with_features() -> None:
    """Where one flag is hidden, the level counts and all other flags are kept."""
    found = detect(cpuinfo(flags=ICELAKE_BUT_ONE), Architecture.X86_64)
    assert found is not None
    assert found.level == "v4"
    assert {"sha_ni", "avx512_vnni", "vpclmulqdq", "gfni"} <= set(found.features)
    assert derive_x86_64(found)["sha_ni"] == ("on",)


def test_oldest_processor_is_level_v1() -> None:
    """A processor below level v2 is v1 with its flags."""
    found = detect(cpuinfo(flags="mmx sse sse2"), Architecture.X86_64)
    assert found == Cpu(level="v1", features=("sse2", "sse", "mmx"))


def test_aarch64_is_detected_by_implementer_and_part() -> None:
    """An AArch64 processor is named by what the kernel says made it."""
    features = (
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid "
        "asimdrdm lrcpc dcpop asimddp"
    )
    machine = cpuinfo(Features=features, CPU_implementer="0x41", CPU_part="0xd0c")
    found = detect(machine, Architecture.AARCH64)
    assert found == Cpu(microarchitecture="neoverse_n1")


def test_unknown_aarch64_processor_is_the_baseline() -> None:
    """A processor of an unknown maker is 8a with its features."""
    machine = cpuinfo(Features="fp asimd", CPU_implementer="0x99")
    found = detect(machine, Architecture.AARCH64)
    assert found == Cpu(level="8a", features=("asimd", "fp"))


@pytest.mark.parametrize("text", ["", "garbage", "flags\t:\n", "\x00\x01"])
def test_unreadable_cpuinfo_is_no_processor(text: str) -> None:
    """A kernel that says nothing of flags leaves the processor unknown."""
    machine = FakeMachine(files={"/proc/cpuinfo": text})
    assert detect(machine, Architecture.X86_64) is None
    assert detect(FakeMachine(), Architecture.X86_64) is None


def test_levels_are_those_of_archspec() -> None:
    """The table that spares reading archspec's says the same."""
    import archspec.cpu

    features: set[str] = set()
    for level, further in X86_64_LEVEL_FEATURES.items():
        features.update(further)
        name = "x86_64" if level == "v1" else f"x86_64_{level}"
        assert archspec.cpu.TARGETS[name].features == features
        found = derive_x86_64(Cpu(level=level))
        named = derive_x86_64(Cpu(microarchitecture=name))
        assert list(found.items()) == list(named.items())
    assert derive_x86_64(None) == derive_x86_64(Cpu(level="v1"))
    eight = derive_aarch64(Cpu(level="8a", features=("sve",)))
    named = derive_aarch64(Cpu(microarchitecture="aarch64", features=("sve",)))
    assert list(eight.items()) == list(named.items())


def test_nearest_names_of_recorded_machines_are_archspecs_own() -> None:
    """A machine that archspec recorded is what archspec says of it, by its name."""
    for captured in captured_machines():
        if not captured.data["origin"].startswith("archspec-json, "):
            continue
        name = captured.name.rpartition("-")[2]
        if captured.data["kind"] != "captured":
            continue
        architecture = (
            Architecture.X86_64
            if captured.data["machine"] in {"x86_64", "AMD64"}
            else Architecture.AARCH64
        )
        found = detect(captured.machine(), architecture)
        assert found is not None
        shown = found.microarchitecture or f"{architecture}_{found.level}"
        assert shown == name, captured.name
