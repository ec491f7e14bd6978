"""Runs pip and uv on the files that polylock writes, in separate environments.

They have no configuration and no network except loopback: the proxy is a port where
nothing listens. If the system allows it, runs without an index use a network namespace
without any address.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Finished", "Installed", "Installer", "installed", "new_environment"]

Installed = dict[str, dict[str, str]]
"""``name==version`` to the files of that distribution, each with its SHA-256."""

_NOBODY = "http://127.0.0.1:1"
_LISTING = """
import hashlib, json, sys
from importlib.metadata import distributions

OWN = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "polylock.json"}
OWN |= {"uv_cache.json", "uv_build.json"}
found = {}
for each in distributions():
    files = {}
    for path in each.files or ():
        if "__pycache__" in path.parts:
            continue
        if path.parts[0].endswith(".dist-info") and path.name in OWN:
            continue
        name, outside = path.as_posix(), path.parts[0] == ".."
        content = b"" if outside else path.locate().read_bytes()
        assert path.locate().exists(), path
        files[name] = hashlib.sha256(content).hexdigest()
    found[f"{each.metadata['Name']}=={each.version}"] = files
print(json.dumps(found))
"""
"""Left out is what an installer writes for itself, and the content of launchers."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The exit code and the output of an installer."""

    code: int
    told: str


@dataclass(frozen=True, slots=True)
class Installer:
    """pip or uv, for one environment; ``scratch`` is a directory for its caches."""

    name: str
    python: Path
    scratch: Path

    def lock_file(self, path: Path, *, offline: bool) -> Finished:
        """Install what a ``pylock.toml`` lists; ``offline``: without any server."""
        if self.name == "pip":
            index = ["--no-index"] if offline else []
            return self._run([*self._pip, *index, "-r", str(path)], offline=offline)
        place = ["--offline"] if offline else []
        command = [*self._uv("pylock"), "sync", *place, str(path)]
        return self._run(command, offline=offline)

    def requirements(self, path: Path, index_url: str) -> Finished:
        """Install a requirements file from this index, by hashes alone."""
        options = ["--require-hashes", "--index-url", index_url, "-r", str(path)]
        if self.name == "pip":
            return self._run([*self._pip, *options], offline=False)
        return self._run(
            [*self._uv("wheel-variants"), "install", *options], offline=False
        )

    @property
    def _pip(self) -> list[str]:
        interpreter = [sys.executable, "-m", "pip", "--python", str(self.python)]
        return [*interpreter, "--isolated", "install", "--no-compile"]

    def _uv(self, feature: str) -> list[str]:
        uv = shutil.which("uv", path=str(Path(sys.executable).parent))
        return [uv or "uv", "--preview-features", feature, "pip"]

    def _run(self, command: Sequence[str], *, offline: bool) -> Finished:
        apart = ["unshare", "--map-root-user", "--net"]
        ran = subprocess.run(
            [*apart, *command] if offline and _can_unshare() else command,
            cwd=self.scratch,
            env=self._variables(),
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=180,
        )
        return Finished(ran.returncode, ran.stdout + ran.stderr)

    def _variables(self) -> Mapping[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(("PIP_", "UV_", "PYTHON", "VIRTUAL_ENV"))
        }
        proxies = {f"{scheme}_proxy": _NOBODY for scheme in ("http", "https", "all")}
        return {
            **kept,
            **proxies,
            **{name.upper(): value for name, value in proxies.items()},
            "no_proxy": "127.0.0.1",
            "NO_PROXY": "127.0.0.1",
            "HOME": str(self.scratch),
            "XDG_CONFIG_HOME": str(self.scratch),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_CACHE_DIR": str(self.scratch / "pip-cache"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(self.scratch / "uv-cache"),
            "UV_PYTHON": str(self.python),
            "UV_PYTHON_DOWNLOADS": "never",
        }


def new_environment(directory: Path) -> Path:
    """Make an environment without pip; return its Python."""
    venv.create(directory, with_pip=False)
    return directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def installed(python: Path) -> Installed:
    """Return what an environment has, as ``importlib.metadata`` finds it."""
    ran = subprocess.run(
        [python, "-I", "-c", _LISTING],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    found: Installed = json.loads(ran.stdout)
    return found


@cache
def _can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--map-root-user", "--net", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
