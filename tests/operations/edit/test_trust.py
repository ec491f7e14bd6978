"""A trusted provider is installed apart, asked once, and becomes static lists."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.machine import FakeMachine
from fakes.server import Index, Server
from fakes.wheels import build_wheel, variants_json
from polylock.errors import ProjectNotFound, ProviderFailed, UsageError
from polylock.model.filenames import WheelFilename
from polylock.operations.edit.detect import detect_target, with_answers, write_detected
from polylock.operations.edit.target_table import table_text, target_table
from polylock.operations.edit.trust import TrustRequest, ask_trusted_provider
from polylock.operations.lock.lock import lock
from polylock.operations.lock.request import LockRequest
from polylock.operations.machine import this_machine
from polylock.operations.sync.sync import SyncOptions, sync
from polylock.ports import SilentReporter
from polylock.project.settings import Settings
from polylock.providers.detect import detect_machine
from polylock.values import replace

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.providers.plugin import PluginAnswer

PLUGIN = """
import pathlib
import {dependency}
pathlib.Path({marker!r}).write_text("ran")
namespace = {namespace!r}
class Config:
    def __init__(self, name, values):
        self.name, self.values, self.multi_value = name, values, False
def get_supported_configs():
    return [Config("kind", ["{version}", "apple"])]
"""


class World:
    """An index with providers, and a mark that their plugins leave behind."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.index = Index(server)
        self.server = server
        self.files = tmp_path / "files"
        self.marker = tmp_path / "marker"
        self.project = tmp_path / "project"
        self.project.mkdir()
        self.settings = Settings(
            cache_dir=tmp_path / "cache", index_url=self.index.url, project=self.project
        )
        self.index.add("json-helper", [build_wheel(self.files, "json-helper", "1.0")])

    def provider(self, name: str, *versions: str, namespace: str = "fruit") -> None:
        """Serve a provider whose plugin says its own version first."""
        module = name.replace("-", "_")
        wheels = []
        for version in versions:
            code = PLUGIN.format(
                marker=str(self.marker),
                namespace=namespace,
                version=version,
                dependency="json_helper",
            )
            files = {f"{module}/__init__.py": code}
            requires = ("json-helper",)
            wheel = build_wheel(
                self.files, name, version, files=files, requires=requires
            )
            wheels.append(wheel)
        self.index.add(name, wheels)

    def write(self, text: str) -> Path:
        """Write the project file."""
        path = self.project / "pyproject.toml"
        path.write_text(text, encoding="utf-8", newline="\n")
        return path

    def ask(self, requirement: str, **more: str) -> PluginAnswer:
        """Ask a provider."""
        request = TrustRequest(requirement=requirement, **more)
        return ask_trusted_provider(self.settings, request, SilentReporter())

    def asked_for(self, name: str) -> bool:
        """Say whether the index was asked for a project."""
        return any(f"/{name}/" in request.path for request in self.server.log)


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return an index without providers and an empty project."""
    world = World(server, tmp_path)
    world.write('[project]\nname = "demo"\nversion = "1.0"\n')
    return world


def test_provider_is_installed_with_its_dependencies_and_asked(world: World) -> None:
    """The newest version counts, and nothing of it is left in the cache's work."""
    world.provider("fruit-provider", "1.0", "2.0")
    answer = world.ask("fruit-provider")
    assert (answer.namespace, answer.features) == ("fruit", {"kind": ("2.0", "apple")})
    assert world.marker.read_text() == "ran"
    builds = next(path for path in world.settings.cache_dir.glob("builds*"))
    assert [path for path in builds.iterdir() if path.is_dir()] == []


def test_version_is_the_one_that_is_named(world: World) -> None:
    """NAME==VERSION takes that one."""
    world.provider("fruit-provider", "1.0", "2.0")
    assert world.ask("Fruit_Provider==1.0").features["kind"][0] == "1.0"


@pytest.mark.parametrize(
    ("published", "asked"),
    [
        ("provider-variant-x86-64", "x86-64-variant-provider"),
        ("x86-64-variant-provider", "provider-variant-x86-64"),
    ],
)
def test_either_spelling_is_found(world: World, published: str, asked: str) -> None:
    """The one that the index has is taken, whichever was named."""
    world.provider(published, "1.0", namespace="x86_64")
    assert world.ask(asked).namespace == "x86_64"


def test_provider_that_no_index_has_is_named(world: World) -> None:
    """Under the name that was asked for."""
    with pytest.raises(ProjectNotFound, match="x86-64-variant-provider"):
        world.ask("x86-64-variant-provider")


def test_provider_that_cannot_be_installed_says_why(world: World) -> None:
    """The versions that there are stand in the explanation."""
    world.provider("fruit-provider", "1.0")
    with pytest.raises(ProviderFailed, match="cannot be installed") as caught:
        world.ask("fruit-provider==3.0")
    assert any("fruit-provider" in line for line in caught.value.details())
    assert not world.marker.exists()


def test_source_distribution_is_not_built(world: World) -> None:
    """A provider without a wheel is refused: building it would run more code."""
    entry = {
        "filename": "fruit_provider-1.0.tar.gz",
        "url": f"{world.index.url}/fruit_provider-1.0.tar.gz",
        "hashes": {"sha256": "0" * 64},
        "size": 100,
    }
    world.index.add("fruit-provider", rows=[entry])
    with pytest.raises(ProviderFailed, match="cannot be installed"):
        world.ask("fruit-provider")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "fruit-provider>=1",
        "fruit-provider[extra]",
        "fruit-provider @ https://example.com/f.whl",
        "fruit-provider; python_version > '3'",
    ],
)
def test_only_a_name_and_a_version_can_be_trusted(world: World, text: str) -> None:
    """Anything else is refused before an index is asked."""
    with pytest.raises(UsageError, match=r"NAME|provider|package"):
        world.ask(text)
    assert world.server.log == []


def test_answer_becomes_lists_of_the_target(world: World) -> None:
    """What is written reads back as what the plugin said."""
    world.provider("fruit-provider", "1.0")
    machine = with_answers(detect_machine(FakeMachine()), [world.ask("fruit-provider")])
    assert 'properties = { fruit = { kind = ["1.0", "apple"] } }' in (
        detect_target(machine, "3.12").text
    )
    write_detected(world.settings, machine, "mine", "3.12")
    written = (world.project / "pyproject.toml").read_text("utf-8")
    assert "[tool.polylock.targets.mine]" in written
    document = detect_target(machine, "3.12").to_json()
    assert document["properties"]["fruit"] == {"kind": ["1.0", "apple"]}


VARIANTS = {"pear": {"fruit": {"kind": ["1.0"]}}}


def _project_with_variants(world: World) -> None:
    """Serve a project whose variants are for the machines that the provider knows."""
    plain = build_wheel(world.files, "salad", "1.0")
    pear = build_wheel(
        world.files, "salad", "1.0", label="pear", variant=VARIANTS["pear"]
    )
    document = variants_json(VARIANTS)
    document["providers"] = {
        "fruit": {"requires": ["fruit-provider"], "plugin-api": "fruit_provider"}
    }
    path = world.files / "salad-1.0-variants.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    world.index.add("salad", [plain, pear, path])


def _locked_labels(world: World, target: str) -> list[str | None]:
    """Lock for one target; return the label of each wheel that was chosen."""
    project = '[project]\nname = "demo"\nversion = "1.0"\ndependencies = ["salad"]\n'
    world.write(f"{project}\n{target}")
    found = lock(world.settings, LockRequest(), SilentReporter())
    names = [w.filename for package in found.pylock.packages for w in package.wheels]
    return [WheelFilename.parse(name).variant_label for name in names]


def test_lock_and_sync_never_run_a_plugin(world: World) -> None:
    """The provider that metadata names is neither fetched nor run; detect runs it.

    The lists that detect wrote are what lock chooses by, with no provider at hand.
    """
    world.provider("fruit-provider", "1.0")
    _project_with_variants(world)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    machine = this_machine()
    kept = ("platform", "libc", "macos", "python")
    table = target_table(detect_target(machine, python).description)
    here = {key: value for key, value in table.items() if key in kept}
    assert _locked_labels(world, table_text("here", here)) == [None]
    options = SyncOptions(search_path=os.environ.get("PATH", ""))
    settings = replace(world.settings, target="here")
    sync(settings, options, SilentReporter())
    assert not world.marker.exists()
    assert not world.asked_for("fruit-provider")

    answer = world.ask("fruit-provider")
    assert world.marker.exists()
    world.marker.unlink()
    here["properties"] = {
        answer.namespace: {k: list(v) for k, v in answer.features.items()}
    }
    assert _locked_labels(world, table_text("here", here)) == ["pear"]
    assert not world.marker.exists()
