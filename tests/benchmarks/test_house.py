"""The figures of the source are those of a source that can be counted by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from house import Module, cycles, imported_by_one, read_modules

ROOT = Path(__file__).resolve().parents[2]

FILES = {
    "__init__.py": '"""A package."""\n',
    "above.py": '''"""Two lines

of docstring, and a blank one."""

from polylock.wing import low, middle

# a comment
TEXT = """
a line and

two blank ones are not code
"""
__all__ = [low, middle]
''',
    "wing/__init__.py": "",
    "wing/middle.py": """from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polylock.wing.low import (
        Low,
    )
""",
    "wing/low.py": """def lazily() -> None:
    import polylock.wing.middle


class Low: ...
""",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write a package of two modules that need each other and one above them."""
    for name, text in FILES.items():
        path = tmp_path / "polylock" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_lines_are_counted(source: Path) -> None:
    """Neither blank lines count nor comments; docstrings are told apart."""
    found = read_modules(source)["polylock.above"]

    assert found == Module(
        name="polylock.above",
        lines=8,
        code=6,
        import_lines=1,
        type_blocks=0,
        imports=frozenset({"polylock.wing.low", "polylock.wing.middle"}),
    )


def test_imports_for_types_and_in_functions_count(source: Path) -> None:
    """A cycle is one however it is hidden, and who is in none is not named."""
    modules = read_modules(source)

    assert modules["polylock.wing.middle"].type_blocks == 1
    assert modules["polylock.wing.middle"].import_lines == 4
    assert cycles(modules) == [["polylock.wing.low", "polylock.wing.middle"]]


def test_modules_that_one_other_imports_are_named(source: Path) -> None:
    """One that two import, and one that nobody does, are not."""
    path = source / "polylock" / "above.py"
    path.write_text("from polylock.wing import low\n", encoding="utf-8")

    assert imported_by_one(read_modules(source)) == ["polylock.wing.middle"]


def test_figures_are_printed(source: Path) -> None:
    """The script prints a line for each figure, and names where it is asked to."""
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "house.py", source, "--names"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )

    assert "      5  modules\n" in done.stdout
    assert "      1  import cycles, types included\n" in done.stdout
    assert done.stdout.endswith("  polylock.wing.low polylock.wing.middle\n")
