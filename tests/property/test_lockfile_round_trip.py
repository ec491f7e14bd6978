"""Any lock file is read back as it was written."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from polylock.lockfile.binary import from_binary, to_binary
from polylock.lockfile.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from polylock.lockfile.read import read_pylock
from polylock.lockfile.record import (
    LockedFeature,
    LockedIndex,
    LockedInputs,
    LockedSource,
    LockedTarget,
    Record,
    VariantChoice,
)
from polylock.lockfile.toml_values import value_text
from polylock.lockfile.write import pylock_text
from polylock.model.direct import ArchiveSource, DirectorySource, GitSource
from polylock.model.markers import Atom, conjunction, disjunction

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.property

T = TypeVar("T")


def made(
    kind: Callable[..., T], /, **parts: st.SearchStrategy[Any]
) -> st.SearchStrategy[T]:
    """Make values of a type from strategies for its fields.

    ``builds`` would look at the annotations, which name types of the checker alone.
    """
    return st.fixed_dictionaries(parts).map(lambda found: kind(**found))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SOME = TEXT.filter(bool)
MOMENT = st.datetimes(
    min_value=datetime(1000, 1, 1),  # noqa: DTZ001  # the strategy adds the zone
    max_value=datetime(9999, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
NAME = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True).map(
    canonicalize_name
)
VALUE: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        TEXT,
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False),
        MOMENT,
        st.dates(date(1000, 1, 1)),
        st.times().map(lambda moment: time.fromisoformat(moment.isoformat())),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)
TABLE = st.dictionaries(TEXT, VALUE, max_size=3)
TOOLS = st.dictionaries(TEXT.filter(lambda key: key != "polylock"), VALUE, max_size=2)
HASHES = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True),
    st.from_regex(r"[0-9a-f]{1,8}", fullmatch=True),
    min_size=1,
    max_size=2,
)
LINE = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=12
)
"""Text without control characters, as it may stand in a URL or name a file."""
FILE = LINE.filter(lambda text: not {*text} & {*"/\\:%?#"} and text not in {".", ".."})
SIZE = st.none() | st.integers(0, 2**40)
ATOM = st.one_of(
    st.sampled_from(["linux", "win32"]).map(
        lambda value: Atom("sys_platform", "==", value)
    ),
    NAME.map(lambda name: Atom("extras", "in", name, reversed=True)),
    NAME.map(lambda name: Atom("dependency_groups", "not in", name, reversed=True)),
)
MARKER = st.recursive(
    ATOM,
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
        lambda parts: st.sampled_from([conjunction(parts), disjunction(parts)])
    ),
    max_leaves=5,
)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
BY_NAME = st.dictionaries(TEXT, TEXTS, max_size=2)
FEATURES = st.lists(
    st.one_of(
        made(LockedFeature, namespace=TEXT),
        made(LockedFeature, namespace=TEXT, feature=TEXT, values=TEXTS),
    ),
    max_size=3,
).map(tuple)
PATH = st.from_regex(r"[a-z]{1,6}(/[a-z]{1,6})?", fullmatch=True)
URL = PATH.map("https://example.com/{}.tar.gz".format)
SUBDIRECTORY = st.none() | PATH
DIRECT = st.one_of(
    made(
        ArchiveSource,
        url=URL,
        sha256=st.none() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
        subdirectory=SUBDIRECTORY,
    ),
    made(DirectorySource, path=PATH, editable=st.booleans(), subdirectory=SUBDIRECTORY),
    made(
        GitSource,
        url=PATH.map("https://example.com/{}.git".format),
        revision=NAME,
        kind=st.sampled_from(["rev", "tag", "branch"]),
        subdirectory=SUBDIRECTORY,
    ),
)
SOURCE = st.one_of(
    made(LockedSource, index=SOME, properties=TEXTS, targets=TEXTS),
    made(LockedSource, direct=DIRECT, properties=TEXTS, targets=TEXTS),
)
PATTERN = st.sampled_from(
    ["nvidia", "nvidia :: sm_arch", "x86_64 :: level :: v3", "torch@cu130"]
)
PATTERNS = st.lists(PATTERN, max_size=3, unique=True).map(tuple)
REQUIRED = st.dictionaries(NAME, PATTERNS, max_size=2)
RECORD = made(
    Record,
    inputs=made(
        LockedInputs,
        requirements=TEXTS,
        extras=BY_NAME,
        groups=BY_NAME,
        targets=BY_NAME,
        constraints=TEXTS,
        overrides=TEXTS,
        indexes=st.lists(made(LockedIndex, name=LINE), max_size=2).map(tuple),
        sources=st.dictionaries(
            TEXT,
            st.lists(SOURCE, max_size=2).map(tuple),
            max_size=2,
        ),
        exclude_newer=st.none() | st.integers(0, 2**52),
        exclude_newer_package=st.dictionaries(
            NAME, st.none() | st.integers(0, 2**52), max_size=2
        ),
        exclude_newer_spans=st.dictionaries(
            NAME | st.just(""), st.integers(0, 10**9), max_size=2
        ),
        settings=st.dictionaries(st.sampled_from(["resolution", "align"]), TEXT),
        lists=st.fixed_dictionaries(
            {}, optional={"prefer-variants": PATTERNS, "build-package": TEXTS}
        ),
        require_variants=REQUIRED,
    ),
    targets=st.lists(
        made(
            LockedTarget,
            name=NAME,
            platform=st.sampled_from(["linux-x86_64", "windows-aarch64"]),
            python=st.sampled_from(["3.12", "3.13.2t", "pypy3.11"]),
            libc=st.sampled_from([None, "musl-1.2"]),
            stated=FEATURES,
            derived=FEATURES,
            exclude_variants=st.none() | PATTERNS,
            prefer_variants=st.none() | PATTERNS,
            require_variants=REQUIRED,
            torch_backend=st.sampled_from([None, "auto", "cu130"]),
        ),
        max_size=2,
    ).map(tuple),
)


@st.composite
def packages(draw: st.DrawFn) -> Package:
    """Return a package from any source."""
    name = draw(NAME)
    stem = f"{name.replace('-', '_')}-1.0"
    place: dict[str, Any] = draw(
        st.one_of(
            st.fixed_dictionaries({"url": FILE.map("https://example.com/{}".format)}),
            st.fixed_dictionaries({"path": FILE.map("a/{}".format)}),
        )
    )
    file = {
        **place,
        "size": draw(SIZE),
        "upload_time": draw(st.none() | MOMENT),
        "hashes": draw(HASHES),
    }
    source: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"wheels": (PackageWheel(name=f"{stem}-py3-none-any.whl", **file),)},
                {"sdist": PackageSdist(name=f"{stem}.tar.gz", **file)},
                {"archive": PackageArchive(**file)},
                {"directory": PackageDirectory(path=draw(LINE), editable=True)},
                {"vcs": PackageVcs(type="git", commit_id=draw(LINE), **place)},
            ]
        )
    )
    choices = made(VariantChoice, target=TEXT, label=TEXT, decided_by=TEXTS)
    return Package(
        name=name,
        version=draw(st.sampled_from([None, "1.0"])),
        marker=draw(st.none() | MARKER),
        requires_python=draw(st.sampled_from([None, ">=3.11"])),
        dependencies=draw(st.none() | st.lists(TABLE, max_size=2).map(tuple)),
        index=draw(st.none() | LINE),
        variants_json=draw(st.none() | TABLE),
        variants=draw(st.lists(choices, max_size=2).map(tuple)),
        tool=draw(TOOLS),
        **source,
    )


PYLOCK = made(
    Pylock,
    environments=st.none() | st.lists(MARKER, max_size=2).map(tuple),
    extras=st.none() | st.lists(NAME, max_size=2).map(tuple),
    dependency_groups=st.none() | TEXTS,
    default_groups=st.none() | TEXTS,
    created_by=TEXT,
    # One package: the order of several is that of `package_order`, not any.
    packages=st.lists(packages(), max_size=1).map(tuple),
    polylock=st.none() | RECORD,
    tool=TOOLS,
)


@settings(max_examples=300, deadline=None)
@given(VALUE)
def test_value_is_read_back(value: object) -> None:
    """The text of any value is TOML for that value."""
    assert tomllib.loads(f"key = {value_text(value)}") == {"key": value}


@pytest.mark.parametrize("half", [1, 2])
@settings(max_examples=1000, deadline=None)
@given(pylock=PYLOCK)
def test_lock_file_is_read_back(half: int, pylock: Pylock) -> None:
    """What was written is read as it was and written again byte for byte.

    So is what is kept in the cache, each value of its type. Two processes share it.
    """
    assert half
    text = pylock_text(pylock)
    again = read_pylock(text, "p")
    assert again == pylock
    assert pylock_text(again) == text
    kept = to_binary(pylock)
    if kept is not None:
        found = from_binary(kept)
        assert found == pylock
        assert pylock_text(found) == text
