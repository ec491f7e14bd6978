"""Reading lock files, ours and those of other tools."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from polylock.errors import LockFileInvalid
from polylock.lockfile.pylock import Pylock
from polylock.lockfile.read import read_pylock
from polylock.lockfile.record import LockedFeature, LockedInputs, Record

TOP = 'lock-version = "1.0"\ncreated-by = "t"\n'
EMPTY = f"{TOP}packages = []\n"
PACKAGE = f'{TOP}[[packages]]\nname = "x"\nversion = "1.0"\n'
WHEEL = 'url = "https://e.example.com/x-1.0-py3-none-any.whl"'
HASHES = 'hashes = {sha256 = "00"}'
WHEELS = f"wheels = [{{{WHEEL}, {HASHES}}}]\n"


def refusal(text: str | bytes) -> str:
    """Return the message with which a lock file is refused."""
    with pytest.raises(LockFileInvalid) as caught:
        read_pylock(text, "pylock.toml")
    assert caught.value.hint()
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "is not TOML: Invalid value"),
        ("packages = []", "lock-version: is missing"),
        ("lock-version = 1.0", "lock-version: must be a string, not a float"),
        ('lock-version = "x"', "lock-version: 'x' is not a version"),
        (
            'lock-version = "2.0"',
            "lock-version: version 2.0 is not supported, only 1.x is",
        ),
        ('lock-version = "1.0"\npackages = []', "created-by: is missing"),
        (TOP, "packages: is missing"),
        (f"{TOP}packages = 1", "packages: must be an array, not an integer"),
        (f"{TOP}packages = [true]", "packages[0]: must be a table, not a boolean"),
        (f"{TOP}packages = [{{}}]", "packages[0].name: is missing"),
        (
            f'{TOP}[[packages]]\nname = "X_y"\n{WHEELS}',
            "packages[0].name: 'X_y' is not a normalized name",
        ),
        (
            f'{TOP}extras = ["a", 1]\npackages = []',
            "extras[1]: must be a string, not an integer",
        ),
        (
            f'{TOP}extras = ["A"]\npackages = []',
            "extras[0]: 'A' is not normalized",
        ),
        (
            f'{TOP}environments = ["os == 1"]\npackages = []',
            "environments[0]: is not a marker: ",
        ),
        (
            f'{TOP}requires-python = "3"\npackages = []',
            "requires-python: '3' is not a version specifier",
        ),
        (f'{PACKAGE}version = "1"', "is not TOML: Cannot overwrite a value"),
        (
            f'{TOP}[[packages]]\nname = "x"\nversion = "one"\n{WHEELS}',
            "packages[0].version: 'one' is not a version",
        ),
        (
            f'{PACKAGE}marker = "nope == 1"\n{WHEELS}',
            "packages[0].marker: is not a marker: ",
        ),
        (
            f"{PACKAGE}marker = \"python_version > '3' and variant_label == 'a'\"",
            "packages[0].marker: must not use a variant marker",
        ),
        (PACKAGE, "packages[0]: x has no source to install from"),
        (f"{PACKAGE}wheels = []", "packages[0]: x has no source to install from"),
        (
            f'{PACKAGE}{WHEELS}directory = {{path = "."}}',
            "packages[0]: x has conflicting sources: ['wheels', 'directory']",
        ),
        (
            (
                f'{PACKAGE}directory = {{path = "."}}\n'
                f'archive = {{path = "a.zip", {HASHES}}}'
            ),
            "packages[0]: x has conflicting sources: ['directory', 'archive']",
        ),
        (f"{PACKAGE}directory = {{}}", "packages[0].directory.path: is missing"),
        (
            f'{PACKAGE}directory = {{path = ".", editable = 1}}',
            "packages[0].directory.editable: must be a boolean, not an integer",
        ),
        (
            f'{PACKAGE}vcs = {{type = "git", commit-id = "a"}}',
            "packages[0].vcs: has neither url nor path",
        ),
        (
            f'{PACKAGE}vcs = {{type = "git", url = "u"}}',
            "packages[0].vcs.commit-id: is missing",
        ),
        (f'{PACKAGE}vcs = "git"', "packages[0].vcs: must be a table, not a string"),
        (
            f"{PACKAGE}archive = {{{HASHES}}}",
            "packages[0].archive: has neither url nor path",
        ),
        (
            f"{PACKAGE}wheels = [{{{WHEEL}}}]",
            "packages[0].wheels[0].hashes: is missing",
        ),
        (
            f"{PACKAGE}wheels = [{{{WHEEL}, hashes = {{}}}}]",
            "packages[0].wheels[0].hashes: is empty; every file needs a hash",
        ),
        (
            f"{PACKAGE}wheels = [{{{WHEEL}, hashes = {{sha256 = 0}}}}]",
            "packages[0].wheels[0].hashes.sha256: must be a string, not an integer",
        ),
        (
            f"{PACKAGE}wheels = [{{{HASHES}}}]",
            "packages[0].wheels[0]: has neither url nor path",
        ),
        (
            f"{PACKAGE}wheels = [{{{WHEEL}, {HASHES}, size = true}}]",
            "packages[0].wheels[0].size: must be an integer, not a boolean",
        ),
        (
            f"{PACKAGE}wheels = [{{{WHEEL}, {HASHES}, size = -1}}]",
            "packages[0].wheels[0].size: must not be negative, and is -1",
        ),
        (
            f'{PACKAGE}wheels = [{{{WHEEL}, {HASHES}, upload-time = "now"}}]',
            "packages[0].wheels[0].upload-time: must be a date-time, not a string",
        ),
        (
            f'{PACKAGE}wheels = [{{path = "x.whl", {HASHES}}}]',
            "packages[0].wheels[0].name: x.whl has too few parts for a wheel",
        ),
        (
            f'{PACKAGE}wheels = [{{path = "y-1.0-py3-none-any.whl", {HASHES}}}]',
            "packages[0].wheels[0].name: y-1.0-py3-none-any.whl is not a file of x",
        ),
        (
            f'{PACKAGE}wheels = [{{path = "x-2-py3-none-any.whl", {HASHES}}}]',
            "packages[0].wheels[0].name: x-2-py3-none-any.whl is not a file of x 1.0",
        ),
        (
            f'{PACKAGE}wheels = [{{path = "x-v!-py3-none-any.whl", {HASHES}}}]',
            "packages[0].wheels[0].name: 'v!' is not a version",
        ),
        (
            f'{PACKAGE}sdist = {{path = "x.zip", {HASHES}}}',
            "packages[0].sdist.name: x.zip is not a source distribution",
        ),
        (
            f'{PACKAGE}sdist = {{path = "x-2.tar.gz", {HASHES}}}',
            "packages[0].sdist.name: x-2.tar.gz is not a file of x 1.0",
        ),
        (
            f"{PACKAGE}{WHEELS}attestation-identities = [{{}}]",
            "packages[0].attestation-identities[0].kind: is missing",
        ),
        (
            f"{PACKAGE}{WHEELS}variants-json = []",
            "packages[0].variants-json: must be a table, not an array",
        ),
        (
            f"{PACKAGE}{WHEELS}tool = {{polylock = {{variants = [{{}}]}}}}",
            "packages[0].tool.polylock.variants[0].target: is missing",
        ),
    ],
)
def test_reading_names_the_key_of_what_is_wrong(text: str, message: str) -> None:
    """A lock file that is not valid is refused by key path and problem."""
    assert refusal(text).startswith(f"pylock.toml: {message}")


def test_reading_names_the_line_of_bad_toml() -> None:
    """Text that is no TOML is refused with its line."""
    assert "at line 3" in refusal(f"{TOP}a b")
    assert refusal(b"a = 1\n\xff") == "pylock.toml: line 2 is not UTF-8"


def test_reading_names_a_merge_conflict() -> None:
    """A conflict marker of git is named as one."""
    separator = "\u2028"  # ends no line in TOML
    top = TOP.replace("\n", f" # {separator}\n")
    text = f"{top}<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> other\n"

    with pytest.raises(LockFileInvalid) as caught:
        read_pylock(text, "pylock.toml")
    assert str(caught.value).endswith("line 3 is a merge conflict marker of git")
    hint = caught.value.hint() or ""
    assert "keep either side" in hint
    assert "delete" not in hint


def test_reading_passes_over_a_byte_order_mark() -> None:
    """Editors on Windows write one before any text."""
    marked = b"\xef\xbb\xbf" + EMPTY.encode()
    assert read_pylock(marked, "pylock.toml") == read_pylock(EMPTY, "pylock.toml")


def test_reading_refuses_nesting_without_end() -> None:
    """A file made to exhaust the stack is refused like any other."""
    text = f"a = {'[' * 100_000}"

    assert refusal(text).startswith("pylock.toml: is ")


def test_reading_accepts_a_newer_minor_version() -> None:
    """What a newer minor version adds is passed over."""
    text = 'lock-version = "1.9"\ncreated-by = "t"\nnew = 1\npackages = []'

    assert read_pylock(text, "p") == Pylock(lock_version="1.9", created_by="t")


def test_reading_accepts_other_spellings_of_a_version() -> None:
    """1.0 and 1 are the same version, and a local version may be written with _."""
    text = f"{PACKAGE}{WHEELS}".replace("x-1.0", "x-1")
    local = text.replace('"1.0"', '"1+cu_13.0"').replace('"1+cu_13.0"', '"1.0"', 1)

    assert (
        read_pylock(text, "p").packages[0].wheels[0].filename == "x-1-py3-none-any.whl"
    )
    assert (
        read_pylock(local.replace("x-1-", "x-1_cu.13.0-"), "p").packages[0].version
        == "1+cu_13.0"
    )


def test_reading_reads_windows_newlines() -> None:
    """A checkout that changed the newlines changes nothing else."""
    text = f"{PACKAGE}{WHEELS}"

    assert read_pylock(text.replace("\n", "\r\n").encode(), "p") == read_pylock(
        text, "p"
    )


def test_reading_reads_times_as_utc() -> None:
    """A local time is taken for UTC, another offset is converted."""
    for written in ("2026-01-02T03:04:05", "2026-01-02T05:04:05+02:00"):
        text = f"{PACKAGE}wheels = [{{{WHEEL}, {HASHES}, upload-time = {written}}}]"
        found = read_pylock(text, "p").packages[0].wheels[0].upload_time
        assert found == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_reading_drops_a_name_that_the_url_says() -> None:
    """A name that is implied is the same as none."""
    text = f"{PACKAGE}{WHEELS}"
    named = text.replace("{url", '{name = "x-1.0-py3-none-any.whl", url')

    assert read_pylock(named, "p") == read_pylock(text, "p")


def test_reading_reads_what_pip_writes() -> None:
    """A lock file in the shape of pip 26.3's `pip lock`."""
    text = """lock-version = "1.0"
created-by = "pip"

[[packages]]
name = "here"
[packages.directory]
editable = true
path = "."

[[packages]]
name = "x"
version = "1.0"
[[packages.wheels]]
name = "x-1.0-py3-none-any.whl"
url = "https://e.example.com/x-1.0-py3-none-any.whl"
[packages.wheels.hashes]
sha256 = "00"
"""

    pylock = read_pylock(text, "p")

    assert pylock.extras is None
    assert pylock.packages[0].directory is not None
    assert pylock.packages[1].wheels[0].hashes == {"sha256": "00"}


def test_reading_reads_what_uv_writes() -> None:
    """A lock file in the shape of `uv export --format pylock.toml`."""
    text = """# This file was autogenerated by uv
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.12"
extras = ["cli"]
dependency-groups = ["dev"]
default-groups = ["dev"]

[[packages]]
name = "x"
version = "1.0"
marker = "sys_platform == 'win32' and ('cli' in extras or 'dev' in dependency_groups)"
index = "https://e.example.com/simple"
sdist = { url = "https://e.example.com/x-1.0.tar.gz", upload-time = \
2026-01-02T03:04:05Z, size = 3, hashes = { sha256 = "00" } }

[[packages]]
name = "y"
vcs = { type = "git", url = "https://e.example.com/y", commit-id = "aa" }

[[packages]]
name = "z"
archive = { url = "https://e.example.com/z.zip", hashes = { sha256 = "00" } }
"""

    pylock = read_pylock(text, "p")

    assert pylock.default_groups == ("dev",)
    assert [bool(package.sdist) for package in pylock.packages] == [True, False, False]
    assert pylock.polylock is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("requirements = 1", "requirements: must be an array, not an integer"),
        ("exclude-newer = 1", "exclude-newer: must be a date-time, not an integer"),
        ('exclude-newer-span = "soon"', "exclude-newer-span: 'soon' is not a span"),
        (
            'exclude-newer-package-span = {a = "1 month"}',
            "exclude-newer-package-span.a: '1 month' is not a span",
        ),
        (
            "exclude-newer-package = {a = true}",
            "exclude-newer-package.a: must be a date-time or false",
        ),
        ("extras = {a = 1}", "extras.a: must be an array, not an integer"),
        ("sources = {a = [{}]}", "sources.a[0]: needs one of index, path, url and git"),
        ("indexes = [{}]", "indexes[0].name: is missing"),
        ("targets = [{}]", "targets[0].name: is missing"),
        (
            'targets = [{name = "a", platform = "amiga-m68k", python = "3.12"}]',
            "targets[0]: unknown platform 'amiga-m68k'",
        ),
        (
            'targets = [{name = "a", platform = "linux-x86_64", python = "three"}]',
            "targets[0]: unknown Python 'three'",
        ),
        (
            'targets = [{name = "a", platform = "linux-x86_64", python = "jy2.7"}]',
            "targets[0]: unknown Python 'jy2.7'",
        ),
        (
            (
                'targets = [{name = "a", platform = "linux-x86_64", python = "3.12", '
                'libc = "newlib"}]'
            ),
            "targets[0]: unknown libc 'newlib'",
        ),
        (
            (
                'targets = [{name = "a", platform = "macos-arm64", python = "3.12", '
                'macos = "big sur"}]'
            ),
            "targets[0]: unknown macOS version 'big sur'",
        ),
    ],
)
def test_reading_the_record_names_the_key_of_what_is_wrong(
    text: str, message: str
) -> None:
    """A record with a wrong type or value is refused by key path."""
    with pytest.raises(LockFileInvalid) as caught:
        read_pylock(f"{EMPTY}[tool.polylock]\n{text}", "p")

    assert str(caught.value) == f"p: tool.polylock.{message}"


def test_reading_the_record_passes_over_what_it_does_not_know() -> None:
    """Unknown keys of a later polylock are ignored; an empty record is valid."""
    pylock = read_pylock(f"{EMPTY}[tool.polylock]\nlater = 1", "p")

    assert pylock.polylock == Record(inputs=LockedInputs(), targets=())


def test_reading_the_record_reads_a_namespace_without_features() -> None:
    """An empty list that the user gave is kept."""
    text = (
        '[[tool.polylock.targets]]\nname = "a"\nplatform = "linux-x86_64"\n'
        'python = "3.12"\nproperties = [{namespace = "amd"}]'
    )

    record = read_pylock(EMPTY + text, "p").polylock

    assert record is not None
    assert record.targets[0].stated == (LockedFeature(namespace="amd"),)


LONG = "1" * 5000
FILE = "x-1.0-py3-none-any.whl"
TARGET = f'{EMPTY}[[tool.polylock.targets]]\nplatform = "linux-x86_64"\n'


REFUSED = {
    "a name with slashes": (
        f'{TOP}[[packages]]\nname = "-/-/x"\ndirectory = {{path = "."}}',
        "packages[0].name: '-/-/x' is not a normalized name",
    ),
    "a file name that leaves its directory": (
        f'{PACKAGE}wheels = [{{name = "../{FILE}", url = "u", {HASHES}}}]',
        f"packages[0].wheels[0].name: '../{FILE}' is not the name of a file",
    ),
    "a URL whose file name leaves its directory": (
        f'{PACKAGE}wheels = [{{url = "https://e/..%2F{FILE}", {HASHES}}}]',
        f"packages[0].wheels[0].name: '../{FILE}' is not the name of a file",
    ),
    "an archive that leaves its directory": (
        f'{PACKAGE}archive = {{url = "https://e/..%2F..%2Fx.zip", {HASHES}}}',
        "packages[0].archive: '../../x.zip' is not the name of a file",
    ),
    "an archive without a file name": (
        f'{PACKAGE}archive = {{url = "https://e/", {HASHES}}}',
        "packages[0].archive: '' is not the name of a file",
    ),
    "a hash with an option behind it": (
        f'{PACKAGE}wheels = [{{{WHEEL}, hashes = {{sha256 = "0 --hash=x:1"}}}}]',
        "packages[0].wheels[0].hashes.sha256: '0 --hash=x:1' is not a hash",
    ),
    "a newline in an index": (
        f'{PACKAGE}index = "https://e/\\nx"\n{WHEELS}',
        "packages[0].index: 'https://e/\\nx' has a control character",
    ),
    "a bell in a URL": (
        f'{PACKAGE}vcs = {{type = "git", url = "u\\u0007", commit-id = "a"}}',
        "packages[0].vcs.url: 'u\\x07' has a control character",
    ),
    "a subdirectory outside the tree": (
        f'{PACKAGE}directory = {{path = ".", subdirectory = "a/../.."}}',
        "packages[0].directory.subdirectory: 'a/../..' is not inside the tree",
    ),
    "a subdirectory on a drive": (
        f'{PACKAGE}archive = {{path = "x.zip", {HASHES}, subdirectory = "C:/a"}}',
        "packages[0].archive.subdirectory: 'C:/a' is not inside the tree",
    ),
    "a version of too many digits": (
        f"{PACKAGE}{WHEELS}".replace('"1.0"', f'"{LONG}"').replace(
            f'"{LONG}"', '"1.0"', 1
        ),
        f"packages[0].version: '{'1' * 80}...' is not a version",
    ),
    "a requires-python of too many digits": (
        f'{PACKAGE}requires-python = ">={LONG}"\n{WHEELS}',
        f"packages[0].requires-python: '>={'1' * 20}",
    ),
    "a marker of too many digits": (
        f"{PACKAGE}marker = \"python_version > '{LONG}'\"\n{WHEELS}",
        "packages[0].marker: is not a marker: a marker has a number of 100",
    ),
    "a size like 1e26": (
        f"{PACKAGE}wheels = [{{{WHEEL}, {HASHES}, size = 1e26}}]",
        "packages[0].wheels[0].size: must be an integer, not a float",
    ),
    "a size of more than 64 bits": (
        f"{PACKAGE}wheels = [{{{WHEEL}, {HASHES}, size = {2**63}}}]",
        "packages[0].wheels[0].size: is an integer of more than 64 bits",
    ),
    "an integer of too many digits": (
        f"{TOP}packages = {LONG}",
        "has an integer of more than 64 bits",
    ),
    "a key of too many parts": (
        f"{TOP}packages = []\n{'a.' * 16_000}a = 1",
        "line 4 has a key of more than",
    ),
    "a target whose name leaves its directory": (
        f'{TARGET}name = "../x"\npython = "3.12"',
        "tool.polylock.targets[0].name: '../x' is not a name for a target",
    ),
    "a Python of too many digits": (
        f'{TARGET}name = "x"\npython = "3.{LONG}"',
        "tool.polylock.targets[0]: unknown Python '3.11111",
    ),
    "a newline in the name of an index": (
        f'{EMPTY}[tool.polylock]\nindexes = [{{name = "a\\nb"}}]',
        "tool.polylock.indexes[0].name: 'a\\nb' has a control character",
    ),
    "a hash that is no text": (
        f"{PACKAGE}wheels = [{{{WHEEL}, hashes = {{sha256 = 1}}}}]",
        "packages[0].wheels[0].hashes.sha256: must be a string, not an integer",
    ),
    "another hash in the URL": (
        f'{PACKAGE}wheels = [{{url = "https://e/{FILE}#sha256=1", {HASHES}}}]',
        "packages[0].wheels[0].url: has another sha256 than 00 of its hashes",
    ),
    "no hash": (
        f"{PACKAGE}wheels = [{{{WHEEL}, hashes = {{}}}}]",
        "packages[0].wheels[0].hashes: is empty; every file needs a hash",
    ),
    "a file of another project": (
        f'{PACKAGE}wheels = [{{url = "https://e/y-1.0-py3-none-any.whl", {HASHES}}}]',
        "packages[0].wheels[0].name: y-1.0-py3-none-any.whl is not a file of x",
    ),
    "a file of another version": (
        f'{PACKAGE}wheels = [{{url = "https://e/x-2.0-py3-none-any.whl", {HASHES}}}]',
        "packages[0].wheels[0].name: x-2.0-py3-none-any.whl is not a file of x 1.0",
    ),
    "two kinds of source": (
        f'{PACKAGE}directory = {{path = "."}}\n{WHEELS}',
        "packages[0]: x has conflicting sources: ['wheels', 'directory']",
    ),
    "no source": (
        f"{PACKAGE}",
        "packages[0]: x has no source to install from",
    ),
}
"""What the page on safety counts."""


@pytest.mark.parametrize("kind", REFUSED)
def test_reading_refuses_what_would_act_elsewhere(kind: str) -> None:
    """Names that leave a directory, ends of lines, and numbers without end."""
    text, message = REFUSED[kind]
    assert refusal(text).startswith(f"pylock.toml: {message}")
