"""Requirements of a project by extra and by group."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.dependency_groups import DependencyGroupResolver

from polylock.errors import ProjectError
from polylock.model.inputs import RootRequirement
from polylock.model.requirements import Requirement

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.projects import Load
    from polylock.project.pyproject import ProjectFile

PROJECT = '[project]\nname = "Demo_App"\nversion = "1"\n'


def roots(project: ProjectFile) -> list[tuple[str, str]]:
    """Return each requirement as text, with its place."""
    return [
        (root.extra or root.group or root.target or "", str(root.requirement))
        for root in project.inputs.requirements
    ]


def failure(load: Load, text: str) -> ProjectError:
    """Return the error that loading the text raises."""
    with pytest.raises(ProjectError) as caught:
        load(text)
    return caught.value


def test_places(load: Load) -> None:
    """Requirements know whether an extra, a group, a target or nothing asks."""
    project = load(
        PROJECT + 'dependencies = ["NumPy >= 2"]\n'
        '[project.optional-dependencies]\nFast_Math = ["numba"]\n'
        '[dependency-groups]\nDev = ["pytest"]\n',
        targets='[tool.polylock.targets.box]\nplatform = "linux-x86_64"\n'
        'python = "3.12"\ndependencies = ["nvidia-ml-py"]\n',
    )
    assert project.inputs.requirements == (
        RootRequirement(requirement=Requirement("numpy", ">=2")),
        RootRequirement(requirement=Requirement("numba"), extra="fast-math"),
        RootRequirement(requirement=Requirement("pytest"), group="dev"),
        RootRequirement(requirement=Requirement("nvidia-ml-py"), target="box"),
    )
    assert project.name == "demo-app"
    assert project.inputs.extras == ("fast-math",)
    assert project.inputs.groups == ("dev",)


def test_a_target_of_each_python_has_the_dependencies(load: Load) -> None:
    """Each target that a list of Pythons makes has its table's dependencies."""
    project = load(
        PROJECT,
        targets='[tool.polylock.targets.box]\nplatform = "linux-x86_64"\n'
        'python = ["3.12", "3.13"]\ndependencies = ["six"]\n',
    )
    assert roots(project) == [("box-py312", "six"), ("box-py313", "six")]


def test_variant_markers(load: Load) -> None:
    """Variant markers are allowed in dependencies and in groups."""
    marker = "'nvidia' in variant_namespaces"
    text = (
        f'{PROJECT}dependencies = ["a; {marker}"]\n'
        f'[dependency-groups]\ndev = ["b; {marker}"]\n'
    )
    assert roots(load(text)) == [("", f"a; {marker}"), ("dev", f"b; {marker}")]


def test_repetitions_are_left_out(load: Load) -> None:
    """A requirement that is listed twice in one place counts once."""
    text = PROJECT + 'dependencies = ["a", "A", "b"]\n'
    assert roots(load(text)) == [("", "a"), ("", "b")]


GROUPS = """
[dependency-groups]
test = ["pytest", { include-group = "Base.Tools" }, "coverage"]
base-tools = ["ruff", { include-group = "deep" }]
deep = ["six"]
all = [{ include-group = "test" }, { include-group = "deep" }]
empty = []
"""


def test_included_groups_stand_in_place(load: Load) -> None:
    """``include-group`` is replaced by the group's requirements (PEP 735)."""
    test = [text for group, text in roots(load(GROUPS)) if group == "test"]
    assert test == ["pytest", "ruff", "six", "coverage"]


@pytest.mark.parametrize("group", ["test", "base-tools", "deep", "all", "empty"])
def test_groups_agree_with_packaging(load: Load, group: str) -> None:
    """A group has the requirements that ``packaging`` finds, each once."""
    resolver = DependencyGroupResolver(tomllib.loads(GROUPS)["dependency-groups"])
    expected = dict.fromkeys(str(item) for item in resolver.resolve(group))
    assert [text for found, text in roots(load(GROUPS)) if found == group] == list(
        expected
    )


def test_without_project_table(load: Load) -> None:
    """A file with groups and without ``[project]`` can be locked."""
    project = load('[dependency-groups]\ndev = ["pytest"]\n')
    assert project.name is None
    assert project.inputs.requires_python == ""
    assert roots(project) == [("dev", "pytest")]


def test_reference_to_own_extra(load: Load) -> None:
    """The project's own name with extras stands for the requirements of the extras."""
    text = (
        PROJECT + 'dependencies = ["demo-app[net]"]\n'
        "[project.optional-dependencies]\n"
        'net = ["httpx"]\nfast = ["numba; os_name == \'posix\'"]\n'
        'all = ["demo.app[net,fast]; python_version >= \'3.12\'", "six"]\n'
        '[dependency-groups]\ndev = ["demo-app[fast]", "pytest"]\n'
    )
    late = "python_version >= '3.12'"
    assert roots(load(text)) == [
        ("", "httpx"),
        ("net", "httpx"),
        ("fast", "numba; os_name == 'posix'"),
        ("all", f"numba; os_name == 'posix' and {late}"),
        ("all", f"httpx; {late}"),
        ("all", "six"),
        ("dev", "numba; os_name == 'posix'"),
        ("dev", "pytest"),
    ]


def test_extras_in_a_circle(load: Load) -> None:
    """Extras that refer to each other have the same requirements."""
    text = (
        PROJECT + "[project.optional-dependencies]\n"
        'a = ["demo-app[b]", "six"]\nb = ["demo-app[a,b]; os_name == \'nt\'", "idna"]\n'
    )
    assert roots(load(text)) == [
        ("a", "idna"),
        ("a", "six"),
        ("b", "six; os_name == 'nt'"),
        ("b", "idna"),
    ]


def test_requires_python_is_normalized(load: Load) -> None:
    """``requires-python`` is written in one way whatever the order in the file."""
    one = load(PROJECT + 'requires-python = "<4, >=3.11"\n').inputs.requires_python
    assert (
        one == load(PROJECT + 'requires-python = ">=3.11,<4"\n').inputs.requires_python
    )
    assert one == "<4,>=3.11"


DEPENDENCIES = "project.dependencies"
EXTRAS = "project.optional-dependencies"


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ('[project]\nversion = "1"\n', "project.name", "is missing"),
        ("[project]\nname = 1\n", "project.name", "must be a string, not an integer"),
        ('[project]\nname = "-x"\n', "project.name", "'-x' is not a valid name"),
        ('project = "x"\n', "project", "must be a table, not a string"),
        (PROJECT + 'dependencies = "a"\n', DEPENDENCIES, "must be an array"),
        (
            PROJECT + 'dependencies = ["a", "b", "c ~~ 1"]\n',
            f"{DEPENDENCIES}[2]",
            "'c ~~ 1' is not a requirement",
        ),
        (PROJECT + "dependencies = [1]\n", f"{DEPENDENCIES}[0]", "not an integer"),
        (
            PROJECT + "dependencies = [\"a; 'x' in extras\"]\n",
            f"{DEPENDENCIES}[0]",
            "the marker extras of",
        ),
        (
            PROJECT + "dependencies = [\"a; os_name == 'nt' or "
            "(os_name == 'posix' and 'x' in dependency_groups)\"]\n",
            f"{DEPENDENCIES}[0]",
            "the marker dependency_groups of",
        ),
        (
            PROJECT + "dependencies = [\"a; os_nam == 'nt'\"]\n",
            f"{DEPENDENCIES}[0]",
            "is not a requirement",
        ),
        (
            PROJECT + 'dependencies = ["demo-app[x]"]\n',
            f"{DEPENDENCIES}[0]",
            "the project has no extra x",
        ),
        (
            PROJECT + f'[{EXTRAS}]\na = ["demo-app[b]"]\n',
            f"{EXTRAS}.a[0]",
            "the project has no extra b",
        ),
        (
            PROJECT + f"[{EXTRAS}]\na_b = []\nA-B = []\n",
            f"{EXTRAS}.A-B",
            "the extra a-b is declared twice",
        ),
        (
            PROJECT + f'[{EXTRAS}]\n"a b" = []\n',
            f'{EXTRAS}."a b"',
            "is not a valid name",
        ),
        (
            PROJECT + 'requires-python = "3.11"\n',
            "project.requires-python",
            "is not a version specifier",
        ),
        (
            '[dependency-groups]\na = [{ include-group = "bb" }]\nbbb = []\n',
            "dependency-groups.a[0].include-group",
            "there is no group bb",
        ),
        (
            "[dependency-groups]\na = [{ include = 'b' }]\n",
            "dependency-groups.a[0]",
            "has the one key include-group",
        ),
        (
            "[dependency-groups]\na = [{ include-group = 1 }]\n",
            "dependency-groups.a[0].include-group",
            "not an integer",
        ),
        (
            "[dependency-groups]\nb = ['x', { include-group = 'b' }]\n",
            "dependency-groups.b[1]",
            "include each other: b -> b",
        ),
        ("[dependency-groups]\na = ['x', '?']\n", "dependency-groups.a[1]", "'?'"),
        ("[dependency-groups]\na = 'x'\n", "dependency-groups.a", "must be an array"),
        ("[dependency-groups]\na = []\nA = []\n", "dependency-groups.A", "twice"),
        ("dependency-groups = []\n", "dependency-groups", "must be a table"),
    ],
)
def test_faults_name_their_key(load: Load, text: str, key: str, problem: str) -> None:
    """An error has the key path of its value."""
    error = failure(load, text)
    assert (error.key, problem in error.problem) == (key, True), error


def test_circle_of_groups(load: Load) -> None:
    """Groups that include each other are refused, with the way round."""
    text = "[dependency-groups]\na = [{ include-group = 'b' }]\n"
    error = failure(load, text + "b = ['x', { include-group = 'a' }]\n")
    assert error.key == "dependency-groups.b[1]"
    assert error.problem.endswith("include each other: a -> b -> a")


@pytest.mark.parametrize(
    "requirement",
    [
        "torch @ https://user:secret@wheels.example.com/torch",
        "torch @ hg+https://user:secret@hg.example.com/torch",
        "torch @ https://user:secret@wheels.example.com/torch.zip#sha256=1",
        "torch @ git+https://user:secret@git.example.com/torch.git@-x",
        "./torch",
        "../torch",
        "git+https://user:secret@git.example.com/torch.git",
    ],
)
def test_references_that_mean_nothing_are_refused(load: Load, requirement: str) -> None:
    """Each is named with its place, and its password is not repeated."""
    error = failure(load, f'{PROJECT}dependencies = ["{requirement}"]\n')
    assert error.key == "project.dependencies[0]"
    assert "torch" in error.problem
    assert "secret" not in str(error)


def test_a_file_url_becomes_relative(load: Load, tmp_path: Path) -> None:
    """The lock file is to say the same on every machine; the fragment stays."""
    url = (tmp_path / "a b" / "torch").as_uri()
    text = f'dependencies = ["torch @ git+{url}@v1#subdirectory=x"]\n'
    (root,) = load(PROJECT + text).inputs.requirements
    found = root.requirement.url
    assert found is not None
    assert found.startswith("git+file:")
    assert not found.startswith("git+file:/")
    assert found.endswith("a%20b/torch@v1#subdirectory=x")


@pytest.mark.parametrize(
    "name", ["dependencies", "optional-dependencies", "requires-python"]
)
def test_dynamic_metadata_is_refused(load: Load, name: str) -> None:
    """Dynamic fields cannot be read without a build backend, and the error says so."""
    error = failure(load, f'{PROJECT}dynamic = ["version", "{name}"]\n')
    assert error.key == "project.dynamic"
    assert f"{name} is dynamic" in error.problem
    assert error.hint() == f"write {name} in [project] and take it out of dynamic"


@pytest.mark.parametrize("name", ["optional-dependencies", "requires-python"])
def test_a_backend_is_asked_for_dependencies_alone(load: Load, name: str) -> None:
    """Of extras and Pythons the project file has to tell."""
    system = "[build-system]\nrequires = []\n"
    error = failure(load, f'{PROJECT}dynamic = ["dependencies", "{name}"]\n{system}')
    assert f"{name} is dynamic" in error.problem
    assert load(f'{PROJECT}dynamic = ["dependencies"]\n{system}').is_dynamic


def test_other_dynamic_metadata_does_not_matter(load: Load) -> None:
    """A dynamic version does not hinder: the lock does not hold it."""
    project = load('[project]\nname = "a"\ndynamic = ["version"]\n')
    assert project.name == "a"


def test_misspelled_own_extra_is_suggested(load: Load) -> None:
    """A reference to an unknown extra of the project shows the close one."""
    text = PROJECT + f'dependencies = ["demo-app[gpuu]"]\n[{EXTRAS}]\ngpu = []\n'
    assert failure(load, text).hint() == "did you mean gpu?"


def test_fault_in_a_target(load: Load) -> None:
    """An error in a direct reference of a target names the target's table."""
    with pytest.raises(ProjectError) as caught:
        load(
            PROJECT,
            targets='[tool.polylock.targets.box]\nplatform = "linux-x86_64"\n'
            'python = ["3.12"]\ndependencies = ["a @ https://example.com/a"]\n',
        )
    assert caught.value.key == "tool.polylock.targets.box.dependencies[0]"
