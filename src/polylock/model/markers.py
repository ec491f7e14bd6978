"""Environment markers, variant markers included, as expressions.

``packaging.markers`` cannot parse the four markers of PEP 825, so a marker is parsed
into an expression here, once per distinct text. packaging evaluates the comparisons.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from polylock.model.quantities import has_long_number
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from packaging.markers import Marker

__all__ = [
    "Atom",
    "Combination",
    "InvalidMarker",
    "MarkerExpression",
    "conjunction",
    "disjunction",
    "parse_marker",
    "plain_marker",
]

_STRING_FIELDS = {
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
    "extra",
    "variant_label",
}
_SET_FIELDS = {
    "extras",
    "dependency_groups",
    "variant_namespaces",
    "variant_features",
    "variant_properties",
}
_LEGACY_FIELDS = {  # PEP 345 spellings that setuptools still writes
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.version": "platform_version",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
}
_MOST_LEVELS = 50
"""Most nested parentheses: expressions are walked by recursive functions."""
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class InvalidMarker(ValueError):
    """Text that is not a valid marker."""


class Atom(Value, frozen=True, tag=True):
    """One comparison, ``field operator 'value'``.

    ``reversed`` is true if the value is on the left, as in
    ``'dev' in dependency_groups``.
    """

    field: str
    operator: str
    value: str
    reversed: bool = False

    def __str__(self) -> str:
        quote = '"' if "'" in self.value else "'"
        value = f"{quote}{self.value}{quote}"
        if self.reversed:
            return f"{value} {self.operator} {self.field}"
        return f"{self.field} {self.operator} {value}"


class Combination(Value, frozen=True, tag=True):
    """Expressions joined by ``and`` or ``or``; at least two."""

    operator: str
    operands: tuple[MarkerExpression, ...]

    def __str__(self) -> str:
        inner = [
            f"({operand})"
            if isinstance(operand, Combination) and operand.operator != self.operator
            else str(operand)
            for operand in self.operands
        ]
        return f" {self.operator} ".join(inner)


MarkerExpression = Atom | Combination


@lru_cache(maxsize=65536)
def plain_marker(text: str) -> Marker:
    """Parse a marker by packaging, cached by text; raises InvalidMarker."""
    # 8 ms with the parser, which a lock from known results does not need.
    from packaging import markers  # noqa: PLC0415

    try:
        return markers.Marker(text)
    except markers.InvalidMarker as error:
        raise InvalidMarker(str(error)) from error


@lru_cache(maxsize=65536)
def parse_marker(text: str) -> MarkerExpression:
    """Parse a marker, cached by text; raises InvalidMarker."""
    if has_long_number(text):
        raise InvalidMarker("a marker has a number of 100 digits or more")
    if _depth(text) > _MOST_LEVELS:
        raise InvalidMarker("a marker is nested too deeply")
    return _Parser(text).parse()


def _depth(text: str) -> int:
    """Return the depth of nested parentheses, those in strings included."""
    if text.count("(") <= _MOST_LEVELS:
        return 0
    level = deepest = 0
    for parenthesis in re.findall("[()]", text):
        level += 1 if parenthesis == "(" else -1
        deepest = max(deepest, level)
    return deepest


def disjunction(operands: Collection[MarkerExpression]) -> MarkerExpression:
    """Join at least one operand by ``or``, without duplicates."""
    return _join("or", operands)


def conjunction(operands: Collection[MarkerExpression]) -> MarkerExpression:
    """Join at least one operand by ``and``, without duplicates."""
    return _join("and", operands)


def _join(operator: str, operands: Collection[MarkerExpression]) -> MarkerExpression:
    flat: dict[MarkerExpression, None] = {}
    for operand in operands:
        if isinstance(operand, Combination) and operand.operator == operator:
            flat.update(dict.fromkeys(operand.operands))
        else:
            flat[operand] = None
    return next(iter(flat)) if len(flat) == 1 else Combination(operator, tuple(flat))


@cache
def _token() -> re.Pattern[str]:
    """Return the token pattern, compiled for the first marker: 0.3 ms."""
    return re.compile(
        r"""\s*(?:(?P<paren>[()])
        |(?P<string>'[^']*'|"[^"]*")
        |(?P<operator>===|==|~=|!=|<=|>=|<|>|not\s+in\b|in\b)
        |(?P<boolean>and\b|or\b)
        |(?P<field>[a-z][a-z0-9_.]*))""",
        re.VERBOSE,
    )


class _Parser:
    """Recursive descent over PEP 508's marker grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._tokenize(text))
        self._position = 0

    def parse(self) -> MarkerExpression:
        expression = self._disjunction()
        if self._position != len(self._tokens):
            raise self._error("unexpected text")
        return expression

    def _tokenize(self, text: str) -> Iterator[tuple[str, str]]:
        token = _token()
        position, end = 0, len(text.rstrip())
        while position < end:
            match = token.match(text, position)
            if match is None or match.lastgroup is None:
                raise InvalidMarker(f"unexpected text in marker {text!r}")
            yield match.lastgroup, match[match.lastgroup]
            position = match.end()

    def _error(self, problem: str) -> InvalidMarker:
        return InvalidMarker(f"{problem} in marker {self._text!r}")

    def _peek(self) -> tuple[str, str]:
        if self._position < len(self._tokens):
            return self._tokens[self._position]
        return ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._position += 1
        return token

    def _disjunction(self) -> MarkerExpression:
        operands = [self._conjunction()]
        while self._peek() == ("boolean", "or"):
            self._next()
            operands.append(self._conjunction())
        return _join("or", operands)

    def _conjunction(self) -> MarkerExpression:
        operands = [self._atom()]
        while self._peek() == ("boolean", "and"):
            self._next()
            operands.append(self._atom())
        return _join("and", operands)

    def _atom(self) -> MarkerExpression:
        if self._peek() == ("paren", "("):
            self._next()
            expression = self._disjunction()
            if self._next() != ("paren", ")"):
                raise self._error("a parenthesis is not closed")
            return expression
        left, operator, right = self._next(), self._next(), self._next()
        if operator[0] != "operator":
            raise self._error("a comparison is not complete")
        return self._comparison(left, " ".join(operator[1].split()), right)

    def _comparison(
        self, left: tuple[str, str], operator: str, right: tuple[str, str]
    ) -> Atom:
        if (left[0], right[0]) == ("field", "string"):
            atom = Atom(self._field(left[1]), operator, right[1][1:-1])
        elif (left[0], right[0]) == ("string", "field"):
            field, value = self._field(right[1]), left[1][1:-1]
            if operator in {"in", "not in"}:
                atom = Atom(field, operator, value, reversed=True)
            else:
                atom = Atom(field, _MIRRORED.get(operator, operator), value)
        else:
            raise self._error("a comparison needs a marker name and a string")
        self._check(atom)
        return atom

    def _check(self, atom: Atom) -> None:
        if atom.field in _SET_FIELDS and not (
            atom.reversed and atom.operator in {"in", "not in"}
        ):
            raise self._error(f"{atom.field} is a set: write 'value' in {atom.field}")
        if atom.field not in _SET_FIELDS:
            # ``extras`` and ``dependency_groups`` are valid in lock files alone.
            plain = atom
            if atom.field == "variant_label":  # any field of the same type will do
                plain = replace(atom, field="sys_platform")
            self._check_comparison(plain, atom.field)

    def _check_comparison(self, atom: Atom, field: str) -> None:
        marker = plain_marker(str(atom))
        if atom.operator in {"~=", "==="}:  # packaging refuses these only on evaluation
            from packaging.markers import UndefinedComparison  # noqa: PLC0415 - as above

            try:
                marker.evaluate({atom.field: "0"})
            except UndefinedComparison as error:
                problem = f"{field} cannot be compared with {atom.value!r} by"
                raise self._error(f"{problem} {atom.operator}") from error

    def _field(self, name: str) -> str:
        name = _LEGACY_FIELDS.get(name, name)
        if name not in _STRING_FIELDS and name not in _SET_FIELDS:
            raise self._error(f"unknown marker {name}")
        return name
