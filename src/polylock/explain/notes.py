"""The notes on a solution: where a target could have more, and the reason against it.

The finders are imported only if ``screening`` finds that there may be a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.explain.screening import (
    Solved,
    may_be_accelerated,
    may_have_others,
    older_pins,
)

if TYPE_CHECKING:
    from polylock.explain.findings import Note

__all__ = ["notes"]


def notes(solved: Solved) -> tuple[Note, ...]:
    """Return the notes on a solution, kind by kind, each once."""
    found: list[Note] = []
    older = older_pins(solved)
    if any(older):
        from polylock.explain.behind import behind  # noqa: PLC0415 - see above

        found += behind(solved, older)
    if may_be_accelerated(solved):
        from polylock.explain.accelerators import (  # noqa: PLC0415 - see above
            accelerator_notes,
        )

        found += accelerator_notes(solved)
    if any("torch" in resolution.pins for resolution in solved.resolutions):
        from polylock.explain.torch_builds import torch_notes  # noqa: PLC0415 - as above

        found += torch_notes(solved)
    if may_have_others(solved):
        from polylock.explain.finders import other_notes  # noqa: PLC0415 - see above

        found += other_notes(solved)
    return tuple(found)
