"""A project in a separate directory, locked and synced through the operations."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # stubs lie in another package

from fakes.pythons import know_this_python, sites_of, this_python
from fakes.variant_data import DATA
from polylock.environment.discovery import environment_python
from polylock.environment.installed import read_installed
from polylock.lockfile.read import read_pylock
from polylock.operations.lock.lock import LockOutcome, lock
from polylock.operations.lock.request import LockRequest
from polylock.operations.machine import python_release, this_machine
from polylock.operations.sync.sync import SyncOptions, SyncOutcome, sync
from polylock.ports import SilentReporter
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from polylock.environment.installed import InstalledDistribution
    from polylock.lockfile.pylock import Pylock

__all__ = ["Project", "Spy", "follows_pep_825", "this_target"]


class Spy(SilentReporter):
    """A Reporter that records warnings and notes."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.notes: list[str] = []

    def noting(self, message: str) -> None:
        """Keep the note."""
        self.notes.append(message)

    def warning(self, message: str) -> None:
        """Keep the warning."""
        self.warnings.append(message)


@dataclass(kw_only=True)
class Project:
    """A project under ``directory`` that uses one index and its own cache."""

    directory: Path
    index_url: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def write(self, text: str) -> None:
        """Write the project file."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "pyproject.toml").write_text(text, "utf-8")

    @property
    def lock_path(self) -> Path:
        """Return the path of the lock file."""
        return self.directory / "pylock.toml"

    @property
    def pylock(self) -> Pylock:
        """Return the lock file, decoded."""
        return read_pylock(self.lock_path.read_bytes(), str(self.lock_path))

    def with_settings(self, **changes: Any) -> Settings:  # noqa: ANN401 - any setting
        """Return the settings of this project with some changed."""
        values = {
            "cache_dir": self.directory.parent / "cache",
            "project": self.directory,
            "index_url": self.index_url,
            **self.settings,
            **changes,
        }
        if not values["cache_dir"].exists():
            know_this_python(values["cache_dir"])
        return Settings(**values)

    def lock(
        self,
        request: LockRequest | None = None,
        **changes: Any,  # noqa: ANN401 - as above
    ) -> LockOutcome:
        """Lock the project."""
        wanted = request or LockRequest()
        outcome = lock(self.with_settings(**changes), wanted, SilentReporter())
        follows_pep_825(outcome.pylock)
        return outcome

    def sync(
        self,
        options: SyncOptions | None = None,
        **changes: Any,  # noqa: ANN401 - as above
    ) -> SyncOutcome:
        """Sync the project's environment."""
        wanted = options or SyncOptions(search_path=os.environ.get("PATH", ""))
        return sync(self.with_settings(**changes), wanted, SilentReporter())

    def run(self, program: str) -> str:
        """Run a program with the environment's Python; return what it prints."""
        python = environment_python(self.directory / ".venv")
        done = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def installed(self) -> dict[str, InstalledDistribution]:
        """Return what the environment has, by name, each name once."""
        found = read_installed(sites_of(self.directory / ".venv"))
        by_name: dict[str, InstalledDistribution] = {each.name: each for each in found}
        assert len(by_name) == len(found)
        return by_name


def this_target() -> str:
    """Return a target that the Python of the tests can be synced for."""
    release = python_release(this_python())
    description = this_machine().describe(release)
    libc = f'libc = "{description.libc}"\n' if description.libc else ""
    return (
        f'[tool.polylock.targets.here]\nplatform = "{description.system}-'
        f'{description.architecture}"\npython = "{description.python}"\n{libc}'
    )


def follows_pep_825(pylock: Pylock) -> None:
    """Validate the variant metadata of a lock file against the schema of PEP 825.

    PEP 825, "Integration with pylock.toml": "The structure of this table MUST conform
    to the JSON Schema." It describes version 0.1.1; other versions have more keys.
    """
    for package in pylock.packages:
        document = package.variants_json
        if document is not None and "/825/v0.1.1" in document["$schema"]:
            _schema().validate(json.loads(json.dumps(document)))


@functools.cache
def _schema() -> Any:  # noqa: ANN401 - a validator of a library without types
    text = (DATA / "pep-0825-variant-schema-0.1.1.json").read_text("utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))
