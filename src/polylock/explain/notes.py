"""Notes on a solution: where it is less than it could be.

The kinds are in ``polylock.explain.findings``. Most solutions have none, and importing
the modules that write notes takes longer than to see that there are none. So they are
imported only if ``polylock.explain.screening`` finds that there may be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.explain.screening import (
    may_be_accelerated,
    may_have_unmet_wishes,
    older_pins,
)

if TYPE_CHECKING:
    from polylock.explain.findings import Note
    from polylock.explain.screening import Solved

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
    if may_have_unmet_wishes(solved):
        from polylock.explain.unmet_wishes import (  # noqa: PLC0415 - see above
            unmet_wishes,
        )

        found += unmet_wishes(solved)
    return tuple(found)
