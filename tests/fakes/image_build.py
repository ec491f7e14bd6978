"""Builds a Dockerfile without a daemon, with a directory for each stage.

``RUN`` lines are run by ``sh``, with the paths of the image mapped to that directory. A
layer's key is made as in BuildKit: from the previous step, the instruction, and the
content, but not the times, of copied files. The content of cache mounts is in no key.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.command_line import clean_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["RUNNING", "Build", "Instruction", "instructions"]

RUNNING = "running"
"""The directory of whichever stage runs a program, below that of the build."""

_KNOWN = ("FROM", "ARG", "RUN", "ENV", "WORKDIR", "COPY", "CMD")
_MOUNT = re.compile(r"--mount=(\S+)\s+")


@dataclass(frozen=True)
class Instruction:
    """One instruction; continued lines are joined."""

    name: str
    text: str


def instructions(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile in their order."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, rest = line.partition(" ")
        assert name in _KNOWN, line
        found.append(Instruction(name, " ".join(rest.split())))
    return found


@dataclass
class _Stage:
    root: Path
    key: str
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "/"


@dataclass
class Build:
    """One ``docker build``: the layers of all stages with their keys, in order."""

    root: Path
    context: Path
    ignored: tuple[str, ...]
    arguments: Mapping[str, str]
    path: str
    caches: Path
    replaced: Mapping[str, str] = field(default_factory=dict)
    layers: list[tuple[str, str, str]] = field(default_factory=list)
    stages: dict[str, _Stage] = field(default_factory=dict)
    log: str = ""

    def run(self, text: str) -> _Stage:
        """Run the instructions; return the last stage.

        ``replaced`` are programs to run in place of some ``RUN`` lines, by a part of
        them.
        """
        stage: _Stage | None = None
        given: dict[str, str] = {}
        for number, step in enumerate(instructions(text)):
            if step.name == "FROM":
                image, _, name = step.text.partition(" AS ")
                root = self.root / (name or "final")
                root.mkdir(parents=True)
                stage = _Stage(root, image)
                self.stages[name or str(number)] = stage
                given = {}
                continue
            assert stage is not None
            copied = self._carry_out(stage, step, given)
            if step.name == "ARG":
                continue
            values = {k: v for k, v in given.items() if f"${k}" in step.text}
            parts = [stage.key, step.name, step.text, str(values), copied]
            stage.key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
            layer = f"{step.name} {step.text.split(' ')[0]}"
            self.layers.append((stage.root.name, layer, stage.key))
        assert stage is not None
        return stage

    def _carry_out(
        self, stage: _Stage, step: Instruction, given: dict[str, str]
    ) -> str:
        """Run one instruction; return a digest of what it copied."""
        match step.name:
            case "ARG":
                name, _, default = step.text.partition("=")
                given[name] = self.arguments.get(name, default)
            case "ENV":
                pairs = (pair.partition("=") for pair in shlex.split(step.text))
                stage.environment |= {name: value for name, _, value in pairs}
            case "WORKDIR":
                stage.directory = step.text
                self._inside(stage, step.text).mkdir(parents=True, exist_ok=True)
            case "COPY":
                return self._copy(stage, step.text)
            case "RUN":
                self._shell(stage, step.text, given)
            case _:  # CMD is what the tests run
                pass
        return ""

    def _inside(self, stage: _Stage, path: str) -> Path:
        absolute = path if path.startswith("/") else f"{stage.directory}/{path}"
        return stage.root / absolute.lstrip("/")

    def _copy(self, stage: _Stage, text: str) -> str:
        """Copy files; return a digest of their names, modes and contents."""
        words = text.split()
        source_root = self.context
        if words[0].startswith("--from="):
            other = self.stages[words.pop(0).removeprefix("--from=")]
            source_root = other.root
        *sources, target = words
        to = self._inside(stage, target)
        digest = hashlib.sha256()
        for each in sources:
            source = (source_root / each.lstrip("/")).resolve()
            if source.is_file():
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, to)
                digest.update(_digest_of(source, each))
                continue
            for path in _files(source):
                name = path.relative_to(source)
                if source_root == self.context and self._is_ignored(name):
                    continue
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to / name, follow_symlinks=False)
                digest.update(_digest_of(path, str(name)))
        return digest.hexdigest()

    def _is_ignored(self, name: Path) -> bool:
        for pattern in self.ignored:
            anywhere = pattern.removeprefix("**/")
            parts = name.parts if pattern != anywhere else name.parts[:1]
            if any(Path(part).match(anywhere) for part in parts):
                return True
        return False

    def _shell(self, stage: _Stage, text: str, given: Mapping[str, str]) -> None:
        mounts = [
            dict(part.partition("=")[::2] for part in found.split(","))
            for found in _MOUNT.findall(text)
        ]
        command = _MOUNT.sub("", text)
        # Every stage has its own file system, in which paths are the same.
        own = stage.root
        stage.root = self.root / RUNNING
        own.rename(stage.root)
        try:
            self._shell_inside(stage, command, mounts, given)
        finally:
            stage.root.rename(own)
            stage.root = own

    def _shell_inside(
        self,
        stage: _Stage,
        command: str,
        mounts: Sequence[Mapping[str, str]],
        given: Mapping[str, str],
    ) -> None:
        for part, program in self.replaced.items():
            if part in command:
                command = program
        places = {}
        linked = []
        for mount in mounts:
            if mount["type"] == "cache":
                place = self.caches / mount["target"].lstrip("/")
            else:
                place = self._inside(self.stages[mount["from"]], mount["source"])
            place.mkdir(parents=True, exist_ok=True)
            places[mount["target"]] = place
            at = self._inside(stage, mount["target"])
            at.parent.mkdir(parents=True, exist_ok=True)
            at.symlink_to(place)
            linked.append(at)
        done = subprocess.run(
            ["sh", "-ec", self._led(stage, command)],
            cwd=self._inside(stage, stage.directory),
            env={
                **clean_variables(stage.root / "root"),
                "PATH": self.path,
                **given,
                **{
                    name: self._led(stage, value).replace("$PATH", self.path)
                    for name, value in stage.environment.items()
                },
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        for at in linked:
            at.unlink()
        self.log += done.stdout
        assert done.returncode == 0, f"RUN {command}\n{done.stdout}"

    def _led(self, stage: _Stage, text: str) -> str:
        """Map the absolute paths of an image to the directory of a stage."""
        return re.sub(r"(?<![\w./$])/(?=opt|var|app)", f"{stage.root}/", text)


def _files(directory: Path) -> Iterator[Path]:
    for parent, directories, files in os.walk(directory):
        directories.sort()
        links = [d for d in directories if Path(parent, d).is_symlink()]
        for name in sorted([*files, *links]):
            yield Path(parent, name)


def _digest_of(path: Path, name: str) -> bytes:
    is_link = path.is_symlink()
    content = os.fsencode(path.readlink()) if is_link else path.read_bytes()
    mode = path.lstat().st_mode
    return hashlib.sha256(f"{name}\0{mode}\0".encode() + content).digest()
