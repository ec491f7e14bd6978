"""direct_url.json: the direct source of an installed distribution (PEP 610)."""

from __future__ import annotations

import msgspec

__all__ = ["ArchiveInfo", "DirInfo", "DirectUrl", "VcsInfo"]


class ArchiveInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file; ``hashes`` maps algorithm to hexadecimal value."""

    hashes: dict[str, str] = {}
    hash: str | None = None

    @property
    def sha256(self) -> str | None:
        """Return the SHA-256 value in either of the two forms."""
        if "sha256" in self.hashes:
            return self.hashes["sha256"]
        algorithm, _, value = (self.hash or "").partition("=")
        return value if algorithm == "sha256" else None


class DirInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A local directory."""

    editable: bool = False


class VcsInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version control system, the requested revision and the commit."""

    vcs: str
    commit_id: str
    requested_revision: str | None = None


class DirectUrl(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of direct_url.json; exactly one of the three infos is given.

    ``url`` is without credentials, as PEP 610 requires. An empty ``url`` stands for a
    file that cannot be read; it is the same source as no other.
    """

    url: str
    archive_info: ArchiveInfo | None = None
    dir_info: DirInfo | None = None
    vcs_info: VcsInfo | None = None
    subdirectory: str | None = None

    def is_same_source(self, other: DirectUrl) -> bool:
        """Return True if both have the same content, as far as they specify it.

        The requested revision does not count if the commit is the same, and a hash that
        only one side has excludes nothing.
        """
        if (self.url, self.subdirectory) != (other.url, other.subdirectory):
            return False
        if not self.url or self.dir_info != other.dir_info:
            return False
        if (self.vcs_info is None) != (other.vcs_info is None):
            return False
        if self.vcs_info is not None and other.vcs_info is not None:
            mine, theirs = self.vcs_info, other.vcs_info
            return (mine.vcs, mine.commit_id) == (theirs.vcs, theirs.commit_id)
        if self.archive_info is None or other.archive_info is None:
            return self.archive_info is other.archive_info
        values = {self.archive_info.sha256, other.archive_info.sha256} - {None}
        return len(values) < 2
