"""Compare installing: polylock and uv in turn, from the same lock file.

A bare loop of ``os.link`` over the same files, in this process, is the lower bound: no
installer that links can be faster.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aside import Aside
from contestants import (
    MODULE,
    clean_environment,
    find_program,
    find_uv,
    polylock_command,
)
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
from project_list import read_project
from record import default_directory
from script_options import make_parser
from sync_project import SyncProject

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from project_list import ProjectList

__all__ = ["Installation", "Plan", "main", "measure"]

Times = dict[str, dict[str, Series]]

COLD = "cold, from loopback"
WARM = "warm, empty environment"
UNCHANGED = "no-op"
AGAIN = "no-op, again"
CHANGED = "one changed package"
LOOP = "os.link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """A tool with its own environment and cache.

    ``program`` is how polylock is started; ``uv`` ignores it.
    """

    name: str
    work: Path
    aside: Aside
    program: tuple[str, ...] = MODULE
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
        """Return the command that syncs the environment with the lock file."""
        if self.uv is None:
            return [
                *polylock_command("sync", lock_file.parent, self.program),
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
        """Recreate the environment, empty."""
        self.aside.put(self.venv)
        command = [sys.executable, "-m", "venv", "--without-pip", str(self.venv)]
        subprocess.run(command, check=True)


@dataclass(slots=True, kw_only=True)
class Installation:
    """What was measured: times by scenario and tool, and what was installed."""

    times: Times = field(default_factory=dict)
    packages: int = 0
    files: int = 0
    size: int = 0

    def add(self, scenario: str, name: str, sample: Sample) -> None:
        """Add one run of a tool."""
        series = self.times.setdefault(scenario, {})
        series.setdefault(name, Series()).samples.append(sample)

    @property
    def problems(self) -> list[str]:
        """Return the problems, one per line."""
        return [
            f"{scenario}, {name}: {series.problem}"
            for scenario, by_name in self.times.items()
            for name, series in by_name.items()
            if series.problem
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, and where: ``directory`` holds the recording."""

    directory: Path
    project: ProjectList
    runs: int
    program: tuple[str, ...] = MODULE

    @property
    def work(self) -> Path:
        """Return where environments, caches and lock files are."""
        return self.directory / "work" / f"{self.project.name}-sync"


def measure(plan: Plan) -> Installation:
    """Measure every scenario as often as the plan says."""
    environment = clean_environment(plan.directory / "home")
    place = plan.directory / plan.project.name / "index"
    if not place.is_dir():
        raise SystemExit(f"nothing is recorded in {place}: run benchmarks/record.py")
    with FrozenIndex(place) as index, Aside(plan.work) as aside:
        locks = SyncProject(plan.project, index.url, plan.work, environment).lock()
        found = Installation()
        for number in range(plan.runs):
            _round(plan, locks, environment, aside, found)
            print(f"run {number + 1} of {plan.runs}", file=sys.stderr)
    return found


def _round(
    plan: Plan,
    locks: tuple[Path, Path],
    environment: dict[str, str],
    aside: Aside,
    found: Installation,
) -> None:
    """Run every scenario once, the tools in turn, and keep the results."""
    uv = find_uv()
    ours = Installer(name="polylock", work=plan.work, aside=aside, program=plan.program)
    installers = [ours]
    if uv is not None:
        installers.append(Installer(name="uv", work=plan.work, aside=aside, uv=uv))
    for scenario in (COLD, WARM, UNCHANGED, AGAIN, CHANGED):
        for installer in installers:
            sample = _run(installer, scenario, locks, environment)
            found.add(scenario, installer.name, sample)
        if scenario == WARM:
            contents = _files(ours.venv)
            found.packages = sum(map(_is_record, contents))
            found.files = len(contents)
            found.size = sum(path.stat().st_size for path in contents)
            loop = plan.work / "loop"
            aside.put(loop)
            found.add(WARM, LOOP, _bare_loop(contents, ours.venv, loop))


def _run(
    installer: Installer,
    scenario: str,
    locks: tuple[Path, Path],
    environment: dict[str, str],
) -> Sample:
    first, second = locks
    if scenario == COLD:
        installer.aside.put(installer.cache)
    if scenario in {COLD, WARM}:
        installer.empty()
    if scenario == CHANGED:
        # Both versions are in the cache: what is measured is the exchange.
        for lock_file in (second, first):
            run([installer.command(lock_file)], environment)
        first = second
    if scenario == AGAIN:
        run([installer.command(first)], environment)
    _settle()
    return run([installer.command(first)], environment)


def _settle() -> None:
    """Sync the disk, so that no tool pays for another tool's writes."""
    if hasattr(os, "sync"):
        os.sync()


def _files(venv: Path) -> list[Path]:
    """Return the files that an installer installed."""
    packages = [path for path in venv.rglob("site-packages") if path.is_dir()]
    return [
        path
        for directory in packages
        for path in directory.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]


def _is_record(path: Path) -> bool:
    """Return True if a file is a package's RECORD, not that of a vendored package."""
    return path.name == "RECORD" and path.parents[1].name == "site-packages"


def _bare_loop(contents: Sequence[Path], venv: Path, target: Path) -> Sample:
    """Link the files of an environment into an empty directory."""
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
    """Run the script; 1 if a run failed."""
    parser = make_parser(__doc__)
    options = parser.parse_args(arguments)
    project = read_project(options.project)
    installation = measure(
        Plan(
            directory=options.directory or default_directory(),
            project=project,
            runs=options.runs,
            program=find_program(script=options.script),
        )
    )
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
