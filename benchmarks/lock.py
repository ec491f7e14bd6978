"""Compare locking: polylock, uv and nab in turn, on one recorded index.

Every run is a new process (for ``uv pip compile`` one per target), started when the one
before has ended. A round runs all scenarios; the tools take turns in each.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aside import Aside
from contestants import (
    MODULE,
    Race,
    Scenario,
    clean_environment,
    clear,
    contestants,
    find_program,
)
from frozen_index import FrozenIndex, Tally
from measurement import Series, machine, markdown_table, milliseconds, ratio, run
from project_list import read_project, read_targets
from record import default_directory
from script_options import make_parser

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from contestants import Contestant
    from project_list import ProjectList

__all__ = ["Comparison", "compare", "main"]

_TOOLS = ("polylock", "uv lock", "uv pip compile", "nab")  # in the order of the columns


@dataclass(slots=True)
class Comparison:
    """The results for one number of targets."""

    targets: int
    series: dict[Scenario, dict[str, Series]] = field(default_factory=dict)
    tallies: dict[Scenario, dict[str, Tally]] = field(default_factory=dict)

    def median(self, scenario: Scenario, name: str) -> float | None:
        """Return a median in seconds, None where there is none."""
        series = self.series.get(scenario, {}).get(name)
        return series.median if series else None

    def polylock_report(self, scenario: Scenario) -> dict[str, Any]:
        """Return the document of ``lock --json`` of the last run."""
        series = self.series.get(scenario, {}).get("polylock")
        if series is None or not series.output:
            return {}
        document: dict[str, Any] = json.loads(series.output)
        return document

    @property
    def problems(self) -> Iterator[str]:
        """Return the problems, one per line."""
        for scenario, by_name in self.series.items():
            for name, series in by_name.items():
                if series.problem:
                    label = f"{self.targets} targets, {scenario}, {name}"
                    yield f"{label}: {series.problem}"
        for scenario, tallies in self.tallies.items():
            for name, tally in tallies.items():
                if tally.missing:
                    paths = ", ".join(sorted(set(tally.missing))[:3])
                    yield (
                        f"{self.targets} targets, {scenario}, {name}: not recorded: "
                        f"{paths} ({len(tally.missing)} in all)"
                    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, and where."""

    directory: Path
    project: ProjectList
    runs: int
    program: tuple[str, ...] = MODULE
    scenarios: tuple[Scenario, ...] = tuple(Scenario)


def compare(plan: Plan, counts: Sequence[int]) -> list[Comparison]:
    """Measure every scenario for every number of targets."""
    environment = clean_environment(plan.directory / "home")
    place = plan.directory / plan.project.name / "index"
    if not place.is_dir():
        raise SystemExit(f"nothing is recorded in {place}: run benchmarks/record.py")
    with FrozenIndex(place) as index, Aside(plan.directory / "work") as aside:
        runner = _Runner(environment=environment, aside=aside)
        return [_compare(plan, count, index, runner) for count in counts]


def _compare(plan: Plan, count: int, index: FrozenIndex, runner: _Runner) -> Comparison:
    race = Race(
        project=plan.project,
        targets=read_targets(count),
        index_url=index.url,
        directory=plan.directory / "work" / f"{plan.project.name}-{count}",
        program=plan.program,
    )
    competing = contestants(race)
    comparison = Comparison(targets=count)
    for contestant in competing:  # once before it counts: bytecode, the disk's cache
        runner.run(contestant, Scenario.COLD, index)
    for number in range(plan.runs):
        # The cold runs come first in each round, so pages are fresh in the others.
        for scenario in plan.scenarios:
            for contestant in competing:
                series = runner.run(contestant, scenario, index)
                if series is None:
                    continue
                by_name = comparison.series.setdefault(scenario, {})
                by_name.setdefault(contestant.name, Series()).samples += series.samples
                tallies = comparison.tallies.setdefault(scenario, {})
                tallies[contestant.name] = index.take_tally()
        print(f"{count} targets, run {number + 1} of {plan.runs}", file=sys.stderr)
    return comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runner:
    """Runs a contestant in a scenario, after preparing its state."""

    environment: dict[str, str]
    aside: Aside

    def run(
        self, contestant: Contestant, scenario: Scenario, index: FrozenIndex
    ) -> Series | None:
        """Return the one run that counts, and leave its requests in the index."""
        commands = contestant.commands(scenario)
        if commands is None:
            return None
        clear(contestant, scenario, self.aside)
        if scenario.is_repeated:
            run(commands, self.environment)
        index.take_tally()
        return Series([run(commands, self.environment)])


def _named(targets: int) -> str:
    return "1 target, " if targets == 1 else f"{targets} targets,"


def times_table(comparisons: Sequence[Comparison]) -> str:
    """Return the medians in milliseconds, and polylock's time over each other's."""
    rows = []
    for comparison in comparisons:
        for scenario in comparison.series:
            medians = [comparison.median(scenario, name) for name in _TOOLS]
            ratios = [ratio(medians[0], theirs) for theirs in medians[1:]]
            label = f"{_named(comparison.targets)} {scenario}"
            rows.append([label, *map(milliseconds, medians), *ratios])
    header = ["ms", *_TOOLS, *(f"/ {name}" for name in _TOOLS[1:])]
    return markdown_table(header, rows)


def counts_table(comparisons: Sequence[Comparison]) -> str:
    """Return the requests of each tool, and the work of polylock's solver."""
    rows = []
    for comparison in comparisons:
        for scenario, tallies in comparison.tallies.items():
            report = comparison.polylock_report(scenario)
            efforts = report.get("targets", [])
            searches = [
                str(sum(effort[key] for effort in efforts))
                if not scenario.is_check
                else "-"
                for key in ("rounds", "expanded", "rejected")
            ]
            rows.append(
                [
                    f"{_named(comparison.targets)} {scenario}",
                    *(_asked(tallies.get(name)) for name in _TOOLS),
                    *searches,
                ]
            )
    header = [
        "requests (MB)",
        *_TOOLS,
        "rounds",
        "versions expanded",
        "rejected",
    ]
    return markdown_table(header, rows)


def further_target(comparisons: Sequence[Comparison]) -> str | None:
    """Return the cost of one more target relative to the first, warm and offline."""
    by_count = {comparison.targets: comparison for comparison in comparisons}
    most = max(by_count)
    first = by_count[1].median(Scenario.OFFLINE, "polylock") if 1 in by_count else None
    last = by_count[most].median(Scenario.OFFLINE, "polylock")
    if first is None or last is None or most == 1:
        return None
    further = (last - first) / (most - 1)
    return (
        f"A further target costs {further * 1000:.0f} ms, warm and offline: "
        f"{further / first:.2f} of the first."
    )


def _asked(tally: Tally | None) -> str:
    if tally is None:
        return "-"
    return f"{tally.requests} ({tally.sent / 1e6:.1f})" if tally.requests else "0"


def document(plan: Plan, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Return all times, in seconds, for --json."""
    return {
        "machine": machine(),
        "project": plan.project.name,
        "comparisons": [
            {
                "targets": comparison.targets,
                "scenario": str(scenario),
                "tool": name,
                "seconds": [sample.seconds for sample in series.samples],
                "problem": series.problem,
                "requests": comparison.tallies[scenario][name].requests,
                "sent": comparison.tallies[scenario][name].sent,
            }
            for comparison in comparisons
            for scenario, by_name in comparison.series.items()
            for name, series in by_name.items()
        ],
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the script; 1 if a run failed or asked for something not recorded."""
    parser = make_parser(__doc__)
    parser.add_argument("--targets", default="1,2,8", help="default: 1,2,8")
    options = parser.parse_args(arguments)
    plan = Plan(
        directory=options.directory or default_directory(),
        project=read_project(options.project),
        runs=options.runs,
        program=find_program(script=options.script),
    )
    counts = [int(text) for text in options.targets.split(",")]
    comparisons = compare(plan, counts)
    if options.markdown:
        print(f"Project list `{plan.project.name}`, median of {plan.runs} runs.")
        print(f"Machine: {machine()}.\n")
    print(times_table(comparisons), "", counts_table(comparisons), sep="\n")
    further = further_target(comparisons)
    if further is not None:
        print("", further, sep="\n")
    problems = [line for comparison in comparisons for line in comparison.problems]
    for line in problems:
        print(line, file=sys.stderr)
    if options.json is not None:
        text = json.dumps(document(plan, comparisons), indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
