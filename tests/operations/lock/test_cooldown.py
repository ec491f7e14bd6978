"""``exclude-newer`` as a span: taken when locking, recorded, and moved by upgrades."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fakes.wheels import build_wheel
from fakes.workspace import Project
from polylock.errors import NoSolution
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.operations.inspect.check import check
from polylock.operations.lock.request import LockRequest, parse_upgrades

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = """
[project]
name = "demo"
version = "1"
dependencies = {dependencies}
[tool.polylock]
python = "3.12"
{settings}
[tool.polylock.targets.linux]
platform = "linux-x86_64"
"""
UPLOADS = """
[upload-times]
"fast==1.0" = 2026-01-01T00:00:00Z
"fast==2.0" = 2026-01-20T00:00:00Z
"slow==1.0" = 2026-01-01T00:00:00Z
"slow==2.0" = 2026-01-20T00:00:00Z
"""
WEEK = 'exclude-newer = "7 days"'


def at(day: int, month: int = 1) -> int:
    """Return noon of a day in 2026, in microseconds since 1970 UTC."""
    return int(datetime(2026, month, day, 12, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.fixture
def cooled(tmp_path: Path) -> Iterator[Project]:
    """Yield a project whose index has versions of 1 and 20 January."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("fast", "slow"):
        for version in ("1.0", "2.0"):
            build_wheel(wheels, name, version)
    (wheels / "index.toml").write_text(UPLOADS, "utf-8")
    build_index(wheels)
    with IndexServer(wheels) as server:
        yield Project(directory=tmp_path / "project", index_url=server.url)


def write(
    project: Project, settings: str, dependencies: str = '["fast", "slow"]'
) -> None:
    """Write the project file."""
    project.write(PROJECT.format(settings=settings, dependencies=dependencies))


def versions(project: Project) -> dict[str, str | None]:
    """Return the locked versions by name."""
    return {str(p.name): p.version for p in project.pylock.packages}


def test_a_span_counts_back_from_the_lock(cooled: Project) -> None:
    """The lock file has the time in whole seconds, and the span beside it."""
    write(cooled, WEEK)
    cooled.lock(LockRequest(now=at(22) + 5))
    assert versions(cooled) == {"fast": "1.0", "slow": "1.0"}
    record = tomllib.loads(cooled.lock_path.read_text("utf-8"))["tool"]["polylock"]
    assert record["exclude-newer"] == datetime(2026, 1, 15, 12, tzinfo=UTC)
    assert record["exclude-newer-span"] == "7 days"


def test_a_lock_that_is_up_to_date_stays_so(cooled: Project) -> None:
    """However late it is, nothing is solved and no byte is written."""
    write(cooled, WEEK)
    cooled.lock(LockRequest(now=at(22)))
    before = cooled.lock_path.read_bytes()
    outcome = cooled.lock(LockRequest(now=at(1, month=6)))
    assert not outcome.efforts
    assert cooled.lock_path.read_bytes() == before
    assert check(cooled.with_settings(offline=True)).differences == ()


def test_another_requirement_keeps_the_time(cooled: Project) -> None:
    """A small change of the project is a small change of the lock file."""
    write(cooled, WEEK, '["fast"]')
    cooled.lock(LockRequest(now=at(22)))
    write(cooled, WEEK)
    cooled.lock(LockRequest(now=at(28)))
    assert versions(cooled) == {"fast": "1.0", "slow": "1.0"}


@pytest.mark.parametrize(
    ("request_", "slow"),
    [
        (LockRequest(upgrade=True, now=at(28)), "2.0"),
        (LockRequest(upgrade_packages=parse_upgrades(["fast"]), now=at(28)), "1.0"),
    ],
)
def test_an_upgrade_moves_the_time(
    cooled: Project, request_: LockRequest, slow: str
) -> None:
    """``--upgrade`` and ``--upgrade-package`` count the span from now."""
    write(cooled, WEEK)
    cooled.lock(LockRequest(now=at(22)))
    cooled.lock(request_)
    assert versions(cooled) == {"fast": "2.0", "slow": slow}


@pytest.mark.parametrize("same", ["1 week", "P7D", "PT168H"])
def test_another_spelling_is_the_same_span(cooled: Project, same: str) -> None:
    """Spans are compared by their length."""
    write(cooled, WEEK)
    cooled.lock(LockRequest(now=at(22)))
    write(cooled, f'exclude-newer = "{same}"')
    assert check(cooled.with_settings(offline=True)).differences == ()


def test_another_span_is_a_difference(cooled: Project) -> None:
    """It is named as the user writes it, and taken anew."""
    write(cooled, 'exclude-newer = "1 day"')
    cooled.lock(LockRequest(now=at(22)))
    assert versions(cooled) == {"fast": "2.0", "slow": "2.0"}
    write(cooled, WEEK)
    found = check(cooled.with_settings(offline=True)).differences
    assert [str(each) for each in found] == [
        "setting exclude-newer is 7 days, locked as 1 day"
    ]
    cooled.lock(LockRequest(now=at(23)))
    assert versions(cooled) == {"fast": "1.0", "slow": "1.0"}


def test_a_time_in_place_of_the_span_is_a_difference(cooled: Project) -> None:
    """A project that says the recorded time itself does not say the span."""
    write(cooled, WEEK)
    cooled.lock(LockRequest(now=at(22)))
    write(cooled, "exclude-newer = 2026-01-15T12:00:00Z")
    found = check(cooled.with_settings(offline=True)).differences
    assert [str(each) for each in found] == [
        "setting exclude-newer is 2026-01-15T12:00:00Z, locked as 7 days"
    ]


def test_a_span_without_its_time_was_not_locked(cooled: Project) -> None:
    """A lock file whose time was removed by hand is out of date."""
    write(cooled, WEEK)
    cooled.lock(LockRequest(now=at(22)))
    text = cooled.lock_path.read_text("utf-8")
    cooled.lock_path.write_text(
        text.replace("exclude-newer = 2026-01-15T12:00:00Z\n", ""), "utf-8"
    )
    found = check(cooled.with_settings(offline=True)).differences
    assert [str(each) for each in found] == [
        "setting exclude-newer is 7 days, locked as not set"
    ]


@pytest.mark.parametrize(
    "value", ["false", '"1 hour"', "2026-01-20T00:00:00Z", '"2026-01-20"']
)
def test_a_project_has_its_own_cutoff(cooled: Project, value: str) -> None:
    """``exclude-newer-package`` wins for its project: a time, a span, or none."""
    write(cooled, f"{WEEK}\nexclude-newer-package = {{ Fast = {value} }}")
    cooled.lock(LockRequest(now=at(22)))
    assert versions(cooled) == {"fast": "2.0", "slow": "1.0"}
    assert check(cooled.with_settings(offline=True)).differences == ()
    write(cooled, WEEK)
    (found,) = check(cooled.with_settings(offline=True)).differences
    assert found.subject == "exclude-newer-package fast"
    assert found.wanted == "not set"


def test_the_cutoff_of_a_project_alone(cooled: Project) -> None:
    """It counts without one for all, also from memory in a second lock."""
    write(cooled, "")
    cooled.lock()
    assert versions(cooled) == {"fast": "2.0", "slow": "2.0"}
    write(cooled, 'exclude-newer-package = { slow = "2026-01-15" }')
    cooled.lock(LockRequest(upgrade=True))
    assert versions(cooled) == {"fast": "2.0", "slow": "1.0"}
    write(cooled, 'exclude-newer-package = { slow = "2026-01-25" }')
    cooled.lock(LockRequest(upgrade=True))
    assert versions(cooled) == {"fast": "2.0", "slow": "2.0"}


def test_a_cutoff_that_excludes_all_is_told_with_the_way_on(cooled: Project) -> None:
    """For a span it is the exemption of the project that is in the way."""
    write(cooled, WEEK, '["fast>=2", "slow"]')
    with pytest.raises(NoSolution) as caught:
        cooled.lock(LockRequest(now=at(22)))
    assert "fast 2.0: uploaded after exclude-newer" in caught.value.explanation
    assert (caught.value.hint() or "").startswith(
        "set exclude-newer-package = { fast = false } in [tool.polylock]; with fast 2.0"
    )
