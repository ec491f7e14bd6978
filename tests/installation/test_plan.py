"""What must change, and the reason for each step."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from polylock.environment.direct_url import ArchiveInfo, DirectUrl, DirInfo, VcsInfo
from polylock.environment.installed import (
    Form,
    InstalledDistribution,
    Origin,
    WheelKind,
)
from polylock.installation.plan import (
    Reason,
    SyncRequest,
    WantedDistribution,
    plan_sync,
    seeds,
)
from polylock.values import replace

DEMO = canonicalize_name("demo")
WHEEL = "demo-1.0-py3-none-any.whl"
WANTED = WantedDistribution(name=DEMO, version="1.0", filename=WHEEL, sha256="a" * 64)
FOREIGN = InstalledDistribution(
    name=DEMO,
    version="1.0",
    path=Path("site/demo-1.0.dist-info"),
    installer="pip",
    kind=WheelKind(frozenset({"py3-none-any"}), ""),
)
OURS = replace(
    FOREIGN,
    installer="",
    kind=None,
    origin=Origin(filename=WHEEL, sha256="a" * 64),
)
COMMIT = DirectUrl(
    url="https://example.com/demo.git",
    vcs_info=VcsInfo(vcs="git", commit_id="b" * 40, requested_revision="main"),
)
EDITABLE = DirectUrl(url="file:///src/demo", dir_info=DirInfo(editable=True))
ARCHIVE = DirectUrl(
    url="https://example.com/demo.whl",
    archive_info=ArchiveInfo(hash="sha256=" + "a" * 64),
)
OTHER_ARCHIVE = DirectUrl(
    url="https://example.com/demo.whl",
    archive_info=ArchiveInfo(hashes={"sha256": "b" * 64}),
)
BARE_ARCHIVE = DirectUrl(url="https://example.com/demo.whl", archive_info=ArchiveInfo())


def reason(wanted: WantedDistribution, *installed: InstalledDistribution) -> Reason:
    """Return the reason of the only entry of a plan."""
    plan = plan_sync(SyncRequest(wanted=(wanted,)), installed)
    (entry,) = (*plan.install, *plan.reinstall, *plan.keep)
    assert plan.is_empty is (entry.reason is Reason.AS_LOCKED)
    return entry.reason


CASES: dict[str, tuple[WantedDistribution, list[InstalledDistribution], Reason]] = {
    "absent": (WANTED, [], Reason.NOT_INSTALLED),
    "ours": (WANTED, [OURS], Reason.AS_LOCKED),
    "ours, version spelled otherwise": (
        replace(WANTED, version="1.0.0"),
        [OURS],
        Reason.AS_LOCKED,
    ),
    "ours, no version wanted": (
        replace(WANTED, version=None),
        [OURS],
        Reason.AS_LOCKED,
    ),
    "ours, other version": (
        replace(WANTED, version="1.1"),
        [OURS],
        Reason.OTHER_VERSION,
    ),
    "ours, version that is none": (
        WANTED,
        [replace(OURS, version="what")],
        Reason.OTHER_VERSION,
    ),
    "ours, other hash": (
        replace(WANTED, sha256="c" * 64),
        [OURS],
        Reason.OTHER_FILE,
    ),
    "ours, other label": (
        replace(WANTED, variant_label="cu130", sha256="c" * 64),
        [OURS],
        Reason.OTHER_VARIANT,
    ),
    "ours, incomplete": (
        WANTED,
        [replace(OURS, is_complete=False)],
        Reason.BROKEN,
    ),
    "two versions at once": (
        WANTED,
        [OURS, replace(OURS, version="2.0")],
        Reason.BROKEN,
    ),
    "foreign": (WANTED, [FOREIGN], Reason.AS_LOCKED),
    "foreign, local version": (
        replace(WANTED, version="1.0+cu.1"),
        [replace(FOREIGN, version="1.0+cu_1")],
        Reason.AS_LOCKED,
    ),
    "foreign, other tags": (
        WANTED,
        [replace(FOREIGN, kind=WheelKind(frozenset({"py2-none-any"}), ""))],
        Reason.OTHER_FILE,
    ),
    "foreign, other build": (
        WANTED,
        [replace(FOREIGN, kind=WheelKind(frozenset({"py3-none-any"}), "2"))],
        Reason.OTHER_FILE,
    ),
    "foreign, no WHEEL": (
        WANTED,
        [replace(FOREIGN, kind=None)],
        Reason.OTHER_FILE,
    ),
    "foreign, built from sdist": (
        replace(WANTED, filename="demo-1.0.tar.gz"),
        [FOREIGN],
        Reason.AS_LOCKED,
    ),
    "foreign, variant wanted": (
        replace(WANTED, variant_label="cu130"),
        [FOREIGN],
        Reason.OTHER_VARIANT,
    ),
    "foreign variant, variant wanted": (
        replace(WANTED, variant_label="cu130"),
        [replace(FOREIGN, is_variant=True)],
        Reason.OTHER_VARIANT,
    ),
    "foreign variant, plain wanted": (
        WANTED,
        [replace(FOREIGN, is_variant=True)],
        Reason.OTHER_VARIANT,
    ),
    "from a URL, index wanted": (
        WANTED,
        [replace(FOREIGN, direct_url=ARCHIVE)],
        Reason.OTHER_SOURCE,
    ),
    "from an index, URL wanted": (
        replace(WANTED, direct_url=ARCHIVE),
        [FOREIGN],
        Reason.OTHER_SOURCE,
    ),
    "same URL and hash": (
        replace(WANTED, direct_url=ARCHIVE),
        [replace(FOREIGN, direct_url=ARCHIVE)],
        Reason.AS_LOCKED,
    ),
    "same URL, no hash recorded": (
        replace(WANTED, direct_url=ARCHIVE),
        [replace(FOREIGN, direct_url=BARE_ARCHIVE)],
        Reason.OTHER_FILE,
    ),
    "same URL, other hash": (
        replace(WANTED, direct_url=ARCHIVE),
        [replace(FOREIGN, direct_url=OTHER_ARCHIVE)],
        Reason.OTHER_SOURCE,
    ),
    "direct_url.json unreadable": (
        replace(WANTED, direct_url=DirectUrl(url="")),
        [replace(FOREIGN, direct_url=DirectUrl(url=""))],
        Reason.OTHER_SOURCE,
    ),
    "same commit, asked for otherwise": (
        replace(WANTED, direct_url=COMMIT),
        [
            replace(
                FOREIGN,
                direct_url=DirectUrl(
                    url=COMMIT.url, vcs_info=VcsInfo(vcs="git", commit_id="b" * 40)
                ),
            )
        ],
        Reason.AS_LOCKED,
    ),
    "other commit": (
        replace(WANTED, direct_url=COMMIT),
        [
            replace(
                FOREIGN,
                direct_url=DirectUrl(
                    url=COMMIT.url, vcs_info=VcsInfo(vcs="git", commit_id="c" * 40)
                ),
            )
        ],
        Reason.OTHER_SOURCE,
    ),
    "archive against commit": (
        replace(WANTED, direct_url=COMMIT),
        [
            replace(
                FOREIGN,
                direct_url=DirectUrl(url=COMMIT.url, archive_info=ArchiveInfo()),
            )
        ],
        Reason.OTHER_SOURCE,
    ),
    "editable by us": (
        replace(WANTED, direct_url=EDITABLE),
        [replace(OURS, direct_url=EDITABLE)],
        Reason.AS_LOCKED,
    ),
    "editable by another": (
        replace(WANTED, direct_url=EDITABLE),
        [replace(FOREIGN, direct_url=EDITABLE)],
        Reason.OTHER_FILE,
    ),
    "not editable": (
        replace(WANTED, direct_url=EDITABLE),
        [replace(OURS, direct_url=DirectUrl(url=EDITABLE.url, dir_info=DirInfo()))],
        Reason.OTHER_SOURCE,
    ),
    "legacy form": (
        WANTED,
        [replace(FOREIGN, form=Form.EGG_INFO, kind=None)],
        Reason.OTHER_FILE,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_reason_for_what_is_installed(case: str) -> None:
    """Each way in which an installed distribution differs has its reason."""
    wanted, installed, expected = CASES[case]
    assert reason(wanted, *installed) is expected


def test_plan_when_something_is_extraneous() -> None:
    """What is not locked is removed, save for what is retained."""
    pip = replace(FOREIGN, name=canonicalize_name("pip"))
    request = SyncRequest(wanted=(), retained=frozenset({pip.name}))
    plan = plan_sync(request, (FOREIGN, pip))
    assert [(entry.name, entry.reason) for entry in plan.remove] == [
        (DEMO, Reason.EXTRANEOUS)
    ]
    assert [(entry.name, entry.reason) for entry in plan.keep] == [
        (pip.name, Reason.SEED)
    ]


def test_plan_when_it_need_not_be_exact() -> None:
    """An inexact request leaves what is not locked where it is."""
    plan = plan_sync(SyncRequest(wanted=(), exact=False), (FOREIGN,))
    assert plan.is_empty
    assert [entry.reason for entry in plan.keep] == [Reason.EXTRANEOUS]


def test_plan_when_a_retained_project_is_locked() -> None:
    """A locked pip is treated as any other project."""
    request = SyncRequest(
        wanted=(replace(WANTED, version="2.0"),),
        retained=frozenset({DEMO}),
    )
    assert [e.reason for e in plan_sync(request, (OURS,)).reinstall] == [
        Reason.OTHER_VERSION
    ]


@pytest.mark.parametrize(
    "request_",
    [
        SyncRequest(wanted=(WANTED,), reinstall=frozenset({DEMO})),
        SyncRequest(wanted=(WANTED,), reinstall_all=True),
    ],
)
def test_plan_when_reinstallation_is_asked_for(request_: SyncRequest) -> None:
    """What is as locked is installed anew if the user says so."""
    plan = plan_sync(request_, (OURS,))
    assert [entry.reason for entry in plan.reinstall] == [Reason.REQUESTED]


def test_plan_is_sorted() -> None:
    """The order of entries is that of names, whatever the order of the input."""
    names = [canonicalize_name(name) for name in ("c", "a", "b")]
    wanted = tuple(replace(WANTED, name=name) for name in names)
    present = [replace(FOREIGN, name=canonicalize_name(name)) for name in "zyx"]
    plan = plan_sync(SyncRequest(wanted=wanted), present)
    assert [entry.name for entry in plan.install] == ["a", "b", "c"]
    assert [entry.name for entry in plan.remove] == ["x", "y", "z"]


def test_seeds_of_an_environment() -> None:
    """What ``python -m venv`` put there stays, unless polylock made the environment."""
    assert seeds((3, 12), created=False) == {"pip"}
    assert seeds((3, 11), created=False) == {"pip", "setuptools", "wheel"}
    assert seeds((3, 11), created=True) == frozenset()
