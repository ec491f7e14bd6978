"""``polylock why``: who requires a project, and why its variant was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from polylock.errors import UsageError
from polylock.operations.graph import locked_graphs
from polylock.project.tables import suggestion

if TYPE_CHECKING:
    from polylock.operations.graph import LockedGraph, Node
    from polylock.project.settings import Settings

__all__ = ["Reason", "Why", "why"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a target installs a package; ``node`` is None where it does not.

    ``chains`` are names and lead from a requirement of the project to the package.
    ``places`` are where the project requires it itself.
    """

    node: Node | None
    places: tuple[str, ...] = ()
    chains: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The reasons for one project, target by target."""

    name: str
    reasons: dict[str, Reason]

    def grouped(self) -> list[tuple[list[str], Reason]]:
        """Return the reasons, each with the targets that share it."""
        groups: dict[tuple[object, ...], tuple[list[str], Reason]] = {}
        for target, reason in self.reasons.items():
            node = reason.node
            key: tuple[object, ...] = (None,)
            if node is not None:
                decided = node.choice.decided_by if node.choice else None
                key = (str(node), decided, reason.places, reason.chains)
            groups.setdefault(key, ([], reason))[0].append(target)
        return list(groups.values())

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``why --json`` (schemas/why.schema.json)."""
        return {
            "name": self.name,
            "targets": [
                _target(target, reason) for target, reason in self.reasons.items()
            ],
        }


def why(settings: Settings, name: str) -> Why:
    """Explain a locked project for the target asked for, or for every target.

    Reads the lock file alone, which lists the chosen variants and no others. Raises
    UsageError, also for a project that no target installs, LockFileInvalid,
    NoSuchTarget.
    """
    wanted = canonicalize_name(name)
    graphs = locked_graphs(settings)
    reasons = {graph.target: _reason(graph, wanted) for graph in graphs}
    if not any(reason.node for reason in reasons.values()):
        known = sorted({each for graph in graphs for each in graph.nodes})
        raise UsageError(
            f"{wanted} is not locked{_for(settings)}", _advice(wanted, known)
        )
    return Why(name=wanted, reasons=reasons)


def _for(settings: Settings) -> str:
    return f" for target {settings.target}" if settings.target else ""


def _advice(name: str, known: list[str]) -> str | None:
    """Return the name that was probably meant; all of them would be too many."""
    advice = suggestion(name, known)
    return advice if advice.startswith("did you mean") else "`polylock tree` lists all"


def _reason(graph: LockedGraph, name: str) -> Reason:
    node = graph.nodes.get(name)
    if node is None:
        return Reason(node=None)
    places = next((root.places for root in graph.roots if root.name == name), ())
    chains = tuple(chain for chain in graph.chains(name) if len(chain) > 1)
    return Reason(node=node, places=places, chains=chains)


def _target(target: str, reason: Reason) -> dict[str, Any]:
    node = reason.node
    choice = node.choice if node else None
    return {
        "target": target,
        "installed": node is not None,
        "version": node.version if node else None,
        "label": node.label if node else None,
        "decided-by": list(choice.decided_by) if choice else [],
        "variants-passed-over": choice is not None and not choice.label,
        "required-by": list(reason.places),
        "chains": [list(chain) for chain in reason.chains],
    }
