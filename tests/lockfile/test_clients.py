"""uv and pip install from lock files that were assembled here.

Neither knows polylock, and neither takes a variant wheel from a lock file, so there
are none in these.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from fakes.resolutions import (
    make_file,
    make_inputs,
    make_pin,
    make_resolution,
    make_target,
)
from fakes.wheels import build_wheel
from polylock.lockfile.assemble import assemble
from polylock.lockfile.write import pylock_text
from polylock.model.markers import parse_marker

if TYPE_CHECKING:
    from polylock.model.pins import Pin

UV = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
HERE = {"linux": "linux", "darwin": "macos", "win32": "windows"}
MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "arm64": "aarch64"}

needs_uv = pytest.mark.skipif(UV is None, reason="uv is not installed")
needs_pip = pytest.mark.skipif(
    importlib.util.find_spec("pip") is None, reason="pip is not installed"
)


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    """Return a lock file for two targets like this machine, and one that is not."""
    machine = platform.machine()
    here = f"{HERE[sys.platform]}-{MACHINES.get(machine, machine)}"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    cpu, gpu = make_target("cpu", here, python), make_target("gpu", here, python)
    other = make_target("other", "linux-x86_64", "3.10")
    built = {
        f"{name}-{version}": build_wheel(tmp_path, name, version, requires=["base"])
        for name, version in (("torch", "2.8"), ("torch", "2.9"), ("tool", "1"))
    }
    built["base-1"] = build_wheel(tmp_path, "base", "1")

    def pin(key: str) -> Pin:
        path = built[key]
        file = msgspec.structs.replace(
            make_file(path.name, size=path.stat().st_size),
            url=path.as_uri(),
            hashes={"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        )
        requires = [] if key == "base-1" else ["base"]
        return make_pin(path.name, file=file, requires=requires)

    conditions = {"tool": parse_marker("'dev' in dependency_groups")}
    pylock = assemble(
        make_inputs("torch", groups=("dev",), default_target="cpu"),
        [cpu, gpu, other],
        [
            make_resolution(
                target,
                [pin(f"torch-{version}"), pin("base-1"), pin("tool-1")],
                conditions,
            )
            for target, version in ((cpu, "2.8"), (gpu, "2.9"), (other, "2.8"))
        ],
    )
    path = tmp_path / "pylock.toml"
    path.write_text(pylock_text(pylock), encoding="utf-8", newline="\n")
    return path


GROUPS = [
    ((), ["base-1", "torch-2.8"]),
    (("cpu",), ["base-1", "torch-2.8"]),
    (("gpu",), ["base-1", "torch-2.9"]),
    (("gpu", "dev"), ["base-1", "tool-1", "torch-2.9"]),
]


@needs_uv
@pytest.mark.parametrize(("groups", "expected"), GROUPS)
def test_uv_installs_what_was_locked(
    lock_file: Path, groups: tuple[str, ...], expected: list[str]
) -> None:
    """`uv pip sync --group TARGET` installs the target's packages, and no others."""
    site = lock_file.parent / "site"
    options = [word for group in groups for word in ("--group", group)]

    _run(
        [
            *(str(UV), "pip", "sync", "--offline", "--preview"),
            *("--python", sys.executable, "--target", str(site)),
            *(*options, lock_file.name),
        ],
        lock_file.parent,
    )

    assert _installed(site) == expected


@needs_pip
@pytest.mark.parametrize(("groups", "expected"), GROUPS)
def test_pip_installs_what_was_locked(
    lock_file: Path, groups: tuple[str, ...], expected: list[str]
) -> None:
    """`pip install --group pylock.toml:TARGET` does, and `-r` takes the default."""
    site = lock_file.parent / "site"
    options = [word for group in groups for word in ("--group", f"pylock.toml:{group}")]

    _run(
        [
            *(sys.executable, "-m", "pip", "install", "--no-index"),
            *("--target", str(site), "--disable-pip-version-check", "--no-compile"),
            *(options or ["-r", lock_file.name]),
        ],
        lock_file.parent,
    )

    assert _installed(site) == expected


def _run(command: list[str], directory: Path) -> None:
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("UV_", "PIP_", "PYTHON", "VIRTUAL_ENV"))
    }
    environment["UV_CACHE_DIR"] = str(directory / "uv-cache")
    environment["PIP_CACHE_DIR"] = str(directory / "pip-cache")
    environment["PIP_CONFIG_FILE"] = os.devnull
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _installed(site: Path) -> list[str]:
    return sorted(
        path.name.removesuffix(".dist-info") for path in site.glob("*.dist-info")
    )
