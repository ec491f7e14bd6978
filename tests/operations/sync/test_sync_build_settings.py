"""Builds that need torch, with what is locked for the target; settings of builds."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from fakes.sdists import in_tree
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.environment.discovery import environment_python
from polylock.errors import BuildFailed
from polylock.operations.inspect.check import check
from polylock.operations.lock.request import LockRequest
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path

STATIC = (
    "Metadata-Version: 2.2\nName: flash-attn\nVersion: 2.8.3\nRequires-Dist: torch\n\n"
)


class World:
    """A project with two targets, each with another build of torch from its index."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.files = tmp_path / "files"
        self.directory = tmp_path / "project"
        self.indexes = {
            name: Index(server, f"/{name}") for name in ("all", "cuda", "plain")
        }
        for index, local in (("cuda", "cu130"), ("plain", "cpu")):
            self.add_torch(index, f"2.9.1+{local}")
        self.project = Project(directory=self.directory)

    def add_torch(self, index: str, *versions: str) -> None:
        """Put versions of torch on an index."""
        wheels = [
            build_wheel(self.files, "torch", version, requires=["sympy==1.14.0"])
            for version in versions
        ]
        self.indexes[index].add("torch", wheels)

    def add(self, name: str, *files: Path) -> None:
        """Put files of a project on the index for all others."""
        self.indexes["all"].add(name, files)

    def write(self, dependencies: str, *keys: str) -> None:
        """Write the project file; ``keys`` are those of ``[tool.polylock]``."""
        here = this_target()
        tables = "".join(
            f'[[tool.polylock.index]]\nname = "{name}"\nurl = "{index.url}"\n'
            + ("" if name == "all" else "explicit = true\n")
            for name, index in self.indexes.items()
        )
        self.project.write(
            f'[project]\nname = "app"\nversion = "1"\ndependencies = {dependencies}\n'
            "[tool.polylock]\n"
            + "\n".join(keys)
            + f"\n{tables}[tool.polylock.sources]\ntorch = [\n"
            + '{ index = "cuda", targets = ["gpu"] },\n'
            + '{ index = "plain", targets = ["here"] },\n]\n'
            + f"{here}{here.replace('targets.here', 'targets.gpu')}"
        )

    def sync(self, target: str) -> None:
        """Sync a target into an environment of its own."""
        options = SyncOptions(search_path=os.environ.get("PATH", ""))
        self.project.sync(options, target=target, venv=self.directory / target)

    def run(self, target: str, program: str) -> str:
        """Run a program in the environment of a target."""
        python = environment_python(self.directory / target)
        done = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return the project, and flash-attn, which imports torch while it is built."""
    found = World(server, tmp_path)
    found.add("sympy", build_wheel(found.files, "sympy", "1.14.0"))
    found.add(
        "flash-attn",
        in_tree(found.files, "flash-attn", "2.8.3", imports=["torch"], pkg_info=STATIC),
    )
    return found


BUILT_WITH = "from flash_attn import torch; print(torch.imported)"
EXTRA = 'extra-build-dependencies = { flash-attn = ["torch"] }'


def test_a_build_gets_the_torch_that_is_locked_for_its_target(world: World) -> None:
    """Two targets, two builds, each with the build of torch that it will run with."""
    world.write('["flash-attn"]', EXTRA)
    world.project.lock()
    world.sync("gpu")
    world.sync("here")
    assert world.run("gpu", BUILT_WITH) == "2.9.1+cu130"
    assert world.run("here", BUILT_WITH) == "2.9.1+cpu"


def test_without_the_setting_the_build_lacks_torch(world: World) -> None:
    """As the authors of the project made it."""
    world.write('["flash-attn"]')
    world.project.lock()
    with pytest.raises(BuildFailed) as caught:
        world.sync("here")
    assert any("torch" in line for line in caught.value.output)


def test_it_is_built_again_for_another_torch_and_only_then(
    world: World, server: Server
) -> None:
    """The installed wheel was made for the torch that was locked before."""
    world.write('["flash-attn"]', EXTRA)
    world.project.lock()
    world.sync("here")
    before = len(server.log)
    world.sync("here")
    assert len(server.log) == before
    world.add_torch("plain", "2.9.1+cpu", "2.10.0+cpu")
    world.add_torch("cuda", "2.9.1+cu130", "2.10.0+cu130")
    world.project.lock(LockRequest(upgrade=True), refresh=True)
    world.sync("here")
    assert world.run("here", BUILT_WITH) == "2.10.0+cpu"


def test_a_build_system_that_asks_for_torch_gets_the_locked_one(world: World) -> None:
    """Also if the index for builds has none, and one that does not suffice is told."""
    world.add(
        "xformers",
        in_tree(
            world.files,
            "xformers",
            "0.0.33",
            requires=["torch>=2"],
            imports=["torch"],
            pkg_info=STATIC.replace("flash-attn", "xformers").replace(
                "2.8.3", "0.0.33"
            ),
        ),
        in_tree(
            world.files,
            "xformers",
            "0.0.32",
            requires=["torch<2"],
            imports=["torch"],
            pkg_info=STATIC.replace("flash-attn", "xformers").replace(
                "2.8.3", "0.0.32"
            ),
        ),
    )
    extra = 'extra-build-dependencies = { xformers = ["torch"] }'
    world.write('["xformers"]', extra)
    world.project.lock()
    world.sync("gpu")
    program = "from xformers import torch; print(torch.imported)"
    assert world.run("gpu", program) == "2.9.1+cu130"
    world.write('["xformers<0.0.33"]', extra)
    world.project.lock()
    with pytest.raises(BuildFailed) as caught:
        world.sync("gpu")
    assert caught.value.output == (
        "torch<2 is required, and torch 2.9.1+cu130 is locked",
    )


def test_without_isolation_a_build_sees_all_that_is_locked(world: World) -> None:
    """And nothing else: its own build requirements are not installed."""
    world.add(
        "apex",
        in_tree(
            world.files,
            "apex",
            "1.0",
            requires=["nowhere"],
            imports=["torch", "sympy"],
            pkg_info=STATIC.replace("flash-attn", "apex").replace("2.8.3", "1.0"),
        ),
    )
    world.write('["apex"]', 'no-build-isolation-package = ["apex"]')
    world.project.lock()
    world.sync("gpu")
    program = "from apex import torch, sympy; print(torch.imported, sympy.imported)"
    assert world.run("gpu", program) == "2.9.1+cu130 1.14.0"


def test_a_lock_without_isolation_needs_metadata(world: World) -> None:
    """Nothing is locked yet, so the backend could see nothing."""
    world.add("apex", in_tree(world.files, "apex", "1.0", imports=["torch"]))
    keys = ('no-build-isolation-package = ["apex"]', 'build-package = ["apex"]')
    world.write('["apex"]', *keys)
    with pytest.raises(BuildFailed, match="without isolation") as caught:
        world.project.lock()
    assert "dependency-metadata" in str(caught.value.hint())
    stated = 'dependency-metadata = [{ name = "apex", requires-dist = ["torch"] }]'
    world.write('["apex"]', *keys, stated)
    # The backend says something else, which nobody asks.
    world.project.lock()
    names = {each.name for each in world.project.pylock.packages}
    assert names == {"apex", "torch", "sympy"}


def test_stated_metadata_locks_what_may_not_be_built(world: World) -> None:
    """No backend runs while locking; that of the version comes before the general."""
    world.add(
        "old",
        in_tree(world.files, "old", "1.0", built_requires=["missing"]),
        in_tree(world.files, "old", "2.0", built_requires=["missing"]),
    )
    world.write(
        '["old"]',
        "dependency-metadata = [",
        '{ name = "old", requires-dist = ["missing"] },',
        '{ name = "Old", version = "2", requires-dist = ["sympy>=1"] },',
        "]",
    )
    world.project.lock()
    found = {each.name: each.version for each in world.project.pylock.packages}
    assert found == {"old": "2.0", "sympy": "1.14.0"}


def test_config_settings_reach_the_backend(world: World) -> None:
    """Those of the project come before those of all; another value builds again."""
    world.add(
        "demo",
        in_tree(
            world.files,
            "demo",
            "1.0",
            pkg_info=STATIC.replace("flash-attn", "demo")
            .replace("2.8.3", "1.0")
            .replace("Requires-Dist: torch\n", ""),
        ),
    )
    program = "import demo; print(demo.built['settings'])"
    world.write('["demo"]')
    world.project.lock()
    world.sync("here")
    assert world.run("here", program) == "None"
    of_all = 'config-settings = { mode = "slow", "--flag" = ["a", "b"] }'
    world.write(
        '["demo"]', of_all, 'config-settings-package = { demo = { mode = "fast" } }'
    )
    world.project.lock()
    world.sync("here")
    found = world.run("here", program)
    assert found == "{'--flag': ['a', 'b'], 'mode': 'fast'}"


def test_a_lock_file_alone_says_how_to_build(world: World) -> None:
    """As in an image without the project file."""
    world.write('["flash-attn"]', EXTRA)
    world.project.lock()
    (world.directory / "pyproject.toml").unlink()
    settings = world.project.settings
    settings |= {"project": None, "lock_file": world.project.lock_path}
    world.sync("gpu")
    assert world.run("gpu", BUILT_WITH) == "2.9.1+cu130"


def test_check_reports_each_changed_setting(world: World) -> None:
    """One line each, and none for another order or spelling."""
    world.write(
        '["flash-attn"]',
        'extra-build-dependencies = { flash-attn = ["torch", "ninja"] }',
        'config-settings = { a = "1", b = "2" }',
        'dependency-metadata = [{ name = "x", requires-dist = ["y"] }]',
    )
    world.project.lock()
    world.write(
        '["flash-attn"]',
        'extra-build-dependencies = { Flash_Attn = ["ninja", "torch"] }',
        'config-settings = { b = "2", a = "1" }',
        'dependency-metadata = [{ name = "X", requires-dist = ["Y"] }]',
    )
    assert check(world.project.with_settings()).differences == ()
    world.write(
        '["flash-attn"]',
        EXTRA,
        'config-settings = { a = "1", b = "3" }',
        'no-build-isolation-package = ["apex"]',
        'config-settings-package = { apex = { c = ["d"] } }',
    )
    found = check(world.project.with_settings()).differences
    assert [str(each) for each in found] == [
        "setting config-settings b is 3, locked as 2",
        "setting config-settings-package of apex, c is [d], locked as not set",
        "setting dependency-metadata of x is not set, locked as requires y",
        (
            "setting extra-build-dependencies of flash-attn is torch, locked as "
            "ninja, torch"
        ),
        "setting no-build-isolation-package apex is set, locked as not set",
    ]
