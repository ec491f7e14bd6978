"""Over random edits a key changes if and only if what it stands for does.

What a target installs is worked out beside polylock, by ``oracle.installed_set``.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from copy import deepcopy
from random import Random
from typing import TYPE_CHECKING

import pytest

from fakes.lock_edits import EXTRA_PACKAGES, FREE, NEUTRAL, annotated
from fakes.project_edits import PROJECT_EDITS
from fakes.toml_text import toml_text
from oracle.installed_set import documented_key, installed_sets
from polylock.errors import PolylockError
from polylock.operations.inspect.cache_key import cache_keys
from polylock.operations.lock.request import LockRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fakes.workspace import Project
    from oracle.installed_set import InstalledSet

Wanted = tuple[tuple[str, ...], tuple[str, ...]]
"""Groups and extras."""

WANTED: tuple[Wanted, ...] = (
    ((), ()),
    (("test",), ()),
    ((), ("docs",)),
    (("test",), ("docs",)),
)


def keys(project: Project, wanted: Wanted) -> dict[str, str]:
    """Return the key of every target."""
    groups, extras = wanted
    found = cache_keys(project.with_settings(groups=groups, extras=extras))
    return {key.target: key.key for key in found}


def compared(
    before: tuple[dict[str, str], dict[str, InstalledSet]],
    after: tuple[dict[str, str], dict[str, InstalledSet]],
    edits: object,
) -> Counter[bool]:
    """Require that keys change where sets do; count the changes."""
    assert before[0].keys() == before[1].keys() == after[0].keys() == after[1].keys()
    changes: Counter[bool] = Counter()
    for name in before[0]:
        is_changed = before[0][name] != after[0][name]
        assert is_changed == (before[1][name] != after[1][name]), (name, edits)
        changes[is_changed] += 1
    return changes


def edit_locks(project: Project, cases: Iterable[int]) -> Counter[str]:
    """Compare keys before and after edits of a lock file; count what was edited."""
    start = tomllib.loads(project.lock_path.read_text("utf-8"))
    start["packages"] += deepcopy(EXTRA_PACKAGES)
    start["extras"] = ["docs"]
    start["dependency-groups"].append("unasked")
    seen: Counter[str] = Counter()
    for case in cases:
        random = Random(case)
        wanted = random.choice(WANTED)
        document = deepcopy(start)
        for edit in random.choices(FREE, k=random.randrange(3)):
            edit(document, random)
        text = toml_text(document)
        neutral = random.random() < 0.5
        edits = random.choices(NEUTRAL, k=random.randrange(1, 4))
        if not neutral:
            edits += random.choices(FREE, k=random.randrange(1, 3))
        for edit in edits:
            edit(document, random)
        edited = annotated(toml_text(document), random)
        names = [edit.__name__ for edit in edits]
        try:
            project.lock_path.write_text(text, "utf-8")
            before = keys(project, wanted), installed_sets(text, *wanted)
            project.lock_path.write_text(edited, "utf-8")
            after = keys(project, wanted), installed_sets(edited, *wanted)
        except PolylockError:  # an edit that left a target without a file
            seen["refused"] += 1
            continue
        changes = compared(before, after, (case, names))
        assert not (neutral and changes[True]), (case, names)
        seen.update([*names, "changed" if changes[True] else "same"])
        seen["in part"] += 0 < changes[True] < len(before[0])
    return seen


def edit_projects(project: Project, cases: Iterable[int]) -> Counter[str]:
    """Edit a project again and again, lock it, and compare keys; count edits."""
    path = project.directory / "pyproject.toml"
    start = tomllib.loads(path.read_text("utf-8"))
    start["project"]["optional-dependencies"] = {"docs": ["plainlib-testing"]}
    seen: Counter[str] = Counter()
    for case in cases:
        random = Random(case)
        wanted = random.choice(WANTED)
        document = deepcopy(start)
        states = []
        edits = random.choices(PROJECT_EDITS, k=random.randrange(1, 3))
        for some in ((), edits):
            for edit in some:
                edit(document, random)
            project.write(f"# {random.random()}\n{toml_text(document)}")
            project.lock(LockRequest(upgrade=random.random() < 0.2))
            text = project.lock_path.read_text("utf-8")
            states.append((keys(project, wanted), installed_sets(text, *wanted)))
        before, after = states
        changes = compared(before, after, (case, [edit.__name__ for edit in edits]))
        seen.update(edit.__name__ for edit in edits)
        seen["changed" if changes[True] else "same"] += 1
        seen["in part"] += 0 < changes[True] < len(before[0])
    return seen


def test_keys_follow_edits_of_a_lock_file(locked_demo: Project) -> None:
    """A few edits; the many are run apart."""
    seen = edit_locks(locked_demo, range(1000, 1015))
    assert min(seen["changed"], seen["same"], seen["in part"]) > 1, seen


def test_keys_follow_edits_of_a_project(locked_demo: Project) -> None:
    """A few edits, each locked; the many are run apart."""
    seen = edit_projects(locked_demo, range(1000, 1006))
    assert min(seen["changed"], seen["same"]) > 0, seen


@pytest.mark.property
def test_keys_follow_many_edits_of_a_lock_file(locked_demo: Project) -> None:
    """400 edits of every kind: half of them must change no key, and do not."""
    seen = edit_locks(locked_demo, range(400))
    assert all(seen[edit.__name__] for edit in (*FREE, *NEUTRAL)), seen
    assert seen["refused"] < 50, seen
    assert min(seen["changed"], seen["same"], seen["in part"]) > 50, seen


@pytest.mark.property
def test_keys_follow_many_edits_of_a_project(locked_demo: Project) -> None:
    """150 edits of every kind, each locked."""
    seen = edit_projects(locked_demo, range(150))
    assert all(seen[edit.__name__] for edit in PROJECT_EDITS), seen
    assert min(seen["changed"], seen["same"], seen["in part"]) > 15, seen


def test_a_key_can_be_made_by_the_words_of_its_page(locked_demo: Project) -> None:
    """The documented recipe and the set that PEP 751 installs give the same keys."""
    text = locked_demo.lock_path.read_text("utf-8")
    for wanted in (((), ()), (("test",), ())):
        made = {
            name: documented_key(found)
            for name, found in installed_sets(text, *wanted).items()
        }
        assert keys(locked_demo, wanted) == made
