"""Compare what polylock installs with what ``pip install --no-deps`` does, by file.

Downloads the wheels of ``projects/installed-trees.txt`` from pip's default index once.
Both tools install each wheel into an environment at the same path; then polylock
uninstalls it. At the end both install all wheels, and the output of ``pip list`` and
``pip check`` is compared.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from polylock.cache.regular_files import file_digest
from polylock.environment.installed import read_installed
from polylock.environment.interpreter import probe
from polylock.environment.venv import create
from polylock.installation.execute import execute
from polylock.installation.plan import SyncRequest, WantedDistribution, plan_sync
from polylock.installation.unpack import unpack
from polylock.model.filenames import WheelFilename

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.environment.interpreter import Interpreter

LIST = Path(__file__).parent / "projects" / "installed-trees.txt"

_OURS = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "polylock.json"}
"""Files of ``.dist-info`` that tell of the installer and its command line."""

Tree = dict[str, tuple[str, str]]


def main() -> int:
    """Return 1 if anything differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path, help="where wheels and trees go")
    directory = parser.parse_args().directory.absolute()
    wheels = downloaded(directory / "wheels")
    world = World(directory)
    kinds: Counter[str] = Counter()
    different = 0
    for wheel in wheels:
        problems = world.compare(wheel, kinds)
        different += bool(problems)
        for problem in problems[:10]:
            print(f"{wheel.name}: {problem}")
    size = sum(wheel.stat().st_size for wheel in wheels) / 1e6
    print(f"{len(wheels)} wheels, {size:,.0f} MB: {different} with differences")
    print(", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    together = world.compare_lists(wheels)
    print("\n".join(together) or "pip list and pip check say the same of both")
    return 1 if different or together else 0


def downloaded(directory: Path) -> list[Path]:
    """Return the wheels, downloading those that are missing."""
    directory.mkdir(parents=True, exist_ok=True)
    have = {WheelFilename.parse(path.name).name for path in directory.glob("*.whl")}
    listed = LIST.read_text("utf-8").split()
    wanted = [text for text in listed if text.partition("==")[0] not in have]
    if wanted:
        command = ["download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        pip(*command, "--dest", str(directory), *wanted)
    return sorted(directory.glob("*.whl"))


def pip(*arguments: str, python: str | None = None) -> str:
    """Run the pip beside this Python; return what it prints."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    command += ["--python", python] if python else []
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0 and arguments[0] != "check":
        sys.exit(done.stdout + done.stderr)
    return done.stdout


class World:
    """An environment at one path that can be emptied."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root = directory / "env"
        self.empty = directory / "empty"
        for path in (self.root, self.empty, directory / "archives"):
            shutil.rmtree(path, ignore_errors=True)
        base = probe(Path(probe(Path(sys.executable)).base_executable))
        python = create(self.root, base)
        self.interpreter: Interpreter = probe(python)
        shutil.copytree(self.root, self.empty, symlinks=True)

    def compare(self, wheel: Path, kinds: Counter[str]) -> list[str]:
        """Return how two installations of a wheel differ; count its features."""
        self._clear()
        self._pip([wheel])
        theirs, their_rows = self._tree(), self._rows()
        self._clear()
        before = self._tree()
        self._polylock([wheel])
        ours, our_rows = self._tree(), self._rows()
        found = _differences(ours, theirs, kinds, self._launchers())
        found += [f"RECORD: {row}" for row in sorted(our_rows ^ their_rows)]
        self._polylock([])
        if self._tree() != before:
            found.append(f"left: {sorted(self._tree().keys() ^ before.keys())[:5]}")
        kinds["files"] += len(ours.keys() - before.keys())
        kinds["with scripts"] += any(n.startswith("bin/") for n in ours.keys() - before)
        kinds["with data outside of site-packages"] += any(
            not name.startswith(("lib", "bin/")) for name in ours.keys() - before
        )
        kinds["compiled"] += not wheel.name.endswith("-any.whl")
        kinds["over 10 MB"] += wheel.stat().st_size > 10_000_000
        shutil.rmtree(self.directory / "archives")
        return found

    def compare_lists(self, wheels: Sequence[Path]) -> list[str]:
        """Return how ``pip list`` and ``pip check`` differ with all wheels."""
        said = []
        for install in (self._pip, self._polylock):
            self._clear()
            install(wheels)
            python = self.interpreter.executable
            said.append(
                [
                    *pip("list", "--format=freeze", python=python).splitlines(),
                    *sorted(pip("check", python=python).splitlines()),
                ]
            )
        return [f"pip: {line}" for line in sorted(set(said[0]) ^ set(said[1]))]

    def _clear(self) -> None:
        shutil.rmtree(self.root)
        shutil.copytree(self.empty, self.root, symlinks=True)

    def _pip(self, wheels: Sequence[Path]) -> None:
        command = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
        pip(*command, *map(str, wheels), python=self.interpreter.executable)

    def _polylock(self, wheels: Sequence[Path]) -> None:
        locked = tuple(_wanted(wheel) for wheel in wheels)
        files = {w.sha256: wheel for w, wheel in zip(locked, wheels, strict=True)}

        def fetch(wanted: Sequence[WantedDistribution]) -> list[Path]:
            places = []
            for each in wanted:
                place = self.directory / "archives" / each.sha256
                if not place.exists():
                    place.mkdir(parents=True)
                    unpack(files[each.sha256], place, filename=each.filename)
                places.append(place)
            return places

        installed = read_installed(self.interpreter.site_directories)
        plan = plan_sync(SyncRequest(wanted=locked), installed)
        execute(plan, self.interpreter, fetch)

    def _tree(self) -> Tree:
        found: Tree = {}
        for directory, names, files in os.walk(self.root):
            for name in (*names, *files):
                path = Path(directory, name)
                key = path.relative_to(self.root).as_posix()
                if path.is_symlink():
                    found[key] = ("link", str(path.readlink()))
                elif path.is_dir():
                    found[key] = ("directory", "")
                elif name != ".polylock.lock" and not (
                    name in _OURS and directory.endswith(".dist-info")
                ):
                    mode = f"{path.stat().st_mode & 0o777:o}"
                    content = path.read_bytes()
                    found[key] = (mode, hashlib.sha256(content).hexdigest())
        return found

    def _rows(self) -> set[tuple[str, str, str]]:
        """Return the rows of RECORD, except those of files that name the installer."""
        site = Path(self.interpreter.scheme.purelib)
        (record,) = site.glob("*.dist-info/RECORD")
        launchers = self._launchers()
        with record.open(newline="", encoding="utf-8") as file:
            return {
                ("/".join(PurePosixPath(path).parts), algorithm, size)
                for path, algorithm, size in csv.reader(file)
                if Path(path).name not in _OURS
                and not (path.startswith("../") and Path(path).name in launchers)
            }

    def _launchers(self) -> set[str]:
        """Return the names of the entry points, whose text is each installer's own."""
        from importlib.metadata import distributions  # noqa: PLC0415 - for this alone

        return {
            point.name
            for found in distributions(path=[self.interpreter.scheme.purelib])
            for point in found.entry_points
            if point.group in {"console_scripts", "gui_scripts"}
        }


def _wanted(wheel: Path) -> WantedDistribution:
    parsed = WheelFilename.parse(wheel.name)
    return WantedDistribution(
        name=parsed.name,
        version=parsed.version,
        filename=wheel.name,
        sha256=file_digest(wheel),
    )


def _differences(
    ours: Tree, theirs: Tree, kinds: Counter[str], launchers: set[str]
) -> list[str]:
    """Compare two trees; of launchers only names and modes."""
    found = [f"only polylock: {name}" for name in sorted(ours.keys() - theirs.keys())]
    found += [f"only pip: {name}" for name in sorted(theirs.keys() - ours.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        mode, content = ours[name]
        is_launcher = name.startswith("bin/") and name[4:] in launchers
        kinds["launchers"] += is_launcher
        if mode != theirs[name][0]:
            found.append(f"{name}: mode {mode}, pip {theirs[name][0]}")
        elif content != theirs[name][1] and not is_launcher:
            found.append(f"{name}: other content")
    return found


if __name__ == "__main__":
    sys.exit(main())
