"""Compare installing: polylock and uv in turn, from the same lock file.

Beside them stands a bare loop of ``os.link`` over the same files, in this process: no
installer that links can be faster than that.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contestants import clean_environment, find_uv, polylock_command
from frozen_index import FrozenIndex
from measurement import (
    Sample,
    Series,
    machine,
    markdown_table,
    milliseconds,
    ratio,
    run,
)
from project_list import DEFAULT_PROJECT, read_project
from record import default_directory
from sync_project import SyncProject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from project_list import ProjectList

__all__ = ["Installation", "main", "measure"]

Times = dict[str, dict[str, Series]]

COLD = "cold, from loopback"
WARM = "warm, empty environment"
UNCHANGED = "no-op"
CHANGED = "one changed package"
LOOP = "os.link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """A tool with an environment and a cache of its own."""

    name: str
    work: Path
    uv: str | None = None

    @property
    def venv(self) -> Path:
        """Return its environment."""
        return self.work / f"{self.name}-venv"

    @property
    def cache(self) -> Path:
        """Return its cache."""
        return self.work / f"{self.name}-cache"

    def command(self, lock_file: Path) -> list[str]:
        """Return the process that makes the environment what the lock file says."""
        if self.uv is None:
            return [
                *polylock_command("sync", lock_file.parent),
                *("--target", "here", "--venv", str(self.venv)),
                *("--cache-dir", str(self.cache), "--json"),
                *("--link-mode", "hardlink"),
            ]
        python = self.venv / ("Scripts" if os.name == "nt" else "bin") / "python"
        return [
            *(self.uv, "pip", "sync", str(lock_file), "--quiet"),
            *("--python", str(python), "--cache-dir", str(self.cache)),
            *("--link-mode", "hardlink", "--preview-features", "pylock"),
        ]

    def empty(self) -> None:
        """Make the environment anew, with nothing in it."""
        shutil.rmtree(self.venv, ignore_errors=True)
        command = [sys.executable, "-m", "venv", "--without-pip", str(self.venv)]
        subprocess.run(command, check=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What was measured: times by scenario and tool, and what was installed."""

    times: Times
    packages: int
    files: int
    size: int

    @property
    def problems(self) -> list[str]:
        """Return what went wrong, a line each."""
        return [
            f"{scenario}, {name}: {series.problem}"
            for scenario, by_name in self.times.items()
            for name, series in by_name.items()
            if series.problem
        ]


def measure(directory: Path, project: ProjectList, runs: int) -> Installation:
    """Measure every scenario ``runs`` times; ``directory`` holds the recording."""
    environment = clean_environment(directory / "home")
    work = directory / "work" / f"{project.name}-sync"
    uv = find_uv()
    installers = [Installer(name="polylock", work=work)]
    if uv is not None:
        installers.append(Installer(name="uv", work=work, uv=uv))
    place = directory / project.name / "index"
    if not place.is_dir():
        raise SystemExit(f"nothing is recorded in {place}: run benchmarks/record.py")
    times: Times = {}
    contents: list[Path] = []
    packages = size = 0
    with FrozenIndex(place) as index:
        locks = SyncProject(project, index.url, work, environment).lock()
        for number in range(runs):
            for scenario in (COLD, WARM, UNCHANGED, CHANGED):
                for installer in installers:
                    sample = _run(installer, scenario, locks, environment)
                    series = times.setdefault(scenario, {})
                    series.setdefault(installer.name, Series()).samples.append(sample)
                if scenario == WARM:
                    contents = _files(installers[0].venv)
                    packages = sum(map(_is_record, contents))
                    size = sum(path.stat().st_size for path in contents)
                    loop = _bare_loop(contents, installers[0].venv, work / "loop")
                    times[WARM].setdefault(LOOP, Series()).samples.append(loop)
            print(f"run {number + 1} of {runs}", file=sys.stderr)
    return Installation(times=times, packages=packages, files=len(contents), size=size)


def _run(
    installer: Installer,
    scenario: str,
    locks: tuple[Path, Path],
    environment: dict[str, str],
) -> Sample:
    first, second = locks
    if scenario == COLD:
        shutil.rmtree(installer.cache, ignore_errors=True)
    if scenario in {COLD, WARM}:
        installer.empty()
    if scenario == CHANGED:
        # Both versions are in the cache: what is measured is the exchange.
        for lock_file in (second, first):
            run([installer.command(lock_file)], environment)
        first = second
    _settle()
    return run([installer.command(first)], environment)


def _settle() -> None:
    """Let the disk finish, so that nobody pays for what another tool wrote."""
    if hasattr(os, "sync"):
        os.sync()


def _files(venv: Path) -> list[Path]:
    """Return the files that an installer put there."""
    packages = [path for path in venv.rglob("site-packages") if path.is_dir()]
    return [
        path
        for directory in packages
        for path in directory.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]


def _is_record(path: Path) -> bool:
    """Say whether a file is a package's RECORD, not one of a vendored package."""
    return path.name == "RECORD" and path.parents[1].name == "site-packages"


def _bare_loop(contents: Sequence[Path], venv: Path, target: Path) -> Sample:
    """Link the files of an environment into an empty directory."""
    shutil.rmtree(target, ignore_errors=True)
    _settle()
    before = len(str(venv))
    pairs = [(str(path), f"{target}{str(path)[before:]}") for path in contents]
    directories = sorted({pair[1].rpartition(os.sep)[0] for pair in pairs})
    started = time.perf_counter()
    for directory in directories:
        os.makedirs(directory, exist_ok=True)  # noqa: PTH103 - pathlib's cost is not the loop's
    for source, linked in pairs:
        os.link(source, linked)  # as above
    return Sample(seconds=time.perf_counter() - started)


def table(installation: Installation) -> str:
    """Return the medians in milliseconds and the ratios."""
    rows = []
    for scenario, by_name in installation.times.items():
        medians = {name: series.median for name, series in by_name.items()}
        ours = medians.get("polylock")
        names = ("polylock", "uv", LOOP)
        rows.append(
            [
                scenario,
                *(milliseconds(medians.get(name)) for name in names),
                ratio(ours, medians.get("uv")),
                ratio(ours, medians.get(LOOP)),
            ]
        )
    header = ["ms", "polylock sync", "uv pip sync", LOOP, "/ uv", f"/ {LOOP}"]
    return markdown_table(header, rows)


def document(installation: Installation) -> dict[str, Any]:
    """Return all times, in seconds, for --json."""
    return {
        "machine": machine(),
        "packages": installation.packages,
        "files": installation.files,
        "bytes": installation.size,
        "times": {
            scenario: {
                name: [sample.seconds for sample in series.samples]
                for name, series in by_name.items()
            }
            for scenario, by_name in installation.times.items()
        },
        "problems": installation.problems,
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the script; 1 where a run failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--project", default=DEFAULT_PROJECT, help="small, medium, or a path"
    )
    parser.add_argument("--directory", type=Path, help="where the recording is")
    parser.add_argument("--runs", type=int, default=5, help="default: 5")
    parser.add_argument("--json", type=Path, help="write all times to this file")
    parser.add_argument(
        "--markdown", action="store_true", help="print headings, for docs/benchmarks.md"
    )
    options = parser.parse_args(arguments)
    project = read_project(options.project)
    directory = options.directory or default_directory()
    installation = measure(directory, project, options.runs)
    if options.markdown:
        print(f"Project list `{project.name}`, median of {options.runs} runs.")
        print(f"Machine: {machine()}.\n")
    print(table(installation))
    print(
        f"\n{installation.packages} packages, {installation.files:,} files, "
        f"{installation.size / 1e6:,.0f} MB.",
    )
    for line in installation.problems:
        print(line, file=sys.stderr)
    if options.json is not None:
        text = json.dumps(document(installation), indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 1 if installation.problems else 0


if __name__ == "__main__":
    sys.exit(main())
