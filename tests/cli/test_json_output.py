"""What ``--json`` prints is what the schemas say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import jsonschema  # type: ignore[import-untyped]  # ships no py.typed
import pytest

from fakes.wheels import build_wheel
from polylock.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.command_line import CommandLine

SCHEMAS = Path(__file__).parents[2] / "schemas"
WHEELS = Path(__file__).parents[2] / "fixtures" / "wheels"
PLAIN = str(WHEELS / "plainlib-1.2.0-py3-none-any.whl")
LABELLED = str(WHEELS / "vecdemo-2.0.0-cp311-abi3-manylinux_2_17_x86_64-x86_64_v3.whl")
LABEL = ("--label", "v3", "-p", "x86_64 :: level :: v3")
REPACK = str(Path(__file__).parents[1] / "data" / "repack.toml")

CALLS = {
    "init": ["init", "--project", "new.toml", "--preset", "linux-aarch64"],
    "add": ["add", "plainlib-colors", "--group", "test", "--no-sync"],
    "remove": ["remove", "fallbackkit"],
    "targets-list": ["targets", "list"],
    "targets-show": ["targets", "show", "h100"],
    "targets-presets": ["targets", "presets"],
    "targets-add": ["targets", "add", "graviton3", "--name", "arm"],
    "lock": ["lock", "--upgrade"],
    "sync": ["sync", "--target", "here", "--dry-run"],
    "check": ["check"],
    "verify": ["verify"],
    "cache-key": ["cache-key"],
    "matrix": ["matrix"],
    "tree": ["tree"],
    "outdated": ["outdated"],
    "why": ["why", "tensordemo"],
    "diff": ["diff", "pylock.toml"],
    "bundle": ["bundle", "--target", "here", "bundled"],
    "report": ["report"],
    "detect": ["detect"],
    "variant-label": ["variant", "label", PLAIN, *LABEL, "--output", "labelled"],
    "variant-unlabel": ["variant", "unlabel", LABELLED, "--output", "plain"],
    "variant-repack": ["variant", "repack", REPACK, "--output", "out", "--dry-run"],
    "variant-show": ["variant", "show", PLAIN, LABELLED],
    "index-build": ["index", "build", str(WHEELS), "--output", "site"],
    "index-lint": ["index", "lint", str(WHEELS)],
    "index-simulate": ["index", "simulate", str(WHEELS), "tensordemo"],
    "cache-size": ["cache", "size"],
    "cache-prune": ["cache", "prune"],
    "cache-verify": ["cache", "verify"],
    "cache-clear": ["cache", "clear"],
}
"""A call for each schema; the project is the locked one of conftest.py."""


def _with_json() -> Iterator[str]:
    """Yield the names of the commands that have ``--json``."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        for part, each in inner.items():
            assert each is not None
            if any("--json" in parameter.opts for parameter in each.params):
                yield f"{name}-{part}".rstrip("-")


def _schema(name: str) -> dict[str, Any]:
    path = SCHEMAS / f"{name}.schema.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _validate(name: str, document: object) -> None:
    jsonschema.Draft202012Validator(_schema(name)).validate(document)


def test_every_command_with_json_has_a_schema_and_a_call() -> None:
    """A new command cannot print a document that nothing describes."""
    assert sorted(_with_json()) == sorted(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_schema_is_valid_and_names_itself(name: str) -> None:
    """Each is JSON Schema 2020-12 under the address of its file name."""
    schema = _schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://example.com/polylock/schemas/{name}.schema.json"


@pytest.mark.parametrize("name", CALLS)
def test_objects_of_a_schema_allow_nothing_else(name: str) -> None:
    """An object has its keys and no others, or is a mapping whose values are told.

    A reason has a kind, and the fields of that kind.
    """

    def check(value: object) -> None:
        if isinstance(value, list):
            for item in value:
                check(item)
        if isinstance(value, dict):
            if "properties" in value and "type" in value:
                if list(value["properties"]) == ["kind"]:
                    assert isinstance(value["additionalProperties"], dict)
                    return
                assert value["additionalProperties"] is False
            elif value.get("type") == "object":
                assert isinstance(value["additionalProperties"], dict)
            for item in value.values():
                check(item)

    check(_schema(name))


@pytest.mark.parametrize("name", CALLS)
def test_example_of_a_schema_is_valid_by_it(name: str) -> None:
    """What the reference shows is a document as the schema describes it."""
    (example,) = _schema(name)["examples"]
    _validate(name, example)


@pytest.mark.parametrize("name", CALLS)
def test_output_is_as_the_schema_says(demo: CommandLine, name: str) -> None:
    """The document of a call on a real project validates, and is all of stdout."""
    ran = demo.succeed(*CALLS[name], "--json")
    _validate(name, ran.json)


def test_presets_can_be_added_one_by_one(demo: CommandLine) -> None:
    """Each preset is a target that the schemas of list and show describe."""
    demo.write(
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
        '[tool.polylock]\npython = "3.12"\n'
    )
    names = [each["name"] for each in demo.succeed("targets", "presets", "--json").json]
    arguments = [part for name in names for part in ("--preset", name)]
    added = demo.succeed("init", "--json", *arguments).json
    assert len(added["targets"]) == len(names)
    listed = demo.succeed("targets", "list", "--json").json
    _validate("targets-list", listed)
    assert [each["name"] for each in listed] == added["targets"]


def test_index_that_is_extended_validates(polylock: CommandLine) -> None:
    """The document of ``--append`` has what is new and what was written."""
    order = ["x86_64"]
    for label, level in (("v2", "v2"), ("v3", "v3")):
        build_wheel(
            polylock.directory / label,
            "one",
            "1.0",
            label=label,
            variant={"x86_64": {"level": [level]}},
            namespaces=order,
        )
    polylock.succeed("index", "build", "v2", "--output", "site")
    ran = polylock.succeed("index", "build", "v3", "--append", "site", "--json")
    _validate("index-build", ran.json)
    assert ran.json["labels"] == ["one 1.0 v3"]
    assert "files/one/one-1.0-variants.json" in ran.json["written"]


def test_check_of_a_changed_project_validates(demo: CommandLine) -> None:
    """The document of a lock file that is out of date comes with exit code 3."""
    demo.succeed("add", "vecdemo", "--no-lock")
    ran = demo("check", "--json")
    assert ran.code == 3
    _validate("check", ran.json)
    assert ran.json["up-to-date"] is False


def test_sync_that_installs_validates(demo: CommandLine) -> None:
    """So does the document of a sync that does something."""
    first = demo.succeed("sync", "--target", "here", "--json").json
    _validate("sync", first)
    assert first["link-modes"]
    again = demo.succeed("sync", "--json").json
    _validate("sync", again)
    assert again["up-to-date"] is True


def test_diff_of_two_lock_files_validates(demo: CommandLine) -> None:
    """All kinds of change are described."""
    demo.write(demo.read("pylock.toml"), "old.toml")
    text = demo.read().replace('"fallbackkit"', '"vecdemo"')
    demo.write(text.replace('driver = "13.0"', 'driver = "12.8"'))
    demo.succeed("lock")
    found = demo.succeed("diff", "old.toml", "--json").json
    _validate("diff", found)
    h100 = found["targets"][0]
    kinds = {change["name"]: change["kind"] for change in h100["changes"]}
    assert kinds == {
        "fallbackkit": "removed",
        "tensordemo": "variant",
        "tensordemo-cuda-runtime": "version",
        "vecdemo": "added",
    }
