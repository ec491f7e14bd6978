"""Input that would take minutes or gigabytes is refused in bounded time.

The page on safety counts the kinds and has the limits in one table.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import struct
import tarfile
import time
import tracemalloc
import zipfile
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

import polylock
from fakes.families import pigeonholes, versions
from fakes.raw_server import RawServer
from fakes.source import MemorySource
from fakes.universes import TARGETS, inputs_of
from polylock.build.sdist import unpack_sdist
from polylock.cache.regular_files import LARGEST_TEXT, read_regular
from polylock.errors import FileCorrupt, IndexRequestError, PolylockError, TooComplex
from polylock.explain.conflict import explained
from polylock.index import json_page, metadata_files, remote_zip, sdist_metadata
from polylock.index.html_page import parse_html_page
from polylock.index.json_page import InvalidPage, parse_json_page
from polylock.index.releases import IndexPage, decode_releases, encode_releases
from polylock.index.remote_zip import LocalZip, RangesUnsupported, RemoteZip
from polylock.index.sdist_metadata import read_pkg_info
from polylock.lockfile.read import read_pylock
from polylock.lockfile.vouching import Choice, ambiguous, choices, unreached
from polylock.model import core_metadata, filenames
from polylock.model.archive_checks import (
    DEEPEST_PATH,
    LONGEST_PATH,
    MemberNames,
    RefusedArchive,
)
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.filenames import InvalidFilename, SdistFilename, WheelFilename
from polylock.model.requirements import (
    LONGEST_REQUIREMENT,
    InvalidRequirement,
    Requirement,
)
from polylock.model.sdist_members import SDIST_LIMITS, SdistMember, SdistMembers
from polylock.network import client, limits
from polylock.network.client import RetryPolicy, retry_after
from polylock.network.local_files import local_content
from polylock.ports import SilentReporter
from polylock.resolution import tries
from polylock.resolution.conditions import CLAUSES_AT_MOST
from polylock.resolution.problem import Unsolvable
from polylock.resolution.solve import Solver
from polylock.toml_tables import (
    DEEPEST_KEY,
    LARGEST_TOML,
    InvalidToml,
    parse_toml,
)
from polylock.variants import variant_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 20.0
"""Of a processor, however slow; what is refused here took a minute or for ever."""

DIGITS = "9" * 5000
BASE = "https://index.example.com/simple/demo/"
ROW = {"filename": "demo-1.0-py3-none-any.whl", "url": "demo-1.0-py3-none-any.whl"}


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Fail a test that keeps a processor busy for too long."""
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


def _html(page: str) -> int:
    return len(parse_html_page(page.encode(), BASE))


GOOD_LINK = '<a href="demo-1.0.tar.gz">demo</a>'

PAGES: dict[str, tuple[str, int]] = {
    "tags without end": (GOOD_LINK + "<a " * 60_000, 1),
    "comments without end": (GOOD_LINK + "<!--" * 60_000, 1),
    "quotations without end": (GOOD_LINK + '<a href="' * 60_000, 1),
    "declarations without end": (GOOD_LINK + "<!x" * 60_000, 1),
    "a marked section": (GOOD_LINK + "<![DOCTYPE " * 9, 1),
    "scripts without end": (GOOD_LINK + "<script>" * 60_000, 1),
    "closing tags without end": (GOOD_LINK + "</a" * 60_000, 1),
    "attributes without end": (GOOD_LINK + "<a" + " x=" * 60_000, 1),
    "equal signs": (GOOD_LINK + "<a" + "=" * 60_000, 1),
    "spaces before an equal sign": (GOOD_LINK + "<a x" + " " * 200_000, 1),
    "a base that is no URL": ('<base href="http://[">' + GOOD_LINK, 1),
    "a link that is no URL": ('<a href="http://[/x.whl">x</a>' + GOOD_LINK, 1),
    "a number of too many digits": (
        f'<a href="x.whl" data-requires-python="&#{DIGITS};">x</a>' + GOOD_LINK,
        1,
    ),
}


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_in_html_costs_time_by_its_length(kind: str) -> None:
    """What is wrong with a page costs no link that comes before it."""
    page, links = PAGES[kind]
    assert _html(page) == links


ROWS: dict[str, str] = {
    "a size of too many digits": f'"size": {DIGITS}',
    "a size like 1e26": '"size": 1e26',
    "a size below zero": '"size": -1',
    "a size that is a text": '"size": "12"',
    "a time that is none": '"upload-time": "yesterday"',
    "a value nested too deeply": '"x": ' + "[" * 900 + "]" * 900,
    "a number in another key": f'"x": {DIGITS}',
    "a key of half a character": '"\\ud800": 1, "size": "12"',
}


@pytest.mark.parametrize("kind", ROWS)
def test_a_bad_value_of_a_row_costs_that_value(kind: str) -> None:
    """The file is there, and so are those beside it."""
    good = json.dumps(ROW)
    bad = good[:-1] + ", " + ROWS[kind] + "}"
    page = f'{{"meta": {{"api-version": "1.0"}}, "files": [{bad}, {good}]}}'
    found = parse_json_page(page.encode(), BASE)
    assert [row.size for row in found] == [None, None]


BAD_ROWS: dict[str, object] = {
    "a row that is no table": 1,
    "a row without a name": {"url": "x"},
    "a URL that is none": {**ROW, "url": "http://h[/x"},
    "a name of too many characters": {**ROW, "filename": f"demo-{DIGITS}.tar.gz"},
    "a name of half a character": {**ROW, "filename": "demo-\ud800.whl"},
    "a specifier of too many characters": {**ROW, "requires-python": f">={DIGITS}"},
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_a_bad_row_costs_itself(kind: str) -> None:
    """What cannot be a file is left out, and the file beside it is there."""
    page = json.dumps({"meta": {}, "files": [BAD_ROWS[kind], ROW]})
    assert [row.filename for row in parse_json_page(page.encode(), BASE)] == [
        ROW["filename"]
    ]


def test_json_that_is_nested_too_deeply_is_refused() -> None:
    """Whole, for where its end is nobody can tell."""
    for text in ("[" * 200_000, '{"files": [' + '{"x":' * 200_000):
        with pytest.raises(InvalidPage):
            parse_json_page(text.encode(), BASE)


TOML: dict[str, str] = {
    "a key of 16,000 dots": "a" + ".a" * 16_000 + " = 1",
    "a key of quoted parts": ".".join(['"a"'] * 16_000) + " = 1",
    "a table of 16,000 dots": "[" + "a" + ".a" * 16_000 + "]",
    "arrays in arrays": "a = " + "[" * 100_000,
    "tables in tables": "a = " + "{a = " * 100_000,
    "a number of too many digits": f"a = {DIGITS}",
    "a date that is none": "a = 2026-02-31",
}


@pytest.mark.parametrize("kind", TOML)
def test_toml_is_read_in_bounded_time(kind: str) -> None:
    """Whatever is wrong with it is one kind of error."""
    with pytest.raises(InvalidToml):
        parse_toml(TOML[kind])


def test_long_values_of_toml_are_no_keys() -> None:
    """Texts, hashes and words without a dot cost their length."""
    text = f'a = "{"x." * 30}"\nb = "{"y" * 1_000_000}"\n{"c" * 200_000} = 1\n'
    assert len(parse_toml(text)) == 3


NAMES = [
    f"demo-{DIGITS}-py3-none-any.whl",
    f"demo-1.0-{DIGITS}-py3-none-any.whl",
    f"demo-1.0-{'py2.' * 90}py3-none-any.whl",
]


@pytest.mark.parametrize("name", NAMES, ids=["version", "build", "tags"])
def test_a_file_name_that_no_disk_has(name: str) -> None:
    """Its numbers may have more digits than are read."""
    with pytest.raises(InvalidFilename):
        WheelFilename.parse(name)
    with pytest.raises(InvalidFilename):
        SdistFilename.parse(name.replace(".whl", ".tar.gz"))


REQUIREMENTS = {
    "a version": f"demo=={DIGITS}",
    "an epoch": f"demo>={DIGITS}!1",
    "a marker": f"demo; python_version < '{DIGITS}'",
    "a name": f"{'d' * 100_000}",
    "extras": f"demo[{','.join(['a'] * 50_000)}]",
    "clauses": f"demo{','.join(['>=1'] * 50_000)}",
    "parentheses": f"demo; {'(' * 5000}a{')' * 5000}",
    "operands": "demo; " + " and ".join(["os_name == 'a'"] * 5000),
}


@pytest.mark.parametrize("kind", REQUIREMENTS)
def test_a_requirement_without_bounds(kind: str) -> None:
    """It is refused as any that is none."""
    with pytest.raises(InvalidRequirement):
        Requirement.parse(REQUIREMENTS[kind])


METADATA = {
    "a version": f"Name: demo\nVersion: {DIGITS}\n",
    "a name": f"Name: {DIGITS}\nVersion: 1\n",
    "a specifier": f"Name: demo\nVersion: 1\nRequires-Python: >={DIGITS}\n",
    "a requirement": f"Name: demo\nVersion: 1\nRequires-Dist: x=={DIGITS}\n",
    "fields": "Name: demo\nVersion: 1\n" + "Requires-Dist: x\n" * 30_000,
    "extras": "Name: demo\nVersion: 1\n"
    + "".join(f"Provides-Extra: e{number}\n" for number in range(100_000)),
    "lines of a field": "Name: demo\nVersion: 1\nX: a\n" + " x\n" * (5 << 20),
    "lines that begin a letter": "Name: demo\nVersion: 1\n" + "From \n" * (2 << 20),
}


@pytest.mark.parametrize("kind", METADATA)
def test_metadata_without_bounds(kind: str) -> None:
    """It is invalid, which costs a release and no run."""
    with pytest.raises(InvalidCoreMetadata):
        CoreMetadata.parse(METADATA[kind].encode())


def test_a_description_is_not_read() -> None:
    """Its lines took 60 times their size in memory."""
    content = b"Name: demo\nVersion: 1\n\n" + b"From \n" * (2 << 20)
    tracemalloc.start()
    assert CoreMetadata.parse(content).name == "demo"
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < len(content)


PAGES_OF_FILES: dict[str, Callable[[int], str]] = {
    "files of long names": lambda n: f"demo-1.{n}-py3-none-{'a' * 200}.whl",
    "files of one release": lambda n: f"demo-1-{n}-py3-none-{'a' * 200}.whl",
    "files of long versions": lambda n: f"demo-{'1.' * 90}{n}-py3-none-any.whl",
    "files of other projects": lambda n: f"{'demo-' * 40}{n}-1.0.tar.gz",
}


@pytest.mark.parametrize("kind", PAGES_OF_FILES)
def test_a_page_of_fifty_thousand_files(kind: str) -> None:
    """It costs time by its length, as JSON and as HTML."""
    names = [PAGES_OF_FILES[kind](number) for number in range(50_000)]
    files = [{"filename": name, "url": name, "hashes": {}} for name in names]
    rows = parse_json_page(json.dumps({"meta": {}, "files": files}).encode(), BASE)
    assert [row.filename for row in rows] == names
    html = "".join(f'<a href="{name}">{name}</a>' for name in names)
    assert len(parse_html_page(html.encode(), BASE)) == len(names)
    page = IndexPage(name=canonicalize_name("demo"), index="a", index_url=BASE)
    found = decode_releases(encode_releases(page.name, rows), page)
    assert len(found.versions) in {0, 1, len(names)}


def _locked(**keys: str) -> bytes:
    top = "".join(f"{key} = {keys[key]}\n" for key in keys if key != "dependencies")
    return (
        f'lock-version = "1.0"\ncreated-by = "x"\n{top}[[packages]]\nname = "demo"\n'
        f'version = "1"\ndependencies = {keys.get("dependencies", "[]")}\n'
        f'wheels = [{{ url = "{BASE}demo-1-py3-none-any.whl", '
        f'hashes = {{ sha256 = "{"0" * 64}" }} }}]\n'
    ).encode()


def _array(count: int, text: str) -> str:
    return "[" + ", ".join(text.format(number) for number in range(count)) + "]"


LOCKS: dict[str, dict[str, str]] = {
    "10,000 groups": {"dependency-groups": _array(10_000, '"g{}"')},
    "10,000 extras": {"extras": _array(10_000, '"e{}"')},
    "100,000 dependencies": {"dependencies": _array(100_000, '{{ name = "d{}" }}')},
    "100,000 times one dependency": {
        "dependencies": _array(100_000, '{{ name = "demo" }}')
    },
    "10,000 environments": {
        "environments": _array(10_000, "\"platform_release == '{}'\"")
    },
}


@pytest.mark.parametrize("kind", LOCKS)
def test_a_lock_file_of_many_entries(kind: str) -> None:
    """They are read once, and only the choices that the project has are followed."""
    pylock = read_pylock(_locked(**LOCKS[kind]), "pylock.toml")
    inputs = inputs_of(["demo"], "allow")
    assert choices(pylock, inputs) == (Choice(),)
    assert list(ambiguous(pylock, inputs, TARGETS[0])) == []
    assert list(unreached(pylock, inputs, TARGETS[0])) == []


def _tar(header: bytes, *, body: int) -> bytes:
    """Return a compressed tar with a header and zeros after it."""
    return gzip.compress(header, 1) + gzip.compress(bytes(1 << 20), 1) * (body >> 20)


def _header(kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def _common_headers(count: int, *, members: int) -> bytes:
    """Return a tar with pax headers that count for each of its members."""
    buffer = io.BytesIO()
    headers = {f"k{number}": "v" for number in range(count)}
    with tarfile.open(fileobj=buffer, mode="w:gz", pax_headers=headers) as archive:
        for number in range(members):
            archive.addfile(tarfile.TarInfo(f"demo-1.0/{number}"))
        archive.addfile(tarfile.TarInfo("demo-1.0/PKG-INFO"))
    return buffer.getvalue()


TARS: dict[str, Callable[[], bytes]] = {
    "a long name of a gibibyte": lambda: _tar(
        _header(tarfile.GNUTYPE_LONGNAME, 1 << 30), body=1 << 30
    ),
    "a pax header of a gibibyte": lambda: _tar(
        _header(tarfile.XHDTYPE, 1 << 30), body=1 << 30
    ),
    "headers upon headers": lambda: gzip.compress(
        (_header(tarfile.GNUTYPE_LONGNAME, 512) + b"x" * 512) * 3000
    ),
    "headers for every member": lambda: _common_headers(50_000, members=2_000),
    "no tar": lambda: gzip.compress(b"x" * 10_000),
    "no gzip": lambda: b"<html>Sign in</html>",
}


@pytest.mark.parametrize("kind", TARS)
def test_a_source_distribution_without_bounds(tmp_path: Path, kind: str) -> None:
    """It is refused where its metadata is read and where it is unpacked."""
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(TARS[kind]())
    with pytest.raises(FileCorrupt):
        read_pkg_info(path, path.name)
    with pytest.raises(FileCorrupt):
        unpack_sdist(path, tmp_path / "tree", filename=path.name)


def test_links_upon_links_are_followed_once() -> None:
    """A chain of them takes time by its length, not by its square."""
    members = SdistMembers(archive_size=None)
    members.add(SdistMember(path="demo/0"))
    for number in range(1, 30_000):
        members.add(SdistMember(path=f"demo/{number}", link=f"demo/{number - 1}"))
    top, links = members.finish()
    assert top == "demo"
    assert set(links.values()) == {"demo/0"}


@pytest.mark.parametrize("tells_case", [True, False])
def test_the_memory_for_names_is_in_proportion_to_them(*, tells_case: bool) -> None:
    """Texts of all parents took gigabytes: a zip has names of 64 KiB."""
    deepest = "/a" * (DEEPEST_PATH - 1)
    tracemalloc.start()
    names = MemberNames(tells_case=tells_case)
    for number in range(300):
        names.add(f"{number}{deepest}", is_directory=False)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < 300 * DEEPEST_PATH * 1024
    for path in ("a/" * 30_000 + "a", "a" * (LONGEST_PATH + 1)):
        with pytest.raises(RefusedArchive, match="too long a path"):
            names.add(path, is_directory=False)


def _zip(compression: int = zipfile.ZIP_STORED) -> bytearray:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("demo-1.0/PKG-INFO", b"Name: demo\nVersion: 1.0\n" * 99)
    return bytearray(buffer.getvalue())


def _zip64() -> bytes:
    """Return an archive whose directory claims to have 2 ** 50 bytes."""
    content = bytes(_zip())
    end = content.rindex(b"PK\x05\x06")
    start = content.rindex(b"PK\x01\x02")
    record = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 1 << 50, start
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    last = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0
    )
    return content[:end] + record + locator + last


def _damaged_lzma() -> bytes:
    content = _zip(zipfile.ZIP_LZMA)
    content[60:90] = bytes(30)
    return bytes(content)


ZIPS: dict[str, Callable[[], bytes]] = {
    "a directory of 2 ** 50 bytes": _zip64,
    "damaged LZMA": _damaged_lzma,
    "no zip": lambda: b"<html>Sign in</html>",
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("kind", ZIPS)
def test_a_zip_that_lies(tmp_path: Path, kind: str) -> None:
    """It is damaged, whichever part of it says so."""
    path = tmp_path / "demo-1.0.zip"
    path.write_bytes(ZIPS[kind]())
    with pytest.raises(FileCorrupt):
        read_pkg_info(path, path.name)
    with pytest.raises(FileCorrupt):
        unpack_sdist(path, tmp_path / "tree", filename=path.name)
    with pytest.raises(FileCorrupt), LocalZip(path, path.name) as archive:
        archive.read(archive.entries[0])


def test_an_endless_answer_to_a_range_is_no_range() -> None:
    """It is not joined in memory: the server counts as one without ranges."""
    head = b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-65535/99999999\r\n\r\n"
    sent = 0

    def answer() -> Iterator[bytes]:
        nonlocal sent
        yield head
        for chunk in repeat(bytes(1 << 16)):
            sent += len(chunk)
            yield chunk

    with (
        RawServer(answer) as server,
        client.Client() as asking,
        pytest.raises(RangesUnsupported),
    ):
        RemoteZip(asking, server.url, "demo.whl")
    assert sent < 64 << 20


@pytest.mark.parametrize("value", ["²", "٣", "-1", "1e9", "x", "9" * 5000, ""])
def test_a_time_to_wait_that_is_none(value: str) -> None:
    """It is not obeyed: Retry-After is a number of seconds or a date."""
    found = retry_after(value)
    assert found is None or RetryPolicy().wait(1, found) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_or_a_device_is_not_read(tmp_path: Path) -> None:
    """Neither waits for a writer, nor is one read that never ends."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path.parent / ".." / "dev" / "zero", tmp_path):
        with pytest.raises(OSError, match=r"regular file|directory|No such"):
            read_regular(path)
    with pytest.raises(IndexRequestError, match="regular file"):
        local_content("file:///dev/zero")


def test_a_file_of_too_many_bytes_is_not_read(tmp_path: Path) -> None:
    """What is read whole has a limit."""
    path = tmp_path / "large"
    path.write_bytes(bytes(100))
    assert read_regular(path, largest=100) == bytes(100)
    with pytest.raises(OSError, match="more than 99 bytes"):
        read_regular(path, largest=99)


def _extras(count: int, requires: str) -> dict[str, Any]:
    names = [f"e{number}" for number in range(count)]
    lines = [f"{requires.format(n + 1)}; extra == 'e{n}'" for n in range(count)]
    last = f"last; extra == 'e{count}'"
    return {"1": {"requires": [f"a[{','.join(names)}]; extra == 'all'", *lines, last]}}


SOLVES: dict[str, tuple[dict[str, Any], type[Exception] | None]] = {
    "thousands of markers": (
        {
            "a": versions(1, *(f"b; platform_release == '{n}'" for n in range(1000))),
            "b": versions(1),
        },
        None,
    ),
    "ways that double": (
        {
            "a": versions(1, "p0"),
            **{
                f"p{n}": versions(
                    1,
                    f"p{n + 1}; platform_release == '{n}'",
                    f"p{n + 1}; platform_version == '{n}'",
                )
                for n in range(40)
            },
            "p40": versions(1),
        },
        TooComplex,
    ),
    "hundreds of extras": (
        {"a": _extras(200, "b"), "b": versions(1), "last": versions(1)},
        None,
    ),
    "extras that ask for each other": (
        {"a": _extras(200, "a[e{}]"), "last": versions(1)},
        None,
    ),
    "pigeons and holes": (
        {"a": versions(1, *(f"pigeon{n}" for n in range(1, 8))), **pigeonholes(7, 6)},
        Unsolvable,
    ),
}


@pytest.mark.parametrize("kind", SOLVES)
def test_a_solve_ends(kind: str) -> None:
    """It has an answer, or an error in words with the next step."""
    packages, refused = SOLVES[kind]
    asked = "a[all]" if "extras" in kind else "a"
    inputs = inputs_of([asked], "allow")
    solver = Solver(
        inputs=inputs, source=MemorySource(packages), reporter=SilentReporter()
    )
    if refused is None:
        assert "a" in solver.solve(TARGETS[:1]).resolutions[0].pins
        return
    with pytest.raises(refused) as caught:
        solver.solve(TARGETS[:1])
    error = caught.value
    told = explained(error) if isinstance(error, Unsolvable) else error
    assert isinstance(told, PolylockError)
    assert told.hint()


LIMITS = {
    "an answer of an index, read whole": limits.LARGEST,
    "a file on disk, read whole": LARGEST_TEXT,
    "metadata beside a wheel": metadata_files._LARGEST,
    "a member of a wheel that is read by ranges": remote_zip._MEMBER_LIMIT,
    "a range of a wheel": remote_zip._LARGEST_RANGE,
    "PKG-INFO": sdist_metadata._MEMBER_LIMIT,
    "a header of a tar": SDIST_LIMITS.read_size,
    "pax headers of a member of a tar": SDIST_LIMITS.headers,
    "what is unfolded of a stream to find PKG-INFO": sdist_metadata._LARGEST_TAR,
    "a source distribution, unpacked": SDIST_LIMITS.total_size,
    "the same, of a small archive": SDIST_LIMITS.free_size,
    "members of a source distribution": SDIST_LIMITS.members,
    "characters of a path in an archive": LONGEST_PATH,
    "parts of a path in an archive": DEEPEST_PATH,
    "variant metadata": variant_json.LARGEST,
    "characters of a TOML file": LARGEST_TOML,
    "parts of a TOML key": DEEPEST_KEY,
    "characters of a requirement": LONGEST_REQUIREMENT,
    "fields of metadata": core_metadata.MOST_FIELDS,
    "fields of metadata, in bytes": core_metadata.LARGEST_FIELDS,
    "characters of a file name": filenames._LONGEST,
    "characters of a requires-python": json_page._LONGEST_SPECIFIER,
    "candidates that a search tries, for all targets": tries.TRIES_AT_MOST,
    "projects that a search looks at in its rounds, for a target": (
        tries.LOOKED_AT_MOST
    ),
    "requirements that a search weighs against each other, for a target": (
        tries.WEIGHED_AT_MOST
    ),
    "ways under different markers that lead to one project": CLAUSES_AT_MOST,
    "bytes a second, at the least": limits._SLOWEST,
    "times the timeout until the headers are there": client._HEADER_TIMEOUTS,
}
"""What is said in the table of the page on safety."""

KINDS = (
    *(f"page: {kind}" for kind in PAGES),
    *(f"row: {kind}" for kind in (*ROWS, *BAD_ROWS)),
    *(f"TOML: {kind}" for kind in TOML),
    *(f"requirement: {kind}" for kind in REQUIREMENTS),
    *(f"metadata: {kind}" for kind in METADATA),
    *(f"page: {kind}" for kind in PAGES_OF_FILES),
    *(f"lock file: {kind}" for kind in LOCKS),
    *(f"tar: {kind}" for kind in TARS),
    *(f"zip: {kind}" for kind in ZIPS),
    *(f"solve: {kind}" for kind in SOLVES),
)
"""What the page on safety counts."""


WHOLE_READS = {
    "answer_cache/remember.py": "what the command that ends has read",
    "build/frontend.py": "what a build that runs here has written",
    "environment/discovery.py": "conda's list, in the home directory",
    "environment/installed.py": "an environment",
    "environment/venv.py": "an environment",
    "index_server/static_build.py": "what is published with it",
    "index_server/static_serve.py": "what was published with it",
    "installation/archive.py": "the cache",
    "installation/hash_check.py": "the cache or an environment",
    "installation/place.py": "the cache",
    "installation/uninstall.py": "an environment",
    "operations/inspect/git_repository.py": "the state of git",
    "project/presets.py": "polylock itself",
    "project/torch_backends.py": "polylock itself",
    "providers/amd.py": "the system, by a reader with a limit",
    "providers/ascend.py": "the system, as above",
    "providers/cpu_identity.py": "the system, as above",
    "providers/nvidia.py": "the system, as above",
    "providers/tpu.py": "the system, as above",
    "report/page.py": "polylock itself",
}
"""The modules that read files whole, and whose files these are."""


def test_what_a_repository_brings_is_read_with_a_limit() -> None:
    """A link to a device looks like a file; ``read_regular`` tells them apart."""
    source = Path(polylock.__file__).parent
    found = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(r"\.read_(text|bytes)\(", path.read_text("utf-8"))
    }
    assert found == set(WHOLE_READS)
