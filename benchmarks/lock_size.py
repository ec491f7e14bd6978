"""Print how large a lock file is, and how much of it a small change changes.

Some applications of ``projects/applications`` are locked together for eight targets.
Then, each time starting from that lock file, a package is added, a package is upgraded,
and a target is added. Lines are counted as ``git diff`` does. The index is asked over
the network.
"""

from __future__ import annotations

import argparse
import difflib
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from application_list import PLATFORMS, read_application
from contestants import clean_environment, polylock_command
from measurement import markdown_table, run
from polylock.project.settings import default_index_url
from project_list import ProjectList, write_pyproject
from record import default_directory

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["changed_lines", "main"]

_PYTHONS = ("3.11", "3.12")
_CUTOFF = "2026-11-15T00:00:00Z"


def changed_lines(before: str, after: str) -> tuple[int, int]:
    """Return how many lines were added and how many removed."""
    lines = list(
        difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    )[2:]
    added = sum(line.startswith("+") for line in lines)
    return added, sum(line.startswith("-") for line in lines)


class Trial:
    """A project that is locked several times in one directory."""

    def __init__(self, directory: Path, dependencies: Sequence[str]) -> None:
        self._directory = directory
        self._environment = clean_environment(directory / "home")
        self.dependencies = list(dependencies)
        self.targets: dict[str, Any] = {
            f"{platform.name}-py{python.replace('.', '')}": {
                "platform": platform.polylock,
                "python": python,
                **({"macos": "14.0"} if platform.name == "mac" else {}),
            }
            for platform in PLATFORMS
            for python in _PYTHONS
        }

    def lock(self, *options: str, start: str | None = None) -> tuple[str, int]:
        """Lock again from a lock file; return the new one and its package count."""
        project = self._directory / "project"
        lock_file = project / "pylock.toml"
        tool = {"build": "none", "exclude-newer": _CUTOFF, "targets": self.targets}
        wanted = ProjectList(
            name="size", dependencies=tuple(self.dependencies), changed=""
        )
        write_pyproject(project, wanted, f">={_PYTHONS[0]}", {"polylock": tool})
        lock_file.unlink(missing_ok=True)
        if start is not None:
            lock_file.write_text(start, encoding="utf-8", newline="\n")
        command = [
            *polylock_command("lock", project),
            *("--index-url", default_index_url(), "--json", "--quiet"),
            *("--cache-dir", str(self._directory / "cache"), *options),
        ]
        sample = run([command], self._environment)
        if sample.problem:
            raise SystemExit(sample.problem)
        packages: int = json.loads(sample.output)["packages"]
        return lock_file.read_text(encoding="utf-8"), packages


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", default=["open-webui", "jupyterlab"])
    parser.add_argument("--directory", type=Path, default=None)
    parser.add_argument("--add", default="cowsay", help="the package to add")
    parser.add_argument("--change", default="idna==3.19", help="NAME==V to change")
    options = parser.parse_args(arguments)
    directory = (options.directory or default_directory()) / "lock-size"
    shutil.rmtree(directory / "project", ignore_errors=True)
    wanted = [d for name in options.names for d in read_application(name).dependencies]
    trial = Trial(directory, wanted)
    first, packages = trial.lock()
    rows = [["the lock", str(packages), str(len(first.splitlines())), "-", "-"]]
    rows[0][1] += f", {len(first.encode()) / 1e6:.2f} MB"

    def change(what: str, *further: str) -> None:
        text, number = trial.lock(*further, start=first)
        added, removed = changed_lines(first, text)
        count = len(text.splitlines())
        rows.append([what, str(number), str(count), f"+{added}", f"-{removed}"])

    change(f"--upgrade-package {options.change}", "--upgrade-package", options.change)
    trial.dependencies.append(options.add)
    change(f"{options.add} added")
    trial.dependencies.pop()
    trial.targets["h100"] = {
        "platform": "linux-x86_64",
        "python": "3.12",
        "cpu": "x86-64-v4",
        "nvidia": {"driver": "13.0", "compute": ["9.0"]},
    }
    change("a target added")
    print(markdown_table(("change", "packages", "lines", "added", "removed"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
