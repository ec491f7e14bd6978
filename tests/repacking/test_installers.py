"""What installers take of wheels that polylock labelled, from an index that it built.

The wheels are pure ones and, for Linux on x86-64, a compiled one of the fixture index.
uv with its preview of variants, pip and polylock install them.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.wheel_records import members, record_problems
from fakes.wheels import build_wheel
from fakes.workspace import Project
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.repacking.plans import Ways, plan_plain, plan_repack
from polylock.repacking.repack_file import read_repack_file
from polylock.repacking.rewrite import write_wheels

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

WHEELS = Path(__file__).parents[2] / "fixtures" / "wheels"
COMPILED = "vecdemo-2.0.0-cp311-abi3-manylinux_2_17_x86_64-null.whl"
UV = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
NAMES = ("alpha", "beta", "gamma")
REPACK = """
output = "release"

[builds.cu130]
wheels = ["dist/*+cu130-*.whl"]
label = "cuda13.0"
properties = ["nvidia :: cuda_version_lower_bound :: 13.0"]

[builds.cpu]
wheels = ["dist/*+cpu-*.whl"]
label = "null"

[variant.default-priorities]
namespace = ["nvidia"]
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a release that was repacked, and its index."""
    directory = tmp_path_factory.mktemp("release")
    for name in NAMES:
        for local in ("cu130", "cpu"):
            build_wheel(
                directory / "dist",
                name,
                f"1.0+{local}",
                requires=["beta"] if (name, local) == ("alpha", "cu130") else [],
                files={f"{name}_build.txt": local, f"{name}/__init__.py": ""},
            )
    file = directory / "repack.toml"
    file.write_text(REPACK, encoding="utf-8")
    write_wheels(plan_repack(read_repack_file(file), Ways()), overwrite=False)
    build_index(directory / "release", directory / "site")
    return directory


@pytest.fixture(scope="module")
def index_url(release: Path) -> Iterator[str]:
    """Serve the index; return its URL."""
    with IndexServer(release / "site") as server:
        yield server.url


@pytest.mark.parametrize(("driver", "build"), [("13.0", "cu130"), ("", "cpu")])
def test_uv_takes_the_label_of_the_machine(
    index_url: str, tmp_path: Path, driver: str, build: str
) -> None:
    """With a driver for CUDA 13 the label, without one the null variant."""
    assert UV is not None, "uv is one of the test dependencies"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("UV_")}
    environment["NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION"] = driver
    environment["NV_VARIANT_PROVIDER_FORCE_SM_ARCH"] = "9.0" if driver else ""
    target = tmp_path / "target"
    subprocess.run(
        [
            *(UV, "pip", "install", "--quiet", "--no-cache", "--no-python-downloads"),
            *("--preview-features", "wheel-variants", "--no-config"),
            *("--python", sys.executable, "--index-url", index_url),
            *("--target", str(target), *NAMES),
        ],
        env=environment,
        check=True,
    )
    found = {name: (target / f"{name}_build.txt").read_text("utf-8") for name in NAMES}
    assert found == dict.fromkeys(NAMES, build)


@pytest.mark.parametrize("unify", [False, True])
def test_polylock_locks_what_each_build_requires(
    release: Path, tmp_path: Path, *, unify: bool
) -> None:
    """Whether the requirements of labels stand apart or behind markers."""
    file = release / "other.toml"
    rules = "\n[projects.alpha]\nunify = true\n" if unify else ""
    file.write_text(REPACK + rules, encoding="utf-8")
    plans = plan_repack(read_repack_file(file), Ways(output=tmp_path / "wheels"))
    write_wheels(plans, overwrite=False)
    build_index(tmp_path / "wheels", tmp_path / "site")
    with IndexServer(tmp_path / "site") as server:
        project = Project(directory=tmp_path / "project", index_url=server.url)
        check_lock(project)


def check_lock(project: Project) -> None:
    """Lock for a machine with a GPU and one without."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    project.write(
        '[project]\nname = "app"\nversion = "1"\ndependencies = ["alpha"]\n'
        f'[tool.polylock]\npython = "{here}"\n'
        '[tool.polylock.targets.gpu]\nplatform = "linux-x86_64"\n'
        'nvidia = { driver = "13.0" }\n'
        '[tool.polylock.targets.cpu]\nplatform = "linux-x86_64"\n'
    )
    project.lock()
    files = {
        (str(package.name), wheel.filename)
        for package in project.pylock.packages
        for wheel in package.wheels
    }
    assert files == {
        ("alpha", "alpha-1.0-py3-none-any-cuda13.0.whl"),
        ("alpha", "alpha-1.0-py3-none-any-null.whl"),
        ("beta", "beta-1.0-py3-none-any-cuda13.0.whl"),
    }


def test_pip_installs_what_has_no_label(release: Path, tmp_path: Path) -> None:
    """The plain wheel of a labelled one is like any other."""
    labelled = sorted((release / "release").glob("*-null.whl"))
    plain = write_wheels(
        plan_plain(labelled, Ways(output=tmp_path / "plain")), overwrite=False
    )
    target = tmp_path / "target"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index"),
            *("--no-deps", "--target", str(target)),
            *(str(each.plan.target) for each in plain),
        ],
        check=True,
    )
    for name in NAMES:
        assert (target / f"{name}_build.txt").read_text("utf-8") == "cpu"


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the compiled wheel is for Linux on x86-64",
)
def test_compiled_wheel_runs_after_it_was_repacked(tmp_path: Path) -> None:
    """Its extension module is not touched, and RECORD is right."""
    (plain,) = write_wheels(
        plan_plain([WHEELS / COMPILED], Ways(output=tmp_path)), overwrite=False
    )
    assert not record_problems(plain.plan.target)
    old, new = members(WHEELS / COMPILED), members(plain.plan.target)
    changed = {name for name in new if new[name] != old[name]}
    assert changed == {"vecdemo-2.0.0.dist-info/RECORD"}
    assert old.keys() - new.keys() == {"vecdemo-2.0.0.dist-info/variant.json"}
    target = tmp_path / "target"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index"),
            *("--target", str(target), str(plain.plan.target)),
        ],
        check=True,
    )
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json, vecdemo; print(json.dumps(vecdemo.__file__))",
        ],
        env={**os.environ, "PYTHONPATH": str(target)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(ran.stdout).startswith(str(target))
