"""Execute a plan: fetch everything, then change the environment.

The order makes an interrupted run harmless. Nothing is changed before every archive is
in the cache and every path to be written is known to be free. Then old distributions
are removed and new ones installed. Each has a partial RECORD from its first change to
its last, so that the next run knows what to clean up.
"""

from __future__ import annotations

import logging
import os
import stat
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from packaging.utils import NormalizedName, canonicalize_name

from polylock.environment.installed import Form, InstalledDistribution, read_installed
from polylock.environment.venv import exclusive
from polylock.errors import EnvironmentBroken, FileCorrupt
from polylock.installation.archive import read_manifest
from polylock.installation.forked_linking import put_all
from polylock.installation.link import Linker, LinkMode
from polylock.installation.own_files import OwnFiles
from polylock.installation.owners import common_files, linked_again
from polylock.installation.place import Placement, ignores_case
from polylock.installation.plan import (
    SyncPlan,
    WantedDistribution,
    plan_sync,
    same_version,
)
from polylock.installation.uninstall import (
    Boundary,
    listed_files,
    refuse_unremovable,
    uninstall,
)
from polylock.model.wheel_faults import summary
from polylock.ports import Reporter, SilentReporter
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from polylock.environment.interpreter import Interpreter

__all__ = ["FetchArchives", "Outcome", "case_clashes", "execute"]


def case_clashes(distributions: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    """Yield a warning for each two distributions whose paths differ only in case.

    Each distribution is given by its name and the absolute paths of its files. The
    same path in both is not a clash of case and may be intended (namespace packages).
    Call this only on a case-insensitive file system: elsewhere such paths do no harm,
    and neither distribution is wrong (``Crypto`` and ``crypto`` were both on indexes
    for years).
    """
    from polylock.model.archive_checks import (  # noqa: PLC0415 - 2 ms, see above
        collision_key,
    )

    owners: dict[str, tuple[str, str]] = {}
    reported: set[tuple[str, str]] = set()
    for name, paths in distributions:
        for path in paths:
            owner, spelling = owners.setdefault(collision_key(path), (name, path))
            if spelling != path and owner != name and (owner, name) not in reported:
                reported.add((owner, name))
                yield (
                    f"{spelling} of {owner} and {path} of {name} are the same file on "
                    "this case-insensitive file system: one of them is lost"
                )


logger = logging.getLogger(__name__)


class FetchArchives(Protocol):
    """Downloads or builds wheels, verifies and unpacks them."""

    def __call__(self, wanted: Sequence[WantedDistribution]) -> Sequence[Path]:
        """Return the directory that ``unpack`` filled for each, in the same order.

        Raises a PolylockError if one is not available.
        """
        ...


class Outcome(Value, frozen=True, kw_only=True):
    """The plan that was executed, and the link modes that were used.

    The plan differs from the one given if another sync changed the environment in
    the meantime.
    """

    plan: SyncPlan
    link_modes: tuple[LinkMode, ...] = ()


def execute(
    plan: SyncPlan,
    interpreter: Interpreter,
    fetch: FetchArchives,
    *,
    linker: Linker | None = None,
    reporter: Reporter | None = None,
    compile_bytecode: bool = False,
) -> Outcome:
    """Execute a plan on an environment.

    With ``compile_bytecode`` the environment's own Python compiles what was installed;
    the compiled files are not in RECORD and are removed with their modules. Raises
    what ``fetch`` raises, FileCorrupt for a wheel that must not be installed, and
    EnvironmentBroken. Every error that can be predicted is raised before the first
    change.
    """
    if plan.is_empty:
        return Outcome(plan=plan)
    run = _Execution(
        interpreter=interpreter,
        own=OwnFiles(interpreter),
        fetch=fetch,
        linker=linker or Linker(),
        reporter=reporter or SilentReporter(),
        prepared={},
        warnings=[],
        shared=set(),
    )
    plan = run.prepare(plan)
    with exclusive(Path(interpreter.prefix), run.reporter):
        current = read_installed(interpreter.site_directories)
        if current != plan.installed:
            logger.info("%s was changed in the meantime", interpreter.prefix)
            plan = run.prepare(plan_sync(plan.request, current))
        run.change(plan)
    if compile_bytecode:
        run.compile(plan)
    return Outcome(plan=plan, link_modes=tuple(sorted(run.linker.used)))


class _Execution(Value, frozen=True, kw_only=True):
    """One execution; ``shared`` are files to be removed that kept ones also list."""

    interpreter: Interpreter
    own: OwnFiles
    fetch: FetchArchives
    linker: Linker
    reporter: Reporter
    prepared: dict[NormalizedName, Placement]
    warnings: list[str]
    shared: set[str]

    def prepare(self, plan: SyncPlan) -> SyncPlan:
        """Fetch what will be installed, and raise every error that can be predicted.

        Returns the plan extended by the distributions that must be linked again.
        """
        for entry in (*plan.remove, *plan.reinstall):
            for distribution in entry.installed:
                refuse_unremovable(distribution)
        self._fetch(plan)
        placements = [self.prepared[one.name] for one in _wanted(plan)]
        again, shared = linked_again(plan, placements)
        if again is not plan:
            return self.prepare(again)
        self.shared.clear()
        self.shared.update(shared)
        obstacles = Obstacles(_leaving(plan), self._boundary())
        for placement in placements:
            obstacles.refuse(placement)
        self.warnings[:] = (*_faults(placements), *common_files(placements))
        return plan

    def _fetch(self, plan: SyncPlan) -> None:
        missing = [w for w in _wanted(plan) if w.name not in self.prepared]
        if not missing:
            return
        for wanted, archive in zip(missing, self.fetch(missing), strict=True):
            placement = Placement(
                wanted=wanted,
                archive=archive,
                manifest=read_manifest(
                    archive, filename=wanted.filename, sha256=wanted.sha256
                ),
                interpreter=self.interpreter,
                own=self.own,
            )
            _check_identity(placement)
            placement.check()
            self.prepared[wanted.name] = placement

    def change(self, plan: SyncPlan) -> None:
        """Remove the old, then install the new."""
        for line in self.warnings:
            self.reporter.warning(line)
        self._warn_of_case_clashes(plan)
        boundary = self._boundary()
        for entry in sorted((*plan.remove, *plan.reinstall), key=lambda e: e.name):
            for distribution in entry.installed:
                for path in uninstall(distribution, boundary, shared=self.shared):
                    self.reporter.warning(
                        f"did not remove {path}: {entry.name} does not own it"
                    )
                self.reporter.removing(entry.name, distribution.version)
        put_all(
            [self.prepared[wanted.name] for wanted in _wanted(plan)],
            self.linker,
            lambda one: self.reporter.installing(one.wanted.name, one.version),
        )

    def _warn_of_case_clashes(self, plan: SyncPlan) -> None:
        """Warn of files that overwrite each other on a case-insensitive file system."""
        new = _wanted(plan)
        if not new or not ignores_case(self.prepared[new[0].name].site):
            return
        kept = (
            (entry.name, listed_files(distribution))
            for entry in plan.keep
            for distribution in entry.installed
            if distribution.form is Form.DIST_INFO
        )
        put = ((wanted.name, self.prepared[wanted.name].places) for wanted in new)
        for clash in case_clashes((*kept, *put)):
            self.reporter.warning(clash)

    def _boundary(self) -> Boundary:
        interpreter = self.interpreter
        scheme = interpreter.scheme
        paths = [scheme.purelib, scheme.platlib, scheme.scripts]
        # ``data`` is the prefix. A virtual environment owns all of it; any other
        # Python, in /usr for instance, owns only its directories for distributions.
        # The directory for headers is created by the first wheel that has headers and
        # removed with the last.
        paths += (
            [interpreter.prefix, scheme.data]
            if interpreter.is_virtual
            else [scheme.headers]
        )
        return Boundary((Path(path) for path in paths), self.own)

    def compile(self, plan: SyncPlan) -> None:
        """Compile the installed modules, in one process per processor."""
        files = [
            str(self.prepared[wanted.name].site / file)
            for wanted in _wanted(plan)
            for file in self.prepared[wanted.name].manifest.files
            if file.endswith(".py")
        ]
        count = min(os.cpu_count() or 1, len(files), _COMPILERS)
        shares = [files[position::count] for position in range(count)]
        _compile(self.interpreter.executable, shares)


_COMPILERS = 8  # processes at most: with more the disk is the limit


def _compile(executable: str, shares: Sequence[Sequence[str]]) -> None:
    """Compile files, each share in its own process.

    A file that does not compile (a template, a test of a syntax error) is not an error.
    """
    import subprocess  # noqa: PLC0415 - 10 ms, only where something is compiled
    import tempfile  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory() as directory:
        processes: list[subprocess.Popen[bytes]] = []
        for number, share in enumerate(shares):
            names = Path(directory, str(number))
            names.write_text("\n".join(share), encoding="utf-8")
            command = [executable, "-I", "-m", "compileall", "-qq", "-i", str(names)]
            try:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
                )
            except OSError as error:
                problem = f"cannot be run: {error.strerror}"
                raise EnvironmentBroken(executable, problem) from error
            processes.append(process)
        for process in processes:
            process.wait()


def _wanted(plan: SyncPlan) -> list[WantedDistribution]:
    """Return the distributions to install, sorted by name."""
    entries = sorted((*plan.install, *plan.reinstall), key=lambda entry: entry.name)
    return [entry.wanted for entry in entries if entry.wanted is not None]


def _faults(placements: Iterable[Placement]) -> Iterator[str]:
    """Yield a warning for each wheel that is not as it should be."""
    for one in placements:
        if one.manifest.faults:
            problem = summary(one.manifest.faults, one.manifest.fault_count)
            yield (
                f"{one.wanted.filename}: {problem}; "
                f"{one.wanted.name} is installed from the files in the wheel"
            )


def _check_identity(placement: Placement) -> None:
    """Raise FileCorrupt for an archive of another project or version."""
    wanted, manifest = placement.wanted, placement.manifest
    name = canonicalize_name(manifest.stem.rpartition("-")[0])
    if name != wanted.name or not (
        wanted.version is None or same_version(wanted.version, manifest.version)
    ):
        raise FileCorrupt(
            wanted.filename,
            f"it is {name} {manifest.version}, not {wanted.name} {wanted.version}",
        )


def _leaving(plan: SyncPlan) -> list[InstalledDistribution]:
    entries = (*plan.remove, *plan.reinstall)
    return [distribution for entry in entries for distribution in entry.installed]


class Obstacles:
    """Finds what blocks an installation before the first change.

    Existing files and links are replaced. A directory at the path of a file, or a file
    at the path of a directory, belongs to somebody, unless it is removed first with the
    distributions in ``leaving``.
    """

    def __init__(
        self, leaving: Sequence[InstalledDistribution], boundary: Boundary
    ) -> None:
        self._leaving = leaving
        self._boundary = boundary
        self._directories: set[str] = set()
        """Directories already checked."""

    def refuse(self, placement: Placement) -> None:
        """Raise EnvironmentBroken if a file or directory cannot be installed."""
        self._refuse_in_tree(placement)
        for file in placement.written:
            self._refuse_file(file.target, placement.wanted.filename)
            self._refuse_above(file.target, placement.wanted.filename)

    def _refuse_in_tree(self, placement: Placement) -> None:
        """Check the paths in existing directories; a new directory is empty."""
        filename = placement.wanted.filename
        there, missing = {""}, set[str]()
        for directory in placement.manifest.directories:
            if directory.rpartition("/")[0] in missing:
                missing.add(directory)
                continue
            place = placement.place(directory)
            status = _status(place)
            if status is None:
                missing.add(directory)
            elif stat.S_ISDIR(status.st_mode):
                there.add(directory)
            elif place in self._removed_files:
                missing.add(directory)
            else:
                raise _in_the_way(place, "not a directory", filename, "a directory")
        files: Iterable[str] = placement.manifest.files
        if there == {""}:  # as in a new environment
            files = [file for file in files if "/" not in file]
        for file in files:
            if file.rpartition("/")[0] in there:
                self._refuse_file(placement.place(file), filename)

    def _refuse_file(self, place: str, filename: str) -> None:
        status = _status(place)
        if status is None or not stat.S_ISDIR(status.st_mode):
            return
        for directory, names, files in os.walk(place):
            held = [*files, *(n for n in names if Path(directory, n).is_symlink())]
            is_compiled = Path(directory).name == "__pycache__"
            if (
                held
                and not is_compiled
                and any(
                    f"{directory}{os.sep}{name}" not in self._removed_files
                    for name in held
                )
            ):
                raise _in_the_way(place, "a directory", filename, "a file")
        if self._boundary.holds_root(place) or not self._is_emptied(place):
            raise _in_the_way(place, "a directory", filename, "a file")

    def _refuse_above(self, place: str, filename: str) -> None:
        """Check the parent directories of a file."""
        directory = place.rpartition(os.sep)[0]
        while directory and directory not in self._directories:
            self._directories.add(directory)
            if _is_taken(directory) and directory not in self._removed_files:
                raise _in_the_way(directory, "not a directory", filename, "a directory")
            directory = directory.rpartition(os.sep)[0]

    def _is_emptied(self, directory: str) -> bool:
        """Return True if removed files lie in a directory, which goes with them."""
        inside = f"{directory}{os.sep}"
        return any(path.startswith(inside) for path in self._removed_files)

    @cached_property
    def _removed_files(self) -> frozenset[str]:
        """The files that are removed before anything is installed."""
        return frozenset(
            path
            for distribution in self._leaving
            for path in listed_files(distribution)
            if self._boundary.contains(path)
        )


def _is_taken(directory: str) -> bool:
    """Return True if a path exists and is not a directory, links followed."""
    status = _status(directory)
    return status is not None and not Path(directory).is_dir()


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise EnvironmentBroken(path, f"cannot be read: {error.strerror}") from error


def _in_the_way(path: str, found: str, filename: str, wanted: str) -> EnvironmentBroken:
    return EnvironmentBroken(
        path,
        f"is in the way: it is {found}, and {filename} has {wanted} there",
        "remove it, or recreate the environment; if it belongs there, lock another "
        "version or file",
    )
