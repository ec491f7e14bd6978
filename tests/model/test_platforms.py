"""Markers and tags of other machines, against packaging's own answer there."""

from __future__ import annotations

import itertools

import pytest
from packaging import _manylinux, _musllinux, tags

from fakes.variant_data import python
from polylock.model.platforms import (
    compatibility_tags,
    marker_environment,
    platform_tags,
)
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    TargetDescription,
)

SYSCONFIG_PLATFORMS = {
    "linux-x86_64": "linux-x86_64",
    "linux-aarch64": "linux-aarch64",
    "windows-x86_64": "win-amd64",
    "windows-aarch64": "win-arm64",
    "macos-x86_64": "macosx-14.0-x86_64",
    "macos-aarch64": "macosx-14.0-arm64",
}
PLATFORM_SYSTEMS = {"linux": "Linux", "macos": "Darwin", "windows": "Windows"}


def describe(
    platform: str,
    release: PythonRelease | None = None,
    *,
    libc: str | None = None,
    macos: str | None = None,
) -> TargetDescription:
    """Return the description of a platform with a Python."""
    system, _, architecture = platform.partition("-")
    return TargetDescription(
        name="t",
        system=OperatingSystem(system),
        architecture=Architecture(architecture),
        python=release or python(),
        libc=libc,
        macos=macos,
    )


def pypy(minor: int = 11) -> PythonRelease:
    """Return a PyPy."""
    return PythonRelease(implementation="pypy", major=3, minor=minor)


def as_on_that_machine(
    host: pytest.MonkeyPatch, description: TargetDescription
) -> list[str]:
    """Return packaging's ``sys_tags`` with its probes answering for a description."""
    release = description.python
    system, architecture = description.system.value, description.architecture.value
    host.setattr(
        "sysconfig.get_platform",
        lambda: SYSCONFIG_PLATFORMS[f"{system}-{architecture}"],
    )
    host.setattr("platform.system", lambda: PLATFORM_SYSTEMS[system])
    machine = "arm64" if architecture == "aarch64" else architecture
    host.setattr("platform.mac_ver", lambda: (description.macos, ("", "", ""), machine))
    family, _, version = (description.libc or "-0.0").partition("-")
    numbers = tuple(int(part) for part in version.split("."))
    glibc = _manylinux._GLibCVersion(*numbers)
    host.setattr(_manylinux, "_get_glibc_version", lambda: glibc)
    host.setattr(_manylinux, "_have_compatible_abi", lambda *_: family == "glibc")
    musl = _musllinux._MuslVersion(*numbers) if family == "musl" else None
    host.setattr(_musllinux, "_get_musl_version", lambda _: musl)
    host.setattr(_manylinux, "_get_manylinux_module", lambda: None)
    number = f"{release.major}{release.minor}"
    variables = {
        "py_version_nodot": number,
        "Py_DEBUG": 0,
        "Py_GIL_DISABLED": int(release.free_threaded),
        "EXT_SUFFIX": f".pypy{number}-pp73-x86_64-linux-gnu.so",
    }
    host.setattr(tags, "_get_config_var", lambda name, warn=False: variables[name])  # noqa: ARG005  # its signature
    host.setattr("sys.version_info", (release.major, release.minor, 0, "final", 0))
    short = {"cpython": "cp", "pypy": "pp"}[release.implementation]
    host.setattr(tags, "interpreter_name", lambda: short)
    return [str(tag) for tag in tags.sys_tags()]  # noqa: TID251  # the oracle


LINUX = [
    ("linux-x86_64", "glibc-2.39"),
    ("linux-x86_64", "glibc-2.28"),
    ("linux-x86_64", "glibc-2.5"),
    ("linux-aarch64", "glibc-2.34"),
    ("linux-aarch64", "glibc-2.17"),
    ("linux-x86_64", "glibc-2.4"),
    ("linux-x86_64", "glibc-3.1"),
    ("linux-x86_64", "musl-1.2"),
    ("linux-aarch64", "musl-1.1"),
]
MACOS = [
    ("macos-aarch64", "11.0"),
    ("macos-aarch64", "15.1"),
    ("macos-x86_64", "10.13"),
    ("macos-x86_64", "14.2"),
]
PYTHONS = [python("3.11"), python("3.14"), python("3.13t"), python("3.15t"), pypy()]


@pytest.mark.parametrize(
    "description",
    [
        *(describe(p, r, libc=v) for (p, v), r in itertools.product(LINUX, PYTHONS)),
        *(describe(p, r, macos=v) for (p, v), r in itertools.product(MACOS, PYTHONS)),
        *(describe("windows-x86_64", release) for release in PYTHONS),
        describe("windows-aarch64"),
    ],
    ids=lambda d: f"{d.system}-{d.architecture}-{d.libc or d.macos}-{d.python}",
)
def test_tags_are_those_of_packaging_on_that_machine(
    monkeypatch: pytest.MonkeyPatch, description: TargetDescription
) -> None:
    """The tags and their order are packaging's on such a machine."""
    ours = compatibility_tags(description)
    assert list(ours) == as_on_that_machine(monkeypatch, description)


@pytest.mark.parametrize(
    "probe",
    [
        "sysconfig.get_platform",
        "platform.system",
        "platform.mac_ver",
        "platform.machine",
        "packaging._manylinux._get_glibc_version",
        "packaging._musllinux._get_musl_version",
        "packaging.tags.interpreter_name",
        "packaging.tags.interpreter_version",
        "packaging.tags.platform_tags",
    ],
)
def test_this_machine_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, probe: str
) -> None:
    """No tag comes from a probe of the host."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail(f"{probe} was called")

    monkeypatch.setattr(probe, refuse)
    for platform, release in itertools.product(
        ("linux-x86_64", "macos-aarch64", "windows-aarch64"),
        (python("3.9"), python("3.14t"), pypy(10)),
    ):
        assert compatibility_tags(describe(platform, release))


def test_targets_have_default_floors() -> None:
    """Without libc or macos a target is glibc 2.28 or macOS 14.0."""
    linux = platform_tags(describe("linux-x86_64"))
    assert linux[:2] == ("linux_x86_64", "manylinux_2_28_x86_64")
    assert platform_tags(describe("macos-aarch64"))[0] == "macosx_14_0_arm64"
    assert platform_tags(describe("macos-x86_64"))[0] == "macosx_14_0_x86_64"


def test_free_threaded_python_has_no_abi3() -> None:
    """A free-threaded Python takes abi3t wheels and no abi3 wheel."""
    found = compatibility_tags(describe("windows-x86_64", python("3.13t")))
    assert found[0] == "cp313-cp313t-win_amd64"
    assert not any("-abi3-" in tag for tag in found)


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux-x86_64", ("posix", "linux", "Linux", "x86_64")),
        ("linux-aarch64", ("posix", "linux", "Linux", "aarch64")),
        ("macos-x86_64", ("posix", "darwin", "Darwin", "x86_64")),
        ("macos-aarch64", ("posix", "darwin", "Darwin", "arm64")),
        ("windows-x86_64", ("nt", "win32", "Windows", "AMD64")),
        ("windows-aarch64", ("nt", "win32", "Windows", "ARM64")),
    ],
)
def test_markers_of_a_platform(platform: str, expected: tuple[str, ...]) -> None:
    """Each platform has the marker values that Python reports there."""
    found = marker_environment(describe(platform))
    keys = ("os_name", "sys_platform", "platform_system", "platform_machine")
    assert tuple(found[key] for key in keys) == expected


def test_patch_release_is_fixed_where_it_is_named() -> None:
    """Without a patch release the full version is open."""
    found = marker_environment(describe("linux-x86_64"))
    assert found["python_version"] == "3.12"
    assert not {"python_full_version", "implementation_version"} & set(found)
    found = marker_environment(describe("linux-x86_64", python("3.12.7")))
    assert found["python_full_version"] == found["implementation_version"] == "3.12.7"


def test_version_of_pypy_itself_is_open() -> None:
    """PyPy's own version is not that of its Python."""
    release = PythonRelease(implementation="pypy", major=3, minor=11, patch=13)
    found = marker_environment(describe("linux-x86_64", release))
    assert found["implementation_name"] == "pypy"
    assert found["platform_python_implementation"] == "PyPy"
    assert found["python_full_version"] == "3.11.13"
    assert "implementation_version" not in found
