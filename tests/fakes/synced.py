"""A project with two lock files, synced by real processes from an index on loopback."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.command_line import clean_variables
from fakes.pythons import this_python
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.cache.store import Bucket, Store
from polylock.cli.main import run
from polylock.environment.venv import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SETS", "Forked", "SyncedProject", "base_python", "tree"]

SETS: Mapping[str, Mapping[str, str]] = {
    "old": {"alpha": "1.0", "beta": "1.0", "space-one": "1.0", "shrinking": "1.0"},
    "new": {"alpha": "2.0", "gamma": "1.0", "space-one": "1.0", "shrinking": "2.0"},
}
"""What each of the two lock files locks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forked:
    """How a sync in a child ended: its exit code, what it said, and what it counted.

    One that was killed has counted nothing.
    """

    code: int
    said: str
    count: int


class SyncedProject:
    """The files of one test under ``root``; nothing else under ``root`` may change.

    ``environment`` and ``cache`` are the two directories that a sync may touch.
    ``delay`` is how long the server waits before it answers, in seconds.
    """

    def __init__(self, server: Server, root: Path, *, delay: float = 0.0) -> None:
        self.server = server
        self.root = root
        self.environment = root / "env"
        self.cache = root / "cache"
        self.home = root / "home"
        self.home.mkdir()
        self._sentinel()
        index = Index(server)
        self.digests: dict[str, str] = {}
        for name, version in sorted(
            {pair for wanted in SETS.values() for pair in wanted.items()}
        ):
            self._offer(name, version)
        for name in {name for wanted in SETS.values() for name in wanted}:
            index.add(name, sorted((root / "wheels").glob(f"{_stem(name)}-*")))
        for path, answer in list(server.routes.items()):
            if path.startswith("/files/"):
                server.routes[path] = replace(answer, delay=delay)
        for name, wanted in SETS.items():
            self._lock(name, wanted, f"{index.url}/")
        shutil.rmtree(root / "lock-cache")

    def _sentinel(self) -> None:
        place = self.root / "beside"
        (place / "deep").mkdir(parents=True)
        (place / "file.txt").write_text("kept", "utf-8")
        (place / "deep" / "RECORD").write_text("kept", "utf-8")

    def _offer(self, name: str, version: str) -> None:
        stem = _stem(name)
        noise = random.Random(f"{name} {version}")
        files: dict[str, str | bytes] = {
            f"{stem}/__init__.py": f"VALUE = {version!r}\n",
            f"{stem}/noise.bin": noise.randbytes(200_000),
            f"{stem}-{version}.data/scripts/{name}-tool": "#!python\nprint(1)\n",
            f"{stem}-{version}.data/data/share/{name}.txt": version,
            f"{stem}-{version}.data/headers/{stem}.h": "int x;\n",
        }
        for number in range(40 if version == "1.0" else 25):
            files[f"{stem}/part{number % 5}/module{number}.py"] = f"N = {number}\n"
        if name.startswith("space-"):
            files["space/__init__.py"] = ""
            files[f"space/{stem}.py"] = ""
        build_wheel(
            self.root / "wheels",
            name,
            version,
            files=files,
            entry_points=f"[console_scripts]\n{name} = {stem}:VALUE\n",
        )

    def _lock(self, name: str, wanted: Mapping[str, str], index_url: str) -> None:
        project = Project(
            directory=self.root / name,
            index_url=index_url,
            settings={"cache_dir": self.root / "lock-cache", "python": base_python()},
        )
        listed = ", ".join(f'"{each}=={version}"' for each, version in wanted.items())
        project.write(
            f'[project]\nname = "{name}"\nversion = "1"\ndependencies = [{listed}]\n'
            f"{this_target()}"
        )
        project.lock()
        for package in project.pylock.packages:
            for wheel in package.wheels:
                self.digests[wheel.filename] = wheel.hashes["sha256"]

    def start(self, name: str, *options: str) -> subprocess.Popen[str]:
        """Start a sync to one of the lock files in a process of its own."""
        variables = clean_variables(self.home)
        variables["POLYLOCK_CACHE_DIR"] = str(self.cache)
        # Not the Python of the tests: it may be that of an environment, which a sync
        # that goes astray would empty.
        command = [sys.executable, "-m", "polylock", "sync", "--python", base_python()]
        return subprocess.Popen(
            [*command, "--venv", str(self.environment), *options],
            cwd=self.root / name,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sync(self, name: str, *options: str) -> str:
        """Sync to the end; return what it wrote to stderr."""
        process = self.start(name, *options)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert "Traceback" not in err
        return err

    def sync_forked(self, begin: Callable[[], Callable[[], int]]) -> Forked:
        """Sync to "new" in a child of this process, which has polylock imported.

        ``begin`` is called in the child, and what it returns when the sync has ended.
        """
        said, counted = self.root / "said.txt", self.root / "counted.txt"
        child = os.fork()
        if child == 0:
            code = 99
            try:
                os.environ.clear()
                os.environ.update(clean_variables(self.home))
                os.environ["POLYLOCK_CACHE_DIR"] = str(self.cache)
                os.chdir(self.root / "new")
                descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                os.dup2(descriptor, 1)
                os.dup2(descriptor, 2)
                sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - a descriptor
                count = begin()
                command = ["sync", "--python", base_python()]
                code = run([*command, "--venv", str(self.environment)])
                counted.write_text(str(count()))
            except BaseException:  # noqa: BLE001 - it must not return into the parent
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        found = Forked(
            code=os.waitstatus_to_exitcode(status),
            said=said.read_text(),
            count=int(counted.read_text()) if counted.exists() else 0,
        )
        said.unlink()
        counted.unlink(missing_ok=True)
        return found

    def installed(self) -> dict[str, tuple[str, str]]:
        """Return the environment as ``tree`` does."""
        return tree(self.environment)

    def outside(self) -> dict[str, tuple[str, str]]:
        """Return everything that no sync may change."""
        allowed = {self.environment.name, self.cache.name, "kept"}
        found: dict[str, tuple[str, str]] = {}
        for path in self.root.iterdir():
            if path.name not in allowed:
                found |= {f"{path.name}/{k}": v for k, v in tree(path).items()}
        return found

    def verified(self) -> set[str]:
        """Return the names of the files that the cache holds, verified."""
        store = Store(self.cache)
        return {
            filename
            for filename, sha256 in self.digests.items()
            if store.path(Bucket.FILES, sha256).exists()
        }

    def downloaded(self, since: int = 0) -> list[str]:
        """Return the names of the files that were asked for, in order."""
        asked = [received.path for received in self.server.log[since:]]
        return [p.rpartition("/")[2] for p in asked if p.startswith("/files/")]

    def keep(self, name: str) -> None:
        """Save environment and cache, to restore them later."""
        for path in (self.environment, self.cache):
            shutil.copytree(path, self.root / "kept" / name / path.name, symlinks=True)

    def come_back(self, name: str | None) -> None:
        """Restore what was saved; None: start empty."""
        for path in (self.environment, self.cache):
            shutil.rmtree(path, ignore_errors=True)
            if name is not None:
                shutil.copytree(
                    self.root / "kept" / name / path.name, path, symlinks=True
                )


def base_python() -> str:
    """Return the Python that the environment of the tests was made with."""
    return this_python().base_executable


def tree(root: Path) -> dict[str, tuple[str, str]]:
    """Return every path under ``root``: its kind, and its content as a digest.

    Links are told by where they lead. Left out is the file by which syncs wait.
    """
    found: dict[str, tuple[str, str]] = {}
    for directory, names, files in os.walk(root):
        for name in (*names, *files):
            path = Path(directory, name)
            key = path.relative_to(root).as_posix()
            if name == LOCK_FILE:
                continue
            if path.is_symlink():
                found[key] = ("link", str(path.readlink()))
            elif path.is_dir():
                found[key] = ("directory", "")
            else:
                mode = "executable" if os.access(path, os.X_OK) else "file"
                found[key] = (mode, hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def _stem(name: str) -> str:
    return name.replace("-", "_")
