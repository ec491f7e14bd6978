"""Edits of a project file keep what they do not change."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from polylock.errors import ProjectError, UsageError
from polylock.project.edit import add_dependency, add_target, init, remove_dependency

FULL = """\
# A project.
[project]
name = "demo"   # its name
dependencies = [
    "torch>=2.9",  # the model
    # arrays
    "numpy",
]

[project.optional-dependencies]
Fast_Math = ["numba"]

[dependency-groups]
dev = ["pytest", { include-group = "lint" }]
lint = []

[tool.polylock]
python = "3.12"

[tool.polylock.targets.h100]  # a GPU
platform = "linux-x86_64"

[tool.other]
x = 1
"""


def changed(before: str, after: str) -> list[str]:
    """Return the lines that only the text after the edit has."""
    old = before.splitlines()
    return [line for line in after.splitlines() if line not in old]


def test_add_to_the_project() -> None:
    """A requirement is added at the end of the list, nothing else changes."""
    text = add_dependency(FULL, ["scipy>=1.15", "six"])
    assert changed(FULL, text) == ['    "scipy>=1.15",', '    "six",']
    assert text == FULL.replace(
        '    "numpy",\n', '    "numpy",\n    "scipy>=1.15",\n    "six",\n'
    )


def test_add_replaces_in_place() -> None:
    """A requirement of the same project is replaced, its comment stays."""
    text = add_dependency(FULL, ["Torch==2.10"])
    assert text == FULL.replace('"torch>=2.9"', '"Torch==2.10"')


def test_add_of_a_bare_name_that_is_there() -> None:
    """A bare name changes nothing where the project is required already."""
    assert add_dependency(FULL, ["torch"]) == FULL


def test_add_under_another_marker() -> None:
    """Requirements of one project under different markers stand side by side."""
    text = add_dependency(FULL, ["torch<2; os_name == 'nt'"])
    assert tomllib.loads(text)["project"]["dependencies"] == [
        "torch>=2.9",
        "numpy",
        "torch<2; os_name == 'nt'",
    ]


@pytest.mark.parametrize(
    ("place", "before", "after"),
    [
        ({"extra": "fast-math"}, '["numba"]', '["numba", "six"]'),
        (
            {"group": "Dev"},
            '{ include-group = "lint" }]',
            '{ include-group = "lint" }, "six"]',
        ),
        ({"group": "lint"}, "lint = []", 'lint = [\n    "six",\n]'),
        (
            {"group": "Docs"},
            "lint = []\n",
            'lint = []\ndocs = [\n    "six",\n]\n',
        ),
        (
            {"extra": "Net"},
            '["numba"]\n',
            '["numba"]\nnet = [\n    "six",\n]\n',
        ),
        (
            {"target": "h100"},
            'platform = "linux-x86_64"\n',
            'platform = "linux-x86_64"\ndependencies = [\n    "six",\n]\n',
        ),
    ],
)
def test_add_elsewhere(place: dict[str, str], before: str, after: str) -> None:
    """A group, an extra or a target is found by its normalized name, or made."""
    assert add_dependency(FULL, ["six"], **place) == FULL.replace(before, after)


def test_add_to_a_file_without_the_table() -> None:
    """A missing table is made after what is there."""
    text = add_dependency('[project]\nname = "a"\n', ["six"], group="dev")
    assert text == (
        '[project]\nname = "a"\n\n[dependency-groups]\ndev = [\n    "six",\n]\n'
    )


def test_remove() -> None:
    """A project is removed by name; comments on other lines stay."""
    text = remove_dependency(FULL, ["NumPy"])
    assert tomllib.loads(text)["project"]["dependencies"] == ["torch>=2.9"]
    assert changed(FULL, text) == []
    assert "# the model" in text


def test_remove_every_marker() -> None:
    """All requirements of the project go, whatever their markers."""
    text = add_dependency(FULL, ["torch<2; os_name == 'nt'"])
    text = remove_dependency(text, ["torch", "numpy"])
    assert tomllib.loads(text)["project"]["dependencies"] == []


def test_remove_from_a_group() -> None:
    """Removing a requirement keeps included groups."""
    text = remove_dependency(FULL, ["pytest"], group="dev")
    groups = tomllib.loads(text)["dependency-groups"]
    assert groups["dev"] == [{"include-group": "lint"}]


def test_remove_what_is_not_there() -> None:
    """What is not required cannot be removed; the close name is suggested."""
    with pytest.raises(ProjectError, match="nump is not required here") as caught:
        remove_dependency(FULL, ["nump"])
    assert caught.value.key == "project.dependencies"
    assert caught.value.hint() == "did you mean numpy?"
    with pytest.raises(ProjectError) as caught:
        remove_dependency(FULL, ["six"], group="none")
    assert caught.value.key == "dependency-groups.none"


def test_add_target() -> None:
    """A target is added after the others, with its tables on one line."""
    table = {
        "platform": "linux-x86_64",
        "nvidia": {"driver": "13.0", "compute": ["9.0"]},
        "python": ["3.12", "3.13"],
        "amd": False,
    }
    text = add_target(FULL, "second", table)
    new = (
        "[tool.polylock.targets.second]\n"
        'platform = "linux-x86_64"\n'
        'nvidia = {driver = "13.0", compute = ["9.0"]}\n'
        'python = ["3.12", "3.13"]\namd = false\n\n'
    )
    assert text == FULL.replace("[tool.other]", f"{new}[tool.other]")
    targets = tomllib.loads(text)["tool"]["polylock"]["targets"]
    assert list(targets) == ["h100", "second"]
    assert targets["second"] == table


def test_add_first_target() -> None:
    """The first target is declared at the end of the file."""
    text = add_target('[project]\nname = "a"\n', "cpu", {"preset": "linux-x86_64"})
    assert text == (
        '[project]\nname = "a"\n\n'
        '[tool.polylock.targets.cpu]\npreset = "linux-x86_64"\n'
    )


def test_add_target_to_inline_tables() -> None:
    """Targets that stand in an inline table get the new one there."""
    text = add_target(
        "tool.polylock.targets = {a = {tpu = true}}\n", "b", {"tpu": False}
    )
    targets = tomllib.loads(text)["tool"]["polylock"]["targets"]
    assert targets == {"a": {"tpu": True}, "b": {"tpu": False}}


def test_add_target_among_scattered_tables() -> None:
    """The new target is the last in priority however the tables are scattered."""
    before = (
        "[tool.polylock.targets.a]\ntpu = true\n[project]\nname = 'x'\n"
        "[tool.polylock]\npython = '3.12'\n[tool.polylock.targets.b]\ntpu = true\n"
    )
    targets = tomllib.loads(add_target(before, "c", {"tpu": False}))["tool"]["polylock"]
    assert list(targets["targets"]) == ["a", "b", "c"]


def test_edit_that_is_not_safe() -> None:
    """Where the layout would lose data, the edit is refused rather than written."""
    before = (
        "[tool.polylock.targets.b]\ntpu = true\n[project]\nname = 'x'\n"
        "[tool.polylock.targets]\n[tool.polylock.targets.a]\ntpu = true\n"
        "[dependency-groups]\n[tool.polylock]\npython = '3.12'\n"
    )
    with pytest.raises(ProjectError, match="cannot be edited safely") as caught:
        add_target(before, "c", {"tpu": False})
    assert "by hand" in (caught.value.hint() or "")


def test_add_target_that_exists() -> None:
    """A target is not overwritten."""
    with pytest.raises(ProjectError, match="is declared already") as caught:
        add_target(FULL, "h100", {})
    assert caught.value.key == "tool.polylock.targets.h100"


def test_init_of_a_new_file() -> None:
    """A new file has a project and its targets."""
    text = init(
        None,
        name="Demo",
        requires_python=">=3.12",
        targets={"cpu": {"preset": "linux-x86_64", "python": "3.12"}},
    )
    assert text == (
        '[project]\nname = "Demo"\nversion = "0.1.0"\nrequires-python = ">=3.12"\n'
        "dependencies = []\n\n"
        '[tool.polylock.targets.cpu]\npreset = "linux-x86_64"\npython = "3.12"\n'
    )


def test_init_of_a_file_that_is_there() -> None:
    """A file with a project or groups gets targets alone; others keep their tables."""
    target = {"cpu": {"tpu": False}}
    text = init(FULL, name="x", requires_python=">=3", targets=target)
    assert changed(FULL, text) == ["[tool.polylock.targets.cpu]", "tpu = false"]
    ruff = "# settings\n[tool.ruff]\nline-length = 88\n"
    text = init(ruff, name="x", requires_python=">=3", targets=target)
    assert text.startswith(ruff)
    assert tomllib.loads(text)["project"]["name"] == "x"


@pytest.mark.parametrize("name", ["-x", "", "a b"])
def test_init_with_a_bad_name(name: str) -> None:
    """A name that no project may have is refused."""
    with pytest.raises(UsageError, match="is not a valid name of a project"):
        init(None, name=name, requires_python=">=3", targets={})


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_newlines_and_byte_order_mark_are_kept(newline: str, mark: str) -> None:
    """The file's kind of line end and its byte order mark stay."""
    text = mark + FULL.replace("\n", newline)
    edited = add_dependency(text, ["six"])
    assert edited.replace(newline, "\n") == mark + add_dependency(FULL, ["six"])
    assert edited.count("\r\n") == (edited.count("\n") if newline == "\r\n" else 0)


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        ("six >> 1", "'six >> 1' is not a requirement"),
        ("six @ file:///six.zip", "six is a file on this machine"),
        ("six @ ftp://example.com/six-1.0.zip", "six is a direct reference, and"),
        ("git+https://me:secret@example.com/six.git", "a URL alone"),
        ("https://example.com/six-1.0.zip", "a URL alone"),
        ("./six", "'./six' is a path"),
        ("six-1.0-py3-none-any.whl", "'six-1.0-py3-none-any.whl' is a path"),
        ("", "'' is not a requirement"),
    ],
)
def test_add_what_is_no_requirement(requirement: str, problem: str) -> None:
    """What cannot be locked is not written."""
    with pytest.raises(UsageError) as caught:
        add_dependency(FULL, ["numpy", requirement])
    assert str(caught.value).startswith(problem)
    assert "secret" not in f"{caught.value}{caught.value.hint()}"


@pytest.mark.parametrize(
    "requirement",
    [
        "six @ https://example.com/six-1.0-py3-none-any.whl",
        "six @ git+https://example.com/six.git@1.0",
    ],
)
def test_add_a_direct_reference(requirement: str) -> None:
    """A direct reference is written as given, and replaces an earlier one."""
    text = add_dependency(add_dependency(FULL, ["six>=1"]), [requirement])
    dependencies = tomllib.loads(text)["project"]["dependencies"]
    assert requirement in dependencies
    assert "six>=1" not in dependencies


def test_a_path_is_told_where_it_goes() -> None:
    """The advice has the path as it was given."""
    with pytest.raises(UsageError) as caught:
        add_dependency(FULL, ["../six"])
    assert 'NAME = { path = "../six" }' in (caught.value.hint() or "")


def test_places_exclude_each_other() -> None:
    """A group, an extra and a target exclude each other."""
    with pytest.raises(UsageError, match="exclude each other"):
        add_dependency(FULL, ["six"], group="dev", extra="x")


@pytest.mark.parametrize(
    ("text", "place", "key", "problem"),
    [
        ("[tool]\n", {}, "project", "is missing"),
        ("[tool]\n", {"extra": "x"}, "project", "is missing"),
        (FULL, {"target": "h10"}, "tool.polylock.targets", "no target h10"),
        ("project = 1\n", {}, "project", "must be a table, not an integer"),
        (
            "[project]\ndependencies = 'a'\n",
            {},
            "project.dependencies",
            "must be an array, not a string",
        ),
        ("tool.polylock = 1\n", {"target": "a"}, "tool.polylock", "must be a table"),
        ("a = \n", {}, "", "is not TOML"),
        (f"a = {'[' * 100_000}", {}, "", "is nested too deeply"),
    ],
)
def test_faults_name_their_key(
    text: str, place: dict[str, str], key: str, problem: str
) -> None:
    """A file that cannot take the edit is refused with the key path."""
    with pytest.raises(ProjectError) as caught:
        add_dependency(text, ["six"], path=str(Path("a", "pyproject.toml")), **place)
    assert caught.value.key == key
    assert problem in caught.value.problem
    assert str(caught.value).startswith(str(Path("a", "pyproject.toml")))


@pytest.mark.parametrize("name", ["-", "a b"])
def test_bad_name_of_a_group(name: str) -> None:
    """A group with an invalid name is not made."""
    with pytest.raises(UsageError, match="is not a valid name"):
        add_dependency(FULL, ["six"], group=name)
