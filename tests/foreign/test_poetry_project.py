"""Settings of Poetry become [project] and those of polylock."""

from __future__ import annotations

import pytest

from fakes.conversions import DEFAULT_INDEX, converted, listed
from polylock.foreign.poetry_versions import InvalidConstraint, specifier_of

HEAD = '[tool.poetry]\nname = "demo"\nversion = "1.2"\n'
BOX = {"box": {"preset": "linux-x86_64"}, "mac": {"preset": "macos-arm64"}}
A, B = "https://a.example.com/simple", "https://b.example.com/simple"


@pytest.mark.parametrize(
    ("constraint", "specifier"),
    [
        ("*", ""),
        ("", ""),
        # From Poetry's manual, "Dependency specification".
        ("^1.2.3", ">=1.2.3,<2"),
        ("^1.2", ">=1.2,<2"),
        ("^1", ">=1,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("1.*", "==1.*"),
        ("1.2.*", "==1.2.*"),
        (">= 1.2.0", ">=1.2.0"),
        ("!= 1.2.3", "!=1.2.3"),
        (">=1.2,<1.5", ">=1.2,<1.5"),
        (">=1.2 <1.5", ">=1.2,<1.5"),
        ("1.2.3", "==1.2.3"),
        ("==1.2.3", "==1.2.3"),
        ("=1.2.3", "==1.2.3"),
        ("~=1.2", "~=1.2"),
        ("^2.2.0+cu121", ">=2.2.0,<3"),
        ("^1!2.3", ">=1!2.3,<1!3"),
        (">=3.8,<3.9.7 || >3.9.7", ">=3.8,!=3.9.7"),
        ("(>=1,<2)", ">=1,<2"),
    ],
)
def test_constraints(constraint: str, specifier: str) -> None:
    """Carets and tildes are ranges of versions."""
    assert specifier_of(constraint) == specifier


@pytest.mark.parametrize("constraint", ["^1 || ^3", "^x", "latest", "><1"])
def test_constraints_without_an_equivalent(constraint: str) -> None:
    """They are not guessed."""
    with pytest.raises(InvalidConstraint):
        specifier_of(constraint)


def test_metadata() -> None:
    """What the build backend reads moves along."""
    text = (
        HEAD + 'description = "d"\nlicense = "MIT"\nreadme = ["A.md", "B.md"]\n'
        'authors = ["A B <a@example.com>", "C", "<d@example.com>"]\n'
        'keywords = ["k"]\nhomepage = "https://h.example.com"\n'
        '[tool.poetry.urls]\nBugs = "https://b.example.com"\n'
        '[tool.poetry.scripts]\na = "m:f"\nb = { callable = "m:g" }\n'
        'c = { reference = "c.sh", type = "file" }\n'
        '[tool.poetry.plugins."x.y"]\np = "m:p"\n'
        '[tool.poetry.dependencies]\npython = "^3.11"\n'
        '[build-system]\nrequires = ["poetry-core>=1.0,<2"]\n'
    )
    found = converted("poetry", text)
    assert found.project == {
        "name": "demo",
        "version": "1.2",
        "description": "d",
        "readme": "A.md",
        "requires-python": ">=3.11,<4",
        "license": {"text": "MIT"},
        "authors": [
            {"name": "A B", "email": "a@example.com"},
            {"name": "C"},
            {"email": "d@example.com"},
        ],
        "keywords": ["k"],
        "scripts": {"a": "m:f", "b": "m:g"},
        "urls": {"Homepage": "https://h.example.com", "Bugs": "https://b.example.com"},
        "entry-points": {"x.y": {"p": "m:p"}},
        "dependencies": [],
    }
    assert listed(found) == {
        "tool.poetry.readme",
        "tool.poetry.scripts.c",
        "build-system.requires",
    }


def test_dependencies() -> None:
    """Extras, markers, sources and several constraints have an equivalent each."""
    text = f"""{HEAD}
[tool.poetry.dependencies]
plain = "^1.2"
extras = {{ version = "*", extras = ["a", "b"] }}
marked = {{ version = "1", markers = "os_name == 'nt'", python = "^3.12" }}
mac = {{ version = "2", platform = "darwin" }}
several = [
  {{ version = "1", python = "<3.12" }},
  {{ version = "2", python = ">=3.12", source = "a" }},
]
git = {{ git = "https://g.example.com/x.git", branch = "main", subdirectory = "s" }}
path = {{ path = "../p", develop = true }}
url = {{ url = "https://e.example.com/u-1.tar.gz" }}
later = {{ version = "^3", optional = true }}
lost = {{ version = "^3", optional = true }}
odd = "^1 || ^3"
[tool.poetry.extras]
more = ["later"]
[[tool.poetry.source]]
name = "a"
url = "{A}"
priority = "explicit"
"""
    found = converted("poetry", text, targets=BOX)
    assert found.project["dependencies"] == [
        "plain>=1.2,<2",
        "extras[a,b]",
        (
            "marked==1 ; os_name == 'nt' and python_version >= '3.12' and "
            "python_version < '4.0'"
        ),
        "mac==2 ; sys_platform == 'darwin'",
        "several==1 ; python_version < '3.12'",
        "several==2 ; python_version >= '3.12'",
        "git",
        "path",
        "url",
    ]
    assert found.project["optional-dependencies"] == {"more": ["later>=3,<4"]}
    assert found.tool["sources"] == {
        "several": {"index": "a"},
        "git": {
            "git": "https://g.example.com/x.git",
            "branch": "main",
            "subdirectory": "s",
        },
        "path": {"path": "../p", "editable": True},
        "url": {"url": "https://e.example.com/u-1.tar.gz"},
    }
    assert listed(found) == {
        "tool.poetry.dependencies.odd",
        "tool.poetry.dependencies.lost",
    }


def test_groups() -> None:
    """Those that are not optional are synced by default, as Poetry installs them."""
    text = (
        HEAD + '[tool.poetry.dev-dependencies]\na = "*"\n'
        '[tool.poetry.group.dev.dependencies]\nb = "^1"\n'
        '[tool.poetry.group.lint]\ninclude-groups = ["dev"]\n'
        "[tool.poetry.group.docs]\noptional = true\n"
        '[tool.poetry.group.docs.dependencies]\nc = { path = "c" }\n'
    )
    found = converted("poetry", text)
    assert found.document["dependency-groups"] == {
        "dev": ["a", "b>=1,<2"],
        "lint": [{"include-group": "dev"}],
        "docs": ["c"],
    }
    assert found.tool["default-groups"] == ["dev", "lint"]
    assert found.tool["sources"] == {"c": {"path": "./c"}}


@pytest.mark.parametrize(
    ("priorities", "urls"),
    [
        (["explicit"], [A]),
        (["primary"], [A]),
        (["supplemental"], [DEFAULT_INDEX, A]),
        (["supplemental", "primary"], [B, A]),
    ],
)
def test_indexes(priorities: list[str], urls: list[str]) -> None:
    """A primary source replaces the default index, a supplemental one follows it."""
    sources = "".join(
        f'[[tool.poetry.source]]\nname = "s{position}"\nurl = "{url}"\n'
        f'priority = "{priority}"\n'
        for position, (priority, url) in enumerate(
            zip(priorities, (A, B), strict=False)
        )
    )
    found = converted("poetry", HEAD + sources)
    assert [each["url"] for each in found.tool["index"]] == urls


def test_the_default_index_by_its_name() -> None:
    """Poetry knows it without a URL."""
    text = (
        HEAD + '[[tool.poetry.source]]\nname = "PyPI"\npriority = "primary"\n'
        f'[[tool.poetry.source]]\nname = "a"\nurl = "{A}"\npriority = "explicit"\n'
        '[tool.poetry.dependencies]\nx = { version = "*", source = "pypi" }\n'
    )
    found = converted("poetry", text)
    assert [each["url"] for each in found.tool["index"]] == [DEFAULT_INDEX, A]
    assert found.tool["sources"] == {"x": {"index": "pypi"}}


def test_exclusive_extras_become_targets() -> None:
    """Poetry's manual tells them apart by their markers."""
    text = f"""[project]
name = "demo"
version = "1"
requires-python = ">=3.11"
[project.optional-dependencies]
cpu = ["torch==2.9"]
cuda = ["torch==2.9"]
[tool.poetry.dependencies]
torch = [
  {{ markers = "extra == 'cpu' and extra != 'cuda'", source = "cpu" }},
  {{ markers = "extra == 'cuda' and extra != 'cpu'", source = "cu126" }},
]
[[tool.poetry.source]]
name = "cpu"
url = "{A}"
priority = "explicit"
[[tool.poetry.source]]
name = "cu126"
url = "{B}"
priority = "explicit"
"""
    found = converted("poetry", text)
    targets = found.tool["targets"]
    assert list(targets) == ["cuda", "cpu"]
    assert targets["cuda"]["nvidia"] == {"driver": "12.6"}
    assert targets["cpu"]["dependencies"] == ["torch==2.9"]
    assert found.tool["sources"]["torch"] == [
        {"index": "cpu", "targets": ["cpu"]},
        {"index": "cu126", "targets": ["cuda"]},
    ]


def test_dependencies_of_a_project_table_stay() -> None:
    """Beside them Poetry's own only name sources."""
    text = (
        '[project]\nname = "a"\ndynamic = ["version"]\ndependencies = ["x>=1"]\n'
        '[tool.poetry.dependencies]\nx = { path = "x" }\ny = "*"\n'
    )
    found = converted("poetry", text)
    assert found.project["dependencies"] == ["x>=1"]
    assert found.tool["sources"] == {"x": {"path": "./x"}}


def test_dynamic_dependencies_become_static() -> None:
    """Poetry 2 allows [project] without them."""
    text = (
        '[project]\nname = "a"\ndynamic = ["dependencies"]\n'
        '[tool.poetry.dependencies]\nx = "*"\n'
    )
    found = converted("poetry", text)
    assert found.project == {"name": "a", "dependencies": ["x"]}
