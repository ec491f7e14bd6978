"""The size and structure of the source: modules, lines, imports, import cycles.

    .venv/bin/python benchmarks/house.py [DIRECTORY]

DIRECTORY contains the package ``polylock``; the default is ``src`` of this checkout.
``--names`` also lists the modules that only one other imports, and those in cycles.
Imports for type checking count like any other.
"""

from __future__ import annotations

import argparse
import ast
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Module", "cycles", "imported_by_one", "read_modules"]

_PACKAGE = "polylock"
_NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """The figures of one module; ``imports`` are modules of the package."""

    name: str
    lines: int
    code: int
    import_lines: int
    type_blocks: int
    imports: frozenset[str]


def read_modules(directory: Path) -> dict[str, Module]:
    """Return the modules of the package in a directory, by name."""
    paths = {
        ".".join(path.relative_to(directory).with_suffix("").parts): path
        for path in sorted((directory / _PACKAGE).rglob("*.py"))
    }
    names = {name.removesuffix(".__init__") for name in paths}
    modules = {}
    for name, path in paths.items():
        module = _module(name.removesuffix(".__init__"), path, names)
        modules[module.name] = module
    return modules


def imported_by_one(modules: Mapping[str, Module]) -> list[str]:
    """Return the modules that exactly one other imports."""
    users = dict.fromkeys(modules, 0)
    for module in modules.values():
        for name in module.imports:
            users[name] += 1
    return [name for name, count in users.items() if count == 1]


def cycles(modules: Mapping[str, Module]) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or not."""
    reached = {name: _reached(modules, name) for name in modules}
    found = {
        tuple(sorted(other for other in reached[name] if name in reached[other]))
        for name in modules
        if name in reached[name]
    }
    return sorted(map(list, found))


def _reached(modules: Mapping[str, Module], start: str) -> set[str]:
    seen: set[str] = set()
    left = [start]
    while left:
        new = modules[left.pop()].imports - seen
        seen |= new
        left.extend(new)
    return seen


def _module(name: str, path: Path, names: set[str]) -> Module:
    text = path.read_text("utf-8")
    rows = text.splitlines()
    tree = ast.parse(text)
    docstrings = {line for span in _docstrings(tree) for line in span}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = {
        line
        for token in tokens
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
        if rows[line - 1].strip()
    }
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    return Module(
        name=name,
        lines=len(lines),
        code=len(lines - docstrings),
        import_lines=sum((node.end_lineno or 0) - node.lineno + 1 for node in found),
        type_blocks=sum(
            isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for node in ast.walk(tree)
        ),
        imports=frozenset(m for node in found for m in _imported(node, names)) - {name},
    )


def _docstrings(tree: ast.Module) -> Iterator[range]:
    """Yield the lines of strings that are statements, such as docstrings."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield range(node.lineno, (node.end_lineno or 0) + 1)


def _imported(node: ast.Import | ast.ImportFrom, names: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in names)
        return
    for alias in node.names:
        submodule = f"{node.module}.{alias.name}"
        if submodule in names:
            yield submodule
        elif node.module in names:
            yield str(node.module)


def main() -> None:
    """Print the figures of a directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    source = Path(__file__).resolve().parents[1] / "src"
    parser.add_argument("directory", nargs="?", type=Path, default=source)
    parser.add_argument("--names", action="store_true", help="name the modules too")
    options = parser.parse_args()
    modules = read_modules(options.directory)
    alone, circles = imported_by_one(modules), cycles(modules)
    figures = {
        "modules": len(modules),
        "lines, neither blank nor comment": sum(m.lines for m in modules.values()),
        "the same without docstrings": sum(m.code for m in modules.values()),
        "lines of imports": sum(m.import_lines for m in modules.values()),
        "TYPE_CHECKING blocks": sum(m.type_blocks for m in modules.values()),
        "modules imported by one other": len(alone),
        "import cycles, types included": len(circles),
        "modules in them": sum(map(len, circles)),
    }
    for name, count in figures.items():
        print(f"{count:7,}  {name}")
    if options.names:
        print("\nimported by one other:", *alone, sep="\n  ")
        print("\ncycles:", *(" ".join(circle) for circle in circles), sep="\n  ")


if __name__ == "__main__":
    main()
