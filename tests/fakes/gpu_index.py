"""A project whose variants and versions are each rejected for a different reason."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fakes.wheels import build_wheel, variants_json
from fakes.workspace import Project
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["LINUX", "TEXT", "VARIANTS", "changed_variants", "gpu_project"]

LINUX = "py3-none-manylinux_2_17_x86_64"
VARIANTS = {
    "cu11": {"nvidia": {"cuda_version_lower_bound": ["11.0"]}},
    "cu12": {"nvidia": {"cuda_version_lower_bound": ["12.0"]}},
    "cu13": {"nvidia": {"cuda_version_lower_bound": ["13.0"]}},
    "debug": {"nvidia": {"cuda_version_upper_bound": ["15.0"]}},
    "null": {},
    "rocm": {"amd": {"rocm_version": ["6.4"]}},
    "win": {"nvidia": {"cuda_version_lower_bound": ["13.1"]}},
}
TEXT = """
[project]
name = "app"
version = "1"
dependencies = ["gpu", "runtime <13", "windows-only; sys_platform == 'win32'"]
[project.optional-dependencies]
plots = ["plotter"]
[dependency-groups]
test = ["tester"]
[tool.polylock]
python = "3.12"
constraint-dependencies = ["gpu <6"]
exclude-variants = ["nvidia :: cuda_version_upper_bound"]
[tool.polylock.targets.box]
platform = "linux-x86_64"
nvidia = { driver = "13.0", compute = ["9.0"] }
[tool.polylock.targets.mac]
platform = "macos-arm64"
dependencies = ["for-macs"]
"""


def _build(directory: Path) -> None:
    for label, properties in VARIANTS.items():
        build_wheel(
            directory,
            "gpu",
            "2.0",
            tag="py3-none-win_amd64" if label == "win" else LINUX,
            label=label,
            variant=properties,
            namespaces=["nvidia", "amd"],
            requires=["runtime >=13"] if label == "cu13" else ["runtime"],
        )
    build_wheel(
        directory,
        "gpu",
        "2.0",
        requires=["helper; extra == 'more'", "runtime"],
        extras=["more"],
    )
    build_wheel(directory, "gpu", "3.0", requires=["runtime >=13"])
    build_wheel(directory, "gpu", "4.0", tag="py3-none-win_amd64")
    build_wheel(directory, "gpu", "5.0rc1")
    build_wheel(directory, "gpu", "6.0")
    for version in ("12.0", "13.0"):
        build_wheel(directory, "runtime", version)
    for name in ("windows-only", "plotter", "tester", "for-macs"):
        build_wheel(directory, name, "1.0")


@contextmanager
def gpu_project(directory: Path) -> Iterator[Project]:
    """Lock the project against its index, and serve the index while it is used.

    The files of the index are under ``index`` in the directory.
    """
    wheels, index = directory / "wheels", directory / "index"
    _build(wheels)
    build_index(wheels, index)
    with IndexServer(index) as server:
        project = Project(directory=directory / "project", index_url=server.url)
        project.write(TEXT)
        project.lock()
        yield project


def changed_variants() -> bytes:
    """Return metadata that differs for cu12 from what was locked."""
    changed = {**VARIANTS, "cu12": {"amd": {"rocm_version": ["6.4"]}}}
    document = variants_json(changed, namespaces=["nvidia", "amd"])
    return json.dumps(document).encode()
