"""Whatever is done to a lock file, it is read or refused; nothing else happens."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from copy import deepcopy
from datetime import date, datetime, time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from fakes.lock_scenarios import SCENARIOS
from polylock.errors import LockFileInvalid
from polylock.lockfile.binary import from_binary, to_binary
from polylock.lockfile.read import read_pylock
from polylock.lockfile.toml_values import key_text, value_text
from polylock.lockfile.write import pylock_text

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.property

Keys = tuple[str | int, ...]

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
WRITTEN = sorted(
    path
    for place in ("tests", "docs", "fixtures", "examples")
    for path in (ROOT / place).rglob("*.toml")
    if path.read_bytes().startswith(b'lock-version = "')
)
EVERY_KEY = """\
lock-version = "1.0"
environments = ["sys_platform == 'linux'"]
requires-python = ">=3.11"
extras = ["a"]
dependency-groups = ["gpu"]
default-groups = ["gpu"]
created-by = "polylock"
[[packages]]
name = "x"
version = "1.0"
marker = "os_name == 'nt' and 'a' in extras"
requires-python = ">=3.9"
index = "https://e.example.com/simple/"
dependencies = [{ name = "y" }]
attestation-identities = [{ kind = "GitHub", workflow = "a" }]
variants-json = { a = 1, variants = { cu13 = { n = { f = ["v"] } } } }
[packages.sdist]
url = "https://e.example.com/x-1.0.tar.gz"
size = 3
upload-time = 2025-01-01T00:00:00Z
hashes = { sha256 = "00" }
[[packages.wheels]]
name = "x-1.0-1-py3-none-any-cu13.whl"
url = "https://e.example.com/a"
upload-time = 2025-01-01T00:00:00+02:00
hashes = { sha256 = "00", sha512 = "11" }
[[packages.wheels]]
path = "w/x-1.0-py3-none-any.whl"
hashes = { sha256 = "00" }
[packages.tool.polylock]
variants = [{ target = "gpu", label = "cu13", decided-by = ["n :: f :: v"] }]
[packages.tool.other]
a = [1, 1.5, true, { b = [] }]
[[packages]]
name = "y"
[packages.vcs]
type = "git"
url = "https://e.example.com/y"
requested-revision = "main"
commit-id = "aa"
subdirectory = "s"
[[packages]]
name = "z"
[packages.archive]
url = "https://e.example.com/z.zip"
size = 5
upload-time = 2025-01-01T00:00:00Z
hashes = { sha256 = "00" }
subdirectory = "z"
[[packages]]
name = "d"
directory = { path = ".", editable = true, subdirectory = "d" }
[tool.x]
a = 2025-01-01
[tool.polylock]
exclude-newer = 2025-01-01T00:00:00Z
resolution = "lowest"
prefer-variants = ["a :: b"]
indexes = [{ name = "one", explicit = true }]
requirements = ["x>=1"]
constraints = ["x<3"]
overrides = ["x==1"]
extras = { a = ["y"] }
groups = { gpu = ["z"] }
target-dependencies = { gpu = ["z"] }
[tool.polylock.sources]
x = [{ index = "one", properties = ["a :: b :: c"], targets = ["gpu"] }]
y = [{ git = "https://e.example.com/y", rev = "main" }]
z = [{ path = "../z", editable = true }]
w = [{ url = "https://e.example.com/w-1.0.tar.gz" }]
[[tool.polylock.targets]]
name = "gpu"
platform = "linux-x86_64"
python = "3.12"
libc = "glibc-2.28"
properties = [{ namespace = "n", feature = "f", values = ["v"] }, { namespace = "m" }]
derived-properties = [{ namespace = "p", features = ["a", "b"], values = ["on"] }]
variants = ["x@cu13"]
[[tool.polylock.targets]]
name = "mac"
platform = "macos-aarch64"
python = "3.13t"
macos = "14.0"
"""
DOCUMENTS = [
    tomllib.loads(text)
    for text in (
        EVERY_KEY,
        *(pylock_text(SCENARIOS[name]().assemble()) for name in sorted(SCENARIOS)),
    )
]


class Raw:
    """A value as its TOML, for what Python cannot write or would not hold."""

    def __init__(self, text: str) -> None:
        self.text = text


def text_of(value: Any) -> str:  # noqa: ANN401 - any TOML value
    """Write a value on one line."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        inner = ", ".join(f"{key_text(k)} = {text_of(v)}" for k, v in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    return value_text(value)


def document_text(document: dict[str, Any]) -> str:
    """Write a document, a top-level key a line."""
    return "".join(f"{key_text(k)} = {text_of(v)}\n" for k, v in document.items())


def paths_in(value: object, path: Keys = ()) -> Iterator[Keys]:
    """Yield the key path of everything in a document."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_in(inner, (*path, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from paths_in(inner, (*path, position))


LONG = "1" * 5_000
HOSTILE = [
    *("../x", "/x", "..", "", "-/-/x", "a\nb", "\x1b[2J", "\x00", "http://[", LONG),
    *(f">={LONG}", f"1.{LONG}", f"python_version > '{LONG}'", f"{'(' * 2000}", "C:x"),
    *(f"x-1.0-{LONG}-py3-none-any.whl", f"x-{LONG}.tar.gz", "w/..%2Fx.zip", "a" * 9000),
]
RAW = [
    *(
        LONG,
        f"-{LONG}",
        f"0x{'f' * 5_000}",
        "1e26",
        "1e999",
        "nan",
        "-9223372036854775809",
    ),
    *(
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "0000-01-01",
        "25:00:00",
    ),
    *("[" * 100_000, "[" * 500 + "]" * 500, "{ a = " * 150 + "1" + " }" * 150),
    "{ " + ".".join(["a"] * 16_000) + " = 1 }",
    "{ " + ".".join(['"a.b"'] * 16_000) + " = 1 }",
    "{ a = 1, a = 2 }",
]
USUAL: list[Any] = [
    *(0, -3, 2**70, True, 1.5, float("nan"), datetime(2020, 1, 1), date(2020, 1, 1)),  # noqa: DTZ001 - TOML has local ones
    *(time(1), [], {}, [1], ["x"], [[]], [{}], {"a": 1}, [{"a": "x"}], {"": {}}),
]
VALUES = [*HOSTILE, *map(Raw, RAW), *USUAL, *USUAL]


def mutated(chance: Random) -> str:
    """Return the text of a lock file of which a few parts are not as they were."""
    document = deepcopy(chance.choice(DOCUMENTS))
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(list(paths_in(document)))
        change(chance, document, holder_of(document, path), path[-1])
    return document_text(document)


def holder_of(document: Any, path: Keys) -> Any:  # noqa: ANN401 - TOML values
    """Return the table or array that has the last key of a path."""
    for part in path[:-1]:
        document = document[part]
    return document


def change(chance: Random, document: dict[str, Any], holder: Any, key: Any) -> None:  # noqa: ANN401 - TOML values
    """Change one part of a document."""
    value = deepcopy(chance.choice(VALUES))
    match chance.choice(["set", "set", "set", "delete", "add", "move", "nest"]):
        case "set":
            holder[key] = value
        case "delete":
            del holder[key]
        case "add" if isinstance(holder, list):
            holder.insert(key, value)
        case "add":
            holder[chance.choice(["new", "polylock", "variants", "a.b", ""])] = value
        case "move":
            document[chance.choice(["tool", "packages", "extras"])] = deepcopy(
                holder[key]
            )
        case _:
            holder[key] = chance.choice([[holder[key]], {"a": holder[key]}])


def read_or_refuse(text: str) -> None:
    """Read; what is read is written, kept and read again like any other lock file."""
    pylock = None
    with suppress(LockFileInvalid):
        pylock = read_pylock(text, "pylock.toml")
    if pylock is None:
        return
    written = pylock_text(pylock)
    assert pylock_text(read_pylock(written, "pylock.toml")) == written
    kept = to_binary(pylock)
    if kept is not None:
        assert pylock_text(from_binary(kept) or pylock) == written


@pytest.mark.parametrize("seed", range(0, 2000, 100))
def test_a_changed_lock_file_is_read_or_refused(seed: int) -> None:
    """No change of types, keys, nesting or sizes ends in another exception."""
    for at in range(seed, seed + 100):
        read_or_refuse(mutated(Random(at)))


@pytest.mark.parametrize("raw", RAW, ids=range(len(RAW)))
def test_a_hostile_value_anywhere_is_read_or_refused(raw: str) -> None:
    """Each of them at each key of a lock file that has every key."""
    for path in paths_in(DOCUMENTS[0]):
        document = deepcopy(DOCUMENTS[0])
        holder_of(document, path)[path[-1]] = Raw(raw)
        read_or_refuse(document_text(document))


@pytest.mark.parametrize("seed", range(0, 500, 100))
def test_a_damaged_text_is_read_or_refused(seed: int) -> None:
    """Bytes that are cut, doubled or replaced."""
    content = EVERY_KEY.encode()
    for at in range(seed, seed + 100):
        chance = Random(at)
        start = chance.randrange(len(content))
        end = start + chance.randrange(40)
        put = chance.choice([b"", chance.randbytes(8), content[start:end] * 2])
        with suppress(LockFileInvalid):
            read_pylock(content[:start] + put + content[end:], "pylock.toml")


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_lock_file_here_comes_back(path: Path) -> None:
    """What polylock wrote comes back byte for byte, what others wrote from then on."""
    text = path.read_bytes().decode()
    pylock = read_pylock(text, path.name)
    written = pylock_text(pylock)
    if pylock.polylock is not None:
        assert written == text
    assert pylock_text(read_pylock(written, path.name)) == written


def test_there_are_lock_files_here() -> None:
    """The golden files at least, so that the test above cannot be without any."""
    assert {"hardware.toml", "platforms.toml", "project.toml"} <= {
        path.name for path in WRITTEN
    }
