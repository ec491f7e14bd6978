"""Fixtures: polylock as a program, and the example project for this machine."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.this_machine import python_path
from polylock.operations.lock.lock import lock
from polylock.operations.lock.request import LockRequest
from polylock.ports import SilentReporter
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with polylock and the Python of the tests as programs."""
    if os.name == "nt":
        pytest.skip("the examples are for POSIX shells")
    directory = tmp_path_factory.mktemp("bin")
    imported = python_path(ROOT / "src", *filter(None, sys.path))
    for name, arguments in (("polylock", "-m polylock "), ("python", "")):
        path = directory / name
        # Only polylock is told where its libraries are: environments are their own.
        variable = f"PYTHONPATH='{imported}' " if arguments else ""
        path.write_text(
            f'#!/bin/sh\n{variable}exec "{sys.executable}" {arguments}"$@"\n'
        )
        path.chmod(0o755)
    return directory


@pytest.fixture
def example(tmp_path: Path, index_url: str) -> Path:
    """Copy the example project, for the Python of the tests, and lock it."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("the example is for x86-64 Linux")
    directory = tmp_path / "project"
    shutil.copytree(EXAMPLES / "project", directory)
    path = directory / "pyproject.toml"
    text = path.read_text("utf-8")
    # A backend of its own, for hatchling is on no index of the tests.
    text = re.sub(r"\[build-system\].*?\n\n", BUILD_SYSTEM, text, flags=re.DOTALL)
    path.write_text(text.replace('python = "3.13"', f'python = "{HERE}"'), "utf-8")
    (directory / "backend.py").write_text(BACKEND, "utf-8")
    locking(tmp_path, index_url)(directory)
    return directory


@pytest.fixture
def relock(tmp_path: Path, index_url: str) -> Callable[[Path], None]:
    """Return a function that locks a project again."""
    return locking(tmp_path, index_url)


def locking(tmp_path: Path, index_url: str) -> Callable[[Path], None]:
    """Return a function that locks a project against the fixture index."""

    def locked(directory: Path) -> None:
        settings = Settings(
            cache_dir=tmp_path / "lock-cache", project=directory, index_url=index_url
        )
        lock(settings, LockRequest(), SilentReporter())

    return locked


BUILD_SYSTEM = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

"""

BACKEND = '''\
"""A build backend for one project, whose version is in its pyproject.toml."""

import base64
import hashlib
import tomllib
import zipfile
from pathlib import Path


def hashed(text):
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def build_editable(directory, config_settings=None, metadata_directory=None):
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    name, version = project["name"], project["version"]
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}.pth": str(Path("src").absolute()),
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\n"
        f"Version: {version}\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n"
        "Tag: py3-none-any\\n",
    }
    rows = [f"{each},{hashed(text)},\\n" for each, text in members.items()]
    members[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\\n"])
    filename = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory, filename), "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return filename


build_wheel = build_editable
'''
