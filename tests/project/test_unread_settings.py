"""Settings of other tools that are not passed over in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.errors import ProjectError, UnreadSettings

if TYPE_CHECKING:
    from fakes.projects import Load

PROJECT = '[project]\nname = "demo"\nversion = "1"\ndependencies = ["torch"]\n'
INDEX = '[[tool.polylock.index]]\nname = "wheels"\nurl = "https://a.example.com/s"\n'

UNREAD = {
    "a source": ('[tool.uv.sources]\ntorch = { index = "a" }', "tool.uv.sources.torch"),
    "a workspace member": (
        "[tool.uv.sources]\nlib = { workspace = true }",
        "tool.uv.sources.lib",
    ),
    "an index": (
        '[[tool.uv.index]]\nname = "a"\nurl = "https://b.example.com"',
        "tool.uv.index[0]",
    ),
    "extra-index-url": (
        '[tool.uv]\nextra-index-url = ["https://b.example.com"]',
        "tool.uv.extra-index-url",
    ),
    "find-links": ('[tool.uv]\nfind-links = ["./wheels"]', "tool.uv.find-links"),
    "constraints": (
        '[tool.uv]\nconstraint-dependencies = ["a<2"]',
        "tool.uv.constraint-dependencies",
    ),
    "overrides": (
        '[tool.uv]\noverride-dependencies = ["a<2"]',
        "tool.uv.override-dependencies",
    ),
    "exclusions": (
        '[tool.uv]\nexclude-dependencies = ["a"]',
        "tool.uv.exclude-dependencies",
    ),
    "a cutoff": ('[tool.uv]\nexclude-newer = "7 days"', "tool.uv.exclude-newer"),
    "metadata": (
        '[[tool.uv.dependency-metadata]]\nname = "a"',
        "tool.uv.dependency-metadata",
    ),
    "pre-releases": ('[tool.uv]\nprerelease = "allow"', "tool.uv.prerelease"),
    "lowest versions": ('[tool.uv]\nresolution = "lowest"', "tool.uv.resolution"),
    "an old group": (
        '[tool.uv]\ndev-dependencies = ["pytest"]',
        "tool.uv.dev-dependencies",
    ),
    "a Poetry source": (
        '[[tool.poetry.source]]\nname = "b"\nurl = "https://b.example.com"',
        "tool.poetry.source[0]",
    ),
    "a Poetry group": (
        '[tool.poetry.group.test.dependencies]\npytest = "*"',
        "tool.poetry.group.test",
    ),
    "an old Poetry group": (
        '[tool.poetry.dev-dependencies]\npytest = "*"',
        "tool.poetry.dev-dependencies",
    ),
    "a dependency that names its source": (
        '[tool.poetry.dependencies]\ntorch = { source = "b" }',
        "tool.poetry.dependencies.torch",
    ),
    "one of several constraints": (
        '[tool.poetry.dependencies]\ntorch = [{ version = "1" }, { git = "b" }]',
        "tool.poetry.dependencies.torch",
    ),
    "a PDM source": (
        '[[tool.pdm.source]]\nname = "b"\nurl = "https://b.example.com"',
        "tool.pdm.source[0]",
    ),
    "a PDM group": (
        '[tool.pdm.dev-dependencies]\ntest = ["pytest"]',
        "tool.pdm.dev-dependencies.test",
    ),
    "PDM's overrides": (
        '[tool.pdm.resolution.overrides]\na = "1"',
        "tool.pdm.resolution.overrides",
    ),
    "PDM's exclusions": (
        '[tool.pdm.resolution]\nexcludes = ["a"]',
        "tool.pdm.resolution.excludes",
    ),
    "PDM's pre-releases": (
        "[tool.pdm.resolution]\nallow-prereleases = true",
        "tool.pdm.resolution.allow-prereleases",
    ),
}


@pytest.mark.parametrize(("text", "key"), UNREAD.values(), ids=UNREAD)
def test_a_setting_without_a_counterpart_is_refused(
    load: Load, text: str, key: str
) -> None:
    """The error names the key and the two ways on."""
    with pytest.raises(UnreadSettings) as caught:
        load(f"{PROJECT}{text}\n")
    assert list(caught.value.details()) == [key]
    advice = caught.value.hint() or ""
    assert f"init --from {key.split('.')[1]}`" in advice
    assert f'ignored-settings = ["{key}"]' in advice


@pytest.mark.parametrize(("text", "key"), UNREAD.values(), ids=UNREAD)
@pytest.mark.parametrize("whole", [False, True])
def test_a_setting_can_be_ignored(
    load: Load, text: str, key: str, *, whole: bool
) -> None:
    """By its own key, or with all that its tool says."""
    ignored = ".".join(key.split(".")[:2]) if whole else key
    load(f"{PROJECT}{text}\n[tool.polylock]\nignored-settings = ['{ignored}']\n")


def test_another_setting_is_still_refused(load: Load) -> None:
    """A name is not the beginning of a longer one."""
    text = '[tool.uv.sources]\ntorch = { index = "a" }\ntorchvision = { index = "a" }\n'
    ignored = '[tool.polylock]\nignored-settings = ["tool.uv.sources.torch"]\n'
    with pytest.raises(UnreadSettings) as caught:
        load(f"{PROJECT}{text}{ignored}")
    assert list(caught.value.details()) == ["tool.uv.sources.torchvision"]


@pytest.mark.parametrize(
    "text",
    [
        (
            '[tool.uv.sources]\nTorch = { index = "a" }\n'
            f'{INDEX}[tool.polylock.sources]\ntorch = {{ index = "wheels" }}'
        ),
        (
            '[tool.uv.sources]\ntorch = { index = "a" }\n'
            '[tool.polylock]\ntorch-backend = "auto"'
        ),
        '[[tool.uv.index]]\nname = "Wheels"\nurl = "https://b.example.com"\n' + INDEX,
        '[[tool.uv.index]]\nurl = "https://a.example.com/s/"\n' + INDEX,
        '[[tool.uv.index]]\nname = "b"\nurl = "https://b.example.com"\nexplicit = true',
        '[tool.uv]\nindex-url = "https://index.example.com/simple/"',
        (
            '[tool.uv]\nconstraint-dependencies = []\noverride-dependencies = ["a"]\n'
            '[tool.polylock]\noverride-dependencies = ["a"]'
        ),
        (
            '[tool.uv]\nresolution = "highest"\nlink-mode = "copy"\n'
            "[tool.uv.workspace]\nmembers = ['a']"
        ),
        '[tool.uv]\ndev-dependencies = ["a"]\n[dependency-groups]\ndev = ["a"]',
        '[tool.poetry.dependencies]\npython = "^3.11"\ntorch = "*"',
        (
            '[tool.poetry.group.Test.dependencies]\na = "*"\n'
            '[dependency-groups]\ntest = ["a"]'
        ),
        '[[tool.poetry.source]]\nname = "PyPI"\npriority = "primary"',
        (
            '[[tool.poetry.source]]\nname = "b"\nurl = "https://b.example.com"\n'
            'priority = "explicit"'
        ),
        '[[tool.pdm.source]]\nname = "pypi"\nurl = "https://index.example.com/simple"',
        '[tool.pdm.scripts]\ntest = "pytest"',
        "[tool]\nuv = 3\npoetry = []\npdm = { source = 1, resolution = 2 }",
    ],
)
def test_what_has_a_counterpart_or_no_effect_is_accepted(load: Load, text: str) -> None:
    """Whether it was converted exactly is for the user to say."""
    load(f"{PROJECT}{text}\n")


def test_requirements_that_only_poetry_reads(load: Load) -> None:
    """Without [project] a lock file of nothing would look like a success."""
    text = '[tool.poetry]\nname = "a"\n[tool.poetry.dependencies]\na = "^1"\n'
    with pytest.raises(UnreadSettings) as caught:
        load(text)
    assert list(caught.value.details()) == ["tool.poetry.dependencies"]


def test_ignored_settings_are_those_of_known_tools(load: Load) -> None:
    """What can have no effect is a mistake."""
    with pytest.raises(ProjectError, match=r"'tool\.uvx' is not a setting"):
        load(f'{PROJECT}[tool.polylock]\nignored-settings = ["tool.uvx"]\n')
