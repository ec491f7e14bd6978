"""Carry a plan out: fetch everything, then change the environment.

The order is what makes an interrupted run harmless. Nothing is touched before every
archive is there and every place to write to is known to be free to use. Then the old
goes, then the new comes, each distribution with a partial RECORD from its first
change to its last, so that the next run knows what to clean up.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from packaging.utils import canonicalize_name

from polylock.environment.installed import Form, read_installed
from polylock.environment.venv import exclusive
from polylock.errors import EnvironmentBroken, FileCorrupt
from polylock.installation.archive import read_manifest
from polylock.installation.forked_linking import put_all
from polylock.installation.link import Linker, LinkMode
from polylock.installation.obstacles import Obstacles
from polylock.installation.own_files import OwnFiles
from polylock.installation.owners import common_files, linked_again, shared_files
from polylock.installation.place import Placement
from polylock.installation.plan import plan_sync, same_version
from polylock.installation.uninstall import (
    Boundary,
    listed_files,
    refuse_unremovable,
    uninstall,
)
from polylock.ports import SilentReporter
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.utils import NormalizedName

    from polylock.environment.installed import InstalledDistribution
    from polylock.environment.interpreter import Interpreter
    from polylock.installation.plan import SyncPlan, WantedDistribution
    from polylock.ports import Reporter

__all__ = ["FetchArchives", "Outcome", "case_clashes", "execute", "ignores_case"]


def ignores_case(directory: Path) -> bool:
    """Return whether names that differ only in case are one where a directory lies."""
    swapped = directory.with_name(directory.name.swapcase())
    with suppress(OSError):
        return swapped != directory and swapped.samefile(directory)
    return False


def case_clashes(distributions: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    """Yield a line for each two distributions that have a file in one place.

    Each is given by its name and the absolute paths of its files. One path spelled
    alike by both is no clash of names, and may be meant: namespace packages. Names that
    differ in case alone are nobody's fault between two distributions (``Crypto`` and
    ``crypto`` were both on indexes for years) and do no harm where case counts, so they
    are told of where it does not, and only there are they looked for.
    """
    # 2 ms, where case does not count.
    from polylock.model.archive_checks import collision_key  # noqa: PLC0415 - see above

    owners: dict[str, tuple[str, str]] = {}
    told: set[tuple[str, str]] = set()
    for name, paths in distributions:
        for path in paths:
            owner, spelling = owners.setdefault(collision_key(path), (name, path))
            if spelling != path and owner != name and (owner, name) not in told:
                told.add((owner, name))
                yield (
                    f"{spelling} of {owner} and {path} of {name} are one file here, "
                    "where case does not count: one of them is lost"
                )


logger = logging.getLogger(__name__)


class FetchArchives(Protocol):
    """Gets wheels: downloaded or built, verified, and unpacked."""

    def __call__(self, wanted: Sequence[WantedDistribution]) -> Sequence[Path]:
        """Return the directory that ``unpack`` filled for each, in the same order.

        Raises a PolylockError if one cannot be had.
        """
        ...


class Outcome(Value, frozen=True, kw_only=True):
    """What was done: the plan that was carried out, and how files were linked.

    The plan is another than the one given where a second sync changed the
    environment meanwhile.
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
    """Make the environment what the plan says.

    ``compile_bytecode`` has the environment's own Python compile what was installed;
    the compiled files are not in RECORD, and go with their modules. Raises what
    ``fetch`` raises, FileCorrupt for a wheel that must not be installed, and
    EnvironmentBroken; of these all that can be known is raised before the first
    change.
    """
    if plan.is_empty:
        return Outcome(plan=plan)
    run = _Execution(
        interpreter=interpreter,
        fetch=fetch,
        linker=linker or Linker(),
        reporter=reporter or SilentReporter(),
        prepared={},
        told=[],
    )
    plan = run.prepare(plan)
    with exclusive(Path(interpreter.prefix), run.reporter):
        current = read_installed(interpreter.site_directories)
        if current != plan.installed:
            logger.info("%s was changed meanwhile", interpreter.prefix)
            plan = run.prepare(plan_sync(plan.request, current))
        run.change(plan)
    if compile_bytecode:
        run.compile(plan)
    return Outcome(plan=plan, link_modes=tuple(sorted(run.linker.used)))


class _Execution(Value, frozen=True, kw_only=True):
    interpreter: Interpreter
    fetch: FetchArchives
    linker: Linker
    reporter: Reporter
    prepared: dict[NormalizedName, Placement]
    told: list[str]

    def prepare(self, plan: SyncPlan) -> SyncPlan:
        """Fetch what is to be installed, and find every reason not to begin.

        Returns the plan with those in it that have to be linked again.
        """
        for entry in (*plan.remove, *plan.reinstall):
            for distribution in entry.installed:
                refuse_unremovable(distribution)
        self._fetch(plan)
        placements = [self.prepared[one.name] for one in _wanted(plan)]
        again = linked_again(plan, placements)
        if again is not plan:
            return self.prepare(again)
        obstacles = Obstacles(_leaving(plan), _boundary(self.interpreter))
        for placement in placements:
            obstacles.refuse(placement)
        self.told[:] = common_files(placements)
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
            )
            _check_identity(placement)
            placement.check()
            self.prepared[wanted.name] = placement

    def change(self, plan: SyncPlan) -> None:
        """Remove the old, then install the new."""
        for line in self.told:
            self.reporter.warning(line)
        self._tell_clashes(plan)
        boundary = _boundary(self.interpreter)
        shared = shared_files(plan)
        for entry in sorted((*plan.remove, *plan.reinstall), key=lambda e: e.name):
            for distribution in entry.installed:
                left = uninstall(distribution, boundary, shared=shared)
                for path in left:
                    self.reporter.warning(
                        f"{path} is not {entry.name}'s to remove: left"
                    )
                self.reporter.removing(entry.name, distribution.version)
        put_all(
            [self.prepared[wanted.name] for wanted in _wanted(plan)],
            self.linker,
            lambda one: self.reporter.installing(one.wanted.name, one.version),
        )

    def _tell_clashes(self, plan: SyncPlan) -> None:
        """Warn of files that would take each other's place on this file system."""
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

    def compile(self, plan: SyncPlan) -> None:
        """Compile the modules that were installed, in a process for each processor."""
        files = [
            str(self.prepared[wanted.name].site / file)
            for wanted in _wanted(plan)
            for file in self.prepared[wanted.name].manifest.files
            if file.endswith(".py")
        ]
        count = min(os.cpu_count() or 1, len(files), _COMPILERS)
        shares = [files[position::count] for position in range(count)]
        _compile(self.interpreter.executable, shares)


_COMPILERS = 8  # processes; the disk is the limit from there on


def _compile(executable: str, shares: Sequence[Sequence[str]]) -> None:
    """Compile files, each share of them in a process of its own.

    What does not compile (templates, tests of syntax errors) is no error.
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
    """Return what is to be installed, sorted by name."""
    entries = sorted((*plan.install, *plan.reinstall), key=lambda entry: entry.name)
    return [entry.wanted for entry in entries if entry.wanted is not None]


def _check_identity(placement: Placement) -> None:
    """Refuse an archive of another project or version than the one wanted."""
    wanted, manifest = placement.wanted, placement.manifest
    name = canonicalize_name(manifest.stem.rpartition("-")[0])
    if name != wanted.name or not (
        wanted.version is None or same_version(wanted.version, manifest.version)
    ):
        raise FileCorrupt(
            wanted.filename,
            f"it is {name} {manifest.version}, not {wanted.name} {wanted.version}",
        )


def _boundary(interpreter: Interpreter) -> Boundary:
    scheme = interpreter.scheme
    paths = [scheme.purelib, scheme.platlib, scheme.scripts]
    # ``data`` is the prefix: of a virtual environment all is its own, of any other
    # Python, /usr for instance, only what lies in the directories for distributions.
    # The directory for headers is made by the first wheel that has some, and goes
    # with the last.
    paths += (
        [interpreter.prefix, scheme.data]
        if interpreter.is_virtual
        else [scheme.headers]
    )
    return Boundary((Path(path) for path in paths), OwnFiles(interpreter))


def _leaving(plan: SyncPlan) -> list[InstalledDistribution]:
    entries = (*plan.remove, *plan.reinstall)
    return [distribution for entry in entries for distribution in entry.installed]
