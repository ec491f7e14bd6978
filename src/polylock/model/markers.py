"""Environment markers, variant markers included, folded for a target.

``packaging.markers`` cannot parse the four markers of PEP 825, and answers only for
an environment that is known to the last field. Here a marker is parsed into an
expression once per distinct text, and *folded* for a target: what the target fixes
becomes true or false, what it does not (``platform_release``, the patch release of
Python) is kept as a residual expression. Atoms without a variant marker are still
evaluated by packaging, so their meaning is its meaning.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from polylock.model.comparisons import holds, parsed
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from polylock.model.target import Target

__all__ = [
    "NON_VARIANT",
    "Atom",
    "Combination",
    "InvalidMarker",
    "MarkerExpression",
    "SelectedVariant",
    "conjunction",
    "disjunction",
    "fold",
    "parse_marker",
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
_VARIANT_FIELDS = {
    "variant_label",
    "variant_namespaces",
    "variant_features",
    "variant_properties",
}
_LOCK_FIELDS = {"extras", "dependency_groups"}
_PYTHON_PATCH_FIELDS = {"python_full_version", "implementation_version"}
_LEGACY_FIELDS = {  # PEP 345 spellings that setuptools still writes
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.version": "platform_version",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TOKEN = re.compile(
    r"""\s*(?:(?P<paren>[()])
    |(?P<string>'[^']*'|"[^"]*")
    |(?P<operator>===|==|~=|!=|<=|>=|<|>|not\s+in\b|in\b)
    |(?P<boolean>and\b|or\b)
    |(?P<field>[a-z][a-z0-9_.]*))""",
    re.VERBOSE,
)


class InvalidMarker(ValueError):
    """Text that is no marker, with the reason."""


class Atom(Value, frozen=True, tag=True):
    """One comparison, ``field operator 'value'``.

    ``reversed`` is true where the value stands on the left, as in
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


class SelectedVariant(Value, frozen=True):
    """What variant markers are evaluated for (PEP 825, "Evaluating variant markers").

    ``label`` is empty for a non-variant wheel. ``properties`` are those of the label
    that the target supports, as (namespace, feature, value).
    """

    label: str = ""
    properties: frozenset[tuple[str, str, str]] = frozenset()


NON_VARIANT = SelectedVariant()


@lru_cache(maxsize=65536)
def parse_marker(text: str) -> MarkerExpression:
    """Parse a marker; the result is shared by all callers with the same text.

    Raises InvalidMarker with the reason.
    """
    try:
        return _Parser(text).parse()
    except RecursionError as error:
        raise InvalidMarker("a marker is nested too deeply") from error


def disjunction(operands: Collection[MarkerExpression]) -> MarkerExpression:
    """Join by ``or``, leaving out repetitions; at least one operand."""
    return _join("or", operands)


def conjunction(operands: Collection[MarkerExpression]) -> MarkerExpression:
    """Join by ``and``, leaving out repetitions; at least one operand."""
    return _join("and", operands)


def fold(
    marker: MarkerExpression,
    target: Target,
    *,
    extra: str = "",
    variant: SelectedVariant = NON_VARIANT,
    extras: Collection[str] | None = None,
    groups: Collection[str] | None = None,
) -> MarkerExpression | bool:
    """Evaluate a marker as far as the target decides it.

    ``extra`` is the extra under which the requirement was reached, ``variant`` the
    selected wheel that declares it. ``extras`` and ``groups`` are the sets of a lock
    file (PEP 751); left None, such atoms are kept. Returns True or False, or the
    part that the target leaves open.
    """
    if isinstance(marker, Combination):
        return _fold_combination(
            marker,
            [
                fold(
                    operand,
                    target,
                    extra=extra,
                    variant=variant,
                    extras=extras,
                    groups=groups,
                )
                for operand in marker.operands
            ],
        )
    if marker.field in _VARIANT_FIELDS:
        return _evaluate_variant(marker, variant)
    if marker.field in _LOCK_FIELDS:
        members = extras if marker.field == "extras" else groups
        if members is None:
            return marker
        return (marker.value in members) is (marker.operator == "in")
    if marker.field == "extra":
        return holds(marker, extra)
    return _fold_environment(marker, target)


def _fold_combination(
    marker: Combination, operands: list[MarkerExpression | bool]
) -> MarkerExpression | bool:
    absorbing = marker.operator == "or"
    if any(operand is absorbing for operand in operands):
        return absorbing
    kept = [operand for operand in operands if not isinstance(operand, bool)]
    return _join(marker.operator, kept) if kept else not absorbing


def _fold_environment(marker: Atom, target: Target) -> MarkerExpression | bool:
    environment = target.marker_environment
    if marker.field in environment:
        return holds(marker, environment[marker.field])
    if marker.field in _PYTHON_PATCH_FIELDS:
        answers = {
            holds(marker, version) for version in _patch_releases(marker.value, target)
        }
        if len(answers) == 1:
            return answers.pop()
    return marker


def _patch_releases(text: str, target: Target) -> Iterator[str]:
    """Yield the patch releases at which an answer could change, and the ends.

    A comparison with one version can change its answer only at that version and
    beside it; 0 and a number no release will reach stand for the rest.
    """
    python = target.description.python
    patches = {0, 1, 99}
    for found in re.findall(rf"{python.major}\.{python.minor}\.(\d+)", text):
        patch = int(found)
        patches.update({max(patch - 1, 0), patch, patch + 1})
    for patch in sorted(patches):
        yield f"{python.major}.{python.minor}.{patch}"


def _evaluate_variant(marker: Atom, variant: SelectedVariant) -> bool:
    if marker.field == "variant_label":
        # A String field, so its operators mean what they mean for sys_platform.
        return _compare_strings(marker, variant.label)
    depth = {"variant_namespaces": 1, "variant_features": 2}.get(marker.field, 3)
    members = {triple[:depth] for triple in variant.properties}
    wanted = tuple(part.strip() for part in marker.value.split("::"))
    return (wanted in members) is (marker.operator == "in")


def _compare_strings(marker: Atom, label: str) -> bool:
    match marker.operator:
        case "==" | "<=" | ">=":
            return label == marker.value
        case "<" | ">":
            return False  # strings have no order (dependency specifiers, "Strings")
        case "!=":
            return label != marker.value
        case "in":
            return marker.value in label if marker.reversed else label in marker.value
        case _:
            inside = marker.value in label if marker.reversed else label in marker.value
            return not inside


def _join(operator: str, operands: Collection[MarkerExpression]) -> MarkerExpression:
    flat: dict[MarkerExpression, None] = {}
    for operand in operands:
        if isinstance(operand, Combination) and operand.operator == operator:
            flat.update(dict.fromkeys(operand.operands))
        else:
            flat[operand] = None
    return next(iter(flat)) if len(flat) == 1 else Combination(operator, tuple(flat))


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
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
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
        # 8 ms with the parser, which a lock does without where all answers are known.
        from packaging import markers  # noqa: PLC0415

        try:
            marker = parsed(str(atom))
        except markers.InvalidMarker as error:
            raise InvalidMarker(str(error)) from error
        if atom.operator in {"~=", "==="}:  # what packaging refuses when it is too late
            try:
                marker.evaluate({atom.field: "0"})
            except markers.UndefinedComparison as error:
                problem = f"{field} cannot be compared with {atom.value!r} by"
                raise self._error(f"{problem} {atom.operator}") from error

    def _field(self, name: str) -> str:
        name = _LEGACY_FIELDS.get(name, name)
        if name not in _STRING_FIELDS and name not in _SET_FIELDS:
            raise self._error(f"unknown marker {name}")
        return name
