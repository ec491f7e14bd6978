"""The parsers of foreign data, each with seeds and the errors it may raise."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from fakes.lock_scenarios import SCENARIOS
from polylock.build.sdist import unpack_sdist
from polylock.errors import PolylockError
from polylock.foreign.formats import read_foreign_lock
from polylock.index.html_page import parse_html_page
from polylock.index.json_page import InvalidPage, parse_json_page
from polylock.index.releases import IndexPage, decode_releases, encode_releases
from polylock.index.remote_zip import LocalZip
from polylock.index.sdist_metadata import read_pkg_info
from polylock.lockfile.read import read_pylock
from polylock.lockfile.write import pylock_text
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.filenames import InvalidFilename, SdistFilename, WheelFilename
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.project.pyproject import load_project
from polylock.project.settings import Settings
from polylock.variants.variant_json import InvalidVariantMetadata, VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polylock.model.distributions import RemoteFile

__all__ = ["PARSERS", "Parser"]

DATA = Path(__file__).parents[1] / "data"
BASE = "https://index.example.com/simple/demo/"
DEMO = canonicalize_name("demo")


@dataclass(frozen=True, slots=True)
class Parser:
    """A function that parses bytes, its first seeds, and the errors it may raise."""

    read: Callable[[bytes], object]
    seeds: Sequence[bytes]
    expected: tuple[type[Exception], ...] = (PolylockError,)


def _lock(content: bytes) -> None:
    pylock_text(read_pylock(content, "pylock.toml"))


def _project(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "pyproject.toml")
        path.write_bytes(content)
        load_project(path, settings=Settings(cache_dir=Path(directory, "cache")))


def _rows(rows: list[RemoteFile]) -> None:
    """Take rows to releases and back, as a cached page is."""
    page = IndexPage(name=DEMO, index="default", index_url=BASE)
    releases = decode_releases(encode_releases(DEMO, rows), page)
    for position in range(len(releases.versions)):
        releases.release(position)


def _json_page(content: bytes) -> None:
    _rows(parse_json_page(content, BASE))


def _html_page(content: bytes) -> None:
    _rows(parse_html_page(content, BASE))


def _filename(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    with suppress(InvalidFilename):
        SdistFilename.parse(text)
    name = WheelFilename.parse(text)
    for _ in zip(range(1000), name.tags, strict=False):
        pass
    assert name.build_number


def _requirement(content: bytes) -> None:
    found = Requirement.parse(content.decode("utf-8", "replace"))
    again = Requirement.parse(str(found))
    assert (again.name, again.specifier) == (found.name, found.specifier)
    assert found.marker_expression is None or str(found.marker_expression)


def _foreign(content: bytes) -> None:
    def include(path: str, named: str) -> tuple[str, bytes]:
        return f"{path}/{named}", b"included==1.0\n"

    read_foreign_lock(content, "some.lock", include)


def _requirements(content: bytes) -> None:
    def include(path: str, named: str) -> tuple[str, bytes]:
        return f"{path}/{named}", b"included==1.0\n"

    read_foreign_lock(content, "requirements.txt", include)


def _zip(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "demo-1.0.zip")
        path.write_bytes(content)
        with suppress(PolylockError), LocalZip(path, path.name) as archive:
            for entry in archive.entries[:20]:
                archive.read(entry)
        unpack_sdist(path, Path(directory, "tree"), filename=path.name)


def _tar(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "demo-1.0.tar.gz")
        path.write_bytes(gzip.compress(content, 1))
        with suppress(PolylockError):
            read_pkg_info(path, path.name)
        unpack_sdist(path, Path(directory, "tree"), filename=path.name)


_METADATA = (
    b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nRequires-Python: >=3.11\n"
    b"Provides-Extra: more\nRequires-Dist: helper[fast]>=2,<3; extra == 'more'\n"
    b"Requires-Dist: other @ https://example.com/other-1.0-py3-none-any.whl\n"
    b"Requires-Dist: fast; 'x86_64 :: level :: v3' in variant_properties\n"
    b"Dynamic: License\n\nText\n"
)
_PROJECT = b"""[project]
name = "demo"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["helper>=2", "lib @ file:../lib"]
[project.optional-dependencies]
more = ["fast"]
[dependency-groups]
test = ["tester", {include-group = "docs"}]
docs = ["writer"]
[[tool.polylock.index]]
name = "ours"
url = "https://index.example.com/simple/"
explicit = true
[tool.polylock]
exclude-newer = "2026-01-01T00:00:00Z"
constraint-dependencies = ["helper<9"]
[tool.polylock.sources]
helper = { index = "ours" }
tree = { path = "../tree", editable = true }
[tool.polylock.targets.box]
platform = "linux-x86_64"
libc = "glibc-2.34"
python = "3.12"
cpu = "sapphirerapids"
nvidia = { driver = "13.0", compute = ["9.0"] }
"""
_ROW = {
    "filename": "demo-1.0-py3-none-any.whl",
    "url": "../../files/demo-1.0-py3-none-any.whl",
    "hashes": {"sha256": "0" * 64},
    "size": 1234,
    "upload-time": "2026-01-01T00:00:00.000001Z",
    "requires-python": ">=3.11",
    "core-metadata": {"sha256": "1" * 64},
    "yanked": "broken",
}
_VARIANT_ROW = {**_ROW, "filename": "demo-1.0-py3-none-linux_x86_64-v3.whl"}
_SDIST_ROW = {**_ROW, "filename": "demo-1.0.tar.gz", "yanked": False}
_VARIANTS = {
    "$schema": "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json",
    "default-priorities": {"namespace": ["nvidia", "x86_64"]},
    "variants": {
        "cu130": {"nvidia": {"cuda_version_lower_bound": ["13.0"]}},
        "null": {},
        "v3": {"x86_64": {"level": ["v3"]}},
    },
}


def _page() -> bytes:
    files = [_ROW, _VARIANT_ROW, _SDIST_ROW]
    return json.dumps({"meta": {"api-version": "1.1"}, "files": files}).encode()


_HTML = (
    b'<!DOCTYPE html><html><head><base href="https://example.com/x/">'
    b'<meta name="pypi:repository-version" content="1.0"></head><body><!-- c -->'
    b'<a href="../demo-1.0-py3-none-any.whl#sha256=ab" data-yanked="no &amp; no" '
    b"data-requires-python='&gt;=3.11' data-core-metadata=\"sha256=cd\">demo</a>"
    b"<a href=demo-1.0.tar.gz>x</a></body></html>"
)


def _zip_seed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("demo-1.0/PKG-INFO", _METADATA)
        archive.writestr("demo-1.0/src/demo.py", b"x = 1\n" * 50)
    return buffer.getvalue()


def _tar_seed(kind: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name, content in (
            ("demo-1.0/PKG-INFO", _METADATA),
            ("demo-1.0/" + "long" * 30 + ".py", b"x = 1\n"),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("demo-1.0/link")
        link.type, link.linkname = tarfile.SYMTYPE, "PKG-INFO"
        archive.addfile(link)
    return buffer.getvalue()


def _data(*patterns: str) -> list[bytes]:
    found = [path for pattern in patterns for path in sorted(DATA.rglob(pattern))]
    return [path.read_bytes() for path in found if path.stat().st_size < 50_000]


PARSERS: dict[str, Parser] = {
    "lock": Parser(
        _lock, [pylock_text(make().assemble()).encode() for make in SCENARIOS.values()]
    ),
    "project": Parser(_project, [_PROJECT]),
    "metadata": Parser(CoreMetadata.parse, [_METADATA], (InvalidCoreMetadata,)),
    "json-page": Parser(_json_page, [_page()], (InvalidPage,)),
    "html-page": Parser(_html_page, [_HTML], (InvalidPage,)),
    "variants": Parser(
        VariantMetadata.decode,
        [json.dumps(_VARIANTS).encode()],
        (InvalidVariantMetadata,),
    ),
    "filename": Parser(
        _filename,
        [
            b"demo-1.0-py3-none-any.whl",
            b"demo-1!1.0+cu130-2x-cp312.cp313-abi3-manylinux_2_28_x86_64-v3.whl",
            b"demo-1.0.tar.gz",
        ],
        (InvalidFilename,),
    ),
    "requirement": Parser(
        _requirement,
        [
            b"helper[fast,more]>=2,!=2.1.*,<3; python_version < '3' and extra == 'x'",
            b"lib @ git+https://example.com/l.git@v1#subdirectory=x ; os_name != 'nt'",
            b"torch~=2.9.0; 'cu130' == variant_label or sys_platform in 'linux darwin'",
        ],
        (InvalidRequirement,),
    ),
    "foreign-lock": Parser(_foreign, _data("*.lock", "*.toml", "Pipfile*", "*.json")),
    "requirements": Parser(
        _requirements,
        [
            b"demo==1.0 \\\n    --hash=sha256:"
            + b"0" * 64
            + b"\n-r more.txt\n# via x\n"
            b"-e ./lib\nhelper>=2 ; python_version < '3.12'\n--index-url https://x/\n",
        ],
    ),
    "zip": Parser(_zip, [_zip_seed()]),
    "tar": Parser(_tar, [_tar_seed(tarfile.GNU_FORMAT), _tar_seed(tarfile.PAX_FORMAT)]),
}
