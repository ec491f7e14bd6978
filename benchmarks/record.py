"""Record what the benchmarks need from an index, once.

Each tool locks and syncs through a loopback index that fetches what it does not have
yet. This is repeated until a round asks for nothing new, because a tool that prefetches
may ask for other files each time.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from aside import Aside
from contestants import Race, Scenario, clean_environment, clear, contestants
from frozen_index import FrozenIndex, Recorder
from measurement import run
from polylock.network.client import Client
from polylock.project.settings import default_index_url
from project_list import DEFAULT_PROJECT, ProjectList, read_project, read_targets
from sync_project import SyncProject

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["default_directory", "main", "record"]

_ROUNDS = 5


def default_directory() -> Path:
    """Return the directory of recordings, in the user's cache directory."""
    import platformdirs  # noqa: PLC0415 - not needed where --directory is given

    return platformdirs.user_cache_path("polylock-benchmarks", appauthor=False)


def record(
    directory: Path,
    project: ProjectList,
    *,
    index_url: str,
    counts: Sequence[int] = (1, 2, 8),
    wheels: bool = True,
) -> int:
    """Record a project list; return the number of rounds that it took.

    ``counts`` are the numbers of targets to lock for. ``wheels`` says whether to record
    the wheels for the sync benchmark too.
    """
    place = directory / project.name / "index"
    environment = clean_environment(directory / "home")
    work = directory / "work"
    rounds, before, now = 0, -1, 0
    with Client() as client:
        recorder = Recorder(place, index_url, client)
        with FrozenIndex(place, recorder) as index:
            while before < now and rounds < _ROUNDS:
                rounds += 1
                before = now
                for count in counts:
                    _lock(project, count, index, environment, work)
                now = _count(place)
                print(f"round {rounds}: {now} files", flush=True)
            if wheels:
                _wheels(project, index, environment, work)
        recorder.finish()
    return rounds


def _lock(
    project: ProjectList,
    count: int,
    index: FrozenIndex,
    environment: dict[str, str],
    work: Path,
) -> None:
    race = Race(
        project=project,
        targets=read_targets(count),
        index_url=index.url,
        directory=work / f"{project.name}-{count}",
    )
    scenarios = (Scenario.COLD, Scenario.WARM, Scenario.UNCHANGED)
    with Aside(work) as aside:
        for contestant in contestants(race):
            for scenario in scenarios:
                # A tool may ask for other files where its cache answers part of it.
                clear(contestant, scenario, aside)
                commands = contestant.commands(scenario)
                if commands is not None:
                    sample = run(commands, environment)
                    outcome = sample.problem or f"{sample.seconds:.1f} s"
                    label = f"{count} targets, {scenario}, {contestant.name}"
                    print(f"  {label}: {outcome}")


def _wheels(
    project: ProjectList, index: FrozenIndex, environment: dict[str, str], work: Path
) -> None:
    sync = SyncProject(project, index.url, work / f"{project.name}-sync", environment)
    for path in sync.lock():
        for package in tomllib.loads(path.read_text(encoding="utf-8"))["packages"]:
            for wheel in package["wheels"]:
                with urlopen(wheel["url"]) as answer:  # noqa: S310 - our own index
                    while answer.read(1 << 20):
                        pass


def _count(directory: Path) -> int:
    return sum(1 for path in directory.rglob("*") if path.is_file())


def main(arguments: list[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--project", default=DEFAULT_PROJECT, help="small, medium, or a path"
    )
    parser.add_argument("--directory", type=Path, help="where recordings are kept")
    parser.add_argument("--index-url", help="default: the default index of pip")
    parser.add_argument("--no-wheels", action="store_true", help="for lock.py alone")
    options = parser.parse_args(arguments)
    record(
        options.directory or default_directory(),
        read_project(options.project),
        index_url=options.index_url or default_index_url(),
        wheels=not options.no_wheels,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
