"""Projects that must be built to be locked: all are named, and allowed in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.sdists import in_tree
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, Spy
from polylock.errors import BuildsNeeded, NoSolution, ProjectError, UsageError
from polylock.operations.edit.builds import lock_with_builds
from polylock.operations.lock.request import LockRequest

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.operations.lock.lock import LockOutcome

HEAD = """\
[project]
name = "app"
version = "1"
dependencies = [{}]

[tool.polylock]
python = "3.12"  # as on the servers
{}
[tool.polylock.targets.linux]
platform = "linux-x86_64"

[tool.polylock.targets.mac]
platform = "macos-arm64"
"""


class World:
    """An index with projects that are built, some of them for one target alone."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.index = Index(server)
        self.files = tmp_path / "files"
        self.project = Project(directory=tmp_path / "project", index_url=self.index.url)
        self.add("promise", in_tree(self.files, "promise", "2.3"))
        self.add(
            "datasets",
            build_wheel(
                self.files,
                "datasets",
                "4.9",
                requires=["promise", "colour; sys_platform == 'darwin'", "plain"],
            ),
        )
        self.add("plain", build_wheel(self.files, "plain", "1.0"))
        self.add("spark", in_tree(self.files, "spark", "4.0", built_requires=["py4j"]))
        self.add("py4j", in_tree(self.files, "py4j", "0.10"))
        wheel = build_wheel(
            self.files, "colour", "1.0", tag="py3-none-manylinux_2_17_x86_64"
        )
        self.add("colour", wheel, in_tree(self.files, "colour", "1.0"))

    def add(self, name: str, *files: Path) -> None:
        """Put files of a project on the index."""
        self.index.add(name, files)

    def write(self, dependencies: str, keys: str = "") -> str:
        """Write the project file; return its text."""
        text = HEAD.format(dependencies, keys)
        self.project.write(text)
        return text

    def read(self) -> str:
        """Return the text of the project file."""
        return (self.project.directory / "pyproject.toml").read_text("utf-8")

    def lock(self, *names: str, spy: Spy | None = None) -> LockOutcome:
        """Lock and allow builds."""
        settings = self.project.with_settings()
        return lock_with_builds(settings, LockRequest(), names, spy or Spy())


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return the index and the project."""
    return World(server, tmp_path)


def test_all_projects_of_all_targets_are_named_at_once(world: World) -> None:
    """One command allows them; what they require is known after they were built."""
    world.write('"datasets", "spark"')
    with pytest.raises(BuildsNeeded) as caught:
        world.project.lock()
    error = caught.value
    assert error.projects == ("colour", "promise", "spark")
    assert str(error) == "no solution for target linux"
    assert error.explanation[-1] == (
        "3 projects must be built to be locked: colour 1.0 on mac, promise 2.3, "
        "spark 4.0"
    )
    assert error.hint() == (
        "`polylock lock --allow-build colour --allow-build promise "
        "--allow-build spark` names them in build-package, so that the build backend "
        "may run on your machine"
    )


def test_what_is_allowed_is_written_and_locked(world: World) -> None:
    """Comments and layout stay; a second lock needs nothing."""
    text = world.write('"datasets"')
    world.lock("Promise", "colour")
    assert world.read() == text.replace(
        "# as on the servers\n\n",
        '# as on the servers\nbuild-package = [\n    "promise",\n    "colour",\n]\n\n',
    )
    names = {each.name for each in world.project.pylock.packages}
    assert names == {"colour", "datasets", "plain", "promise"}
    assert not world.project.lock().changed


def test_a_further_project_is_asked_for_with_the_others(world: World) -> None:
    """The build of spark tells that it requires py4j; the file is as before."""
    text = world.write('"spark"')
    with pytest.raises(BuildsNeeded) as caught:
        world.lock("spark")
    assert caught.value.projects == ("py4j",)
    assert "--allow-build py4j --allow-build spark`" in caught.value.hint()
    assert world.read() == text
    world.lock("spark", "py4j")
    assert len(world.project.pylock.packages) == 2


def test_the_file_is_as_before_if_the_lock_fails(world: World) -> None:
    """Whatever it fails for."""
    text = world.write('"promise", "plain>=2"')
    with pytest.raises(NoSolution) as caught:
        world.lock("promise")
    assert not isinstance(caught.value, BuildsNeeded)
    assert world.read() == text
    text = world.write('"promise"', 'no-build-package = ["promise"]')
    with pytest.raises(ProjectError, match="is in build-package too"):
        world.lock("promise")
    assert world.read() == text


def test_a_script_is_edited_by_hand(world: World) -> None:
    """The message has the line to write into its block."""
    script = world.project.directory / "train.py"
    world.write("")
    script.write_text("# /// script\n# ///\n", "utf-8")
    settings = world.project.with_settings(project=script)
    with pytest.raises(UsageError, match=r"does not edit train\.py") as caught:
        lock_with_builds(settings, LockRequest(), ["promise"], Spy())
    assert caught.value.advice == 'write in its block: build-package = ["promise"]'


def test_a_dry_run_writes_nothing(world: World) -> None:
    """The lock file is not written either."""
    text = world.write('"promise"')
    settings = world.project.with_settings()
    found = lock_with_builds(settings, LockRequest(dry_run=True), ["promise"], Spy())
    assert found.changed
    assert world.read() == text
    assert not world.project.lock_path.exists()


def test_names_are_added_once(world: World) -> None:
    """In any spelling; other entries stay where they are."""
    text = world.write('"promise"', 'build-package = ["zope", "PROMISE"]')
    world.lock("promise")
    assert world.read() == text


def test_a_name_that_no_target_installs_is_told(world: World) -> None:
    """It is written all the same, as the user said."""
    world.write('"plain"')
    spy = Spy()
    world.lock("promise", spy=spy)
    assert spy.warnings == [
        "--allow-build promise has no effect: no target installs promise"
    ]
    with pytest.raises(UsageError, match="'a/b' is not a valid name"):
        world.lock("a/b")


def test_another_cause_is_told_as_before(world: World) -> None:
    """A build would not help where a requirement cannot be met anyway."""
    world.write('"promise", "plain>=2"')
    with pytest.raises(NoSolution) as caught:
        world.project.lock()
    assert not isinstance(caught.value, BuildsNeeded)
    assert any("plain" in line for line in caught.value.explanation)


def test_a_prohibition_is_no_question(world: World) -> None:
    """``build = "none"`` and ``no-build-package`` are decisions."""
    for keys in ('build = "none"', 'no-build-package = ["promise"]'):
        world.write('"promise"', keys)
        with pytest.raises(NoSolution) as caught:
            world.project.lock()
        assert not isinstance(caught.value, BuildsNeeded)


def test_an_older_wheel_is_not_taken_in_its_place_in_silence(world: World) -> None:
    """A note says what is newer, and what would have to be built."""
    world.add(
        "old",
        build_wheel(world.files, "old", "1.0"),
        in_tree(world.files, "old", "2.0"),
    )
    world.write('"old"')
    outcome = world.project.lock()
    (note,) = outcome.notes
    assert (note.project, note.versions) == ("old", ("1.0",))
    assert note.key == "tool.polylock.build-package"
    world.lock("old")
    (package,) = world.project.pylock.packages
    assert package.version == "2.0"
