"""How a lock file and the indexes disagree, in words and as data."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.utils import NormalizedName

__all__ = ["Disagreement", "DisagreementKind", "VerifyOutcome"]


class DisagreementKind(enum.StrEnum):
    """How a lock file and an index disagree."""

    NO_PROJECT = "no-project"
    REMOVED = "removed"
    YANKED = "yanked"
    HASH = "hash"
    SIZE = "size"
    HOST = "host"
    LOOK_ALIKE = "look-alike"
    INDEX = "index"
    VARIANTS = "variants"
    CONTENT = "content"


_SENTENCES = {
    DisagreementKind.NO_PROJECT: "{found} has no project of this name any more",
    DisagreementKind.REMOVED: "{file} is no longer on {found}",
    DisagreementKind.YANKED: "{file} was yanked: {found}",
    DisagreementKind.HASH: "{file} is locked with {locked}, the index says {found}",
    DisagreementKind.SIZE: (
        "{file} is locked with {locked} bytes, the index says {found}"
    ),
    DisagreementKind.HOST: "{file} is locked from {locked}, the index gives {found}",
    DisagreementKind.LOOK_ALIKE: (
        "{file} is locked from {locked}, which looks like {found} and is not: "
        "do not install it"
    ),
    DisagreementKind.INDEX: (
        "is locked from the index {locked}, the project asks {found}"
    ),
    DisagreementKind.VARIANTS: (
        "variant {file} is locked with {locked}, the index says {found}"
    ),
    DisagreementKind.CONTENT: "{file} is locked with {locked}, what came has {found}",
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Disagreement:
    """One thing that an index says otherwise; ``targets`` install it.

    ``file`` is a file name, for VARIANTS a label, and empty for a whole project.
    ``expected`` marks what the project asked for all the same: a yanked release that
    it pins with ``==`` (PEP 592).
    """

    name: NormalizedName
    version: str
    kind: DisagreementKind
    file: str = ""
    locked: str = ""
    found: str = ""
    targets: tuple[str, ...] = ()
    expected: bool = False

    def __str__(self) -> str:
        text = _SENTENCES[self.kind].format(
            file=self.file, locked=self.locked, found=self.found
        )
        return f"{self.name} {self.version}".rstrip() + f": {text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOutcome:
    """What was compared: counts of packages and files, and each disagreement.

    ``unverified`` names the packages that no index knows, with the reason.
    """

    path: Path
    packages: int
    files: int
    disagreements: tuple[Disagreement, ...]
    unverified: tuple[tuple[str, str], ...] = ()

    @property
    def agrees(self) -> bool:
        """Return whether nothing was found that the project did not ask for."""
        return all(found.expected for found in self.disagreements)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``verify --json`` (schemas/verify.schema.json)."""
        return {
            "path": str(self.path),
            "agrees": self.agrees,
            "packages": self.packages,
            "files": self.files,
            "disagreements": [
                {
                    "kind": str(found.kind),
                    "name": found.name,
                    "version": found.version,
                    "file": found.file or None,
                    "locked": found.locked or None,
                    "found": found.found or None,
                    "targets": list(found.targets),
                    "expected": found.expected,
                    "text": str(found),
                }
                for found in self.disagreements
            ],
            "unverified": [
                {"name": name, "reason": reason} for name, reason in self.unverified
            ],
        }
