"""A workspace: several projects, one lock file, one environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fakes.repositories import source_tree
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.errors import LockFileOutdated, NoSolution, NoSuchTarget, ProjectError
from polylock.operations.inspect.cache_key import cache_keys
from polylock.operations.inspect.check import check
from polylock.operations.sync.sync import SyncOptions

OPTIONS = SyncOptions(search_path=os.environ.get("PATH", ""))
ROOT = '[project]\nname = "monorepo"\nversion = "1"\ndependencies = ["idna"]\n'


class Monorepo:
    """A workspace with the members api, core and web, of which web is a list.

    api requires core and h11 2 or later; core has the group dev, api the extra fast.
    """

    def __init__(self, server: Server, tmp_path: Path) -> None:
        index = Index(server)
        files = tmp_path / "files"
        index.add("idna", [build_wheel(files, "idna", "3.0")])
        index.add("h11", [build_wheel(files, "h11", v) for v in ("1.0", "2.0")])
        index.add("anyio", [build_wheel(files, "anyio", "4.0")])
        self.root = tmp_path / "monorepo"
        self.project = Project(
            directory=self.root,
            index_url=f"{index.url}/",
            settings={"python": sys.executable},
        )
        self.write()
        api = source_tree(
            self.root / "packages" / "api", "api", dependencies=["core", "h11>=2"]
        )
        core = source_tree(self.root / "packages" / "core", "core")
        self.append(core, '[dependency-groups]\ndev = ["idna"]\n')
        self.append(api, '[project.optional-dependencies]\nfast = ["anyio"]\n')
        web = self.root / "web"
        web.mkdir(parents=True)
        (web / "pyproject.toml").write_text(
            '[project]\nname = "web"\nversion = "1"\ndependencies = ["anyio"]\n',
            "utf-8",
        )

    def write(self, text: str = "", members: str = '"packages/*", "web"') -> None:
        """Write the project file of the workspace."""
        self.project.write(
            f"{ROOT}[tool.polylock.workspace]\nmembers = [{members}]\n{text}\n"
            f"{this_target()}"
        )

    @staticmethod
    def append(member: Path, text: str) -> None:
        """Add text to the project file of a member."""
        with (member / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(text)

    def names(self, **settings: object) -> set[str]:
        """Sync, and return what is installed."""
        self.project.sync(OPTIONS, **settings)
        return set(self.project.installed())


@pytest.fixture
def monorepo(server: Server, tmp_path: Path) -> Monorepo:
    """Return a workspace that is not locked yet."""
    return Monorepo(server, tmp_path)


def test_one_lock_file_is_for_all_members(monorepo: Monorepo) -> None:
    """The root alone, one member with what it requires, or all of them."""
    monorepo.project.lock()
    assert monorepo.names() == {"idna"}
    assert monorepo.names(members=("api",)) == {"api", "core", "h11"}
    assert monorepo.names() == {"api", "core", "h11"}  # the choice sticks
    assert monorepo.names(members=("core",)) == {"core", "idna"}  # its group dev
    assert monorepo.names(members=("core",), no_default_groups=True) == {"core"}
    assert monorepo.names(members=("core",), no_groups=("dev",)) == {"core"}
    assert monorepo.names(members=("web", "core"), no_groups=("dev",)) == {
        "anyio",
        "core",
    }
    everything = monorepo.names(all_members=True)
    assert everything == {"anyio", "api", "core", "h11", "idna"}
    assert not (monorepo.root / "packages" / "api" / "pylock.toml").exists()


def test_members_have_their_own_extras_and_groups(monorepo: Monorepo) -> None:
    """``--extra fast`` is that of the named member; another name is unknown."""
    monorepo.project.lock()
    found = monorepo.names(members=("api",), extras=("fast",))
    assert found == {"api", "anyio", "core", "h11"}
    with pytest.raises(NoSuchTarget, match="fast") as caught:
        monorepo.names(members=("core",), extras=("fast",))
    assert "dev" in str(caught.value.hint())
    with pytest.raises(NoSuchTarget, match="ap"):
        monorepo.names(members=("ap",))
    assert monorepo.names(all_groups=True) == {"idna"}


def test_members_are_installed_editable_from_their_directories(
    monorepo: Monorepo,
) -> None:
    """Their code is used in place; the source needs no entry anywhere."""
    monorepo.project.lock()
    monorepo.project.sync(OPTIONS, members=("api",))
    direct = monorepo.project.installed()["core"].direct_url
    assert direct is not None
    assert direct.dir_info is not None
    assert direct.dir_info.editable
    assert direct.url == (monorepo.root / "packages" / "core").as_uri()
    text = monorepo.project.lock_path.read_text("utf-8")
    assert 'path = "packages/core"' in text
    assert str(monorepo.root) not in text


def test_a_member_that_requires_more_makes_the_lock_file_stale(
    monorepo: Monorepo,
) -> None:
    """Offline, by what its project file says; a lock reads it anew."""
    monorepo.project.lock()
    core = monorepo.root / "packages" / "core" / "pyproject.toml"
    text = core.read_text("utf-8")
    core.write_text(
        text.replace("dependencies = []", 'dependencies = ["anyio>=4"]'), "utf-8"
    )
    found = check(monorepo.project.with_settings())
    lines = [str(each) for each in found.differences]
    assert lines == ["source tree packages/core: anyio>=4 is new"]
    with pytest.raises(LockFileOutdated):
        monorepo.project.sync(OPTIONS, members=("core",))
    monorepo.project.lock()
    assert check(monorepo.project.with_settings()).up_to_date
    assert "anyio" in monorepo.names(members=("core",))


def test_a_new_member_makes_the_lock_file_stale(monorepo: Monorepo) -> None:
    """It appears in a directory that a pattern matches."""
    monorepo.project.lock()
    source_tree(monorepo.root / "packages" / "cli", "cli", dependencies=["core"])
    assert not check(monorepo.project.with_settings()).up_to_date
    monorepo.project.lock()
    assert "cli" in monorepo.names(members=("cli",), no_default_groups=True)


def test_what_a_member_states_dynamically_is_compared_by_its_files(
    monorepo: Monorepo,
) -> None:
    """The version alone may change; a file that decides the build may not."""
    tree = source_tree(monorepo.root / "packages" / "dyn", "dyn", dynamic=True)
    monorepo.project.lock()
    assert check(monorepo.project.with_settings()).up_to_date
    (tree / "setup.cfg").write_text("[metadata]\n", "utf-8")
    found = check(monorepo.project.with_settings())
    assert "setup.cfg" in str(found.differences[0])
    monorepo.project.lock()
    assert check(monorepo.project.with_settings()).up_to_date


def test_a_version_of_a_member_is_not_compared(monorepo: Monorepo) -> None:
    """A release of a member needs no new lock, as that of the project itself."""
    monorepo.project.lock()
    core = monorepo.root / "packages" / "core" / "pyproject.toml"
    text = core.read_text("utf-8")
    core.write_text(text.replace('version = "1.0"', 'version = "1.1"'), "utf-8")
    assert check(monorepo.project.with_settings()).up_to_date


def test_a_path_source_that_requires_more_is_stale(monorepo: Monorepo) -> None:
    """What is true of members is true of every source on disk."""
    tree = source_tree(monorepo.root.parent / "lib", "lib")
    monorepo.write(
        '[tool.polylock.sources]\nlib = { path = "../lib" }\n'
        '[dependency-groups]\nuses = ["lib"]\n'
    )
    monorepo.project.lock()
    assert "lib" in monorepo.names(groups=("uses",))
    toml = tree / "pyproject.toml"
    text = toml.read_text("utf-8")
    toml.write_text(
        text.replace("dependencies = []", 'dependencies = ["h11"]'), "utf-8"
    )
    found = check(monorepo.project.with_settings())
    assert [str(each) for each in found.differences] == [
        "source tree ../lib: h11 is new"
    ]
    monorepo.project.lock()
    assert "h11" in monorepo.names(groups=("uses",))


def test_a_lock_file_without_its_trees_is_no_news(monorepo: Monorepo) -> None:
    """An image may have the project file and none of the sources."""
    tree = source_tree(monorepo.root.parent / "lib", "lib")
    monorepo.write(
        '[tool.polylock.sources]\nlib = { path = "../lib" }\n'
        '[dependency-groups]\nuses = ["lib"]\n'
    )
    monorepo.project.lock()
    tree.rename(tree.with_name("elsewhere"))
    assert check(monorepo.project.with_settings()).up_to_date


def test_the_root_is_found_from_a_member(
    monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its directory has no lock file and no environment of its own."""
    monorepo.project.lock()
    inside = monorepo.root / "packages" / "api" / "src"
    monkeypatch.chdir(inside)
    found = check(monorepo.project.with_settings(project=None))
    assert found.path == monorepo.project.lock_path
    assert found.up_to_date
    other = monorepo.root / "tools" / "x"
    other.mkdir(parents=True)
    (other / "pyproject.toml").write_text('[project]\nname = "x"\n', "utf-8")
    monkeypatch.chdir(other)
    with pytest.raises(ProjectError, match="no target is declared"):
        check(monorepo.project.with_settings(project=None))


def test_a_conflict_of_members_names_them(monorepo: Monorepo) -> None:
    """Both chains begin with the member."""
    monorepo.append(monorepo.root / "web", '[dependency-groups]\nold = ["h11<2"]\n')
    with pytest.raises(NoSolution) as caught:
        monorepo.project.lock()
    text = "\n".join(caught.value.explanation)
    assert "api 1.0 requires h11>=2" in text
    assert "web-old requires h11<2" in text


def test_each_member_has_a_cache_key(monorepo: Monorepo) -> None:
    """It changes if that member's packages do."""
    monorepo.project.lock()

    def key(**settings: object) -> str:
        return cache_keys(monorepo.project.with_settings(**settings))[0].key

    keys = {key(), key(members=("api",)), key(members=("web",))}
    assert len(keys) == 3
    before = key(members=("web",))
    core = monorepo.root / "packages" / "core" / "pyproject.toml"
    text = core.read_text("utf-8")
    core.write_text(
        text.replace("dependencies = []", 'dependencies = ["idna"]'), "utf-8"
    )
    monorepo.project.lock()
    assert key(members=("web",)) == before
    assert key(members=("api",)) not in keys


@pytest.mark.parametrize(
    ("members", "text", "problem"),
    [
        ('"packges/*"', "", "matches packges/"),
        ('"missing"', "", "missing has no pyproject.toml"),
        ('"../x"', "", "no path below the project file"),
        ("", "", "names no member"),
        ('"web"', "exclud = []", "is not a known key"),
        ('"web"', "[dependency-groups]\nweb = []", "stands for a member"),
        (
            '"packages/*"',
            '[tool.polylock.sources]\ncore = { path = "x" }',
            "is a member of the workspace",
        ),
    ],
)
def test_what_is_wrong_is_told(
    monorepo: Monorepo, members: str, text: str, problem: str
) -> None:
    """With the key of the workspace."""
    monorepo.write(text, members)
    with pytest.raises(ProjectError, match=problem):
        monorepo.project.lock()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[tool.polylock]\n", "where polylock does not read it"),
        ("[tool.uv.sources]\nidna = { index = 'x' }\n", "what polylock does not read"),
    ],
)
def test_what_a_member_may_not_state(
    monorepo: Monorepo, text: str, problem: str
) -> None:
    """It would be read by nobody."""
    monorepo.append(monorepo.root / "web", text)
    with pytest.raises(ProjectError, match=problem):
        monorepo.project.lock()


def test_sources_of_uv_that_name_members_have_their_counterpart(
    monorepo: Monorepo,
) -> None:
    """``{ workspace = true }`` is what a member is by its name here."""
    monorepo.append(
        monorepo.root / "packages" / "api",
        "[tool.uv.sources]\ncore = { workspace = true }\n",
    )
    monorepo.project.lock()
    assert "core" in monorepo.names(members=("api",))


def test_a_member_can_be_left_out(monorepo: Monorepo) -> None:
    """``exclude`` has patterns as well."""
    monorepo.write('exclude = ["packages/a*"]')
    monorepo.project.lock()
    with pytest.raises(NoSuchTarget):
        monorepo.names(members=("api",))


def test_a_member_that_is_a_list_cannot_be_required(monorepo: Monorepo) -> None:
    """An index might have another project of that name."""
    api = monorepo.root / "packages" / "api" / "pyproject.toml"
    text = api.read_text("utf-8")
    api.write_text(text.replace("'core'", "'web', 'core'"), "utf-8")
    with pytest.raises(ProjectError, match="api requires web, a member without"):
        monorepo.project.lock()


def test_extras_and_groups_of_a_member_are_remembered(monorepo: Monorepo) -> None:
    """A later sync without options changes nothing."""
    monorepo.project.lock()
    monorepo.names(members=("api",), extras=("fast",))
    assert monorepo.project.sync(OPTIONS).plan.is_empty
    monorepo.names(members=("core",), no_groups=("dev",))
    assert monorepo.project.sync(OPTIONS).plan.is_empty
