"""What is exported and bundled is installed by pip and by uv as polylock installs it.

Each project below is locked for this machine and synced once. Each kind of file is then
given to each installer, in an environment of its own and without a network: it installs
the same distributions with the same files, or the cell is in ``REFUSED`` with what it
is refused with.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from packaging import tags

from fakes.other_installers import Installer, installed, new_environment
from fakes.repositories import git_repository, source_tree
from fakes.sdists import in_tree
from fakes.server import Index, Server
from fakes.synced import base_python
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.environment.discovery import environment_python
from polylock.errors import UsageError
from polylock.operations.exchange.bundle import BundleOptions, bundle
from polylock.operations.exchange.export import export
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from fakes.other_installers import Finished, Installed

SEARCH_PATH = os.environ.get("PATH", "")
HERE = platform.python_version()
X86_64 = platform.machine().lower() in {"x86_64", "amd64"}
CPU = 'cpu = "x86-64-v2"\n' if X86_64 else ""
"""Every machine of today has it, and wheels for it have a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a project is made: its directory, files to build from, an index."""

    root: Path
    index: Index
    fixtures: str

    @property
    def files(self) -> Path:
        """Return the directory of what the index has."""
        return self.root / "files"

    def offer(self, name: str, *paths: Path) -> None:
        """Put files on the index."""
        self.index.add(name, list(paths))


def graph(source: Source) -> str:
    """Offer extras, groups, markers and an entry point."""
    patch = HERE.rpartition(".")[2]
    nearly = f"{HERE.rpartition('.')[0]}.{int(patch) + 1}"
    files, offer = source.files, source.offer
    top = build_wheel(
        files,
        "top",
        "1.0",
        requires=[
            "base>=1",
            "fast; extra == 'fast'",
            f"old; python_full_version < '{nearly}'",
            f"new; python_full_version >= '{nearly}'",
            "elsewhere; sys_platform == 'nowhere'",
        ],
        extras=["fast"],
        entry_points="[console_scripts]\ntop = top:main\n",
    )
    offer("top", top)
    for name in ("base", "fast", "old", "new", "checks", "tools", "unasked"):
        first = build_wheel(files, name, "1.0")
        second = build_wheel(files, name, "2.0")
        offer(name, first, second)
    return (
        'dependencies = ["top[fast]", "base<2"]\n'
        '[project.optional-dependencies]\nops = ["tools"]\nother = ["unasked"]\n'
        '[dependency-groups]\ntest = ["checks<2"]\n'
    )


def compiled(source: Source) -> str:
    """Offer wheels for this Python and this system, one with a build number."""
    exact = str(next(iter(tags.cpython_tags())))
    files = source.files
    source.offer(
        "native",
        build_wheel(files, "native", "1.0", tag=exact, requires=["counted"]),
        build_wheel(files, "native", "1.0"),
    )
    source.offer(
        "counted",
        build_wheel(files, "counted", "1.0", tag=exact),
        build_wheel(files, "counted", "1.0", tag=exact, build="2", requires=["leaf"]),
    )
    source.offer("leaf", build_wheel(files, "leaf", "1.0"))
    return 'dependencies = ["native"]\n'


def sdist(source: Source) -> str:
    """Offer a source distribution with a backend of its own, between two wheels."""
    files = source.files
    metadata = "Metadata-Version: 2.2\nName: built\nVersion: 1.0\nRequires-Dist: leaf\n"
    source.offer(
        "built",
        in_tree(files, "built", "1.0", built_requires=["leaf"], pkg_info=metadata),
    )
    source.offer("leaf", build_wheel(files, "leaf", "1.0"))
    source.offer("top", build_wheel(files, "top", "1.0", requires=["built"]))
    return 'dependencies = ["top"]\n'


def direct(source: Source) -> str:
    """Refer to a wheel and to a source distribution by URL."""
    files = source.files
    first = build_wheel(files, "first", "1.0", requires=["leaf"])
    built = in_tree(
        files,
        "built",
        "1.0",
        pkg_info="Metadata-Version: 2.2\nName: built\nVersion: 1.0\n",
    )
    source.offer("leaf", build_wheel(files, "leaf", "1.0"))
    source.offer("hidden", first, built)
    server = source.index.url.rpartition("/")[0]  # the index is one path of it
    urls = [f"{server}{source.index.file(path.name)}" for path in (first, built)]
    return (
        f'dependencies = ["first @ {urls[0]}", "built @ {urls[1]}"]\n'
        '[tool.polylock]\nbuild-package = ["built"]\n'
    )


def paths(source: Source) -> str:
    """Write a wheel and a source tree beside the project."""
    build_wheel(source.files, "local", "1.0", requires=["leaf"])
    source.offer("leaf", build_wheel(source.files, "leaf", "1.0"))
    source_tree(source.root / "lib", "lib")
    return (
        'dependencies = ["local", "lib"]\n[tool.polylock.sources]\n'
        'local = { path = "../files/local-1.0-py3-none-any.whl" }\n'
        'lib = { path = "../lib" }\n'
    )


def commit(source: Source) -> str:
    """Commit a source tree to a git repository."""
    source_tree(source.root / "lib", "lib")
    git_repository(source.root / "lib")
    url = (source.root / "lib").as_uri()
    return (
        'dependencies = ["lib"]\n[tool.polylock.sources]\n'
        f'lib = {{ git = "{url}", branch = "main" }}\n'
    )


def variants(source: Source) -> str:
    """Require variant wheels with plain dependencies, a group and an extra."""
    del source
    return (
        'dependencies = ["vecdemo>=2", "plainlib"]\n'
        '[dependency-groups]\ntest = ["plainlib-testing"]\n'
        '[project.optional-dependencies]\nops = ["plainlib[color]>=1.1"]\n'
    )


def abi(source: Source) -> str:
    """Require a variant wheel that was built against another project."""
    del source
    return 'dependencies = ["abikit-plugin"]\n'


def variant_markers(source: Source) -> str:
    """Require variant wheels whose dependencies ask which variant it is."""
    del source
    return 'dependencies = ["tensordemo>=3", "blasx"]\n'


PROJECTS: dict[str, Callable[[Source], str]] = {
    "graph": graph,
    "compiled": compiled,
    "sdist": sdist,
    "direct": direct,
    "paths": paths,
    "commit": commit,
    "variants": variants,
    "abi": abi,
    "variant-markers": variant_markers,
}
ON_FIXTURES = {"variants", "abi", "variant-markers"}
NAMED = {"graph": (("test",), ("ops",)), "variants": (("test",), ("ops",))}
"""The groups and extras that are installed."""
BUILT = {"sdist", "direct", "paths", "commit"}
"""Where something is built: what is in its wheel differs by who builds it."""
TREES = {"direct", "paths", "commit"}
"""What a bundle has to build, since there is no file of it."""

KINDS = ("bundle", "pylock", "requirements")
INSTALLERS = ("pip", "uv")
UNWRITTEN = [("paths", "requirements"), ("commit", "requirements")]
"""A source tree has no hash."""
REFUSED = {
    # It verifies the hashes of all or of none, and a directory has none.
    ("paths", "pylock", "pip"): "because they point to directories",
    # It reads the name of the wheel from the URL.
    ("variants", "pylock", "pip"): "invalid wheel filename",
    ("abi", "pylock", "pip"): "invalid wheel filename",
    ("variant-markers", "pylock", "pip"): "invalid wheel filename",
    ("variants", "requirements", "pip"): "Invalid build number",
    ("abi", "requirements", "pip"): "Invalid build number",
    ("variant-markers", "requirements", "pip"): "Invalid build number",
    # It reads the metadata of each wheel, and knows no variant markers.
    ("variant-markers", "bundle", "pip"): "has invalid metadata",
    ("variant-markers", "requirements", "uv"): "variant",
    # It wants the namespace among the priorities, which PEP 850 does not ask for.
    ("abi", "requirements", "uv"): "`abi_dependency` is missing",
}
"""What the installer says where it cannot; nothing is installed then."""
QUICK = {("variants", "bundle"), ("graph", "requirements")}
"""What pip, which takes two seconds, is asked in each run of the tests."""


def cells() -> Iterator[ParameterSet]:
    """Yield project, kind of file and installer, pip's mostly marked as slow."""
    for name in PROJECTS:
        for kind in KINDS:
            for client in INSTALLERS:
                quick = client == "uv" or (name, kind) in QUICK
                if (name, kind) not in UNWRITTEN:
                    marks = () if quick else (pytest.mark.slow,)
                    yield pytest.param(name, kind, client, marks=marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A project that is locked and synced; ``index_url`` is its index."""

    name: str
    project: Project
    index_url: str
    synced: Installed

    def write(self, kind: str, directory: Path) -> Path:
        """Write a file of this kind into the directory or beside the lock file."""
        groups, extras = NAMED.get(self.name, ((), ()))
        settings = self.project.with_settings(
            target="here", groups=groups, extras=extras
        )
        if kind == "bundle":
            options = BundleOptions(build=self.name in TREES, search_path=SEARCH_PATH)
            made = bundle(settings, directory / "bundle", options, SilentReporter())
            return made.directory / "pylock.toml"
        if kind == "pylock":
            path = self.project.directory / f"pylock.{directory.name[-40:]}.toml"
            export(settings, "pylock", path)
        else:
            path = directory / "locked.txt"
            export(settings, "requirements", path)
        return path


@pytest.fixture(scope="module")
def locked(
    tmp_path_factory: pytest.TempPathFactory, index_url: str
) -> Iterator[Callable[[str], Locked]]:
    """Lock and sync a project when it is first asked for."""
    made: dict[str, Locked] = {}
    with Server() as server:

        def make(name: str) -> Locked:
            if name not in made:
                root = tmp_path_factory.mktemp(name)
                index = Index(server, f"/{name}")
                source = Source(root=root, index=index, fixtures=index_url)
                made[name] = _made(name, source)
            return made[name]

        yield make


def _made(name: str, source: Source) -> Locked:
    url = source.fixtures if name in ON_FIXTURES else f"{source.index.url}/"
    project = Project(
        directory=source.root / "project",
        index_url=url,
        settings={"python": base_python()},
    )
    text = PROJECTS[name](source)
    project.write(
        f'[project]\nname = "mine"\nversion = "1"\n{text}{this_target()}{CPU}'
    )
    project.lock()
    groups, extras = NAMED.get(name, ((), ()))
    project.sync(target="here", groups=groups, extras=extras)
    synced = installed(environment_python(project.directory / ".venv"))
    return Locked(name=name, project=project, index_url=url, synced=synced)


def run(found: Locked, kind: str, installer: Installer, path: Path) -> Finished:
    """Let an installer install a file, with no server at all where none is needed."""
    if kind == "requirements":
        return installer.requirements(path, found.index_url)
    return installer.lock_file(path, offline=kind == "bundle")


def comparable(found: Locked, environment: Installed) -> object:
    """Return distributions and files; of what was built the names of files alone."""
    if found.name not in BUILT:
        return environment
    return {name: sorted(files) for name, files in environment.items()}


@pytest.mark.parametrize(("name", "kind", "client"), list(cells()))
def test_same_set(
    locked: Callable[[str], Locked], name: str, kind: str, client: str, tmp_path: Path
) -> None:
    """The installer installs what polylock does, or says why not and does nothing."""
    found = locked(name)
    python = new_environment(tmp_path / "environment")
    path = found.write(kind, tmp_path)
    ran = run(found, kind, Installer(client, python, tmp_path), path)
    refusal = REFUSED.get((name, kind, client))
    if refusal is None:
        assert ran.code == 0, ran.told
        assert comparable(found, installed(python)) == comparable(found, found.synced)
        assert found.synced
    else:
        assert ran.code != 0
        assert refusal in ran.told
        assert installed(python) == {}


@pytest.mark.parametrize(("name", "kind"), UNWRITTEN)
def test_what_is_not_written(
    locked: Callable[[str], Locked], name: str, kind: str, tmp_path: Path
) -> None:
    """No file is written that would leave something out or could not be verified."""
    with pytest.raises(UsageError, match="is locked as a source tree"):
        locked(name).write(kind, tmp_path)
    assert not list(tmp_path.iterdir())
