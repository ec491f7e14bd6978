"""Projects with their resolutions, from which the golden lock files are assembled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from fakes.resolutions import (
    INDEX,
    Lists,
    make_file,
    make_inputs,
    make_pin,
    make_resolution,
    make_target,
)
from polylock.lockfile.assemble import assemble
from polylock.model.inputs import IndexLocation, IndexSource, RootRequirement
from polylock.model.markers import parse_marker
from polylock.model.requirements import Requirement
from polylock.values import Value, replace
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.lockfile.pylock import Pylock
    from polylock.model.distributions import RemoteFile
    from polylock.model.inputs import Inputs
    from polylock.model.pins import Resolution
    from polylock.model.target import Target

__all__ = ["SCENARIOS", "TORCH_METADATA", "Scenario"]

TORCH_METADATA = VariantMetadata.from_document(
    {
        "$schema": "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json",
        "default-priorities": {"namespace": ["nvidia", "x86_64"]},
        "variants": {
            "cu130": {"nvidia": {"cuda_version_lower_bound": ["13.0"]}},
            "null": {},
            "v3": {"x86_64": {"level": ["v3"]}},
        },
    }
)
_CUDA: Lists = {"nvidia": {"cuda_version_lower_bound": ("13.0", "12.9", "12.8")}}
_LEVELS: Lists = {"x86_64": {"level": ("v3", "v2", "v1")}}
_TORCH = "torch-2.9.0-cp312-cp312-manylinux_2_28_x86_64"


class Scenario(Value, frozen=True, kw_only=True):
    """What goes into a lock file."""

    inputs: Inputs
    targets: tuple[Target, ...]
    resolutions: tuple[Resolution, ...]

    def assemble(self) -> Pylock:
        """Return the lock file."""
        return assemble(self.inputs, self.targets, self.resolutions)


def hardware() -> Scenario:
    """Return two machines that differ in hardware alone, and a third."""
    h100 = make_target("h100", derived={**_CUDA, **_LEVELS})
    cpu = make_target("cpu", derived=_LEVELS)
    mac = make_target("mac", "macos-aarch64")
    filelock = make_pin("filelock-3.19.1-py3-none-any.whl")
    triton = make_pin("triton-3.5.0-cp312-cp312-manylinux_2_27_x86_64.whl")
    return Scenario(
        inputs=make_inputs("torch >= 2.9", default_target="cpu"),
        targets=(h100, cpu, mac),
        resolutions=(
            make_resolution(
                h100,
                [
                    make_pin(
                        f"{_TORCH}-cu130.whl",
                        requires=["filelock", "triton"],
                        metadata=TORCH_METADATA,
                        decided_by=["nvidia :: cuda_version_lower_bound :: 13.0"],
                    ),
                    filelock,
                    triton,
                ],
            ),
            make_resolution(
                cpu,
                [
                    make_pin(
                        f"{_TORCH}.whl",
                        beside=[f"{_TORCH}-cu130.whl"],
                        requires=["filelock"],
                    ),
                    filelock,
                ],
            ),
            make_resolution(
                mac,
                [
                    make_pin(
                        "torch-2.9.0-cp312-none-macosx_11_0_arm64.whl",
                        beside=[f"{_TORCH}-cu130.whl"],
                        requires=["filelock"],
                    ),
                    filelock,
                ],
            ),
        ),
    )


def platforms() -> Scenario:
    """Return machines that differ by environment markers, without any variant."""
    linux311 = make_target("linux-py311", "linux-x86_64", "3.11")
    linux313 = make_target("linux-py313", "linux-x86_64", "3.13")
    arm = make_target("arm", "linux-aarch64", "3.13")
    mac = make_target("mac", "macos-aarch64", "3.13")
    windows = make_target("windows", "windows-x86_64", "3.13")
    attrs = make_pin("attrs-25.4.0-py3-none-any.whl", requires_python=">=3.9")
    colorama = make_pin("colorama-0.4.6-py2.py3-none-any.whl", requires_python=None)
    numpy = "numpy-2.3.4-cp313-cp313"
    return Scenario(
        inputs=make_inputs(
            "attrs",
            "numpy",
            'colorama; sys_platform=="win32"',
            requires_python=">=3.11",
        ),
        targets=(linux311, linux313, arm, mac, windows),
        resolutions=(
            make_resolution(
                linux311,
                [
                    attrs,
                    make_pin("numpy-2.2.6-cp311-cp311-manylinux_2_17_x86_64.whl"),
                ],
            ),
            make_resolution(
                linux313, [attrs, make_pin(f"{numpy}-manylinux_2_27_x86_64.whl")]
            ),
            make_resolution(
                arm, [attrs, make_pin(f"{numpy}-manylinux_2_27_aarch64.whl")]
            ),
            make_resolution(mac, [attrs, make_pin(f"{numpy}-macosx_14_0_arm64.whl")]),
            make_resolution(
                windows, [attrs, colorama, make_pin(f"{numpy}-win_amd64.whl")]
            ),
        ),
    )


def project() -> Scenario:
    """Return a project that uses every kind of input."""
    linux = make_target("linux", stated={"myns": {"feature": ("v2", "v1")}, "amd": {}})
    mac = make_target("mac", "macos-aarch64")
    wanted = replace(
        mac.description,
        exclude_variants=(),
        prefer_variants=("b", "a"),
        require_variants={"numpy": (), "attrs": ("attrs@v2", "b :: c")},
    )
    mac = replace(mac, description=wanted)
    dev = parse_marker("'dev' in dependency_groups")
    plot = parse_marker("'plot' in extras")
    both = parse_marker("'dev' in dependency_groups or 'plot' in extras")
    old = parse_marker("python_full_version < '3.12.3'")
    inputs = make_inputs(
        "redis>=5",
        "attrs",
        extras=("plot",),
        groups=("dev", "empty"),
        constraints=(Requirement.parse("idna<4"),),
        overrides=(Requirement.parse("attrs >= 25"),),
        indexes=(
            IndexLocation(name="ours", url="https://user:secret@index.example.com/"),
            IndexLocation(name="gpu", url="https://gpu.example.com/", explicit=True),
        ),
        sources={
            "redis": (
                IndexSource(index="gpu", properties=("myns :: feature :: v2",)),
                IndexSource(index="ours", targets=("mac",)),
            )
        },
        exclude_newer=1_793_491_200_000_000,
        resolution="lowest-direct",
        align="require",
        prefer_variants=("myns", "amd"),
        exclude_variants=("b", "a"),
        require_variants={"numpy": ("amd", "myns :: feature")},
        build="none",
        build_packages=("docopt",),
    )
    inputs = replace(
        inputs,
        requirements=(
            *inputs.requirements,
            RootRequirement(requirement=Requirement.parse("pytest"), group="dev"),
            RootRequirement(requirement=Requirement.parse("numpy"), extra="plot"),
            RootRequirement(
                requirement=Requirement.parse("pytest; sys_platform == 'darwin'"),
                extra="plot",
            ),
            RootRequirement(requirement=Requirement.parse("idna"), target="linux"),
        ),
    )
    credentials = INDEX.replace("https://", "https://user:secret@")
    shared = [
        make_pin("redis-5.0-py3-none-any.whl", requires=["async-timeout"]),
        make_pin("async_timeout-5.0.1-py3-none-any.whl"),
        make_pin("attrs-25.4.0-py3-none-any.whl", index_url=credentials),
        make_pin("numpy-2.3.4.tar.gz", requires_python=">=3.11"),
    ]
    pytest = make_pin(
        "pytest-8.4.2-py3-none-any.whl",
        file=replace_url(
            "pytest-8.4.2-py3-none-any.whl", "https://files.example.com/get?file=7"
        ),
    )
    conditions = {"async-timeout": old, "numpy": plot, "pytest": dev}
    return Scenario(
        inputs=inputs,
        targets=(linux, mac),
        resolutions=(
            make_resolution(
                linux,
                [*shared, pytest, make_pin("idna-3.11-py3-none-any.whl")],
                conditions,
            ),
            make_resolution(mac, [*shared, pytest], {**conditions, "pytest": both}),
        ),
    )


def replace_url(filename: str, url: str) -> RemoteFile:
    """Return the file under another URL, its size and hash kept."""
    return msgspec.structs.replace(make_file(filename), url=url)


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    "hardware": hardware,
    "platforms": platforms,
    "project": project,
}
"""By the stem of the golden file."""
