"""An index of anyone: linted, simulated and extended, without a traceback.

The page on safety has the kinds.
"""

from __future__ import annotations

import json
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from fakes.server import JSON, Answer, Index, Server
from fakes.wheels import build_wheel, variants_json
from polylock.index_server.lint import MOST_FINDINGS
from polylock.model.visible_text import is_visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fakes.command_line import CommandLine

SECONDS = 30.0
"""Of a processor, however slow."""

LONGEST = 4_000_000
"""Characters of output on 5,000 releases with a finding each."""

LEVEL = "demo-1.0-variants.json"
WHEEL = "demo-1.0-py3-none-any-gpu.whl"
GPU = {"nvidia": {"cuda_version_lower_bound": ["13.0"]}}
CODES = "\x1b[2J\x07\u202e::error::x"


class World:
    """An index with a variant wheel of demo, its metadata and a list of projects."""

    def __init__(self, server: Server, directory: Path) -> None:
        self.server = server
        self.index = Index(server)
        self.directory = directory
        self.wheel = build_wheel(directory, "demo", "1.0", label="gpu", variant=GPU)
        self.level(json.dumps(variants_json({"gpu": GPU})).encode())
        self.root(b'{"projects": [{"name": "demo"}]}')

    def level(self, content: bytes) -> None:
        """Serve another index-level file."""
        path = self.directory / LEVEL
        path.write_bytes(content)
        self.index.add("demo", [self.wheel, path])

    def root(self, content: bytes, kind: str = JSON) -> None:
        """Serve another list of projects."""
        self.server.routes["/simple/"] = Answer(body=content, content_type=kind)

    def page(self, content: bytes, kind: str = JSON) -> None:
        """Serve another page of demo."""
        self.server.routes[self.index.page("demo")] = Answer(
            body=content, content_type=kind
        )

    def rows(self, *names: str) -> None:
        """Serve a page with files of these names."""
        files = [
            {"filename": n, "url": f"/{i}", "hashes": {}} for i, n in enumerate(names)
        ]
        self.page(json.dumps({"files": files}).encode())

    def inside(self, content: bytes, size: int | None = None) -> None:
        """Put other metadata into the wheel, padded to a size with spaces."""
        path = build_wheel(
            self.directory / "other",
            "demo",
            "1.0",
            label="gpu",
            variant_json=content if size is None else content + b" " * size,
        )
        self.server.change(self.index.file(WHEEL), body=path.read_bytes())
        document = json.loads(self.server.routes[self.index.page("demo")].body)
        for entry in document["files"]:
            entry |= {"hashes": {}, "size": None}
        self.page(json.dumps(document).encode())


def many(count: int, properties: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return metadata with very many labels."""
    variants = {f"l{number}": properties for number in range(count)}
    return json.dumps(variants_json(variants, namespaces=["nvidia"])).encode()


def keyed(key: str) -> bytes:
    """Return metadata with another key at the top, and one below a label."""
    document = variants_json({"gpu": GPU, "null": {}}) | {key: 1}
    document["variants"]["gpu"] = {"nvidia": {key: ["1"]}}
    return json.dumps(document).encode()


def truncated(world: World) -> None:
    """Serve half of the wheel, as if it were whole."""
    content = world.wheel.read_bytes()
    world.server.change(world.index.file(WHEEL), body=content[: len(content) // 2])


def bombed(world: World) -> None:
    """Serve a wheel whose variant.json has a gigabyte, or says so."""
    path = world.directory / "bomb" / WHEEL
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("demo-1.0.dist-info/METADATA", "Name: demo\nVersion: 1.0\n")
        archive.writestr("demo-1.0.dist-info/variant.json", b"0" * (1 << 25))
    world.server.change(world.index.file(WHEEL), body=path.read_bytes())


HOSTILE: dict[str, Callable[[World], None]] = {
    "metadata nested without end": lambda w: w.level(b"[" * 200_000),
    "metadata with a number without end": lambda w: w.level(b'{"a": 1' + b"9" * 9000),
    "metadata of half a character": lambda w: w.level(keyed("\ud800")),
    "metadata that is not UTF-8": lambda w: w.level(b'{"\xff": 1}'),
    "metadata of nine megabytes": lambda w: w.level(b" " * (9 << 20)),
    "metadata with keys of control characters": lambda w: w.level(keyed(CODES)),
    "metadata with a schema of control characters": lambda w: w.level(
        json.dumps(
            variants_json({"gpu": GPU}) | {"$schema": f"http://{CODES}"}
        ).encode()
    ),
    "thousands of labels without wheels": lambda w: w.level(many(20_000, GPU)),
    "thousands of labels without properties": lambda w: w.level(many(20_000, {})),
    "thousands of values": lambda w: w.level(
        many(1, {"nvidia": {"sm_arch": [f"{n}_real" for n in range(99_999, 0, -1)]}})
    ),
    "wheel metadata of control characters": lambda w: w.inside(keyed(CODES)),
    "wheel metadata that is no JSON": lambda w: w.inside(b"\x00\x1b"),
    "wheel metadata of sixteen megabytes": lambda w: w.inside(b"{}", 1 << 24),
    "wheel metadata that decompresses without end": bombed,
    "half a wheel": truncated,
    "file names of control characters": lambda w: w.rows(
        f"demo-1.0-py3-none-any-{CODES}.whl", f"demo-{CODES}-variants.json", CODES
    ),
    "file names with thousands of tags": lambda w: w.rows(
        *(
            f"demo-1.{n}-{'.'.join(['cp9t'] * 20)}-{'.'.join(['b'] * 40)}-win_9.whl"
            for n in range(5000)
        )
    ),
    "thousands of index-level files": lambda w: w.rows(*[LEVEL] * 5000),
    "versions without end": lambda w: w.rows(f"demo-{'1.' * 110}1-py3-none-any.whl"),
    "page in JSON that is none": lambda w: w.page(b'{"files": [1, {"filename": {}}]}'),
    "page nested without end": lambda w: w.page(b"[" * 200_000),
    "page in HTML without ends": lambda w: w.page(b"<a href='" * 50_000, "text/html"),
    "page of another type": lambda w: w.page(b"{}", f"text/{CODES}"),
    "list of projects with other paths": lambda w: w.root(
        b'{"projects": [{"name": "../../etc"}, {"name": 5}, {"name": "a/b"}]}'
    ),
    "list of projects in HTML with other paths": lambda w: w.root(
        b'<a href="../../x/%2e%2e/">x</a><a href="//[">y</a><a href="%1b/">z</a>',
        "text/html",
    ),
}
"""How an index is changed before it is read."""


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with Server() as server:
        yield World(server, tmp_path / "files")


def calls(world: World, directory: Path) -> list[list[str]]:
    """Return the commands that read the index."""
    new = directory / "new"
    build_wheel(new, "demo", "1.0", label="null", variant={}, namespaces=["nvidia"])
    url = world.index.url
    return [
        ["index", "lint", url],
        ["index", "lint", url, "--json"],
        ["index", "simulate", url, "demo", "--presets", "h100,linux-x86_64"],
        [
            "index",
            "build",
            str(new),
            "--append",
            url,
            "--output",
            str(directory / "up"),
        ],
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_index_is_read_without_a_traceback(
    name: str, world: World, polylock: CommandLine, tmp_path: Path
) -> None:
    """Each command ends by itself, soon, and shows what it read."""
    HOSTILE[name](world)
    began = time.process_time()
    for call in calls(world, tmp_path):
        ran = polylock(*call)
        assert ran.code in {0, 1, 2, 3}, (call, ran.err)
        assert "Traceback" not in ran.err
        for line in (ran.out + ran.err).split("\n"):
            assert is_visible(line), (call, line)
            assert not line.lstrip().startswith("::")
        assert len(ran.out) < LONGEST
    assert time.process_time() - began < SECONDS
    written = tmp_path / "up"
    inside = {"simple", "files"}
    assert not written.exists() or {path.name for path in written.iterdir()} <= inside


def test_the_index_itself_has_no_fault(
    world: World, polylock: CommandLine, tmp_path: Path
) -> None:
    """So that the kinds above are the only thing that is wrong."""
    for call in calls(world, tmp_path):
        polylock.succeed(*call)


def test_findings_on_a_release_are_limited(world: World, polylock: CommandLine) -> None:
    """The last one says how many others there are."""
    world.level(many(2000, GPU))
    found = polylock("index", "lint", world.index.url, "--json").json["findings"]
    assert len(found) == MOST_FINDINGS + 1
    assert found[-1]["kind"] == "too-many"
    assert found[-1]["detail"]["further"].replace(",", "").isdigit()
