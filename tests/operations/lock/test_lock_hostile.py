"""Variant metadata that lies, breaks or asks for something, through a real lock.

Whatever an index says of the variants of a release, its plain wheel is locked, no
code of a provider is fetched or run, and nothing ends in a traceback.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from fakes.server import Answer, Index
from fakes.wheels import build_wheel
from fakes.workspace import Project, Spy
from polylock.explain.words import note
from polylock.operations.lock.lock import lock
from polylock.operations.lock.request import LockRequest

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.server import Server

PROJECT = """
[project]
name = "app"
version = "1"
dependencies = ["demo"]
[tool.polylock]
python = "3.12"
[tool.polylock.targets.gpu]
platform = "linux-x86_64"
nvidia = { driver = "13.0", compute = ["9.0"] }
"""
CU13 = {"nvidia": {"sm_arch": ["90_real"]}}
CU12 = {"nvidia": {"sm_arch": ["80_real"]}}
FORMAT = "https://variants-schema.example.com/peps/850/v0.2.0.json"
PLAIN = "demo-1.0-py3-none-any.whl"
JSON_FILE = "demo-1.0-variants.json"
RUN_ME = "import os; os.system('touch ran')"


def document(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    """Return valid metadata by which cu13 would be chosen, with keys replaced."""
    found: dict[str, Any] = {
        "$schema": FORMAT,
        "default-priorities": {"namespace": ["nvidia"]},
        "providers": {"nvidia": {"requires": ["nvidia-variant-provider"]}},
        "variants": {"cu12": CU12, "cu13": CU13},
    }
    for key, value in changes.items():
        name = {"schema": "$schema", "priorities": "default-priorities"}.get(key, key)
        found[name] = value
    return {key: value for key, value in found.items() if value is not ...}


def as_bytes(**changes: Any) -> bytes:  # noqa: ANN401 - JSON values
    """Return the metadata as it is served."""
    return json.dumps(document(**changes)).encode()


def provider(**keys: Any) -> bytes:  # noqa: ANN401 - JSON values
    """Return metadata with this provider for nvidia."""
    return as_bytes(providers={"nvidia": keys})


def variants(**labels: Any) -> bytes:  # noqa: ANN401 - JSON values
    """Return metadata with these variants; underscores stand as they are."""
    return as_bytes(variants=labels)


def nested(depth: int) -> str:
    """Return lists in lists."""
    return "[" * depth + "]" * depth


WELL = as_bytes().decode()
TWICE = WELL.replace('"variants":', '"variants": {}, "variants":')

BROKEN: dict[str, bytes] = {
    # not JSON, or not this JSON
    "empty": b"",
    "no JSON": b"<html>503</html>",
    "half a file": as_bytes()[:-20],
    "bad UTF-8": b'{"$schema": "\xff\xfe"}',
    "UTF-16": WELL.encode("utf-16"),
    "UTF-8 with a mark before it": WELL.encode("utf-8-sig"),
    "NUL before the text": b"\0" + as_bytes(),
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "not a number": as_bytes(extra=...).replace(b'"cu13"', b"NaN: 1, ", 1),
    "an endless number": b'{"$schema": ' + b"9" * 10_000 + b"}",
    "deep lists": nested(200_000).encode(),
    "deep tables": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "10 MB of white space": b" " * 10_000_000 + as_bytes(),
    "10 MB of values": variants(cu13={"nvidia": {"sm_arch": ["9" * 10_000_000]}}),
    "10 MB of labels": variants(
        **{f"l{number}": CU13 for number in range(180_000)}, cu13=CU13
    ),
    "a key that occurs twice": TWICE.encode(),
    "a label that occurs twice": WELL.replace('"cu12":', '"cu13":').encode(),
    # the format
    "no schema": as_bytes(schema=...),
    "a schema of another type": as_bytes(schema={"v": 1}),
    "a schema without version": as_bytes(schema="https://example.com/schema.json"),
    "an unknown major": as_bytes(schema="https://example.com/v2.0.0.json"),
    "a major without end": as_bytes(schema="https://example.com/v" + "9" * 5000),
    "a schema of many lines": as_bytes(schema="https://example.com/\n\x1b[2Jv1.json"),
    "a schema of 1 MB": as_bytes(schema="https://example.com/" + "/v1" * 300_000 + "?"),
    # priorities
    "no priorities": as_bytes(priorities=...),
    "priorities of another type": as_bytes(priorities=["nvidia"]),
    "no namespaces": as_bytes(priorities={"namespace": []}),
    "a namespace as text": as_bytes(priorities={"namespace": "nvidia"}),
    "a namespace twice": as_bytes(priorities={"namespace": ["nvidia", "nvidia"]}),
    "a namespace in upper case": as_bytes(priorities={"namespace": ["NVIDIA"]}),
    "namespaces that are numbers": as_bytes(priorities={"namespace": [1, None]}),
    "a namespace in use not listed": as_bytes(priorities={"namespace": ["amd"]}),
    # variants
    "no variants": as_bytes(variants=...),
    "variants of another type": as_bytes(variants=[["cu13", CU13]]),
    "variants that are null": as_bytes(variants=None),
    "an empty set of variants": as_bytes(variants={}),
    "a label in upper case": variants(CU13=CU13, cu13=CU13),
    "an empty label": as_bytes(variants={"": CU13, "cu13": CU13}),
    "a label with a path": as_bytes(variants={"../../x": CU13, "cu13": CU13}),
    "a label with NUL": as_bytes(variants={"cu\0": CU13, "cu13": CU13}),
    "a label with bidi marks": as_bytes(variants={"cu\u202e31": CU13, "cu13": CU13}),
    "a label with half a character": as_bytes(variants={"\ud800": CU13, "cu13": CU13}),
    "properties of another type": variants(cu13=["nvidia :: sm_arch :: 90_real"]),
    "properties that are null": variants(cu13=None),
    "features of another type": variants(cu13={"nvidia": ["sm_arch"]}),
    "a feature in upper case": variants(cu13={"nvidia": {"SM_arch": ["90_real"]}}),
    "a value as text": variants(cu13={"nvidia": {"sm_arch": "90_real"}}),
    "no values": variants(cu13={"nvidia": {"sm_arch": []}}),
    "a value twice": variants(cu13={"nvidia": {"sm_arch": ["90_real", "90_real"]}}),
    "a value with white space": variants(cu13={"nvidia": {"sm_arch": [" 90_real"]}}),
    "a value with bidi marks": variants(cu13={"nvidia": {"sm_arch": ["90\u2066_"]}}),
    "a value that is a table": variants(cu13={"nvidia": {"sm_arch": [{}]}}),
    "a null variant with properties": as_bytes(variants={"null": CU13, "cu13": CU13}),
    # providers
    "providers of another type": as_bytes(providers=["nvidia"]),
    "a provider of another type": as_bytes(providers={"nvidia": "run.py"}),
    "a provider with nothing": provider(),
    "a provider with two answers": provider(
        requires=["nvidia-variant-provider"], **{"static-properties": {"a": ["b"]}}
    ),
    "requires that are no list": provider(requires="nvidia-variant-provider"),
    "requires that are no requirement": provider(requires=["nvidia-variant-provider;"]),
    "requires nested without end": provider(
        requires=["nvidia-variant-provider; " + "(" * 200_000]
    ),
    "requires that are options": provider(requires=["--index-url=http://127.0.0.1:9"]),
    "requires that are a path": provider(requires=["./plugin"]),
    "optional that is text": provider(
        requires=["nvidia-variant-provider"], optional="false"
    ),
    "static features without an order": provider(
        **{"static-properties": {"sm_arch": ["90_real"], "b": ["c"]}}
    ),
    "static lists of another type": provider(**{"static-properties": ["sm_arch"]}),
    "a plugin-api that is a list": provider(
        requires=["nvidia-variant-provider"], **{"plugin-api": ["os", "system"]}
    ),
}
"""Content that cannot be relied on: the release loses its variants, with a warning."""

UNANSWERED: dict[str, bytes] = {
    "a provider nobody knows": provider(requires=["nvidia-lookalike"]),
    "a provider from a URL": provider(
        requires=["nvidia-variant-provider @ http://127.0.0.1:9/plugin.whl"]
    ),
    "a provider from a file": provider(
        requires=["nvidia-variant-provider @ file:///plugin.whl"]
    ),
    "a provider from git": provider(
        requires=["nvidia-variant-provider @ git+http://127.0.0.1:9/plugin.git"]
    ),
    "a plugin that runs code": provider(
        requires=["demo-plugin"], **{"plugin-api": f"os:system('{RUN_ME}')"}
    ),
    "a plugin of ours with another entry": provider(
        requires=["demo-plugin", "nvidia-variant-provider"],
        **{"plugin-api": "subprocess:run"},
    ),
    "the project as its own provider": provider(requires=["demo"]),
    "the app as its provider": provider(requires=["app[all]>=1"]),
    "an optional provider with static lists": provider(
        optional=True, **{"static-properties": {"sm_arch": ["90_real"]}}
    ),
    "static lists that lack the value": provider(
        **{"static-properties": {"sm_arch": ["80_virtual"]}}
    ),
    "a dependency on its own version": as_bytes(
        variants={"cu13": {"abi_dependency": {"demo": ["0.9"]}}}
    ),
    "labels that have no wheel": as_bytes(variants={"cu11": CU13, "other": CU13}),
    "builtin of a namespace nobody has": as_bytes(
        priorities={"namespace": ["acme"]},
        providers={"acme": {"builtin": True}},
        variants={"cu13": {"acme": {"a": ["b"]}}},
    ),
}
"""Content that is read, and by which no variant fits."""


class Ran(AssertionError):
    """Something was started."""


@pytest.fixture(autouse=True)
def _nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a process is started, or text is executed as code."""

    def refuse(*arguments: object, **_: object) -> None:
        raise Ran(arguments)

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(os, "system", refuse)
    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)


def wheels(directory: Path, **variant_json: bytes | None) -> list[Path]:
    """Build the plain wheel and one wheel a label, with its own metadata."""
    return [
        build_wheel(directory, "demo", "1.0"),
        *(
            build_wheel(
                directory,
                "demo",
                "1.0",
                tag="py3-none-manylinux_2_17_x86_64",
                label=label,
                variant_json=content,
                variant=None if content else {"cu12": CU12, "cu13": CU13}[label],
            )
            for label, content in variant_json.items()
        ),
    ]


def locked(project: Project, server: Server) -> tuple[str, list[str]]:
    """Lock; return the file that was locked for demo, and the notes.

    No index page but that of demo may have been asked for.
    """
    outcome = lock(project.with_settings(), LockRequest(), Spy())
    (package,) = outcome.pylock.packages
    (wheel,) = package.wheels
    pages = {each.path for each in server.log if each.path.startswith("/simple/")}
    assert pages == {"/simple/demo/"}
    text = project.lock_path.read_text("utf-8")
    assert text.isprintable() or all(c.isprintable() or c == "\n" for c in text)
    return wheel.filename, [note(found) for found in outcome.notes]


def project_of(directory: Path, index: Index) -> Project:
    """Return a project that requires demo from an index."""
    project = Project(directory=directory / "project", index_url=index.url)
    project.write(PROJECT)
    return project


def serve(server: Server, directory: Path, content: bytes | None) -> Project:
    """Serve the wheels with an index-level file, None: without one."""
    index = Index(server)
    row = {
        "filename": JSON_FILE,
        "url": f"{server.url}/files/{JSON_FILE}",
        "hashes": {},
    }
    files = wheels(directory / "wheels", cu12=None, cu13=None)
    index.add("demo", files, rows=[] if content is None else [row])
    if content is not None:
        server.routes[f"/files/{JSON_FILE}"] = Answer(body=content)
    return project_of(directory, index)


def test_unharmed_metadata_leads_to_the_variant(server: Server, tmp_path: Path) -> None:
    """What the other tests break is what makes the variant fit."""
    project = serve(server, tmp_path, as_bytes())
    filename, warnings = locked(project, server)
    assert filename.endswith("-cu13.whl")
    assert not warnings


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_metadata_costs_the_variants_alone(
    server: Server, tmp_path: Path, kind: str
) -> None:
    """The plain wheel is locked; one warning names the release and the reason."""
    project = serve(server, tmp_path, BROKEN[kind])
    filename, warnings = locked(project, server)
    assert filename == PLAIN
    if kind in {"a namespace in use not listed", "an empty set of variants"}:
        return  # valid, and no label fits
    (warning,) = warnings
    assert warning.startswith("demo 1.0: its variants are left out")
    assert warning.isprintable()
    assert len(warning) < 1000


@pytest.mark.parametrize("kind", UNANSWERED)
def test_no_provider_is_asked(server: Server, tmp_path: Path, kind: str) -> None:
    """The plain wheel is locked, and nothing of a provider is fetched."""
    project = serve(server, tmp_path, UNANSWERED[kind])
    filename, warnings = locked(project, server)
    assert filename == PLAIN
    assert all(warning.isprintable() for warning in warnings)
    assert not list(tmp_path.rglob("ran"))


WHEEL_KINDS = [
    kind for kind in BROKEN if not kind.startswith(("10 MB", "an empty set"))
]


@pytest.mark.parametrize("kind", WHEEL_KINDS)
def test_broken_metadata_in_a_wheel(server: Server, tmp_path: Path, kind: str) -> None:
    """Without an index-level file, one bad ``variant.json`` costs the variants."""
    index = Index(server)
    content = BROKEN[kind] or b" "
    files = wheels(tmp_path / "wheels", cu12=None, cu13=content)
    index.add("demo", files)
    filename, warnings = locked(project_of(tmp_path, index), server)
    assert filename == PLAIN
    assert len(warnings) == 1


@pytest.mark.parametrize(
    "content",
    [
        as_bytes(variants={"cu12": CU12}),  # of another label
        as_bytes(variants={"cu12": CU12, "cu13": CU13}),  # of two labels
        as_bytes(  # says another order
            priorities={"namespace": ["amd", "nvidia"]}, variants={"cu13": CU13}
        ),
    ],
)
def test_wheels_that_contradict_each_other(
    server: Server, tmp_path: Path, content: bytes
) -> None:
    """Wheels of one release that say different things have no variants."""
    index = Index(server)
    other = as_bytes(variants={"cu12": CU12})
    index.add("demo", wheels(tmp_path / "wheels", cu12=other, cu13=content))
    filename, warnings = locked(project_of(tmp_path, index), server)
    assert filename == PLAIN
    assert len(warnings) == 1


def test_index_level_file_that_is_gone(server: Server, tmp_path: Path) -> None:
    """A file that the page names and the index has not: the wheels are asked."""
    project = serve(server, tmp_path, as_bytes())
    server.routes[f"/files/{JSON_FILE}"] = Answer(status=404)
    filename, _ = locked(project, server)
    assert filename.endswith("-cu13.whl")


def test_unknown_keys_are_kept_printable(server: Server, tmp_path: Path) -> None:
    """What is not known of valid metadata is written so that people can read it."""
    content = as_bytes(
        **{
            "future\u202e": {"\0": "\x1b[31m", "deep": json.loads(nested(100))},
            "\ud800": ["\ud800", None, "endless"],
            "big": 2**70,
        }
    ).replace(b'"endless"', b"1e400")
    project = serve(server, tmp_path, content)
    filename, _ = locked(project, server)
    assert filename.endswith("-cu13.whl")
    assert not project.lock().changed
