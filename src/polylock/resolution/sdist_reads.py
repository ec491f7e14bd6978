"""Which source distributions may be opened to see what they require.

The metadata of a wheel costs a small request, that of a source distribution its whole
download, and of old ones mostly in vain, for they leave it to their backends. So what
can be known without opening one comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.values import Mutable, field

if TYPE_CHECKING:
    from polylock.resolution.candidates import Candidate

__all__ = ["SdistReads"]


class SdistReads(Mutable):
    """The source distributions of an index that were opened, by URL.

    ``left`` is how many more may be, None where that is not limited. ``refused`` tells
    that one was asked for in vain.
    """

    opened: set[str] = field(default_factory=set)
    left: int | None = None
    refused: bool = False

    def admit(self, candidate: Candidate) -> bool:
        """Say whether the metadata of a candidate may be read, and count it."""
        url = candidate.file.url
        if not candidate.is_sdist or url in self.opened:
            return True
        if self.left == 0:
            self.refused = True
            return False
        if self.left is not None:
            self.left -= 1
        self.opened.add(url)
        return True
