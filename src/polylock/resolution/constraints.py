"""The kinds of requirement that the solver weighs against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from polylock.values import Value

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from polylock.model.markers import MarkerExpression
    from polylock.model.reasons import Refusal
    from polylock.model.requirements import Requirement
    from polylock.resolution.candidates import Candidate, ExtraCandidate

__all__ = [
    "Constraint",
    "Dependency",
    "Lacking",
    "SpecifierConstraint",
    "Unmeetable",
    "identifier_of",
    "split_identifier",
]


class SpecifierConstraint(Value, frozen=True, kw_only=True, eq=False):
    """A version specifier on a project, or on one of its extras.

    ``origin`` is set on the project's own requirements, a noun phrase for people
    (``the project``, ``group dev``); of all others the parent candidate tells it.
    """

    name: NormalizedName
    extra: str | None = None
    specifier: str = ""
    origin: str | None = None


class Unmeetable(Value, frozen=True, kw_only=True, eq=False):
    """What a candidate asks for and nothing can give; it rules the candidate out."""

    candidate: Candidate
    reason: Refusal


class Lacking(Unmeetable, frozen=True, kw_only=True, eq=False):
    """The label of a candidate is built against what nothing requires."""


Constraint = SpecifierConstraint | Unmeetable


class Dependency(Value, frozen=True, kw_only=True, eq=False):
    """A requirement that holds for the target, its marker folded away.

    ``condition`` is what the target leaves open of the marker, None where nothing.
    """

    requirement: Requirement
    condition: MarkerExpression | None = None

    def constraints(self, origin: str | None = None) -> list[SpecifierConstraint]:
        """Return the constraints it puts: one on the project, one an extra."""
        extras: tuple[str | None, ...] = (None, *self.requirement.extras)
        return [
            SpecifierConstraint(
                name=self.requirement.normalized_name,
                extra=extra,
                specifier=self.requirement.specifier,
                origin=origin,
            )
            for extra in extras
        ]


def identifier_of(item: Constraint | Candidate | ExtraCandidate) -> str:
    """Return what resolvelib keys by: the name, with an extra ``name[extra]``."""
    if isinstance(item, Unmeetable):
        return f"{item.candidate.name}!"
    extra = getattr(item, "extra", None)
    return item.name if extra is None else f"{item.name}[{extra}]"


def split_identifier(identifier: str) -> tuple[NormalizedName, str]:
    """Return the name and the extra of an identifier; no extra is an empty one."""
    name, _, extra = identifier.removesuffix("]").partition("[")
    return cast("NormalizedName", name), extra
