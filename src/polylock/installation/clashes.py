"""Files of two distributions that are one, for their names differ in case alone.

Inside one wheel such names are refused. Between two distributions they are nobody's
fault (``Crypto`` and ``crypto`` were both on indexes for years) and do no harm where
case counts, so they are told of where it does not, and only there are they looked for.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["case_clashes", "ignores_case"]


def ignores_case(directory: Path) -> bool:
    """Return whether names that differ only in case are one where a directory lies."""
    swapped = directory.with_name(directory.name.swapcase())
    with suppress(OSError):
        return swapped != directory and swapped.samefile(directory)
    return False


def case_clashes(distributions: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    """Yield a line for each two distributions that have a file in one place.

    Each is given by its name and the absolute paths of its files. One path spelled
    alike by both is no clash of names, and may be meant: namespace packages.
    """
    # 2 ms, where case does not count.
    from polylock.model.member_names import folded  # noqa: PLC0415 - see above

    owners: dict[str, tuple[str, str]] = {}
    told: set[tuple[str, str]] = set()
    for name, paths in distributions:
        for path in paths:
            owner, spelling = owners.setdefault(folded(path), (name, path))
            if spelling != path and owner != name and (owner, name) not in told:
                told.add((owner, name))
                yield (
                    f"{spelling} of {owner} and {path} of {name} are one file here, "
                    "where case does not count: one of them is lost"
                )
