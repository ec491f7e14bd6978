"""Settings of PDM become groups and settings of polylock."""

from __future__ import annotations

import pytest

from fakes.conversions import DEFAULT_INDEX, converted, listed

PROJECT = (
    '[project]\nname = "demo"\nversion = "1"\n'
    'dependencies = ["a @ file:///${PROJECT_ROOT}/a", "b"]\n'
)
A = "https://a.example.com/simple"


def test_groups() -> None:
    """PDM installs them all; paths inside the project become sources."""
    text = (
        "[tool.pdm.dev-dependencies]\ntest = ['pytest', "
        "'-e file:///${PROJECT_ROOT}/lib#egg=lib']\n"
        "docs = ['-e git+https://g.example.com/t.git#egg=t', '-e ./unnamed']\n"
        "[tool.pdm.scripts]\nx = 'y'\n"
    )
    found = converted("pdm", PROJECT + text)
    assert found.project["dependencies"] == ["a", "b"]
    assert found.document["dependency-groups"] == {
        "test": ["pytest", "lib"],
        "docs": ["t @ git+https://g.example.com/t.git"],
    }
    assert found.tool["sources"] == {
        "a": {"path": "./a"},
        "lib": {"path": "./lib", "editable": True},
    }
    assert found.tool["default-groups"] == ["test", "docs"]
    assert listed(found) == {"tool.pdm.dev-dependencies.docs", "tool.pdm.scripts"}


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        (f'[[tool.pdm.source]]\nname="a"\nurl="{A}"\n', [A, DEFAULT_INDEX]),
        (f'[[tool.pdm.source]]\nname="pypi"\nurl="{A}"\n', [A]),
        (
            f'[[tool.pdm.source]]\nname="a"\nurl="{A}"\ninclude_packages=["b", "c*"]\n',
            [A],
        ),
    ],
)
def test_indexes(text: str, urls: list[str]) -> None:
    """PDM mixes them; here the default index is asked last."""
    found = converted("pdm", PROJECT + text)
    assert [each["url"] for each in found.tool["index"]] == urls
    if "include" in text:
        assert found.tool["sources"]["b"] == {"index": "a"}
        assert listed(found) == {"tool.pdm.source[0].include_packages"}


def test_resolution() -> None:
    """Overrides and exclusions are one list."""
    text = (
        "[tool.pdm.resolution]\nexcludes = ['x']\nallow-prereleases = true\n"
        "[tool.pdm.resolution.overrides]\na = '1'\nb = '>=2'\nc = '*'\n"
        "d = 'https://e.example.com/d-1.tar.gz'\ne = '>=?'\n"
        "[tool.pdm.lock]\nstrategy = ['direct_minimal_versions']\n"
    )
    found = converted("pdm", PROJECT + text)
    assert found.tool["override-dependencies"] == [
        "a==1",
        "b>=2",
        "c",
        "d @ https://e.example.com/d-1.tar.gz",
        "x; python_version < '0'",
    ]
    assert found.tool["prerelease"] == "allow"
    assert found.tool["resolution"] == "lowest-direct"
    assert "tool.pdm.resolution.overrides.e" in listed(found)
