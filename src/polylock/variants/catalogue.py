"""The tables of the published variant providers: names, ranges, orders.

Taken from nvidia-variant-provider ffea5d3,
provider-variant-x86-64 0.0.3, provider-variant-aarch64 47b6e1e, amd-variant-provider
4d985a9, intel-variant-provider 9516bd2, huawei-ascend-variant-provider c5ea9f8. The
lists are ordered, the most preferred value first.
"""

from __future__ import annotations

__all__ = [
    "AARCH64_FEATURES",
    "AARCH64_NEWEST_VERSION",
    "AARCH64_VERSIONS",
    "AMD_GFX_ARCHITECTURES",
    "AMD_ROCM_VERSIONS",
    "CUDA_MAJORS",
    "CUDA_MINORS",
    "FEATURE_NAMES",
    "INTEL_COMPATIBLE_IPS",
    "INTEL_DEVICE_IPS",
    "MULTI_VALUE_FEATURES",
    "NEWEST_COMPUTE_MAJOR",
    "OLDEST_COMPUTE_MAJOR",
    "X86_64_FEATURES",
    "X86_64_LEVELS",
    "X86_64_LEVEL_FEATURES",
]

CUDA_MAJORS = (15, 14, 13, 12, 11)
CUDA_MINORS = tuple(range(20, -1, -1))
OLDEST_COMPUTE_MAJOR = 5
NEWEST_COMPUTE_MAJOR = 12

X86_64_LEVELS = ("v4", "v3", "v2", "v1")
X86_64_FEATURES = tuple(
    """
    avx_vnni cppc ibrs_enhanced tsc_adjust flush_l1d movdir64b movdiri avx512_bf16
    avx512_bitalg avx512_vbmi2 avx512_vnni avx512_vp2intersect avx512_vpopcntdq
    avx512ifma avx512vbmi rdpid sha_ni vaes vpclmulqdq clwb clzero avx512bw avx512cd
    avx512dq avx512f avx512vl clflushopt gfni rdseed xsavec xsaveopt adx avx2 avx bmi2
    bmi1 abm f16c fma movbe xsave rdrand aes pclmulqdq sse4a fsgsbase sse4_2 sse4_1
    ssse3 sse3 cx16 lahf_lm popcnt sse2 sse mmx
    """.split()  # noqa: SIM905  # reads as the published table
)

X86_64_LEVEL_FEATURES = {
    "v1": (),
    "v2": tuple("cx16 lahf_lm mmx popcnt sse sse2 ssse3 sse4_1 sse4_2 sse3".split()),  # noqa: SIM905
    "v3": tuple("abm avx avx2 bmi1 bmi2 f16c fma movbe xsave".split()),  # noqa: SIM905
    "v4": tuple("avx512bw avx512cd avx512dq avx512f avx512vl".split()),  # noqa: SIM905
}
"""The features that each level adds to the one before, as in archspec 0.2.7.

Most targets name only a level, and to read archspec's tables takes 7 ms.
"""

AARCH64_NEWEST_VERSION = "9.0a"
AARCH64_VERSIONS = tuple("9.0a 8.6a 8.5a 8.4a 8.3a 8.2a 8.1a 8a".split())  # noqa: SIM905
AARCH64_FEATURES = tuple(
    # The published list joins "bti" "ecv" and "asimdrdm" "atomics" into two names, as
    # commas are missing. So that provider never reports the four. They are left out
    # here too: other installers could not choose wheels that need them.
    """
    sve2 flagm2 frint sb paca pacg ssbs asimdfhm bf16 dcpodp dgh dit flagm i8mm ilrcpc
    jscvt rng sha3 sha512 svebf16 svei8mm uscat asimddp lrcpc asimdhp dcpop fcma fphp
    sve aes asimd cpuid crc32 evtstrm fp pmull sha1 sha2
    """.split()  # noqa: SIM905  # reads as the published table
)

AMD_GFX_ARCHITECTURES = frozenset(
    """
    gfx900 gfx906 gfx908 gfx90a gfx942 gfx1030 gfx1100 gfx1101 gfx1102 gfx1200 gfx1201
    """.split()  # noqa: SIM905  # reads as the published table
)
AMD_ROCM_VERSIONS = frozenset({*(f"7.{minor}" for minor in range(11)), "6.4", "6.3"})
"""The values by which amd-variant-provider validates. It reports further ones where
``rocm_agent_enumerator`` shows them."""

INTEL_COMPATIBLE_IPS = {
    "30.5.4": "30.0.4",
    "30.4.4": "30.0.4",
    "30.3.1": "30.0.4",
    "30.1.0": "30.0.4",
    "20.4.4": "20.1.0",
    "20.2.0": "20.1.0",
    "12.74.4": "12.70.4",
    "12.71.4": "12.70.4",
    "12.57.0": "12.55.8",
    "12.56.5": "12.55.8",
}
"""The IP version of a device, and the base version whose binaries it also runs."""

INTEL_DEVICE_IPS = frozenset(
    """
    35.11.0 35.10.4 30.5.4 30.4.4 30.3.1 30.1.0 30.0.4 20.4.4 20.2.0 20.1.0 12.74.4
    12.71.4 12.70.4 12.60.7 12.57.0 12.56.5 12.55.8 12.10.0 12.4.0 12.3.0 12.2.0
    12.1.0 12.0.0
    """.split()  # noqa: SIM905  # reads as the published table
)
"""IP versions that the published provider knows; it ignores any other."""

FEATURE_NAMES = {
    "nvidia": frozenset(
        {"cuda_version_lower_bound", "cuda_version_upper_bound", "sm_arch"}
    ),
    "x86_64": frozenset({"level", *X86_64_FEATURES}),
    "aarch64": frozenset({"version", *AARCH64_FEATURES}),
    "amd": frozenset({"gfx_arch", "rocm_version"}),
    "intel": frozenset({"device_ip"}),
    "ascend": frozenset({"npu_type", "driver_version", "cann_version"}),
    "tpu": frozenset({"present"}),
}
"""The features that the provider of each namespace can report.

No machine supports any other feature of them, so a label with one is never installed.
"""

MULTI_VALUE_FEATURES = frozenset(
    {
        ("nvidia", "sm_arch"),
        ("amd", "gfx_arch"),
        ("intel", "device_ip"),
        # One published provider of Ascend reports several, the other one.
        ("ascend", "npu_type"),
    }
)
"""Features of which a label may have several values (PEP 850, ``multi_value``)."""
