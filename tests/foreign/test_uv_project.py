"""Settings of uv become those of polylock."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.conversions import DEFAULT_INDEX, converted, listed
from polylock.errors import UsageError

PROJECT = '[project]\nname = "demo"\nversion = "1"\ndependencies = ["torch"]\n'
BOX = {"box": {"preset": "linux-x86_64"}, "mac": {"preset": "macos-arm64"}}
A, B = "https://a.example.com/simple", "https://b.example.com/simple"


def tool(text: str, files: dict[str, str] | None = None) -> dict[str, Any]:
    """Return ``[tool.polylock]`` of a project with two targets."""
    return converted("uv", PROJECT + text, files, targets=BOX).tool


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", None),
        (f'[[tool.uv.index]]\nname="a"\nurl="{A}"\nexplicit=true\n', [A]),
        (f'[[tool.uv.index]]\nname="a"\nurl="{A}"\n', [A, DEFAULT_INDEX]),
        (
            (
                f'[[tool.uv.index]]\nurl="{B}"\ndefault=true\n'
                f'[[tool.uv.index]]\nurl="{A}"\n'
            ),
            [A, B],
        ),
        (f'[tool.uv]\nindex-url = "{B}"\nextra-index-url = ["{A}"]\n', [A, B]),
        (f'[tool.uv]\nindex-url = "{DEFAULT_INDEX}"\n', [DEFAULT_INDEX]),
        ('[tool.uv]\nfind-links = ["wheels"]\n', ["./wheels", DEFAULT_INDEX]),
    ],
)
def test_indexes_keep_their_priority(text: str, urls: list[str] | None) -> None:
    """The default index is asked last by uv, and declared for polylock."""
    found = tool(text).get("index")
    assert (found and [each["url"] for each in found]) == urls


def test_an_index_keeps_its_keys() -> None:
    """Statuses that mean that a project is absent, the flat format, its name."""
    text = (
        f'[[tool.uv.index]]\nname="a b"\nurl="{A}"\nformat="flat"\n'
        "ignore-error-codes=[403, 500]\n"
        f'[[tool.uv.index]]\nurl="https://you:pw@b.example.com/simple"\n'
        'authenticate="always"\n'
    )
    found = converted("uv", PROJECT + text, targets=BOX)
    first, second, _ = found.tool["index"]
    assert first == {"name": "a-b", "url": A, "format": "flat", "absent": [403]}
    assert second == {"name": "b.example.com", "url": B}
    assert listed(found) == {"tool.uv.index[1]", "tool.uv.index[1].authenticate"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('{ index = "a" }', {"index": "a"}),
        (
            '{ git = "git@h.example.com:x/y.git", tag = "v1" }',
            {"git": "ssh://git@h.example.com/x/y.git", "tag": "v1"},
        ),
        ('{ path = "lib", editable = true }', {"path": "./lib", "editable": True}),
        (
            "{ url = 'https://e.example.com/a.whl' }",
            {"url": "https://e.example.com/a.whl"},
        ),
        (
            "[{ index = 'a', marker = \"sys_platform == 'linux'\" }]",
            {"index": "a", "targets": ["box"]},
        ),
        ("[{ index = 'a', marker = \"sys_platform != 'win32'\" }]", {"index": "a"}),
        (
            (
                "[{ index = 'a', marker = \"sys_platform == 'linux'\" }, "
                "{ path = '/l', marker = \"sys_platform != 'linux'\" }]"
            ),
            [
                {"index": "a", "targets": ["box"]},
                {"path": "/l", "targets": ["mac"]},
            ],
        ),
        ("{ index = 'a', extra = 'x' }", None),
        ("{ index = 'b' }", None),
    ],
)
def test_sources(written: str, expected: object) -> None:
    """A marker becomes the targets for which it holds."""
    index = f'[[tool.uv.index]]\nname="a"\nurl="{A}"\nexplicit=true\n'
    found = converted(
        "uv", f"{PROJECT}{index}[tool.uv.sources]\ntorch = {written}\n", targets=BOX
    )
    assert found.tool.get("sources", {}).get("torch") == expected
    assert (listed(found) == {"tool.uv.sources.torch"}) is (expected is None)


def test_a_source_for_another_machine_is_ignored() -> None:
    """It applies to no target, and ``lock`` must not ask for it."""
    text = (
        "[tool.uv.sources]\n"
        "torch = { path = 'a', marker = \"sys_platform == 'win32'\" }\n"
    )
    found = tool(text)
    assert "sources" not in found
    assert found["ignored-settings"] == ["tool.uv.sources.torch"]


EXTRAS = (
    "[project.optional-dependencies]\ncpu = ['torch']\nrocm = ['torch', 'demo[util]']\n"
    "cu130 = ['demo[cuda]']\ncuda = ['torch', 'cupy']\nutil = ['six']\n"
    "all = ['demo[cpu,util]', 'demo[cpu]']\n"
    "[tool.uv]\nconflicts = [[{extra='cpu'}, {extra='cu130'}, {extra='cuda'}, "
    "{extra='rocm'}]]\n"
)


def test_exclusive_extras_become_targets() -> None:
    """Those with a GPU come first, each with what its extra requires."""
    found = converted("uv", PROJECT + EXTRAS, targets={"b": {"preset": "linux-x86_64"}})
    targets = found.tool["targets"]
    assert list(targets) == ["cu130", "cpu", "cuda", "rocm"]
    assert targets["cu130"] == {
        "preset": "linux-x86_64",
        "nvidia": {"driver": "13.0"},
        "dependencies": ["torch", "cupy"],
    }
    assert targets["rocm"]["dependencies"] == ["torch", "demo[util]"]
    assert found.project["optional-dependencies"] == {
        "util": ["six"],
        "all": ["demo[util]"],
    }
    assert {"tool.uv.conflicts[0]"} <= listed(found)


def test_each_platform_has_its_targets() -> None:
    """CUDA is not for a Mac; without a machine that fits one is taken."""
    both = converted("uv", PROJECT + EXTRAS, targets=BOX).tool["targets"]
    assert list(both)[:3] == ["cu130", "cpu-box", "cpu-mac"]
    mac = converted("uv", PROJECT + EXTRAS, targets={"m": {"preset": "macos-arm64"}})
    assert mac.tool["targets"]["cu130"]["preset"] == "linux-x86_64"
    assert mac.tool["targets"]["cpu"]["preset"] == "macos-arm64"


def test_targets_that_are_there_get_the_extras_beside_them() -> None:
    """``init`` may have written machines before."""
    text = f"{PROJECT}{EXTRAS}[tool.polylock.targets.box]\npreset = 'h100'\n"
    targets = converted("uv", text + "python = '3.12'\n").tool["targets"]
    assert list(targets) == ["box", "cu130", "cpu", "cuda", "rocm"]
    assert targets["cpu"]["nvidia"] is False
    assert targets["cpu"]["python"] == "3.12"


def test_exclusive_groups_become_targets() -> None:
    """What includes them no longer does."""
    text = (
        "[dependency-groups]\ncpu = ['torch']\ncu126 = ['torch']\n"
        "dev = ['pytest', {include-group = 'cpu'}]\n"
        "[tool.uv]\nconflicts = [[{group='cpu'}, {group='cu126'}]]\n"
    )
    found = converted("uv", PROJECT + text)
    assert list(found.tool["targets"]) == ["cu126", "cpu"]
    assert found.document["dependency-groups"] == {"dev": ["pytest"]}


def test_conflicts_of_members_are_listed() -> None:
    """They have no target of their own."""
    text = "[tool.uv]\nconflicts = [[{package='a', extra='x'}, {extra='y'}]]\n"
    assert listed(converted("uv", PROJECT + text)) == {"tool.uv.conflicts[0]"}


@pytest.mark.parametrize(
    ("environments", "targets"),
    [
        (["sys_platform == 'linux'"], ["linux-x86-64"]),
        (
            ["sys_platform == 'darwin' and platform_machine == 'arm64'"],
            ["macos-arm64"],
        ),
        (
            ["platform_machine == 'aarch64'", "sys_platform == 'win32'"],
            ["linux-aarch64", "windows-x86-64"],
        ),
        (["?"], ["here"]),
    ],
)
def test_environments_become_targets(
    environments: list[str], targets: list[str]
) -> None:
    """A machine for each that they admit."""
    text = f"{PROJECT}[tool.uv]\nenvironments = {environments}\n"
    assert list(converted("uv", text).tool["targets"]) == targets


def test_keys_with_the_same_name_are_copied() -> None:
    """What polylock refuses is listed with its reason."""
    text = (
        "[tool.uv]\nconstraint-dependencies = ['a<2']\nexclude-newer = 'yesterday'\n"
        "override-dependencies = ['b==1']\nexclude-dependencies = ['c']\n"
        "resolution = 'lowest-direct'\ndev-dependencies = ['pytest']\n"
        "extra-build-dependencies = { d = [{requirement = 'torch', "
        "match-runtime = true}] }\nlink-mode = 'copy'\nsurprise = 1\n"
    )
    found = converted("uv", PROJECT + text, targets=BOX)
    assert found.tool["constraint-dependencies"] == ["a<2"]
    assert found.tool["override-dependencies"] == ["b==1", "c; python_version < '0'"]
    assert found.tool["resolution"] == "lowest-direct"
    assert found.tool["extra-build-dependencies"] == {"d": ["torch"]}
    assert found.document["dependency-groups"] == {"dev": ["pytest"]}
    assert listed(found) == {
        "tool.uv.exclude-newer",
        "tool.uv.link-mode",
        "tool.uv.surprise",
    }


def test_uv_toml_wins() -> None:
    """The same keys of the project file beside it have no effect."""
    text = "[tool.uv]\nconstraint-dependencies = ['a<2']\ndev-dependencies = ['x']\n"
    files = {"uv.toml": 'constraint-dependencies = ["a<3"]\n'}
    found = converted("uv", PROJECT + text, files, targets=BOX)
    assert found.tool["constraint-dependencies"] == ["a<3"]
    assert found.document["dependency-groups"] == {"dev": ["x"]}
    broken = converted("uv", PROJECT, {"uv.toml": "a = "}, targets=BOX)
    assert listed(broken) == {"uv.toml"}


def test_a_member_is_converted_with_its_workspace() -> None:
    """Its settings belong to the project file above, which has the lock file."""
    root = '[project]\nname = "root"\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'
    text = f"{PROJECT}[tool.uv.sources]\ntorch = {{ workspace = true }}\n"
    with pytest.raises(UsageError, match=r"member of the workspace of \.\./\.\./pypro"):
        converted("uv", text, {"../../pyproject.toml": root}, targets=BOX)


def test_a_member_that_is_missing_is_listed() -> None:
    """It is never asked of an index by its name."""
    text = "[tool.uv.sources]\ntorch = { workspace = true }\n"
    found = converted("uv", PROJECT + text, targets=BOX)
    assert listed(found) == {"tool.uv.sources.torch"}
    assert "sources" not in found.tool


def test_sources_of_members_count_as_well() -> None:
    """Paths in them are relative to the member."""
    files = {
        "p/a/pyproject.toml": '[project]\nname = "a"\n'
        "[tool.uv.sources]\nb = { path = 'inner' }\nc = { git = 'https://g/c' }\n",
        "p/old/pyproject.toml": '[project]\nname = "old"\n',
    }
    text = "[tool.uv.workspace]\nmembers = ['p/*']\nexclude = ['p/old']\n"
    found = converted("uv", PROJECT + text, files, targets=BOX)
    assert found.tool["sources"] == {
        "b": {"path": "./p/a/inner"},
        "c": {"git": "https://g/c"},
    }
    assert found.tool["workspace"] == {"members": ["p/*"], "exclude": ["p/old"]}
