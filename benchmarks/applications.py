"""Lock well-known applications for eight targets each, and compare with uv.

For each application of ``projects/applications`` polylock locks four platforms with two
Pythons in one run, from an empty cache, and ``uv pip compile`` locks each of them, with
the same cutoff and without building anything. The name and version of every package of
every target must agree. The index is asked over the network.

A difference is explained if the application's file gives the reason, or if polylock
locked the package with a marker that the target does not decide, such as the patch
release of its Python. For any other difference the script exits with 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from application_list import application_names, read_application
from contestants import clean_environment, find_uv, polylock_command
from measurement import machine, markdown_table, run
from polylock.project.settings import default_index_url
from project_list import ProjectList, write_pyproject
from record import default_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from application_list import Application, Machine

__all__ = ["Outcome", "main"]

_MACOS = "14.0"
_NEWEST_PATCH = 99
"""uv takes 3.12 for 3.12.0, polylock for all of 3.12: requires-python of the newest."""

_PINNED = re.compile(r"^([a-z0-9-]+)==([^\s;\\]+)", re.MULTILINE)
_OPEN = re.compile(
    r"python_full_version|implementation_version|platform_(release|version)"
)

Pins = dict[str, str]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """The results for one application."""

    application: Application
    cold: float = 0.0
    warm: float = 0.0
    requests: int = 0
    size: int = 0
    uv_seconds: float = 0.0
    pins: dict[str, Pins] = field(default_factory=dict)
    aligned: dict[str, Pins] = field(default_factory=dict)
    explained: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def packages(self) -> int:
        """Return how many packages its largest target has."""
        return max(map(len, self.pins.values()), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory:
    """Where an application is locked, and how both tools are run."""

    directory: Path
    index_url: str
    cutoff: str
    uv: str
    environment: Mapping[str, str]

    def compare(self, application: Application) -> Outcome:
        """Lock an application with both tools."""
        outcome = Outcome(application=application)
        machines = application.machines()
        place = self.directory / application.name
        shutil.rmtree(place, ignore_errors=True)
        self._polylock(outcome, place, machines)
        if outcome.pins:
            conditions = _conditions(place / "independent" / "pylock.toml")
            for target in machines:
                self._compare_target(outcome, place, target, conditions)
        for target in application.refused():
            self._refuse(outcome, place, target)
        return outcome

    def _polylock(
        self, outcome: Outcome, place: Path, machines: Sequence[Machine]
    ) -> None:
        project = place / "independent"
        self._write(outcome.application, project, machines, align="independent")
        cold = run([self._lock(place, project)], self.environment)
        if cold.problem:
            outcome.problems.append(f"polylock: {cold.problem}")
            return
        report = json.loads(cold.output)
        outcome.cold, outcome.requests = cold.seconds, report["requests"]
        outcome.size = (project / "pylock.toml").stat().st_size
        (project / "pylock.toml").rename(project / "cold.toml")
        warm = run([[*self._lock(place, project), "--offline"]], self.environment)
        outcome.warm = warm.seconds
        if warm.problem or _differs(project / "cold.toml", project / "pylock.toml"):
            outcome.problems.append(f"polylock: another lock when warm: {warm.problem}")
        outcome.pins = self._read(place, project)
        project = place / "aligned"
        self._write(outcome.application, project, machines, align="prefer")
        aligned = run([self._lock(place, project)], self.environment)
        if aligned.problem:
            outcome.problems.append(f"polylock, aligned: {aligned.problem}")
        else:
            outcome.aligned = self._read(place, project)

    def _lock(self, place: Path, project: Path) -> list[str]:
        return [
            *polylock_command("lock", project),
            *("--index-url", self.index_url, "--json", "--quiet"),
            *("--cache-dir", str(place / "cache")),
        ]

    def _read(self, place: Path, project: Path) -> dict[str, Pins]:
        """Return the pins of each target."""
        command = [
            *polylock_command("report", project),
            *("--json", "--quiet", "--cache-dir", str(place / "cache")),
        ]
        sample = run([command], self.environment)
        if sample.problem:
            raise SystemExit(sample.problem)
        report = json.loads(sample.output)
        pins: dict[str, Pins] = {entry["name"]: {} for entry in report["targets"]}
        for entry in report["projects"]:
            for name, chosen in entry["targets"].items():
                if chosen is not None:
                    pins[name][entry["name"]] = chosen["version"]
        return pins

    def _write(
        self,
        application: Application,
        project: Path,
        machines: Sequence[Machine],
        *,
        align: str,
    ) -> None:
        targets: dict[str, Any] = {}
        for target in machines:
            table = {"platform": target.platform.polylock, "python": target.python}
            if target.platform.name == "mac":
                table["macos"] = _MACOS
            targets[target.name] = table
        tool = {
            "align": align,
            "build": "none",
            "exclude-newer": self.cutoff,
            "targets": targets,
        }
        dependencies = ProjectList(
            name=application.name, dependencies=application.dependencies, changed=""
        )
        requires_python = application.requires_python
        write_pyproject(project, dependencies, requires_python, {"polylock": tool})

    def _compile(self, place: Path, target: Machine) -> list[str]:
        return [
            *(self.uv, "pip", "compile", str(place / "independent" / "pyproject.toml")),
            *("--quiet", "--no-annotate", "--no-header", "--no-build"),
            *("--default-index", self.index_url, "--exclude-newer", self.cutoff),
            *("--python-platform", target.platform.uv, "--python", sys.executable),
            *("--python-version", f"{target.python}.{_NEWEST_PATCH}"),
            *("--cache-dir", str(place / "uv-cache")),
        ]

    def _compare_target(
        self,
        outcome: Outcome,
        place: Path,
        target: Machine,
        conditions: Mapping[tuple[str, str], str],
    ) -> None:
        sample = run([self._compile(place, target)], self.environment)
        outcome.uv_seconds += sample.seconds
        if sample.problem:
            outcome.problems.append(f"{target.name}: uv: {sample.problem}")
            return
        theirs: Pins = dict(_PINNED.findall(sample.output))
        ours = outcome.pins[target.name]
        for name in sorted(ours.keys() | theirs.keys()):
            mine, other = ours.get(name), theirs.get(name)
            if mine == other:
                continue
            difference = f"{target.name}: {name} {mine or '-'}, uv {other or '-'}"
            condition = conditions.get((name, mine or ""), "")
            if name in outcome.application.differences:
                reason = outcome.application.differences[name]
            elif other is None and _OPEN.search(condition):
                reason = f"locked under the condition {condition}"
            else:
                outcome.problems.append(difference)
                continue
            outcome.explained[difference] = reason

    def _refuse(self, outcome: Outcome, place: Path, target: Machine) -> None:
        """Check that neither tool locks for a platform that has no solution."""
        application = outcome.application
        project = place / target.name
        self._write(application, project, [target], align="independent")
        if not run([self._lock(place, project)], self.environment).problem:
            outcome.problems.append(f"{target.name}: polylock has a solution")
        if not run([self._compile(place, target)], self.environment).problem:
            outcome.problems.append(f"{target.name}: uv has a solution")


def _differs(first: Path, second: Path) -> bool:
    return not second.is_file() or first.read_bytes() != second.read_bytes()


def _conditions(lock_file: Path) -> dict[tuple[str, str], str]:
    """Return the markers of the locked packages."""
    document = tomllib.loads(lock_file.read_text(encoding="utf-8"))
    return {
        (package["name"], package.get("version", "")): package.get("marker", "")
        for package in document["packages"]
    }


def divergences(pins: Mapping[str, Pins]) -> tuple[int, int]:
    """Count the projects with several versions, and those that some targets lack."""
    names = Counter(name for chosen in pins.values() for name in chosen)
    several = sum(
        len({chosen[name] for chosen in pins.values() if name in chosen}) > 1
        for name in names
    )
    return several, sum(count < len(pins) for count in names.values())


def _rows(outcomes: Sequence[Outcome]) -> Iterator[list[str]]:
    for outcome in outcomes:
        application = outcome.application
        several, some = divergences(outcome.pins)
        yield [
            f"{application.name} ({application.kind})",
            " ".join(application.pythons),
            str(outcome.packages),
            str(len(outcome.pins)),
            f"{outcome.cold:.1f}",
            f"{outcome.warm:.2f}",
            f"{outcome.uv_seconds:.1f}",
            str(outcome.requests),
            f"{several} / {divergences(outcome.aligned)[0]}",
            str(some),
            f"{len(outcome.explained)} + {len(outcome.problems)}"
            if outcome.explained or outcome.problems
            else "none",
        ]


_HEADER = (
    *(
        "application",
        "Python",
        "packages",
        "targets",
        "cold, s",
        "warm, s",
        "n x uv, s",
    ),
    *("requests", "versions diverge", "some targets", "differs from uv"),
)


def _print(outcomes: Sequence[Outcome]) -> None:
    print(markdown_table(_HEADER, _rows(outcomes)))
    for outcome in outcomes:
        name = outcome.application.name
        for platform, reason in outcome.application.impossible.items():
            print(f"\n{name}, {platform}: no solution for either: {reason}")
        for difference, reason in outcome.explained.items():
            print(f"\n{name}, {difference}: {reason}")
        for problem in outcome.problems:
            print(f"\n{name}, UNEXPLAINED: {problem}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="applications; all if none is named")
    parser.add_argument("--directory", type=Path, default=None)
    parser.add_argument("--index-url", default=None)
    parser.add_argument("--exclude-newer", default="2026-11-15T00:00:00Z")
    parser.add_argument("--markdown", action="store_true", help="name the machine too")
    options = parser.parse_args(arguments)
    uv = find_uv()
    if uv is None:
        raise SystemExit("uv is not installed: pip install --group bench")
    directory = options.directory or default_directory()
    laboratory = Laboratory(
        directory=directory / "applications",
        index_url=options.index_url or default_index_url(),
        cutoff=options.exclude_newer,
        uv=uv,
        environment={
            **clean_environment(directory / "home"),
            **_proxies(),
            "MACOSX_DEPLOYMENT_TARGET": _MACOS,
        },
    )
    outcomes = []
    for name in options.names or application_names():
        outcomes.append(laboratory.compare(read_application(name)))
        print(f"{name}: {outcomes[-1].packages} packages", file=sys.stderr, flush=True)
    _print(outcomes)
    if options.markdown:
        print(f"\nMachine: {machine()}.")
    return 1 if any(outcome.problems for outcome in outcomes) else 0


def _proxies() -> dict[str, str]:
    """Return this machine's proxies, because the index is asked over the network."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy")
    }


if __name__ == "__main__":
    sys.exit(main())
