"""The requirements of resolvelib: version constraints, and what cannot be met."""

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

    ``origin`` is a noun phrase for people (``the project``, ``group dev``), set for the
    project's own requirements; all others come from their parent candidate.
    """

    name: NormalizedName
    extra: str | None = None
    specifier: str = ""
    origin: str | None = None


class Unmeetable(Value, frozen=True, kw_only=True, eq=False):
    """A requirement of a candidate that nothing meets, so the candidate is out."""

    candidate: Candidate
    reason: Refusal


class Lacking(Unmeetable, frozen=True, kw_only=True, eq=False):
    """A candidate's label is built against a project that nothing requires."""


Constraint = SpecifierConstraint | Unmeetable


class Dependency(Value, frozen=True, kw_only=True, eq=False):
    """A requirement that applies to the target, with its marker folded.

    ``condition`` is the part of the marker that the target leaves open, or None.
    """

    requirement: Requirement
    condition: MarkerExpression | None = None

    def constraints(self, origin: str | None = None) -> list[SpecifierConstraint]:
        """Return its constraints: one on the project and one for each extra."""
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
    """Return the key that resolvelib uses: ``name``, or ``name[extra]``."""
    if isinstance(item, Unmeetable):
        return f"{item.candidate.name}!"
    extra = getattr(item, "extra", None)
    return item.name if extra is None else f"{item.name}[{extra}]"


def split_identifier(identifier: str) -> tuple[NormalizedName, str]:
    """Return the name and the extra of an identifier; the extra may be empty."""
    name, _, extra = identifier.removesuffix("]").partition("[")
    return cast("NormalizedName", name), extra
