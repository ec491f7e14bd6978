"""An edit of a list touches that list alone, however files are laid out."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from polylock.project.edit import add_dependency, remove_dependency

LAYOUTS = {
    "empty": "[]",
    "empty-spaced": "[ ]",
    "empty-lines": "[\n]",
    "empty-comment": "[\n  # nothing yet\n]",
    "one": '["a"]',
    "one-spaced": '[ "a" ]',
    "one-trailing-comma": '["a",]',
    "two": '["a", "b>=1"]',
    "tight": '["a","b>=1"]',
    "trailing-comma": '["a", "b>=1",]',
    "single-quotes": "['a', 'b>=1']",
    "lines": '[\n  "a",\n  "b>=1"\n]',
    "lines-trailing-comma": '[\n    "a",\n    "b>=1",\n]',
    "tabs": '[\n\t"a",\n\t"b>=1",\n]',
    "not-indented": '[\n"a",\n"b>=1",\n]',
    "comments": '[\n  "a",  # of a\n  # the second\n  "b>=1",  # of b\n]',
    "comments-no-comma": '[\n  "a",  # of a\n  "b>=1"  # of b\n]',
    "comment-at-the-end": '[\n  "a",\n  "b>=1",\n  # the end\n]',
    "comment-at-the-start": '[ # all\n  "a",\n  "b>=1",\n]',
    "blank-lines": '[\n\n  "a",\n\n  "b>=1",\n\n]',
    "comma-first": '[\n    "a"\n  , "b>=1"\n  ]',
    "hanging": '["a",\n "b>=1"]',
    "two-a-line": '[\n  "a", "b>=1",\n  "c"\n]',
    "bracket-indented": '[\n  "a",\n  "b>=1",\n  ]',
    "extras": '[\n  "a[x,y]>=1 ; python_version < \'3.12\'",\n  "b>=1",\n]',
    "long-string": '[\n  """a""",\n  "b>=1",\n]',
    "included-group": '[\n  { include-group = "lint" },\n  "a",\n  "b>=1",\n]',
    "not-ascii": '[\n  "a",\n  # é\u2028\n  "b>=1",\n]',
}
PLACES: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "project": (
        '# p\n[project]\nname = "x"  # n\ndependencies = @  # why\nreadme = "r"\n',
        {},
        ("project", "dependencies"),
    ),
    "no-newline-at-the-end": (
        '[project]\nname = "x"\ndependencies = @',
        {},
        ("project", "dependencies"),
    ),
    "blank-lines-at-the-end": (
        "[project]\nname = 'x'\ndependencies = @\n\n \n",
        {},
        ("project", "dependencies"),
    ),
    "dotted": (
        'project.name = "x"\nproject.dependencies =@\nproject.version="1"\n[tool.a]\n',
        {},
        ("project", "dependencies"),
    ),
    "group": (
        (
            "[project]\nname='x'\n# g\n[dependency-groups]\nlint = ['ruff'] # l\n"
            "dev = @\nz = []\n\n[tool.x]\n"
        ),
        {"group": "dev"},
        ("dependency-groups", "dev"),
    ),
    "quoted": (
        '["dependency-groups"]\n"dev" = @\n',
        {"group": "dev"},
        ("dependency-groups", "dev"),
    ),
    "another-spelling": (
        "[dependency-groups]\nMy_Dev = @\n",
        {"group": "my-dev"},
        ("dependency-groups", "My_Dev"),
    ),
    "extra": (
        '[project]\nname="x"\n[project.optional-dependencies]\ngpu = @\n\n\n# end\n',
        {"extra": "gpu"},
        ("project", "optional-dependencies", "gpu"),
    ),
    "dotted-extra": (
        '[project]\nname="x"\noptional-dependencies.gpu = @ \n',
        {"extra": "gpu"},
        ("project", "optional-dependencies", "gpu"),
    ),
    "target": (
        (
            '[project]\nname="x"\n[tool.polylock.targets.box]\nplatform="linux-x86_64"\n'
            'dependencies = @\npython="3.12"\n'
        ),
        {"target": "box"},
        ("tool", "polylock", "targets", "box", "dependencies"),
    ),
}
EDITS: dict[str, tuple[list[str], bool]] = {
    "add": (["zz>=2"], True),
    "replace": (["b>=3"], True),
    "remove-first": (["a"], False),
    "remove-second": (["b"], False),
}
_COMMENT = re.compile(r"# (?!of [ab])[^\r\n]*")


def _entries(text: str, keys: tuple[str, ...]) -> list[Any]:
    found: Any = tomllib.loads(text)
    for key in keys:
        found = found[key]
    assert isinstance(found, list)
    return found


def _wanted(before: list[Any], edit: str) -> list[Any]:
    match edit:
        case "add":
            return [*before, "zz>=2"]
        case "replace":
            return ["b>=3" if entry == "b>=1" else entry for entry in before]
        case "remove-first":
            return [e for e in before if not (isinstance(e, str) and e[0] == "a")]
        case _:
            return [entry for entry in before if entry != "b>=1"]


@pytest.mark.parametrize(
    ("place", "newline"),
    [
        *((place, "\n") for place in PLACES),
        *(
            (p, n)
            for p in ("project", "no-newline-at-the-end")
            for n in ("\r\n", "mixed")
        ),
    ],
)
def test_all_but_the_list_is_the_same_bytes(place: str, newline: str) -> None:
    """Before and after the list nothing changes, and comments in it stay."""
    template, where, keys = PLACES[place]
    for layout, lines in LAYOUTS.items():
        head, tail = template.split("@")
        if newline == "mixed":
            array, tail = lines, tail.replace("\n", "\r\n")
        else:
            head, array, tail = (
                part.replace("\n", newline) for part in (head, lines, tail)
            )
        before = head + array + tail
        entries = _entries(before, keys)
        for edit, (items, adds) in EDITS.items():
            if edit != "add" and "b>=1" not in entries:
                continue
            change = add_dependency if adds else remove_dependency
            after = change(before, items, **where)
            case = (layout, edit, after)
            assert after.startswith(head), case
            if newline == "mixed":  # the last line of the list is new, as is its end
                assert after.endswith(tail.partition("\n")[2]), case
                continue
            assert after.endswith(tail), case
            inside = after[len(head) : len(after) - len(tail)]
            assert _entries(after, keys) == _wanted(entries, edit), case
            assert set(_COMMENT.findall(array)) <= set(_COMMENT.findall(inside)), case
            assert inside.count("\n") == inside.count(newline), case


@pytest.mark.parametrize("layout", LAYOUTS)
def test_lines_of_other_entries_are_the_same(layout: str) -> None:
    """In a list with an entry a line, no line changes but that of the entry edited.

    An entry before a new one gets its comma, where it has none.
    """
    array = LAYOUTS[layout]
    before = f"[dependency-groups]\ndev = {array}\n"
    if array.count("\n") < 2 or layout in {"hanging", "two-a-line", "comma-first"}:
        return
    lines = before.splitlines()
    for edit, (items, adds) in EDITS.items():
        if edit != "add" and "b>=1" not in array:
            continue
        change = add_dependency if adds else remove_dependency
        after = change(before, items, group="dev").splitlines()
        gone = [line for line in lines if line.strip() and line not in after]
        new = [line for line in after if line.strip() and line not in lines]
        assert len(gone) <= 1, (edit, after)
        assert len(new) <= 1 + (edit == "add" and bool(gone)), (edit, after)
